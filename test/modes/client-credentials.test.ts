import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { describe, expect, it, test } from 'vitest'
import { integrate } from '../../src/integrate.ts'
import { locate } from '../../src/locate.ts'
import type { Given } from '../../src/look-up.ts'
import type { ProviderError } from '../../src/model/errors.ts'
import { refresh } from '../../src/refresh.ts'
import { rehearse } from '../../src/rehearse.ts'
import { openProvider, type Reply, type Script } from '../support/provider.ts'
import { failure, openWorkshop } from '../support/world.ts'

const clientId = 'client-1'
const clientSecret = 'S3cret-of-this+client/with=signs'
const accessToken = 'Acc3ss-token-of-this-client-0123456789'
const client: Given = { clientId, clientSecret }
const good: Reply = { body: { access_token: accessToken, token_type: 'Bearer', expires_in: 3600 } }

const template = (origin: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  display_name: 'Alone',
  docs: 'https://alone.example',
  auth_mode: 'OAUTH2_CC',
  token_url: `${origin}/token`,
  token_params: { grant_type: 'client_credentials' },
  proxy: { base_url: `${origin}/api` },
  ...more,
})

type More = Record<string, unknown>

/** A provider whose token endpoint does as it is told, and whose API takes the token. */
async function openAlone(token: Script | Reply = good, more: More | ((origin: string) => More) = {}) {
  const script: Script = typeof token === 'function' ? token : () => token
  const provider = await openProvider({
    routes: {
      '/token': script,
      '/api/me': ({ headers }) => ({ status: headers.authorization === `Bearer ${accessToken}` ? 200 : 401, body: {} }),
    },
  })
  const fields = typeof more === 'function' ? more(provider.origin) : more
  const workshop = openWorkshop({ templates: { alone: template(provider.origin, fields) } })
  return { ...provider, workshop }
}

const quirks = (workshop: ReturnType<typeof openWorkshop>): readonly string[] =>
  workshop.events.flatMap((event) => (event.type === 'quirk' ? [event.quirk] : []))

