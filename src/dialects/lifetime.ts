import { durationIn, instantOf, longestLife } from '../answers/lifetime.ts'
import type { Remark } from '../model/dialect.ts'

type Members = Record<string, unknown>

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
  const duration = durationIn(tokens['expires_at'])
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

function secondsOf(given: unknown, unit: 'milliseconds' | undefined): number | undefined {
  const number = typeof given === 'string' && given.trim() !== '' ? Number(given) : given
  if (typeof number !== 'number') return undefined
  if (Number.isNaN(number)) return durationIn(given)
  const seconds = unit === 'milliseconds' ? number / 1000 : number
  return seconds >= 0 && seconds <= longestLife ? seconds : undefined
}
