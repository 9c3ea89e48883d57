import { createHmac, createPrivateKey, randomBytes, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { approve, type Twin } from '../../../src/sandbox/index.ts'
import { readCatalogue } from '../../support/catalogue.ts'
import { type Fields, openCallback, openForTest, type Reply, send, temporaryHome } from './twin.ts'

const strictly = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)

interface Signing {
  readonly key: string
  readonly secret: string
  readonly method: string
  readonly token?: string
  readonly tokenSecret?: string
}

/** The Authorization header of RFC 5849 §3.5.1, written here without a line of the twin's. */
function signed(url: string, method: string, who: Signing, own: Fields = {}, body: Fields = {}): string {
  const protocol: Record<string, string> = {
    oauth_consumer_key: who.key,
    oauth_signature_method: who.method,
    oauth_timestamp: String(Math.floor(Date.now() / 1000)),
    oauth_nonce: randomBytes(8).toString('hex'),
    oauth_version: '1.0',
    ...(who.token && { oauth_token: who.token }),
    ...own,
  }
  const { origin, pathname, searchParams } = new URL(url)
  const pairs = [...Object.entries(protocol), ...searchParams, ...Object.entries(body)]
    .map(([name, value]) => [strictly(name), strictly(value)])
    .sort(([a = '', x = ''], [b = '', y = '']) => (a === b ? (x < y ? -1 : 1) : a < b ? -1 : 1))
    .map((pair) => pair.join('='))
  const base = [method, origin + pathname, pairs.join('&')].map(strictly).join('&')
  const key = `${strictly(who.secret)}&${strictly(who.tokenSecret ?? '')}`
  const signatures: Readonly<Record<string, () => string>> = {
    PLAINTEXT: () => key,
    'HMAC-SHA1': () => createHmac('sha1', key).update(base).digest('base64'),
    'HMAC-SHA256': () => createHmac('sha256', key).update(base).digest('base64'),
    'RSA-SHA1': () => sign('sha1', Buffer.from(base), createPrivateKey(who.secret)).toString('base64'),
  }
  const signature = signatures[who.method]?.() ?? ''
  const parts = Object.entries({ ...protocol, oauth_signature: signature })
  return `OAuth ${parts.map(([name, value]) => `${strictly(name)}="${strictly(value)}"`).join(', ')}`
}

const template = (method: string): Readonly<Record<string, unknown>> => ({
  display_name: 'Old',
  auth_mode: 'OAUTH1',
  request_url: 'https://old.example/request',
  authorization_url: 'https://old.example/authorize',
  token_url: 'https://old.example/token',
  signature_method: method,
  request_params: { access: 'write' },
  authorization_params: { expiration: 'never' },
  scope_separator: ',',
  proxy: { base_url: 'https://api.old.example' },
})

const who = (twin: Twin, method: string): Signing => ({
  key: twin.issued.clientId ?? '',
  secret: twin.issued.clientSecret ?? '',
  method,
})

async function post(twin: Twin, url: string, as: Signing, own: Fields, body: Fields = {}): Promise<Reply> {
  return send(twin, url, {
    method: 'POST',
    body: new URLSearchParams(body),
    headers: { authorization: signed(url, 'POST', as, own, body) },
  })
}

const pairOf = (reply: Reply): { readonly token: string; readonly tokenSecret: string } => {
  const form = new URLSearchParams(reply.text)
  return { token: form.get('oauth_token') ?? '', tokenSecret: form.get('oauth_token_secret') ?? '' }
}

async function begun(twin: Twin, as: Signing) {
  const { redirectUri, visits } = await openCallback()
  const callback = `${redirectUri}?state=s%20%26`
  const reply = await post(twin, 'https://old.example/request', as, { oauth_callback: callback }, { access: 'write' })
  return { reply, visits, callback, ...pairOf(reply) }
}

const asking = (token: string, extra: Fields = {}): string =>
  `https://old.example/authorize?${new URLSearchParams({ oauth_token: token, scope: 'a,b', expiration: 'never', ...extra })}`

