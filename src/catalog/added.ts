import { join, sep } from 'node:path'
import type { AddedCatalogue, Catalogue } from '../model/catalogue.ts'
import { keep, namesIn, readBytes, type Stamp, stampOf } from './files.ts'
import { type Glance, glancesIn } from './glance.ts'
import { isTemplateName } from './names.ts'

/** The catalogues that the person added, the first one first. `folder` holds a folder for each; one that is broken is left out. */
export function addedCatalogues(folder: string | undefined): readonly AddedCatalogue[] {
  if (folder === undefined) return []
  return namesIn(folder)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) => {
      const path = join(folder, name)
      const catalogue = described(join(path, 'source.json'))
      return catalogue === undefined
        ? []
        : [{ ...catalogue, path: join(path, 'templates'), index: join(path, 'index.json') }]
    })
    .sort((a, b) => (a.addedAt < b.addedAt ? -1 : a.addedAt > b.addedAt ? 1 : a.name < b.name ? -1 : 1))
}

function described(file: string): Catalogue | undefined {
  const value = jsonIn(file) as Partial<Catalogue> | undefined
  const isWhole = [value?.name, value?.origin, value?.addedAt].every((member) => typeof member === 'string')
  return isWhole ? ({ kind: 'folder', count: 0, ...value } as Catalogue) : undefined
}

/** Of every template in an added catalogue, whatever its origin called it. */
const extension = '.yaml'

/** What was seen in a file, and what the file system said of it then. */
interface Line {
  readonly stamp: Stamp
  readonly title?: string | undefined
  readonly mode?: string | undefined
  readonly alias?: string | undefined
  readonly categories?: readonly string[] | undefined
}

interface Index {
  readonly version: typeof version
  /** By file name. */
  readonly lines: Readonly<Record<string, Line>>
}

const version = 2

/**
 * Every template of a folder at a glance, from the index beside it: a file that changed by whatever hand is read again,
 * an index that is stale, lost or broken is made anew, and one that cannot be written is done without.
 */
export function indexedGlance(folder: string, indexFile: string): readonly Glance[] {
  const kept = keptLines(indexFile)
  const seen: (readonly [fileName: string, line: Line])[] = []
  const glances: Glance[] = []
  let known = 0
  for (const fileName of namesIn(folder)) {
    const before = Object.hasOwn(kept, fileName) ? kept[fileName] : undefined
    const name = fileName.slice(0, -extension.length)
    if (before === undefined && !(fileName.endsWith(extension) && isTemplateName(name))) continue
    const file = folder + sep + fileName
    const stamp = stampOf(file)
    if (stamp === undefined) continue
    const isKnown = before !== undefined && isLine(before) && isSame(before.stamp, stamp)
    if (isKnown) known += 1
    const line = isKnown ? before : lineFor(name, file, stamp)
    seen.push([fileName, line])
    glances.push({ name, file, title: line.title, mode: line.mode, alias: line.alias, categories: line.categories })
  }
  if (known < glances.length || known < Object.keys(kept).length)
    keep(indexFile, JSON.stringify({ version, lines: Object.fromEntries(seen) } satisfies Index))
  return glances
}

function keptLines(file: string): Readonly<Record<string, Line | undefined>> {
  const { version: written, lines } = (jsonIn(file) ?? {}) as Partial<Index>
  return written === version && typeof lines === 'object' && lines !== null ? lines : {}
}

function isLine(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { stamp, title = '', mode = '', alias = '', categories = [] } = value as Partial<Line>
  const areTexts = typeof title === 'string' && typeof mode === 'string' && typeof alias === 'string'
  return areTexts && Array.isArray(stamp) && Array.isArray(categories) && categories.every(isText)
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function isSame(a: Stamp, b: Stamp): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3]
}

function lineFor(name: string, file: string, stamp: Stamp): Line {
  try {
    const seen = glancesIn(readBytes(file)?.toString('utf8') ?? '', '').find((one) => one.name === name)
    const { title, mode, alias, categories } = seen ?? {}
    return { stamp, title, mode, alias, categories }
  } catch {
    // It is listed with its name alone; what is wrong with it is said when it is asked for.
    return { stamp }
  }
}

function jsonIn(file: string): unknown {
  try {
    const value: unknown = JSON.parse(readBytes(file)?.toString('utf8') ?? 'null')
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
