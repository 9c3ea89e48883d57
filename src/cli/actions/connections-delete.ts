import { UsageError } from '../../model/errors.ts'
import { savedConnection } from '../../saved.ts'
import { type Given, openSession } from '../session.ts'

/** Forgets connections here; what the provider knows of them stays there, and is said. */
export async function run(given: Given): Promise<void> {
  const { world, print } = await openSession(given)
  const connections = []
  for (const name of given.arguments) connections.push(await savedConnection(world, name))
  const names = connections.map(({ name }) => name)
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
  const kept = connections.map(
    ({ name, snapshot, provider }) =>
      `Deleted ${name}. What ${snapshot.template.display_name ?? provider} issued stays valid there until it expires or is revoked.`,
  )
  await print.value({ deleted: names }, () => kept.join('\n'))
}
