import { cut, pad, type Style, width, wrap } from './style.ts'

/** One column of a table of `Row`s. */
export interface Column<Row> {
  readonly title: string
  /** The cell, uncoloured; it is made plain here. */
  readonly cell: (row: Row) => string
  readonly paint?: ((text: string, row: Row) => string) | undefined
  /** Cut late: what one copies or looks for. */
  readonly kept?: boolean | undefined
  readonly right?: boolean | undefined
}

const indent = '  '
const gap = '  '
/** Cells that a value needs beside its label. */
const readable = 20
/** Who gives way, and down to how many cells, until the lines fit. */
const concessions = [
  { kept: false, floor: 10 },
  { kept: true, floor: 24 },
  { kept: false, floor: 6 },
  { kept: true, floor: 12 },
] as const

/**
 * Rows under a dim heading, columns aligned. On a terminal the widest cells are cut until every line fits; elsewhere
 * nothing is cut. No line ends in spaces; each ends in a line break.
 */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], style: Style): string {
  const texts: string[][] = []
  const sizes: number[][] = []
  const most = columns.map(({ title }) => width(title))
  for (const row of rows) {
    const cells: string[] = []
    const taken: number[] = []
    for (let at = 0; at < columns.length; at += 1) {
      const text = style.text(columns[at]?.cell(row) ?? '')
      const size = width(text)
      cells.push(text)
      taken.push(size)
      if (size > (most[at] ?? 0)) most[at] = size
    }
    texts.push(cells)
    sizes.push(taken)
  }
  const natural = columns.map(({ kept = false }, at) => ({ at, kept, cells: most[at] ?? 0 }))
  const widths = fitted(natural, style.columns - indent.length)
  const line = (cells: readonly string[], taken: readonly number[], paint?: (text: string, at: number) => string) => {
    let text = indent
    let lead = ''
    for (const { at, cells: room } of widths) {
      const isCut = (taken[at] ?? 0) > room
      const cell = isCut ? cut(cells[at] ?? '', room, style.symbols.more) : (cells[at] ?? '')
      const size = isCut ? width(cell) : (taken[at] ?? 0)
      const blank = size < room ? ' '.repeat(room - size) : ''
      const shown = paint === undefined || cell === '' ? cell : paint(cell, at)
      text += lead + (columns[at]?.right ? blank + shown : shown + blank)
      lead = gap
    }
    return `${text.trimEnd()}\n`
  }
  const titles = columns.map(({ title }) => title)
  let drawn = `${style.dim(line(titles, titles.map(width)).slice(0, -1))}\n`
  for (const [n, row] of rows.entries()) {
    const paint = style.color ? (text: string, at: number) => columns[at]?.paint?.(text, row) ?? text : undefined
    drawn += line(texts[n] ?? [], sizes[n] ?? [], paint)
  }
  return drawn
}

interface Width {
  readonly at: number
  readonly cells: number
  readonly kept: boolean
}

/** Which columns are shown and how wide: the widest gives way first; where that is not enough, whole columns go. */
function fitted(all: readonly Width[], room: number): readonly Width[] {
  let widths = all
  for (const { kept, floor } of concessions) {
    while (excess(widths, room) > 0) {
      const yielding = widths.filter((width) => width.kept === kept && width.cells > floor)
      const widest = yielding.reduce<Width | undefined>((a, b) => (a && a.cells >= b.cells ? a : b), undefined)
      if (!widest) break
      widths = widths.map((width) => (width === widest ? { ...width, cells: width.cells - 1 } : width))
    }
  }
  if (excess(widths, room) <= 0 || all.length === 1) return widths
  const leaving = all.findLast((width) => !width.kept) ?? all.at(-1)
  return fitted(
    all.filter((width) => width !== leaving),
    room,
  )
}

function excess(widths: readonly Width[], room: number): number {
  return widths.reduce((sum, { cells }) => sum + cells + gap.length, -gap.length) - room
}

/** A label and its value; more than one value stand below each other. Values may be coloured; they are wrapped. */
export type Labelled = readonly [label: string, value: string | readonly string[]]

/** Label/value lines, values aligned at `at` cells or wherever the longest label wants them. */
export function labelled(pairs: readonly Labelled[], style: Style, options: { readonly at?: number } = {}): string[] {
  const longest = Math.max(0, ...pairs.map(([label]) => width(label)))
  const needed = indent.length + longest + 3
  const wished = Math.max(options.at ?? 0, needed)
  const start = style.columns - wished < readable ? needed : wished
  const blank = ' '.repeat(start)
  // A label column that leaves no room to read beside it gives the value lines of its own.
  const narrow = style.columns - start < readable
  return pairs.flatMap(([label, value]) => {
    const lines = [value].flat().flatMap((text) => wrap(text, style.columns - (narrow ? 4 : start)))
    if (narrow) return [indent + label, ...lines.map((line) => `    ${line}`)]
    return lines.map((line, n) => (n === 0 ? pad(indent + label, start) : blank) + line)
  })
}
