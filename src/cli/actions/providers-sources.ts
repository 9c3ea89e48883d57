import { addedCatalogues } from '../../catalog/added.ts'
import type { Source } from '../../catalog/sources.ts'
import type { AddedCatalogue } from '../../model/catalogue.ts'
import { catalogOf } from '../../sources.ts'
import { sourceWords } from '../output/provider.ts'
import { table } from '../output/table.ts'
import { type Given, openSession } from '../session.ts'

/** Where templates come from, in the order in which they win. */
export async function run(given: Given): Promise<void> {
  const { world, print } = await openSession(given)
  const { sources } = await catalogOf(world)
  const catalogues = new Map(addedCatalogues(world.folders.added).map((one) => [one.path, one]))
  const rows = sources.map((source) => rowOf(source, catalogues.get(source.path)))
  await print.value(rows, (style) =>
    table(
      rows,
      [
        { title: 'from', cell: ({ kind }) => sourceWords[kind] },
        { title: 'name', cell: ({ name }) => name ?? '', paint: style.bold, kept: true },
        { title: 'version', cell: ({ version }) => version ?? '' },
        { title: 'providers', cell: ({ count }) => String(count), right: true },
        { title: 'licence', cell: ({ licence }) => licence ?? '' },
        { title: 'path', cell: ({ path }) => path },
      ],
      style,
    ),
  )
}

function rowOf({ kind, path, glance, broken }: Source, catalogue: AddedCatalogue | undefined) {
  const { name, origin, version, licence, addedAt } = catalogue ?? {}
  const count = broken === undefined ? glance().length : 0
  return { kind, name, origin, version, licence, addedAt, count, path, ...(broken ? { problem: broken.message } : {}) }
}
