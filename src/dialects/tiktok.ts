import { isMembers } from '../answers/member.ts'
import type { Dialect, Remark, Setting, TokenAnswer } from '../model/dialect.ts'
import { asForm, asJson, asRefusal, clientOf, membersIn, without, withoutHeader } from './rewording.ts'

/** TikTok's business API: client, secret and code under other names, answers wrapped, tokens that do not end. */
export const tiktokAds: Dialect = {
  callback,
  request: (request, setting, remark) => {
    const { id, secret } = clientOf(setting)
    remark('TikTok calls client, secret and code "app_id", "secret" and "auth_code", as JSON')
    const members = { app_id: id, secret, auth_code: request.params.get('code') ?? '' }
    return withoutHeader(asJson(request, members), 'authorization')
  },
  response: unwrapped,
  refusesPkce: true,
  says: 'client, secret and code have names of its own, and its answer is wrapped in "data"',
}

/** TikTok accounts: as above with its own names again, and tokens that are renewed. */
export const tiktokAccounts: Dialect = {
  callback,
  request: (request, setting, remark) => {
    const { id, secret } = clientOf(setting)
    remark('TikTok wants JSON, and the code as "auth_code"')
    const said = Object.fromEntries(request.params)
    const own =
      setting.grant === 'refresh_token'
        ? { refresh_token: said['refresh_token'] }
        : { auth_code: said['code'], redirect_uri: said['redirect_uri'] }
    const members = { client_id: id, client_secret: secret, grant_type: setting.grant, ...own }
    return withoutHeader(asJson(request, members), 'authorization')
  },
  response: unwrapped,
  refusesPkce: true,
  says: 'its token request is JSON with the code as "auth_code", and its answer is wrapped in "data"',
}

/**
 * TikTok's Login Kit: the client is a `client_key` (https://developers.tiktok.com/doc/oauth-user-access-token-management);
 * for a desktop app, whose redirect URI is on loopback, the PKCE challenge is the digest in hex instead of base64url
 * (RFC 7636 §4.2): https://developers.tiktok.com/doc/login-kit-desktop.
 */
export const tiktokPersonal: Dialect = {
  authorize,
  request: (request, setting, remark) => {
    const { id, secret } = clientOf(setting)
    remark('TikTok calls the client "client_key"')
    const params = without(request.params, 'client_id', 'client_secret')
    params.set('client_key', id)
    if (secret !== '') params.set('client_secret', secret)
    return withoutHeader(asForm(request, params), 'authorization')
  },
  says: 'the client is called client_key, and on loopback the PKCE challenge is written in hex',
}

function authorize(url: URL, _setting: Setting, remark: Remark): URL {
  const challenge = url.searchParams.get('code_challenge')
  const back = url.searchParams.get('redirect_uri') ?? ''
  const isDesktop = URL.canParse(back) && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(new URL(back).hostname)
  if (challenge === null || !isDesktop) return url
  remark('TikTok wants the PKCE challenge of a desktop app in hex')
  const changed = new URL(url)
  changed.searchParams.set('code_challenge', Buffer.from(challenge, 'base64url').toString('hex'))
  return changed
}

function callback(params: URLSearchParams, _setting: Setting, remark: Remark): URLSearchParams {
  const code = params.get('auth_code')
  if (code === null || params.has('code')) return params
  remark('the code comes as "auth_code"')
  const heard = without(params, 'auth_code')
  heard.set('code', code)
  return heard
}

function unwrapped(answer: TokenAnswer, _setting: Setting, remark: Remark): TokenAnswer {
  const members = membersIn(answer)
  if (members === undefined || members['code'] === undefined) return answer
  const { code, data, message } = members
  if (Number(code) !== 0) {
    remark('TikTok answers 200 to a refusal, with a code of its own')
    return asRefusal(answer, code, message)
  }
  if (!isMembers(data)) return answer
  remark('TikTok wraps its answer in "data"')
  return { ...answer, json: data }
}
