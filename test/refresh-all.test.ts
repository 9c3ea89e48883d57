import { expect, it } from 'vitest'
import type { Connection } from '../src/model/connection.ts'
import { type Progress, refreshAll } from '../src/refresh-all.ts'
import { type Hit, openProvider, type Reply } from './support/provider.ts'
import { openWorkshop } from './support/world.ts'

const minute = 60_000

/** A stale connection whose refresh token is its name's first. */
function stale(name: string, origin: string, change: Partial<Connection['credential']> = {}): Connection {
  const at = new Date(Date.now() - 60 * minute).toISOString()
  return {
    version: 1,
    name,
    provider: 'acme',
    integration: 'acme',
    mode: 'OAUTH2',
    params: {},
    credential: {
      type: 'OAUTH2',
      accessToken: `access-${name}`,
      refreshToken: `${name}/1`,
      obtainedAt: at,
      expiresAt: new Date(Date.now() - minute).toISOString(),
      ...change,
    },
    scopes: { requested: [], granted: [], overridden: false },
    metadata: {},
    tags: {},
    createdAt: at,
    updatedAt: at,
    refreshedAt: null,
    lastError: null,
    snapshot: {
      endpoints: { authorization: `${origin}/authorize`, token: `${origin}/token` },
      origins: [origin],
      template: { auth_mode: 'OAUTH2' } as Connection['snapshot']['template'],
      source: { kind: 'built-in', file: 'x', hash: 'y' } as Connection['snapshot']['source'],
      client: { id: 'app', authentication: 'none' },
      tokenParams: {},
      allowHttp: false,
    },
  }
}

/** Rotates, never takes a token twice, and after so many answers says that it is busy, for a second. */
function rotating(inARow: number) {
  const spent = new Set<string>()
  const seen = { busy: 0, reused: 0, atOnce: 0, most: 0, early: 0 }
  let left = inARow
  let quietUntil = 0
  const script = async ({ form }: Hit): Promise<Reply> => {
    const now = performance.now()
    if (now < quietUntil - 5) seen.early++
    seen.most = Math.max(seen.most, ++seen.atOnce)
    await new Promise((resolve) => setTimeout(resolve, 5))
    seen.atOnce--
    if (quietUntil > 0 && performance.now() > quietUntil) {
      left = inARow
      quietUntil = 0
    }
    if (left-- <= 0) {
      seen.busy++
      if (quietUntil === 0) quietUntil = performance.now() + 1000
      return { status: 429, headers: { 'retry-after': '1' }, body: { error: 'slow_down' } }
    }
    const token = form.get('refresh_token') ?? ''
    if (spent.has(token)) seen.reused++
    spent.add(token)
    const [name, count] = token.split('/')
    const body = { access_token: `fresh-${name}`, expires_in: 3600, refresh_token: `${name}/${Number(count) + 1}` }
    return { body: { token_type: 'Bearer', ...body } }
  }
  return { script, seen }
}

it('renews hundreds at a provider that limits their rate: each once, few at a time, and none while it asks to wait', async () => {
  const { script, seen } = rotating(100)
  const provider = await openProvider({ routes: { '/token': script } })
  const { world } = openWorkshop()
  const names = Array.from({ length: 300 }, (_, n) => `c${String(n).padStart(4, '0')}`)
  for (const name of names) await world.store.connections.update(name, () => stale(name, provider.origin))
  const progress: Progress[] = []
  const results = await refreshAll(world, { onProgress: (one) => progress.push(one) })
  expect(results.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual(names.map((name) => `${name} renewed`))
  expect(seen.reused).toBe(0)
  expect(seen.busy).toBeGreaterThan(0)
  expect(seen.most).toBeLessThanOrEqual(6)
  // Those that were under way when it began to be busy, each time.
  expect(seen.early).toBeLessThanOrEqual(seen.busy * 6)
  expect(progress.at(-1)).toMatchObject({ done: 300, failed: 0, total: 300 })
  expect(progress.some(({ waiting }) => waiting?.ms === 1000)).toBe(true)
  const saved = await world.store.connections.list()
  expect(saved.map(({ credential }) => credential.refreshToken)).toEqual(names.map((name) => `${name}/2`))
}, 180_000)

it('says of each what became of it, and one that fails stops no other', async () => {
  const provider = await openProvider({
    routes: {
      '/token': ({ form }) =>
        form.get('refresh_token') === 'bad/1'
          ? { status: 400, body: { error: 'invalid_grant' } }
          : { body: { access_token: 'fresh', token_type: 'Bearer', expires_in: 3600 } },
    },
  })
  const { world } = openWorkshop()
  const tomorrow = new Date(Date.now() + 24 * 60 * minute).toISOString()
  const all = [
    stale('bad', provider.origin),
    stale('fresh', provider.origin, { expiresAt: tomorrow }),
    stale('good', provider.origin),
    stale('lasting', provider.origin, { refreshToken: undefined }),
    stale('unreachable', 'http://127.0.0.1:9'),
  ]
  for (const one of all) await world.store.connections.update(one.name, () => one)
  const outcomes = async (force: boolean) =>
    (await refreshAll(world, { force })).map(({ name, outcome, error }) => [name, outcome, error?.code])
  expect(await outcomes(false)).toEqual([
    ['bad', 'failed', 'INVALID_GRANT'],
    ['fresh', 'fresh', undefined],
    ['good', 'renewed', undefined],
    ['lasting', 'lasting', undefined],
    ['unreachable', 'failed', expect.any(String)],
  ])
  const asked = provider.tokenRequests().length
  // Refused for good is not asked again; what was renewed is fresh.
  expect((await outcomes(false)).slice(0, 3)).toEqual([
    ['bad', 'failed', 'INVALID_GRANT'],
    ['fresh', 'fresh', undefined],
    ['good', 'fresh', undefined],
  ])
  expect(provider.tokenRequests()).toHaveLength(asked)
  expect((await outcomes(true)).slice(1, 3)).toEqual([
    ['fresh', 'renewed', undefined],
    ['good', 'renewed', undefined],
  ])
})

it('gives up a provider that asks to wait for longer than anybody would', async () => {
  const provider = await openProvider({
    routes: { '/token': () => ({ status: 503, headers: { 'retry-after': '3600' } }) },
  })
  const { world } = openWorkshop()
  await world.store.connections.update('acme', () => stale('acme', provider.origin))
  const [result] = await refreshAll(world)
  expect(result).toMatchObject({ outcome: 'failed', error: { code: 'HTTP_503', flow: expect.any(String) } })
  expect(result?.error?.hint).toContain('3600')
})
