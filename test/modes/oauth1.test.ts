import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it, test } from 'vitest'
import { integrate } from '../../src/integrate.ts'
import { locate } from '../../src/locate.ts'
import type { Given } from '../../src/look-up.ts'
import { rehearse } from '../../src/rehearse.ts'
import { token } from '../../src/token.ts'
import { consumerKey, consumerSecret, type OAuth1Terms, openOAuth1Server } from '../support/oauth1-server.ts'
import { openProvider } from '../support/provider.ts'
import { failure, openWorkshop } from '../support/world.ts'

const given: Given = { clientId: consumerKey, clientSecret: consumerSecret, port: 0 }

const template = (origin: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  display_name: 'Three legs',
  docs: 'https://legs.example',
  auth_mode: 'OAUTH1',
  request_url: `${origin}/request`,
  authorization_url: `${origin}/authorize`,
  token_url: `${origin}/access`,
  signature_method: 'HMAC-SHA1',
  proxy: { base_url: `${origin}/api` },
  ...more,
})

/** A provider and somebody whose browser goes wherever it is sent; `pages`: what it saw in the end. */
async function openLegs(terms: OAuth1Terms = {}, more: Record<string, unknown> = {}, limit?: AbortSignal) {
  const server = await openOAuth1Server(terms)
  const pages: Promise<string>[] = []
  const workshop = openWorkshop({
    templates: { legs: template(server.origin, more) },
    browse: async (url) => {
      pages.push(
        fetch(url).then(
          (page) => page.text(),
          () => 'gone',
        ),
      )
      return 'a test'
    },
    ...(limit === undefined ? {} : { signal: limit }),
  })
  const leaks = (): string[] => {
    const told = workshop.told()
    return [...server.secrets, consumerSecret, encodeURIComponent(consumerSecret)].filter((one) => told.includes(one))
  }
  return { ...server, workshop, pages, leaks }
}

describe('the three legs', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().trim().replaceAll('\n', '\\n')
  const rsa = { publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() }

  test.each<[string, OAuth1Terms, string]>([
    ['HMAC-SHA1', {}, consumerSecret],
    ['HMAC-SHA256', {}, consumerSecret],
    ['PLAINTEXT', {}, consumerSecret],
    ['RSA-SHA1', rsa, pem],
  ])('bring home a token that signs calls: %s', async (method, terms, clientSecret) => {
    const { workshop, judged, pages, leaks, origin } = await openLegs(
      { ...terms, extra: { user_id: '42', screen_name: 'ann' } },
      { signature_method: method },
    )
    const { connection } = await workshop.connect('legs', { ...given, clientSecret })
    expect(judged.map(({ path, problem }) => [path, problem])).toEqual([
      ['/request', undefined],
      ['/access', undefined],
    ])
    expect(judged.map(({ oauth }) => oauth['oauth_signature_method'])).toEqual([method, method])
    expect(connection).toMatchObject({
      mode: 'OAUTH1',
      credential: {
        type: 'OAUTH1',
        accessToken: expect.stringMatching(/^lasting/),
        captured: { oauth_token_secret: expect.stringMatching(/^lastingsecret/) },
        raw: { user_id: '42', screen_name: 'ann' },
      },
      snapshot: { client: { authentication: 'signature' } },
    })
    expect(await pages[0]).toContain('Connected')
    const json = { headers: [['content-type', 'application/json']] as const, body: '{"a":"b&c=d"}' }
    const form = { headers: [['content-type', 'application/x-www-form-urlencoded']] as const, body: 'b=2+3&a=ü%20&a=' }
    for (const call of [
      { target: '/photos?size=original&file=a%20b&c%40=!*' },
      { target: '/photos', method: 'POST', ...json },
      { target: '/photos?z=1', method: 'POST', ...form },
      { target: '/photos', method: 'DELETE' },
    ])
      expect(await workshop.request('legs', call), JSON.stringify(call)).toMatchObject({ status: 200 })
    expect(new Set(judged.map(({ oauth }) => oauth['oauth_nonce'])).size).toBe(6)
    expect(leaks()).toEqual([])
    const warnings = workshop.events.flatMap((event) => (event.type === 'warning' ? [event.code] : []))
    expect(warnings).toEqual([])
    expect(connection.snapshot.origins).toEqual([origin])
    expect(await failure(token(workshop.world, 'legs'))).toMatchObject({ code: 'NO_TOKEN', exitCode: 2 })
  })

  it('carry the state inside the callback URL, which both requests name, and the template’s parameters', async () => {
    const { workshop, judged, visits } = await openLegs(
      {},
      {
        request_params: { x_auth_access_type: 'write' },
        authorization_params: { expiration: 'never' },
        scope_separator: ',',
      },
    )
    await workshop.connect('legs', { ...given, scopes: ['read', 'write'], authorizationParams: { name: 'Test app' } })
    const [first, second] = judged
    const callback = new URL(first?.oauth['oauth_callback'] ?? '')
    expect(callback.searchParams.get('state')).toMatch(/^[\w-]{43}$/)
    expect(first?.body).toBe('x_auth_access_type=write')
    expect(Object.fromEntries(visits[0] ?? [])).toEqual({
      oauth_token: second?.oauth['oauth_token'],
      scope: 'read,write',
      expiration: 'never',
      oauth_callback: callback.href,
      name: 'Test app',
    })
    expect(workshop.told()).not.toContain(callback.searchParams.get('state'))
  })

  it('go by GET where the template says so, parameters in the query', async () => {
    const { workshop, judged } = await openLegs(
      {},
      { request_http_method: 'get', token_http_method: 'GET', request_params: { a: 'b c' } },
    )
    await workshop.connect('legs', given)
    expect(judged.map(({ method, body, problem }) => [method, body, problem])).toEqual([
      ['GET', '', undefined],
      ['GET', '', undefined],
    ])
  })

  it('are told by a dry run as far as they can be', async () => {
    const { workshop, judged } = await openLegs()
    const integration = await integrate(workshop.world, await locate(workshop.world, 'legs'), {
      ...given,
      trustProject: true,
    })
    const rehearsal = await rehearse(workshop.world, integration)
    expect(rehearsal).toMatchObject({ temporaryRequest: { method: 'POST', url: expect.stringMatching(/\/request$/) } })
    expect(JSON.stringify(rehearsal)).not.toContain(consumerSecret)
    expect(judged).toEqual([])
  })
})

