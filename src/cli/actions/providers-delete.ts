import { join } from 'node:path'
import { addedCatalogues } from '../../catalog/added.ts'
import { glance } from '../../catalog/glance.ts'
import { isTemplateName } from '../../catalog/names.ts'
import { nearest } from '../../catalog/nearest.ts'
import { UsageError } from '../../model/errors.ts'
import { removeCatalogue } from '../../node/catalogues.ts'
import { removeIfThere } from '../../node/disk.ts'
import { type Given, openSession, type Session } from '../session.ts'

/** Forgets an added catalogue, or a template of the person's own. */
export async function run(given: Given): Promise<void> {
  const session = await openSession(given)
  const { world, paths, print } = session
  const [name = ''] = given.arguments
  const catalogue = addedCatalogues(paths.catalogues).find((one) => one.name.toLowerCase() === name.toLowerCase())
  const own = catalogue === undefined ? ownFile(session, name) : undefined
  if (catalogue === undefined && own === undefined) throw unknown(session, name)
  const what =
    catalogue === undefined
      ? `your template ${own}`
      : `${catalogue.name} with its ${catalogue.count} provider${catalogue.count === 1 ? '' : 's'}`
  if (given.options['yes'] !== true && !(await isSure(session, what, name)))
    return print.value({ deleted: [] }, () => 'Nothing was deleted.')
  if (catalogue !== undefined) await removeCatalogue(paths, catalogue.name)
  else if (own !== undefined) removeIfThere(own)
  const users = await usersOf(world, catalogue?.path, own)
  await print.value({ deleted: [catalogue?.name ?? name], connections: users }, () =>
    [
      `Deleted ${what}.`,
      ...(users.length > 0 ? [`Connections made with it go on working: ${users.join(', ')}.`] : []),
    ].join('\n'),
  )
}

function ownFile({ paths }: Session, name: string): string | undefined {
  if (!isTemplateName(name)) return undefined
  return glance(paths.templates).find((one) => one.name === name)?.file
}

async function isSure({ world }: Session, what: string, name: string): Promise<boolean> {
  const sure = await world.confirm(`Delete ${what}?`, world.signal)
  if (sure !== undefined) return sure
  throw new UsageError('MISSING_INPUT', 'Deleting wants a yes.', {
    hint: `Say it with --yes: auth-cli providers delete ${name} --yes`,
  })
}

/** Connections that were made with what is now gone. */
async function usersOf(
  { store }: Session['world'],
  folder: string | undefined,
  own: string | undefined,
): Promise<readonly string[]> {
  const connections = await store.connections.list(() => {})
  return connections
    .filter(({ snapshot: { source } }) =>
      folder === undefined ? source.file === own : source.file.startsWith(join(folder, '/')),
    )
    .map(({ name }) => name)
}

function unknown({ paths }: Session, name: string): UsageError {
  const known = [...addedCatalogues(paths.catalogues), ...glance(paths.templates)].map((one) => one.name)
  const meant = nearest(name, known, 2)
  const question = meant.length > 0 ? ` Did you mean ${meant.join(' or ')}?` : ''
  return new UsageError(
    'UNKNOWN_SOURCE',
    `You have added no catalogue and written no template called "${name}".${question}`,
    { hint: 'See what there is with auth-cli providers sources. What is built in cannot be deleted, only hidden.' },
  )
}
