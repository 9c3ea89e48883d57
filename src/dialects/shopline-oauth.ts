import { createHmac } from 'node:crypto'
import { isMembers } from '../answers/member.ts'
import type { Dialect, Remark, Setting, TokenAnswer, TokenRequest } from '../model/dialect.ts'
import { asRefusal, clientOf, membersIn, withHeader, withoutHeader } from './rewording.ts'

/** SHOPLINE: signed requests (HMAC-SHA256 of body and milliseconds), wrapped answers, no refresh token. */
export const shoplineOauth: Dialect = {
  request,
  response,
  renewsWithoutToken: true,
  refusesPkce: true,
  says: 'its token requests are signed with the secret, its answers wrapped in "data", and a refresh needs no token',
}

function request(request: TokenRequest, setting: Setting, remark: Remark): TokenRequest {
  const { id, secret } = clientOf(setting)
  remark('SHOPLINE wants the token request signed: HMAC-SHA256 over the body and the time')
  const code = request.params.get('code') ?? ''
  const body = setting.grant === 'refresh_token' ? '' : JSON.stringify({ code })
  const timestamp = String(setting.now?.getTime() ?? 0)
  const sign = createHmac('sha256', secret).update(`${body}${timestamp}`).digest('hex')
  const headers = { 'content-type': 'application/json', appkey: id, timestamp, sign }
  const plain: TokenRequest = { ...withoutHeader(request, 'authorization'), params: new URLSearchParams(), body }
  return Object.entries(headers).reduce((signed, [name, value]) => withHeader(signed, name, value), plain)
}

function response(answer: TokenAnswer, _setting: Setting, remark: Remark): TokenAnswer {
  const members = membersIn(answer)
  if (members === undefined || members['code'] === undefined) return answer
  const { code, data, message, i18nCode } = members
  if (Number(code) !== 200 || !isMembers(data)) {
    remark('SHOPLINE answers a refusal with a code of its own')
    return asRefusal(answer, typeof i18nCode === 'string' ? i18nCode.toLowerCase() : code, message)
  }
  remark('SHOPLINE wraps its token in "data"')
  const { accessToken, refreshToken, expireTime, scope } = data
  return {
    ...answer,
    json: {
      access_token: accessToken,
      ...(typeof refreshToken === 'string' ? { refresh_token: refreshToken } : {}),
      ...(expireTime === undefined ? {} : { expires_at: expireTime }),
      ...(scope === undefined ? {} : { scope }),
    },
  }
}
