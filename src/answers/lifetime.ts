/** The last instant of the year 9999, in milliseconds since the epoch: ISO 8601 has four digits for a year. */
const lastInstant = 253_402_300_799_999
/** Seconds; a hundred years. What is said to live longer has no expiry that anybody knows. */
export const longestLife = 3_155_760_000

/** Milliseconds since the epoch from `expires_at` as seconds, milliseconds, ISO 8601 or a numeric text. */
export function instantOf(value: unknown): number | undefined {
  if (typeof value === 'number') {
    const instant = value > 100_000_000_000 ? value : value * 1000
    return instant > 0 && instant <= lastInstant ? instant : undefined
  }
  if (typeof value !== 'string' || value.trim() === '') return undefined
  if (/^\d+(\.\d+)?$/.test(value.trim())) return instantOf(Number(value))
  const parsed = Date.parse(value)
  return Number.isNaN(parsed) ? undefined : parsed
}

/** An expiry, and in words how it was said where that is not the plain way. */
export interface Expiry {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly quirk?: string | undefined
}

/** What counts as an instant at all: seconds since the epoch, from 2001 on. */
const firstInstant = 1_000_000_000

/** An expiry from what should be an instant; a duration is one too, from now on. Undefined where it is not understood. */
export function expiryAt(value: unknown, now: Date): Expiry | undefined {
  const seconds = durationIn(value)
  const isNumeric = typeof value === 'number' || (typeof value === 'string' && /^\s*\d+(\.\d+)?\s*$/.test(value))
  if (isNumeric && Number(value) < firstInstant) return fromNow(Number(value), now, 'a number of seconds')
  if (!isNumeric && seconds !== undefined) return fromNow(seconds, now, 'a duration')
  const at = instantOf(value)
  return at === undefined ? undefined : { at }
}

/** An expiry from what should be a lifetime: seconds, or a duration; an instant is one too. */
export function expiryIn(value: unknown, now: Date): Expiry | undefined {
  const text = typeof value === 'string' ? value.trim() : undefined
  const number = typeof value === 'number' ? value : text !== undefined && text !== '' ? Number(text) : Number.NaN
  if (!Number.isNaN(number)) {
    if (number < firstInstant) return fromNow(number, now, undefined)
    const at = instantOf(number)
    return at === undefined ? undefined : { at, quirk: 'an instant instead of a lifetime' }
  }
  const seconds = durationIn(value)
  if (seconds !== undefined) return fromNow(seconds, now, undefined)
  const at = instantOf(value)
  return at === undefined ? undefined : { at, quirk: 'an instant instead of a lifetime' }
}

function fromNow(seconds: number, now: Date, instead: string | undefined): Expiry | undefined {
  if (!(seconds >= 0 && seconds <= longestLife)) return undefined
  const quirk = instead === undefined ? undefined : `${instead} instead of an instant`
  return { at: now.getTime() + seconds * 1000, quirk }
}

const unitLengths: Readonly<Record<string, number>> = {
  ms: 0.001,
  millisecond: 0.001,
  s: 1,
  sec: 1,
  second: 1,
  m: 60,
  min: 60,
  minute: 60,
  h: 3600,
  hr: 3600,
  hour: 3600,
  d: 86_400,
  day: 86_400,
  w: 604_800,
  week: 604_800,
}

/**
 * Seconds of a duration: `1h`, `30 minutes`, `1h 30m`, `PT1H` (ISO 8601), `D:HH:MM:SS`, `D:HH:MM`, `HH:MM:SS`, `HH:MM`.
 * Of three parts the first is hours where it has two digits and hours may be meant, else days (Tableau's `177:05:38`):
 * of two meanings the shorter, since a token that is renewed too early is still good.
 */
export function durationIn(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  return clock(text) ?? iso(text) ?? spoken(text)
}

function clock(text: string): number | undefined {
  if (!/^\d{1,5}(?::\d{1,2}){1,3}(?:\.\d+)?$/.test(text)) return undefined
  const parts = text.split(':').map(Number)
  const [first = 0, second = 0, third = 0, fourth = 0] = parts
  if (parts.length === 4) return first * 86_400 + second * 3600 + third * 60 + fourth
  if (parts.length === 2) return first * 3600 + second * 60
  const isHours = second > 23 || (/^\d\d:/.test(text) && first < 24)
  return isHours ? first * 3600 + second * 60 + third : first * 86_400 + second * 3600 + third * 60
}

function iso(text: string): number | undefined {
  const [all, weeks, days, hours, minutes, seconds] =
    /^P(?=.)(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i.exec(text) ?? []
  if (all === undefined) return undefined
  const [w, d, h, m, s] = [weeks, days, hours, minutes, seconds].map((part) => Number(part ?? 0))
  return (w ?? 0) * 604_800 + (d ?? 0) * 86_400 + (h ?? 0) * 3600 + (m ?? 0) * 60 + (s ?? 0)
}

function spoken(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?\s*[a-z]+[\s,]*)+$/i.test(text) || text.length > 60) return undefined
  let seconds = 0
  for (const [, amount, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/gi)) {
    const name = unit.length > 2 ? unit.toLowerCase().replace(/s$/, '') : unit.toLowerCase()
    const length = Object.hasOwn(unitLengths, name) ? unitLengths[name] : undefined
    if (length === undefined) return undefined
    seconds += Number(amount) * length
  }
  return seconds
}
