import { generateKeyPairSync, type KeyObject, verify as verifySignature } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { integrate } from '../../src/integrate.ts'
import { locate } from '../../src/locate.ts'
import { refresh } from '../../src/refresh.ts'
import { rehearse } from '../../src/rehearse.ts'
import { token } from '../../src/token.ts'
import { type Hit, openProvider, type Reply, type Script } from '../support/provider.ts'
import { failure, openWorkshop, type Workshop } from '../support/world.ts'

const prompt = (more: Record<string, unknown> = {}) => ({ type: 'string', title: 'T', ...more })
const password = 'p4ss-Wörd "with" everything & <more>'
const answers = { user: 'ada', password }
const issued = 'issued-token-0123456789'

const template = (origin: string, more: Record<string, unknown> = {}) => ({
  display_name: 'Acme',
  docs: 'https://acme.example',
  auth_mode: 'TWO_STEP',
  token_url: `${origin}/login`,
  token_params: { user: '${credentials.user}', password: '${credentials.password}' },
  token_headers: { 'content-type': 'application/json' },
  token_response: { token: 'data.token' },
  credentials: { user: prompt(), password: prompt({ secret: true }) },
  proxy: { base_url: origin },
  ...more,
})

const granted = (more: Record<string, unknown> = {}): Reply => ({ body: { data: { token: issued }, ...more } })

interface Scene {
  readonly workshop: Workshop
  readonly hits: readonly Hit[]
  readonly origin: string
}

async function scene(
  script: Script | Readonly<Record<string, Script>>,
  more: Record<string, unknown> | ((origin: string) => Record<string, unknown>) = {},
  terms: Parameters<typeof openWorkshop>[0] = {},
): Promise<Scene> {
  const routes = typeof script === 'function' ? { '/login': script } : script
  const { origin, hits } = await openProvider({ routes })
  const fields = typeof more === 'function' ? more(origin) : more
  return { workshop: openWorkshop({ templates: { acme: template(origin, fields) }, ...terms }), hits, origin }
}

const credentialOf = async ({ workshop }: Scene, params: Record<string, string> = answers) =>
  (await workshop.connect('acme', { params })).connection.credential

/** Every spelling of a secret that an event could hold. */
function assertSilent(workshop: Workshop, secrets: readonly string[]): void {
  const told = workshop.told()
  const spelled = secrets.flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams({ v: secret }).toString().slice(2),
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
    JSON.stringify(secret).slice(1, -1),
    JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1),
  ])
  expect(spelled.filter((secret) => told.includes(secret))).toEqual([])
}

