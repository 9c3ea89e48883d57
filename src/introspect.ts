import { dialectOf } from './dialects/index.ts'
import { runFlow } from './flow.ts'
import type { Connection } from './model/connection.ts'
import type { Send } from './model/dialect.ts'
import { TransportError } from './model/errors.ts'
import type { World } from './model/world.ts'
import { learnSecrets } from './saved.ts'
import { record } from './wire/record.ts'
import { assertSecure } from './wire/secure.ts'

/**
 * Whether the provider says that a token of unknown expiry is dead or about to die, where it is one of those that must be
 * asked; a provider that cannot be reached has said nothing. Rejects as `assertSecure` does.
 */
export async function isDead(world: World, connection: Connection): Promise<boolean> {
  const { names, allowHttp } = connection.snapshot
  const { isStale } = dialectOf(names ?? [connection.provider])
  if (isStale === undefined) return false
  learnSecrets(world, connection)
  const what = { deed: 'verify', provider: connection.provider, connection: connection.name } as const
  return runFlow(world, what, async ({ tell }) => {
    tell({ type: 'quirk', quirk: 'its tokens do not say when they end: the provider is asked (RFC 7662)' })
    const send: Send = (purpose, { body, ...request }) => {
      assertSecure(request.url, allowHttp, 'the introspection URL')
      return record(world, tell, purpose)({ ...request, ...(body === undefined ? {} : { body }) })
    }
    return isStale(connection, world.clock.now(), send).catch((error: unknown) => {
      if (!(error instanceof TransportError) || world.signal.aborted) throw error
      tell({ type: 'warning', code: error.code, message: `The token's state is unknown: ${error.message}` })
      return false
    })
  })
}
