import { createHash, createHmac, generateKeyPairSync, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Given } from '../../src/look-up.ts'
import { refresh } from '../../src/refresh.ts'
import { type Hit, openProvider, type Reply, type Script } from '../support/provider.ts'
import { twinTemplate } from '../support/twin-template.ts'
import { openWorkshop, wanderer } from '../support/world.ts'

const client = { clientId: 'the-client-id', clientSecret: 'the-client-secret-long-enough' }
const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
const ownBasic = basic(client.clientId, client.clientSecret)
const code = 'the-code-that-was-issued'
const keys = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

interface Expected {
  readonly method?: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string | undefined | RegExp>>
  /** The whole form, or the whole JSON; `true`: there and not empty. */
  readonly form?: Readonly<Record<string, string | true>>
  readonly json?: Readonly<Record<string, string | true>>
}

/** Answers only what is asked exactly as this provider wants it, and else says what is wrong. */
function strict(expected: Expected | ((hit: Hit) => Expected), reply: Reply): Script {
  return (hit) => {
    const wrong = flawOf(hit, typeof expected === 'function' ? expected(hit) : expected)
    return wrong === '' ? reply : { status: 400, body: { error: 'invalid_request', error_description: wrong } }
  }
}

function flawOf(hit: Hit, { method = 'POST', query = {}, headers = {}, form, json }: Expected): string {
  const said = json === undefined ? Object.fromEntries(hit.form) : membersOf(hit.body)
  const type = json === undefined ? /x-www-form-urlencoded/ : /^application\/json$/
  const wants: Record<string, unknown> = {
    method: [hit.method, method],
    query: [mask(Object.fromEntries(hit.query), query), query],
    ...(form === undefined && json === undefined
      ? { body: [hit.body, ''] }
      : {
          body: [mask(said, form ?? json ?? {}), form ?? json],
          type: [type.test(hit.headers['content-type'] ?? ''), true],
        }),
  }
  for (const [name, value] of Object.entries(headers)) {
    const sent = hit.headers[name]
    wants[name] = value instanceof RegExp ? [value.test(String(sent)), true] : [sent, value]
  }
  const wrong = Object.entries(wants).filter(([, pair]) => {
    const [got, want] = pair as [unknown, unknown]
    return stable(got) !== stable(want)
  })
  return wrong.map(([name, pair]) => `${name}: ${JSON.stringify(pair)}`).join('; ')
}

function membersOf(body: string): Record<string, unknown> {
  try {
    return JSON.parse(body) as Record<string, unknown>
  } catch {
    return { 'no JSON': body }
  }
}

const stable = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? JSON.stringify(Object.entries(value).sort(([a], [b]) => a.localeCompare(b)))
    : String(value)

/** What is only to be there stands as `true`. */
function mask(said: Record<string, unknown>, wanted: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(said).map(([name, value]) => [name, wanted[name] === true && value !== '' ? true : value]),
  )
}

const back =
  (more: Readonly<Record<string, string>> = { code }, state = 'state', redirect = 'redirect_uri'): Script =>
  ({ query }) => {
    const url = new URL(query.get(redirect) ?? '')
    url.search = String(new URLSearchParams({ ...more, [state]: query.get(state) ?? '' }))
    return { status: 302, headers: { location: url.href } }
  }

const issued = { access_token: 'access-one-long-enough', token_type: 'Bearer', expires_in: 3600 }
const rotating = { ...issued, refresh_token: 'refresh-one-long-enough' }
const renewed = { access_token: 'access-two-long-enough', token_type: 'Bearer', expires_in: 3600 }
const codeForm = { grant_type: 'authorization_code', code, redirect_uri: true } as const
const refreshForm = { grant_type: 'refresh_token', refresh_token: 'refresh-one-long-enough' }
const inBody = { client_id: client.clientId, client_secret: client.clientSecret }

