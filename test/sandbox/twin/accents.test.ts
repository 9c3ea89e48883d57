import { createHmac, createPrivateKey, randomUUID, sign } from 'node:crypto'
import { describe, expect, it, test } from 'vitest'
import { approve, openTwin, type Twin } from '../../../src/sandbox/index.ts'
import { readCatalogue } from '../../support/catalogue.ts'
import { basic, challenge, type Fields, openCallback, openForTest, type Reply, send, verifier } from './twin.ts'

const catalogue = readCatalogue()

/** What a client of one provider has in hand after the consent. */
interface Hand {
  readonly twin: Twin
  readonly id: string
  readonly secret: string
  readonly back: URLSearchParams
  readonly redirectUri: string
}

interface Sent {
  readonly url: string
  readonly method?: string
  readonly form?: Fields
  readonly json?: unknown
  readonly query?: Fields
  readonly headers?: Fields
}

interface Accent {
  /** The parameters of the authorization request that differ; an empty text leaves one out. */
  readonly asks?: (twin: Twin) => Fields
  readonly exchange: (hand: Hand) => Sent
  /** Where the API's token is in the answer; at the top by default. */
  readonly token?: (answer: Reply['json']) => unknown
  readonly renewal?: (hand: Hand, answer: Reply['json']) => Sent
  /** Whether a younger token comes, or the answer says something else. */
  readonly renewed?: (answer: Reply['json']) => unknown
  /** Whether the refresh token is good for another time. */
  readonly keeps?: boolean
  /** What a plain client sends, where the provider would not have it. */
  readonly plain?: 'refused'
}

const deliver = (twin: Twin, { url, method = 'POST', form, json, query, headers = {} }: Sent): Promise<Reply> => {
  const target = query === undefined ? url : `${url}?${new URLSearchParams(query)}`
  const body = form ? String(new URLSearchParams(form)) : json === undefined ? undefined : JSON.stringify(json)
  const type = form ? 'application/x-www-form-urlencoded' : json === undefined ? undefined : 'application/json'
  return send(twin, target, {
    method,
    ...(body !== undefined && { body }),
    headers: { ...(type && { 'content-type': type }), ...headers },
  })
}

const code = ({ back, redirectUri }: Hand): Fields => ({ code: back.get('code') ?? '', redirect_uri: redirectUri })
const grant = { grant_type: 'authorization_code' }
const again = (answer: Reply['json']): Fields => ({
  grant_type: 'refresh_token',
  refresh_token: String(answer['refresh_token']),
})
const client = ({ id, secret }: Hand): Fields => ({ client_id: id, client_secret: secret })
const bearer = ({ id, secret }: Hand): Fields => ({ authorization: basic(id, secret) })
const at = ({ twin }: Hand, what = 'the token endpoint'): string =>
  twin.places.find((place) => place.what === what)?.url.split('?')[0] ?? ''
const param = ({ twin }: Hand, key: string): string => twin.issued.params[key] ?? ''

const shoplineHeaders = ({ id, secret }: Hand, body: string): Fields => {
  const timestamp = String(Date.now())
  const made = createHmac('sha256', secret).update(body + timestamp)
  return { appkey: id, timestamp, sign: made.digest('hex') }
}

const assertion = ({ id, secret, redirectUri }: Hand, issuer = new URL(redirectUri).hostname): Fields => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const exp = Math.floor(Date.now() / 1000) + 300
  const head = `${part({ alg: 'RS256', typ: 'JWT' })}.${part({ iss: issuer, sub: id, aud: 'https://revolut.com', exp })}`
  const signature = sign('sha256', Buffer.from(head), createPrivateKey(secret)).toString('base64url')
  return {
    client_id: id,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: `${head}.${signature}`,
  }
}

const walmartHeaders = (hand: Hand): Fields => ({
  ...bearer(hand),
  'wm_svc.name': 'Test',
  'wm_qos.correlation_id': randomUUID(),
  'wm_partner.id': hand.back.get('sellerId') ?? '',
})

const absorbHeaders = (hand: Hand): Fields => ({
  'x-api-version': param(hand, 'apiVersion'),
  'x-api-key': param(hand, 'restApiKey'),
})

