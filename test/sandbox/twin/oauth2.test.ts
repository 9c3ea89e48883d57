import { expect, test } from 'vitest'
import { post } from '../client.ts'
import {
  asking,
  basic,
  comeBack,
  exchanging,
  type Fields,
  openForTest,
  send,
  sendForm,
  sendJson,
  temporaryHome,
} from './twin.ts'

const template = {
  display_name: 'Acme',
  auth_mode: 'OAUTH2',
  authorization_url: 'https://${connectionConfig.subdomain}.acme.example/oauth/authorize',
  authorization_params: { response_type: 'code', audience: 'https://${connectionConfig.subdomain}.acme.example/api' },
  token_url: 'https://${connectionConfig.subdomain}.acme.example/oauth/token',
  token_params: { grant_type: 'authorization_code', expires_in: '1800' },
  refresh_params: { grant_type: 'refresh_token', expires_in: '1800' },
  token_response_metadata: ['team.id'],
  redirect_uri_metadata: ['realm'],
  connection_config: { subdomain: { type: 'string', example: 'shop' } },
  proxy: { base_url: 'https://${connectionConfig.subdomain}.acme.example/api', headers: { 'x-version': '7' } },
}

const authorizeAt = (query: URLSearchParams): string => `https://shop.acme.example/oauth/authorize?${query}`
const audience = { audience: 'https://shop.acme.example/api' }
const tokenUrl = 'https://shop.acme.example/oauth/token'
const more = { expires_in: '1800' }

test('plays the whole flow of a template: consent, code, tokens, API, refresh', async () => {
  const twin = await openForTest({ template })
  expect(twin.issued.params).toEqual({ subdomain: 'shop' })
  const back = await comeBack(twin, authorizeAt, audience)
  expect(back.params.get('state')).toBe('a state / with + signs & ü')
  expect(back.params.get('realm')).toMatch(/^realm-/)
  const { status, json } = await sendForm(twin, tokenUrl, { ...exchanging(twin, back), ...more })
  expect(status).toBe(200)
  expect(json).toMatchObject({
    token_type: 'Bearer',
    expires_in: 3600,
    scope: 'read write',
    team: { id: expect.any(String) },
  })

  const headers = { authorization: `Bearer ${json.access_token}`, 'x-version': '7' }
  const called = await send(twin, 'https://shop.acme.example/api/me?x=1', { headers })
  expect(called).toMatchObject({ status: 200, json: { ok: true, provider: 'acme', method: 'GET', path: '/api/me' } })
  expect(called.text).not.toContain(json.access_token)

  const { client_id, client_secret } = exchanging(twin, back)
  const renewing = { grant_type: 'refresh_token', refresh_token: json.refresh_token, client_id, client_secret, ...more }
  const renewed = await sendForm(twin, tokenUrl, renewing as Fields)
  expect(renewed.json.refresh_token).not.toBe(json.refresh_token)
  expect((await sendForm(twin, tokenUrl, renewing as Fields)).json).toMatchObject({ error: 'invalid_grant' })
  expect((await send(twin, 'https://shop.acme.example/api/me', { headers })).status).toBe(401)
})

test.each<[string, Fields, string]>([
  ['no audience', { audience: '' }, 'audience is not "https://shop.acme.example/api"'],
  ['another response type', { response_type: 'token' }, 'response_type is not "code"'],
  ['no challenge', { code_challenge: '', code_challenge_method: '' }, 'code_challenge_method is not S256'],
  ['a plain challenge', { code_challenge_method: 'plain' }, 'code_challenge_method is not S256'],
])('tells the client of an authorization request with %s', async (_, wrong, words) => {
  const twin = await openForTest({ template })
  const query = asking(twin, 'http://127.0.0.1:1/callback', { ...audience, ...wrong })
  const { status, headers } = await send(twin, authorizeAt(query))
  expect(status).toBe(303)
  const location = new URL(headers.get('location') ?? '')
  expect(location.searchParams.get('error')).toBe('invalid_request')
  expect(location.searchParams.get('error_description')).toContain(words)
})

