import type { Connection } from '../model/connection.ts'
import type { Header } from '../model/event.ts'
import type { Integration } from '../model/integration.ts'
import type { World } from '../model/world.ts'
import type { Attempt, Moment, Obtained, Unsigned } from './mode.ts'
import { oauth1Header } from './oauth1-header.ts'

export const authMode = 'TBA'

/** Every request is signed. */
export const signs = true

/** Token-based authentication: a token that an administrator made stands beside the client, and nothing is exchanged. */
export async function obtain(
  world: World,
  { credentials: given, params, endpoints }: Integration,
  _attempt: Attempt,
  keep: (obtained: Obtained) => Promise<void>,
): Promise<void> {
  await keep({
    credential: { type: authMode, given, obtainedAt: world.clock.now().toISOString() },
    params,
    endpoints,
  })
}

/** OAuth 1.0a with the account as its realm, HMAC-SHA256 unless the template says otherwise. */
export function carry(
  { credential, params, snapshot }: Connection,
  request: Unsigned,
  moment: Moment,
): readonly Header[] {
  const { given = {} } = credential
  const { client, template } = snapshot
  const account = params['accountId'] ?? ''
  return [
    [
      'authorization',
      oauth1Header(request, moment, {
        consumerKey: client.id,
        consumerSecret: client.secret ?? '',
        token: given['token_id'],
        tokenSecret: given['token_secret'],
        method: template['signature_method'] ?? 'HMAC-SHA256',
        ...(account === '' ? {} : { realm: account.toUpperCase().replace('-', '_') }),
      }),
    ],
  ]
}
