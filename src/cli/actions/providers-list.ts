import { authModes } from '../../catalog/fields.ts'
import { nearest } from '../../catalog/nearest.ts'
import { searchProviders } from '../../catalog/search.ts'
import { type ListedProvider, listProviders } from '../../catalog/sources.ts'
import { UsageError } from '../../model/errors.ts'
import { catalogOf } from '../../sources.ts'
import { levelOf, readTrials } from '../../trials.ts'
import { providersTable } from '../output/provider.ts'
import { type Given, openSession } from '../session.ts'

export async function run(given: Given): Promise<void> {
  const { world, print, quiet } = await openSession(given)
  const { search, mode, category } = given.options as Partial<Record<string, string>>
  const { sources } = await catalogOf(world)
  const all = await listProviders(sources)
  const kept = all.filter(byMode(mode)).filter(byCategory(category, all))
  const { providers, isGuess } = searchProviders(kept, search ?? '')
  if (isGuess && !quiet) process.stderr.write(`! Nothing is called "${search}"; these come near it.\n`)
  const trials = readTrials(world)
  const lines = providers.map((one) => ({ ...one, support: levelOf(one.source.kind, one.name, trials) ?? null }))
  await print.value(lines, (style) => providersTable(lines, style))
}

function byMode(wanted: string | undefined): (provider: ListedProvider) => boolean {
  if (wanted === undefined) return () => true
  const known = authModes.find((mode) => mode.toLowerCase() === wanted.toLowerCase().replaceAll('-', '_'))
  if (known === undefined) throw unknown('--mode', wanted, authModes)
  return ({ mode }) => mode === known
}

function byCategory(wanted: string | undefined, all: readonly ListedProvider[]): (provider: ListedProvider) => boolean {
  if (wanted === undefined) return () => true
  const categories = new Set(all.flatMap((provider) => provider.categories ?? []))
  const known = [...categories].find((category) => category.toLowerCase() === wanted.toLowerCase())
  if (known === undefined) throw unknown('--category', wanted, [...categories].sort())
  return (provider) => provider.categories?.includes(known) === true
}

function unknown(flag: string, word: string, known: readonly string[]): UsageError {
  const [meant] = nearest(word, known, 1)
  return new UsageError('BAD_FLAG', `${flag} "${word}" is none of those there are.`, {
    hint: meant === undefined ? `There are ${known.join(', ')}.` : `Did you mean ${meant}?`,
  })
}
