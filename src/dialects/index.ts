import type { Dialect } from '../model/dialect.ts'
import { slack } from './slack.ts'

/** One line per provider that words in a template cannot express. */
const dialects: Readonly<Record<string, Dialect>> = {
  slack,
}

/** The accent of a provider; `template` names what an alias stands for, whose accent it shares. */
export function dialectOf(provider: string): Dialect {
  return Object.hasOwn(dialects, provider) ? (dialects[provider] ?? {}) : {}
}