const meta = (prefix: string, graph: string): Accent => ({
  exchange: (hand) => ({ url: at(hand), form: { ...grant, ...code(hand), ...client(hand) } }),
  renewal: (_, answer) => ({
    url: `${graph}/refresh_access_token`,
    method: 'GET',
    query: { grant_type: `${prefix}_refresh_token`, access_token: String(answer['access_token']) },
  }),
  plain: 'refused',
})

const microsoft: Accent = {
  exchange: (hand) => ({ url: at(hand), form: { ...grant, ...code(hand), ...client(hand) } }),
  renewal: (hand, answer) => ({
    url: at(hand),
    form: { ...again(answer), ...client(hand), scope: 'https://acme.sharepoint.com/.default' },
  }),
  keeps: true,
}

const publicly: Accent = {
  exchange: (hand) => ({
    url: at(hand),
    form: { ...grant, ...code(hand), client_id: hand.id, code_verifier: verifier },
  }),
  renewal: (hand, answer) => ({
    url: at(hand, hand.twin.issued.params['subdomain'] ? undefined : 'the refresh endpoint'),
    form: { ...again(answer), client_id: hand.id },
  }),
  plain: 'refused',
}

const facebook: Accent = {
  exchange: (hand) => ({
    url: at(hand),
    query: { redirect_uri: hand.redirectUri },
    json: { ...client(hand), code: hand.back.get('code') ?? '', code_verifier: verifier },
  }),
  renewal: (hand, answer) => ({
    url: at(hand),
    method: 'GET',
    query: {
      grant_type: 'fb_exchange_token',
      ...client(hand),
      fb_exchange_token: String(answer['access_token']),
    },
  }),
  keeps: true,
}

const braintree: Accent = {
  exchange: (hand) => ({
    url: at(hand),
    json: { credentials: { ...grant, code: hand.back.get('code') ?? '' } },
    headers: bearer(hand),
  }),
  token: ({ credentials }) => credentials.access_token,
  renewal: (hand, { credentials }) => ({ url: at(hand), json: again(credentials), headers: bearer(hand) }),
  renewed: ({ credentials }) => Date.parse(credentials.expires_at) > Date.now() && credentials.access_token,
}

const figma: Accent = {
  exchange: (hand) => ({
    url: at(hand),
    query: { redirect_uri: hand.redirectUri },
    json: { ...grant, ...client(hand), code: hand.back.get('code') ?? '' },
  }),
  renewal: (hand, { refresh_token }) => ({
    url: at(hand, 'the refresh endpoint'),
    json: { ...client(hand), refresh_token },
  }),
  keeps: true,
}

const coros: Accent = {
  exchange: (hand) => ({
    url: at(hand),
    form: { ...grant, ...code(hand), ...client(hand), code_verifier: verifier },
  }),
  renewal: (hand, answer) => ({
    url: at(hand, 'the refresh endpoint'),
    form: { ...again(answer), ...client(hand) },
  }),
  renewed: ({ result, access_token }) => result === '0000' && access_token === undefined,
  keeps: true,
}

const stripe: Accent = {
  exchange: (hand) => ({
    url: at(hand),
    form: { ...grant, code: hand.back.get('code') ?? '' },
    headers: { authorization: basic(hand.secret, '') },
  }),
  renewal: (hand, answer) => ({
    url: at(hand),
    form: again(answer),
    headers: { authorization: basic(hand.secret, '') },
  }),
  plain: 'refused',
}

