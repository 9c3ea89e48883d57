import type { Remark } from '../model/dialect.ts'

type Members = Record<string, unknown>

/** Seconds; a hundred years. What is said to live longer has no expiry that anybody knows. */
const longestLife = 3_155_760_000
/** The last instant of the year 9999, in milliseconds since the epoch: ISO 8601 has four digits for a year. */
const lastInstant = 253_402_300_799_999

/** Under these names a lifetime may stand beside a token. */
export const lifetimeNames: readonly string[] = [
  'expires_in',
  'expires_at',
  'expiresIn',
  'expiresAt',
  'expires_on',
  'expiresOn',
  'expires',
  'expiration',
]

/** `expires_in` in seconds, from `expires_in` or `expires_at` in any of their spellings; dropped when not understood. */
export function standardLifetime(tokens: Members, unit: 'milliseconds' | undefined, remark: Remark): void {
  const given = tokens['expires_in']
  if (given !== undefined) {
    const seconds = secondsOf(given, unit)
    if (seconds === undefined) {
      remark(`"expires_in" is not a number of seconds`)
      delete tokens['expires_in']
      if (isDate(given)) tokens['expires_at'] ??= given
    } else {
      if (unit === 'milliseconds') remark('"expires_in" counts milliseconds')
      else if (typeof given === 'string') remark('"expires_in" is a text')
      tokens['expires_in'] = seconds
    }
  }
  if (tokens['expires_in'] !== undefined || tokens['expires_at'] === undefined) return
  const duration = clockSeconds(tokens['expires_at'])
  if (duration !== undefined) {
    remark('"expires_at" tells how long, as days, hours and minutes')
    tokens['expires_in'] = duration
    delete tokens['expires_at']
    return
  }
  const instant = instantOf(tokens['expires_at'])
  remark('"expires_at" instead of "expires_in"')
  if (instant === undefined) delete tokens['expires_at']
  else tokens['expires_at'] = new Date(instant).toISOString()
}

function isDate(value: unknown): boolean {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\d/.test(value.trim())
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** `3600 seconds`, `60 min`, `1h`, `7 days`. */
function wordedSeconds(value: unknown): number | undefined {
  const [, amount, unit = ''] =
    /^\s*(\d+(?:\.\d+)?)\s*(s|m|h|d)(?:ec(?:ond)?s?|in(?:ute)?s?|(?:ou)?rs?|ays?)?\s*$/i.exec(String(value)) ?? []
  return amount === undefined ? undefined : Number(amount) * (unitSeconds[unit.toLowerCase()] ?? 1)
}

function secondsOf(given: unknown, unit: 'milliseconds' | undefined): number | undefined {
  const number = typeof given === 'string' && given.trim() !== '' ? Number(given) : given
  if (typeof number !== 'number') return undefined
  if (Number.isNaN(number)) return clockSeconds(given) ?? wordedSeconds(given)
  const seconds = unit === 'milliseconds' ? number / 1000 : number
  return seconds >= 0 && seconds <= longestLife ? seconds : undefined
}

/** `D:HH:MM` in seconds. */
function clockSeconds(value: unknown): number | undefined {
  const [, days, hours, minutes] =
    /^\s*(\d{1,5}):(\d{1,2}):(\d{2})\s*$/.exec(typeof value === 'string' ? value : '') ?? []
  return days === undefined ? undefined : ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60
}

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
