import { assertName, nameTaken } from './import.ts'
import type { Connection } from './model/connection.ts'
import type { World } from './model/world.ts'
import { savedConnection, unknownConnection } from './saved.ts'

/**
 * Gives a connection another name; everything else stays. A renewal that happens meanwhile comes along. Throws UsageError
 * `UNKNOWN_CONNECTION`, `NAME_TAKEN`, `BAD_NAME`; MachineError.
 */
export async function rename(
  world: Pick<World, 'store' | 'clock' | 'signal'>,
  from: string,
  to: string,
): Promise<Connection> {
  const { connections } = world.store
  const found = await savedConnection(world, from)
  assertName(to)
  const named = (current: Connection): Connection => ({
    ...current,
    name: to,
    updatedAt: world.clock.now().toISOString(),
  })
  const taken = await connections.read(to)
  if (taken !== undefined && taken.name !== found.name) throw nameTaken(taken)
  if (taken !== undefined) {
    // The same file: only the letters' case changes.
    const same = await connections.update(from, (current) => (current === undefined ? undefined : named(current)))
    return same ?? named(found)
  }
  let moved: Connection | undefined
  for (let copied: Connection | undefined; ; ) {
    await connections.update(
      from,
      async (current) => {
        if (current === undefined) throw unknownConnection(from)
        copied = current
        moved = await connections.update(to, (there) => {
          if (there !== undefined && moved === undefined) throw nameTaken(there)
          return named(current)
        })
        return undefined
      },
      world.signal,
    )
    const now = await connections.read(from)
    if (JSON.stringify(now) === JSON.stringify(copied)) break
  }
  await connections.remove(found.name)
  return moved ?? named(found)
}
