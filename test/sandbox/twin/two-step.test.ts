import { createHash, createHmac, sign } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Twin } from '../../../src/sandbox/index.ts'
import { openForTest, send, sendForm, sendJson } from './twin.ts'

const json = { 'content-type': 'application/json' }
const login = 'https://api.acme.example/login'

const template = {
  auth_mode: 'TWO_STEP',
  token_url: login,
  token_headers: { ...json, 'x-app': '${connectionConfig.app}' },
  token_params: { auth: { user: '${credentials.user}', password: '${credentials.password}' }, remember: false },
  token_response: { token: 'data.token', token_expiration: 'data.until', token_expiration_strategy: 'expireAt' },
  credentials: { user: { example: 'robin' }, password: { secret: true } },
  connection_config: { app: { example: '7' } },
  proxy: { base_url: 'https://api.acme.example', headers: { 'x-token': '${accessToken}' } },
}

const params = (twin: Twin) => ({ auth: { user: 'robin', password: twin.issued.params['password'] }, remember: false })

test('logs in with JSON and answers at the paths of the template', async () => {
  const now = Date.parse('2026-03-01T12:00:00Z')
  const twin = await openForTest({ template, now: () => now })
  const { status, json: answer } = await sendJson(twin, login, params(twin), { 'x-app': '7' })
  expect(status).toBe(200)
  expect(answer).toEqual({ data: { token: expect.stringMatching(/^access_/), until: '2026-03-01T13:00:00.000Z' } })
  const api = (token: string) => send(twin, 'https://api.acme.example/x', { headers: { 'x-token': token } })
  expect((await api(answer.data.token)).status).toBe(200)
  expect((await api(`${answer.data.token}x`)).status).toBe(401)
  expect((await send(twin, 'https://api.acme.example/x')).json.message).toContain('the header x-token is missing')
})

test.each<[string, (good: object) => object, object, string]>([
  [
    'another password',
    () => ({ auth: { user: 'robin', password: 'x' }, remember: false }),
    {},
    'parameter auth.password',
  ],
  ['a text for a truth value', (good) => ({ ...good, remember: 'false' }), {}, 'parameter remember is not false'],
  ['no header', (good) => good, { 'x-app': '8' }, 'the header x-app is not "7"'],
  ['another content type', (good) => good, { 'content-type': 'text/plain' }, 'the content type is text/plain'],
])('refuses a login with %s', async (_, change, headers, words) => {
  const twin = await openForTest({ template })
  const wrong = await sendJson(twin, login, change(params(twin)), { 'x-app': '7', ...headers })
  expect(wrong.status).toBe(400)
  expect(wrong.json.error_description).toContain(words)
})

test('logs in with a form, with a GET, and with a token that is the whole answer', async () => {
  const form = { ...template, body_format: 'form', token_headers: {}, token_params: { user: '${credentials.user}' } }
  const twin = await openForTest({ template: { ...form, token_response: { token: '' } } })
  expect((await sendForm(twin, login, { user: 'robin' })).text).toMatch(/^access_/)

  const query = {
    ...form,
    token_url: `${login}?user=\${credentials.user}`,
    token_params: {},
    token_request_method: 'GET',
  }
  const get = await openForTest({ template: query })
  expect((await send(get, `${login}?user=robin`)).status).toBe(200)
  expect((await send(get, `${login}?user=x`)).json.error_description).toContain('lacks user')
  expect((await send(get, `${login}?user=robin`, { method: 'POST' })).status).toBe(405)
})

test('logs in with XML, at the URL where the API is', async () => {
  const request = { control: { senderid: '${credentials.user}', controlid: '${now}', uniqueid: false } }
  const xml = {
    ...template,
    body_format: 'xml',
    token_headers: { 'content-type': 'application/xml' },
    token_params: { request: { ...request, function: { $controlid: '{{$guid}}', getAPISession: '' } } },
    token_response: { token: 'response.api.sessionid' },
    proxy: { base_url: login },
  }
  const twin = await openForTest({ template: xml })
  const body = (user: string, at: string) =>
    `<?xml version="1.0"?><request><control><senderid>${user}</senderid><controlid>${at}</controlid>` +
    '<uniqueid>false</uniqueid></control><function controlid="{{$guid}}"><getAPISession/></function></request>'
  const headers = { 'content-type': 'application/xml' }
  const ask = (text: string) => send(twin, login, { method: 'POST', headers, body: text })
  const { status, text } = await ask(body('robin', new Date().toISOString()))
  expect(status).toBe(200)
  const [, token] =
    /^<\?xml[^>]*><response><api><sessionid>(access_[\w.-]+)<\/sessionid><\/api><\/response>$/.exec(text) ?? []
  const authorization = `Bearer ${token}`
  expect((await send(twin, login, { method: 'POST', headers: { authorization } })).json).toMatchObject({ ok: true })
  expect((await ask(body('x', new Date().toISOString()))).text).toContain('the parameter request.control.senderid')
  expect((await ask(body('robin', '2020-01-01T00:00:00.000Z'))).text).toContain('within five minutes')
  expect((await ask('<request>')).text).toContain('the body is no XML')
  expect((await ask('<!DOCTYPE x [<!ENTITY a "b">]><request/>')).text).toContain('the body is no XML')
})

