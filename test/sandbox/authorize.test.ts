import { expect, test } from 'vitest'
import { authorizeUrl, exchange, type Fields, openForTest, post, type Reply, visit } from './client.ts'

const hidden = (page: Reply, name: string): string =>
  new RegExp(`name="${name}" value="([^"]*)"`).exec(page.text)?.[1] ?? ''

const callbackOf = (answer: Reply): Fields =>
  Object.fromEntries(new URL(answer.headers.get('location') ?? '').searchParams)

test('shows who asks, for what and where the answer goes', async () => {
  const sandbox = await openForTest()
  const { status, headers, text } = await visit(authorizeUrl(sandbox, { scope: 'read offline_access' }))
  expect(status).toBe(200)
  expect(text).toContain('Let sandbox-client use your account?')
  expect(text).toContain('<strong>127.0.0.1:1</strong>')
  expect([...text.matchAll(/type="checkbox" name="scope" value="(\w+)" checked/g)].map(([, scope]) => scope)).toEqual([
    'read',
    'offline_access',
  ])
  expect(text).not.toContain('<script')
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.get('referrer-policy')).toBe('same-origin')
  expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; /)
  expect(headers.get('content-security-policy')).not.toContain('unsafe')
})

test.each<[string, Fields, string]>([
  ['an unknown client', { client_id: '<script>alert(1)</script>' }, 'This application is unknown'],
  ['no client', { client_id: '' }, 'Who is asking?'],
  ['no redirect_uri', { redirect_uri: '' }, 'Where to go back to?'],
  ['a relative redirect_uri', { redirect_uri: '/callback' }, 'This redirect URI cannot be used'],
  ['a script as redirect_uri', { redirect_uri: 'javascript:alert(1)' }, 'This redirect URI cannot be used'],
  ['plain http elsewhere', { redirect_uri: 'http://app.example/cb' }, 'This redirect URI cannot be used'],
  [
    'a host that only looks local',
    { redirect_uri: 'http://localhost.app.example/' },
    'This redirect URI cannot be used',
  ],
  [
    'a user that looks like a host',
    { redirect_uri: 'http://localhost@app.example/' },
    'This redirect URI cannot be used',
  ],
  ['a fragment', { redirect_uri: 'http://localhost/cb#x' }, 'This redirect URI cannot be used'],
  ['a line break', { redirect_uri: 'http://localhost/cb\r\nx: y' }, 'This redirect URI cannot be used'],
  ['an unknown fault', { fault: 'earthquake' }, 'This fault is unknown'],
])('answers %s with a page and never a redirect', async (_, fields, title) => {
  const sandbox = await openForTest()
  const answer = await visit(authorizeUrl(sandbox, fields))
  expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
  expect(answer.text).toContain(`<h1>${title}</h1>`)
  expect(answer.text).not.toContain('<script')
})

test('answers a repeated client_id or redirect_uri with a page', async () => {
  const sandbox = await openForTest()
  for (const extra of ['&client_id=sandbox-public', '&redirect_uri=https%3A%2F%2Fapp.example%2F']) {
    const answer = await visit(authorizeUrl(sandbox) + extra)
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
  }
})

test.each([
  'http://localhost:1/a',
  'http://127.0.0.1/',
  'http://127.8.9.1:2/x?y=z',
  'http://[::1]:3/',
  'https://a.example/b',
])('takes the redirect URI %s', async (redirect_uri) => {
  const sandbox = await openForTest()
  expect((await visit(authorizeUrl(sandbox, { redirect_uri }))).status).toBe(200)
})

test.each<[string, Fields, string, string]>([
  ['response_type=token', { response_type: 'token' }, '', 'unsupported_response_type'],
  ['no response_type', { response_type: '' }, '', 'invalid_request'],
  ['an unknown scope', { scope: 'read admin' }, '', 'invalid_scope'],
  ['a repeated parameter', {}, '&scope=read&scope=write', 'invalid_request'],
  ['an unknown challenge method', { code_challenge_method: 'S512' }, '', 'invalid_request'],
  ['a short challenge', { code_challenge: 'short' }, '', 'invalid_request'],
])('sends %s back to the client with state and iss', async (_, fields, more, error) => {
  const sandbox = await openForTest()
  const answer = await visit(authorizeUrl(sandbox, fields) + more)
  expect(answer.status).toBe(303)
  expect(callbackOf(answer)).toEqual({
    error,
    error_description: expect.any(String),
    state: 'a state / with + signs & ü',
    iss: sandbox.origin,
  })
})

