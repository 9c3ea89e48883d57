import { isMembers } from '../answers/member.ts'
import type { Dialect, Remark, Send, Setting, TokenAnswer, TokenRequest } from '../model/dialect.ts'
import { asForm, asRefusal, clientOf, inQuery, membersIn, sisterOf, without, withoutHeader } from './rewording.ts'

/** Meta's names for turning a short-lived token into a long-lived one, and for renewing that. */
interface LongLived {
  readonly title: string
  readonly exchange: string
  readonly refresh: string
  /** The token endpoint and, beside it, where the long-lived token is had. */
  readonly token: string
  readonly place: string
}

/**
 * Instagram and Threads: the code brings a token for an hour, which is exchanged at once for one of sixty days; that one
 * is renewed by itself, there is no refresh token.
 */
export function longLived(names: LongLived): Dialect {
  return {
    request: (request, setting, remark) => requestOf(request, setting, remark, names),
    response: (answer) => unwrapped(answer),
    exchange: (first, setting, send, remark) => exchanged(first, setting, send, remark, names),
    renewsWithoutToken: true,
    refusesPkce: true,
    says: 'its token for an hour is exchanged for one of sixty days, which renews itself without a refresh token',
  }
}

function requestOf(request: TokenRequest, setting: Setting, remark: Remark, names: LongLived): TokenRequest {
  if (setting.grant === 'authorization_code') return asForm(request, without(request.params, 'code_verifier'))
  remark(`${names.title} renews a long-lived token by itself; there is no refresh token`)
  const params = new URLSearchParams({
    grant_type: names.refresh,
    access_token: setting.held?.accessToken ?? '',
  })
  return inQuery(withoutHeader(request, 'authorization'), params, 'GET')
}

/** Instagram wraps what it says in a list of one. */
function unwrapped(answer: TokenAnswer): TokenAnswer {
  const members = membersIn(answer)
  const list = members?.['data']
  const [only] = Array.isArray(list) ? list : []
  return members !== undefined && members['access_token'] === undefined && isMembers(only)
    ? { ...answer, json: { ...members, ...only } }
    : answer
}

async function exchanged(
  first: TokenAnswer,
  setting: Setting,
  send: Send,
  remark: Remark,
  names: LongLived,
): Promise<TokenAnswer> {
  if (setting.grant === 'refresh_token') return first
  const short = membersIn(first) ?? {}
  const { refresh, token = '' } = setting.endpoints
  const beside =
    refresh === undefined ? sisterOf(token, names.token, names.place) : new URL('access_token', refresh).href
  const url = new URL(beside)
  url.searchParams.set('grant_type', names.exchange)
  url.searchParams.set('client_secret', clientOf(setting).secret)
  url.searchParams.set('access_token', String(short['access_token']))
  remark(`${names.title} issues a token for an hour first; it is exchanged for the long-lived one`)
  const answer = await send('token', { method: 'GET', url: url.href, headers: [['accept', 'application/json']] })
  const long = membersIn(answer)
  if (answer.status >= 300 || typeof long?.['access_token'] !== 'string') {
    const error = isMembers(long?.['error']) ? long['error'] : {}
    return asRefusal(answer, error['code'] ?? 'long_lived_token_refused', error['message'])
  }
  return { ...answer, json: { ...short, ...long } }
}