const known: Readonly<Record<string, Accent>> = {
  'absorb-lms': {
    exchange: (hand) => ({
      url: at(hand),
      form: { ...grant, ...code(hand), ...client(hand), nonce: randomUUID() },
      headers: absorbHeaders(hand),
    }),
    renewal: (hand, answer) => ({
      url: at(hand),
      form: { ...again(answer), ...client(hand), nonce: randomUUID() },
      headers: absorbHeaders(hand),
    }),
    plain: 'refused',
  },
  agiloft: {
    exchange: (hand) => ({
      url: at(hand),
      form: { ...grant, ...code(hand), client_id: hand.id },
      headers: bearer(hand),
    }),
    renewal: (hand, answer) => ({
      url: at(hand),
      form: { ...again(answer), md5_secret: hand.secret.slice(0, 20) },
    }),
    keeps: true,
    plain: 'refused',
  },
  heygen: publicly,
  'posthog-oauth': publicly,
  braintree,
  'braintree-sandbox': braintree,
  clover: {
    exchange: (hand) => ({ url: at(hand), json: { ...client(hand), code: hand.back.get('code') } }),
    renewal: (hand, { refresh_token }) => ({
      url: at(hand, 'the refresh endpoint'),
      json: { client_id: hand.id, refresh_token },
    }),
    renewed: (answer) => answer['access_token_expiration'] > Date.now() / 1000 && answer['access_token'],
  },
  coros,
  'coros-sandbox': coros,
  facebook,
  'meta-marketing-api': facebook,
  instagram: meta('ig', 'https://graph.instagram.com'),
  threads: meta('th', 'https://graph.threads.net'),
  fanvue: {
    exchange: (hand) => ({
      url: at(hand),
      form: { ...grant, ...code(hand), code_verifier: verifier },
      headers: bearer(hand),
    }),
    renewal: (hand, answer) => ({ url: at(hand), form: again(answer), headers: bearer(hand) }),
    plain: 'refused',
  },
  'workday-oauth': {
    exchange: (hand) => ({
      url: at(hand),
      form: { ...grant, ...code(hand), code_verifier: verifier },
      headers: bearer(hand),
    }),
    renewal: (hand, answer) => ({ url: at(hand), form: again(answer), headers: bearer(hand) }),
    keeps: true,
    plain: 'refused',
  },
  figma,
  figjam: figma,
  followupboss: {
    exchange: (hand) => ({
      url: at(hand),
      form: { grant_type: 'auth_code', ...code(hand), state: hand.back.get('state') ?? '' },
      headers: bearer(hand),
    }),
    renewal: (hand, answer) => ({ url: at(hand), form: again(answer), headers: bearer(hand) }),
    plain: 'refused',
  },
  jobber: {
    exchange: (hand) => ({
      url: at(hand),
      form: { ...grant, ...client(hand), code: hand.back.get('code') ?? '' },
    }),
    renewal: (hand, answer) => ({ url: at(hand), form: { ...again(answer), ...client(hand) } }),
  },
  mercury: {
    exchange: (hand) => ({ url: at(hand), form: { ...grant, ...code(hand), code_verifier: verifier } }),
    renewal: (hand, answer) => ({ url: at(hand), form: again(answer) }),
    plain: 'refused',
  },
  'microsoft-admin': {
    asks: () => ({ code_challenge: '', code_challenge_method: '' }),
    exchange: (hand) => ({
      url: at(hand),
      form: {
        grant_type: 'client_credentials',
        ...client(hand),
        scope: 'https://graph.microsoft.com/.default',
      },
    }),
    plain: 'refused',
  },
  'microsoft-teams-bot': microsoft,
  'one-drive': microsoft,
  'sharepoint-online': microsoft,
  'revolut-business': {
    exchange: (hand) => ({ url: at(hand), form: { ...grant, ...code(hand), ...assertion(hand) } }),
    renewal: (hand, answer) => ({ url: at(hand), form: { ...again(answer), ...assertion(hand) } }),
    keeps: true,
    plain: 'refused',
  },
  'shopline-oauth': {
    exchange: (hand) => {
      const json = { code: hand.back.get('code') }
      return { url: at(hand), json, headers: shoplineHeaders(hand, JSON.stringify(json)) }
    },
    token: ({ data }) => data.accessToken,
    renewal: (hand) => ({ url: at(hand, 'the refresh endpoint'), headers: shoplineHeaders(hand, '') }),
    renewed: ({ data }) => data.accessToken,
    keeps: true,
    plain: 'refused',
  },
  slack: {
    asks: () => ({ user_scope: 'search:read' }),
    exchange: (hand) => ({ url: at(hand), form: { ...code(hand), ...client(hand) } }),
    token: (answer) => answer['authed_user'].access_token,
    renewal: (hand, { authed_user }) => ({ url: at(hand), form: { ...again(authed_user), ...client(hand) } }),
  },
  'stripe-app': stripe,
  'stripe-app-sandbox': stripe,
  'tiktok-ads': {
    exchange: (hand) => ({
      url: at(hand),
      json: { app_id: hand.id, secret: hand.secret, auth_code: hand.back.get('auth_code') },
    }),
    token: ({ data }) => data.access_token,
    plain: 'refused',
  },
  'tiktok-accounts': {
    exchange: (hand) => ({
      url: at(hand),
      json: { ...grant, ...client(hand), auth_code: hand.back.get('code'), redirect_uri: hand.redirectUri },
    }),
    token: ({ data }) => data.access_token,
    renewal: (hand, { data }) => ({
      url: at(hand, 'the refresh endpoint'),
      json: { ...again(data), ...client(hand) },
    }),
    renewed: ({ data }) => data.access_token,
    plain: 'refused',
  },
  'tiktok-personal': {
    exchange: (hand) => ({
      url: at(hand),
      form: { ...grant, ...code(hand), client_key: hand.id, client_secret: hand.secret, code_verifier: verifier },
    }),
    renewal: (hand, answer) => ({
      url: at(hand),
      form: { ...again(answer), client_key: hand.id, client_secret: hand.secret },
    }),
    plain: 'refused',
  },
  walmart: {
    exchange: (hand) => ({
      url: at(hand),
      form: { ...grant, ...code(hand) },
      headers: walmartHeaders(hand),
    }),
    renewal: (hand, answer) => ({ url: at(hand), form: again(answer), headers: walmartHeaders(hand) }),
    keeps: true,
    plain: 'refused',
  },
}

