import type { Remark } from '../model/dialect.ts'

type Members = Record<string, unknown>

/** Seconds; a hundred years. What is said to live longer has no expiry that anybody knows. */
const longestLife = 3_155_760_000
/** The last instant of the year 9999, in milliseconds since the epoch: ISO 8601 has four digits for a year. */
const lastInstant = 253_402_300_799_999

/** What others call `expires_in`, and what they call `expires_at`. */
const lifetimes = ['expiresIn', 'expires-in', 'expires_in_seconds']
const instants = ['expiresAt', 'expires_on', 'expiresOn', 'expires', '.expires', 'expiration', 'expirationTime']

export const lifetimeNames: readonly string[] = ['expires_in', 'expires_at', ...lifetimes, ...instants]

/** `expires_in` in seconds, from `expires_in` or `expires_at` in any of their spellings; dropped when not understood. */
export function standardLifetime(tokens: Members, unit: 'milliseconds' | undefined, remark: Remark): void {
  takeName(tokens, 'expires_in', lifetimes, remark)
  takeName(tokens, 'expires_at', instants, remark)
  const given = tokens['expires_in']
  if (given !== undefined) {
    const seconds = secondsOf(given, unit)
    if (seconds === undefined) {
      remark(`"expires_in" is not a number of seconds`)
      delete tokens['expires_in']
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

function takeName(tokens: Members, standard: string, names: readonly string[], remark: Remark): void {
  if (tokens['expires_in'] !== undefined || tokens['expires_at'] !== undefined) return
  const name = names.find((one) => tokens[one] !== undefined && tokens[one] !== null && tokens[one] !== '')
  if (name === undefined) return
  // A small number under a name that does not say which is how long, not when.
  const isShort = standard === 'expires_at' && Number(tokens[name]) < 1_000_000_000
  remark(`the lifetime stands under "${name}"`)
  tokens[isShort ? 'expires_in' : standard] = tokens[name]
}

function secondsOf(given: unknown, unit: 'milliseconds' | undefined): number | undefined {
  const number = typeof given === 'string' && given.trim() !== '' ? Number(given) : given
  if (typeof number !== 'number') return undefined
  if (Number.isNaN(number)) return clockSeconds(given)
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
