import { isMembers } from '../answers/member.ts'
import type { Dialect, Remark, Send, Setting, TokenAnswer } from '../model/dialect.ts'
import { AuthCliError } from '../model/errors.ts'
import { clientOf, membersIn } from './rewording.ts'

/** Slack (`oauth.v2.access`): errors come with status 200, user tokens under `authed_user`, and types of its own. */
export const slack: Dialect = {
  response,
  exchange,
  says: 'a refusal comes with status 200, and a user token beside that of the bot, with a life of its own',
}

/** A user token beside the bot's: it is kept, it is renewed with it, and the shorter of both lives counts. */
async function exchange(first: TokenAnswer, setting: Setting, send: Send, remark: Remark): Promise<TokenAnswer> {
  const members = membersIn(first) ?? {}
  const user = setting.grant === 'refresh_token' ? await renewedUser(setting, send, remark) : members['authed_user']
  if (!isMembers(user)) return first
  const { access_token: token, refresh_token: refreshToken, expires_in: life } = user
  if (typeof token !== 'string' || token === members['access_token']) return first
  remark('Slack issues a user token beside that of the bot; it is kept as userAccessToken')
  const lives = [members['expires_in'], life].filter((one) => typeof one === 'number')
  return {
    ...first,
    json: lives.length === 0 ? members : { ...members, expires_in: Math.min(...lives) },
    beside: {
      ...first.beside,
      userAccessToken: token,
      ...(typeof refreshToken === 'string' ? { userRefreshToken: refreshToken } : {}),
    },
  }
}

/** The user's tokens renewed; that they cannot be leaves the bot's as good as they are. */
async function renewedUser(setting: Setting, send: Send, remark: Remark): Promise<unknown> {
  const { held, endpoints } = setting
  const spent = held?.captured?.['userRefreshToken']
  if (spent === undefined || spent === held?.refreshToken) return undefined
  const { id, secret } = clientOf(setting)
  const form = { grant_type: 'refresh_token', refresh_token: spent, client_id: id, client_secret: secret }
  const answer = await send('refresh', {
    method: 'POST',
    url: endpoints.refresh ?? endpoints.token ?? '',
    headers: [
      ['accept', 'application/json'],
      ['content-type', 'application/x-www-form-urlencoded;charset=UTF-8'],
    ],
    body: new URLSearchParams(form).toString(),
  }).catch((error: unknown) => {
    if (error instanceof AuthCliError && error.exitCode !== 130) return undefined
    throw error
  })
  const members = answer === undefined ? undefined : membersIn(answer)
  const user = isMembers(members?.['authed_user']) ? members['authed_user'] : members
  if (members?.['ok'] !== false && typeof user?.['access_token'] === 'string') return user
  remark('Slack did not renew the user token: it stays as it was, and its exchange is in the log')
  return undefined
}

function response(answer: TokenAnswer, _setting: Setting, remark: Remark): TokenAnswer {
  const json = parsed(answer.text)
  if (!isMembers(json)) return answer
  if (json['ok'] === false) {
    remark('Slack answers 200 to a refusal, with "ok": false')
    const error = typeof json['error'] === 'string' ? json['error'] : 'slack_error'
    return {
      ...answer,
      status: 400,
      json: { error, ...(typeof json['needed'] === 'string' ? { error_description: `needs ${json['needed']}` } : {}) },
    }
  }
  const user = json['authed_user']
  const own = typeof json['access_token'] === 'string' && json['access_token'] !== ''
  const tokens = own || !isMembers(user) ? json : { ...json, ...user }
  if (!own && isMembers(user)) remark('Slack puts a user token under "authed_user"')
  const type = tokens['token_type']
  if (type === 'bot' || type === 'user') {
    remark(`Slack calls a Bearer token "${type}"`)
    return { ...answer, json: { ...tokens, token_type: 'bearer' } }
  }
  return { ...answer, json: tokens }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
