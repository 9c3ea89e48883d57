import { createHmac, createSign, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { AuthCliError, TransportError } from '../../src/model/errors.ts'
import type { ClientAuthentication } from '../../src/model/integration.ts'
import type { Template } from '../../src/model/provider.ts'
import { preload } from '../../src/node/send.ts'
import { speechOf } from '../../src/speech.ts'
import { exchangeCode, type Metadata, refreshTokens, type Talk, type Tokens } from '../../src/wire/oauth.ts'
import { openEndpoint, type Reply, roadOf, type ScriptedEndpoint } from '../support/token-endpoint.ts'

const accessToken = 'access-token-of-this-test'
const refreshToken = 'refresh-token-of-this-test'
const code = 'code-of-this-test'
const clientSecret = 'client-secret-of-this-test'
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const good = { access_token: accessToken, token_type: 'Bearer', expires_in: 3600, refresh_token: refreshToken }

let endpoint: ScriptedEndpoint
let elsewhere: ScriptedEndpoint

beforeAll(async () => {
  preload()
  endpoint = await openEndpoint()
  elsewhere = await openEndpoint()
})
afterEach(() => {
  endpoint.asked.length = 0
  elsewhere.asked.length = 0
})
afterAll(() => Promise.all([endpoint.close(), elsewhere.close()]))

interface Setup {
  readonly template?: Partial<Template> | undefined
  readonly issuer?: string | undefined
  readonly metadata?: Partial<Metadata> | undefined
  readonly authentication?: ClientAuthentication | undefined
  readonly id?: string | undefined
  readonly secret?: string | undefined
  readonly provider?: string | undefined
  readonly signal?: AbortSignal | undefined
  readonly nonce?: string | undefined
  readonly allowHttp?: boolean | undefined
  readonly tokenUrl?: string | undefined
  readonly callback?: Readonly<Record<string, string>> | undefined
}

interface Outcome {
  readonly tokens: Tokens | undefined
  readonly error: AuthCliError | undefined
  readonly quirks: readonly string[]
  readonly exchanges: number
}

function talkOf(setup: Setup) {
  const {
    issuer,
    metadata,
    authentication = 'post',
    id = 'client',
    secret = clientSecret,
    provider = 'practice',
  } = setup
  const { world, told, quirks } = roadOf(setup.signal)
  const template: Template = { auth_mode: 'OAUTH2', ...setup.template }
  const tokenEndpoint = setup.tokenUrl ?? `${endpoint.origin}/token`
  const endpoints = { authorization: `${endpoint.origin}/authorize`, token: tokenEndpoint, issuer }
  const speech = speechOf(world, (happening) => void told.push(happening), provider)
  world.secrets.learn(secret)
  const line = speech.line('token', {
    template,
    endpoints,
    params: {},
    scopes: [],
    grant: 'authorization_code',
    tokenParams: {},
  })
  const talk: Talk = {
    server: {
      issuer,
      authorizationEndpoint: endpoints.authorization,
      tokenEndpoint,
      metadata: metadata === undefined ? undefined : ({ issuer: issuer ?? '', ...metadata } as Metadata),
    },
    client: { id, secret: authentication === 'none' ? undefined : secret, authentication },
    party: {
      title: 'Practice',
      clientId: id,
      clientSecret: secret,
      authentication,
      redirectUri: 'http://localhost:8749/oauth/callback',
      answers: [],
    },
    line,
    allowHttp: setup.allowHttp ?? false,
  }
  return { talk, world, told, quirks, speech }
}

/** The code for tokens, at an endpoint that replies so; and no secret in what was told or thrown. */
async function exchange(reply: Reply, setup: Setup = {}): Promise<Outcome> {
  endpoint.answer('/token', reply)
  const { talk, world, told, quirks, speech } = talkOf(setup)
  world.secrets.learn(code)
  const outcome = await exchangeCode(talk, {
    params: new URLSearchParams({ code, state: 'the state', ...setup.callback }),
    state: 'the state',
    redirectUri: 'http://localhost:8749/oauth/callback',
    codeVerifier: verifier,
    nonce: setup.nonce,
    keys: speech.transmit('jwks'),
  }).then(
    (tokens) => ({ tokens, error: undefined }),
    (error: unknown) => {
      if (!(error instanceof AuthCliError)) throw error
      return { tokens: undefined, error }
    },
  )
  const { error } = outcome
  const said = JSON.stringify(told) + error?.message + error?.hint + JSON.stringify(error?.facts)
  for (const secret of [accessToken, refreshToken, code, clientSecret, verifier]) expect(said).not.toContain(secret)
  const exchanges = told.filter((one) => one.type === 'exchange').length
  return { ...outcome, quirks: quirks(), exchanges }
}

const json = { 'content-type': 'application/json' }

describe('the token request', () => {
  it('is a form by POST, with the redirect URI and the verifier as they were', async () => {
    await exchange({ body: good })
    expect(endpoint.asked).toHaveLength(1)
    expect(endpoint.asked[0]).toMatchObject({
      method: 'POST',
      headers: { accept: 'application/json', 'user-agent': 'auth-cli' },
    })
    expect(endpoint.asked[0]?.headers['content-type']).toMatch(/^application\/x-www-form-urlencoded/)
    expect(Object.fromEntries(new URLSearchParams(endpoint.asked[0]?.body))).toEqual({
      grant_type: 'authorization_code',
      code,
      redirect_uri: 'http://localhost:8749/oauth/callback',
      code_verifier: verifier,
      client_id: 'client',
      client_secret: clientSecret,
    })
  })

  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`
  it.each([
    ['basic', 's6BhdRkqt3', 'gX1fBat3bV', 'Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW', {}],
    ['basic', 'client', ' %&+£€', basic('client:+%25%26%2B%C2%A3%E2%82%AC'), {}],
    ['basic', 'a:b', "p:%+/ü- &=~'()*!", basic("a%3Ab:p%3A%25%2B%2F%C3%BC-+%26%3D~'()*!"), {}],
    ['basic-raw', 'client', 'p:%+/ü- &=', basic('client:p:%+/ü- &='), {}],
    ['post', 'client', 'p:%+/ü- &=', undefined, { client_id: 'client', client_secret: 'p:%+/ü- &=' }],
    ['basic+post', 'client', 'p+s', basic('client:p%2Bs'), { client_id: 'client', client_secret: 'p+s' }],
    ['none', 'client', '', undefined, { client_id: 'client' }],
  ] as const)('proves the client by %s (%s, %s)', async (authentication, id, secret, header, inBody) => {
    await exchange({ body: good }, { authentication, id, secret })
    const { headers, body } = endpoint.asked[0] ?? { headers: {}, body: '' }
    const { client_id, client_secret } = Object.fromEntries(new URLSearchParams(body))
    expect(headers.authorization).toBe(header)
    expect({ client_id, client_secret }).toEqual({ client_id: undefined, client_secret: undefined, ...inBody })
  })

  it('never leaves over plain http to another host', async () => {
    const outcome = await exchange({ body: good }, { tokenUrl: 'http://provider.test/token' })
    expect(outcome.error?.code).toBe('INSECURE_URL')
    expect(outcome.exchanges).toBe(0)
  })
})

describe('an answer that is good enough', () => {
  const usual = { accessToken, tokenType: 'bearer', refreshToken, expiresIn: 3600 }

  it.each<[string, Reply, Partial<Tokens>, number]>([
    ['by the book', { body: good }, usual, 0],
    ['with status 201', { status: 201, body: good }, usual, 1],
    ['as JSON labelled text/html', { headers: { 'content-type': 'text/html' }, body: good }, usual, 1],
    ['as JSON with no type', { headers: {}, body: good }, usual, 1],
    [
      'as JSON of another spelling',
      { headers: { 'content-type': 'Application/JSON ;charset=x' }, body: good },
      usual,
      0,
    ],
    ['behind a byte order mark', { body: `\uFEFF${JSON.stringify(good)}` }, usual, 1],
    [
      'as a form',
      {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: `access_token=${accessToken}&token_type=bearer&expires_in=3600&refresh_token=${refreshToken}&scope=a%2Cb`,
      },
      { ...usual, scopes: ['a', 'b'] },
      3,
    ],
    [
      'as a form labelled text/plain',
      { headers: { 'content-type': 'text/plain' }, body: `access_token=${accessToken}&scope=&token_type=bearer` },
      { accessToken, scopes: [] },
      1,
    ],
    [
      'with a number for a token',
      { body: { ...good, access_token: 123456789 } },
      { ...usual, accessToken: '123456789' },
      1,
    ],
    ['with BEARER', { body: { ...good, token_type: 'BEARER' } }, usual, 0],
    ['without a token type', { body: { ...good, token_type: undefined } }, usual, 1],
    ['with a null token type', { body: { ...good, token_type: null } }, usual, 2],
    ['with a null refresh token', { body: { ...good, refresh_token: null } }, { ...usual, refreshToken: undefined }, 1],
    ['with an empty refresh token', { body: { ...good, refresh_token: '' } }, { ...usual, refreshToken: undefined }, 1],
    ['with a list of scopes', { body: { ...good, scope: ['a', 'b'] } }, { ...usual, scopes: ['a', 'b'] }, 1],
    ['with a null scope', { body: { ...good, scope: null } }, { ...usual, scopes: undefined }, 1],
    ['with scopes by commas', { body: { ...good, scope: 'a,b' } }, { ...usual, scopes: ['a', 'b'] }, 1],
    ['with an object for a scope', { body: { ...good, scope: {} } }, { ...usual, scopes: undefined }, 1],
    [
      'with an opaque ID token',
      { body: { ...good, id_token: 'opaque' } },
      { ...usual, idTokenState: 'not checked' },
      0,
    ],
    ['with a null ID token', { body: { ...good, id_token: null } }, { ...usual, idTokenState: undefined }, 1],
    [
      'with a challenge beside the tokens',
      { headers: { ...json, 'www-authenticate': 'Bearer realm="x"' }, body: good },
      usual,
      0,
    ],
  ])('comes %s', async (_, reply, expected, remarks) => {
    const { tokens, error, quirks } = await exchange(reply)
    expect(error).toBeUndefined()
    expect(tokens).toMatchObject(expected)
    expect(quirks).toHaveLength(remarks)
  })

  it.each([
    [3600, 3600],
    ['3600', 3600],
    [' 3600 ', 3600],
    [0, 0],
    [3599.5, 3599.5],
    ['3600 seconds', 3600],
    ['60 min', 3600],
    ['1h', 3600],
    ['1 fortnight', undefined],
    ['never', undefined],
    ['', undefined],
    [null, undefined],
    [-1, undefined],
    ['-1', undefined],
    [true, undefined],
    [9.2e18, undefined],
    ['253402300799', undefined],
    [[3600], undefined],
  ])('lives, by expires_in %j, for %s seconds', async (given, expected) => {
    const { tokens } = await exchange({ body: { ...good, expires_in: given } })
    expect(tokens).toMatchObject({ accessToken })
    expect(tokens?.expiresIn).toBe(expected)
    expect(tokens?.expiresAt).toBeUndefined()
  })

  it('does not live for ever by 1e400', async () => {
    const { tokens } = await exchange({
      body: `{"access_token":"${accessToken}","token_type":"bearer","expires_in":1e400}`,
    })
    expect(tokens?.expiresIn).toBeUndefined()
  })

  it.each([
    [1795521600, '2026-11-24T12:00:00.000Z'],
    ['1795521600', '2026-11-24T12:00:00.000Z'],
    [1795521600000, '2026-11-24T12:00:00.000Z'],
    ['2026-11-24T12:00:00Z', '2026-11-24T12:00:00.000Z'],
    ['2026-11-24T14:00:00+02:00', '2026-11-24T12:00:00.000Z'],
    ['soon', undefined],
    [null, undefined],
    [8.64e18, undefined],
  ])('lives, by expires_at %j, until %s', async (given, expected) => {
    const { tokens } = await exchange({ body: { ...good, expires_in: undefined, expires_at: given } })
    expect(tokens).toMatchObject({ accessToken })
    expect(tokens?.expiresAt).toBe(expected)
  })

  it('keeps a token of 16 KB with every odd character byte for byte, and members that nobody knows', async () => {
    const token = 'a=+/.~'.repeat(2731)
    const { tokens } = await exchange({ body: { ...good, access_token: token, team: { id: 'T1' } } })
    expect(tokens?.accessToken).toBe(token)
    expect(tokens?.raw).toMatchObject({ access_token: token, team: { id: 'T1' }, token_type: 'Bearer' })
  })

  it.each([
    ['data.session', { data: { session: { access_token: accessToken, expires_in: 60 } } }],
    ['token', { token: accessToken, expires_in: 60 }],
    ['session.key', { session: { key: accessToken }, expires_in: 60 }],
  ])('holds the token where the template says: %s', async (path, body) => {
    const { tokens } = await exchange({ body }, { template: { alternate_access_token_response_path: path } })
    expect(tokens).toMatchObject({ accessToken, expiresIn: 60 })
  })
})

describe('an answer that will not do', () => {
  const refusal = { error: 'invalid_grant', error_description: 'The code has expired.' }

  it.each<[string, Reply, string, number | undefined]>([
    ['a refusal by the book', { status: 400, body: refusal }, 'INVALID_GRANT', 400],
    ['a refusal with status 200', { body: refusal }, 'INVALID_GRANT', 400],
    ['ok: false with status 200', { body: { ok: false, error: 'bad_client_secret' } }, 'BAD_CLIENT_SECRET', 400],
    ['success: false with a message', { body: { success: false, message: 'no' } }, 'HTTP_200', 400],
    ['a refusal with status 500', { status: 500, body: refusal }, 'INVALID_GRANT', 400],
    ['a refusal with a redirect', { status: 302, body: refusal }, 'INVALID_GRANT', 400],
    [
      'a refusal labelled text/html',
      { status: 400, headers: { 'content-type': 'text/html' }, body: refusal },
      'INVALID_GRANT',
      400,
    ],
    [
      'a refusal as a problem',
      { status: 400, headers: { 'content-type': 'application/problem+json' }, body: refusal },
      'INVALID_GRANT',
      400,
    ],
    [
      'a refusal as a form',
      { status: 400, headers: { 'content-type': 'text/plain' }, body: 'error=invalid_grant' },
      'INVALID_GRANT',
      400,
    ],
    [
      'a refusal beside a challenge',
      { status: 401, headers: { ...json, 'www-authenticate': 'Basic realm="x"' }, body: { error: 'invalid_client' } },
      'INVALID_CLIENT',
      401,
    ],
    ['a refusal in an object', { status: 400, body: { error: { code: 'bad_code', message: 'no' } } }, 'BAD_CODE', 400],
    ['a refusal by a number', { status: 400, body: { error_code: 1201, message: 'no' } }, '1201', 400],
    ['a message alone', { status: 403, body: { message: 'Forbidden' } }, 'HTTP_403', 403],
    ['no access token', { body: { token_type: 'bearer' } }, 'NO_ACCESS_TOKEN', 200],
    ['an empty access token', { body: { ...good, access_token: '' } }, 'NO_ACCESS_TOKEN', 200],
    ['a null access token', { body: { ...good, access_token: null } }, 'NO_ACCESS_TOKEN', 200],
    ['an object for an access token', { body: { ...good, access_token: {} } }, 'NO_ACCESS_TOKEN', 200],
    ['a token of type mac', { body: { ...good, token_type: 'mac' } }, 'TOKEN_TYPE_UNSUPPORTED', undefined],
    ['a token of type N_A', { body: { ...good, token_type: 'N_A' } }, 'TOKEN_TYPE_UNSUPPORTED', undefined],
    [
      'an HTML page',
      { headers: { 'content-type': 'text/html' }, body: '<!doctype html><p>hi' },
      'ANSWER_UNUSABLE',
      200,
    ],
    [
      'an HTML page with status 502',
      { status: 502, headers: { 'content-type': 'text/html' }, body: '<html>' },
      'HTTP_502',
      502,
    ],
    ['JSON that is cut short', { body: JSON.stringify(good).slice(0, -10) }, 'ANSWER_UNUSABLE', 200],
    ['nothing', { body: '' }, 'ANSWER_UNUSABLE', 200],
    ['no content', { status: 204, headers: {} }, 'HTTP_204', 204],
    ['a list', { body: [good] }, 'ANSWER_UNUSABLE', 200],
    ['null', { body: 'null' }, 'ANSWER_UNUSABLE', 200],
    ['a text', { body: '"token"' }, 'ANSWER_UNUSABLE', 200],
    ['a challenge and no body', { status: 401, headers: { 'www-authenticate': 'Basic' } }, 'HTTP_401', 401],
  ])('is %s', async (_, reply, expected, status) => {
    const { tokens, error } = await exchange(reply)
    expect(tokens).toBeUndefined()
    expect({ code: error?.code, exit: error?.exitCode }).toEqual({ code: expected, exit: 4 })
    if (status !== undefined) expect(error).toMatchObject({ status })
    expect(error?.hint).not.toBe('')
    expect(endpoint.asked).toHaveLength(1)
  })

  it('quotes the provider and keeps its link', async () => {
    const body = { ...refusal, error_uri: 'https://provider.test/help' }
    const { error } = await exchange({ status: 400, body })
    expect(error).toMatchObject({ words: 'The code has expired. https://provider.test/help' })
  })

  it.each([301, 302, 303, 307, 308])('is a redirect (%i), which no secret follows', async (status) => {
    elsewhere.answer('/token', { body: good })
    const { error } = await exchange({ status, headers: { location: `${elsewhere.origin}/token` } })
    expect(error).toMatchObject({ code: `HTTP_${status}`, exitCode: 4, status })
    expect(error?.hint).toContain(new URL(elsewhere.origin).host)
    expect(elsewhere.asked).toHaveLength(0)
    expect(endpoint.asked).toHaveLength(1)
  })

  it.each([
    [429, '120'],
    [503, 'Wed, 25 Nov 2026 07:28:00 GMT'],
  ])('is %i with Retry-After, which is told and not tried again', async (status, wait) => {
    const { error } = await exchange({ status, headers: { 'retry-after': wait }, body: 'busy' })
    expect(error).toMatchObject({ code: `HTTP_${status}`, status })
    expect(error?.hint).toContain(`Retry-After ${wait}`)
    expect(endpoint.asked).toHaveLength(1)
  })

  it('is an OAuth error with Retry-After, which is told too', async () => {
    const reply = { status: 429, headers: { ...json, 'retry-after': '7' }, body: { error: 'slow_down' } }
    const { error } = await exchange(reply)
    expect(error).toMatchObject({ code: 'SLOW_DOWN', status: 429 })
    expect(error?.hint).toContain('Retry-After 7')
  })

  it('is 5 MB long, and is not read to its end', async () => {
    let cut = false
    const { error } = await exchange((response) => {
      response.writeHead(200, { ...json, 'content-length': 5 * 1024 * 1024 })
      response.write('x'.repeat(2 * 1024 * 1024))
      response.on('close', () => {
        cut = !response.writableFinished
      })
    })
    expect(error).toMatchObject({ code: 'ANSWER_TOO_LARGE', exitCode: 4 })
    await expect.poll(() => cut).toBe(true)
  })

  it.each<[string, (response: import('node:http').ServerResponse) => void]>([
    ['before its head', (response) => void response.socket?.destroy()],
    [
      'in the middle of its body',
      (response) => {
        response.writeHead(200, { ...json, 'content-length': 1000 })
        response.write('{"access_token":"', () => response.socket?.resetAndDestroy())
      },
    ],
    [
      'in the middle of a chunked body',
      (response) => {
        response.writeHead(200, json)
        response.write('{"access_token":"abc', () => response.socket?.destroy())
      },
    ],
  ])('is cut off %s: that is the road, and the code is not sent twice', async (_, reply) => {
    const { error, exchanges } = await exchange(reply)
    expect(error).toBeInstanceOf(TransportError)
    expect(error?.exitCode).toBe(5)
    expect(endpoint.asked).toHaveLength(1)
    expect(exchanges).toBe(1)
  })

  it('never comes: whoever waits ends with the reason given', async () => {
    const controller = new AbortController()
    const late = new TransportError('TIMEOUT', 'Gave up.')
    const { error } = await exchange(() => controller.abort(late), { signal: controller.signal })
    expect(error).toMatchObject({ code: 'TIMEOUT', exitCode: 5 })
    expect(endpoint.asked).toHaveLength(1)
  })
})

describe('an ID token', () => {
  const issuer = 'https://issuer.test'
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const seconds = Math.floor(Date.now() / 1000)
  const claims = { iss: issuer, aud: 'client', sub: 'someone', exp: seconds + 300, iat: seconds, nonce: 'n' }
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const jwk = (key: KeyObject, more: object): object => ({ ...key.export({ format: 'jwk' }), use: 'sig', ...more })

  function signed(header: { alg: string; kid?: string }, payload: object, key: KeyObject | string): string {
    const text = `${encode(header)}.${encode(payload)}`
    if (typeof key === 'string') {
      const digest = `sha${header.alg.slice(2)}`
      return `${text}.${key === '' ? '' : createHmac(digest, key).update(text).digest('base64url')}`
    }
    const signature =
      header.alg === 'RS256'
        ? createSign('sha256').update(text).sign(key)
        : sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' })
    return `${text}.${signature.toString('base64url')}`
  }

  const es256 = (payload: object, key: KeyObject = ec.privateKey, kid = 'e'): string =>
    signed({ alg: 'ES256', kid }, payload, key)

  const known = (): Setup => ({ issuer, nonce: 'n', metadata: { jwks_uri: `${endpoint.origin}/jwks` } })

  async function judge(idToken: unknown, setup: Setup = known()): Promise<Outcome> {
    endpoint.answer('/jwks', {
      body: { keys: [jwk(ec.publicKey, { kid: 'e', alg: 'ES256' }), jwk(rsa.publicKey, { kid: 'r', alg: 'RS256' })] },
    })
    return exchange({ body: { ...good, id_token: idToken } }, setup)
  }

  it.each([
    ['by ES256', () => es256(claims), known, 'checked'],
    ['by RS256', () => signed({ alg: 'RS256', kid: 'r' }, claims, rsa.privateKey), known, 'checked'],
    ['by HS256 under the client secret', () => signed({ alg: 'HS256' }, claims, clientSecret), known, 'checked'],
    ['by HS512 under the client secret', () => signed({ alg: 'HS512' }, claims, clientSecret), known, 'checked'],
    ['for several, us among them', () => es256({ ...claims, aud: ['client', 'api'], azp: 'client' }), known, 'checked'],
    ['with keys that nobody publishes', () => es256(claims), () => ({ issuer, nonce: 'n' }), 'claims'],
    ['of an issuer that nobody knows', () => es256(claims), () => ({ nonce: 'n' }), 'not checked'],
  ] as const)('is believed: %s', async (_, token, setup, state) => {
    const { tokens, error } = await judge(token(), setup())
    expect(error).toBeUndefined()
    expect(tokens).toMatchObject({ accessToken, idTokenState: state })
    expect(tokens?.idToken).toMatch(/^ey/)
  })

  const without = (...names: string[]): object =>
    Object.fromEntries(Object.entries(claims).filter(([name]) => !names.includes(name)))

  it.each([
    ['not signed by the published key', () => es256(claims, other.privateKey)],
    ['signed by a key that is not published', () => es256(claims, other.privateKey, 'x')],
    ['changed after signing', () => es256(claims).replace(/\.[^.]+\./, `.${encode({ ...claims, sub: 'other' })}.`)],
    ['not signed at all', () => signed({ alg: 'none' }, claims, '')],
    ['signed with another secret', () => signed({ alg: 'HS256' }, claims, 'another')],
    [
      'signed by HS256 with the public key as a secret',
      () =>
        signed({ alg: 'HS256', kid: 'r' }, claims, rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()),
    ],
    ['of another issuer', () => es256({ ...claims, iss: 'https://other.test' })],
    ['of an issuer with a slash more', () => es256({ ...claims, iss: `${issuer}/` })],
    ['for another client', () => es256({ ...claims, aud: 'other' })],
    ['for several, authorized for none', () => es256({ ...claims, aud: ['client', 'api'] })],
    ['for several, authorized for another', () => es256({ ...claims, aud: ['client', 'api'], azp: 'api' })],
    ['past its time', () => es256({ ...claims, exp: seconds - 600 })],
    ['of another request', () => es256({ ...claims, nonce: 'other' })],
    ['of no request', () => es256(without('nonce'))],
    ['without a subject', () => es256(without('sub'))],
    ['without an expiry', () => es256(without('exp'))],
    ['without a time of issue', () => es256(without('iat'))],
    ['opaque', () => 'opaque'],
    ['not there although openid was asked for', () => undefined],
  ])('is refused when %s', async (_, token) => {
    const { tokens, error } = await judge(token())
    expect(tokens).toBeUndefined()
    expect(error).toMatchObject({ code: 'ID_TOKEN_INVALID', exitCode: 4 })
  })

  it('is refused without a signature although the metadata lists "none"', async () => {
    const metadata = { jwks_uri: `${endpoint.origin}/jwks`, id_token_signing_alg_values_supported: ['none', 'ES256'] }
    const { error } = await judge(signed({ alg: 'none' }, claims, ''), { ...known(), metadata })
    expect(error?.code).toBe('ID_TOKEN_INVALID')
  })

  it('is refused by an algorithm that the metadata does not list', async () => {
    const metadata = { jwks_uri: `${endpoint.origin}/jwks`, id_token_signing_alg_values_supported: ['RS256'] }
    const { error } = await judge(es256(claims), { ...known(), metadata })
    expect(error?.code).toBe('ID_TOKEN_INVALID')
  })

  it('is refused by HS256 where the client is public', async () => {
    const { error } = await judge(signed({ alg: 'HS256' }, claims, 'anything'), { ...known(), authentication: 'none' })
    expect(error?.code).toBe('ID_TOKEN_INVALID')
  })

  it('is refused for another nonce where the issuer is unknown too', async () => {
    const { error } = await judge(es256({ ...claims, nonce: 'other' }), { nonce: 'n' })
    expect(error?.code).toBe('ID_TOKEN_INVALID')
  })

  it('is not owed where the provider says that openid was not granted', async () => {
    const { tokens } = await exchange({ body: { ...good, scope: 'read' } }, known())
    expect(tokens).toMatchObject({ accessToken, scopes: ['read'] })
  })

  it('is not believed where its keys cannot be had', async () => {
    endpoint.answer('/broken', { status: 500, body: 'no' })
    const metadata = { jwks_uri: `${endpoint.origin}/broken` }
    const { tokens, error } = await judge(es256(claims), { ...known(), metadata })
    expect(tokens).toBeUndefined()
    expect(error?.exitCode).toBe(4)
  })
})

describe('the refresh', () => {
  async function refresh(reply: Reply, setup: Setup = {}): Promise<Tokens | AuthCliError> {
    endpoint.answer('/token', reply)
    const { talk } = talkOf(setup)
    return refreshTokens(talk, refreshToken).catch((error: unknown) => {
      if (error instanceof AuthCliError) return error
      throw error
    })
  }

  it('sends the refresh token and proves the client', async () => {
    expect(await refresh({ body: { ...good, refresh_token: 'next' } })).toMatchObject({ refreshToken: 'next' })
    expect(Object.fromEntries(new URLSearchParams(endpoint.asked[0]?.body))).toEqual({
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      client_id: 'client',
      client_secret: clientSecret,
    })
  })

  it('says nothing of a refresh token where none comes', async () => {
    const tokens = await refresh({ body: { access_token: accessToken, token_type: 'bearer' } })
    expect(tokens).toMatchObject({ accessToken, refreshToken: undefined, expiresIn: undefined })
  })

  it('is refused for good by invalid_grant', async () => {
    expect(await refresh({ status: 400, body: { error: 'invalid_grant' } })).toMatchObject({
      code: 'INVALID_GRANT',
      exitCode: 4,
    })
  })

  it('takes an ID token of another issuer for what it is', async () => {
    const seconds = Math.floor(Date.now() / 1000)
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = { iss: 'https://other.test', aud: 'client', sub: 's', exp: seconds + 60, iat: seconds }
    const token = `${encode({ alg: 'ES256' })}.${encode(claims)}.${Buffer.alloc(64).toString('base64url')}`
    expect(await refresh({ body: { ...good, id_token: token } }, { issuer: 'https://issuer.test' })).toMatchObject({
      code: 'ID_TOKEN_INVALID',
    })
  })
})