async function comeBack(name: string, twin: Twin, asks: Fields = {}): Promise<Hand> {
  const template = catalogue.get(name) ?? {}
  const { redirectUri, visits } = await openCallback()
  const own = Object.entries((template['authorization_params'] ?? {}) as Fields).map(([key, text]) => [
    key,
    text === '${random}'
      ? randomUUID()
      : text.replace(/\$\{connectionConfig\.(\w+)\}/, (_, one) => twin.issued.params[one] ?? ''),
  ])
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: twin.issued.clientId ?? '',
    redirect_uri: redirectUri,
    scope: '',
    state: 'a-state',
    ...Object.fromEntries(own),
    ...(template['disable_pkce'] !== true && { code_challenge: challenge, code_challenge_method: 'S256' }),
    ...asks,
  })
  for (const [key, value] of Object.entries(asks)) if (value === '') query.delete(key)
  const place = twin.places.find(({ what }) => what === 'the authorization endpoint')?.url ?? ''
  const fragment = template['authorization_url_fragment']
  const url = Object.entries((template['authorization_url_replacements'] ?? {}) as Fields).reduce(
    (text, [from, to]) => text.replace(from, to),
    `${place}${fragment ? `#${fragment}` : ''}?${query}`,
  )
  await approve(twin.address(url))
  const back = visits.at(-1)?.searchParams ?? new URLSearchParams()
  const { clientId: id = '', clientSecret: secret = '' } = twin.issued
  return { twin, id, secret, back, redirectUri }
}

const play = (name: string, fault?: string): Promise<Twin> =>
  openForTest({ name, template: catalogue.get(name) ?? {}, names: [name], fault })

const plainly = (hand: Hand): Sent => ({
  url: at(hand),
  form: { ...grant, ...code(hand), ...client(hand), code_verifier: verifier },
})

async function callApi(hand: Hand, token: unknown): Promise<Reply> {
  const base = hand.twin.places.find(({ what }) => what === 'the API')?.url ?? ''
  const proxy = (catalogue.get(hand.twin.issued.clientId?.replace(/-client$/, '') ?? '')?.['proxy'] ?? {}) as {
    headers?: Fields
  }
  const own = Object.entries(proxy.headers ?? {}).map(([key, text]) => [
    key,
    text === '${random}'
      ? randomUUID()
      : text
          .replace('${accessToken}', String(token))
          .replace(/^\$\{connectionConfig\.version\} \|\| /, '')
          .replace(/\$\{connectionConfig\.(\w+)\}/, (_, one) => param(hand, one)),
  ])
  return send(hand.twin, base, { headers: { authorization: `Bearer ${token}`, ...Object.fromEntries(own) } })
}

