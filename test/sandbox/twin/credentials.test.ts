import { createPrivateKey, sign } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Twin } from '../../../src/sandbox/index.ts'
import { basic, openForTest, send, sendForm, sendJson } from './twin.ts'

const api = 'https://api.acme.example/v2/things'

const cc = {
  auth_mode: 'OAUTH2_CC',
  token_url: 'https://id.acme.example/token',
  token_params: { grant_type: 'client_credentials', audience: '${connectionConfig.audience} || https://all.example' },
  connection_config: { audience: { example: 'https://mine.example' } },
  proxy: { base_url: 'https://api.acme.example/v2' },
}
const url = 'https://id.acme.example/token'
const bare = { grant_type: 'client_credentials', audience: 'https://mine.example' }
const client = (twin: Twin) => ({
  client_id: twin.issued.clientId ?? '',
  client_secret: twin.issued.clientSecret ?? '',
})

test('grants client credentials in the body, and the API takes what it granted', async () => {
  const twin = await openForTest({ template: cc })
  const { json } = await sendForm(twin, url, { ...bare, ...client(twin) })
  expect(json).toMatchObject({ expires_in: 3600, token_type: 'Bearer' })
  expect(json).not.toHaveProperty('refresh_token')
  const headers = { authorization: `Bearer ${json.access_token}` }
  expect((await send(twin, api, { headers })).json).toMatchObject({ ok: true })
  const { status, json: told } = await send(twin, api, { headers: { authorization: `Bearer ${json.access_token}x` } })
  expect([status, told.error]).toEqual([401, 'invalid_token'])
})

test.each([
  ['another audience', { audience: 'https://all.example' }, 'audience is not "https://mine.example"'],
  ['no grant type', { grant_type: '' }, 'grant_type is not "client_credentials"'],
  ['another secret', { client_secret: 'x' }, 'client_secret is not the secret'],
])('refuses client credentials with %s', async (_, wrong, words) => {
  const twin = await openForTest({ template: cc })
  const { status, json } = await sendForm(twin, url, { ...bare, ...client(twin), ...wrong })
  expect(status).toBeGreaterThanOrEqual(400)
  expect(json.error_description).toContain(words)
})

test('takes the client in the header alone, in the query alone, or as username and password', async () => {
  const header = await openForTest({ template: { ...cc, token_request_auth_method: 'basic' } })
  const { client_id, client_secret } = client(header)
  const authorization = basic(client_id, client_secret)
  expect((await sendForm(header, url, bare, { authorization })).status).toBe(200)
  const twice = await sendForm(header, url, { ...bare, client_secret }, { authorization })
  expect(twice.json.error_description).toContain('RFC 6749')

  const query = await openForTest({ template: { ...cc, body_format: 'query' } })
  const inQuery = new URLSearchParams({ ...bare, ...client(query) })
  expect((await send(query, `${url}?${inQuery}`, { method: 'POST' })).status).toBe(200)
  expect((await sendForm(query, url, { ...bare, ...client(query) })).json.error_description).toContain('in the query')

  const custom = { ...cc, token_request_auth_method: 'custom', body_format: 'json', token_params: {} }
  const named = await openForTest({ template: custom })
  const { client_id: username, client_secret: password } = client(named)
  expect((await sendJson(named, url, { username, password })).json.jwt).toMatch(/^access_/)
  expect((await sendJson(named, url, client(named))).json.error_description).toContain('username is missing')
})

test('counts in milliseconds where the template does', async () => {
  const twin = await openForTest({ template: { ...cc, expires_in_unit: 'milliseconds' } })
  expect((await sendForm(twin, url, { ...bare, ...client(twin) })).json.expires_in).toBe(3_600_000)
})

test('holds client credentials to the scopes of the integration', async () => {
  const twin = await openForTest({ template: { ...cc, scope_separator: ',' }, scopes: ['a', 'b'] })
  expect((await sendForm(twin, url, { ...bare, ...client(twin), scope: 'a b' })).json.error).toBe('invalid_scope')
  expect((await sendForm(twin, url, { ...bare, ...client(twin), scope: 'a,b' })).json.scope).toBe('a b')
})

test('holds client credentials to the scopes that the connection answered', async () => {
  const asks = {
    ...cc,
    connection_config: { ...cc.connection_config, oauth_scopes: { example: 'users.read,users.write' } },
  }
  const twin = await openForTest({ template: asks, scopes: ['other'] })
  expect((await sendForm(twin, url, { ...bare, ...client(twin), scope: 'other' })).json.error).toBe('invalid_scope')
  expect((await sendForm(twin, url, { ...bare, ...client(twin), scope: 'users.read users.write' })).status).toBe(200)
})

