import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type Catalogue, folderOf } from '../model/catalogue.ts'
import { diskTrouble, errnoOf, makeFolder, readIfThere } from './disk.ts'
import { withLock } from './lock.ts'
import type { Paths } from './paths.ts'

/** A template in a file of its own. */
export interface TemplateText {
  readonly name: string
  readonly text: string
}

/** How a catalogue differs from the one of its name that was there before, in numbers of templates. */
export interface Difference {
  readonly fresh: number
  readonly changed: number
  readonly gone: number
}

type Place = Pick<Paths, 'catalogues'>

/**
 * Puts a catalogue in its place, whole: a reader meets the old one or the new one. Undefined where there was none of that
 * name. Throws MachineError `DISK_FULL`, `NOT_WRITABLE`, and then the old one is untouched.
 */
export function placeCatalogue(
  place: Place,
  catalogue: Catalogue,
  templates: readonly TemplateText[],
): Promise<Difference | undefined> {
  return locked(place, `${catalogue.name} was not added`, () => {
    const target = path.join(place.catalogues, folderOf(catalogue.name))
    const fresh = path.join(place.catalogues, `.new`)
    const old = path.join(place.catalogues, `.old`)
    for (const folder of [fresh, old]) rmSync(folder, { recursive: true, force: true })
    const folder = path.join(fresh, 'templates')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    for (const { name, text } of templates) writeFileSync(path.join(folder, `${name}.yaml`), text, { mode: 0o600 })
    writeFileSync(path.join(fresh, 'source.json'), `${JSON.stringify(catalogue, null, 2)}\n`, { mode: 0o600 })
    const difference = differenceTo(path.join(target, 'templates'), templates)
    if (existsSync(target)) renameSync(target, old)
    renameSync(fresh, target)
    rmSync(old, { recursive: true, force: true })
    return difference
  })
}

/** True when there was one. Throws MachineError `NOT_WRITABLE`. */
export function removeCatalogue(place: Place, name: string): Promise<boolean> {
  return locked(place, `${name} was not deleted`, () => {
    const old = path.join(place.catalogues, '.old')
    rmSync(old, { recursive: true, force: true })
    try {
      renameSync(path.join(place.catalogues, folderOf(name)), old)
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false
      throw error
    }
    rmSync(old, { recursive: true, force: true })
    return true
  })
}

function locked<T>({ catalogues }: Place, what: string, work: () => T): Promise<T> {
  return withLock(path.join(catalogues, '.lock'), { what: 'The folder of catalogues' }, () => {
    try {
      makeFolder(catalogues)
      return work()
    } catch (error) {
      throw diskTrouble(error, what, catalogues)
    }
  })
}

function differenceTo(folder: string, templates: readonly TemplateText[]): Difference | undefined {
  const names = namesIn(folder)
  if (names === undefined) return undefined
  const before = new Set(names)
  const known = templates.filter(({ name }) => before.has(`${name}.yaml`))
  const changed = known.filter(
    ({ name, text }) => readIfThere(path.join(folder, `${name}.yaml`))?.toString('utf8') !== text,
  )
  return { fresh: templates.length - known.length, changed: changed.length, gone: before.size - known.length }
}

function namesIn(folder: string): readonly string[] | undefined {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
