/** What is needed to speak of time. */
export interface Watch {
  readonly now: Date
  /** Dates and times of day in UTC instead of where the person is. */
  readonly utc?: boolean | undefined
}

/** `in 30 min`, `2 h ago`, `now`; the text itself where it is no date. `at`: ISO 8601 or milliseconds. */
export function relative(at: string | number, now: Date): string {
  const then = new Date(at).getTime()
  if (Number.isNaN(then)) return String(at)
  const seconds = Math.round((then - now.getTime()) / 1000)
  if (seconds === 0) return 'now'
  const span = rounded(Math.abs(seconds))
  return seconds > 0 ? `in ${span}` : `${span} ago`
}

function rounded(seconds: number): string {
  if (seconds < 100) return `${seconds} s`
  if (seconds < 100 * 60) return `${Math.round(seconds / 60)} min`
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} days`
}

/** Milliseconds of a flow, for people: `0.3 s`, `1.9 s`, `2 min 10 s`. */
export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000
  if (seconds < 100) return `${seconds.toFixed(1)} s`
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`
}

/** `12:04:31` */
export function timeOfDay(iso: string, utc = false): string {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return '--:--:--'
  const parts = utc
    ? [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()]
    : [date.getHours(), date.getMinutes(), date.getSeconds()]
  return parts.map(twoDigits).join(':')
}

/** `2026-11-23` */
export function day(at: string | Date, utc = false): string {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return '----------'
  const [year, month, dayOfMonth] = utc
    ? [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
    : [date.getFullYear(), date.getMonth(), date.getDate()]
  return `${year}-${twoDigits((month ?? 0) + 1)}-${twoDigits(dayOfMonth ?? 0)}`
}

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** `12:04:31` today, `Nov 22 12:04` on another day. */
export function briefly(iso: string, { now, utc = false }: Watch): string {
  const date = day(iso, utc)
  if (date === day(now, utc)) return timeOfDay(iso, utc)
  return `${months[Number(date.slice(5, 7)) - 1] ?? '---'} ${date.slice(8)} ${timeOfDay(iso, utc).slice(0, 5)}`
}

/** `2026-11-23 12:04:31` */
export function dayAndTime(iso: string, utc = false): string {
  return `${day(iso, utc)} ${timeOfDay(iso, utc)}`
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