interface Twin {
  readonly name: string
  readonly params?: Record<string, string>
  readonly given?: Given
  readonly routes: Readonly<Record<string, Script>>
  /** Where the token and the refresh go, and what is wanted there. */
  readonly first: Expected | ((hit: Hit) => Expected)
  readonly answer: unknown
  readonly status?: number
  readonly tokenPath: string
  readonly again?: {
    readonly path?: string
    readonly wants: Expected | ((hit: Hit) => Expected)
    readonly answer: unknown
  }
  readonly gets?: Record<string, unknown>
  readonly after?: Record<string, unknown>
  readonly says?: RegExp
}

const twins: readonly Twin[] = [
  {
    name: 'absorb-lms',
    params: { portalRoute: 'acme.example', restApiKey: 'rest-api-key-long-enough' },
    routes: { '/oauth/authorize': back() },
    tokenPath: '/oauth/token',
    first: {
      headers: { 'x-api-version': 'v1', 'x-api-key': 'rest-api-key-long-enough' },
      form: { ...codeForm, ...inBody, nonce: true },
    },
    answer: rotating,
    again: {
      wants: {
        headers: { 'x-api-version': 'v1', 'x-api-key': 'rest-api-key-long-enough' },
        form: { ...refreshForm, ...inBody, nonce: true, scope: 'admin.v1' },
      },
      answer: renewed,
    },
    given: { scopes: ['admin.v1'] },
    says: /nonce/,
  },
  {
    name: 'agiloft',
    params: { hostname: 'acme.example' },
    routes: { '/ewws/oauth': back() },
    tokenPath: '/ewws/otoken',
    first: {
      headers: { authorization: ownBasic },
      form: { ...codeForm, client_id: client.clientId, code_verifier: true },
    },
    answer: rotating,
    again: {
      wants: { headers: { authorization: undefined }, form: { ...refreshForm, md5_secret: 'the-client-secret-lo' } },
      answer: renewed,
    },
    says: /md5_secret|Basic/,
  },
  ...['heygen', 'posthog-oauth'].map((name): Twin => {
    const [authorize, token] =
      name === 'heygen' ? ['/oauth/authorize', '/v1/oauth/token'] : ['/oauth/authorize/', '/oauth/token/']
    return {
      name,
      params: name === 'heygen' ? {} : { subdomain: 'us' },
      routes: { [String(authorize)]: back() },
      tokenPath: String(token),
      first: { form: { ...codeForm, client_id: client.clientId, code_verifier: true } },
      answer: rotating,
      again: {
        ...(name === 'heygen' ? { path: '/v1/oauth/refresh_token' } : {}),
        wants: { headers: { authorization: undefined }, form: { ...refreshForm, client_id: client.clientId } },
        answer: renewed,
      },
      says: /public clients only/,
    }
  }),
  ...['braintree', 'braintree-sandbox'].map(
    (name): Twin => ({
      name,
      routes: { '/oauth/connect': back({ code, merchantId: 'm1' }) },
      tokenPath: '/oauth/access_tokens',
      first: {
        headers: { authorization: ownBasic, 'x-apiversion': '6', accept: 'application/json' },
        json: { grant_type: 'authorization_code', code },
      },
      answer: {
        credentials: {
          accessToken: 'access-one-long-enough',
          refreshToken: 'refresh-one-long-enough',
          tokenType: 'bearer',
          expiresAt: '2099-01-01T00:00:00Z',
        },
      },
      again: {
        wants: { headers: { authorization: ownBasic }, json: refreshForm },
        answer: { credentials: { access_token: 'access-two-long-enough', token_type: 'bearer' } },
      },
      gets: { expiresAt: '2099-01-01T00:00:00.000Z', refreshToken: 'refresh-one-long-enough' },
      says: /credentials/,
    }),
  ),
  {
    name: 'bullhorn',
    params: { username: 'recruiter', password: 'a-password-nobody-guesses' },
    routes: {
      '/oauth/authorize': back(),
      '/rest-services/login': strict(
        { query: { version: '*', access_token: 'access-one-long-enough', ttl: '10080' } },
        { body: { BhRestToken: 'rest-token-long-enough', restUrl: 'https://rest9.example/rest-services/x/' } },
      ),
    },
    tokenPath: '/oauth/token',
    first: (hit) => ({
      query: {
        grant_type: 'authorization_code',
        code,
        redirect_uri: hit.query.get('redirect_uri') ?? 'missing',
        ...inBody,
      },
    }),
    answer: rotating,
    again: { wants: { query: { ...refreshForm, ...inBody } }, answer: rotating },
    gets: { accessToken: 'rest-token-long-enough', refreshToken: 'refresh-one-long-enough' },
    after: { accessToken: 'rest-token-long-enough' },
    says: /log in to the REST API/,
  },
  {
    name: 'clover',
    params: { authorizeHost: 'www.clover.com', apiHost: 'api.clover.com' },
    routes: { '/oauth/v2/authorize': back({ code, merchant_id: 'm' }) },
    tokenPath: '/oauth/v2/token',
    first: { json: { ...inBody, code } },
    answer: {
      access_token: 'access-one-long-enough',
      refresh_token: 'refresh-one-long-enough',
      access_token_expiration: 4070908800,
    },
    again: {
      path: '/oauth/v2/refresh',
      wants: { json: { client_id: client.clientId, refresh_token: 'refresh-one-long-enough' } },
      answer: { access_token: 'access-two-long-enough', access_token_expiration: 4070908801 },
    },
    gets: { expiresAt: '2099-01-01T00:00:00.000Z' },
    says: /access_token_expiration/,
  },
  ...['coros', 'coros-sandbox'].map(
    (name): Twin => ({
      name,
      routes: { '/oauth2/authorize': back() },
      tokenPath: '/oauth2/accesstoken',
      first: { form: { ...codeForm, ...inBody, code_verifier: true } },
      answer: { ...rotating, expires_in: 2592000, openId: 'o1' },
      again: {
        path: '/oauth2/refresh-token',
        wants: { form: { ...refreshForm, ...inBody } },
        answer: { result: '0000', message: 'OK' },
      },
      after: { accessToken: 'access-one-long-enough', refreshToken: 'refresh-one-long-enough' },
      says: /thirty days/,
    }),
  ),
  ...['facebook', 'meta-marketing-api'].map(
    (name): Twin => ({
      name,
      routes: { '/v22.0/dialog/oauth': back() },
      tokenPath: '/v22.0/oauth/access_token',
      first: (hit) => {
        const redirect_uri = hit.query.get('redirect_uri') ?? 'missing'
        return { query: { redirect_uri }, json: { grant_type: 'authorization_code', code, redirect_uri, ...inBody } }
      },
      answer: issued,
      again: {
        wants: {
          method: 'GET',
          query: { grant_type: 'fb_exchange_token', ...inBody, fb_exchange_token: 'access-one-long-enough' },
        },
        answer: renewed,
      },
      says: /fb_exchange_token|redirect URI in the query/,
    }),
  ),
  ...(
    [
      ['instagram', '/oauth/authorize', 'ig'],
      ['threads', '/oauth/authorize', 'th'],
    ] as const
  ).map(
    ([name, authorize, short]): Twin => ({
      name,
      routes: {
        [authorize]: back(),
        '/access_token': strict(
          {
            method: 'GET',
            query: {
              grant_type: `${short}_exchange_token`,
              client_secret: client.clientSecret,
              access_token: 'access-one-long-enough',
            },
          },
          { body: { access_token: 'long-lived-long-enough', token_type: 'bearer', expires_in: 5184000 } },
        ),
      },
      tokenPath: '/oauth/access_token',
      first: { form: { ...codeForm, ...inBody } },
      answer: name === 'instagram' ? { data: [{ access_token: 'access-one-long-enough', user_id: '7' }] } : issued,
      gets: { accessToken: 'long-lived-long-enough' },
      again: {
        path: '/refresh_access_token',
        wants: {
          method: 'GET',
          query: { grant_type: `${short}_refresh_token`, access_token: 'long-lived-long-enough' },
        },
        answer: renewed,
      },
      says: /exchanged for the long-lived one/,
    }),
  ),
  ...(
    [
      ['fanvue', '/oauth2/auth', '/oauth2/token', {}],
      [
        'workday-oauth',
        '/acme/authorize',
        '/ccx/oauth2/acme/token',
        { authorizationDomain: 'a.example', tokenDomain: 'b.example', tenant: 'acme' },
      ],
    ] as const
  ).map(
    ([name, authorize, tokenPath, params]): Twin => ({
      name,
      params: { ...params },
      routes: { [authorize]: back() },
      tokenPath,
      first: { headers: { authorization: ownBasic }, form: { ...codeForm, code_verifier: true } },
      answer:
        name === 'fanvue'
          ? rotating
          : { access_token: issued.access_token, refresh_token: rotating.refresh_token, token_type: 'Bearer' },
      again: { wants: { headers: { authorization: ownBasic }, form: refreshForm }, answer: renewed },
      says: name === 'fanvue' ? /Basic/ : /taken for an hour/,
    }),
  ),
  ...['figma', 'figjam'].map(
    (name): Twin => ({
      name,
      routes: { '/oauth': back() },
      tokenPath: '/v1/oauth/token',
      first: (hit) => {
        const redirect_uri = hit.query.get('redirect_uri') ?? 'missing'
        const json = { grant_type: 'authorization_code', code, redirect_uri }
        return { headers: { authorization: ownBasic }, query: { redirect_uri }, json }
      },
      answer: rotating,
      again: {
        path: '/v1/oauth/refresh',
        wants: { headers: { authorization: ownBasic }, json: refreshForm },
        answer: renewed,
      },
      says: /as JSON/,
    }),
  ),
  {
    name: 'followupboss',
    routes: { '/oauth/authorize': back({ code, response: 'approved' }) },
    tokenPath: '/oauth/token',
    first: { headers: { authorization: ownBasic }, form: { ...codeForm, state: true } },
    answer: rotating,
    again: { wants: { headers: { authorization: ownBasic }, form: refreshForm }, answer: renewed },
    says: /state again/,
  },
  {
    name: 'jobber',
    routes: {
      '/api/oauth/authorize': back(),
      '/api/graphql': () => ({ body: { data: { account: { id: 'acc-1' } } } }),
    },
    tokenPath: '/api/oauth/token',
    first: { form: { grant_type: 'authorization_code', code, ...inBody } },
    answer: { access_token: 'access-one-long-enough', refresh_token: 'refresh-one-long-enough' },
    again: { wants: { form: { ...refreshForm, ...inBody } }, answer: { access_token: 'access-two-long-enough' } },
    says: /redirect URI/,
  },
  {
    name: 'mercury',
    routes: { '/oauth2/auth': back() },
    tokenPath: '/oauth2/token',
    first: { headers: { authorization: ownBasic }, form: { ...codeForm, code_verifier: true } },
    answer: rotating,
    again: { wants: { headers: { authorization: ownBasic }, form: refreshForm }, answer: renewed },
  },
  {
    name: 'microsoft-admin',
    params: { tenantId: '11111111-2222-4333-8444-555555555555' },
    routes: {
      '/11111111-2222-4333-8444-555555555555/adminconsent': back({
        tenant: '11111111-2222-4333-8444-555555555555',
        admin_consent: 'True',
      }),
    },
    tokenPath: '/11111111-2222-4333-8444-555555555555/oauth2/v2.0/token',
    first: { form: { grant_type: 'client_credentials', ...inBody, scope: 'https://graph.microsoft.com/.default' } },
    answer: issued,
    again: {
      wants: { form: { grant_type: 'client_credentials', ...inBody, scope: 'https://graph.microsoft.com/.default' } },
      answer: renewed,
    },
    says: /client credentials/,
  },
  {
    name: 'revolut-business',
    params: { authorizeHost: 'business.revolut.com', apiHost: 'b2b.revolut.com' },
    given: { clientSecret: pem },
    routes: { '/app-confirm': back() },
    tokenPath: '/api/1.0/auth/token',
    first: (hit) => ({
      form: { grant_type: 'authorization_code', code, client_id: client.clientId, ...assertionOf(hit) },
    }),
    answer: rotating,
    again: {
      wants: (hit) => ({ form: { ...refreshForm, client_id: client.clientId, ...assertionOf(hit) } }),
      answer: renewed,
    },
    says: /JWT signed with the private key/,
  },
  {
    name: 'shopline-oauth',
    params: { handle: 'acme' },
    routes: {
      // A page reads what stands behind the "#"; the browser of this test does as that page does.
      '/oauth/authorize': back({ code, appkey: client.clientId, handle: 'acme' }, 'customField', 'redirectUri'),
    },
    tokenPath: '/admin/oauth/token/create',
    first: (hit) => ({ headers: signedHeaders(hit), json: { code } }),
    answer: {
      code: 200,
      i18nCode: 'SUCCESS',
      data: {
        accessToken: 'access-one-long-enough',
        expireTime: '2099-01-01T00:00:00.000+00:00',
        scope: 'read_products',
      },
    },
    again: {
      path: '/admin/oauth/token/refresh',
      wants: (hit) => ({ headers: signedHeaders(hit) }),
      answer: {
        code: 200,
        data: { accessToken: 'access-two-long-enough', expireTime: '2099-01-02T00:00:00.000+00:00' },
      },
    },
    gets: { expiresAt: '2099-01-01T00:00:00.000Z' },
    says: /signed/,
  },
  ...['stripe-app', 'stripe-app-sandbox'].map(
    (name): Twin => ({
      name,
      params: name === 'stripe-app' ? {} : { appDomain: 'chnlink_1' },
      routes: { '/oauth/v2/authorize': back(), '/oauth/v2/chnlink_1/authorize': back() },
      tokenPath: '/v1/oauth/token',
      first: {
        headers: { authorization: basic(client.clientSecret, '') },
        form: { grant_type: 'authorization_code', code },
      },
      answer: {
        access_token: 'access-one-long-enough',
        refresh_token: 'refresh-one-long-enough',
        token_type: 'bearer',
      },
      again: {
        wants: { headers: { authorization: basic(client.clientSecret, '') }, form: refreshForm },
        answer: renewed,
      },
      says: /taken for an hour/,
    }),
  ),
  {
    name: 'tiktok-ads',
    routes: { '/portal/auth': back({ auth_code: code }) },
    tokenPath: '/open_api/v1.3/oauth2/access_token/',
    first: { json: { app_id: client.clientId, secret: client.clientSecret, auth_code: code } },
    answer: {
      code: 0,
      message: 'OK',
      data: { access_token: 'access-one-long-enough', scope: [4], advertiser_ids: ['1'] },
    },
    says: /wraps its answer in "data"/,
  },
  {
    name: 'tiktok-accounts',
    routes: { '/v2/auth/authorize/': back() },
    tokenPath: '/open_api/v1.3/tt_user/oauth2/token/',
    first: { json: { ...inBody, grant_type: 'authorization_code', auth_code: code, redirect_uri: true } },
    answer: {
      code: 0,
      data: { access_token: 'access-one-long-enough', refresh_token: 'refresh-one-long-enough', expires_in: 86400 },
    },
    again: {
      path: '/open_api/v1.3/tt_user/oauth2/refresh_token/',
      wants: { json: { ...inBody, grant_type: 'refresh_token', refresh_token: 'refresh-one-long-enough' } },
      answer: { code: 0, data: { access_token: 'access-two-long-enough', expires_in: 86400 } },
    },
    says: /auth_code/,
  },
  {
    name: 'tiktok-personal',
    routes: { '/v2/auth/authorize/': back() },
    tokenPath: '/v2/oauth/token/',
    first: {
      form: { ...codeForm, client_key: client.clientId, client_secret: client.clientSecret, code_verifier: true },
    },
    answer: rotating,
    again: {
      wants: { form: { ...refreshForm, client_key: client.clientId, client_secret: client.clientSecret } },
      answer: renewed,
    },
    says: /client_key/,
  },
  {
    name: 'walmart',
    routes: { '/authorize': back({ code, sellerId: '456', type: 'auth' }, 'state', 'redirectUri') },
    tokenPath: '/v3/token',
    first: { headers: walmartHeaders(), form: codeForm },
    answer: { ...rotating, expires_in: 900 },
    again: { wants: { headers: walmartHeaders(), form: refreshForm }, answer: renewed },
    says: /WM_/,
  },
]

