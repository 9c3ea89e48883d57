import { isMembers } from '../answers/member.ts'
import type { Dialect, Remark, Setting, TokenAnswer } from '../model/dialect.ts'

/** Slack (`oauth.v2.access`): errors come with status 200, user tokens under `authed_user`, and types of its own. */
export const slack: Dialect = { response }

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
