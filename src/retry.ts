import { instantOf } from './answers/lifetime.ts'
import { isMembers, at as memberAt } from './answers/member.ts'
import type { Header } from './model/event.ts'
import type { Template } from './model/provider.ts'
import { headerOf } from './wire/record.ts'

/** When a call to the API is worth sending again: a template's `proxy.retry`. */
export interface RetryRule {
  /** Headers that say when: an instant, in seconds or milliseconds since 1970, ISO 8601 or as HTTP writes it. */
  readonly at: readonly string[]
  /** Headers that say after how long: seconds, or with units (`1m30s`, `20ms`). */
  readonly after: readonly string[]
  /** Header that says how many calls are left; 0 makes a refusal one that passes. */
  readonly remaining?: string | undefined
  /** Statuses on top of 429 and 5xx: `403`, `5xx`, `500-504`. */
  readonly codes: readonly string[]
  /** A text in the answer whose first group says when, or after how long. */
  readonly inBody?: { readonly path: string; readonly pattern: RegExp; readonly strategy: 'at' | 'after' } | undefined
}

/** An answer that may have been only for now. */
export interface Passing {
  /** Milliseconds that the API asks to wait; absent where it does not say. */
  readonly wait?: number | undefined
  /** True where the API said that it did nothing: then any method may be sent again. */
  readonly isUntouched: boolean
  readonly why: string
}

/** What is judged: an answer of 400 or more, and as much of its text as a rule may look into. */
export interface Refused {
  readonly status: number
  readonly headers: readonly Header[]
  readonly text: string
}

/** The template's rule; undefined where it has none. What it says in another shape is left out. */
export function retryRuleOf({ proxy }: Template): RetryRule | undefined {
  const written = proxy?.['retry']
  if (!isMembers(written)) return undefined
  const { remaining } = written
  return {
    at: textsIn(written['at']),
    after: textsIn(written['after']),
    codes: textsIn(written['error_code']),
    ...(typeof remaining === 'string' && remaining !== '' ? { remaining } : {}),
    ...inBodyOf(written['in_body']),
  }
}

/** Where no rule is known: the API's own word, a 429 or 503 with Retry-After (RFC 9110 §10.2.3), and nothing else. */
export const noRule: RetryRule = { at: [], after: [], codes: [] }

/**
 * Whether an answer is worth another try, by the rule. A 401 never is: it is the credential's matter. Undefined where the
 * answer stands.
 */
export function passingOf(rule: RetryRule | undefined, answer: Refused, now: Date): Passing | undefined {
  const { status } = answer
  if (status < 400 || status === 401) return undefined
  const wait = waitOf(rule ?? noRule, answer, now)
  const why = `it answered ${status}`
  if (rule === undefined) {
    return (status === 429 || status === 503) && wait !== undefined ? { wait, isUntouched: true, why } : undefined
  }
  const left = rule.remaining === undefined ? '' : headerOf(answer.headers, rule.remaining.toLowerCase()).trim()
  const isSpent = left !== '' && Number(left) <= 0
  const isBusy = status === 429 || status === 503
  const isNamed = rule.codes.some((code) => covers(code, status))
  // A status that has other meanings too is a limit only where the count of calls left does not deny it.
  const isDenied = left !== '' && !isSpent && headerOf(answer.headers, 'retry-after') === ''
  const isWorth = isBusy || status >= 500 || isSpent || bodyWait(rule, answer, now) !== undefined
  if (!isWorth && (!isNamed || isDenied)) return undefined
  return { wait, isUntouched: (isBusy && wait !== undefined) || isSpent, why }
}

/** Milliseconds to wait where the API does not say: 0.5 s, doubled each time, and up to a quarter more by chance. */
export function backoff(attempt: number, chance: number): number {
  return Math.round(500 * 2 ** attempt * (1 + chance / 4))
}

/** RFC 9110 §9.2.2: sent twice it does what it does once. */
export function isIdempotent(method: string): boolean {
  return ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'].includes(method.toUpperCase())
}

/** The longest wait that any of them asks for. */
function waitOf(rule: RetryRule, answer: Refused, now: Date): number | undefined {
  const header = (name: string): string => headerOf(answer.headers, name.toLowerCase()).trim()
  const waits = [
    spanOf(header('retry-after'), now),
    ...rule.after.map((name) => spanOf(header(name), now)),
    ...rule.at.map((name) => untilOf(header(name), now)),
    bodyWait(rule, answer, now),
  ].filter((wait) => wait !== undefined)
  return waits.length === 0 ? undefined : Math.max(...waits)
}

function bodyWait({ inBody }: RetryRule, { text }: Refused, now: Date): number | undefined {
  if (inBody === undefined || text === '') return undefined
  const said = memberAt(parsed(text), inBody.path)
  const found = typeof said === 'string' ? inBody.pattern.exec(said)?.[1] : undefined
  if (found === undefined) return undefined
  return inBody.strategy === 'at' ? untilOf(found.trim(), now) : spanOf(found.trim(), now)
}

/** Below this a number is seconds from now, above it an instant: no API asks to wait for thirty years. */
const leastInstant = 1_000_000_000

/** Milliseconds from a length of time; a large number, or a date, is an instant. */
function spanOf(value: string, now: Date): number | undefined {
  if (value === '') return undefined
  if (/^\d+(\.\d+)?$/.test(value)) {
    const seconds = Number(value)
    return seconds >= leastInstant ? untilOf(value, now) : seconds * 1000
  }
  const parts = [...value.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)]
  if (parts.length > 0 && parts.map(([part]) => part).join('') === value) {
    const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
    return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ''] ?? 0), 0)
  }
  return untilOf(value, now)
}

/** Milliseconds until an instant; undefined once it has passed, since it then says nothing of now. */
function untilOf(value: string, now: Date): number | undefined {
  if (/^\d+(\.\d+)?$/.test(value) && Number(value) < leastInstant) return Number(value) * 1000
  const instant = instantOf(value)
  return instant === undefined || instant < now.getTime() ? undefined : instant - now.getTime()
}

function covers(code: string, status: number): boolean {
  const text = String(status)
  if (/^\dxx$/i.test(code)) return text.startsWith(code.charAt(0))
  const [, from, to] = /^(\d{3})\s*-\s*(\d{3})$/.exec(code) ?? []
  return from === undefined || to === undefined ? code === text : status >= Number(from) && status <= Number(to)
}

function inBodyOf(written: unknown): Pick<RetryRule, 'inBody'> {
  if (!isMembers(written)) return {}
  const { path, value, strategy } = written
  if (typeof path !== 'string' || typeof value !== 'string') return {}
  const [, bare = value] = /^\/(.*)\/[a-z]*$/s.exec(value) ?? []
  try {
    return { inBody: { path, pattern: new RegExp(bare), strategy: strategy === 'after' ? 'after' : 'at' } }
  } catch {
    return {}
  }
}

function textsIn(written: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(written) ? written : [written]
  return list.flatMap((one) => (typeof one === 'string' || typeof one === 'number' ? [String(one)] : []))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