/** Whether a renewal was granted, for those too who refuse with 200. */
function isGiven({ renewed = ({ access_token }) => access_token }: Accent, { status, json }: Reply): boolean {
  const isEmpty = typeof json?.['data'] === 'object' && Object.keys(json['data'] ?? {}).length === 0
  return status === 200 && !isEmpty && Boolean(renewed(json))
}

describe('the accent of', () => {
  test.each(Object.entries(known))('%s is understood', async (name, accent) => {
    const twin = await play(name)
    const hand = await comeBack(name, twin, accent.asks?.(twin))
    const reply = await deliver(twin, accent.exchange(hand))
    expect(reply.status, reply.text).toBe(200)
    const token = (accent.token ?? (({ access_token }) => access_token))(reply.json)
    const called = await callApi(hand, token)
    expect(called.status, called.text).toBe(200)
    if (accent.renewal === undefined) return
    const isLong = ['instagram', 'threads'].includes(name)
    const held = isLong ? (await lengthened(hand, name, String(token))).json : reply.json
    const younger = await deliver(twin, accent.renewal(hand, held))
    expect(younger.status, younger.text).toBe(200)
    expect(isGiven(accent, younger), younger.text).toBe(true)
    const twice = await deliver(twin, accent.renewal(hand, held))
    const second = isGiven(accent, twice)
    expect(second, twice.text).toBe(accent.keeps === true || isLong)
  })

  test.each(Object.entries(known).filter(([, { plain }]) => plain === 'refused'))(
    '%s is not plain OAuth',
    async (name, accent) => {
      const twin = await play(name)
      const hand = await comeBack(name, twin, accent.asks?.(twin))
      const reply = await deliver(twin, plainly(hand))
      const token = reply.json?.['access_token']
      const usable = reply.status === 200 && typeof token === 'string' && reply.json?.['expires_in'] !== undefined
      expect(usable, reply.text).toBe(false)
    },
  )
})

const lengthened = (hand: Hand, name: string, token: string): Promise<Reply> => {
  const [prefix, graph] =
    name === 'threads' ? ['th', 'https://graph.threads.net'] : ['ig', 'https://graph.instagram.com']
  return deliver(hand.twin, {
    url: `${graph}/access_token`,
    method: 'GET',
    query: { grant_type: `${prefix}_exchange_token`, client_secret: hand.secret, access_token: token },
  })
}

