import type { Connection } from '../model/connection.ts'
import type { Header } from '../model/event.ts'
import type { Integration } from '../model/integration.ts'
import type { World } from '../model/world.ts'
import type { Attempt, Obtained } from './mode.ts'

export const authMode = 'BASIC'

/** A user name and a password, or what a provider uses as such; either may be empty. */
export async function obtain(
  world: World,
  { credentials, params, endpoints }: Integration,
  _attempt: Attempt,
  keep: (obtained: Obtained) => Promise<void>,
): Promise<void> {
  const { username = '', password = '', ...given } = credentials
  await keep({
    credential: {
      type: authMode,
      username,
      password,
      ...(Object.keys(given).length === 0 ? {} : { given }),
      obtainedAt: world.clock.now().toISOString(),
    },
    params,
    endpoints,
  })
}

/** RFC 7617 §2, in UTF-8. */
export function carry({ credential }: Connection): readonly Header[] {
  const { username = '', password = '' } = credential
  return [['authorization', `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`]]
}
