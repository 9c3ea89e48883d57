import { expect, test } from 'vitest'
import { authorize, authorizeUrl, openForTest, post, secretClient, verifier, visit } from './client.ts'

const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })

test('decodes both halves of HTTP Basic as RFC 6749 §2.3.1 says', async () => {
  const odd = { id: 'odd:client', secret: 'a:%+/ü - b' }
  const sandbox = await openForTest({ clients: [odd] })
  const encode = (text: string) => encodeURIComponent(text).replaceAll('%20', '+')
  const { params, redirectUri } = await authorize(sandbox, { client_id: odd.id })
  const fields = {
    grant_type: 'authorization_code',
    code: params.get('code') ?? '',
    redirect_uri: redirectUri,
    code_verifier: verifier,
  }
  const raw = await post(`${sandbox.origin}/token`, fields, basic(`${odd.id}:${odd.secret}`))
  expect([raw.status, raw.json.error]).toEqual([401, 'invalid_client'])
  const encoded = await post(`${sandbox.origin}/token`, fields, basic(`${encode(odd.id)}:${encode(odd.secret)}`))
  expect(encoded.status).toBe(200)
})

test.each([
  ['a wrong secret in the header', {}, basic('sandbox-client:wrong'), 401],
  ['an unknown client in the header', {}, basic('nobody:sandbox-secret'), 401],
  ['a header that is not Basic', {}, { authorization: 'Bearer x' }, 401],
  ['a header without a colon', {}, basic('sandbox-client'), 401],
  ['a half-encoded header', {}, basic('sandbox-client:100%'), 401],
  ['a secret for the public client', {}, basic('sandbox-public:secret'), 401],
])('refuses %s with 401 and a challenge', async (_, fields, headers, status) => {
  const sandbox = await openForTest()
  const answer = await post(`${sandbox.origin}/token`, { grant_type: 'refresh_token', ...fields }, headers)
  expect([answer.status, answer.json.error]).toEqual([status, 'invalid_client'])
  expect(answer.headers.get('www-authenticate')).toBe('Basic realm="sandbox"')
})

test.each([
  ['a wrong secret', { client_id: 'sandbox-client', client_secret: 'wrong' }],
  ['no secret for a client that has one', { client_id: 'sandbox-client' }],
  ['an unknown client', { client_id: 'nobody', client_secret: 'x' }],
])('refuses %s in the body with invalid_client', async (_, fields) => {
  const sandbox = await openForTest()
  const answer = await post(`${sandbox.origin}/token`, { grant_type: 'refresh_token', ...fields })
  expect([answer.status, answer.json.error]).toEqual([401, 'invalid_client'])
})

test('refuses two ways of authentication at once', async () => {
  const sandbox = await openForTest()
  const fields = { grant_type: 'refresh_token', ...secretClient }
  const answer = await post(`${sandbox.origin}/token`, fields, basic('sandbox-client:sandbox-secret'))
  expect([answer.status, answer.json.error]).toEqual([400, 'invalid_request'])
})

test('holds a client to its registered redirect URIs, and needs none sent when there is one', async () => {
  const registered = 'https://app.example/callback'
  const sandbox = await openForTest({ clients: [{ id: 'app', redirectUris: [registered] }] })
  const ask = (redirect_uri: string) => visit(authorizeUrl(sandbox, { client_id: 'app', redirect_uri }))
  expect((await ask(`${registered}/`)).status).toBe(400)
  expect((await ask(registered)).status).toBe(200)
  expect((await ask('')).status).toBe(200)
})