function walmartHeaders(): NonNullable<Expected['headers']> {
  return {
    authorization: ownBasic,
    'wm_svc.name': 'Walmart Marketplace',
    'wm_qos.correlation_id': /^[0-9a-f-]{36}$/,
    'wm_partner.id': '456',
  }
}

function signedHeaders({ body, headers }: Hit): NonNullable<Expected['headers']> {
  const sign = createHmac('sha256', client.clientSecret)
    .update(`${body}${String(headers['timestamp'])}`)
    .digest('hex')
  return { appkey: client.clientId, timestamp: /^\d{13}$/, sign, authorization: undefined }
}

function assertionOf({ form }: Hit): Record<string, true | string> {
  const [header = '', payload = '', signature = ''] = (form.get('client_assertion') ?? '').split('.')
  const good = verify(
    'sha256',
    Buffer.from(`${header}.${payload}`),
    keys.publicKey,
    Buffer.from(signature, 'base64url'),
  )
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
  const { iat, exp } = claims as { iat: number; exp: number }
  const fits =
    good &&
    claims['iss'] === 'localhost' &&
    claims['sub'] === client.clientId &&
    claims['aud'] === 'https://revolut.com'
  return {
    client_assertion: fits && exp - iat === 300 ? true : 'a good assertion',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  }
}

