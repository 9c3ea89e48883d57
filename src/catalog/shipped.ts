import { sep } from 'node:path'
import { namesIn, readBytes } from './files.ts'
import { type Glance, glance } from './glance.ts'

/** What the build saw in a file: the template's line in a list. */
type Line = Omit<Glance, 'file'>

/** By file name. */
type Index = Readonly<Record<string, Line>>

/** The index of a folder of templates as JSON, which the build lays beside the command. */
export function shippedIndex(folder: string): string {
  const lines = glance(folder).map(({ file, ...seen }) => {
    const fileName = file.slice(folder.length).replace(/^[\\/]/, '')
    return [fileName, seen] as const
  })
  return JSON.stringify(Object.fromEntries(lines) satisfies Index)
}

/**
 * Every template of a folder at a glance, as the build saw it. Where a file has come or gone since, or there is no index,
 * the folder is read; an edited one is listed anew by the next build, and is itself in everything but the list.
 */
export function shippedGlance(folder: string, indexFile: string): readonly Glance[] {
  const index = indexIn(indexFile)
  const fileNames = namesIn(folder)
  if (fileNames.length !== Object.keys(index).length) return glance(folder)
  const glances: Glance[] = []
  for (const fileName of fileNames) {
    const line = Object.hasOwn(index, fileName) ? index[fileName] : undefined
    if (line === undefined) return glance(folder)
    const { name, title, mode, alias, categories } = line
    glances.push({ name, file: folder + sep + fileName, title, mode, alias, categories })
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