describe('a provider with an accent', () => {
  it('opens a second session at Bullhorn, whose token alone the API takes', async () => {
    const twin = await play('bullhorn')
    const hand = await comeBack('bullhorn', twin)
    const url = at(hand)
    const inBody = await deliver(twin, { url, form: { ...grant, ...code(hand), ...client(hand) } })
    expect(inBody.status).toBe(400)
    const tokens = await deliver(twin, { url, query: { ...grant, ...code(hand), ...client(hand) } })
    expect(tokens.json).not.toHaveProperty('restUrl')
    const login = 'https://rest.bullhornstaffing.com/rest-services/login'
    const signIn = (query: Fields) => deliver(twin, { url: login, query: { version: '*', ttl: '10080', ...query } })
    expect((await signIn({ access_token: 'another' })).status).toBe(401)
    const session = await signIn({ access_token: tokens.json.access_token })
    const base = twin.places.find(({ what }) => what === 'the API')?.url
    expect(session.json.restUrl).toBe(base?.replace(/\/$/, ''))
    const call = (token: string) => send(twin, `${base}`, { headers: { bhresttoken: token } })
    expect((await call(tokens.json.access_token)).status).toBe(401)
    expect((await call(session.json.BhRestToken)).status).toBe(200)
  })

  it('lets a token of COROS live for thirty more days', async () => {
    let now = Date.now()
    const template = catalogue.get('coros') ?? {}
    const twin = await openForTest({ name: 'coros', template, now: () => now })
    const hand = await comeBack('coros', twin)
    const { json } = await deliver(twin, known['coros']?.exchange(hand) ?? { url: '' })
    const later = (days: number) => {
      now += days * 86_400_000
    }
    later(29)
    expect((await callApi(hand, json.access_token)).status).toBe(200)
    await deliver(twin, known['coros']?.renewal?.(hand, json) ?? { url: '' })
    later(15)
    expect((await callApi(hand, json.access_token)).status).toBe(200)
    later(30)
    expect((await callApi(hand, json.access_token)).status).toBe(401)
  })

  it('refuses in its own words', async () => {
    const slack = await play('slack')
    const hand = await comeBack('slack', slack)
    const wrong = await deliver(slack, { url: at(hand), form: { ...code(hand), ...client(hand), client_secret: 'no' } })
    expect([wrong.status, wrong.json.ok, wrong.json.error]).toEqual([200, false, 'bad_client_secret'])
    const tiktok = await play('tiktok-ads')
    const ads = await comeBack('tiktok-ads', tiktok)
    const json = { app_id: ads.id, secret: ads.secret, auth_code: 'another' }
    expect((await deliver(tiktok, { url: at(ads), json })).json).toMatchObject({ code: 40_002, data: {} })
    const facebook = await play('facebook')
    const person = await comeBack('facebook', facebook)
    const form = { ...code(person), ...client(person), code: 'another' }
    expect((await deliver(facebook, { url: at(person), form })).json.error.type).toBe('OAuthException')
  })

  it('gives a bot its token for the Bot Framework alone', async () => {
    const twin = await play('microsoft-teams-bot')
    const hand = await comeBack('microsoft-teams-bot', twin)
    const ask = (scope: string) =>
      deliver(twin, {
        url: 'https://login.microsoftonline.com/botframework.com/oauth2/v2.0/token',
        form: { grant_type: 'client_credentials', ...client(hand), scope },
      })
    expect((await ask('https://graph.microsoft.com/.default')).json.error).toBe('invalid_scope')
    const bot = await ask('https://api.botframework.com/.default')
    expect((await callApi(hand, bot.json.access_token)).status).toBe(200)
  })

  it('holds an assertion to the host of the client, and a state to its own', async () => {
    const revolut = await play('revolut-business')
    const bank = await comeBack('revolut-business', revolut)
    const form = { ...grant, ...code(bank), ...assertion(bank, 'elsewhere.example') }
    expect((await deliver(revolut, { url: at(bank), form })).text).toContain('iss of the client_assertion')
    const boss = await play('followupboss')
    const hand = await comeBack('followupboss', boss)
    const stateless = { grant_type: 'auth_code', ...code(hand), state: 'another' }
    const reply = await deliver(boss, { url: at(hand), form: stateless, headers: bearer(hand) })
    expect(reply.text).toContain('state is not the one')
  })

  it('takes a challenge in hexadecimal from who has it so, and none from who has none', async () => {
    const hex = Buffer.from(challenge, 'base64url').toString('hex')
    const tiktok = await play('tiktok-personal')
    const hand = await comeBack('tiktok-personal', tiktok, { code_challenge: hex })
    const form = { ...grant, ...code(hand), client_key: hand.id, client_secret: hand.secret }
    const url = at(hand)
    const wrong = await deliver(tiktok, { url, form: { ...form, code_verifier: `${verifier}x` } })
    expect(wrong.json.error).toBe('invalid_grant')
    expect((await deliver(tiktok, { url, form: { ...form, code_verifier: verifier } })).status).toBe(200)
    const facebook = await play('facebook')
    const bare = await comeBack('facebook', facebook, { code_challenge: '', code_challenge_method: '' })
    const asked = { ...client(bare), ...code(bare) }
    expect((await deliver(facebook, { url: at(bare), form: asked })).status).toBe(200)
  })

  it('shows its faults like any other', async () => {
    const twin = await play('shopline-oauth', 'server-error')
    const hand = await comeBack('shopline-oauth', twin)
    const sent = known['shopline-oauth']?.exchange(hand) ?? { url: '' }
    expect((await deliver(twin, sent)).status).toBe(500)
  })

  it('is refused where its code needs a public webhook', async () => {
    const template = catalogue.get('sentry-oauth') ?? {}
    await expect(openTwin({ name: 'sentry-oauth', template })).rejects.toThrow('public webhook')
  })
})
