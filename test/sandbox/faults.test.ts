import { describe, expect, test } from 'vitest'
import { faults, type Sandbox } from '../../src/sandbox/index.ts'
import {
  authorize,
  authorizeUrl,
  call,
  exchange,
  obtain,
  openForTest,
  type Reply,
  refresh,
  temporaryHome,
  visit,
} from './client.ts'

const back = async (sandbox: Sandbox, fault: string) =>
  (await authorize(sandbox, { fault, scope: 'read write' })).params

/** What each fault looks like to a plain HTTP client on the way back. */
const callbacks: Record<string, (params: URLSearchParams, sandbox: Sandbox) => void> = {
  'wrong-state': (params) => expect(params.get('state')).toBe('not-the-state-you-sent'),
  'missing-state': (params) => expect([params.has('code'), params.has('state')]).toEqual([true, false]),
  'duplicate-state': (params) => expect(params.getAll('state')).toHaveLength(2),
  denial: (params) =>
    expect([params.get('error'), params.has('code'), params.has('state')]).toEqual(['access_denied', false, true]),
  'error-without-state': (params) => expect([...params.keys()].sort()).toEqual(['error', 'error_description', 'iss']),
  'missing-code': (params) => expect([...params.keys()]).toEqual(['state', 'iss']),
  'empty-code': (params) => expect(params.get('code')).toBe(''),
  'iss-mismatch': (params) => expect(params.get('iss')).toBe('https://another-issuer.example'),
  'missing-iss': (params) => expect(params.has('iss')).toBe(false),
  fragment: (params) => expect([...params.keys()]).toEqual([]),
}

/** What each fault looks like in the answer to the exchange of the code. */
const answers: Record<string, (answer: Reply) => void> = {
  'fewer-scopes': ({ json }) => expect(json.scope).toBe('read'),
  'expired-code': ({ status, json }) => expect([status, json.error]).toEqual([400, 'invalid_grant']),
  'invalid-client': ({ status, json }) => expect([status, json.error]).toEqual([401, 'invalid_client']),
  'server-error': ({ status, json }) => expect([status, json.error]).toEqual([500, 'server_error']),
  html: ({ status, headers, text }) =>
    expect([status, headers.get('content-type'), text.includes('<h1>')]).toEqual([
      502,
      'text/html; charset=utf-8',
      true,
    ]),
  'rate-limited': ({ status, headers }) => expect([status, headers.get('retry-after')]).toEqual([429, '7']),
  'token-redirect': ({ status, headers }) => expect([status, headers.get('location')]).toEqual([307, '/elsewhere']),
  'ok-with-error': ({ status, json }) =>
    expect([status, json.error, json.access_token]).toEqual([200, 'invalid_grant', undefined]),
  'malformed-json': ({ status, json, text }) =>
    expect([status, json, text.startsWith('{')]).toEqual([200, undefined, true]),
  'form-encoded': ({ headers, text }) =>
    expect([headers.get('content-type'), new URLSearchParams(text).get('token_type')]).toEqual([
      'application/x-www-form-urlencoded',
      'Bearer',
    ]),
  oversized: ({ text }) => expect(text.length).toBeGreaterThan(5_000_000),
  'no-access-token': ({ json }) =>
    expect(Object.keys(json)).toEqual(['token_type', 'expires_in', 'refresh_token', 'scope']),
  'no-refresh-token': ({ json }) =>
    expect(Object.keys(json)).toEqual(['access_token', 'token_type', 'expires_in', 'scope']),
  'no-expires-in': ({ json }) =>
    expect(Object.keys(json)).toEqual(['access_token', 'token_type', 'refresh_token', 'scope']),
  'expires-in-string': ({ json }) => expect(json.expires_in).toBe('3600'),
  'no-token-type': ({ json }) =>
    expect(Object.keys(json)).toEqual(['access_token', 'expires_in', 'refresh_token', 'scope']),
  'token-type-mac': ({ json }) => expect(json.token_type).toBe('mac'),
  'short-lived': ({ json }) => expect(json.expires_in).toBe(10),
  'slow-token': ({ status, json }) => expect([status, json.token_type]).toEqual([200, 'Bearer']),
}

