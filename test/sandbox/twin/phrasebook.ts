import { createHmac, createPrivateKey, randomUUID, sign } from 'node:crypto'
import type { Twin } from '../../../src/sandbox/index.ts'
import { basic, type Fields, type Reply, verifier } from './twin.ts'

/** What a client of one provider has in hand after the consent. */
export interface Hand {
  readonly twin: Twin
  readonly id: string
  readonly secret: string
  readonly back: URLSearchParams
  readonly redirectUri: string
}

export interface Sent {
  readonly url: string
  readonly method?: string
  readonly form?: Fields
  readonly json?: unknown
  readonly query?: Fields
  readonly headers?: Fields
}

export interface Accent {
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

export const code = ({ back, redirectUri }: Hand): Fields => ({
  code: back.get('code') ?? '',
  redirect_uri: redirectUri,
})
export const grant = { grant_type: 'authorization_code' }
const again = (answer: Reply['json']): Fields => ({
  grant_type: 'refresh_token',
  refresh_token: String(answer['refresh_token']),
})
export const client = ({ id, secret }: Hand): Fields => ({ client_id: id, client_secret: secret })
export const bearer = ({ id, secret }: Hand): Fields => ({ authorization: basic(id, secret) })
export const at = ({ twin }: Hand, what = 'the token endpoint'): string =>
  twin.places.find((place) => place.what === what)?.url.split('?')[0] ?? ''
export const param = ({ twin }: Hand, key: string): string => twin.issued.params[key] ?? ''

const shoplineHeaders = ({ id, secret }: Hand, body: string): Fields => {
  const timestamp = String(Date.now())
  const made = createHmac('sha256', secret).update(body + timestamp)
  return { appkey: id, timestamp, sign: made.digest('hex') }
}

export const assertion = ({ id, secret, redirectUri }: Hand, issuer = new URL(redirectUri).hostname): Fields => {
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

/** How a client of each provider speaks, written from what its documents say and without a line of the twin's. */
export const known: Readonly<Record<string, Accent>> = {
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