test('verifies a client assertion, and takes each once', async () => {
  const template = {
    ...cc,
    token_request_auth_method: 'private_key_jwt',
    credentials: { client_id: {}, client_private_key: {} },
  }
  const twin = await openForTest({ template })
  const jwk = JSON.parse(twin.issued.params['client_private_key'] ?? '')
  const now = Math.floor(Date.now() / 1000)
  const id = twin.issued.clientId
  const claims = { iss: id, sub: id, aud: url, iat: now, exp: now + 300, jti: 'one' }
  const half = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const assertion = (changed: object, header: object = {}) => {
    const text = `${half({ alg: 'RS256', kid: jwk.kid, ...header })}.${half({ ...claims, ...changed })}`
    const signature = sign('sha256', Buffer.from(text), createPrivateKey({ key: jwk, format: 'jwk' }))
    return `${text}.${signature.toString('base64url')}`
  }
  const ask = (client_assertion: string) =>
    sendForm(twin, url, {
      ...bare,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion,
    })
  expect((await ask(assertion({}))).status).toBe(200)
  expect((await ask(assertion({}))).json.error_description).toContain('used before')
  for (const [changed, words] of [
    [{ aud: 'https://other.example' }, 'the claim aud'],
    [{ sub: 'x' }, 'the claim sub'],
    [{ exp: now - 1 }, 'has expired'],
    [{ jti: undefined }, 'no jti'],
  ] as const) {
    const { status, json } = await ask(assertion(changed))
    expect(status).toBe(401)
    expect(json.error_description).toContain(words)
  }
  expect((await ask(assertion({ jti: 'two' }, { kid: 'x' }))).json.error_description).toContain('header kid')
  const forged = assertion({ jti: 'three' }).replace(
    /\.[^.]+$/,
    `.${Buffer.from('x'.repeat(256)).toString('base64url')}`,
  )
  expect((await ask(forged)).json.error_description).toContain('was not made with the issued key')
})

const key = {
  auth_mode: 'API_KEY',
  credentials: { apiKey: { pattern: '^key_[a-z0-9]{20}$' } },
  connection_config: { site: { example: '42' } },
  proxy: {
    base_url: 'https://api.acme.example/v2',
    headers: {
      authorization: 'Key ${base64(${apiKey}:)}',
      'x-site': '${connectionConfig.site}',
      'content-type': 'application/json',
    },
    query: { tag: '${connectionConfig.site}' },
    body: { auth: { key: '${apiKey}' } },
    verification: { method: 'POST', endpoints: ['/check/${credentials.apiKey}'], data: { query: 'x' } },
  },
}

test('wants an API key wherever the template puts it', async () => {
  const twin = await openForTest({ template: key })
  const { apiKey = '' } = twin.issued.params
  expect(apiKey).toMatch(/^key_[a-z0-9]{20}$/)
  const headers = { authorization: `Key ${Buffer.from(`${apiKey}:`).toString('base64')}`, 'x-site': '42' }
  const good = await send(twin, `${api}?tag=42`, { headers })
  expect(good.json).toMatchObject({ ok: true, query: { tag: '(hidden)' } })
  expect((await send(twin, `${api}?tag=42`, { headers: { ...headers, authorization: 'Key x' } })).status).toBe(401)
  expect((await send(twin, `${api}?tag=42`, { headers: { ...headers, 'x-site': '43' } })).json.message).toContain(
    'the header x-site is not "42"',
  )
  expect((await send(twin, api, { headers })).json.message).toContain('the query parameter tag is missing')
  const body = (value: object) => sendJson(twin, `${api}?tag=42`, value, headers)
  expect((await body({ a: 1 })).status).toBe(401)
  const kept = await body({ a: 1, auth: { key: apiKey } })
  expect(kept.json.body).toEqual({ a: 1 })
  expect(kept.text).not.toContain(apiKey)
})

test('takes the request that tries a credential as the template words it', async () => {
  const twin = await openForTest({ template: key })
  const { apiKey = '' } = twin.issued.params
  const headers = { authorization: `Key ${Buffer.from(`${apiKey}:`).toString('base64')}`, 'x-site': '42' }
  const check = (value: object) =>
    sendJson(twin, `https://api.acme.example/v2/check/${apiKey}?tag=42`, { ...value, auth: { key: apiKey } }, headers)
  expect((await check({})).json.message).toContain('the body has no query')
  const { status, text } = await check({ query: 'x' })
  expect(status).toBe(200)
  expect(text).not.toContain(apiKey)
})

test('wants user and password in a Basic header, unless the template puts them elsewhere', async () => {
  const template = { auth_mode: 'BASIC', proxy: { base_url: 'https://api.acme.example/v2' } }
  const twin = await openForTest({ template, answers: { username: 'robin', password: '' } })
  expect((await send(twin, api, { headers: { authorization: basic('robin', '') } })).status).toBe(200)
  expect((await send(twin, api, { headers: { authorization: basic('robin', 'x') } })).status).toBe(401)
  expect((await send(twin, api)).status).toBe(401)

  const own = { ...template, proxy: { ...template.proxy, headers: { 'x-user': '${username}/${password}' } } }
  const elsewhere = await openForTest({ template: own, answers: { username: 'robin', password: 'p' } })
  expect((await send(elsewhere, api, { headers: { 'x-user': 'robin/p' } })).status).toBe(200)
  expect((await send(elsewhere, api, { headers: { 'x-user': 'robin/q' } })).status).toBe(401)
  const both = { 'x-user': 'robin/p', authorization: basic('robin', 'wrong') }
  expect((await send(elsewhere, api, { headers: both })).status).toBe(401)
})

