import { describe, expect, it, test } from 'vitest'
import { formatInstant, shift } from '../../src/fill/instant.ts'

describe('the time in a template', () => {
  const morning = new Date('2026-01-04T03:07:09.045Z')
  const evening = new Date('2024-02-29T20:30:00.000Z')

  test.each([
    ['YYYY-MM-DDTHH:mm:ss', '2026-01-04T03:07:09', '2024-02-29T20:30:00'],
    ['YYYYMMDDTHHmmss[Z]', '20260104T030709Z', '20240229T203000Z'],
    ['ddd, DD MMM YYYY HH:mm:ss ZZ', 'Sun, 04 Jan 2026 03:07:09 +0000', 'Thu, 29 Feb 2024 20:30:00 +0000'],
    ['dddd D MMMM YY', 'Sunday 4 January 26', 'Thursday 29 February 24'],
    ['h:mm a', '3:07 am', '8:30 pm'],
    ['hh A', '03 AM', '08 PM'],
    ['H m s SSS', '3 7 9 045', '20 30 0 000'],
    ['d dd M Z', '0 Su 1 +00:00', '4 Th 2 +00:00'],
    ['X', '1767496029', '1709238600'],
    ['x', '1767496029045', '1709238600000'],
    ['[at] YYYY [YYYY]', 'at 2026 YYYY', 'at 2024 YYYY'],
  ])('is told as %s', (format, first, second) => {
    expect([formatInstant(morning, format), formatInstant(evening, format)]).toEqual([first, second])
  })

  test.each([
    [7, 'days', '2024-03-07T20:30:00.000Z'],
    [-1, 'hours', '2024-02-29T19:30:00.000Z'],
    [1, 'minutes', '2024-02-29T20:31:00.000Z'],
    [90, 's', '2024-02-29T20:31:30.000Z'],
    [500, 'ms', '2024-02-29T20:30:00.500Z'],
    [2, 'week', '2024-03-14T20:30:00.000Z'],
    [1, 'year', '2025-02-28T20:30:00.000Z'],
    [12, 'months', '2025-02-28T20:30:00.000Z'],
    [-1, 'M', '2024-01-29T20:30:00.000Z'],
    [1, 'm', '2024-02-29T20:31:00.000Z'],
    [1, 'quarter', '2024-05-29T20:30:00.000Z'],
  ])('moves by %d %s', (amount, unit, expected) => {
    expect(shift(evening, amount, unit)?.toISOString()).toBe(expected)
  })

  it('stays within a shorter month', () => {
    expect(shift(new Date('2026-03-31T00:00:00Z'), -1, 'month')?.toISOString()).toBe('2026-02-28T00:00:00.000Z')
  })

  it('does not move by what is no unit, nor beyond all time', () => {
    expect([
      shift(morning, 1, 'moons'),
      shift(morning, 1, 'constructor'),
      shift(morning, 999_999_999, 'years'),
    ]).toEqual([undefined, undefined, undefined])
  })
})