describe('the twin of an OAuth 1.0a provider', () => {
  it.each(['HMAC-SHA1', 'HMAC-SHA256', 'RSA-SHA1', 'PLAINTEXT'])(
    'goes through its three legs by %s',
    async (method) => {
      const twin = await openForTest({ template: template(method) })
      const as = who(twin, method)
      const first = await begun(twin, as)
      expect(first.reply.status, first.reply.text).toBe(200)
      expect(new URLSearchParams(first.reply.text).get('oauth_callback_confirmed')).toBe('true')
      await approve(twin.address(asking(first.token, { oauth_callback: first.callback })))
      const back = first.visits.at(-1)?.searchParams ?? new URLSearchParams()
      expect([back.get('state'), back.get('oauth_token')]).toEqual(['s &', first.token])
      const temporary = { ...as, token: first.token, tokenSecret: first.tokenSecret }
      const own = { oauth_verifier: back.get('oauth_verifier') ?? '' }
      const tokens = await post(twin, 'https://old.example/token', temporary, own)
      expect(tokens.status, tokens.text).toBe(200)
      expect(new URLSearchParams(tokens.text).get('user_id')).toBe('robin')
      const lasting = { ...as, ...pairOf(tokens) }
      const url = 'https://api.old.example/things?q=a%20b'
      const call = (by: Signing) => send(twin, url, { headers: { authorization: signed(url, 'GET', by) } })
      expect((await call(lasting)).status).toBe(200)
      // An RSA signature knows no secret of the token's (§3.4.3).
      const isKnown = method === 'RSA-SHA1' ? 200 : 401
      expect((await call({ ...lasting, tokenSecret: 'another' })).status).toBe(isKnown)
      expect((await call({ ...lasting, token: 'another' })).status).toBe(401)
      const twice = await post(twin, 'https://old.example/token', temporary, own)
      expect([twice.status, twice.text]).toEqual([401, expect.stringContaining('token_used')])
    },
  )

  it('refuses what is not signed as it should be, each with its reason', async () => {
    const twin = await openForTest({ template: template('HMAC-SHA1') })
    const as = who(twin, 'HMAC-SHA1')
    const { redirectUri } = await openCallback()
    const url = 'https://old.example/request'
    const body = { access: 'write' }
    const own = { oauth_callback: redirectUri }
    const tried = async (by: Signing, mine: Fields, sent: Fields) => (await post(twin, url, by, mine, sent)).text
    expect(await tried({ ...as, secret: 'another' }, own, body)).toContain('oauth_signature+does+not+fit')
    expect(await tried({ ...as, method: 'PLAINTEXT' }, own, body)).toContain('oauth_signature_method+is+another')
    expect(await tried(as, {}, body)).toContain('oauth_callback+is+missing')
    expect(await tried(as, { oauth_callback: 'http://elsewhere.example/' }, body)).toContain('parameter_rejected')
    expect(await tried(as, own, {})).toContain('access+is+not')
    expect(await tried(as, { ...own, oauth_timestamp: '1' }, body)).toContain('five+minutes')
    const authorization = signed(url, 'POST', as, own, body)
    const init = { method: 'POST', body: new URLSearchParams(body), headers: { authorization } }
    expect((await send(twin, url, init)).status).toBe(200)
    expect((await send(twin, url, init)).text).toContain('oauth_nonce+was+used+before')
  })

  it('comes back with the token that was denied, and takes no verifier but its own', async () => {
    const twin = await openForTest({ template: template('HMAC-SHA1') })
    const as = who(twin, 'HMAC-SHA1')
    const first = await begun(twin, as)
    await approve(twin.address(asking(first.token)), { decision: 'deny' })
    const back = first.visits.at(-1)?.searchParams
    expect([back?.get('denied'), back?.get('oauth_verifier'), back?.get('state')]).toEqual([first.token, null, 's &'])
    const page = await send(twin, asking(first.token))
    const [, form = ''] = /name="request" value="([^"]+)"/.exec(page.text) ?? []
    const temporary = { ...as, token: first.token, tokenSecret: first.tokenSecret }
    const early = await post(twin, 'https://old.example/token', temporary, { oauth_verifier: form })
    expect(early.text).toContain('verifier_invalid')
    const other = await send(twin, asking(first.token, { expiration: '1day' }))
    expect(other.status).toBe(400)
    const strange = await send(twin, asking(first.token, { oauth_callback: 'https://elsewhere.example/' }))
    expect(strange.status).toBe(400)
    expect((await send(twin, asking('another'))).status).toBe(400)
  })

  it('knows after a restart what it issued before', async () => {
    const home = temporaryHome()
    const before = await openForTest({ template: template('HMAC-SHA1'), home })
    const as = who(before, 'HMAC-SHA1')
    const first = await begun(before, as)
    await approve(before.address(asking(first.token)))
    await before.close()
    const after = await openForTest({ template: template('HMAC-SHA1'), home })
    const temporary = { ...as, token: first.token, tokenSecret: first.tokenSecret }
    const own = { oauth_verifier: first.visits.at(-1)?.searchParams.get('oauth_verifier') ?? '' }
    expect((await post(after, 'https://old.example/token', temporary, own)).status).toBe(200)
  })

  it.each(['garmin', 'smugmug', 'trello', 'twitter'])('%s issues temporary credentials', async (name) => {
    const own = readCatalogue().get(name) ?? {}
    const twin = await openForTest({ name, template: own })
    const { redirectUri } = await openCallback()
    const as = who(twin, String(own['signature_method']))
    const body = (own['request_params'] ?? {}) as Fields
    const reply = await post(twin, String(own['request_url']), as, { oauth_callback: redirectUri }, body)
    expect(reply.text).toContain('oauth_callback_confirmed=true')
  })
})