/** Goes where the page would, which stands behind a "#". */
const browse = (url: string): Promise<string> => {
  const { origin, hash } = new URL(url)
  return wanderer(hash === '' ? url : `${origin}${hash.slice(1)}`)
}

/** An alias speaks as what it stands for. */
const aliases: Readonly<Record<string, string>> = { 'meta-marketing-api': 'facebook', figjam: 'figma' }

async function opened(twin: Twin) {
  const { name, routes, first, answer, status, again, tokenPath } = twin
  let connected = false
  const token = strict(first, { status, body: answer })
  const later = again === undefined ? token : strict(again.wants, { body: again.answer })
  const provider = await openProvider({
    routes: {
      ...routes,
      ...(again?.path === undefined ? {} : { [again.path]: later }),
      [tokenPath]: (hit) => (connected && again?.path === undefined ? later(hit) : token(hit)),
    },
  })
  const alias = aliases[name]
  const templates =
    alias === undefined
      ? { [name]: twinTemplate(name, provider.origin) }
      : { [alias]: twinTemplate(alias, provider.origin), [name]: { alias } }
  const workshop = openWorkshop({ templates, browse })
  const result = await workshop.connect(name, { ...client, port: 0, params: twin.params ?? {}, ...twin.given })
  connected = true
  return { ...result, provider, workshop }
}

