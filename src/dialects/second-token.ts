import { isMembers } from '../answers/member.ts'
import type { Dialect, Remark, Send, Sent, Setting, TokenAnswer } from '../model/dialect.ts'
import { AuthCliError } from '../model/errors.ts'
import { clientOf, type Members, membersIn } from './rewording.ts'

/** Microsoft's bots: beside Graph's token one for the Bot Framework, by client credentials. */
export const microsoftTeamsBot: Dialect = {
  exchange: async (first, setting, send, remark) => {
    const { id, secret } = clientOf(setting)
    remark('Microsoft: the Bot Framework wants a token of its own, by client credentials')
    const tenant = setting.params['botHostTenantId']
    const token = setting.endpoints.token ?? ''
    const url = tenant === undefined || tenant === '' ? token : token.replace(/[^/]+(?=\/oauth2\/v2\.0\/token)/, tenant)
    const form = {
      grant_type: 'client_credentials',
      client_id: id,
      client_secret: secret,
      scope: 'https://api.botframework.com/.default',
    }
    return withSecond(first, 'botFrameworkAccessToken', remark, () => send('second token', formTo(url, form)))
  },
  says: 'a second token, for the Bot Framework, is fetched beside that for Graph',
}

/** OneDrive for Business and SharePoint: beside Graph's token one for the tenant's own SharePoint site. */
export const sharepoint: Dialect = {
  exchange: async (first, setting, send, remark) => {
    remark('Microsoft: the SharePoint site wants a token of its own, by the same refresh token')
    const tokens = membersIn(first) ?? {}
    const refreshToken = tokens['refresh_token'] ?? setting.held?.refreshToken
    if (typeof refreshToken !== 'string') {
      remark('Microsoft issued no refresh token (offline_access), so the SharePoint token is missing')
      return first
    }
    return withSecond(first, 'sharepointAccessToken', remark, async () => {
      const host = await siteHost(tokens, setting, send)
      return host === undefined ? undefined : send('second token', siteTokenRequest(host, refreshToken, setting))
    })
  },
  says: "a second token, for the tenant's SharePoint site, is fetched beside that for Graph",
}

/** The tenant's SharePoint host, which Graph knows. */
async function siteHost(tokens: Members, { endpoints }: Setting, send: Send): Promise<string | undefined> {
  const graph = endpoints.api
  if (graph === undefined) return undefined
  const answer = await send('look-up', {
    method: 'GET',
    url: `${graph.replace(/\/+$/, '')}/v1.0/sites/root`,
    headers: [
      ['authorization', `Bearer ${String(tokens['access_token'])}`],
      ['accept', 'application/json'],
    ],
  })
  const site = membersIn(answer) ?? {}
  const collection = isMembers(site['siteCollection']) ? site['siteCollection']['hostname'] : undefined
  const url = site['webUrl']
  if (typeof collection === 'string') return collection
  return typeof url === 'string' && URL.canParse(url) ? new URL(url).host : undefined
}

function siteTokenRequest(host: string, refreshToken: string, setting: Setting): Sent {
  const { id, secret } = clientOf(setting)
  return formTo(setting.endpoints.token ?? '', {
    grant_type: 'refresh_token',
    client_id: id,
    ...(secret === '' ? {} : { client_secret: secret }),
    refresh_token: refreshToken,
    scope: `https://${host}/.default offline_access`,
  })
}

function formTo(url: string, params: Readonly<Record<string, string>>): Sent {
  return {
    method: 'POST',
    url,
    headers: [
      ['accept', 'application/json'],
      ['content-type', 'application/x-www-form-urlencoded;charset=UTF-8'],
    ],
    body: new URLSearchParams(params).toString(),
  }
}

/** The first answer with the second token beside it; what cannot be had leaves the first as good as it was. */
async function withSecond(
  first: TokenAnswer,
  name: string,
  remark: Remark,
  ask: () => Promise<TokenAnswer | undefined>,
): Promise<TokenAnswer> {
  const second = await ask().catch((error: unknown) => {
    if (error instanceof AuthCliError && error.exitCode !== 130) return undefined
    throw error
  })
  const members = second === undefined || second.status >= 300 ? undefined : membersIn(second)
  const token = members?.['access_token']
  if (typeof token !== 'string' || token === '') {
    remark(`the second token could not be had (${name}): its exchange is in the log`)
    return first
  }
  const rotated = members?.['refresh_token']
  const json = { ...membersIn(first), ...(typeof rotated === 'string' ? { refresh_token: rotated } : {}) }
  return { ...first, json, beside: { ...first.beside, [name]: token } }
}
