import type { Dialect, Remark, Setting, TokenAnswer } from '../model/dialect.ts'
import { asRefusal, membersIn } from './rewording.ts'

/** Thirty days, in seconds: what a refresh adds to the token that one has. */
const month = 30 * 24 * 60 * 60

/** COROS: a refresh answers with a result code and no token; the token stays, and lives another thirty days. */
export const coros: Dialect = {
  response,
  says: 'a refresh answers with a result code: the token stays the same and lives thirty days more',
}

function response(answer: TokenAnswer, { grant, held }: Setting, remark: Remark): TokenAnswer {
  const members = membersIn(answer)
  const result = members?.['result']
  if (members === undefined || result === undefined || typeof members['access_token'] === 'string') return answer
  if (String(result) !== '0000') {
    remark('COROS answers a refusal with a result code')
    return asRefusal(answer, result, members['message'])
  }
  if (grant !== 'refresh_token' || held?.accessToken === undefined) return answer
  remark('COROS renews by keeping the token: it lives thirty days from now')
  return { ...answer, json: { ...members, access_token: held.accessToken, expires_in: month } }
}