test('a public client without PKCE is sent back', async () => {
  const sandbox = await openForTest()
  const url = new URL(authorizeUrl(sandbox, { client_id: 'sandbox-public' }))
  url.searchParams.delete('code_challenge')
  url.searchParams.delete('code_challenge_method')
  expect(callbackOf(await visit(String(url))).error).toBe('invalid_request')
})

test('comes back with a code, the state as it was sent, and iss; what the redirect URI had is kept', async () => {
  const sandbox = await openForTest()
  const page = await visit(authorizeUrl(sandbox, { redirect_uri: 'https://app.example/cb?tenant=%61+b' }))
  const form = { request: hidden(page, 'request'), scope: 'read', decision: 'approve' }
  const answer = await post(`${sandbox.origin}/authorize/decision`, form)
  expect(answer.status).toBe(303)
  expect(answer.headers.get('location')).toMatch(/^https:\/\/app\.example\/cb\?tenant=%61\+b&code=/)
  expect(callbackOf(answer)).toEqual({
    tenant: 'a b',
    code: expect.stringMatching(/^[\w-]{32}$/),
    state: 'a state / with + signs & ü',
    iss: sandbox.origin,
  })
})

test.each<[string, Fields]>([
  ['Deny', { scope: 'read', decision: 'deny' }],
  ['Approve with nothing ticked', { decision: 'approve' }],
])('%s comes back with access_denied', async (_, pressed) => {
  const sandbox = await openForTest()
  const page = await visit(authorizeUrl(sandbox))
  const answer = await post(`${sandbox.origin}/authorize/decision`, { request: hidden(page, 'request'), ...pressed })
  expect(callbackOf(answer)).toMatchObject({ error: 'access_denied', state: expect.any(String), iss: sandbox.origin })
})

test('grants what is ticked and was asked for, and nothing else', async () => {
  const sandbox = await openForTest()
  const page = await visit(authorizeUrl(sandbox, { scope: 'read write' }))
  const body = new URLSearchParams([
    ['request', hidden(page, 'request')],
    ['scope', 'write'],
    ['scope', 'profile'],
    ['decision', 'approve'],
  ])
  const { code = '' } = callbackOf(await visit(`${sandbox.origin}/authorize/decision`, { method: 'POST', body }))
  expect((await exchange(sandbox, { code, redirect_uri: 'http://127.0.0.1:1/callback' })).json.scope).toBe('write')
})

test('takes no decision from another site, without the signed request, or with one that was tampered with', async () => {
  const sandbox = await openForTest()
  const request = hidden(await visit(authorizeUrl(sandbox)), 'request')
  const decide = (form: Fields, headers: Fields = {}) =>
    post(`${sandbox.origin}/authorize/decision`, { scope: 'read', decision: 'approve', ...form }, headers)
  const [sealed = '', mac = ''] = request.replace('request_', '').split('.')
  const claims = JSON.parse(Buffer.from(sealed, 'base64url').toString())
  const forged = Buffer.from(JSON.stringify({ ...claims, back: 'https://evil.example/' })).toString('base64url')
  const answers = [
    await decide({ request }, { origin: 'https://evil.example' }),
    await decide({ request }, { origin: 'null' }),
    await decide({ request }, { 'sec-fetch-site': 'cross-site' }),
    await decide({}),
    await decide({ request: `request_${forged}.${mac}` }),
    await decide({ request: request.slice(0, -2) }),
  ]
  expect(answers.map((answer) => [answer.status, answer.headers.get('location')])).toEqual([
    [403, null],
    [403, null],
    [403, null],
    [400, null],
    [400, null],
    [400, null],
  ])
  expect((await decide({ request }, { origin: sandbox.origin, 'sec-fetch-site': 'same-origin' })).status).toBe(303)
})

test('a consent page goes stale after ten minutes', async () => {
  let now = Date.now()
  const sandbox = await openForTest({ now: () => now })
  const request = hidden(await visit(authorizeUrl(sandbox)), 'request')
  now += 600_000
  const answer = await post(`${sandbox.origin}/authorize/decision`, { request, scope: 'read', decision: 'approve' })
  expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
})
