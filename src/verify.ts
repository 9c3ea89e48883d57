import { runFlow } from './flow.ts'
import type { Connection } from './model/connection.ts'
import { ProviderError, UsageError } from './model/errors.ts'
import type { World } from './model/world.ts'
import { isProvable, prove } from './prove.ts'
import { refresh } from './refresh.ts'
import { assertReachable, savedConnection } from './saved.ts'
import { speechOf } from './speech.ts'

/** What a verification showed. */
export interface Verified {
  readonly connection: Connection
  readonly flow: string
  /** The call that was accepted. */
  readonly proof: { readonly method: string; readonly url: string; readonly status: number }
  /** What the call proves, in one sentence. */
  readonly says: string
}

/**
 * Tries a connection by the call that its template names for this, renewed first when it is stale. Throws UsageError
 * `UNKNOWN_CONNECTION`, `NO_VERIFICATION`; ProviderError `VERIFICATION_FAILED`; what `refresh` throws; TransportError.
 */
export async function verify(world: World, name: string): Promise<Verified> {
  const saved = await savedConnection(world, name)
  if (!isProvable(saved.snapshot.template)) throw noVerification(saved)
  assertReachable(world, saved)
  const connection = await refresh(world, name)
  const what = { deed: 'verify', provider: connection.provider, connection: name } as const
  return runFlow(world, what, async (flow) => {
    const { transmit } = speechOf(world, flow.tell, connection.snapshot.names ?? [connection.provider])
    const proof = await prove(world, connection, flow.tell, transmit('verification')).catch((error: unknown) => {
      throw error instanceof ProviderError ? asSaved(error, connection) : error
    })
    if (proof === undefined) throw noVerification(connection)
    return { connection, flow: flow.id, proof, says: saysOf(connection, proof.status) }
  })
}

function saysOf({ snapshot, provider }: Connection, status: number): string {
  const title = snapshot.template.display_name ?? provider
  return `${title} takes this credential: the call answered ${status}. What else it may do, only other calls show.`
}

function noVerification({ name }: Connection): UsageError {
  return new UsageError('NO_VERIFICATION', `The template of "${name}" names no call that would verify it.`, {
    hint: `Try one yourself: auth-cli request ${name} <path>. In a template of yours, proxy.verification names it.`,
  })
}

/** Here the connection exists already, so nothing was "not saved". */
function asSaved(error: ProviderError, { name }: Connection): ProviderError {
  return new ProviderError(error.code, error.message, {
    words: error.words,
    status: error.status,
    facts: error.facts,
    cause: error,
    hint: `The connection is still there. Connect again with new credentials: auth-cli inspect ${name} tells of which provider.`,
  })
}