describe('the request of a log-in', () => {
  test.each<[string, Record<string, unknown>, string, string | undefined, string]>([
    [
      'JSON unless the template says otherwise',
      {},
      'POST',
      'application/json',
      JSON.stringify({ user: 'ada', password }),
    ],
    [
      'a form',
      { body_format: 'form', token_headers: {} },
      'POST',
      'application/x-www-form-urlencoded',
      new URLSearchParams({ user: 'ada', password }).toString(),
    ],
    [
      'XML, its attributes by $',
      {
        body_format: 'xml',
        token_headers: {},
        token_params: { r: { $id: '${credentials.user}', c: { p: '${credentials.password}', f: false, n: '' } } },
      },
      'POST',
      'application/xml',
      '<?xml version="1.0" encoding="UTF-8"?><r id="ada"><c><p>p4ss-Wörd "with" everything &amp; &lt;more&gt;</p><f>false</f><n/></c></r>',
    ],
    ['a GET without a body', { token_request_method: 'GET' }, 'GET', 'application/json', ''],
    [
      'nested JSON with numbers and flags',
      { token_params: { a: { b: ['${user}', 1, true] } } },
      'POST',
      'application/json',
      '{"a":{"b":["ada",1,true]}}',
    ],
    [
      'a query language within JSON',
      { token_params: { query: 'mutation { signIn(p: "${credentials.password}") }' } },
      'POST',
      'application/json',
      JSON.stringify({ query: `mutation { signIn(p: ${JSON.stringify(password)}) }` }),
    ],
    [
      'an empty object where JSON is promised and nothing is to be said',
      { token_params: undefined },
      'POST',
      'application/json',
      '{}',
    ],
  ])('is %s', async (_, more, method, type, body) => {
    const one = await scene(() => granted(), more)
    await credentialOf(one)
    const [hit] = one.hits
    expect([hit?.method, hit?.headers['content-type'], hit?.body]).toEqual([method, type, body])
    assertSilent(one.workshop, [password, issued])
  })

  it('puts parameters in the query where the template says so, behind its own', async () => {
    const one = await scene(
      () => granted(),
      (origin) => ({ body_format: 'query', token_url: `${origin}/login?a=1&b=%7e` }),
    )
    await credentialOf(one)
    expect(one.hits[0]?.query.toString()).toBe(
      new URLSearchParams({ a: '1', b: '~', user: 'ada', password }).toString(),
    )
    assertSilent(one.workshop, [password, issued])
  })

  it('keeps the query of its URL, and no password that stands in it', async () => {
    const one = await scene(
      () => granted(),
      (origin) => ({
        token_url: `${origin}/login?u=\${credentials.user}&p=\${credentials.password}`,
        token_request_method: 'GET',
        token_params: undefined,
      }),
    )
    const { connection } = await one.workshop.connect('acme', { params: answers })
    expect(one.hits[0]?.query.get('p')).toBe(password)
    expect(connection.snapshot.endpoints.token).toBe(`${one.origin}/login`)
    await refresh(one.workshop.world, 'acme', { force: true })
    expect(one.hits[1]?.query.get('p')).toBe(password)
    assertSilent(one.workshop, [password, issued])
  })

  it('shares one instant and one random value among headers and parameters', async () => {
    const one = await scene(() => granted(), {
      token_headers: {
        'x-id': '${random}',
        'x-date': '${now}',
        'x-sig': '${sha256Hex(${base64(${random}${credentials.user}${now})})}',
      },
      token_params: { id: '${random}', at: '${now}', bars: '${credentials.user} || x' },
    })
    await credentialOf(one)
    const [hit] = one.hits
    const sent = JSON.parse(hit?.body ?? '')
    expect([sent.id, sent.at, sent.bars]).toEqual([hit?.headers['x-id'], hit?.headers['x-date'], 'ada || x'])
  })

  it('says nothing of answers that may stay empty: empty in JSON, left out of forms and headers', async () => {
    const optional = {
      credentials: { user: prompt(), password: prompt({ secret: true }), org: prompt({ optional: true }) },
      token_params: { user: '${credentials.user}', org: '${credentials.org}' },
      token_headers: { 'x-org': '${credentials.org}', 'x-user': '${credentials.user}' },
    }
    const json = await scene(() => granted(), optional)
    await credentialOf(json)
    expect([json.hits[0]?.body, json.hits[0]?.headers['x-org'], json.hits[0]?.headers['x-user']]).toEqual([
      '{"user":"ada","org":""}',
      undefined,
      'ada',
    ])
    const form = await scene(() => granted(), { ...optional, body_format: 'form' })
    await credentialOf(form)
    expect(form.hits[0]?.body).toBe('user=ada')
  })

  it('is refused before anything is sent where nothing can fill it', async () => {
    const one = await scene(() => granted(), { token_params: { a: '${credentials.nothing}' } })
    const error = await failure(one.workshop.connect('acme', { params: answers }))
    expect(error).toMatchObject({ code: 'TEMPLATE_INVALID', exitCode: 3 })
    expect(error.message).toContain('token_params.a')
    expect(one.hits).toEqual([])
  })

  it('is shown by a rehearsal, its secrets masked, and not sent', async () => {
    const { workshop, hits, origin } = await scene(() => granted())
    const { world } = workshop
    const located = await locate(world, 'acme')
    const shown = await rehearse(world, await integrate(world, located, { params: answers, trustProject: true }))
    expect(shown.tokenRequest).toMatchObject({ method: 'POST', url: `${origin}/login` })
    expect(JSON.stringify(shown)).not.toContain('p4ss-W')
    expect(hits).toEqual([])
  })

  it('takes parameters of the person over those of the template', async () => {
    const one = await scene(() => granted(), { body_format: 'form' })
    await one.workshop.connect('acme', { params: answers, tokenParams: { user: null, extra: 'e' } })
    expect([...(one.hits[0]?.form.keys() ?? [])]).toEqual(['password', 'extra'])
  })
})