test('holds a signature over a moment and a random value to the headers beside it', async () => {
  const headers = {
    ...json,
    'x-id': '${random}',
    'x-date': '${now:YYYY-MM-DDTHH:mm:ss}',
    'x-sig': '${sha256Hex(${base64(${random}${now:YYYY-MM-DDTHH:mm:ss}${credentials.password})})}',
  }
  const twin = await openForTest({ template: { ...template, token_headers: headers } })
  const id = '3f2a91c6-1111-4222-8333-6d5e8a2b7c34'
  const signed = (date: string, secret: string) => {
    const text = Buffer.from(`${id}${date}${secret}`).toString('base64')
    return { 'x-id': id, 'x-date': date, 'x-sig': createHash('sha256').update(text).digest('hex') }
  }
  const password = twin.issued.params['password'] ?? ''
  const date = (away: number) => new Date(Date.now() + away).toISOString().slice(0, 19)
  const ask = async (extra: Record<string, string>) => (await sendJson(twin, login, params(twin), extra)).status
  expect(await ask(signed(date(0), password))).toBe(200)
  expect(await ask(signed(date(-200_000), password))).toBe(200)
  expect(await ask(signed(date(-400_000), password))).toBe(400)
  expect(await ask(signed(date(0), 'x'))).toBe(400)
  expect(await ask({ ...signed(date(0), password), 'x-date': date(-5000) })).toBe(400)
  expect(await ask({ ...signed(date(0), password), 'x-id': 'no-uuid' })).toBe(400)
})

test('passes from step to step what the template reads from each answer', async () => {
  const steps = {
    ...template,
    token_headers: json,
    additional_steps: [
      { token_request_method: 'GET', token_url: '${step1.where}/.well-known/x' },
      {
        token_url: '${step2.endpoint}',
        token_headers: { ...json, authorization: 'Bearer ${step1.key}' },
        token_params: { password: '${credentials.password}' },
      },
    ],
  }
  const twin = await openForTest({ template: steps })
  const first = await sendJson(twin, login, params(twin))
  expect(first.json).toMatchObject({ where: expect.stringMatching(/^https:/), key: expect.any(String) })
  const second = await send(twin, `${first.json.where}/.well-known/x`)
  const last = (authorization: string) =>
    sendJson(twin, second.json.endpoint, { password: twin.issued.params['password'] }, { authorization })
  expect((await last('Bearer x')).status).toBe(400)
  expect((await last(`Bearer ${first.json.key}`)).json.data.token).toMatch(/^access_/)
})

test('sets the cookies that the API then wants', async () => {
  const cookies = {
    ...template,
    token_response: { token: 'SessionId' },
    token_response_headers: ['set-cookie'],
    proxy: { base_url: 'https://api.acme.example', headers: { cookie: '${credentials._cookies}' } },
  }
  const twin = await openForTest({ template: cookies })
  const { headers } = await sendJson(twin, login, params(twin), { 'x-app': '7' })
  const pairs = headers.getSetCookie().map((one) => one.split(';')[0])
  expect(pairs).toHaveLength(2)
  const api = (cookie: string) => send(twin, 'https://api.acme.example/x', { headers: { cookie } })
  expect((await api(pairs.join('; '))).status).toBe(200)
  expect((await api(pairs[0] ?? '')).status).toBe(401)
  expect((await api('')).status).toBe(401)
})