function leaks(told: string): string[] {
  const secrets = [
    client.clientSecret,
    code,
    'one-long-enough',
    'two-long-enough',
    'rest-token-long',
    'long-lived-long',
  ]
  const spelled = secrets.flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64'),
  ])
  return [...spelled, 'a-password-nobody-guesses', 'rest-api-key-long', pem.slice(40, 80)].filter((one) =>
    told.includes(one),
  )
}

describe.each(twins.map((twin) => [twin.name, twin] as const))('%s', (name, twin) => {
  it('is connected by a twin that takes nothing else, renewed, and told of', async () => {
    const { connection, workshop } = await opened(twin)
    expect(connection.credential).toMatchObject({ accessToken: 'access-one-long-enough', ...twin.gets })
    if (twin.again !== undefined) {
      const fresh = await refresh(workshop.world, name, { force: true })
      expect(fresh.credential).toMatchObject({ accessToken: 'access-two-long-enough', ...twin.after })
      const kept = connection.credential.refreshToken
      if (kept !== undefined) expect(fresh.credential.refreshToken).toBe(kept)
    }
    const quirks = workshop.events.flatMap((event) => (event.type === 'quirk' ? [event.quirk] : []))
    if (twin.says !== undefined) expect(quirks.some((quirk) => twin.says?.test(quirk))).toBe(true)
    expect(leaks(workshop.told())).toEqual([])
  })
})