describe('the token', () => {
  test.each<[string, Record<string, unknown>, Reply, string]>([
    ['at its path', {}, granted(), issued],
    ['with status 201', {}, { ...granted(), status: 201 }, issued],
    [
      'in a list',
      { token_response: { token: 'tokens[1].v' } },
      { body: { tokens: [{ v: 'no' }, { v: issued }] } },
      issued,
    ],
    ['as a number', { token_response: { token: 't' } }, { body: { t: 12345678 } }, '12345678'],
    [
      'as the whole answer',
      { token_response: { token: '' } },
      { body: issued, headers: { 'content-type': 'text/plain' } },
      issued,
    ],
    [
      'as JSON text',
      { token_response: {} },
      { body: `"${issued}"`, headers: { 'content-type': 'application/json' } },
      issued,
    ],
    [
      'in XML',
      { token_response: { token: 'r.o.sid' } },
      { body: `<r><o><sid>${issued}</sid></o></r>`, headers: { 'content-type': 'text/xml' } },
      issued,
    ],
    [
      'in XML with attributes',
      { token_response: { token: 'r.sid' } },
      { body: `<r><sid ttl="5">${issued}</sid></r>`, headers: { 'content-type': 'text/xml' } },
      issued,
    ],
    [
      'in a form',
      { token_response: { token: 'access_token' } },
      { body: `access_token=${issued}&x=1`, headers: { 'content-type': 'text/plain' } },
      issued,
    ],
    ['behind a byte order mark', {}, { body: `\uFEFF${JSON.stringify({ data: { token: issued } })}` }, issued],
    ['under another name', {}, { body: { result: { Access_Token: issued } } }, issued],
    ['in other capitals', {}, { body: { Data: { Token: issued } } }, issued],
    ['with an error that is null', {}, { body: { error: null, data: { token: issued } } }, issued],
  ])('is found %s', async (_, more, reply, expected) => {
    const one = await scene(() => reply, more)
    const credential = await credentialOf(one)
    expect(credential.accessToken).toBe(expected)
    expect((await token(one.workshop.world, 'acme')).value).toBe(expected)
    assertSilent(one.workshop, [password, expected])
  })

  it('that stands elsewhere than the template says is told of', async () => {
    const one = await scene(() => ({ body: { jwt: issued } }))
    await credentialOf(one)
    expect(one.workshop.events).toContainEqual(
      expect.objectContaining({ type: 'quirk', quirk: 'the token stands under "jwt", not under "data.token"' }),
    )
  })

  test.each<[string, Reply, Record<string, unknown>]>([
    [
      'an error with 200',
      { body: { error: 'invalid_grant', error_description: 'No such user' } },
      { code: 'INVALID_GRANT', words: expect.stringContaining('No such user') },
    ],
    [
      'success: false with 200',
      { body: { success: false, message: 'Locked' } },
      { code: 'LOGIN_REFUSED', words: 'Locked' },
    ],
    [
      'a token beside an error, elsewhere',
      { body: { errors: ['bad'], token: 'not-for-you-123' } },
      { code: 'LOGIN_REFUSED' },
    ],
    [
      '401 in JSON',
      { status: 401, body: { message: 'Bad password' } },
      { code: 'LOGIN_REFUSED', words: 'Bad password', status: 401 },
    ],
    [
      '403 in HTML',
      { status: 403, body: '<html><head><title>Forbidden here</title></head></html>' },
      { code: 'LOGIN_REFUSED', words: 'Forbidden here', status: 403 },
    ],
    ['500 without a body', { status: 500, body: '' }, { code: 'LOGIN_REFUSED', status: 500 }],
    [
      '429',
      { status: 429, body: {}, headers: { 'retry-after': '30' } },
      { code: 'LOGIN_REFUSED', hint: expect.stringContaining('30') },
    ],
    [
      'a redirect',
      { status: 302, body: '', headers: { location: 'https://elsewhere.example/x?p=1' } },
      { code: 'ANSWER_UNUSABLE', message: expect.stringContaining('https://elsewhere.example') },
    ],
    ['a page', { body: '<html><title>Welcome</title></html>' }, { code: 'ANSWER_UNUSABLE', words: 'Welcome' }],
    ['nothing', { body: '' }, { code: 'ANSWER_UNUSABLE', message: expect.stringContaining('nothing') }],
    ['204', { status: 204, body: '' }, { code: 'ANSWER_UNUSABLE' }],
    [
      'JSON that is cut off',
      { body: '{"data":{"token":"cut-off-token-0123', headers: { 'content-type': 'application/json' } },
      { code: 'ANSWER_UNUSABLE' },
    ],
    ['a token that is null', { body: { data: { token: null } } }, { code: 'ANSWER_UNUSABLE' }],
    ['a token that is a flag', { body: { data: { token: true } } }, { code: 'ANSWER_UNUSABLE' }],
    ['a token that is an object', { body: { data: { token: {} } } }, { code: 'ANSWER_UNUSABLE' }],
    ['a list', { body: '[]' }, { code: 'ANSWER_UNUSABLE' }],
    ['null', { body: 'null' }, { code: 'ANSWER_UNUSABLE' }],
    [
      'a megabyte and more',
      { body: JSON.stringify({ data: { token: 'x'.repeat(1_100_000) } }) },
      { code: 'ANSWER_TOO_LARGE' },
    ],
    ['nested without end', { body: '['.repeat(5000) }, { code: 'ANSWER_UNUSABLE' }],
    [
      'XML with entities of its own',
      { body: '<!DOCTYPE r [<!ENTITY a "b">]><r><data>&a;</data></r>', headers: { 'content-type': 'text/xml' } },
      { code: 'ANSWER_UNUSABLE' },
    ],
  ])('is not taken from %s, and nothing is saved', async (_, reply, expected) => {
    const one = await scene(() => reply)
    const error = await failure(one.workshop.connect('acme', { params: answers }))
    expect(error).toMatchObject({ exitCode: 4, ...expected })
    expect(await one.workshop.world.store.connections.read('acme')).toBeUndefined()
    assertSilent(one.workshop, [password, 'cut-off-token-0123'])
    expect(`${error.message} ${error.hint} ${JSON.stringify(error.facts)}`).not.toContain('p4ss')
  })
})

