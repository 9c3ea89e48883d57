import type { Connection } from '../../model/connection.ts'
import { MachineError, UsageError } from '../../model/errors.ts'
import type { World } from '../../model/world.ts'
import { savedConnection } from '../../saved.ts'
import { type Given, openSession } from '../session.ts'

/** Forgets connections here; what the provider knows of them stays there, and is said. */
export async function run(given: Given): Promise<void> {
  const { world, print } = await openSession(given)
  const found = []
  for (const name of given.arguments) found.push({ name, connection: await readable(world, name) })
  const names = found.map(({ name, connection }) => connection?.name ?? name)
  if (given.options['yes'] !== true) {
    const sure = await world.confirm(`Delete ${names.join(', ')}?`, world.signal)
    if (sure === undefined) {
      throw new UsageError('MISSING_INPUT', 'Deleting wants a yes.', {
        hint: `Say it with --yes: auth-cli connections delete ${names.join(' ')} --yes`,
      })
    }
    if (!sure) return print.value({ deleted: [] }, () => 'Nothing was deleted.')
  }
  for (const name of names) await world.store.connections.remove(name)
  const kept = found.map(({ name, connection }) => {
    const issuer = connection?.snapshot.template.display_name ?? connection?.provider ?? 'its provider'
    return `Deleted ${connection?.name ?? name}. What ${issuer} issued stays valid there until it expires or is revoked.`
  })
  await print.value({ deleted: names }, () => kept.join('\n'))
}

/** One whose file is broken, or whose key is lost, can be deleted all the same: that is the way out of it. */
async function readable(world: World, name: string): Promise<Connection | undefined> {
  try {
    return await savedConnection(world, name)
  } catch (error) {
    if (error instanceof MachineError && ['STORE_CORRUPT', 'KEYCHAIN_UNAVAILABLE'].includes(error.code))
      return undefined
    throw error
  }
}
