import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { load } from 'js-yaml'

/** The catalogue of the package, as it is installed for tests: nothing of it is copied. */
export const catalogueFile = createRequire(import.meta.url).resolve('@nangohq/providers/providers.yaml')

export type Fields = Readonly<Record<string, unknown>>

/** Every entry with its aliases merged, by a parser's whole reading and a merge of the test's own. */
export function readCatalogue(): ReadonlyMap<string, Fields> {
  const raw = load(readFileSync(catalogueFile, 'utf8')) as Record<string, Record<string, unknown>>
  const merged = (name: string): Fields => {
    const { alias, ...own } = raw[name] ?? {}
    return typeof alias === 'string' ? { ...merged(alias), ...own } : own
  }
  return new Map(Object.keys(raw).map((name) => [name, merged(name)]))
}
