import type { Dialect, Remark, Setting, TokenAnswer, TokenRequest } from '../model/dialect.ts'
import { asJson, clientOf, membersIn, withoutHeader } from './rewording.ts'

/** Sentry's public integrations: JSON both ways, tokens answered with 201 and in camelCase. */
export const sentryOauth: Dialect = {
  request,
  response,
  says: 'its token request is JSON, and its tokens come with status 201 in names of its own',
}

function request(request: TokenRequest, setting: Setting, remark: Remark): TokenRequest {
  const { id, secret } = clientOf(setting)
  remark('Sentry wants JSON with the client in it')
  const said = Object.fromEntries(request.params)
  const members = {
    grant_type: said['grant_type'],
    code: said['code'],
    refresh_token: said['refresh_token'],
    client_id: id,
    client_secret: secret,
  }
  return withoutHeader(asJson(request, members), 'authorization')
}

function response(answer: TokenAnswer, _setting: Setting, remark: Remark): TokenAnswer {
  const members = membersIn(answer)
  if (members === undefined || typeof members['token'] !== 'string') return answer
  remark('Sentry calls its tokens "token", "refreshToken", "expiresAt"')
  const { token, refreshToken, expiresAt } = members
  return { ...answer, json: { ...members, access_token: token, refresh_token: refreshToken, expires_at: expiresAt } }
}
