import { randomUUID } from 'node:crypto'
import { describe, expect, it, test } from 'vitest'
import { approve, openTwin, type Twin } from '../../../src/sandbox/index.ts'
import { readCatalogue } from '../../support/catalogue.ts'
import {
  type Accent,
  assertion,
  at,
  bearer,
  client,
  code,
  grant,
  type Hand,
  known,
  param,
  type Sent,
} from './phrasebook.ts'
import { challenge, type Fields, openCallback, openForTest, type Reply, send, verifier } from './twin.ts'

const catalogue = readCatalogue()

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

  it('plays what a template does not say: Certn’s token endpoint, and the token in calls', async () => {
    const twin = await openForTest({ name: 'certn-partner', template: catalogue.get('certn-partner') ?? {} })
    const { clientId = '', clientSecret = '' } = twin.issued
    const url = 'https://api.certn.co/token/'
    const form = { grant_type: 'client_credentials' }
    const inBody = { ...form, client_id: clientId, client_secret: clientSecret }
    expect((await deliver(twin, { url, form: inBody })).status).toBe(401)
    const shown = { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` }
    expect((await deliver(twin, { url, form: {}, headers: shown })).status).toBe(400)
    const { json } = await deliver(twin, { url, form, headers: shown })
    const teams = (authorization: string) =>
      send(twin, 'https://api.certn.co/api/v2/teams', {
        headers: { authorization, 'content-type': 'application/json' },
      })
    expect((await teams(`Bearer ${json.access_token}`)).status).toBe(200)
    expect((await teams(`Bearer ${clientSecret}`)).status).toBe(401)
  })

  it('leaves a template of that name alone which says where tokens are had', async () => {
    const own = { ...catalogue.get('certn-partner'), token_url: 'https://certn.example/token' }
    const twin = await openForTest({ name: 'certn-partner', template: own })
    expect(twin.places).toContainEqual({ what: 'the token endpoint', url: 'https://certn.example/token' })
  })

  it('is refused where its code needs a public webhook', async () => {
    const template = catalogue.get('sentry-oauth') ?? {}
    await expect(openTwin({ name: 'sentry-oauth', template })).rejects.toThrow('public webhook')
  })
})
