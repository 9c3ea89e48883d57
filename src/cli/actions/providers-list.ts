import { listProviders } from '../../catalog/find.ts'
import { catalogOf } from '../../locate.ts'
import { providersTable } from '../output/provider.ts'
import { type Given, openSession } from '../session.ts'

export async function run(given: Given): Promise<void> {
  const { world, print } = await openSession(given)
  const { sources } = await catalogOf(world)
  const text = String(given.options['search'] ?? '').toLowerCase()
  const all = await listProviders(sources)
  const found = all.filter(({ name, title }) => `${name} ${title}`.toLowerCase().includes(text))
  await print.value(found, (style) => providersTable(found, style))
}