describe('the request', () => {
  it('is a form with the client in its body, and the connection calls the API', async () => {
    const { workshop, hits } = await openAlone()
    const { connection } = await workshop.connect('alone', { ...client, scopes: ['a', 'b'] })
    expect(hits[0]?.body).toBe(
      `client_id=client-1&client_secret=${encodeURIComponent(clientSecret)}&grant_type=client_credentials&scope=a+b`,
    )
    expect(hits[0]?.headers['content-type']).toBe('application/x-www-form-urlencoded')
    expect(connection).toMatchObject({
      mode: 'OAUTH2_CC',
      credential: { type: 'OAUTH2_CC', accessToken, raw: { access_token: accessToken } },
      snapshot: { renewal: 'again' },
    })
    expect((await workshop.request('alone', { target: '/me' })).status).toBe(200)
    for (const secret of [clientSecret, accessToken]) expect(workshop.told()).not.toContain(secret)
  })

  it('carries the client in a raw Basic header alone where the template says basic', async () => {
    const { workshop, hits } = await openAlone(good, { token_request_auth_method: 'basic' })
    await workshop.connect('alone', client)
    expect(hits[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
    )
    expect(hits[0]?.body).toBe('grant_type=client_credentials')
  })

  it('calls the client user name and password where the template says custom, as JSON and without a grant', async () => {
    const { workshop, hits } = await openAlone(
      { body: { jwt: accessToken } },
      { token_request_auth_method: 'custom', body_format: 'json', token_params: undefined },
    )
    await workshop.connect('alone', client)
    expect(JSON.parse(hits[0]?.body ?? '')).toEqual({ username: clientId, password: clientSecret })
    expect(hits[0]?.headers['content-type']).toBe('application/json')
    expect(quirks(workshop)).toEqual([
      'the token request names no grant; RFC 6749 §4.4.2 wants one',
      'the token request is JSON',
      'the access token stands under "jwt"',
      'no "token_type"; taken as Bearer',
    ])
    expect(workshop.told()).not.toContain(clientSecret)
  })

  it('stands in the URL where the template says query, beside what stands there already', async () => {
    const { workshop, hits } = await openAlone(good, (origin) => ({
      body_format: 'query',
      token_url: `${origin}/token?tenant=7&grant_type=client_credentials`,
      token_params: { audience: 'x y' },
    }))
    await workshop.connect('alone', client)
    expect(hits[0]?.query.toString()).toBe(
      `tenant=7&grant_type=client_credentials&client_id=client-1&client_secret=${encodeURIComponent(clientSecret)}&audience=x+y`,
    )
    expect([hits[0]?.method, hits[0]?.body, hits[0]?.headers['content-type']]).toEqual(['POST', '', undefined])
    expect(quirks(workshop)[0]).toMatch(/the secret with it/)
    expect(workshop.told()).not.toContain(encodeURIComponent(clientSecret))
  })

  it('has the template’s parameters with its own grant, typed in JSON, less those about answers left empty', async () => {
    const { workshop, hits } = await openAlone(good, {
      body_format: 'json',
      token_params: {
        grant_type: 'account_credentials',
        account_id: '${connectionConfig.account}',
        organization: '${connectionConfig.organization}',
        audience: '${connectionConfig.audience} || https://api.example',
        ttl: 600,
        deep: { of: ['${connectionConfig.account}'] },
      },
      connection_config: {
        account: { type: 'string', title: 'Account' },
        organization: { type: 'string', title: 'Organization', optional: true },
        audience: { type: 'string', title: 'Audience', optional: true },
      },
    })
    await workshop.connect('alone', {
      ...client,
      params: { account: 'a/1' },
      tokenParams: { extra: 'yes', ttl: null },
      authorizationParams: { resource: 'r' },
    })
    expect(JSON.parse(hits[0]?.body ?? '')).toEqual({
      client_id: clientId,
      client_secret: clientSecret,
      grant_type: 'account_credentials',
      account_id: 'a/1',
      audience: 'https://api.example',
      deep: { of: ['a/1'] },
      extra: 'yes',
      resource: 'r',
    })
    expect(quirks(workshop)).toContain('the grant is "account_credentials"')
  })

  it('joins scopes as the template wants, and takes those that the connection was asked for', async () => {
    const { workshop, hits } = await openAlone(good, {
      scope_separator: ',',
      default_scopes: ['x'],
      connection_config: { oauth_scopes: { type: 'string', title: 'Scopes', optional: true } },
    })
    await workshop.connect('alone', { ...client, params: { oauth_scopes: 'a b,c' } })
    await workshop.connect('alone', { ...client, as: 'two' })
    await workshop.connect('alone', { ...client, as: 'three', params: { oauth_scopes: 'a' }, scopes: ['z'] })
    expect(hits.map(({ form }) => form.get('scope'))).toEqual(['a,b,c', 'x', 'z'])
  })

  it('goes out otherwise where --client-auth says so', async () => {
    const { workshop, hits } = await openAlone()
    await workshop.connect('alone', { ...client, clientAuth: 'basic+post' })
    expect([hits[0]?.headers.authorization !== undefined, hits[0]?.form.has('client_secret')]).toEqual([true, true])
    expect(await failure(workshop.connect('alone', { ...client, as: 'x', clientAuth: 'none' }))).toMatchObject({
      code: 'BAD_FLAG',
      exitCode: 2,
    })
  })

  it('is shown by a dry run and not sent', async () => {
    const { workshop, hits } = await openAlone()
    const integration = await integrate(workshop.world, await locate(workshop.world, 'alone'), {
      ...client,
      trustProject: true,
    })
    const { tokenRequest } = await rehearse(workshop.world, integration)
    expect(tokenRequest?.body).toMatch(/^client_id=client-1&client_secret=[^&]*…/)
    expect(hits).toEqual([])
  })
})

describe('an assertion of the client', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = ec.privateKey.export({ type: 'sec1', format: 'pem' }).toString()
  const parts = (jwt: string) =>
    jwt
      .split('.')
      .slice(0, 2)
      .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()))

  test.each([
    ['RS256', 'a JWK', JSON.stringify({ ...rsa.privateKey.export({ format: 'jwk' }), kid: 'key-7' }), 'key-7'],
    ['ES256', 'one line of PEM', pem.trim().replaceAll('\n', '\\n'), undefined],
  ])('is signed %s with %s', async (alg, _, key, kid) => {
    const { workshop, hits, origin } = await openAlone(good, { token_request_auth_method: 'private_key_jwt' })
    const { connection } = await workshop.connect('alone', { clientId, params: { client_private_key: key } })
    await refresh(workshop.world, 'alone', { force: true })
    const [first, second] = hits.map(({ form }) => form.get('client_assertion') ?? '')
    const [header, claims] = parts(first ?? '')
    expect(header).toEqual({ alg, ...(kid === undefined ? {} : { kid }) })
    expect(claims).toEqual({
      iss: clientId,
      sub: clientId,
      aud: `${origin}/token`,
      iat: expect.any(Number),
      exp: claims.iat + 300,
      jti: expect.any(String),
    })
    const publicKey = createPublicKey(alg === 'RS256' ? rsa.privateKey : ec.privateKey)
    const [signed, signature] = [first?.replace(/\.[^.]*$/, '') ?? '', first?.replace(/^.*\./, '') ?? '']
    const dsaEncoding = 'ieee-p1363' as const
    expect(
      verify('sha256', Buffer.from(signed), { key: publicKey, dsaEncoding }, Buffer.from(signature, 'base64url')),
    ).toBe(true)
    expect(parts(second ?? '')[1].jti).not.toBe(claims.jti)
    expect(hits[0]?.form.get('client_assertion_type')).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
    expect(hits[0]?.form.has('client_secret')).toBe(false)
    expect(connection.snapshot.client).toEqual({ id: clientId, authentication: 'private_key_jwt' })
    const told = workshop.told()
    for (const secret of [first ?? 'x', second ?? 'x', key, JSON.stringify(key).slice(1, -1)])
      expect(told).not.toContain(secret)
  })

  it('is refused before anything is sent where the key cannot be read, and quotes nothing of it', async () => {
    const { workshop, hits } = await openAlone(good, { token_request_auth_method: 'private_key_jwt' })
    for (const key of ['nonsense-key-of-nobody', '{"kty":', JSON.stringify(rsa.publicKey.export({ format: 'jwk' }))]) {
      const error = await failure(workshop.connect('alone', { clientId, params: { client_private_key: key } }))
      expect(error).toMatchObject({ code: 'BAD_KEY', exitCode: 2 })
      expect(`${error.message}${error.hint}`).not.toContain(key)
    }
    expect(hits).toEqual([])
  })
})

