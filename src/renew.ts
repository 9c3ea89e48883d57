import { type Flow, runFlow } from './flow.ts'
import type { Connection } from './model/connection.ts'
import { AuthCliError, MachineError, ProviderError } from './model/errors.ts'
import type { World } from './model/world.ts'
import { modeOf } from './modes/index.ts'
import { assertReachable, connectAgain, learnSecrets, refusedForGood } from './saved.ts'
import { speechOf } from './speech.ts'

/**
 * One attempt to renew, as a flow; whoever calls holds the connection's lock, saves what comes back and then settles the
 * intent. A refusal for good comes back as the connection marked with it; undefined where it is better left as it is.
 * Apart from `refresh`, so that a token still fresh loads none of it.
 */
export async function renew(
  world: World,
  connection: Connection,
  options: { readonly force?: boolean; readonly minValidity?: number; readonly refused?: string },
): Promise<Connection | undefined> {
  if (connection.lastError?.final === true && options.force !== true) throw refusedForGood(connection)
  const spends = connection.credential.refreshToken !== undefined
  const left = spends && options.force !== true ? await world.store.intents.left(connection) : undefined
  if (left !== undefined) return interrupted(world, connection, left, options)
  if (spends) await world.store.intents.declare(connection)
  try {
    return await runFlow(world, about(connection), (flow) => renewedBy(world, connection, flow))
  } catch (error) {
    // Whoever lives to see it fail knows as much as can be known; a bug of ours does not.
    if (error instanceof AuthCliError) await world.store.intents.settle(connection.name)
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

/** A flow that only says something. */
export async function warn(
  world: World,
  connection: Connection,
  warning: { readonly code: string; readonly message: string; readonly hint?: string },
): Promise<void> {
  await runFlow(world, about(connection), async (flow) => flow.tell({ type: 'warning', ...warning }))
}

/**
 * Somebody asked for a renewal with this refresh token and was gone before the answer was on disk. Asking again with a
 * token that is spent looks like theft, and providers then revoke everything (RFC 9700 §4.14.2): so nobody guesses. While
 * the old access token is good it serves.
 */
async function interrupted(
  world: World,
  connection: Connection,
  at: string,
  { minValidity = 0, refused }: { readonly minValidity?: number; readonly refused?: string },
): Promise<undefined> {
  const { name, credential } = connection
  const code = 'REFRESH_INTERRUPTED'
  const message = `A renewal of "${name}" was interrupted at ${at}: its saved refresh token may be spent.`
  const hint = `To be safe, ${lowered(connectAgain(connection))}. To try the saved one all the same: auth-cli refresh ${name} --force (a provider that has spent it may then revoke everything it issued for it).`
  const life = Date.parse(credential.expiresAt ?? '') - world.clock.now().getTime()
  const serves = refused === undefined && life > Math.max(0, minValidity * 1000)
  if (serves) {
    await warn(world, connection, { code, message, hint })
    return undefined
  }
  return runFlow(world, about(connection), async () => {
    throw new MachineError(code, message, { hint })
  })
}

function about({ provider, name }: Connection) {
  return { deed: 'refresh', provider, connection: name } as const
}

function lowered(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1)
}

async function renewedBy(world: World, connection: Connection, flow: Flow): Promise<Connection> {
  learnSecrets(world, connection)
  assertReachable(world, connection)
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