describe('the first leg', () => {
  test.each([undefined, 'false', ''])('ends it where the callback is not confirmed: %j', async (confirmed) => {
    const { workshop, visits, leaks } = await openLegs({ confirmed })
    expect(await failure(workshop.connect('legs', given))).toMatchObject({
      code: 'CALLBACK_NOT_CONFIRMED',
      exitCode: 4,
    })
    expect(visits).toEqual([])
    expect(leaks()).toEqual([])
  })

  it('takes any spelling of true', async () => {
    const { workshop } = await openLegs({ confirmed: 'True' })
    await workshop.connect('legs', given)
  })

  it('ends it with the provider’s own word where the secret is wrong, before a browser opens', async () => {
    const { workshop, visits } = await openLegs()
    const error = await failure(workshop.connect('legs', { ...given, clientSecret: 'another-secret-than-that' }))
    expect(error).toMatchObject({ code: 'SIGNATURE_INVALID', status: 401, exitCode: 4 })
    expect(error.hint).toContain('consumer key or secret')
    expect(visits).toEqual([])
    expect(workshop.told()).not.toContain('another-secret-than-that')
  })

  test.each([
    [
      'a page',
      { status: 503, body: '<title>Down for a while</title>' },
      { code: 'HTTP_503', words: 'Down for a while' },
    ],
    ['a redirect', { status: 302, headers: { location: 'https://other.example/' } }, { code: 'HTTP_302' }],
    ['nothing', { body: '' }, { code: 'NO_ACCESS_TOKEN', status: 200 }],
    ['half of it', { body: 'oauth_token=half-of-a-pair' }, { code: 'NO_ACCESS_TOKEN' }],
  ])('refuses %s', async (_, reply, expected) => {
    const { origin } = await openProvider({ routes: { '/request': () => reply } })
    const workshop = openWorkshop({ templates: { legs: template(origin) } })
    const error = await failure(workshop.connect('legs', given))
    expect(error).toMatchObject({ exitCode: 4, ...expected })
    expect(`${JSON.stringify(error)}${workshop.told()}`).not.toContain('half-of-a-pair')
  })

  it('refuses a method that nobody knows, and a secret that is no key', async () => {
    const { workshop, judged } = await openLegs({}, { signature_method: 'RSA-SHA1' })
    const error = await failure(workshop.connect('legs', given))
    expect(error).toMatchObject({ code: 'BAD_KEY', exitCode: 2 })
    expect(`${error.message}${error.hint}`).not.toContain(consumerSecret)
    expect(judged).toEqual([])
  })
})

