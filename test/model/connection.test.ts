import { expect, it } from 'vitest'
import { type Connection, isStale } from '../../src/model/connection.ts'

const now = new Date('2026-06-01T12:00:00Z')

/** A token of so many seconds' life, obtained so many seconds ago. */
function aged(life: number, ago: number, refreshMargin?: number): Connection {
  const obtained = now.getTime() - ago * 1000
  const credential = {
    type: 'OAUTH2',
    obtainedAt: new Date(obtained).toISOString(),
    expiresAt: new Date(obtained + life * 1000).toISOString(),
  }
  return { credential, snapshot: { refreshMargin } } as unknown as Connection
}

it.each<[string, Connection, number | undefined, boolean]>([
  ['just issued', aged(3600, 0), undefined, false],
  ['a fifth of its life before its end', aged(3600, 2880), undefined, true],
  ['a little more than that', aged(3600, 2879), undefined, false],
  ['15 minutes before the end of a long life', aged(86_400, 85_500), undefined, true],
  ['within the margin of the template', aged(3600, 1800, 1800), undefined, true],
  ['living shorter than was asked for', aged(3600, 60), 3600, true],
  ['from a clock that was a little ahead', aged(3600, -30), undefined, false],
  ['from the future: its clock was wrong, and so is its expiry', aged(3600, -7200), undefined, true],
])('a token %s is stale or not', (_, connection, minValidity, expected) => {
  expect(isStale(connection, now, minValidity)).toBe(expected)
})
