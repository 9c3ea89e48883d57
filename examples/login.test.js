import { connect, refresh, request, token, withWorld } from 'auth-cli'
import { approve, openSandbox } from 'auth-cli/sandbox'
import { afterAll, beforeAll, expect, test } from 'vitest'

let sandbox
const login = (more) => ({
  params: { port: String(sandbox.port) },
  credentials: { clientId: 'sandbox-client', clientSecret: 'sandbox-secret' },
  port: 0,
  browse: approve,
  ...more,
})

beforeAll(async () => {
  sandbox = await openSandbox()
})
afterAll(() => sandbox.close())

test('a stale token is renewed before the API sees it', async () => {
  const connection = await connect('sandbox', login())
  const later = withWorld({
    clock: { now: () => new Date(Date.now() + 3_600_000), monotonic: () => performance.now(), sleep: async () => {} },
  })
  expect(await later.token(connection)).not.toBe(connection.credential.accessToken)
})

test('the API knows who we are', async () => {
  await connect('sandbox', login({ as: 'robin' }))
  const answer = await request('robin', '/api/me')
  expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ id: 'robin' })])
})

test('somebody who says no is not connected', async () => {
  const deny = (url) => approve(url, { decision: 'deny' })
  await expect(connect('sandbox', login({ as: 'nobody', browse: deny }))).rejects.toMatchObject({
    code: 'ACCESS_DENIED',
    hint: expect.stringContaining('Nothing was saved'),
  })
})

test('refreshing by force brings another token', async () => {
  const connection = await connect('sandbox', login({ as: 'forced' }))
  const younger = await refresh(connection, { force: true })
  expect(await token('forced')).toBe(younger.credential.accessToken)
})