describe('the way home', () => {
  it('ends with the denial, by whatever name it comes', async () => {
    const denials: ((callback: URL, token: string) => [string, string])[] = [
      (_, token) => ['denied', token],
      () => ['oauth_problem', 'user_refused'],
      () => ['error', 'access_denied'],
    ]
    for (const denial of denials) {
      const { workshop, judged, pages } = await openLegs({
        onAuthorize: (callback, token) => {
          callback.searchParams.delete('oauth_verifier')
          callback.searchParams.delete('oauth_token')
          callback.searchParams.set(...denial(callback, token))
          return callback
        },
      })
      const error = await failure(workshop.connect('legs', given))
      expect(error).toMatchObject({ code: expect.stringMatching(/ACCESS_DENIED|USER_REFUSED/), exitCode: 4 })
      expect(await pages[0]).toMatch(/refused/)
      expect(judged).toHaveLength(1)
    }
  })

  test.each<[string, (callback: URL) => void, string]>([
    ['another request token', (url) => url.searchParams.set('oauth_token', 'somebody-elses'), 'token mismatch'],
    ['two request tokens', (url) => url.searchParams.append('oauth_token', 'another'), 'token mismatch'],
    ['another state', (url) => url.searchParams.set('state', 'x'), 'state mismatch'],
    ['no state', (url) => url.searchParams.delete('state'), 'state missing'],
  ])('ignores %s and goes on waiting', async (_, spoil, reason) => {
    const limit = new AbortController()
    const { workshop, judged } = await openLegs(
      {
        onAuthorize: (callback) => {
          spoil(callback)
          return callback
        },
      },
      {},
      limit.signal,
    )
    const end = failure(workshop.connect('legs', given))
    const ignored = (): boolean =>
      workshop.events.some((event) => event.type === 'callback.ignored' && event.reason === reason)
    await expect.poll(ignored, { timeout: 60_000 }).toBe(true)
    limit.abort(Object.assign(new Error('enough'), { code: 'ENOUGH' }))
    await end
    expect(judged).toHaveLength(1)
  })

  it('wants a verifier', async () => {
    const { workshop } = await openLegs({
      onAuthorize: (callback) => {
        callback.searchParams.delete('oauth_verifier')
        return callback
      },
    })
    expect(await failure(workshop.connect('legs', given))).toMatchObject({ code: 'CALLBACK_UNUSABLE', exitCode: 4 })
  })

  it('says what the provider says of a verifier that it does not take', async () => {
    const { workshop, leaks } = await openLegs({
      onAuthorize: (callback) => {
        callback.searchParams.set('oauth_verifier', 'not-the-one-that-was-made')
        return callback
      },
    })
    expect(await failure(workshop.connect('legs', given))).toMatchObject({ code: 'VERIFIER_INVALID', status: 401 })
    expect(leaks()).toEqual([])
  })
})

describe('TBA', () => {
  it('signs each call with HMAC-SHA256 and the account as its realm, and says that nothing was tried', async () => {
    const seen: string[] = []
    const { origin } = await openProvider({
      routes: {
        '/record/v1/customer': ({ headers }) => {
          seen.push(headers.authorization ?? '')
          return { body: {} }
        },
      },
    })
    const workshop = openWorkshop({
      templates: {
        net: {
          display_name: 'Net',
          docs: 'https://net.example',
          auth_mode: 'TBA',
          connection_config: { accountId: { type: 'string', title: 'Account' } },
          proxy: { base_url: `${origin}/record/v1` },
        },
      },
    })
    const params = { accountId: 'tst-drv-231', token_id: 'T0ken-id-of-this-test', token_secret: 'T0ken-secret-of-this' }
    const { connection } = await workshop.connect('net', {
      clientId: consumerKey,
      clientSecret: consumerSecret,
      params,
    })
    expect(connection.credential).toMatchObject({
      given: { token_id: params.token_id, token_secret: params.token_secret },
    })
    expect(workshop.events).toContainEqual(expect.objectContaining({ type: 'warning', code: 'UNTESTED' }))
    await workshop.request('net', { target: '/customer' })
    await workshop.request('net', { target: '/customer' })
    expect(seen[0]).toMatch(
      /^OAuth realm="TST_DRV-231", oauth_consumer_key="consumer-key-1", oauth_token="T0ken-id-of-this-test", oauth_signature_method="HMAC-SHA256", /,
    )
    expect(seen[0]).not.toBe(seen[1])
    for (const secret of [params.token_secret, params.token_id, consumerSecret])
      expect(workshop.told()).not.toContain(secret)
  })
})
