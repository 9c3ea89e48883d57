const months = 'January February March April May June July August September October November December'.split(' ')
const days = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

const pad = (value: number, width: number): string => String(value).padStart(width, '0')

const tokens: Readonly<Record<string, (time: Date) => string>> = {
  YYYY: (t) => pad(t.getUTCFullYear(), 4),
  YY: (t) => pad(t.getUTCFullYear() % 100, 2),
  MMMM: (t) => months[t.getUTCMonth()] ?? '',
  MMM: (t) => (months[t.getUTCMonth()] ?? '').slice(0, 3),
  MM: (t) => pad(t.getUTCMonth() + 1, 2),
  M: (t) => String(t.getUTCMonth() + 1),
  DD: (t) => pad(t.getUTCDate(), 2),
  D: (t) => String(t.getUTCDate()),
  dddd: (t) => days[t.getUTCDay()] ?? '',
  ddd: (t) => (days[t.getUTCDay()] ?? '').slice(0, 3),
  dd: (t) => (days[t.getUTCDay()] ?? '').slice(0, 2),
  d: (t) => String(t.getUTCDay()),
  HH: (t) => pad(t.getUTCHours(), 2),
  H: (t) => String(t.getUTCHours()),
  hh: (t) => pad(t.getUTCHours() % 12 || 12, 2),
  h: (t) => String(t.getUTCHours() % 12 || 12),
  mm: (t) => pad(t.getUTCMinutes(), 2),
  m: (t) => String(t.getUTCMinutes()),
  ss: (t) => pad(t.getUTCSeconds(), 2),
  s: (t) => String(t.getUTCSeconds()),
  SSS: (t) => pad(t.getUTCMilliseconds(), 3),
  A: (t) => (t.getUTCHours() < 12 ? 'AM' : 'PM'),
  a: (t) => (t.getUTCHours() < 12 ? 'am' : 'pm'),
  ZZ: () => '+0000',
  Z: () => '+00:00',
  X: (t) => String(Math.floor(t.getTime() / 1000)),
  x: (t) => String(t.getTime()),
}

const written = /\[([^\]]*)\]|YYYY|YY|M{1,4}|DD?|d{1,4}|HH?|hh?|mm?|ss?|SSS|A|a|ZZ?|X|x/g

/** The time in UTC as a dayjs format writes it; what stands in `[…]` is literal. */
export function formatMoment(time: number, format: string): string {
  return format.replace(written, (token, literal: string | undefined) =>
    literal === undefined ? (tokens[token]?.(new Date(time)) ?? token) : literal,
  )
}

const milliseconds: Readonly<Record<string, number>> = {
  millisecond: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
}

const shortUnits: Readonly<Record<string, string>> = {
  ms: 'millisecond',
  s: 'second',
  m: 'minute',
  h: 'hour',
  d: 'day',
  D: 'day',
  w: 'week',
  M: 'month',
  Q: 'quarter',
  y: 'year',
}

const calendarMonths: Readonly<Record<string, number>> = { month: 1, quarter: 3, year: 12 }

/** The time moved by so many of a unit, spelled as dayjs spells it; undefined where there is no such unit. */
export function movedMoment(time: number, amount: number, unit: string): number | undefined {
  const name = shortUnits[unit] ?? unit.toLowerCase().replace(/s$/, '')
  const length = milliseconds[name]
  if (length !== undefined) return time + amount * length
  const months = calendarMonths[name]
  if (months === undefined) return undefined
  const moved = new Date(time)
  const day = moved.getUTCDate()
  moved.setUTCDate(1)
  moved.setUTCMonth(moved.getUTCMonth() + amount * months)
  const last = new Date(Date.UTC(moved.getUTCFullYear(), moved.getUTCMonth() + 1, 0)).getUTCDate()
  moved.setUTCDate(Math.min(day, last))
  return moved.getTime()
}
