import { sep } from 'node:path'
import type { Glance } from './glance.ts'
import { glance, namesIn, readBytes, stampOf } from './read.ts'

/** What the build saw in a file: its size in bytes, and the template's line in a list. */
interface Line extends Omit<Glance, 'name' | 'file'> {
  readonly name: string
  readonly size: number
}

/** By file name. */
type Index = Readonly<Record<string, Line>>

/** The index of a folder of templates as JSON, which the build lays beside the command. */
export function shippedIndex(folder: string): string {
  const lines = glance(folder).map(({ file, ...seen }) => {
    const fileName = file.slice(folder.length).replace(/^[\\/]/, '')
    return [fileName, { ...seen, size: stampOf(file)?.[1] ?? 0 }] as const
  })
  return JSON.stringify(Object.fromEntries(lines) satisfies Index)
}

/**
 * Every template of a folder at a glance, as the build saw it. Where a file has come, gone or another size since, or there
 * is no index, the folder is read.
 */
export function shippedGlance(folder: string, indexFile: string): readonly Glance[] {
  const index = indexIn(indexFile)
  const fileNames = namesIn(folder)
  if (fileNames.length !== Object.keys(index).length) return glance(folder)
  const glances: Glance[] = []
  for (const fileName of fileNames) {
    const line = Object.hasOwn(index, fileName) ? index[fileName] : undefined
    const file = folder + sep + fileName
    if (line === undefined || line.size !== stampOf(file)?.[1]) return glance(folder)
    const { name, title, mode, alias, categories } = line
    glances.push({ name, file, title, mode, alias, categories })
  }
  return glances
}

function indexIn(file: string): Index {
  try {
    return JSON.parse(readBytes(file)?.toString('utf8') ?? '{}') as Index
  } catch {
    return {}
  }
}
