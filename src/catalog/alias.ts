import { invalid, type PlaceOf } from './problem.ts'
import type { Entry } from './read.ts'

/** A template with what it inherits: `fields` merged shallowly, each still knowing the file it came from. */
export interface Resolved {
  readonly fields: Readonly<Record<string, unknown>>
  readonly placeOf: PlaceOf
  /** The entry's name, then those of the entries that its alias led to. */
  readonly names: readonly string[]
}

/** Finds the entry that an alias means, as seen from the entry that names it. */
export type FindAlias = (name: string, from: Entry) => Promise<Entry | undefined>

/**
 * Follows `alias` to its end, forward and through other aliases: `{ ...target, ...own }` without `alias`, shallow, so
 * that an own `proxy` or `connection_config` replaces the whole of the inherited one. Throws TemplateError
 * `TEMPLATE_INVALID` naming the chain of a cycle, or the target that does not exist.
 */
export async function resolveAlias(entry: Entry, find: FindAlias): Promise<Resolved> {
  return follow(entry, find, [])
}

async function follow(entry: Entry, find: FindAlias, passed: readonly Entry[]): Promise<Resolved> {
  const { value } = entry
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refusal(entry, [], 'it is not a mapping of fields', 'Indent its fields below the name.')
  const { alias, ...own } = value as Record<string, unknown>
  if (alias === undefined) return { fields: own, placeOf: entry.placeOf, names: [entry.name] }
  if (typeof alias !== 'string')
    throw refusal(entry, ['alias'], 'it must be the name of a template', 'Give it as text.')
  const chain = [...passed, entry]
  const target = await find(alias, entry)
  if (!target) throw refusal(entry, ['alias'], `there is no template called "${alias}"`, 'Correct the name.')
  if (chain.some((one) => one.name === target.name && one.file === target.file)) {
    const names = [...chain, target].map(({ name }) => name).join(' → ')
    throw refusal(entry, ['alias'], `it goes in a circle: ${names}`, 'Give one of them its own fields.')
  }
  const inherited = await follow(target, find, chain)
  return {
    fields: { ...inherited.fields, ...own },
    names: [...new Set([entry.name, ...inherited.names])],
    placeOf: (path, what) => {
      const [field] = path
      const isOwn = field === undefined || Object.hasOwn(own, field) || !Object.hasOwn(inherited.fields, field)
      return isOwn ? entry.placeOf(path, what) : inherited.placeOf(path, what)
    },
  }
}

function refusal(entry: Entry, path: readonly string[], message: string, fix: string): Error {
  return invalid(`The template "${entry.name}"`, [
    { ...entry.placeOf(path), field: [entry.name, ...path].join('.'), message, fix, severity: 'error' },
  ])
}
