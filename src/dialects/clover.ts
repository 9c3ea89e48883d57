import type { Dialect, Remark, Setting, TokenAnswer, TokenRequest } from '../model/dialect.ts'
import { asJson, clientOf, membersIn, withoutHeader } from './rewording.ts'

/** Clover: JSON of its few members and no grant type, and lifetimes as instants under a name of their own. */
export const clover: Dialect = {
  request,
  response,
  says: 'its token request is JSON without a grant type, and it says when a token ends as access_token_expiration',
}

function request(request: TokenRequest, setting: Setting, remark: Remark): TokenRequest {
  const { id, secret } = clientOf(setting)
  const [code, refresh] = [request.params.get('code'), request.params.get('refresh_token')]
  remark('Clover wants JSON with its own members only')
  const members =
    setting.grant === 'refresh_token'
      ? { client_id: id, refresh_token: refresh ?? '' }
      : { client_id: id, client_secret: secret, code: code ?? '' }
  return withoutHeader(asJson(request, members), 'authorization')
}

function response(answer: TokenAnswer, _setting: Setting, remark: Remark): TokenAnswer {
  const members = membersIn(answer)
  const end = members?.['access_token_expiration']
  if (members === undefined || end === undefined || members['expires_in'] !== undefined) return answer
  remark('Clover says when the token ends as "access_token_expiration"')
  return { ...answer, json: { ...members, expires_at: end } }
}
