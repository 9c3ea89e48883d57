import { addedCatalogues } from '../../catalog/added.ts'
import { listProviders, orderedSources, sourceAt } from '../../catalog/sources.ts'
import { splitCatalogue } from '../../catalog/split.ts'
import { type Catalogue, folderOf } from '../../model/catalogue.ts'
import { type Problem, TemplateError, UsageError } from '../../model/errors.ts'
import { type Difference, placeCatalogue } from '../../node/catalogues.ts'
import { gather } from '../gather.ts'
import type { Style } from '../output/style.ts'
import { type Labelled, labelled } from '../output/table.ts'
import { type Given, openSession, type Session } from '../session.ts'

/** Copies a catalogue under the person's data folder, where every later command finds it. */
export async function run(given: Given): Promise<void> {
  const session = await openSession(given)
  const { world, paths, print } = session
  const [what = ''] = given.arguments
  const as = given.options['as'] as string | undefined
  if (as?.trim() === '') throw new UsageError('BAD_FLAG', '--as needs a name.', { hint: 'For example --as mine' })
  const { about, files } = await gather(world, what)
  const { templates, problems } = await splitCatalogue(files)
  if (templates.length === 0) throw holdsNone(what, problems)
  const catalogue: Catalogue = {
    ...about,
    name: as ?? about.name,
    count: templates.length,
    addedAt: world.clock.now().toISOString(),
  }
  assertFree(catalogue, paths.catalogues, given.options['replace'] === true)
  const difference = await placeCatalogue(paths, catalogue, templates)
  const counts = await countsOf(session, catalogue)
  await print.value({ ...catalogue, ...counts, leftOut: problems, difference: difference ?? null }, (style) =>
    screen({ catalogue, difference, problems, ...counts }, style),
  )
}

function holdsNone(what: string, problems: readonly Problem[]): TemplateError {
  return new TemplateError('TEMPLATE_INVALID', `There is no template in ${what} that could be added.`, {
    hint: 'A catalogue is a file, a folder or a package with YAML like that of auth-cli providers new --stdout.',
    problems: problems.slice(0, 20),
  })
}

function assertFree({ name, origin }: Catalogue, folder: string, isReplacing: boolean): void {
  const other = addedCatalogues(folder).find((one) => isOneFolder(one.name, name))
  if (other === undefined || other.origin === origin || isReplacing) return
  throw new UsageError('NAME_TAKEN', `A catalogue called ${name} was added from ${other.origin}.`, {
    hint: 'Give this one another name with --as <name>, or put it in its place with --replace.',
  })
}

/** On a disk that does not tell cases apart, and where `a/b` and `a+b` are one. */
function isOneFolder(a: string, b: string): boolean {
  return folderOf(a).toLowerCase() === folderOf(b).toLowerCase()
}

interface Counts {
  readonly modes: Readonly<Record<string, number>>
  /** Built-in providers that it stands before. */
  readonly hides: readonly string[]
}

/** Also the first look at it, which writes its index. */
async function countsOf({ world }: Session, { name }: Catalogue): Promise<Counts> {
  const { person, builtIn } = world.folders
  const added = addedCatalogues(world.folders.added).filter((one) => one.name === name)
  const listed = (await listProviders(orderedSources({ person, added, builtIn }))).filter(
    ({ source }) => source.kind === 'added',
  )
  const modes: Record<string, number> = {}
  for (const { mode = 'unknown' } of listed) modes[mode] = (modes[mode] ?? 0) + 1
  const names = new Set(listed.map((provider) => provider.name))
  const hides = sourceAt('built-in', builtIn)
    .glance()
    .flatMap((one) => (names.has(one.name) ? [one.name] : []))
  return { modes, hides }
}

interface Added extends Counts {
  readonly catalogue: Catalogue
  readonly difference: Difference | undefined
  readonly problems: readonly Problem[]
}

function screen({ catalogue, difference, problems, modes, hides }: Added, style: Style): string {
  const { name, version, count, licence, homepage } = catalogue
  const what = `${style.text(name)}${version === undefined ? '' : ` ${style.text(version)}`}`
  const before = difference && ` (${difference.fresh} new, ${difference.changed} changed, ${difference.gone} gone)`
  const unstated = `not stated${homepage === undefined ? '' : `; see ${homepage}`} before you pass it on`
  const byCount = Object.entries(modes).sort(([, a], [, b]) => b - a)
  const rows: Labelled[] = [
    ['licence', style.text(licence ?? unstated)],
    ['modes', byCount.map(([mode, n]) => `${style.text(mode)} ${n}`).join(', ')],
    ...(hides.length > 0 ? [['stands before', `the built-in ${hides.join(', ')}`] as const] : []),
    ...(problems.length > 0 ? [['left out', leftOut(problems, style)] as const] : []),
    ['Next', [style.bold('auth-cli providers list --search <text>'), style.bold('auth-cli providers show <name>')]],
  ]
  const verb = difference === undefined ? 'Added' : 'Updated'
  return [
    `${style.good(style.symbols.done)} ${verb} ${what}: ${count} ${count === 1 ? 'provider' : 'providers'}${before ?? ''}`,
    ...labelled(rows, style),
  ].join('\n')
}

function leftOut(problems: readonly Problem[], style: Style): string[] {
  const shown = problems.slice(0, 5).map(({ file, line, field, message }) => {
    const place = line === undefined ? file : `${file}:${line}`
    return style.text([place, field, message].filter((part) => part !== undefined).join('  '))
  })
  return problems.length > 5 ? [...shown, `and ${problems.length - 5} more`] : shown
}
