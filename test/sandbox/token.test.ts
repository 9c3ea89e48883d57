import { rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import { approve } from '../../src/sandbox/index.ts'
import {
  authorize,
  authorizeUrl,
  call,
  exchange,
  type Fields,
  obtain,
  openCallback,
  openForTest,
  post,
  refresh,
  secretClient,
  temporaryHome,
  verifier,
  visit,
} from './client.ts'

test('issues tokens for a code with the verifier of RFC 7636 Appendix B', async () => {
  const sandbox = await openForTest()
  const { status, headers, json } = await obtain(sandbox, { scope: 'read write' })
  expect(status).toBe(200)
  expect(headers.get('cache-control')).toBe('no-store')
  expect(json).toEqual({
    access_token: expect.stringMatching(/^access_[\w.-]+$/),
    token_type: 'Bearer',
    expires_in: 3600,
    refresh_token: expect.stringMatching(/^refresh_[\w.-]+$/),
    scope: 'read write',
  })
  expect((await call(sandbox, json.access_token)).json).toMatchObject({ id: 'robin', scopes: ['read', 'write'] })
})

test('takes a plain challenge, and a confidential client without any', async () => {
  const sandbox = await openForTest()
  const plain = await authorize(sandbox, { code_challenge: verifier, code_challenge_method: 'plain' })
  const code = (from: typeof plain) => ({ code: from.params.get('code') ?? '', redirect_uri: from.redirectUri })
  expect((await exchange(sandbox, code(plain))).status).toBe(200)

  const { redirectUri, visits } = await openCallback()
  const url = new URL(authorizeUrl(sandbox, { redirect_uri: redirectUri }))
  url.searchParams.delete('code_challenge')
  url.searchParams.delete('code_challenge_method')
  await approve(String(url))
  const bare = { code: visits[0]?.searchParams.get('code') ?? '', redirect_uri: redirectUri }
  expect((await exchange(sandbox, bare)).json).toMatchObject({ error: 'invalid_grant' })
  const withoutVerifier = { grant_type: 'authorization_code', ...secretClient, ...bare }
  expect((await post(`${sandbox.origin}/token`, withoutVerifier)).status).toBe(200)
})

test.each<[string, Fields]>([
  ['another verifier', { code_verifier: `${verifier}x` }],
  ['an empty verifier', { code_verifier: '' }],
  ['another redirect_uri', { redirect_uri: 'http://127.0.0.1:1/callback' }],
  ['an unknown code', { code: 'made-up' }],
  ['another client', { client_id: 'sandbox-public', client_secret: '' }],
])('refuses %s with invalid_grant, and the right request still succeeds', async (_, wrong) => {
  const sandbox = await openForTest()
  const { params, redirectUri } = await authorize(sandbox)
  const right = { code: params.get('code') ?? '', redirect_uri: redirectUri }
  const refused = await exchange(sandbox, { ...right, ...wrong })
  expect([refused.status, refused.json.error]).toEqual([400, 'invalid_grant'])
  expect((await exchange(sandbox, right)).status).toBe(200)
})

test('a code is good once; its second use revokes what the first brought', async () => {
  const sandbox = await openForTest()
  const { params, redirectUri } = await authorize(sandbox)
  const right = { code: params.get('code') ?? '', redirect_uri: redirectUri }
  const first = await exchange(sandbox, right)
  expect((await call(sandbox, first.json.access_token)).status).toBe(200)
  expect((await exchange(sandbox, right)).json.error).toBe('invalid_grant')
  expect((await call(sandbox, first.json.access_token)).status).toBe(401)
  expect((await refresh(sandbox, first.json.refresh_token)).json.error).toBe('invalid_grant')
})

test('a code is good for a minute and an access token for an hour', async () => {
  let now = Date.now()
  const sandbox = await openForTest({ now: () => now })
  const { params, redirectUri } = await authorize(sandbox)
  const tokens = (await obtain(sandbox)).json
  now += 61_000
  const late = await exchange(sandbox, { code: params.get('code') ?? '', redirect_uri: redirectUri })
  expect(late.json).toEqual({ error: 'invalid_grant', error_description: 'The authorization code has expired.' })
  expect((await call(sandbox, tokens.access_token)).status).toBe(200)
  now += 3_600_000
  expect((await call(sandbox, tokens.access_token)).status).toBe(401)
  expect((await refresh(sandbox, tokens.refresh_token)).status).toBe(200)
})

test('rotates refresh tokens, and the reuse of one ends the whole family', async () => {
  const sandbox = await openForTest()
  const first = (await obtain(sandbox)).json
  const second = (await refresh(sandbox, first.refresh_token)).json
  expect(second.refresh_token).not.toBe(first.refresh_token)
  expect((await call(sandbox, second.access_token)).status).toBe(200)

  const reused = await refresh(sandbox, first.refresh_token)
  expect([reused.status, reused.json.error]).toEqual([400, 'invalid_grant'])
  expect((await refresh(sandbox, second.refresh_token)).json.error).toBe('invalid_grant')
  expect((await call(sandbox, second.access_token)).status).toBe(401)
})

test('of twenty refreshes with one token at two sandboxes of a home, one succeeds', async () => {
  const home = temporaryHome()
  const one = await openForTest({ home })
  const other = await openForTest({ home })
  const { refresh_token } = (await obtain(one)).json
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => refresh(i % 2 ? one : other, refresh_token)))
  expect(answers.map((answer) => answer.status).sort()).toEqual([200, ...Array(19).fill(400)])
})