test.each<[string, Fields, string]>([
  ['another client', { client_id: 'nobody' }, 'client_id'],
  ['no redirect URI', { redirect_uri: '' }, 'redirect_uri'],
  ['a redirect URI with a fragment', { redirect_uri: 'http://127.0.0.1:1/#x' }, 'fragment'],
])('tells the person of an authorization request with %s', async (_, wrong, words) => {
  const twin = await openForTest({ template })
  const { status, text } = await send(twin, authorizeAt(asking(twin, 'http://127.0.0.1:1/', { ...audience, ...wrong })))
  expect(status).toBe(400)
  expect(text).toContain(words)
})

test.each<[string, Fields, string]>([
  ['no template parameter', { expires_in: '' }, 'expires_in is not "1800"'],
  ['another verifier', { code_verifier: 'x'.repeat(43) }, 'code_verifier does not match'],
  ['another redirect_uri', { redirect_uri: 'http://127.0.0.1:1/' }, 'redirect_uri is not the one'],
  ['another secret', { client_secret: 'wrong' }, 'client_secret is not the secret'],
  ['another grant', { grant_type: 'password' }, 'this endpoint knows authorization_code and refresh_token'],
  ['no code', { code: '' }, 'there is no code'],
])('refuses a token request with %s, and takes the right one after it', async (_, wrong, words) => {
  const twin = await openForTest({ template })
  const good = { ...exchanging(twin, await comeBack(twin, authorizeAt, audience)), ...more }
  const refused = await sendForm(twin, tokenUrl, { ...good, ...wrong })
  expect(refused.status).toBeGreaterThanOrEqual(400)
  expect(refused.json.error_description).toContain(words)
  expect((await sendForm(twin, tokenUrl, good)).status).toBe(200)
  expect((await sendForm(twin, tokenUrl, good)).json.error_description).toContain('used before')
})

test('wants the secret in one place, encoded as the template says', async () => {
  const open = (extra: object) => openForTest({ template: { ...template, ...extra }, clientSecret: 'a+b/c %:' })
  const header = await open({ authorization_method: 'header' })
  const good: Fields = { ...exchanging(header, await comeBack(header, authorizeAt, audience)), ...more }
  const { client_secret: _, client_id, ...bare } = good
  const encoded = basic(client_id ?? '', 'a%2Bb%2Fc+%25%3A')
  const raw = basic(client_id ?? '', 'a+b/c %:')
  expect((await sendForm(header, tokenUrl, good, { authorization: encoded })).json.error_description).toContain(
    'RFC 6749',
  )
  expect((await sendForm(header, tokenUrl, bare as Fields, { authorization: raw })).status).toBe(401)
  expect((await sendForm(header, tokenUrl, good)).json.error_description).toContain('no Authorization: Basic')
  expect((await sendForm(header, tokenUrl, bare as Fields, { authorization: encoded })).status).toBe(200)

  const plain = await open({ token_request_auth_method: 'basic' })
  const other = { ...exchanging(plain, await comeBack(plain, authorizeAt, audience)), ...more }
  expect((await sendForm(plain, tokenUrl, other, { authorization: encoded })).status).toBe(401)
  expect((await sendForm(plain, tokenUrl, other, { authorization: raw })).status).toBe(200)

  const body = await open({})
  const third = { ...exchanging(body, await comeBack(body, authorizeAt, audience)), ...more }
  expect((await sendForm(body, tokenUrl, third, { authorization: raw })).status).toBe(401)
})

test('reads a JSON body where the template wants one, and nothing else there', async () => {
  const twin = await openForTest({ template: { ...template, body_format: 'json', token_params: { expiring: 1 } } })
  const good = { ...exchanging(twin, await comeBack(twin, authorizeAt, audience)), expiring: 1 }
  const typed = await sendJson(twin, tokenUrl, { ...good, expiring: '1' })
  expect(typed.json.error_description).toContain('the parameter expiring is not 1')
  const form = await sendForm(twin, tokenUrl, { ...good, expiring: '1' })
  expect(form.json.error_description).toContain('the content type is application/x-www-form-urlencoded')
  expect((await sendJson(twin, tokenUrl, good)).status).toBe(200)
})