test('renews at its own URL, or tells a renewal from a login at a shared one', async () => {
  const renewable = {
    ...template,
    refresh_url: 'https://api.acme.example/renew',
    refresh_token_params: { again: '${refresh_token}' },
    token_response: {
      token: 'token',
      refresh_token: 'again',
      token_expiration: 'for',
      token_expiration_strategy: 'expireIn',
    },
  }
  const twin = await openForTest({ template: renewable })
  const { json: first } = await sendJson(twin, login, params(twin), { 'x-app': '7' })
  expect(first).toMatchObject({ again: expect.stringMatching(/^refresh_/), for: 3600 })
  const renew = (again: string) => sendJson(twin, 'https://api.acme.example/renew', { again }, { 'x-app': '7' })
  const { json: second } = await renew(first.again)
  expect(second.again).not.toBe(first.again)
  expect((await renew(first.again)).json.error).toBe('invalid_grant')

  const { refresh_url: _, refresh_token_params: __, ...rest } = renewable
  const bearer = {
    ...rest,
    token_headers: { ...json, authorization: 'Bearer ${credentials.password}' },
    token_params: {},
    refresh_token_headers: { authorization: 'Bearer ${refresh_token}' },
    token_response: { token: 'access_token', refresh_token: 'access_token' },
  }
  const shared = await openForTest({ template: bearer })
  const ask = (token: string) => send(shared, login, { method: 'POST', headers: { authorization: `Bearer ${token}` } })
  const { json: key } = await ask(shared.issued.params['password'] ?? '')
  expect((await ask(key.access_token)).json.access_token).toMatch(/^access_/)
  expect((await ask('x')).status).toBe(400)
})

test('lives as long as the template says where the answer does not', async () => {
  const bare = { ...template, token_response: { token: 'token' }, token_expires_in_ms: 60_000 }
  let now = Date.now()
  const twin = await openForTest({ template: bare, now: () => now })
  const { json: answer } = await sendJson(twin, login, params(twin), { 'x-app': '7' })
  const api = () => send(twin, 'https://api.acme.example/x', { headers: { 'x-token': answer.token } })
  expect((await api()).status).toBe(200)
  now += 61_000
  expect((await api()).status).toBe(401)
})

test.each([
  ['rate-limited', 429],
  ['server-error', 500],
  ['html', 502],
])('misbehaves with %s', async (fault, status) => {
  const twin = await openForTest({ template, fault })
  expect((await sendJson(twin, login, params(twin), { 'x-app': '7' })).status).toBe(status)
})

test('leaves out of its own words what a fault leaves out', async () => {
  const twin = await openForTest({ template, fault: 'no-access-token' })
  expect((await sendJson(twin, login, params(twin), { 'x-app': '7' })).json).toEqual({
    data: { until: expect.any(String) },
  })
})

const half = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

const seconds = (): number => Math.floor(Date.now() / 1000)

