import { type Flow, runFlow } from './flow.ts'
import type { Connection } from './model/connection.ts'
import { ProviderError } from './model/errors.ts'
import type { World } from './model/world.ts'
import { modeOf } from './modes/index.ts'
import { learnSecrets, refusedForGood } from './saved.ts'
import { speechOf } from './speech.ts'

/**
 * One attempt to renew, as a flow; whoever calls holds the connection's lock and saves what comes back. A refusal for
 * good comes back as the connection marked with it. Apart from `refresh`, so that a token still fresh loads none of it.
 */
export async function renew(
  world: World,
  connection: Connection,
  options: { readonly force?: boolean },
): Promise<Connection> {
  if (connection.lastError?.final === true && options.force !== true) throw refusedForGood(connection)
  try {
    return await runFlow(
      world,
      { deed: 'refresh', provider: connection.provider, connection: connection.name },
      (flow) => renewedBy(world, connection, flow),
    )
  } catch (error) {
    if (!(error instanceof ProviderError) || !isFinal(error)) throw error
    // Saved with the mark, so that nobody asks in a loop; `refresh` throws it once the lock is free.
    return {
      ...connection,
      updatedAt: world.clock.now().toISOString(),
      lastError: {
        at: world.clock.now().toISOString(),
        code: error.code,
        message: world.secrets.scrub(error.message),
        words: error.words === undefined ? undefined : world.secrets.scrub(error.words),
        flow: error.flow,
        final: true,
      },
    }
  }
}

async function renewedBy(world: World, connection: Connection, flow: Flow): Promise<Connection> {
  learnSecrets(world, connection)
  const mode = await modeOf(connection.mode, connection.provider)
  if (mode.renew === undefined) {
    throw new ProviderError('EXPIRED', `A connection of ${connection.mode} cannot be renewed.`, {
      hint: 'Connect again.',
    })
  }
  const obtained = await mode.renew(world, connection, {
    ...flow,
    speech: speechOf(world, flow.tell, connection.snapshot.names ?? [connection.provider]),
  })
  const now = world.clock.now().toISOString()
  const rotated = obtained.credential.refreshToken !== connection.credential.refreshToken
  flow.tell({ type: 'token.refreshed', connection: connection.name, rotated, expiresAt: obtained.credential.expiresAt })
  return {
    ...connection,
    params: obtained.params,
    credential: obtained.credential,
    scopes: { ...connection.scopes, granted: obtained.granted ?? connection.scopes.granted },
    updatedAt: now,
    refreshedAt: now,
    lastError: null,
  }
}

/** Asking once more would be refused once more; a password that is tried again and again may lock an account. */
function isFinal(error: ProviderError): boolean {
  return error.code === 'INVALID_GRANT' || (error.code === 'LOGIN_REFUSED' && [401, 403].includes(error.status ?? 0))
}
