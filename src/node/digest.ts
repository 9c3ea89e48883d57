import { type Stats, statSync } from 'node:fs'
import path from 'node:path'
import { makeFolder, readIfThere, replaceWhole } from './disk.ts'

/** Inode, bytes, when its content and when its inode last changed: rewriting a file changes one of them. Then the summary. */
type Entry<S> = readonly [inode: number, size: number, modified: number, changed: number, summary: S]

interface Kept<S> {
  readonly version: 1
  readonly of: string
  readonly entries: Readonly<Record<string, Entry<S>>>
}

/**
 * What is told of each file of a folder, kept in a file of its own so that a thousand records need not be read to be
 * listed. A file that changed by whatever hand is read again; a digest that is lost or broken is made anew; one that
 * cannot be written is done without. `read` returns undefined for a file that has nothing to tell.
 */
export function digestOf<S>(
  folder: string,
  files: readonly string[],
  keptIn: string,
  read: (file: string) => S | undefined,
): readonly S[] {
  const kept = keptEntries<S>(keptIn, folder)
  const told: S[] = []
  const fresh: Record<string, Entry<S>> = {}
  for (const name of files) {
    const file = `${folder}${path.sep}${name}`
    const stats = statSync(file, { throwIfNoEntry: false })
    if (stats === undefined) continue
    const known = kept[name]
    if (known !== undefined && isUnchanged(known, stats)) {
      told.push(known[4])
      continue
    }
    const summary = read(file)
    if (summary === undefined) continue
    told.push(summary)
    fresh[name] = [stats.ino, stats.size, stats.mtimeMs, stats.ctimeMs, summary]
  }
  if (Object.keys(fresh).length > 0) {
    const present = new Set(files)
    const entries = Object.entries({ ...kept, ...fresh }).filter(([name]) => present.has(name))
    keep(keptIn, { version: 1, of: folder, entries: Object.fromEntries(entries) })
  }
  return told
}

function keptEntries<S>(file: string, folder: string): Kept<S>['entries'] {
  try {
    const kept = JSON.parse(readIfThere(file)?.toString('utf8') ?? 'null') as Kept<S> | null
    return kept?.version === 1 && kept.of === folder && typeof kept.entries === 'object' ? (kept.entries ?? {}) : {}
  } catch {
    return {}
  }
}

function keep<S>(file: string, digest: Kept<S>): void {
  try {
    makeFolder(path.dirname(file))
    replaceWhole(file, JSON.stringify(digest))
  } catch {
    // Only time is lost: the next list reads the records again.
  }
}

function isUnchanged(entry: Entry<unknown>, { ino, size, mtimeMs, ctimeMs }: Stats): boolean {
  return entry[0] === ino && entry[1] === size && entry[2] === mtimeMs && entry[3] === ctimeMs
}