describe('a second token', () => {
  const tenant = '11111111-2222-4333-8444-555555555555'
  const token =
    (answers: (hit: Hit) => unknown): Script =>
    (hit) => {
      const body = answers(hit)
      return body === undefined ? { status: 400, body: { error: 'invalid_grant' } } : { body }
    }

  async function connected(name: string, routes: Readonly<Record<string, Script>>, given: Given = {}) {
    const provider = await openProvider({ routes })
    const workshop = openWorkshop({ templates: { [name]: twinTemplate(name, provider.origin) }, browse })
    const result = await workshop.connect(name, { ...client, port: 0, ...given })
    return { ...result, provider, workshop }
  }

  it('for the Bot Framework comes by client credentials, at the connection and at each refresh', async () => {
    let bots = 0
    const place = `/${tenant}/oauth2/v2.0`
    const { connection, workshop } = await connected(
      'microsoft-teams-bot',
      {
        [`${place}/authorize`]: back(),
        [`${place}/token`]: token(({ form }) => {
          if (
            form.get('scope') === 'https://api.botframework.com/.default' &&
            form.get('grant_type') === 'client_credentials'
          ) {
            bots += 1
            return { access_token: `bot-token-number-${bots}`, token_type: 'Bearer', expires_in: 3600 }
          }
          if (form.has('code_verifier')) return undefined
          return form.get('grant_type') === 'refresh_token' ? renewed : rotating
        }),
      },
      { params: { tenantId: tenant } },
    )
    expect(connection.credential.captured).toEqual({ botFrameworkAccessToken: 'bot-token-number-1' })
    const fresh = await refresh(workshop.world, 'microsoft-teams-bot', { force: true })
    expect(fresh.credential).toMatchObject({
      accessToken: 'access-two-long-enough',
      captured: { botFrameworkAccessToken: 'bot-token-number-2' },
    })
    expect(workshop.told()).not.toContain('bot-token-number')
  })

  describe.each(['one-drive', 'sharepoint-online'])('of %s', (name) => {
    const routes = (site: Script): Readonly<Record<string, Script>> => ({
      '/common/oauth2/v2.0/authorize': back(),
      '/v1.0/sites/root': site,
      '/common/oauth2/v2.0/token': token(({ form }) => {
        if (form.get('scope') === 'https://acme.sharepoint.com/.default offline_access')
          return {
            access_token: 'site-token-long-enough',
            token_type: 'Bearer',
            refresh_token: 'refresh-two-long-enough',
          }
        return form.get('grant_type') === 'refresh_token' ? renewed : rotating
      }),
    })

    it('is for the site that Graph names, and a rotated refresh token is kept', async () => {
      const site: Script = ({ headers }) =>
        headers.authorization === 'Bearer access-one-long-enough' ||
        headers.authorization === 'Bearer access-two-long-enough'
          ? { body: { siteCollection: { hostname: 'acme.sharepoint.com' } } }
          : { status: 401 }
      const { connection, workshop } = await connected(name, routes(site))
      expect(connection.credential).toMatchObject({
        accessToken: 'access-one-long-enough',
        refreshToken: 'refresh-two-long-enough',
        captured: { sharepointAccessToken: 'site-token-long-enough' },
      })
      await refresh(workshop.world, name, { force: true })
      expect(workshop.told()).not.toContain('site-token')
    })

    it('may be missing: the connection is made without it, and says so', async () => {
      const { connection, workshop } = await connected(
        name,
        routes(() => ({ status: 403 })),
      )
      expect(connection.credential.captured).toBeUndefined()
      expect(workshop.told()).toContain('the second token could not be had')
    })
  })

  it('of Slack’s user is kept beside that of the bot, renewed with it, and the shorter life counts', async () => {
    const bot = { ok: true, token_type: 'bot', scope: 'chat:write', expires_in: 43200 }
    const { connection, workshop } = await connected(
      'slack',
      {
        '/oauth/v2/authorize': back(),
        '/api/oauth.v2.access': token(({ form }) => {
          if (form.get('refresh_token') === 'refresh-user-long-enough')
            return {
              ok: true,
              access_token: 'user-two-long-enough',
              token_type: 'user',
              refresh_token: 'refresh-user-2-long',
            }
          if (form.get('grant_type') === 'refresh_token')
            return { ...bot, access_token: 'access-two-long-enough', refresh_token: 'refresh-two-long-enough' }
          if (form.has('code_verifier')) return undefined
          return {
            ...bot,
            access_token: 'access-one-long-enough',
            refresh_token: 'refresh-one-long-enough',
            authed_user: {
              access_token: 'user-one-long-enough',
              refresh_token: 'refresh-user-long-enough',
              expires_in: 600,
              token_type: 'user',
            },
          }
        }),
      },
      { scopes: ['chat:write'], authorizationParams: { user_scope: 'search:read' } },
    )
    const { credential } = connection
    expect(credential.captured).toEqual({
      userAccessToken: 'user-one-long-enough',
      userRefreshToken: 'refresh-user-long-enough',
    })
    expect(Date.parse(credential.expiresAt ?? '') - Date.parse(credential.obtainedAt)).toBe(600_000)
    const fresh = await refresh(workshop.world, 'slack', { force: true })
    expect(fresh.credential).toMatchObject({
      accessToken: 'access-two-long-enough',
      captured: { userAccessToken: 'user-two-long-enough', userRefreshToken: 'refresh-user-2-long' },
    })
    expect(workshop.told()).not.toMatch(/user-(one|two)-long|refresh-user/)
  })
})

it('keeps the log-in of Bullhorn out of the connection, and its REST URL in it', async () => {
  const { connection } = await opened(twins.find(({ name }) => name === 'bullhorn') as Twin)
  expect(connection.params).toEqual({ restUrl: 'https://rest9.example/rest-services/x/' })
  expect(connection.snapshot.endpoints.api).toBe('https://rest9.example/rest-services/x')
})

it('writes the PKCE challenge of TikTok’s desktop app in hex', async () => {
  const { provider } = await opened(twins.find(({ name }) => name === 'tiktok-personal') as Twin)
  const challenge = provider.hits[0]?.query.get('code_challenge')
  const verifier = provider.hits.find(({ path }) => path === '/v2/oauth/token/')?.form.get('code_verifier') ?? ''
  expect(challenge).toBe(createHash('sha256').update(verifier).digest('hex'))
})
