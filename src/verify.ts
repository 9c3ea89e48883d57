import { type Flow, runFlow } from './flow.ts'
import { isMcp, proveMcp } from './mcp.ts'
import type { Connection } from './model/connection.ts'
import { ProviderError, UsageError } from './model/errors.ts'
import type { World } from './model/world.ts'
import { isProvable, prove } from './prove.ts'
import { refresh } from './refresh.ts'
import { assertReachable, savedConnection } from './saved.ts'
import { speechOf } from './speech.ts'
import type { Transmit } from './wire/record.ts'

/** What a verification showed. */
export interface Verified {
  readonly connection: Connection
  readonly flow: string
  /** The call that was accepted. */
  readonly proof: { readonly method: string; readonly url: string; readonly status: number }
  /** Names of the tools that an MCP server offers. */
  readonly tools?: readonly string[] | undefined
  /** What the call proves, in one sentence. */
  readonly says: string
}

/**
 * Tries a connection by the call that its template names for this, or where it is an MCP server's by talking to it;
 * renewed first when it is stale. Throws UsageError
 * `UNKNOWN_CONNECTION`, `NO_VERIFICATION`; ProviderError `VERIFICATION_FAILED`; what `refresh` throws; TransportError.
 */
export async function verify(world: World, name: string): Promise<Verified> {
  const saved = await savedConnection(world, name)
  const hasCall = isProvable(saved.snapshot.template)
  if (!hasCall && !isMcp(saved)) throw noVerification(saved)
  assertReachable(world, saved)
  const connection = await refresh(world, name)
  const what = { deed: 'verify', provider: connection.provider, connection: name } as const
  return runFlow(world, what, async (flow) => {
    const speech = speechOf(world, flow.tell, connection.snapshot.names ?? [connection.provider])
    if (!hasCall) return verifiedByTalk(world, connection, flow, speech.transmit('verification'))
    const proof = await prove(world, connection, flow.tell, speech).catch((error: unknown) => {
      throw error instanceof ProviderError ? asSaved(error, connection) : error
    })
    if (proof === undefined) throw noVerification(connection)
    return { connection, flow: flow.id, proof, says: saysOf(connection, proof.status) }
  })
}

async function verifiedByTalk(world: World, connection: Connection, flow: Flow, transmit: Transmit): Promise<Verified> {
  const { tools, ...proof } = await proveMcp(world, connection, flow.tell, transmit)
  const title = connection.snapshot.template.display_name ?? connection.provider
  const count = tools.length === 1 ? '1 tool' : `${tools.length} tools`
  const says = `${title} takes this token: it answered initialize and tools/list, and offers ${count}.`
  return { connection, flow: flow.id, proof, tools, says }
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
