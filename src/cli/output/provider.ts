import type { Provider, SourceKind } from '../../model/provider.ts'
import { pad, type Style, width, wrap } from './style.ts'
import { type Labelled, labelled, table } from './table.ts'

/** One label of a provider's page and the lines beside it; a line is one text or cells that stand in columns. */
export interface ProviderRow {
  readonly label: string
  readonly lines: readonly (string | readonly string[])[]
}

/** Where a template comes from, in a word. */
export const sourceWords = {
  project: 'project',
  person: 'yours',
  added: 'added',
  'built-in': 'built in',
  address: 'an address',
} as const

/** What a line of the list tells. */
export interface ProviderLine {
  readonly name: string
  readonly title: string
  readonly mode?: string | undefined
  readonly source: { readonly kind: SourceKind }
  /** How much of it can be done; null where no test has run it. */
  readonly support?: string | null | undefined
}

/** One line per provider. */
export function providersTable(providers: readonly ProviderLine[], style: Style): string {
  if (providers.length === 0) return style.terminal ? 'No provider matches.\n' : ''
  return table(
    providers,
    [
      { title: 'name', cell: ({ name }) => name, paint: style.bold, kept: true },
      { title: 'title', cell: ({ title }) => title },
      { title: 'mode', cell: ({ mode = '' }) => mode },
      { title: 'from', cell: ({ source }) => sourceWords[source.kind] },
      ...(providers.some(({ support }) => support != null)
        ? [{ title: 'support', cell: ({ support }: ProviderLine) => support ?? '' }]
        : []),
    ],
    style,
  )
}

/** A provider's page: its title and where it was read, then the rows as they were computed, then warnings and what it hides. */
export function providerScreen(provider: Provider, rows: readonly ProviderRow[], style: Style): string {
  const { template, source, hides, warnings } = provider
  const from = `${template.auth_mode} ${style.symbols.dot} ${sourceWords[source.kind]} (${source.file})`
  const pairs: Labelled[] = [
    ...rows.map(({ label, lines }): Labelled => [style.text(label), aligned(lines, style)]),
    ...(hides.length > 0 ? [['hides', hides.map(({ file }) => style.text(file))] as const] : []),
  ]
  const notes = warnings.map(({ line, field, message, fix }) =>
    [
      [line === undefined ? '' : `line ${line}`, field ?? ''].filter((part) => part !== '').join(', '),
      message,
      fix ?? '',
    ]
      .filter((part) => part !== '')
      .join(': '),
  )
  return [
    ...headline(style.text(provider.title), style.text(from), style),
    ...labelled(pairs, style, { at: 14 }),
    ...notes.flatMap((note) =>
      wrap(`  ${style.warn(style.symbols.warning)} ${style.text(note)}`, style.columns, '    '),
    ),
  ]
    .map((line) => `${line.trimEnd()}\n`)
    .join('')
}

function headline(title: string, from: string, style: Style): string[] {
  const fits = width(title) + width(from) + 5 <= style.columns
  if (fits) return [`  ${style.bold(title)}   ${style.dim(from)}`]
  return [`  ${style.bold(title)}`, ...wrap(`  ${style.dim(from)}`, style.columns, '  ')]
}

/** Cells in columns where the lines have room for them, below each other where they do not. */
function aligned(lines: readonly (string | readonly string[])[], style: Style): string[] {
  const rows = lines.map((line) => [line].flat().map((cell) => style.text(cell)))
  const columns = Math.max(0, ...rows.map((cells) => cells.length))
  const widths = Array.from({ length: columns }, (_, at) =>
    Math.max(0, ...rows.filter((cells) => at < cells.length - 1).map((cells) => width(cells[at] ?? ''))),
  )
  const joined = rows.map((cells) =>
    cells
      .map((cell, at) => pad(cell, widths[at] ?? 0))
      .join('   ')
      .trimEnd(),
  )
  const fits = Math.max(0, ...joined.map(width)) <= style.columns - 14
  return fits
    ? joined
    : rows.flatMap((cells) => cells.filter((cell) => cell !== '').map((cell, n) => (n === 0 ? cell : `  ${cell}`)))
}
