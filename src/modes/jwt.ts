import type { Connection } from '../model/connection.ts'
import type { Header } from '../model/event.ts'
import type { Integration } from '../model/integration.ts'
import type { World } from '../model/world.ts'
import { type Login, loginAgain, loginOf } from './login.ts'
import type { Attempt, Obtained } from './mode.ts'
import { signedToken } from './sign.ts'

export const authMode = 'JWT'

/** A token that we sign ourselves (RFC 7519), with a key that the provider knows; nobody is asked for one. */
export async function obtain(
  world: World,
  integration: Integration,
  attempt: Attempt,
  keep: (obtained: Obtained) => Promise<void>,
): Promise<void> {
  const { params, endpoints } = integration
  await keep({ ...signed(world, loginOf(integration), attempt), params, endpoints })
}

/** Signed once more; the key stays with us. */
export async function renew(world: World, connection: Connection, attempt: Attempt): Promise<Obtained> {
  const { params, snapshot } = connection
  return { ...signed(world, loginAgain(connection), attempt), params, endpoints: snapshot.endpoints }
}

function signed(world: World, login: Login, { tell }: Attempt): Pick<Obtained, 'credential' | 'renewal'> {
  const obtainedAt = world.clock.now().toISOString()
  const { token, expiresAt } = signedToken(world, login, tell)
  return {
    credential: {
      type: authMode,
      accessToken: token,
      given: login.credentials,
      expiresAt: expiresAt.toISOString(),
      obtainedAt,
    },
    renewal: 'again',
  }
}

/** RFC 6750 §2.1. */
export function carry({ credential }: Connection): readonly Header[] {
  return credential.accessToken === undefined ? [] : [['authorization', `Bearer ${credential.accessToken}`]]
}