describe('the answer', () => {
  const t = accessToken
  test.each<[string, Reply]>([
    ['access_token', { body: { access_token: t } }],
    ['data.token', { body: { success: true, data: { token: t, expires_in: 60 } } }],
    ['data.access_token', { body: { data: { access_token: t } } }],
    ['jwt', { body: { jwt: t } }],
    ['token', { body: { token: t } }],
    ['token with members', { body: { token: { access_token: t } } }],
    ['accessToken', { body: { accessToken: t, expiresIn: '60' } }],
    ['a form', { headers: { 'content-type': 'text/plain' }, body: `access_token=${t}&expires_in=60` }],
    ['a byte order mark', { headers: { 'content-type': 'text/plain' }, body: `\uFEFF{"access_token":"${t}"}` }],
    ['a JSON text', { body: `"${t}"` }],
    ['a word', { headers: { 'content-type': 'text/plain' }, body: `${t}\n` }],
    ['201', { status: 201, body: { access_token: t, token_type: null, expires_in: null } }],
  ])('is understood: %s', async (_, reply) => {
    const { workshop } = await openAlone(reply)
    const { connection } = await workshop.connect('alone', client)
    expect(connection.credential.accessToken).toBe(t)
    expect(Date.parse(connection.credential.expiresAt ?? '')).toBeGreaterThan(Date.now())
    expect(quirks(workshop)).not.toEqual([])
    expect(workshop.told()).not.toContain(t)
  })

  const now = Date.parse('2030-01-01T00:00:00Z')
  const in2h = now + 7_200_000
  test.each<[string, More, number | undefined, More?]>([
    ['seconds', { expires_in: 7200 }, 7200],
    ['text', { expires_in: '7200' }, 7200],
    ['milliseconds where the template says so', { expires_in: 7_200_000 }, 7200, { expires_in_unit: 'milliseconds' }],
    ['an instant in seconds', { expires_at: in2h / 1000 }, 7200],
    ['an instant in milliseconds', { expires_at: in2h }, 7200],
    ['an instant in ISO 8601', { expires_at: new Date(in2h).toISOString() }, 7200],
    ['an instant as a numeric text', { expires_at: String(in2h / 1000) }, 7200],
    ['days, hours, minutes', { expires_at: '1:02:03' }, 93_780],
    ['another name', { expires: new Date(in2h).toUTCString() }, 7200],
    ['nothing', {}, 3300],
    ['what is no number', { expires_in: 'soon' }, 3300],
    ['nothing, where the template knows', {}, 600, { token_expires_in_ms: 600_000 }],
    ['nothing, where the template says never', {}, undefined, { token_expires_in_ms: 0 }],
  ])('lives as long as it says: %s', async (_, members, seconds, more = {}) => {
    const { origin } = await openProvider({
      routes: { '/token': () => ({ body: { access_token: t, token_type: 'bearer', ...members } }) },
    })
    const workshop = openWorkshop({
      templates: { alone: template(origin, more) },
      clock: { now: () => new Date(now) },
    })
    const { connection } = await workshop.connect('alone', client)
    const { expiresAt } = connection.credential
    expect(expiresAt === undefined ? undefined : (Date.parse(expiresAt) - now) / 1000).toBe(seconds)
    const codes = workshop.events.flatMap((event) => (event.type === 'warning' ? [event.code] : []))
    expect(codes).toEqual(Object.keys(members).length === 0 && seconds === 3300 ? ['LIFETIME_ASSUMED'] : [])
  })

  test.each<[string, Reply, More]>([
    [
      'an error',
      { status: 401, body: { error: 'invalid_client', error_description: 'Who are you' } },
      { code: 'INVALID_CLIENT', status: 401, words: 'Who are you' },
    ],
    ['an error with 200', { body: { error: 'invalid_scope' } }, { code: 'INVALID_SCOPE' }],
    [
      'an error of its own kind',
      { status: 403, body: { errors: [{ message: 'Key was revoked' }] } },
      { status: 403, words: 'Key was revoked' },
    ],
    [
      'a page',
      { status: 404, body: '<html><title>Nothing here</title></html>' },
      { code: 'HTTP_404', words: 'Nothing here' },
    ],
    [
      'a redirect',
      { status: 302, headers: { location: 'https://other.example/login' } },
      { code: 'HTTP_302', hint: expect.stringContaining('other.example') },
    ],
    ['an empty body', { status: 200, body: '' }, { code: 'ANSWER_UNUSABLE' }],
    [
      'half a body',
      { headers: { 'content-type': 'application/json' }, body: `{"access_token":"${t}` },
      { code: 'ANSWER_UNUSABLE' },
    ],
    [
      'half a body of a refusal',
      { status: 500, headers: { 'content-type': 'application/json' }, body: `{"access_token":"${t}` },
      { code: 'HTTP_500', words: undefined },
    ],
    [
      'a form that is cut',
      { headers: { 'content-type': 'text/plain' }, body: `x=1&acc_token=${t}` },
      { code: 'ANSWER_UNUSABLE', words: undefined },
    ],
    ['no token', { body: { hello: 'world' } }, { code: 'NO_ACCESS_TOKEN', hint: expect.stringContaining('hello') }],
    ['another type of token', { body: { access_token: t, token_type: 'mac' } }, { code: 'TOKEN_TYPE_UNSUPPORTED' }],
  ])('is refused: %s', async (_, reply, expected) => {
    const { workshop } = await openAlone(reply)
    const error = await failure(workshop.connect('alone', client))
    expect(error).toMatchObject({ exitCode: 4, ...expected })
    expect(await workshop.world.store.connections.read('alone')).toBeUndefined()
    for (const secret of [clientSecret, t])
      expect(`${workshop.told()}${error.message}${error.hint}${(error as ProviderError).words}`).not.toContain(secret)
  })

  it('leaves answers behind where the template wants them, for the base URL too', async () => {
    const { workshop, origin } = await openAlone(
      () => ({ body: { access_token: accessToken, instance_url: home(), org: { id: 7 } } }),
      {
        token_response_metadata: ['instance_url', 'org.id'],
        proxy: { base_url: '${connectionConfig.instance_url}' },
        connection_config: { instance_url: { type: 'string', title: 'Instance', automated: true } },
      },
    )
    const home = (): string => `${origin}/api`
    const { connection } = await workshop.connect('alone', client)
    expect(connection.params).toEqual({ instance_url: home(), 'org.id': '7' })
    expect((await workshop.request('alone', { target: '/me' })).status).toBe(200)
  })
})

it('asks again when the token is stale, and after a 401, with what the connection holds', async () => {
  let count = 0
  const { workshop, hits } = await openAlone(() => {
    count += 1
    return {
      body: { access_token: count < 3 ? `${accessToken}-${count}` : accessToken, expires_in: count === 1 ? 0 : 3600 },
    }
  })
  await workshop.connect('alone', { ...client, tokenParams: { audience: 'a' } })
  expect((await workshop.request('alone', { target: '/me' })).status).toBe(200)
  expect(hits.map(({ path }) => path)).toEqual(['/token', '/token', '/api/me', '/token', '/api/me'])
  expect(new Set(hits.filter(({ path }) => path === '/token').map(({ body }) => body)).size).toBe(1)
  expect(workshop.told()).not.toContain(accessToken)
})
