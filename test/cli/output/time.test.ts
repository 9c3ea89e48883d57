import { describe, expect, it } from 'vitest'
import { briefly, dayAndTime, duration, relative, timeOfDay } from '../../../src/cli/output/time.ts'
import { now } from './samples.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute

describe('relative', () => {
  it.each([
    [0, 'now'],
    [30 * minute, 'in 30 min'],
    [-2 * hour, '2 h ago'],
    [45 * second, 'in 45 s'],
    [-5 * second, '5 s ago'],
    [100 * second, 'in 2 min'],
    [47 * hour, 'in 47 h'],
    [-72 * hour, '3 days ago'],
  ])('tells %i ms as %s', (distance, words) => {
    expect(relative(now.getTime() + distance, now)).toBe(words)
  })

  it('leaves what is no date as it is', () => {
    expect(relative('soon', now)).toBe('soon')
  })
})

it.each([
  [312, '0.3 s'],
  [1900, '1.9 s'],
  [99_940, '99.9 s'],
  [130_000, '2 min 10 s'],
])('tells %i ms of a flow as %s', (milliseconds, words) => {
  expect(duration(milliseconds)).toBe(words)
})

it('names the day only where it is another', () => {
  const watch = { now, utc: true }
  expect(briefly('2026-11-23T01:02:03Z', watch)).toBe('01:02:03')
  expect(briefly('2026-11-22T01:02:03Z', watch)).toBe('Nov 22 01:02')
  expect(dayAndTime('2026-11-22T01:02:03Z', true)).toBe('2026-11-22 01:02:03')
})

it('tells the time where the person is', () => {
  const local = new Date(2026, 0, 2, 3, 4, 5)
  expect(timeOfDay(local.toISOString())).toBe('03:04:05')
  expect(dayAndTime(local.toISOString())).toBe('2026-01-02 03:04:05')
})