describe('its expiry', () => {
  const now = new Date('2026-11-27T12:00:00Z')
  const later = (seconds: number): string => new Date(now.getTime() + seconds * 1000).toISOString()
  const jwt = `eyJhbGciOiJub25lIn0.${Buffer.from(JSON.stringify({ exp: now.getTime() / 1000 + 600 })).toString('base64url')}.x`
  const at = (strategy?: string) => ({
    token_response: {
      token: 't',
      token_expiration: 'e',
      ...(strategy === undefined ? {} : { token_expiration_strategy: strategy }),
    },
  })

  test.each<[string, Record<string, unknown>, Record<string, unknown>, string | undefined]>([
    ['a lifetime', at('expireIn'), { t: issued, e: 3600 }, later(3600)],
    ['a lifetime as text', at('expireIn'), { t: issued, e: '3600' }, later(3600)],
    ['a duration', at('expireIn'), { t: issued, e: '1h' }, later(3600)],
    ['an instant', at(), { t: issued, e: '2026-11-27T13:00:00Z' }, later(3600)],
    ['an instant in milliseconds', at('expireAt'), { t: issued, e: now.getTime() + 60_000 }, later(60)],
    ['days, hours and minutes', at('expireAt'), { t: issued, e: '1:02:03' }, later(86_400 + 7200 + 180)],
    [
      'the template’s lifetime',
      { token_response: { token: 't' }, token_expires_in_ms: 90_000 },
      { t: issued },
      later(90),
    ],
    [
      'the template’s where the answer’s is not understood',
      { ...at('expireIn'), token_expires_in_ms: 90_000 },
      { t: issued, e: 'soon' },
      later(90),
    ],
    ['the token’s own', { token_response: { token: 't' } }, { t: jwt }, later(600)],
    [
      'the token’s own where that is sooner',
      { token_response: { token: 't' }, token_expires_in_ms: 9_000_000 },
      { t: jwt },
      later(600),
    ],
    ['the answer’s over the token’s own', at('expireIn'), { t: jwt, e: 60 }, later(60)],
    ['what the answer says unasked', { token_response: { token: 't' } }, { t: issued, expires_in: 60 }, later(60)],
    ['never', { token_response: { token: 't' }, token_expires_in_ms: 0 }, { t: issued, expires_in: 60 }, undefined],
    ['unknown', { token_response: { token: 't' } }, { t: issued }, undefined],
    ['unknown where it is null', at('expireIn'), { t: issued, e: null }, undefined],
  ])('is %s', async (_, more, body, expected) => {
    const one = await scene(() => ({ body }), more, { clock: { now: () => now } })
    expect((await credentialOf(one)).expiresAt).toBe(expected)
  })
})

