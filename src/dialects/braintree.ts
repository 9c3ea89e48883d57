import { isMembers } from '../answers/member.ts'
import type { Dialect, Remark, Setting, TokenAnswer, TokenRequest } from '../model/dialect.ts'
import { asJson, asRefusal, clientOf, membersIn, withBasic, withHeader } from './rewording.ts'

/** Braintree's gateway: JSON of a stated version behind a Basic header, tokens under `credentials`. */
export const braintree: Dialect = {
  request,
  response,
  refusesPkce: true,
  says: 'its gateway wants JSON, a Basic header and a version, and wraps its tokens in "credentials"',
}

function request(request: TokenRequest, setting: Setting, remark: Remark): TokenRequest {
  const { id, secret } = clientOf(setting)
  remark('Braintree wants JSON, a Basic header and the version of its gateway')
  const said = Object.fromEntries(request.params)
  const members = {
    grant_type: said['grant_type'],
    code: said['code'],
    refresh_token: said['refresh_token'],
    scope: said['scope'],
  }
  const versioned = withHeader(asJson(request, members), 'x-apiversion', '6')
  return withBasic(withHeader(versioned, 'accept', 'application/json'), id, secret)
}

function response(answer: TokenAnswer, _setting: Setting, remark: Remark): TokenAnswer {
  const members = membersIn(answer)
  if (members === undefined) return answer
  const refusal = members['apiErrorResponse'] ?? members['api_error_response']
  if (isMembers(refusal)) {
    remark('Braintree wraps a refusal in "apiErrorResponse"')
    return asRefusal(answer, 'api_error', refusal['message'])
  }
  const wrapped = members['credentials']
  if (!isMembers(wrapped)) return answer
  remark('Braintree wraps its tokens in "credentials"')
  const spelled = Object.entries(wrapped).map(([name, value]) => [
    name.replace(/-/g, '_').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    value,
  ])
  return { ...answer, json: Object.fromEntries(spelled) }
}