test('narrows the scopes of a refresh but never widens them', async () => {
  const sandbox = await openForTest()
  const { refresh_token } = (await obtain(sandbox, { scope: 'read write' })).json
  expect((await refresh(sandbox, refresh_token, { scope: 'read profile' })).json.error).toBe('invalid_scope')
  const narrow = (await refresh(sandbox, refresh_token, { scope: 'read' })).json
  expect(narrow.scope).toBe('read')
  expect((await refresh(sandbox, narrow.refresh_token)).json.scope).toBe('read write')
})

test('a public client exchanges and refreshes with nothing but its id and PKCE', async () => {
  const sandbox = await openForTest()
  const { params, redirectUri } = await authorize(sandbox, { client_id: 'sandbox-public' })
  const asPublic = { client_id: 'sandbox-public', client_secret: '' }
  const tokens = await exchange(sandbox, { code: params.get('code') ?? '', redirect_uri: redirectUri, ...asPublic })
  expect(tokens.status).toBe(200)
  expect((await refresh(sandbox, tokens.json.refresh_token, asPublic)).status).toBe(200)
})

test.each<[string, string, Fields, number, string]>([
  ['no grant type', 'client_id=sandbox-public', {}, 400, 'invalid_request'],
  ['a foreign grant type', 'client_id=sandbox-public&grant_type=password', {}, 400, 'unsupported_grant_type'],
  [
    'a repeated parameter',
    'client_id=sandbox-public&grant_type=refresh_token&grant_type=x',
    {},
    400,
    'invalid_request',
  ],
  ['no code', 'client_id=sandbox-public&grant_type=authorization_code', {}, 400, 'invalid_request'],
  ['no refresh token', 'client_id=sandbox-public&grant_type=refresh_token', {}, 400, 'invalid_request'],
  ['JSON', '{"grant_type":"refresh_token"}', { 'content-type': 'application/json' }, 400, 'invalid_request'],
  ['no client', 'grant_type=refresh_token', {}, 401, 'invalid_client'],
])('answers %s by the letter of RFC 6749 §5.2', async (_, body, headers, status, error) => {
  const sandbox = await openForTest()
  const form = { 'content-type': 'application/x-www-form-urlencoded', ...headers }
  const answer = await visit(`${sandbox.origin}/token`, { method: 'POST', body, headers: form })
  expect([answer.status, answer.json.error]).toEqual([status, error])
  expect(answer.headers.get('content-type')).toBe('application/json')
})

test('revoking a refresh token ends its family, an access token only itself, and anything unknown succeeds', async () => {
  const sandbox = await openForTest()
  const revoke = (token: string, client: Fields = secretClient) =>
    post(`${sandbox.origin}/revoke`, { token, ...client })
  const tokens = (await obtain(sandbox)).json
  expect((await revoke('anything')).status).toBe(200)
  expect((await revoke(tokens.access_token, { client_id: 'sandbox-public' })).json.error).toBe('invalid_grant')
  expect((await call(sandbox, tokens.access_token)).status).toBe(200)
  expect((await revoke(tokens.access_token)).status).toBe(200)
  expect((await call(sandbox, tokens.access_token)).status).toBe(401)
  const next = (await refresh(sandbox, tokens.refresh_token)).json
  expect((await revoke(next.refresh_token)).status).toBe(200)
  expect((await call(sandbox, next.access_token)).status).toBe(401)
  expect((await refresh(sandbox, next.refresh_token)).json.error).toBe('invalid_grant')
})

test('introspection tells a good token from a used one', async () => {
  const sandbox = await openForTest()
  const look = (token: string, client: Fields = secretClient) =>
    post(`${sandbox.origin}/introspect`, { token, ...client })
  const tokens = (await obtain(sandbox)).json
  expect((await look(tokens.access_token)).json).toMatchObject({ active: true, scope: 'read', iss: sandbox.origin })
  expect((await look(tokens.refresh_token)).json.active).toBe(true)
  await refresh(sandbox, tokens.refresh_token)
  expect((await look(tokens.refresh_token)).json).toEqual({ active: false })
  expect((await look(tokens.access_token, { client_id: 'sandbox-public' })).json.error).toBe('invalid_client')
})

test('says by its code what went wrong when its home is gone, and goes on', async () => {
  const home = temporaryHome()
  const sandbox = await openForTest({ home })
  const { refresh_token } = (await obtain(sandbox)).json
  rmSync(home, { recursive: true })
  const answer = await refresh(sandbox, refresh_token)
  expect([answer.status, answer.json]).toEqual([
    500,
    { error: 'server_error', error_description: 'The sandbox itself failed: ENOENT.' },
  ])
  expect((await visit(sandbox.origin)).status).toBe(200)
})
