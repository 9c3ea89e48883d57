import type { Dialect } from '../model/dialect.ts'
import { slack } from './slack.ts'

/** One line per provider that words in a template cannot express. */
const dialects: Readonly<Record<string, Dialect>> = {
  slack,
}

/** The accent of a provider: that of the first of its names which has one, since an alias shares what it stands for. */
export function dialectOf(names: string | readonly string[]): Dialect {
  const known = [names].flat().find((name) => Object.hasOwn(dialects, name))
  return known === undefined ? {} : (dialects[known] ?? {})
}

/** Whether a provider of these names is spoken to in plain OAuth and the words of its template. */
export function isPlain(names: readonly string[]): boolean {
  return !names.some((name) => Object.hasOwn(dialects, name))
}