describe('a log-in of several steps', () => {
  const steps = (origin: string) => ({
    token_url: `${origin}/discover`,
    token_request_method: 'GET',
    token_params: undefined,
    token_response: { token: 'token' },
    token_response_metadata: ['instance.url', 'region'],
    additional_steps: [
      {
        token_url: '${step1.server}/login/${connectionConfig.site}',
        token_params: { user: '${credentials.user}', password: '${credentials.password}', nonce: '${step1.nonces[1]}' },
      },
      {
        token_url: '${step2.next}',
        token_request_method: 'GET',
        token_headers: { 'x-ticket': '${step2.ticket}', 'x-server': '${step1.server}' },
      },
    ],
    connection_config: { site: prompt(), region: prompt({ automated: true }) },
    proxy: { base_url: '${connectionConfig.instance.url}' },
  })
  const ticket = 'tick-et-0123456789'
  const routes = (origin: () => string, other: () => string): Record<string, Script> => ({
    '/discover': () => ({ body: { server: other(), nonces: ['a', 'nonce-0123456789'], region: 'eu' } }),
    '/done': ({ headers }) =>
      headers['x-ticket'] === ticket
        ? { body: { token: issued, instance: { url: origin() } } }
        : { status: 401, body: {} },
  })
  const opened = async (login: Script) => {
    let first = ''
    let second = ''
    const far = await openProvider({ routes: { '/login/a%2Fb': login } })
    const near = await openProvider({
      routes: routes(
        () => first,
        () => second,
      ),
    })
    first = near.origin
    second = far.origin
    const workshop = openWorkshop({ templates: { acme: template(near.origin, steps(near.origin)) } })
    return { workshop, near, far }
  }
  const params = { ...answers, site: 'a/b' }

  it('hands on what each answers, and keeps what the template wants', async () => {
    const { workshop, near, far } = await opened(({ body }) =>
      JSON.parse(body).nonce === 'nonce-0123456789'
        ? { body: { ticket, next: `${near.origin}/done?x=1` } }
        : { status: 400 },
    )
    const { connection } = await workshop.connect('acme', { params })
    expect(JSON.parse(far.hits[0]?.body ?? '')).toEqual({ user: 'ada', password, nonce: 'nonce-0123456789' })
    expect(near.hits.map(({ path, method }) => `${method} ${path}`)).toEqual(['GET /discover', 'GET /done'])
    expect(near.hits[1]?.query.get('x')).toBe('1')
    expect(connection.params).toEqual({ site: 'a/b', region: 'eu', 'instance.url': near.origin })
    expect(connection.snapshot.endpoints.api).toBe(near.origin)
    expect([...connection.snapshot.origins].sort()).toEqual([near.origin, far.origin].sort())
    expect(workshop.exchanges().map(({ purpose }) => purpose)).toEqual(['step 1', 'step 2', 'log-in'])
    assertSilent(workshop, [password, issued, ticket, 'nonce-0123456789'])
  })

  it('names the step that is refused, in the provider’s words', async () => {
    const { workshop } = await opened(() => ({ status: 401, body: { error: { message: 'Wrong password' } } }))
    const error = await failure(workshop.connect('acme', { params }))
    expect(error).toMatchObject({ words: 'Wrong password', status: 401, exitCode: 4 })
    expect(error.message).toBe('Acme refused the log-in (step 2 of 3): 401')
    assertSilent(workshop, [password])
  })

  it('names the step whose answer lacks what the next one needs', async () => {
    const { workshop } = await opened(() => ({ body: { error: 'Your account sleeps' } }))
    const error = await failure(workshop.connect('acme', { params }))
    expect(error).toMatchObject({ code: 'ANSWER_UNUSABLE', words: 'Your account sleeps', status: 200 })
    expect(error.message).toContain('step 2 of the log-in without a usable "next"')
  })

  test.each<[string, string]>([
    ['http://192.0.2.1', 'INSECURE_URL'],
    ['ftp://127.0.0.1', 'ANSWER_UNUSABLE'],
    ['https://user:pw@x.example', 'ANSWER_UNUSABLE'],
    ['not a url', 'ANSWER_UNUSABLE'],
  ])('sends no password to %s, wherever an answer leads', async (server, code) => {
    const { origin } = await openProvider({ routes: { '/discover': () => ({ body: { server, nonces: ['a', 'b'] } }) } })
    const workshop = openWorkshop({ templates: { acme: template(origin, steps(origin)) } })
    const error = await failure(workshop.connect('acme', { params }))
    expect(error.code).toBe(code)
    expect(workshop.exchanges()).toHaveLength(1)
    assertSilent(workshop, [password])
  })

  it('goes nowhere new when it is renewed', async () => {
    let next = ''
    const { workshop, near } = await opened(() => ({ body: { ticket, next } }))
    next = `${near.origin}/done`
    await workshop.connect('acme', { params })
    const { origin, hits } = await openProvider({ routes: { '/done': () => ({ body: { token: issued } }) } })
    next = `${origin}/done`
    const error = await failure(refresh(workshop.world, 'acme', { force: true }))
    expect(error).toMatchObject({ code: 'ORIGIN_CHANGED', exitCode: 2 })
    expect(hits).toEqual([])
  })
})

describe('a saved password', () => {
  it('goes nowhere that a changed template adds', async () => {
    const evil = await openProvider({ routes: { '/take': () => ({ body: { data: { token: 'x' } } }) } })
    const good = await openProvider({ routes: { '/login': () => granted() } })
    const workshop = openWorkshop({ templates: { acme: template(good.origin) } })
    await workshop.connect('acme', { params: answers })
    const changed = template(good.origin, {
      additional_steps: [{ token_url: `${evil.origin}/take`, token_params: { p: '${credentials.password}' } }],
    })
    writeFileSync(join(workshop.world.cwd, 'auth-cli.yaml'), JSON.stringify({ templates: { acme: changed } }))
    const error = await failure(workshop.connect('acme'))
    expect(error).toMatchObject({ code: 'ORIGIN_CHANGED', exitCode: 2 })
    expect(evil.hits).toEqual([])
    await workshop.connect('acme', { params: answers })
    expect(evil.hits).toHaveLength(1)
  })
})