test('says no with a smile where the provider does', async () => {
  const template = {
    auth_mode: 'API_KEY',
    credentials_verification_script: 'apolloCredentialsVerification',
    proxy: { base_url: 'https://api.acme.example/v2', headers: { 'x-api-key': '${apiKey}' } },
  }
  const twin = await openForTest({ template })
  const wrong = await send(twin, api, { headers: { 'x-api-key': 'wrong' } })
  expect(wrong).toMatchObject({ status: 200, json: { is_logged_in: false } })
  const right = await send(twin, api, { headers: { 'x-api-key': twin.issued.params['apiKey'] ?? '' } })
  expect(right).toMatchObject({ status: 200, json: { is_logged_in: true } })
})

test.each<[script: string, path: string, body: (user: string, password: string) => string, yes: RegExp, no: RegExp]>([
  [
    'expensify',
    'ExpensifyIntegrations',
    (partnerUserID, partnerUserSecret) =>
      String(
        new URLSearchParams({
          requestJobDescription: JSON.stringify({ type: 'get', credentials: { partnerUserID, partnerUserSecret } }),
        }),
      ),
    /"responseCode":200/,
    /Authentication error/,
  ],
  [
    'lastpass',
    'enterpriseapi.php',
    (cid, provhash) => JSON.stringify({ cid, provhash, cmd: 'getuserdata' }),
    /"status":"OK"/,
    /Authorization Error/,
  ],
  [
    'vantageApparel',
    'CustomerLookupService.svc',
    (id, password) =>
      `<e:Envelope xmlns:e="x"><e:Body><id>${id}</id><password>${password}</password></e:Body></e:Envelope>`,
    /<code>200</,
    /<code>105</,
  ],
])('hears what the body tells %s, whoever the header speaks of', async (script, path, body, yes, no) => {
  const proxy = { base_url: 'https://api.acme.example' }
  const template = { auth_mode: 'BASIC', credentials_verification_script: `${script}CredentialsVerification`, proxy }
  const twin = await openForTest({ template })
  const { username = '', password = '' } = twin.issued.params
  const ask = async (text: string) =>
    (
      await send(twin, `https://api.acme.example/${path}`, {
        method: 'POST',
        headers: { authorization: basic(username, password) },
        body: text,
      })
    ).text
  expect(await ask(body(username, password))).toMatch(yes)
  for (const wrong of [body(username, 'another'), body('another', password), '']) expect(await ask(wrong)).toMatch(no)
})

test('leaves an API open that asks for nothing', async () => {
  const twin = await openForTest({ template: { auth_mode: 'NONE', proxy: { base_url: 'https://api.acme.example' } } })
  expect((await send(twin, api)).json).toMatchObject({ ok: true, path: '/v2/things' })
})

test('misbehaves at the second token request where a fault is of the refresh', async () => {
  const twin = await openForTest({ template: cc, fault: 'refresh-server-error' })
  const ask = () => sendForm(twin, url, { ...bare, ...client(twin) })
  expect((await ask()).status).toBe(200)
  expect((await ask()).status).toBe(500)
})

test.each(['reset', 'truncated'])('ends the connection of a token request with the fault %s', async (fault) => {
  const twin = await openForTest({ template: cc, fault })
  await expect(sendForm(twin, url, { ...bare, ...client(twin) })).rejects.toThrow()
})

test('does not know a fault that there is not, nor play what no template tells', async () => {
  await expect(openForTest({ template: cc, fault: 'nothing' })).rejects.toThrow('no fault called "nothing"')
  const unsupported = expect.objectContaining({ code: 'TWIN_UNSUPPORTED' })
  await expect(openForTest({ template: { auth_mode: 'TABLEAU' } })).rejects.toEqual(unsupported)
  await expect(openForTest({ template: {} })).rejects.toEqual(unsupported)
})

test('plays a template of one’s own by its word, whatever it is called', async () => {
  const twin = await openForTest({ template: cc, name: 'slack', names: ['slack'] })
  expect(twin.places.map(({ what }) => what)).not.toContain('the authorization endpoint')
})

test('misbehaves at the API of a key too', async () => {
  const template = {
    auth_mode: 'API_KEY',
    proxy: { base_url: 'https://api.acme.example', headers: { 'x-key': '${apiKey}' } },
  }
  const twin = await openForTest({ template, fault: 'api-401-once' })
  const headers = { 'x-key': twin.issued.params['apiKey'] ?? '' }
  expect((await send(twin, api, { headers })).status).toBe(401)
  expect((await send(twin, api, { headers })).status).toBe(200)
})
