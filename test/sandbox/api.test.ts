import { expect, test } from 'vitest'
import { call, obtain, openForTest, temporaryHome, visit } from './client.ts'

test('without a token the challenge names no error; with a bad one it does (RFC 6750 §3)', async () => {
  const sandbox = await openForTest()
  const bare = await visit(`${sandbox.origin}/api/me`)
  expect([bare.status, bare.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="sandbox"'])
  const { access_token, refresh_token } = (await obtain(sandbox)).json
  for (const token of ['made-up', `${access_token}x`, refresh_token, access_token.replace('access_', 'refresh_')]) {
    const { status, headers } = await call(sandbox, token)
    expect([status, headers.get('www-authenticate')]).toEqual([401, expect.stringContaining('error="invalid_token"')])
  }
})

test('lists three pages chained by links, and needs read', async () => {
  const sandbox = await openForTest()
  const { access_token } = (await obtain(sandbox, { scope: 'read' })).json
  const titles: string[] = []
  let path: string | undefined = '/api/items'
  while (path) {
    const { json, headers } = await call(sandbox, access_token, path)
    titles.push(...json.items.map((item: { title: string }) => item.title))
    const link: string | undefined = /<([^>]+)>; rel="next"/.exec(headers.get('link') ?? '')?.[1]
    expect(link ?? null).toBe(json.next)
    path = link?.slice(sandbox.origin.length)
  }
  expect([titles.length, titles[0], titles.at(-1)]).toEqual([30, 'Item 1', 'Item 30'])
  expect((await call(sandbox, access_token, '/api/items?page=4')).json.items).toEqual([])
  expect((await call(sandbox, access_token, '/api/items?page=0')).status).toBe(400)
})

test('a scope that is missing is 403 with the scope that is needed', async () => {
  const sandbox = await openForTest()
  const add = (token: string, body: string) =>
    visit(`${sandbox.origin}/api/items`, { method: 'POST', body, headers: { authorization: `bearer ${token}` } })
  const reader = (await obtain(sandbox, { scope: 'read' })).json.access_token
  const writer = (await obtain(sandbox, { scope: 'write' })).json.access_token
  const refused = await add(reader, '{}')
  expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
    403,
    expect.stringContaining('scope="write"'),
  ])
  expect((await call(sandbox, writer, '/api/items')).headers.get('www-authenticate')).toContain('insufficient_scope')
  const added = await add(writer, '{"title":"Ünïcode"}')
  expect([added.status, added.json]).toEqual([201, { title: 'Ünïcode', id: 31 }])
  expect([(await add(writer, 'not json')).status, (await add(writer, '[]')).status]).toEqual([400, 400])
})

test('honours what an earlier sandbox of the same home issued, and nobody else does', async () => {
  const home = temporaryHome()
  const earlier = await openForTest({ home })
  const { access_token } = (await obtain(earlier)).json
  await earlier.close()
  const later = await openForTest({ home })
  const stranger = await openForTest({ home: temporaryHome() })
  expect((await call(later, access_token)).status).toBe(200)
  expect((await call(stranger, access_token)).status).toBe(401)
})