/** What needs more than one answer to be seen. */
const stories: Record<string, (sandbox: Sandbox) => Promise<void>> = {
  async reset(sandbox) {
    await expect(obtain(sandbox, { fault: 'reset' })).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } })
  },
  async truncated(sandbox) {
    await expect(obtain(sandbox, { fault: 'truncated' })).rejects.toThrow('terminated')
  },
  async 'hanging-token'(sandbox) {
    const { params, redirectUri } = await authorize(sandbox, { fault: 'hanging-token' })
    const hanging = exchange(sandbox, { code: params.get('code') ?? '', redirect_uri: redirectUri })
    const ended = hanging.then(
      () => 'answered',
      () => 'cut off',
    )
    await expect.poll(() => sandbox.requests.some((request) => request.grant === 'authorization_code')).toBe(true)
    expect(sandbox.requests.find((request) => request.grant)?.status).toBeUndefined()
    await sandbox.close()
    expect(await ended).toBe('cut off')
  },
  async 'refresh-refused'(sandbox) {
    const { refresh_token, access_token } = (await obtain(sandbox, { fault: 'refresh-refused' })).json
    expect((await call(sandbox, access_token)).status).toBe(200)
    expect((await refresh(sandbox, refresh_token)).json.error).toBe('invalid_grant')
  },
  async 'refresh-server-error'(sandbox) {
    const { refresh_token } = (await obtain(sandbox, { fault: 'refresh-server-error' })).json
    expect((await refresh(sandbox, refresh_token)).status).toBe(500)
  },
  async 'refresh-no-rotation'(sandbox) {
    const { refresh_token } = (await obtain(sandbox, { fault: 'refresh-no-rotation' })).json
    const again = await refresh(sandbox, refresh_token)
    expect([again.status, again.json.refresh_token]).toEqual([200, undefined])
    expect((await refresh(sandbox, refresh_token)).status).toBe(200)
  },
  async 'refresh-reset'(sandbox) {
    const { refresh_token } = (await obtain(sandbox, { fault: 'refresh-reset' })).json
    await expect(refresh(sandbox, refresh_token)).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } })
  },
  async 'api-401-once'(sandbox) {
    const { access_token } = (await obtain(sandbox, { fault: 'api-401-once' })).json
    const first = await call(sandbox, access_token)
    expect([first.status, first.headers.get('www-authenticate')?.includes('error="invalid_token"')]).toEqual([
      401,
      true,
    ])
    expect((await call(sandbox, access_token)).status).toBe(200)
  },
  async 'api-server-error'(sandbox) {
    const { access_token } = (await obtain(sandbox, { fault: 'api-server-error' })).json
    expect((await call(sandbox, access_token)).status).toBe(500)
  },
  async 'api-rate-limited'(sandbox) {
    const { access_token } = (await obtain(sandbox, { fault: 'api-rate-limited' })).json
    const answer = await call(sandbox, access_token)
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '7'])
  },
}

describe.each(faults.map((fault) => fault.name))('%s', (fault) => {
  test('does what it says', async () => {
    const sandbox = await openForTest()
    const callback = callbacks[fault]
    const answer = answers[fault]
    const story = stories[fault]
    expect([callback, answer, story].filter(Boolean)).toHaveLength(1)
    callback?.(await back(sandbox, fault), sandbox)
    answer?.(await obtain(sandbox, { fault, scope: 'read write' }))
    await story?.(sandbox)
  })
})

test('every fault has a name in kebab-case, once, and one line about it', () => {
  const names = faults.map((fault) => fault.name)
  expect(new Set(names).size).toBe(names.length)
  for (const { name, says } of faults) {
    expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
    expect(says).toMatch(/^[a-z][^\n]{10,80}[^.]$/)
  }
})

test('a single scope is exchanged for another where fewer are granted', async () => {
  const sandbox = await openForTest()
  expect((await obtain(sandbox, { fault: 'fewer-scopes' })).json.scope).toBe('profile')
})

test('a fault fires in a later sandbox of the same home too', async () => {
  const home = temporaryHome()
  const earlier = await openForTest({ home })
  const { refresh_token } = (await obtain(earlier, { fault: 'refresh-refused' })).json
  await earlier.close()
  const later = await openForTest({ home })
  expect((await refresh(later, refresh_token)).json.error).toBe('invalid_grant')
})

test('the fault of the sandbox is that of every authorization which chooses none', async () => {
  const sandbox = await openForTest({ fault: 'token-type-mac' })
  expect((await obtain(sandbox)).json.token_type).toBe('mac')
  expect((await obtain(sandbox, { fault: 'no-expires-in' })).json.token_type).toBe('Bearer')
})

test('the fault pressed on the consent page counts for more than the one chosen before', async () => {
  const sandbox = await openForTest({ fault: 'denial' })
  const page = await visit(authorizeUrl(sandbox))
  expect(page.text).toContain('<strong>denial</strong>')
  const request = /name="request" value="([^"]*)"/.exec(page.text)?.[1] ?? ''
  const body = `request=${request}&fault=denial&scope=read&fault=missing-state`
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await visit(`${sandbox.origin}/authorize/decision`, { method: 'POST', body, headers })
  const params = new URL(answer.headers.get('location') ?? '').searchParams
  expect([params.has('code'), params.has('state')]).toEqual([true, false])
})
