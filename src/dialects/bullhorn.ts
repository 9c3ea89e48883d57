import type { Dialect, Remark, Send, Setting, TokenAnswer, TokenRequest } from '../model/dialect.ts'
import { asRefusal, inQuery, membersIn, sisterOf } from './rewording.ts'

/** Minutes that a REST session is asked to live: a week. */
const sessionMinutes = 10_080

/** Bullhorn: everything in the query, and a token that is good only for logging in to its REST API. */
export const bullhorn: Dialect = {
  request,
  exchange,
  forgets: ['username', 'password'],
  says: 'the token request stands in the query, and its token is spent on a log-in that brings the one which calls carry',
}

function request(request: TokenRequest, _setting: Setting, remark: Remark): TokenRequest {
  remark('Bullhorn wants the token request in the query')
  return inQuery(request, request.params)
}

async function exchange(first: TokenAnswer, setting: Setting, send: Send, remark: Remark): Promise<TokenAnswer> {
  const tokens = membersIn(first) ?? {}
  remark('Bullhorn: its token is good only to log in to the REST API, whose token calls carry')
  const token = setting.endpoints.token ?? ''
  const cluster = /auth([\w-]*)\.bullhornstaffing\.com/.exec(token)?.[1] ?? ''
  const place = `rest${cluster}.bullhornstaffing.com/rest-services/login`
  const url = new URL(sisterOf(token, `auth${cluster}.bullhornstaffing.com/oauth/token`, place))
  url.searchParams.set('version', '*')
  url.searchParams.set('access_token', String(tokens['access_token']))
  url.searchParams.set('ttl', String(sessionMinutes))
  const answer = await send('log-in', {
    method: 'POST',
    url: url.href,
    headers: [['user-agent', 'auth-cli']],
    body: '',
  })
  const session = membersIn(answer) ?? {}
  const { BhRestToken: restToken, restUrl } = session
  if (answer.status >= 300 || typeof restToken !== 'string' || restToken === '') {
    return asRefusal(answer, session['errorCode'] ?? 'rest_login_failed', session['errorMessage'] ?? session['message'])
  }
  return {
    ...answer,
    status: 200,
    json: { ...tokens, restUrl, access_token: restToken, expires_in: sessionMinutes * 60 },
  }
}
