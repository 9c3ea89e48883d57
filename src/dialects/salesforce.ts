import type { Connection } from '../model/connection.ts'
import type { Dialect, Send } from '../model/dialect.ts'
import { membersIn } from './rewording.ts'

/** Milliseconds before its end at which a token counts as stale. */
const margin = 15 * 60 * 1000

/** Salesforce: tokens that do not say when they end; it must be asked (RFC 7662). */
export const salesforce: Dialect = {
  isStale,
  says: 'its tokens do not say when they end: it is asked each time (token introspection)',
}

/** Whether the instance says that the token is dead or about to die; nothing is renewed because it does not answer. */
async function isStale({ credential, params, snapshot }: Connection, now: Date, send: Send): Promise<boolean> {
  const { client, endpoints } = snapshot
  const instance = params['instance_url'] ?? endpoints.api
  if (credential.accessToken === undefined || instance === undefined || !URL.canParse(instance)) return false
  const body = new URLSearchParams({
    token: credential.accessToken,
    token_type_hint: 'access_token',
    client_id: client.id,
    ...(client.secret === undefined ? {} : { client_secret: client.secret }),
  })
  const answer = await send('introspection', {
    method: 'POST',
    url: `${instance.replace(/\/+$/, '')}/services/oauth2/introspect`,
    headers: [
      ['accept', 'application/json'],
      ['content-type', 'application/x-www-form-urlencoded;charset=UTF-8'],
    ],
    body: body.toString(),
  })
  const said = answer.status === 200 ? membersIn(answer) : undefined
  if (said === undefined) return true
  const end = said['exp']
  return said['active'] !== true || typeof end !== 'number' || end * 1000 - now.getTime() <= margin
}
