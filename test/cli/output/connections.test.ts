import { expect, it } from 'vitest'
import { connectionState, connectionsTable } from '../../../src/cli/output/connections.ts'
import { width } from '../../../src/cli/output/style.ts'
import { lineOf } from '../../../src/model/connection.ts'
import { connection, credential, drawn, hostile, isHarmless, now, pipe } from './samples.ts'

const { refreshToken: _, ...lasting } = credential
const past = '2026-11-23T10:00:00Z'
const refusal = { at: past, code: 'INVALID_GRANT', message: 'no', final: true }

it.each([
  ['ok', connection()],
  ['ok', connection({ credential: { type: 'OAUTH2', obtainedAt: past, accessToken: 'x' } })],
  ['no refresh', connection({ credential: lasting })],
  ['expired', connection({ credential: { ...credential, expiresAt: past } })],
  ['refresh refused', connection({ lastError: refusal })],
  ['ok', connection({ lastError: { ...refusal, final: false } })],
])('calls it %s', (state, subject) => {
  expect(connectionState(lineOf(subject), now)).toBe(state)
})

const several = [
  connection(),
  connection({ name: 'zendesk-staging', credential: { ...credential, expiresAt: past }, tags: { env: 'staging' } }),
  connection({
    name: 'a-name-that-is-much-longer-than-most-names-are',
    provider: 'google',
    params: { api_key: 'never-shown-0001' },
    lastError: refusal,
    credential: { type: 'OAUTH2', obtainedAt: past, accessToken: 'x' },
  }),
]

it('lists them, one line each', async () => {
  expect(connectionsTable(several.map(lineOf), await drawn(80), now)).toBe(`\
  name                      provi…  account  expires    state            tags
  zendesk                   zende…  acme     in 30 min  ok
  zendesk-staging           zende…  acme     2 h ago    expired          env=st…
  a-name-that-is-much-lon…  google           not said   refresh refused
`)
})

it('cuts nothing in a pipe and shows no secret answer', async () => {
  const text = connectionsTable(several.map(lineOf), await drawn(pipe), now)
  expect(text).toContain('a-name-that-is-much-longer-than-most-names-are  google')
  expect(text).not.toContain('never-shown')
})

it.each([30, 40, 80])('fits into %i columns', async (columns) => {
  const lines = connectionsTable(several.map(lineOf), await drawn(columns), now).split('\n')
  expect(Math.max(...lines.map(width))).toBeLessThanOrEqual(columns)
})

it('tells a terminal how to make the first one and a pipe nothing', async () => {
  expect(connectionsTable([], await drawn(80), now)).toContain('auth-cli connect sandbox')
  expect(connectionsTable([], await drawn(pipe), now)).toBe('')
})

it('lets nothing through that acts on a terminal', async () => {
  const evil = connection({ name: hostile, provider: hostile, params: { a: hostile }, tags: { [hostile]: hostile } })
  expect(isHarmless(connectionsTable([lineOf(evil)], await drawn(pipe), now))).toBe(true)
})
