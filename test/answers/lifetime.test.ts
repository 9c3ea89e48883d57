import { describe, expect, it, test } from 'vitest'
import { durationIn, expiryAt, expiryIn } from '../../src/answers/lifetime.ts'

const now = new Date('2026-11-27T12:00:00Z')
const later = (seconds: number): string => new Date(now.getTime() + seconds * 1000).toISOString()
const told = (expiry: ReturnType<typeof expiryAt>): string | undefined =>
  expiry === undefined ? undefined : new Date(expiry.at).toISOString()

describe('an instant', () => {
  test.each<[unknown, string | undefined]>([
    [1_800_000_000, '2027-01-15T08:00:00.000Z'],
    ['1800000000', '2027-01-15T08:00:00.000Z'],
    [1_800_000_000_000, '2027-01-15T08:00:00.000Z'],
    ['1800000000000', '2027-01-15T08:00:00.000Z'],
    ['2027-01-15T08:00:00Z', '2027-01-15T08:00:00.000Z'],
    ['2027-01-15T09:00:00+01:00', '2027-01-15T08:00:00.000Z'],
    ['Fri, 15 Jan 2027 08:00:00 GMT', '2027-01-15T08:00:00.000Z'],
    ['177:05:38', later(177 * 86_400 + 5 * 3600 + 38 * 60)],
    ['0:03:59', later(3 * 3600 + 59 * 60)],
    ['01:30:00', later(5400)],
    ['2:01:30:00', later(2 * 86_400 + 5400)],
    ['24:00', later(86_400)],
    [3600, later(3600)],
    ['3600', later(3600)],
    ['1h', later(3600)],
    ['soon', undefined],
    ['', undefined],
    [null, undefined],
    [true, undefined],
    [-1, undefined],
    [{}, undefined],
  ])('%j is %s', (value, expected) => {
    expect(told(expiryAt(value, now))).toBe(expected)
  })

  it('that is none is told of', () => {
    expect(expiryAt('177:05:38', now)?.quirk).toBe('a duration instead of an instant')
    expect(expiryAt(3600, now)?.quirk).toBe('a number of seconds instead of an instant')
    expect(expiryAt('2027-01-15T08:00:00Z', now)?.quirk).toBeUndefined()
  })
})

describe('a lifetime', () => {
  test.each<[unknown, string | undefined]>([
    [3600, later(3600)],
    ['3600', later(3600)],
    [' 90 ', later(90)],
    [0, later(0)],
    [1.5, later(1.5)],
    ['1.2096E6', later(1_209_600)],
    ['1h', later(3600)],
    ['30 minutes', later(1800)],
    ['1h 30m', later(5400)],
    ['2 Days', later(172_800)],
    ['500ms', later(0.5)],
    ['PT1H', later(3600)],
    ['P1DT2H3M4S', later(86_400 + 7200 + 184)],
    ['01:00:00', later(3600)],
    ['2027-01-15T08:00:00Z', '2027-01-15T08:00:00.000Z'],
    [1_800_000_000, '2027-01-15T08:00:00.000Z'],
    [1_800_000_000_000, '2027-01-15T08:00:00.000Z'],
    [-5, undefined],
    ['a while', undefined],
    ['3 fortnights', undefined],
    ['P', undefined],
    ['PT', undefined],
    [Number.NaN, undefined],
    [[], undefined],
    [false, undefined],
  ])('%j ends at %s', (value, expected) => {
    expect(told(expiryIn(value, now))).toBe(expected)
  })
})

describe('a duration', () => {
  it('of two meanings is the shorter', () => {
    expect(durationIn('10:05:30')).toBe(10 * 3600 + 330)
    expect(durationIn('30:05:30')).toBe(30 * 86_400 + 5 * 3600 + 1800)
    expect(durationIn('5:30:10')).toBe(5 * 3600 + 1810)
  })
})
