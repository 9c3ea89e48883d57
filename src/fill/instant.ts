/** Milliseconds of the units that have a fixed length, by their first names; months and years follow the calendar. */
const lengths: Readonly<Record<string, number>> = {
  millisecond: 1,
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
}
const months: Readonly<Record<string, number>> = { month: 1, quarter: 3, year: 12 }
const short: Readonly<Record<string, string>> = {
  ms: 'millisecond',
  s: 'second',
  m: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  M: 'month',
  Q: 'quarter',
  y: 'year',
}

/**
 * The instant `amount` units later (earlier where negative), in UTC; the last day of a month stays within its month.
 * Undefined for a unit that nobody knows.
 */
export function shift(from: Date, amount: number, unit: string): Date | undefined {
  const name = Object.hasOwn(short, unit) ? short[unit] : unit.toLowerCase().replace(/s$/, '')
  if (name === undefined) return undefined
  if (Object.hasOwn(lengths, name)) return valid(new Date(from.getTime() + amount * (lengths[name] ?? 0)))
  if (!Object.hasOwn(months, name)) return undefined
  const moved = new Date(from)
  moved.setUTCDate(1)
  moved.setUTCMonth(moved.getUTCMonth() + amount * (months[name] ?? 0))
  const last = new Date(Date.UTC(moved.getUTCFullYear(), moved.getUTCMonth() + 1, 0)).getUTCDate()
  moved.setUTCDate(Math.min(from.getUTCDate(), last))
  return valid(moved)
}

function valid(date: Date): Date | undefined {
  return Number.isNaN(date.getTime()) ? undefined : date
}

const monthNames = 'January February March April May June July August September October November December'.split(' ')
const dayNames = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

const tokens: Readonly<Record<string, (date: Date) => string | number>> = {
  YYYY: (date) => padded(date.getUTCFullYear(), 4),
  YY: (date) => padded(date.getUTCFullYear() % 100, 2),
  MMMM: (date) => monthNames[date.getUTCMonth()] ?? '',
  MMM: (date) => (monthNames[date.getUTCMonth()] ?? '').slice(0, 3),
  MM: (date) => padded(date.getUTCMonth() + 1, 2),
  M: (date) => date.getUTCMonth() + 1,
  DD: (date) => padded(date.getUTCDate(), 2),
  D: (date) => date.getUTCDate(),
  dddd: (date) => dayNames[date.getUTCDay()] ?? '',
  ddd: (date) => (dayNames[date.getUTCDay()] ?? '').slice(0, 3),
  dd: (date) => (dayNames[date.getUTCDay()] ?? '').slice(0, 2),
  d: (date) => date.getUTCDay(),
  HH: (date) => padded(date.getUTCHours(), 2),
  H: (date) => date.getUTCHours(),
  hh: (date) => padded(date.getUTCHours() % 12 || 12, 2),
  h: (date) => date.getUTCHours() % 12 || 12,
  A: (date) => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
  a: (date) => (date.getUTCHours() < 12 ? 'am' : 'pm'),
  mm: (date) => padded(date.getUTCMinutes(), 2),
  m: (date) => date.getUTCMinutes(),
  ss: (date) => padded(date.getUTCSeconds(), 2),
  s: (date) => date.getUTCSeconds(),
  SSS: (date) => padded(date.getUTCMilliseconds(), 3),
  ZZ: () => '+0000',
  Z: () => '+00:00',
  X: (date) => Math.floor(date.getTime() / 1000),
  x: (date) => date.getTime(),
}

/** UTC in the tokens of dayjs: `YYYY-MM-DDTHH:mm:ss[Z]`; text in brackets and letters that are no token stay as they are. */
export function formatInstant(date: Date, format: string): string {
  return format.replace(
    /\[([^\]]*)\]|Y{4}|YY|M{1,4}|D{1,2}|d{1,4}|H{1,2}|h{1,2}|[Aa]|m{1,2}|s{1,2}|SSS|Z{1,2}|[Xx]/g,
    (token, literal: string | undefined) => literal ?? String(tokens[token]?.(date) ?? token),
  )
}

function padded(value: number, width: number): string {
  return String(value).padStart(width, '0')
}