test('verifies the JWT that the template has signed', async () => {
  const signed = {
    ...template,
    signature: { protocol: 'HMAC' },
    token: {
      signing_key: '${credentials.password}',
      expires_in_ms: 300_000,
      header: { alg: 'HS256', typ: 'JWT' },
      payload: { iss: '${credentials.user}', scope: ['${connectionConfig.app}'], nobody: '${connectionConfig.none}' },
    },
    token_headers: json,
    token_params: { assertion: '${token}' },
  }
  const twin = await openForTest({ template: signed })
  const key = Buffer.from(twin.issued.params['password'] ?? '', 'hex')
  expect(key).toHaveLength(32)
  const now = seconds()
  const ask = async (changed: object, header: object = {}) => {
    const claims = { iss: 'robin', scope: ['7'], iat: now, exp: now + 300, ...changed }
    const text = `${half({ alg: 'HS256', typ: 'JWT', ...header })}.${half(claims)}`
    const assertion = `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
    const { status, json: answer } = await sendJson(twin, login, { assertion })
    return status === 200 ? 'good' : answer.error_description
  }
  expect(await ask({})).toBe('good')
  expect(await ask({ iss: 'x' })).toContain('the claim iss')
  expect(await ask({ scope: '7' })).toContain('the claim scope')
  expect(await ask({ nobody: '${connectionConfig.none}' })).toContain('nothing fills it')
  expect(await ask({ exp: now + 301 })).toContain('does not live for 300 seconds')
  expect(await ask({ iat: now - 900, exp: now - 600 })).toContain('has expired')
  expect(await ask({ surplus: 1 })).toContain('is not of this template')
  expect(await ask({}, { alg: 'none' })).toContain('is not HS256')
})

const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const dsig = 'http://www.w3.org/2000/09/xmldsig#'

/** A signed assertion, written as exclusive canonicalization would write it. */
function saml(
  key: string,
  changed: { audience?: string; recipient?: string; until?: string; name?: string } = {},
): string {
  const { audience = 'www.acme.example', recipient = login, name = 'robin' } = changed
  const until = changed.until ?? new Date(Date.now() + 200_000).toISOString()
  const open =
    '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a1" IssueInstant="2026-01-01T00:00:00Z" Version="2.0">'
  const issuer = '<saml:Issuer>acme &amp; sons</saml:Issuer>'
  const rest =
    `<saml:Subject><saml:NameID>${name}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">` +
    `<saml:SubjectConfirmationData NotOnOrAfter="${until}" Recipient="${recipient}"></saml:SubjectConfirmationData>` +
    `</saml:SubjectConfirmation></saml:Subject><saml:Conditions NotOnOrAfter="${until}"><saml:AudienceRestriction>` +
    `<saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AttributeStatement>` +
    '<saml:Attribute Name="use_email"><saml:AttributeValue>false</saml:AttributeValue></saml:Attribute>' +
    '</saml:AttributeStatement></saml:Assertion>'
  const digest = createHash('sha256')
    .update(open + issuer + rest)
    .digest('base64')
  const info = (namespace: string) =>
    `<ds:SignedInfo${namespace}><ds:CanonicalizationMethod Algorithm="${exclusive}"></ds:CanonicalizationMethod>` +
    '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod>' +
    `<ds:Reference URI="#_a1"><ds:Transforms><ds:Transform Algorithm="${dsig}enveloped-signature"></ds:Transform>` +
    `<ds:Transform Algorithm="${exclusive}"></ds:Transform></ds:Transforms><ds:DigestMethod ` +
    'Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>' +
    `<ds:DigestValue>${digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>`
  const value = sign('sha256', Buffer.from(info(` xmlns:ds="${dsig}"`)), key).toString('base64')
  // As a signer may write it: another attribute order, empty elements closed at once, spaces inside tags.
  const written = `<ds:Signature xmlns:ds="${dsig}">${info('').replaceAll('></ds:Transform>', ' />')}<ds:SignatureValue>${value}</ds:SignatureValue></ds:Signature>`
  return (
    open.replace('ID="_a1" IssueInstant="2026-01-01T00:00:00Z"', 'IssueInstant=\'2026-01-01T00:00:00Z\'  ID="_a1"') +
    issuer +
    written +
    rest
  )
}

test('verifies a signed SAML assertion', async () => {
  const bearer = {
    ...template,
    assertion: {
      type: 'saml',
      key: '${assertionOption.key}',
      issuer: 'acme & sons',
      lifetimeInSeconds: '300',
      audiences: 'www.acme.example',
      attributes: { use_email: false },
      nameIdentifier: '${assertionOption.who}',
      recipient: login,
    },
    assertion_option: { key: {}, who: { example: 'robin' } },
    token_headers: json,
    token_params: { assertion: '${credentials.assertion}' },
    credentials: { assertion: { automated: true } },
  }
  const twin = await openForTest({ template: bearer })
  expect(twin.issued.params).not.toHaveProperty('assertion')
  const key = twin.issued.params['key'] ?? ''
  const ask = async (xml: string) => {
    const assertion = Buffer.from(xml).toString('base64')
    const { status, json: answer } = await sendJson(twin, login, { assertion })
    return status === 200 ? 'good' : answer.error_description
  }
  expect(await ask(saml(key))).toBe('good')
  expect(await ask(saml(key, { audience: 'x' }))).toContain('the audience is not "www.acme.example"')
  expect(await ask(saml(key, { recipient: 'x' }))).toContain('the Recipient')
  expect(await ask(saml(key, { name: 'x' }))).toContain('the NameID')
  expect(await ask(saml(key, { until: '2020-01-01T00:00:00Z' }))).toContain('NotOnOrAfter is over')
  expect(await ask(saml(key, { until: '2090-01-01T00:00:00Z' }))).toContain('later than 300 seconds')
  expect(await ask(saml(key).replace('>robin<', '>eve<'))).toContain('the digest of the assertion is another')
  const [before = '', after = ''] = saml(key).split('<ds:SignatureValue>')
  expect(await ask(`${before}<ds:SignatureValue>AAAA${after.slice(4)}`)).toContain('not made with the issued key')
  expect(await ask(saml(key).replace(/<ds:Signature .*<\/ds:Signature>/, ''))).toContain('no signature of its own')
  expect(await ask('<x/>')).toContain('no SAML assertion')
})
