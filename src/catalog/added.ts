import { join } from 'node:path'
import type { AddedCatalogue, Catalogue } from '../model/catalogue.ts'
import { type Glance, glancesIn } from './glance.ts'
import { isTemplateName, isYaml, keep, namesIn, readBytes, stampOf, stem } from './read.ts'

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

/** What the file system said of a file when it was read, then what was seen in it. */
type Line = readonly [stamp: string, glance: Omit<Glance, 'file'> | null]

interface Index {
  readonly version: 1
  readonly lines: Readonly<Record<string, Line>>
}

/**
 * Every template of a folder at a glance, from the index beside it: a file that changed by whatever hand is read again,
 * an index that is stale, lost or broken is made anew, and one that cannot be written is done without.
 */
export function indexedGlance(folder: string, indexFile: string): readonly Glance[] {
  const kept = keptLines(indexFile)
  const names = namesIn(folder).filter((name) => isYaml(name) && isTemplateName(stem(name)))
  const lines: Record<string, Line> = {}
  const glances: Glance[] = []
  let isStale = names.length !== Object.keys(kept).length
  for (const name of names) {
    const file = join(folder, name)
    const stamp = stampOf(file)
    if (stamp === undefined) continue
    const known = Object.hasOwn(kept, name) ? kept[name] : undefined
    const isKnown = known?.[0] === stamp
    const line: Line = isKnown ? known : [stamp, glanceAt(stem(name), file)]
    isStale ||= !isKnown
    lines[name] = line
    glances.push({ ...line[1], name: stem(name), file })
  }
  if (isStale) keep(indexFile, JSON.stringify({ version: 1, lines } satisfies Index))
  return glances
}

function keptLines(file: string): Index['lines'] {
  const index = jsonIn(file) as Partial<Index> | undefined
  const { version, lines } = index ?? {}
  if (version !== 1 || typeof lines !== 'object' || lines === null) return {}
  const isSound = Object.values(lines).every(
    (line) => Array.isArray(line) && typeof line[0] === 'string' && typeof line[1] === 'object' && isGlance(line[1]),
  )
  return isSound ? lines : {}
}

function isGlance(value: Line[1]): boolean {
  if (value === null) return true
  const { name, title, mode, alias, categories = [] } = value
  const isText = (one: unknown): boolean => one === undefined || typeof one === 'string'
  return (
    typeof name === 'string' &&
    [title, mode, alias].every(isText) &&
    Array.isArray(categories) &&
    categories.every(isText)
  )
}

function glanceAt(name: string, file: string): Line[1] {
  try {
    const seen = glancesIn(readBytes(file)?.toString('utf8') ?? '', '').find((one) => one.name === name)
    if (seen === undefined) return null
    const { file: _, ...glance } = seen
    return glance
  } catch {
    // It is listed with its name alone; what is wrong with it is said when it is asked for.
    return null
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