describe('cookies and headers of the answer', () => {
  it('are kept where the template wants them, and calls carry them', async () => {
    const cookies = [
      'B1SESSION=se-ss-ion-0123; HttpOnly; Path=/',
      'ROUTE=.node1',
      'OLD=x; Max-Age=0',
      'token=not-over-ours-1',
    ]
    const routes: Record<string, Script> = {
      '/login': () => ({ ...granted(), headers: { 'set-cookie': cookies, 'X-Tenant': 'ten-ant-0123456' } }),
      '/api': ({ headers }) => ({
        body: { cookie: headers.cookie, tenant: headers['x-t'], auth: headers.authorization ?? null },
      }),
    }
    const one = await scene(routes, (origin) => ({
      token_response_headers: ['Set-Cookie', 'x-tenant'],
      proxy: { base_url: origin, headers: { cookie: '${credentials._cookies}', 'x-t': '${credentials.x-tenant}' } },
    }))
    const credential = await credentialOf(one)
    expect(credential.captured).toEqual({
      B1SESSION: 'se-ss-ion-0123',
      ROUTE: '.node1',
      'x-tenant': 'ten-ant-0123456',
      _cookies: 'B1SESSION=se-ss-ion-0123; ROUTE=.node1; token=not-over-ours-1',
    })
    expect(credential.accessToken).toBe(issued)
    const { text } = await one.workshop.request('acme', { target: '/api' })
    expect(JSON.parse(text)).toEqual({
      cookie: credential.captured?.['_cookies'],
      tenant: 'ten-ant-0123456',
      auth: null,
    })
    assertSilent(one.workshop, [password, issued, 'se-ss-ion-0123', 'ten-ant-0123456'])
  })

  it('leave the token to the Authorization header where the template says nothing of it', async () => {
    const routes: Record<string, Script> = {
      '/login': () => granted({ account: 7 }),
      '/api': ({ headers, query }) => ({ body: { auth: headers.authorization, query: query.get('account') } }),
    }
    const one = await scene(routes, (origin) => ({
      proxy: { base_url: origin, query: { account: '${credentials.raw.account}' } },
    }))
    await credentialOf(one)
    const { text } = await one.workshop.request('acme', { target: '/api' })
    expect(JSON.parse(text)).toEqual({ auth: `Bearer ${issued}`, query: '7' })
  })
})

describe('renewal', () => {
  /** Tokens that differ, and whoever asks with which. */
  const issuing = (): { readonly script: Script; readonly count: () => number } => {
    let count = 0
    return {
      count: () => count,
      script: () => {
        count += 1
        return { body: { token: `token-${count}-0123456789`, refresh: `refresh-${count}-0123456789`, ttl: 3600 } }
      },
    }
  }
  const paths = {
    token_response: {
      token: 'token',
      refresh_token: 'refresh',
      token_expiration: 'ttl',
      token_expiration_strategy: 'expireIn',
    },
  }

  it('is the whole log-in again where the template knows no other way', async () => {
    const { script } = issuing()
    const one = await scene(script, { token_response: { ...paths.token_response, refresh_token: undefined } })
    const first = await credentialOf(one)
    const { credential } = await refresh(one.workshop.world, 'acme', { force: true })
    expect([first.accessToken, credential.accessToken]).toEqual(['token-1-0123456789', 'token-2-0123456789'])
    expect(one.hits[1]?.body).toBe(one.hits[0]?.body)
    assertSilent(one.workshop, [password, 'token-1-0123456789', 'token-2-0123456789'])
  })

  it('happens by itself when the token is nearly over', async () => {
    let time = new Date()
    const { script } = issuing()
    const one = await scene(script, paths, { clock: { now: () => time } })
    await credentialOf(one)
    time = new Date(time.getTime() + 3599_000)
    expect((await token(one.workshop.world, 'acme')).value).toBe('token-2-0123456789')
  })

  it('goes by the refresh token where the template says how', async () => {
    const { script } = issuing()
    const one = await scene({ '/login': script, '/renew': script }, (origin) => ({
      ...paths,
      refresh_url: `${origin}/renew`,
      refresh_token_params: { old: '${refresh_token}', app: '${credentials.user}' },
    }))
    await credentialOf(one)
    await refresh(one.workshop.world, 'acme', { force: true })
    const { credential } = await refresh(one.workshop.world, 'acme', { force: true })
    expect(one.hits.map(({ path }) => path)).toEqual(['/login', '/renew', '/renew'])
    expect(JSON.parse(one.hits[2]?.body ?? '')).toEqual({ old: 'refresh-2-0123456789', app: 'ada' })
    expect([credential.accessToken, credential.refreshToken]).toEqual(['token-3-0123456789', 'refresh-3-0123456789'])
    expect(one.hits[1]?.body).not.toContain('p4ss')
    assertSilent(one.workshop, [password, 'refresh-1-0123456789', 'refresh-2-0123456789', 'token-2-0123456789'])
  })

  it('goes by a header, to the token URL where there is no other', async () => {
    const { script } = issuing()
    const one = await scene(script, { ...paths, refresh_token_headers: { authorization: 'Bearer ${refresh_token}' } })
    await credentialOf(one)
    await refresh(one.workshop.world, 'acme', { force: true })
    expect([one.hits[1]?.path, one.hits[1]?.headers.authorization]).toEqual(['/login', 'Bearer refresh-1-0123456789'])
  })

  it('keeps the old refresh token where none comes', async () => {
    const one = await scene(
      { '/login': issuing().script, '/renew': () => ({ body: { token: 'younger-0123456789' } }) },
      (origin) => ({ ...paths, refresh_url: `${origin}/renew`, refresh_token_params: { r: '${refresh_token}' } }),
    )
    await credentialOf(one)
    const { credential } = await refresh(one.workshop.world, 'acme', { force: true })
    expect([credential.accessToken, credential.refreshToken]).toEqual(['younger-0123456789', 'refresh-1-0123456789'])
  })

  it('logs in again where the refresh token is refused, and says so', async () => {
    const one = await scene(
      { '/login': issuing().script, '/renew': () => ({ status: 401, body: { message: 'used' } }) },
      (origin) => ({ ...paths, refresh_url: `${origin}/renew`, refresh_token_params: { r: '${refresh_token}' } }),
    )
    await credentialOf(one)
    const { credential } = await refresh(one.workshop.world, 'acme', { force: true })
    expect(one.hits.map(({ path }) => path)).toEqual(['/login', '/renew', '/login'])
    expect(credential.accessToken).toBe('token-2-0123456789')
    expect(one.workshop.events).toContainEqual(
      expect.objectContaining({ type: 'quirk', quirk: expect.stringContaining('logging in again') }),
    )
  })

  it('is not tried in a loop once the password is refused', async () => {
    let good = true
    const one = await scene(() => (good ? granted() : { status: 401, body: { message: 'Password changed' } }))
    await credentialOf(one)
    good = false
    const first = await failure(refresh(one.workshop.world, 'acme', { force: true }))
    expect(first).toMatchObject({ code: 'LOGIN_REFUSED', words: 'Password changed' })
    expect((await one.workshop.world.store.connections.read('acme'))?.lastError).toMatchObject({ final: true })
    expect((await one.workshop.world.store.connections.read('acme'))?.credential.accessToken).toBe(issued)
    assertSilent(one.workshop, [password, issued])
  })
})