test('reads parameters by the names that replacements give them, and sends the state back by its own', async () => {
  const renamed = {
    ...template,
    authorization_params: {},
    authorization_url_replacements: { 'client_id=': 'appKey=', 'state=': 'customField=', response_type: '' },
  }
  const twin = await openForTest({ template: renamed })
  const rename = (query: URLSearchParams): string =>
    authorizeAt(query).replace('client_id=', 'appKey=').replace('state=', 'customField=').replace('response_type', '')
  const { params } = await comeBack(twin, rename)
  expect(params.get('customField')).toBe('a state / with + signs & ü')
  expect(params.has('state')).toBe(false)
  expect((await send(twin, authorizeAt(asking(twin, 'http://127.0.0.1:1/')))).text).toContain('It has no appKey')
})

test('reads what stands behind the fragment, with and without a script, and only there', async () => {
  const twin = await openForTest({ template: { ...template, authorization_url_fragment: 'oauth/authorize' } })
  const { params } = await comeBack(
    twin,
    (query) => `https://shop.acme.example/oauth/authorize#oauth/authorize?${query}`,
    audience,
  )
  expect(params.get('code')).toBeTruthy()
  const query = asking(twin, 'http://127.0.0.1:1/', audience)
  expect((await send(twin, authorizeAt(query))).text).toContain('behind #oauth/authorize?')
  const page = await send(twin, 'https://shop.acme.example/oauth/authorize')
  expect(page.text).toContain('location.hash')
  expect(page.headers.get('content-security-policy')).toMatch(/script-src 'sha256-/)
})

test('holds the scope to its separator and its encoding', async () => {
  const raw = { ...template, authorization_params: {}, scope_separator: '+', authorization_url_skip_encode: ['scopes'] }
  const twin = await openForTest({ template: raw, scopes: ['customers:read', 'write'] })
  const at = (scope: string) => (query: URLSearchParams) => {
    query.delete('scope')
    return `${authorizeAt(query)}&scope=${scope}`
  }
  const flaw = async (scope: string) => {
    const { headers } = await send(twin, at(scope)(asking(twin, 'http://127.0.0.1:1/')))
    return new URL(headers.get('location') ?? '').searchParams
  }
  expect((await flaw('customers%3Aread+write')).get('error_description')).toContain('should stand as it is')
  expect((await flaw('write')).get('error')).toBe('invalid_scope')
  expect((await comeBack(twin, at('customers:read+write'))).params.get('code')).toBeTruthy()

  const empty = await openForTest({ template: { ...template, authorization_url_skip_empty: true } })
  const query = asking(empty, 'http://127.0.0.1:1/', { ...audience, scope: '' })
  const { headers } = await send(empty, authorizeAt(query))
  expect(new URL(headers.get('location') ?? '').searchParams.get('error_description')).toContain('scope is empty')
})

test('hands the code out by the name that the template expects, and nests tokens where it looks for them', async () => {
  const odd = {
    ...template,
    authorization_code_param_in_callback: 'acme_code',
    alternate_access_token_response_path: 'authed_user',
    disable_pkce: true,
  }
  const twin = await openForTest({ template: odd })
  const without = (query: URLSearchParams): string => {
    query.delete('code_challenge')
    query.delete('code_challenge_method')
    return authorizeAt(query)
  }
  const { params, redirectUri } = await comeBack(twin, without, audience)
  expect(params.has('code')).toBe(false)
  const { code_verifier: _, ...fields } = exchanging(twin, { params, redirectUri })
  const { json } = await sendForm(twin, tokenUrl, { ...fields, code: params.get('acme_code') ?? '', ...more } as Fields)
  expect(json.access_token).toBeUndefined()
  expect(json.authed_user.access_token).toMatch(/^access_/)
  expect(json.team.id).toBeTruthy()
})

test('renews at the refresh URL where there is one, and a query that a URL has by itself has to come', async () => {
  const query = {
    ...template,
    token_url: 'https://shop.acme.example/oauth/token?key=7',
    refresh_url: 'https://shop.acme.example/oauth/token?refresh',
  }
  const twin = await openForTest({ template: query })
  const good = { ...exchanging(twin, await comeBack(twin, authorizeAt, audience)), ...more }
  expect((await sendForm(twin, tokenUrl, good)).json.error_description).toContain('lacks key')
  const { json } = await sendForm(twin, `${tokenUrl}?key=7`, good)
  const { client_id, client_secret } = good as Record<string, string>
  const renewing = { grant_type: 'refresh_token', refresh_token: json.refresh_token, client_id, client_secret, ...more }
  expect((await sendForm(twin, `${tokenUrl}?key=7`, renewing as Fields)).json.error).toBe('unsupported_grant_type')
  expect((await sendForm(twin, `${tokenUrl}?refresh`, renewing as Fields)).status).toBe(200)
})

test('honours after a restart what an earlier twin of the home issued, and no other provider does', async () => {
  const home = temporaryHome()
  const first = await openForTest({ template, home })
  const { json } = await sendForm(first, tokenUrl, {
    ...exchanging(first, await comeBack(first, authorizeAt, audience)),
    ...more,
  })
  await first.close()
  const headers = { authorization: `Bearer ${json.access_token}`, 'x-version': '7' }
  const api = 'https://shop.acme.example/api/'
  expect((await send(await openForTest({ template, home }), api, { headers })).status).toBe(200)
  expect((await send(await openForTest({ template, home, name: 'other' }), api, { headers })).status).toBe(401)
  const late = await openForTest({ template, home, now: () => Date.now() + 3_600_001 })
  expect((await send(late, api, { headers })).headers.get('www-authenticate')).toContain('Bearer')
})

test('answers nothing where the template names nothing', async () => {
  const twin = await openForTest({ template })
  for (const url of [
    'https://other.example/oauth/token',
    'https://shop.acme.example/elsewhere',
    tokenUrl.replace('s:', ':'),
  ]) {
    const { status, json } = await send(twin, url)
    expect(status).toBe(404)
    expect(json.message).toContain('This twin plays acme; nothing of it lives at')
  }
  expect((await send(twin, tokenUrl)).status).toBe(405)
})

test.each([
  ['wrong-state', 'state', 'not-the-state-you-sent'],
  ['denial', 'error', 'access_denied'],
  ['missing-code', 'code', null],
])('comes back with the fault %s', async (fault, name, value) => {
  const twin = await openForTest({ template, fault })
  expect((await comeBack(twin, authorizeAt, audience)).params.get(name)).toBe(value)
})

test('carries a fault that the authorization request chose to the token, the refresh and the API', async () => {
  const twin = await openForTest({ template })
  const tokens = async (fault: string) =>
    sendForm(twin, tokenUrl, {
      ...exchanging(twin, await comeBack(twin, authorizeAt, { ...audience, fault })),
      ...more,
    })
  expect((await tokens('rate-limited')).headers.get('retry-after')).toBe('7')
  expect((await tokens('no-access-token')).json).not.toHaveProperty('access_token')
  expect((await tokens('expires-in-string')).json.expires_in).toBe('3600')
  expect((await tokens('html')).headers.get('content-type')).toContain('text/html')
  const { json } = await tokens('api-401-once')
  const headers = { authorization: `Bearer ${json.access_token}`, 'x-version': '7' }
  expect((await send(twin, 'https://shop.acme.example/api/x', { headers })).status).toBe(401)
  expect((await send(twin, 'https://shop.acme.example/api/x', { headers })).status).toBe(200)
})

test('tells by its metadata where things are, where the template names its issuer alone', async () => {
  const issuer = 'https://id.acme.example/tenant'
  const twin = await openForTest({ template: { auth_mode: 'OAUTH2', issuer } })
  for (const url of [
    `${issuer}/.well-known/openid-configuration`,
    'https://id.acme.example/.well-known/oauth-authorization-server/tenant',
  ]) {
    const { json } = await send(twin, url)
    expect(json).toMatchObject({
      issuer,
      token_endpoint: `${issuer}/token`,
      code_challenge_methods_supported: ['S256'],
    })
  }
  const back = await comeBack(twin, (query) => `${issuer}/authorize?${query}`)
  expect((await sendForm(twin, `${issuer}/token`, exchanging(twin, back))).status).toBe(200)
})

test('revokes, introspects and names its user where the template says', async () => {
  const at = (path: string): string => `https://shop.acme.example/${path}`
  const urls = { revocation_url: at('revoke'), introspection_url: at('introspect'), userinfo_url: at('me') }
  const twin = await openForTest({ template: { ...template, ...urls } })
  const { json: tokens } = await sendForm(twin, tokenUrl, {
    ...exchanging(twin, await comeBack(twin, authorizeAt, audience)),
    ...more,
  })
  const client = { client_id: twin.issued.clientId ?? '', client_secret: twin.issued.clientSecret ?? '' }
  const ask = (path: string, token: string) => sendForm(twin, at(path), { token, ...client })
  const me = () => send(twin, at('me'), { headers: { authorization: `Bearer ${tokens.access_token}` } })
  expect((await ask('introspect', tokens.access_token)).json).toMatchObject({ active: true, scope: 'read write' })
  expect((await me()).json).toMatchObject({ sub: 'robin' })
  expect((await sendForm(twin, at('revoke'), { token: tokens.refresh_token })).status).toBe(401)
  expect((await ask('revoke', tokens.refresh_token)).status).toBe(200)
  expect((await ask('introspect', tokens.access_token)).json).toEqual({ active: false })
  expect((await me()).status).toBe(401)
})

test('takes a public client by its id and its verifier, and no secret from it', async () => {
  const twin = await openForTest({ template, clientSecret: '' })
  expect(twin.issued.clientSecret).toBeUndefined()
  const fields: Fields = { ...exchanging(twin, await comeBack(twin, authorizeAt, audience)), ...more }
  const { client_secret: _, ...bare } = fields
  expect((await sendForm(twin, tokenUrl, { ...bare, client_secret: 'x' })).json.error_description).toContain('has none')
  expect((await sendForm(twin, tokenUrl, bare as Fields)).status).toBe(200)
})

test('lists on the consent page what can go wrong here, and asks for the provider', async () => {
  const twin = await openForTest({ template: { ...template, display_name: 'Acme <b>' } })
  const { text } = await send(twin, authorizeAt(asking(twin, 'http://127.0.0.1:1/', { ...audience, fault: 'html' })))
  expect(text).toContain('Let acme-client use your Acme &lt;b&gt; account?')
  expect(text).toContain('value="read" checked')
  expect(text).toContain('It answers 502 with a page of HTML.')
  expect(text).toContain('value="wrong-state"')
  expect(text).not.toContain('value="missing-iss"')
  const unknown = await send(twin, authorizeAt(asking(twin, 'http://127.0.0.1:1/', { ...audience, fault: 'none' })))
  expect([unknown.status, unknown.text.includes('no fault called “none”')]).toEqual([400, true])
})

test('takes no decision from another site, from another twin, or after ten minutes', async () => {
  const home = temporaryHome()
  let now = Date.now()
  const twin = await openForTest({ template, home, now: () => now })
  const other = await openForTest({ template, home, name: 'other' })
  const { text } = await send(twin, authorizeAt(asking(twin, 'http://127.0.0.1:1/', audience)))
  const [, request = ''] = /name="request" value="([^"]+)"/.exec(text) ?? []
  const decide = (at: typeof twin, headers: Fields = {}) =>
    post(`${at.origin}/authorize/decision`, { request, scope: 'read', decision: 'approve' }, headers)
  expect((await decide(twin, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
  expect((await decide(other)).status).toBe(400)
  expect((await decide(twin)).headers.get('location')).toContain('code=')
  now += 601_000
  expect((await decide(twin)).status).toBe(400)
})