describe('what is signed for a log-in', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()
  const key = pem(rsa.privateKey)
  const verified = (jwt: string, padding = {}): Record<string, unknown> => {
    const [header = '', payload = '', signature = ''] = jwt.split('.')
    const bytes = Buffer.from(signature, 'base64url')
    if (!verifySignature('sha256', Buffer.from(`${header}.${payload}`), { key: rsa.publicKey, ...padding }, bytes))
      return {}
    return {
      ...JSON.parse(Buffer.from(payload, 'base64url').toString()),
      header: JSON.parse(Buffer.from(header, 'base64url').toString()),
    }
  }

  it('is a token of the template’s, sent as `${token}`', async () => {
    const one = await scene(
      ({ form }) => (verified(form.get('assertion') ?? '')['iss'] === 'ada' ? granted() : { status: 400 }),
      {
        body_format: 'form',
        signature: { protocol: 'RSA' },
        token: {
          signing_key: '${credentials.privateKey}',
          expires_in_ms: 3_600_000,
          header: { alg: 'RS256', typ: 'JWT' },
          payload: { iss: '${credentials.user}', sub: '${credentials.on}', aud: 'https://a.example' },
        },
        token_params: { grant_type: 'jwt-bearer', assertion: '${token}' },
        credentials: { user: prompt(), on: prompt({ optional: true }), privateKey: prompt() },
      },
    )
    await credentialOf(one, { user: 'ada', privateKey: key.replaceAll('\n', '\\n') })
    await refresh(one.workshop.world, 'acme', { force: true })
    expect(one.hits).toHaveLength(2)
    assertSilent(one.workshop, [one.hits[0]?.form.get('assertion') ?? '', key, key.slice(60, 120), issued])
  })

  const assertion = (more: Record<string, unknown> = {}) => ({
    body_format: 'form',
    assertion: {
      type: 'jwt',
      key: '${credentials.privateKey}',
      header: { alg: 'PS256', 'x5t#S256': '${credentials.user}' },
      payload: { iss: '${credentials.user}', aud: '${connectionConfig.site}', jti: '${random}' },
      ...more,
    },
    connection_config: { site: prompt() },
    token_params: { client_assertion: '${credentials.assertion}' },
    credentials: { user: prompt(), privateKey: prompt(), assertion: prompt({ automated: true }) },
  })
  const pss = { padding: 6, saltLength: 32 }
  const given = { user: 'ada', privateKey: key, site: 'https://s.example/t' }
  const sent = (hit: Hit | undefined): string => hit?.form.get('client_assertion') ?? ''

  it('is an assertion, reused while it is good and made anew when it is over', async () => {
    let time = new Date()
    const one = await scene(
      ({ form }) => (verified(form.get('client_assertion') ?? '', pss)['iss'] === 'ada' ? granted() : { status: 400 }),
      assertion(),
      {
        clock: { now: () => time },
      },
    )
    await credentialOf(one, given)
    const claims = verified(sent(one.hits[0]), pss)
    expect(claims).toMatchObject({ aud: given.site, header: { alg: 'PS256', 'x5t#S256': 'ada' } })
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(3600)
    time = new Date(time.getTime() + 3_500_000)
    await refresh(one.workshop.world, 'acme', { force: true })
    expect(sent(one.hits[1])).toBe(sent(one.hits[0]))
    time = new Date(time.getTime() + 50_000)
    await refresh(one.workshop.world, 'acme', { force: true })
    expect(verified(sent(one.hits[2]), pss)['jti']).not.toBe(claims['jti'])
    assertSilent(one.workshop, [sent(one.hits[0]), sent(one.hits[2]), key, issued])
  })

  it('is made anew where the provider takes each but once', async () => {
    const one = await scene(() => granted(), assertion({ singleUse: true }))
    await credentialOf(one, given)
    await refresh(one.workshop.world, 'acme', { force: true })
    expect(sent(one.hits[1])).not.toBe(sent(one.hits[0]))
    const seen = new Set<string>()
    const strict = await scene(({ form }) => {
      const jti = String(verified(form.get('client_assertion') ?? '', pss)['jti'])
      const isNew = !seen.has(jti)
      seen.add(jti)
      return isNew ? granted() : { status: 400, body: { error: 'invalid_grant' } }
    }, assertion())
    await credentialOf(strict, given)
    await refresh(strict.workshop.world, 'acme', { force: true })
    expect(strict.hits).toHaveLength(3)
  })

  const once = (more: Record<string, unknown> = {}) => ({
    ...assertion({ key: '${assertionOption.privateKey}', header: { alg: 'RS256' }, ...more }),
    credentials: { user: prompt(), assertion: prompt({ automated: true }) },
    assertion_option: { privateKey: prompt() },
  })

  it('from a key that is given once is kept without it, and is good as long as it lasts', async () => {
    let time = new Date()
    const one = await scene(
      () => granted(),
      { ...once({ lifetimeInSeconds: 86_400 }), token_expires_in_ms: 3_600_000 },
      { clock: { now: () => time } },
    )
    await credentialOf(one, given)
    const kept = JSON.stringify(await one.workshop.world.store.connections.read('acme'))
    expect(kept).not.toContain('PRIVATE KEY')
    expect(kept).not.toContain(key.slice(60, 120))
    time = new Date(time.getTime() + 3_600_000)
    await token(one.workshop.world, 'acme')
    expect(sent(one.hits[1])).toBe(sent(one.hits[0]))
    time = new Date(time.getTime() + 86_400_000)
    const error = await failure(refresh(one.workshop.world, 'acme', { force: true }))
    expect(error).toMatchObject({ code: 'EXPIRED', hint: expect.stringContaining('Connect again') })
    expect(one.hits).toHaveLength(2)
    assertSilent(one.workshop, [key, key.slice(60, 120), sent(one.hits[0]), issued])
  })

  it('that ends before the token does makes no promise of renewal', async () => {
    const one = await scene(() => granted(), { ...once({ lifetimeInSeconds: 300 }), token_expires_in_ms: 3_600_000 })
    const { connection } = await one.workshop.connect('acme', { params: given })
    expect(connection.snapshot.renewal).toBeUndefined()
  })

  it('is SAML where the template says so', async () => {
    const one = await scene(() => granted(), {
      ...once(),
      assertion: {
        type: 'saml',
        key: '${assertionOption.privateKey}',
        issuer: 'www.i.example',
        lifetimeInSeconds: '600',
        audiences: 'www.i.example',
        attributes: { api_key: '${credentials.user}', use_username: true },
        sessionIndex: '${random}',
        nameIdentifier: '${assertionOption.userName}',
        recipient: '${connectionConfig.site}',
      },
      assertion_option: { privateKey: prompt(), userName: prompt() },
    })
    await credentialOf(one, { ...given, userName: 'grace & co' })
    const xml = Buffer.from(sent(one.hits[0]), 'base64').toString('utf8')
    expect(xml).toContain('>grace &amp; co</saml:NameID>')
    expect(xml).toContain('<ds:SignatureValue>')
    expect(xml).toContain('<saml:AttributeValue xsi:type="xs:boolean">true')
    expect(JSON.stringify(await one.workshop.world.store.connections.read('acme'))).not.toContain('grace')
    assertSilent(one.workshop, [key, key.slice(60, 120), sent(one.hits[0])])
  })
})
