import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, test } from 'vitest'
import { integrate } from '../../src/integrate.ts'
import { locate } from '../../src/locate.ts'
import type { Given } from '../../src/look-up.ts'
import { refresh } from '../../src/refresh.ts'
import { rehearse } from '../../src/rehearse.ts'
import { verify } from '../../src/verify.ts'
import { freshFolder } from '../support/disk.ts'
import { openSdkServer, type SdkServer, type SdkTerms } from '../support/mcp-server.ts'
import { freePort } from '../support/person.ts'
import { projectWith } from '../support/project.ts'
import { openProvider, type Reply, type Script, sendBack } from '../support/provider.ts'
import { failure, openWorkshop, type Workshop } from '../support/world.ts'

const open: SdkServer[] = []
afterEach(async () => {
  for (const server of open.splice(0)) await server.close()
})

async function sdk(terms?: SdkTerms): Promise<SdkServer> {
  const server = await openSdkServer(terms)
  open.push(server)
  return server
}

/** Goes where it is sent, and on. */
const follow = async (url: string): Promise<string> => {
  // A browser goes its own way: nobody waits for it.
  void fetch(url).catch(() => {})
  return 'a test'
}
const workshopWith = (templates: Record<string, Record<string, unknown>> = {}): Workshop =>
  openWorkshop({ browse: follow, templates })
const list = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
const quirksOf = ({ events }: Workshop): string[] =>
  events.flatMap((event) => (event.type === 'quirk' ? [event.quirk] : []))

describe('an MCP server of the official SDK', () => {
  it('is connected by its URL alone: discovered, registered at, and asked for its tools', async () => {
    const server = await sdk({ scopes: ['mcp:tools'] })
    const workshop = workshopWith()
    const { connection } = await workshop.connect(server.url, { port: 0 })
    expect(workshop.story().filter((type) => type !== 'exchange')).toEqual([
      'flow.started',
      'answers.collected',
      'server.discovered',
      'client.registered',
      'listener.opened',
      'authorization.requested',
      'browser.opened',
      'callback.received',
      'connection.saved',
      'flow.ended',
    ])
    expect(workshop.exchanges().map(({ purpose, response }) => `${purpose} ${response?.status}`)).toEqual([
      'challenge 401',
      'metadata 200',
      'metadata 200',
      'registration 201',
      'token 200',
    ])
    expect(connection).toMatchObject({
      name: new URL(server.url).host.replace(':', '-'),
      mode: 'MCP_OAUTH2_GENERIC',
      scopes: { requested: ['mcp:tools'], granted: ['mcp:tools'] },
      snapshot: { source: { kind: 'address', file: server.url }, client: { authentication: 'none' } },
    })
    const seen = await verify(workshop.world, connection.name)
    expect([seen.tools, seen.says]).toEqual([['echo', 'add'], expect.stringContaining('2 tools')])
    const { accessToken = '', refreshToken = '' } = connection.credential
    expect(workshop.told()).not.toMatch(new RegExp(`${accessToken}|${refreshToken}`))
  })

  it('hears of the same resource in every request, and of PKCE', async () => {
    const server = await sdk()
    const workshop = workshopWith()
    const { connection } = await workshop.connect(server.url, { port: 0 })
    const renewed = await refresh(workshop.world, connection.name, { force: true })
    expect(renewed.credential.accessToken).not.toBe(connection.credential.accessToken)
    const [authorize] = server.hits.filter(({ path }) => path === '/authorize')
    expect(authorize?.query.get('resource')).toBe(server.url)
    expect(authorize?.query.get('code_challenge_method')).toBe('S256')
    const forms = workshop
      .exchanges()
      .filter(({ purpose }) => purpose === 'token' || purpose === 'refresh')
      .map(({ request }) => new URLSearchParams(request.body))
    expect(forms.map((form) => [form.get('grant_type'), form.get('resource')])).toEqual([
      ['authorization_code', server.url],
      ['refresh_token', server.url],
    ])
    expect((await verify(workshop.world, connection.name)).tools).toHaveLength(2)
  })

  it('registers one client, however often one connects, until a new one is wanted', async () => {
    const server = await sdk()
    const workshop = workshopWith()
    const port = await freePort()
    await workshop.connect(server.url, { port })
    await workshop.connect(server.url, { port })
    await workshop.connect(server.url, { port, as: 'other' })
    expect(server.clients()).toBe(1)
    await workshop.connect(server.url, { port, replace: true })
    expect(server.clients()).toBe(2)
    await workshop.connect(server.url, { port: await freePort() })
    expect(server.clients()).toBe(3)
  })

  it('keeps no client where nothing is to be saved', async () => {
    const server = await sdk()
    const workshop = workshopWith()
    const port = await freePort()
    const given: Given = { port, save: false }
    await workshop.connect(server.url, given)
    expect(await workshop.world.store.clients.list()).toEqual([])
  })

  it('is called by /, . or nothing, without headers that go without saying', async () => {
    const server = await sdk()
    const workshop = workshopWith()
    const { connection } = await workshop.connect(server.url, { port: 0 })
    for (const target of ['/', '.', '']) {
      const answer = await workshop.request(connection.name, { target, method: 'POST', body: list })
      expect([answer.status, answer.text]).toEqual([200, expect.stringContaining('"echo"')])
    }
    expect(server.hits.filter(({ body }) => body['method'] === 'initialize')).toHaveLength(1)
  })

  it('that keeps conversations is spoken to within one, which is ended', async () => {
    const server = await sdk({ keepsSessions: true, tools: ['one'] })
    const workshop = workshopWith()
    const { connection } = await workshop.connect(server.url, { port: 0 })
    expect((await verify(workshop.world, connection.name)).tools).toEqual(['one'])
    const answer = await workshop.request(connection.name, { target: '/', method: 'POST', body: list })
    expect([answer.status, answer.text]).toEqual([200, expect.stringContaining('"one"')])
    expect(workshop.story().filter((type) => type === 'conversation.begun')).toHaveLength(1)
    const ids = new Set(server.hits.map(({ headers }) => headers['mcp-session-id']).filter((id) => id !== undefined))
    expect(ids.size).toBe(2)
    expect(server.hits.filter(({ method }) => method === 'DELETE')).toHaveLength(2)
    for (const id of ids) expect(workshop.told()).not.toContain(id)
  })

  it('that keeps conversations still has its own say in one that is not known to it', async () => {
    const server = await sdk({ keepsSessions: true })
    const workshop = workshopWith()
    const { connection } = await workshop.connect(server.url, { port: 0 })
    const answer = await workshop.request(connection.name, {
      target: '/',
      method: 'POST',
      body: list,
      headers: [['mcp-session-id', 'nobody-knows-it']],
    })
    expect(answer.status).toBe(400)
    expect(server.hits.filter(({ body }) => body['method'] === 'initialize')).toHaveLength(1)
  })

  it('may stand at the root of its host', async () => {
    const server = await sdk({ path: '/' })
    const workshop = workshopWith()
    const { connection } = await workshop.connect(server.origin, { port: 0 })
    const [authorize] = server.hits.filter(({ path }) => path === '/authorize')
    expect(authorize?.query.get('resource')).toBe(server.origin)
    expect((await verify(workshop.world, connection.name)).tools).toHaveLength(2)
  })

  it('says why a connection is of no use any more', async () => {
    const server = await sdk()
    const workshop = workshopWith()
    const { connection } = await workshop.connect(server.url, { port: 0 })
    await workshop.world.store.connections.update(connection.name, (current) =>
      current === undefined
        ? undefined
        : { ...current, credential: { ...current.credential, accessToken: 'not-a-token-of-that-server' } },
    )
    const error = await failure(verify(workshop.world, connection.name))
    expect(error).toMatchObject({ code: 'VERIFICATION_FAILED', status: 401, exitCode: 4 })
  })
})

interface Scripted {
  readonly origin: string
  readonly url: string
  readonly paths: () => string[]
  readonly hits: Awaited<ReturnType<typeof openProvider>>['hits']
}

const protectedResource = '/.well-known/oauth-protected-resource/mcp'
const serverMetadata = '/.well-known/oauth-authorization-server'

/** An MCP server that is its own authorization server; each path may answer something else. */
async function scripted(
  others: Readonly<Record<string, (origin: string) => Script>> = {},
  metadata: Readonly<Record<string, unknown>> = {},
): Promise<Scripted> {
  let origin = ''
  const later =
    (make: (origin: string) => Reply): Script =>
    () =>
      make(origin)
  const standard: Record<string, Script> = {
    '/mcp': later((own) => ({
      status: 401,
      headers: { 'www-authenticate': `Bearer resource_metadata="${own}${protectedResource}"` },
    })),
    [protectedResource]: later((own) => ({ body: { resource: `${own}/mcp`, authorization_servers: [own] } })),
    [serverMetadata]: later((own) => ({
      body: {
        issuer: own,
        authorization_endpoint: `${own}/authorize`,
        token_endpoint: `${own}/token`,
        registration_endpoint: `${own}/register`,
        code_challenge_methods_supported: ['S256'],
        token_endpoint_auth_methods_supported: ['none'],
        ...metadata,
      },
    })),
    '/register': () => ({ status: 201, body: { client_id: 'registered-here' } }),
  }
  const asked = Object.entries(others).map(([path, make]): [string, Script] => [path, (hit) => make(origin)(hit)])
  const { origin: own, hits } = await openProvider({ routes: { ...standard, ...Object.fromEntries(asked) } })
  origin = own
  return { origin, url: `${own}/mcp`, hits, paths: () => hits.map(({ path }) => path) }
}

describe('an MCP server that is not as it should be', () => {
  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['does not say that it knows PKCE', { code_challenge_methods_supported: undefined }],
    ['knows it in plain only', { code_challenge_methods_supported: ['plain'] }],
    ['says something else', { code_challenge_methods_supported: 'S256 is great' }],
  ])('is not authorized at where it %s', async (_, metadata) => {
    const server = await scripted({}, metadata)
    const error = await failure(workshopWith().connect(server.url, { port: 0 }))
    expect(error).toMatchObject({ code: 'PKCE_UNSUPPORTED', exitCode: 4 })
    expect(server.paths()).not.toContain('/register')
  })

  test.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['no token endpoint', { token_endpoint: undefined }, 'METADATA_UNUSABLE'],
    ['a token endpoint over plain http', { token_endpoint: 'http://far.test/token' }, 'INSECURE_URL'],
    [
      'an authorization endpoint that is a script',
      { authorization_endpoint: 'javascript:alert(1)' },
      'METADATA_UNUSABLE',
    ],
    ['a registration endpoint over plain http', { registration_endpoint: 'http://far.test/r' }, 'INSECURE_URL'],
    ['another issuer', { issuer: 'https://far.test' }, 'ISSUER_MISMATCH'],
  ])('is not authorized at where its metadata names %s', async (_, metadata, code) => {
    const server = await scripted({}, metadata)
    const workshop = workshopWith()
    const error = await failure(workshop.connect(server.url, { port: 0 }))
    expect(error).toMatchObject({ code, exitCode: 4, flow: expect.any(String) })
    expect(server.paths().filter((path) => ['/register', '/authorize', '/token'].includes(path))).toEqual([])
    expect(workshop.exchanges().length).toBeGreaterThan(2)
  })

  it('that never says who protects it is waited for no longer than metadata may take', async () => {
    const server = await scripted({ [protectedResource]: () => () => 'hang' })
    const error = await failure(workshopWith().connect(server.url, { port: 0 }))
    expect(error).toMatchObject({ code: 'TIMEOUT', exitCode: 5, hint: expect.stringMatching(/\w/) })
  }, 30_000)

  it('is known from another that says it is the same', async () => {
    const server = await scripted({
      [protectedResource]: (own) => () => ({ body: { resource: `${own}/other`, authorization_servers: [own] } }),
    })
    const error = await failure(workshopWith().connect(server.url, { port: 0 }))
    expect(error).toMatchObject({ code: 'RESOURCE_MISMATCH', exitCode: 4 })
  })

  it('without metadata of its own is taken at its origin, as servers were of old', async () => {
    const server = await scripted({ [protectedResource]: () => () => ({ status: 404 }) })
    const workshop = workshopWith()
    const { connection } = await workshop.connect(server.url, { port: 0 })
    expect(quirksOf(workshop)).toContainEqual(expect.stringContaining('no protected resource metadata'))
    expect(connection.snapshot.tokenParams).toEqual({ resource: server.url })
  })

  it('without either, whose metadata elsewhere names its origin, is taken there too', async () => {
    const server = await scripted({
      '/mcp': () => () => ({ status: 401 }),
      [protectedResource]: () => () => ({ status: 404 }),
      [`${serverMetadata}/mcp`]: (own) => () => ({ body: { issuer: own } }),
    })
    const { connection } = await workshopWith().connect(server.url, { port: 0 })
    expect(connection).toMatchObject({ mode: 'MCP_OAUTH2_GENERIC', snapshot: { endpoints: { issuer: server.origin } } })
  })

  it('may name several authorization servers, of which the first that can be used is', async () => {
    const server = await scripted({
      [protectedResource]: (own) => () => ({
        body: { resource: `${own}/mcp`, authorization_servers: [`${own}/gone`, own] },
      }),
    })
    const workshop = workshopWith()
    const { connection } = await workshop.connect(server.url, { port: 0 })
    expect(connection.snapshot.endpoints.issuer).toBe(server.origin)
    expect(workshop.events).toContainEqual(expect.objectContaining({ type: 'warning', code: 'METADATA_UNUSABLE' }))
  })

  test.each<[string, Reply, string]>([
    ['moves', { status: 307, headers: { location: '/mcp/' } }, 'REDIRECTED'],
    ['asks nobody who they are', { body: { jsonrpc: '2.0', id: 0, result: {} } }, 'NOT_PROTECTED'],
    ['is not there', { status: 404 }, 'NOT_DISCOVERED'],
    ['has trouble', { status: 503 }, 'NOT_DISCOVERED'],
  ])('and %s is told so', async (_, reply, code) => {
    const { origin } = await openProvider({ routes: { '/mcp': () => reply } })
    const error = await failure(workshopWith().connect(`${origin}/mcp`, { port: 0 }))
    expect(error).toMatchObject({ code, exitCode: 4, hint: expect.stringMatching(/\w/) })
  })
})

describe('the scopes that are asked for', () => {
  const named = { scopes_supported: ['b', 'c'] }
  const resource = (own: string) => () => ({
    body: { resource: `${own}/mcp`, authorization_servers: [own], ...named },
  })
  const challenged = (own: string) => () => ({
    status: 401,
    headers: { 'www-authenticate': `Bearer resource_metadata="${own}${protectedResource}", scope="a"` },
  })

  test.each<[string, Readonly<Record<string, (origin: string) => Script>>, Given, readonly string[]]>([
    ["are the person's", { '/mcp': challenged, [protectedResource]: resource }, { scopes: ['x'] }, ['x']],
    ["else the challenge's", { '/mcp': challenged, [protectedResource]: resource }, {}, ['a']],
    ['else all that the resource knows', { [protectedResource]: resource }, {}, ['b', 'c']],
    ['else none', {}, {}, []],
  ])('%s', async (_, others, given, scopes) => {
    const server = await scripted(others)
    const { connection } = await workshopWith().connect(server.url, { port: 0, ...given })
    expect(connection.scopes.requested).toEqual(scopes)
    const [authorize] = server.hits.filter(({ path }) => path === '/authorize')
    expect(authorize?.query.get('scope')).toBe(scopes.length === 0 ? null : scopes.join(' '))
  })

  it('are fewer where the client was registered for fewer', async () => {
    const server = await scripted({
      [protectedResource]: resource,
      '/register': () => () => ({ status: 201, body: { client_id: 'one', scope: 'b' } }),
    })
    const workshop = workshopWith()
    const { connection } = await workshop.connect(server.url, { port: 0 })
    expect(connection.scopes.requested).toEqual(['b'])
    expect(quirksOf(workshop)).toContainEqual(expect.stringContaining('without the scopes c'))
  })
})

describe('the client of an MCP server', () => {
  const noRegistry = { registration_endpoint: undefined }

  it('is the one that was given, proved as the server takes it', async () => {
    const server = await scripted({}, { token_endpoint_auth_methods_supported: ['client_secret_basic'] })
    const given = { port: 0, clientId: 'mine', clientSecret: 'a-secret-of-mine' }
    const { connection } = await workshopWith().connect(server.url, given)
    expect(connection.snapshot.client).toEqual({ id: 'mine', secret: 'a-secret-of-mine', authentication: 'basic' })
    expect(server.paths()).not.toContain('/register')
    const [token] = server.hits.filter(({ path }) => path === '/token')
    expect(token?.headers.authorization).toMatch(/^Basic /)
  })

  it.each([true, undefined])('may be a document of its own (%s)', async (client_id_metadata_document_supported) => {
    const server = await scripted({}, { client_id_metadata_document_supported })
    const clientId = 'https://me.test/client.json'
    const workshop = workshopWith()
    const { connection } = await workshop.connect(server.url, { port: 0, clientId })
    expect(connection.snapshot.client).toEqual({ id: clientId, authentication: 'none' })
    expect(server.paths()).not.toContain('/register')
    const told = quirksOf(workshop).some((quirk) => quirk.includes('client documents'))
    expect(told).toBe(client_id_metadata_document_supported !== true)
  })

  it('is asked for where none can register itself', async () => {
    const server = await scripted({}, noRegistry)
    const workshop = openWorkshop({ browse: follow, answers: { 'client-id': 'typed', 'client-secret': '' } })
    const { connection } = await workshop.connect(server.url, { port: 0 })
    expect(connection.snapshot.client).toEqual({ id: 'typed', authentication: 'none' })
    await expect(workshopWith().connect(server.url, { port: 0 })).rejects.toThrow('--client-id')
  })

  it('is registered anew at another server, and what one was given never goes to the other', async () => {
    let guard = ''
    const other = await scripted()
    const server = await scripted({
      [protectedResource]: (own) => () => ({ body: { resource: `${own}/mcp`, authorization_servers: [guard] } }),
    })
    guard = server.origin
    const workshop = workshopWith()
    const port = await freePort()
    await workshop.connect(server.url, { port })
    guard = other.origin
    const { connection } = await workshop.connect(server.url, { port })
    expect(other.paths()).toContain('/register')
    expect(connection.snapshot.endpoints.issuer).toBe(other.origin)
    const first = await scripted({
      [protectedResource]: (own) => () => ({ body: { resource: `${own}/mcp`, authorization_servers: [guard] } }),
    })
    guard = first.origin
    const own = { port, clientId: 'mine', clientSecret: 'a-secret-of-mine' }
    await workshop.connect(first.url, own)
    guard = other.origin
    const before = other.hits.length
    expect(await failure(workshop.connect(first.url, { port }))).toMatchObject({ code: 'ORIGIN_CHANGED', exitCode: 2 })
    expect(other.hits.slice(before).map(({ path }) => path)).toEqual([serverMetadata])
  })

  it('that the server has forgotten is forgotten here too, and the next flow registers another', async () => {
    let known = 'one'
    let registered = 0
    const server = await scripted({
      '/register': () => () => {
        registered += 1
        return { status: 201, body: { client_id: known } }
      },
      '/token':
        () =>
        ({ form }) =>
          form.get('client_id') === known
            ? { body: { access_token: 'a-token-of-that-server', token_type: 'Bearer' } }
            : { status: 401, body: { error: 'invalid_client' } },
    })
    const workshop = workshopWith()
    const port = await freePort()
    await workshop.connect(server.url, { port })
    known = 'two'
    const error = await failure(workshop.connect(server.url, { port }))
    expect(error).toMatchObject({ code: 'INVALID_CLIENT', hint: expect.stringContaining('another is registered') })
    await workshop.connect(server.url, { port })
    expect(registered).toBe(2)
  })

  it('cannot go without PKCE', async () => {
    const server = await scripted()
    const error = await failure(workshopWith().connect(server.url, { port: 0, pkce: false }))
    expect(error).toMatchObject({ code: 'BAD_FLAG', exitCode: 2 })
    expect(server.hits).toEqual([])
  })
})

it('a resource may be chosen, or left out, by whoever connects; never one with a fragment', async () => {
  const server = await scripted()
  const workshop = workshopWith()
  const sent = (path: string) => {
    const hit = server.hits.findLast((one) => one.path === path)
    return path === '/token' ? hit?.form.get('resource') : hit?.query.get('resource')
  }
  await workshop.connect(server.url, { port: 0, authorizationParams: { resource: 'https://api.test/v1' } })
  expect([sent('/authorize'), sent('/token')]).toEqual(['https://api.test/v1', 'https://api.test/v1'])
  await workshop.connect(server.url, { port: 0, authorizationParams: { resource: null } })
  expect([sent('/authorize'), sent('/token')]).toEqual([null, null])
  const error = await failure(
    workshop.connect(server.url, { authorizationParams: { resource: 'https://api.test/v1#x' } }),
  )
  expect(error).toMatchObject({ code: 'BAD_FLAG', exitCode: 2 })
})

describe('no secret of an MCP server or of the client that it registered', () => {
  const secret = 'client-secret/with+odd "signs" 0001'
  const manage = 'registration-access-token-0002'
  const register = () => () => ({
    status: 201,
    body: {
      client_id: 'one',
      client_secret: secret,
      client_secret_expires_at: 0,
      token_endpoint_auth_method: 'client_secret_post',
      registration_access_token: manage,
      registration_client_uri: 'https://as.test/one',
    },
  })
  const metadata = { token_endpoint_auth_methods_supported: ['client_secret_post'] }
  const echo: Script = ({ form }) => ({
    status: 400,
    body: {
      error: 'invalid_grant',
      error_description: `no ${form.get('client_secret')} ${form.get('code')} ${manage}`,
    },
  })
  const spellings = (value: string): string[] => [
    value,
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
    Buffer.from(value).toString('base64'),
    Buffer.from(value).toString('base64url'),
  ]

  test.each<[string, Readonly<Record<string, (origin: string) => Script>>]>([
    ['when all goes well', {}],
    ['when the token endpoint says it back', { '/token': () => echo }],
    [
      'when the token endpoint answers a page',
      {
        '/token':
          () =>
          ({ body }) => ({ status: 500, body: `<p>${body}</p>` }),
      },
    ],
    [
      'when the person says no',
      {
        '/authorize':
          () =>
          ({ query }) => ({
            status: 302,
            headers: { location: `${query.get('redirect_uri')}?error=access_denied&state=${query.get('state')}` },
          }),
      },
    ],
  ])('is told %s', async (_, others) => {
    const server = await scripted({ '/register': register, ...others }, metadata)
    const workshop = workshopWith()
    const connected = await workshop.connect(server.url, { port: 0 }).catch(() => undefined)
    if (connected !== undefined) {
      const { name } = connected.connection
      await refresh(workshop.world, name, { force: true })
      await workshop.request(name, { target: '/', method: 'POST', body: list })
      await verify(workshop.world, name).catch(() => {})
    }
    const saved =
      connected === undefined ? undefined : await workshop.world.store.connections.read(connected.connection.name)
    const tokens = server.hits.flatMap(({ form }) =>
      ['code', 'code_verifier', 'refresh_token'].map((name) => form.get(name)),
    )
    const secrets = [secret, manage, saved?.credential.accessToken, saved?.credential.refreshToken, ...tokens]
    const told = workshop.told()
    expect(server.paths()).toContain('/register')
    for (const one of secrets.filter((value) => typeof value === 'string'))
      for (const spelled of spellings(one)) expect(told.includes(spelled), `${spelled} in the log`).toBe(false)
  })
})

describe('a template of an MCP server', () => {
  const template = (origin: string, more: Record<string, unknown> = {}) => ({
    display_name: 'Acme (MCP)',
    docs: 'https://acme.test',
    auth_mode: 'MCP_OAUTH2',
    client_registration: 'dynamic',
    authorization_url: `${origin}/authorize`,
    token_url: `${origin}/token`,
    registration_url: `${origin}/register`,
    proxy: { base_url: origin },
    ...more,
  })

  it('registers with its own words, has no say in what ties the answer to us, and binds every request', async () => {
    const server = await scripted()
    const authorization_params = {
      response_type: 'token',
      client_id: 'evil',
      state: 'evil',
      redirect_uri: 'https://evil.test',
      scope: 'evil',
      code_challenge: 'evil',
      code_challenge_method: 'plain',
      prompt: 'consent',
      resource: `${server.origin}/mcp`,
    }
    const registration_params = { client_name: 'Mine', grant_types: ['authorization_code'] }
    const workshop = workshopWith({
      acme: template(server.origin, { authorization_params, registration_params, default_scopes: ['a'] }),
    })
    const { connection } = await workshop.connect('acme', { port: 0 })
    await refresh(workshop.world, 'acme', { force: true })
    const of = (path: string) => server.hits.filter((hit) => hit.path === path)
    expect(JSON.parse(of('/register')[0]?.body ?? '')).toMatchObject({ ...registration_params, scope: 'a' })
    expect(Object.fromEntries(of('/authorize')[0]?.query ?? [])).toMatchObject({
      response_type: 'code',
      client_id: 'registered-here',
      scope: 'a',
      code_challenge_method: 'S256',
      prompt: 'consent',
      resource: `${server.origin}/mcp`,
      redirect_uri: connection.snapshot.redirectUri,
    })
    expect(of('/token').map(({ form }) => form.get('resource'))).toEqual([
      `${server.origin}/mcp`,
      `${server.origin}/mcp`,
    ])
  })

  it('of a client that was registered by hand asks for that', async () => {
    const server = await scripted()
    const workshop = workshopWith({ acme: template(server.origin, { client_registration: 'static' }) })
    await expect(workshop.connect('acme', { port: 0 })).rejects.toThrow('--client-id')
    await workshop.connect('acme', { port: 0, clientId: 'mine', clientSecret: 'a-secret-of-mine' })
    expect(server.paths()).toEqual(['/authorize', '/token'])
  })

  it('finds the server to verify at its resource, its base URL or what is usual', async () => {
    const server = await scripted({
      '/mcp':
        () =>
        ({ body, headers }) => {
          const { method, id } = JSON.parse(body)
          if (headers.authorization === undefined) return { status: 401 }
          const result = method === 'initialize' ? { protocolVersion: '2025-03-26' } : { tools: [{ name: 'one' }] }
          return id === undefined ? { status: 202, body: '' } : { body: { jsonrpc: '2.0', id, result } }
        },
    })
    const workshop = workshopWith({ acme: template(server.origin) })
    await workshop.connect('acme', { port: 0 })
    expect(await verify(workshop.world, 'acme')).toMatchObject({ tools: ['one'], proof: { url: server.url } })
    const listed = server.hits.filter(({ body }) => body.includes('tools/list'))
    expect(listed.map(({ headers }) => headers['mcp-protocol-version'])).toEqual(['2025-03-26'])
  })

  it('that asks for the URL takes one on loopback, whatever its pattern wants of others', async () => {
    const server = await scripted()
    const generic = {
      display_name: 'Any (MCP)',
      docs: 'https://any.test',
      auth_mode: 'MCP_OAUTH2_GENERIC',
      connection_config: {
        mcp_server_url: { type: 'string', title: 'URL', pattern: '^https://[a-zA-Z0-9.-]+(?:\\:[0-9]+)?(?:/.*)?$' },
      },
    }
    const workshop = workshopWith({ any: generic, bare: { ...generic, connection_config: undefined } })
    const { connection } = await workshop.connect('any', { port: 0, params: { mcp_server_url: server.url } })
    expect(connection.snapshot.endpoints).toMatchObject({ api: server.url, mcp: server.url })
    for (const url of ['http://far.test/mcp', 'ftp://far.test', 'nonsense'])
      expect(await failure(workshop.connect('any', { params: { mcp_server_url: url } }))).toMatchObject({ exitCode: 2 })
    await workshop.connect('bare', { port: 0, params: { mcp_server_url: server.url } })
  })
})

describe('the URL of an issuer', () => {
  const openid = '/.well-known/openid-configuration'
  const issuerWith = (more: (own: string) => Record<string, unknown> = () => ({})) =>
    scripted(
      {
        '/mcp': () => () => ({ status: 404 }),
        [protectedResource]: () => () => ({ status: 404 }),
        [serverMetadata]: () => () => ({ status: 404 }),
        [openid]: (own) => () => ({
          body: {
            issuer: own,
            authorization_endpoint: `${own}/authorize`,
            token_endpoint: `${own}/token`,
            userinfo_endpoint: `${own}/me`,
            scopes_supported: ['openid', 'profile'],
            ...more(own),
          },
        }),
        '/token': () => () => ({ body: { access_token: 'a-token-of-that-issuer', token_type: 'Bearer', scope: 'x' } }),
        '/me':
          () =>
          ({ headers }) => ({ body: { said: headers.authorization } }),
      },
      {},
    )

  it('is authorized at as such, with the client that was given', async () => {
    const server = await issuerWith()
    const workshop = workshopWith()
    const given = { port: 0, clientId: 'mine', clientSecret: 'a-secret-of-mine' }
    const { connection } = await workshop.connect(server.origin, given)
    expect(connection).toMatchObject({
      mode: 'OAUTH2',
      params: {},
      scopes: { requested: ['openid'] },
      snapshot: {
        client: { authentication: 'basic' },
        tokenParams: {},
        endpoints: { issuer: server.origin },
        template: { auth_mode: 'OAUTH2', userinfo_url: `${server.origin}/me` },
      },
    })
    const answer = await workshop.request(connection.name, { target: '/me' })
    expect(JSON.parse(answer.text)).toEqual({ said: 'Bearer a-token-of-that-issuer' })
  })

  it('is asked to register a client where it does', async () => {
    const server = await issuerWith((own) => ({ registration_endpoint: `${own}/register` }))
    const { connection } = await workshopWith().connect(server.origin, { port: 0 })
    expect(connection.snapshot.client).toMatchObject({ id: 'registered-here', registration: {} })
  })

  it('of whom a template knows nothing else is enough for a template', async () => {
    const server = await issuerWith()
    const idp = { display_name: 'Idp', docs: 'https://idp.test', auth_mode: 'OAUTH2', issuer: server.origin }
    const workshop = workshopWith({ idp })
    const { connection } = await workshop.connect('idp', {
      port: 0,
      clientId: 'mine',
      clientSecret: 'a-secret-of-mine',
    })
    expect(connection.snapshot.endpoints).toMatchObject({
      authorization: `${server.origin}/authorize`,
      token: `${server.origin}/token`,
    })
    expect(connection.snapshot.client.authentication).toBe('basic')
  })
})

describe('a server that takes pushed requests only', () => {
  const pushes = (reply: (count: number) => Reply) => {
    let count = 0
    const kept = new Map<string, URLSearchParams>()
    const others: Record<string, (origin: string) => Script> = {
      '/par':
        () =>
        ({ form }) => {
          count += 1
          const uri = `urn:ietf:params:oauth:request_uri:number-${count}`
          const { status = 201, body = { request_uri: uri, expires_in: 60 } } = reply(count)
          kept.set(uri, form)
          return { status, body }
        },
      '/authorize': () => (hit) =>
        sendBack({ ...hit, query: kept.get(hit.query.get('request_uri') ?? '') ?? hit.query }),
    }
    return others
  }
  const metadata = { require_pushed_authorization_requests: true }

  it('has them pushed, each time anew, and the browser carries the reference alone', async () => {
    let origin = ''
    const server = await scripted({
      ...pushes(() => ({})),
      [serverMetadata]: (own) => () => ({
        body: {
          issuer: own,
          authorization_endpoint: `${own}/authorize?tenant=a`,
          token_endpoint: `${own}/token`,
          registration_endpoint: `${own}/register`,
          pushed_authorization_request_endpoint: `${own}/par`,
          code_challenge_methods_supported: ['S256'],
          ...metadata,
        },
      }),
    })
    origin = server.origin
    const workshop = workshopWith()
    await workshop.connect(server.url, { port: 0 })
    await workshop.connect(server.url, { port: 0 })
    const visits = server.hits.filter(({ path }) => path === '/authorize').map(({ query }) => [...query])
    expect(visits).toEqual(
      [1, 2].map((number) => [
        ['tenant', 'a'],
        ['client_id', 'registered-here'],
        ['request_uri', `urn:ietf:params:oauth:request_uri:number-${number}`],
      ]),
    )
    const [first] = server.hits.filter(({ path }) => path === '/par')
    expect(Object.fromEntries(first?.form ?? [])).toMatchObject({
      client_id: 'registered-here',
      response_type: 'code',
      resource: `${origin}/mcp`,
      code_challenge_method: 'S256',
    })
    expect(workshop.told()).not.toContain('request_uri:number-1')
  })

  test.each<[string, Reply, string]>([
    ['refuses one', { status: 400, body: { error: 'invalid_request', error_description: 'no' } }, 'INVALID_REQUEST'],
    ['has trouble', { status: 500, body: 'oh' }, 'HTTP_500'],
    ['answers no reference', { status: 201, body: { expires_in: 60 } }, 'ANSWER_INVALID'],
  ])('and %s is quoted, and nothing is opened', async (_, reply, code) => {
    const server = await scripted(
      { ...pushes(() => reply) },
      { ...metadata, pushed_authorization_request_endpoint: undefined },
    )
    const bare = await failure(workshopWith().connect(server.url, { port: 0 }))
    expect(bare.message).toContain('pushed_authorization_request_endpoint')
    const idp = await openProvider({
      routes: {
        '/.well-known/openid-configuration': () => ({
          body: { issuer: idp.origin, pushed_authorization_request_endpoint: `${idp.origin}/par`, ...metadata },
        }),
        '/par': () => reply,
      },
    })
    const template = {
      display_name: 'Idp',
      docs: 'https://idp.test',
      auth_mode: 'OAUTH2',
      issuer: idp.origin,
      authorization_url: `${idp.origin}/authorize`,
      token_url: `${idp.origin}/token`,
    }
    const workshop = workshopWith({ idp: template })
    const error = await failure(workshop.connect('idp', { port: 0, clientId: 'mine', clientSecret: 'a-secret' }))
    expect(error).toMatchObject({ code, exitCode: 4 })
    expect(workshop.story()).not.toContain('browser.opened')
  })
})

describe('a rehearsal', () => {
  const rehearsed = async (workshop: Workshop, name: string, given: Given = {}) =>
    rehearse(workshop.world, await integrate(workshop.world, await locate(workshop.world, name), given))

  it('of an address shows the first question, and asks it of nobody', async () => {
    const { discovery, authorizationUrl } = await rehearsed(openWorkshop(), 'https://mcp.nobody.test/mcp')
    expect(discovery).toMatchObject({ method: 'POST', url: 'https://mcp.nobody.test/mcp' })
    expect(authorizationUrl).toBeUndefined()
  })

  it('of a template shows the registration; with a client, the requests', async () => {
    const acme = {
      display_name: 'Acme',
      docs: 'https://acme.test',
      auth_mode: 'MCP_OAUTH2',
      client_registration: 'dynamic',
      authorization_url: 'https://acme.test/authorize',
      token_url: 'https://acme.test/token',
      registration_url: 'https://acme.test/register',
      authorization_params: { resource: 'https://acme.test/mcp' },
    }
    const workshop = openWorkshop({ templates: { acme } })
    const { discovery } = await rehearsed(workshop, 'acme')
    expect(JSON.parse(discovery?.body ?? '')).toMatchObject({
      redirect_uris: ['http://localhost:8749/oauth/callback'],
    })
    const { authorizationUrl = '', tokenRequest } = await rehearsed(workshop, 'acme', { clientId: 'mine' })
    expect(new URL(authorizationUrl).searchParams.get('client_id')).toBe('mine')
    expect(new URLSearchParams(tokenRequest?.body).get('resource')).toBe('https://acme.test/mcp')
  })
})

describe('a project file that chooses the server', () => {
  const generic = { display_name: 'Any', docs: 'https://any.test', auth_mode: 'MCP_OAUTH2_GENERIC' }

  test.each<[string, Record<string, unknown>]>([
    ['by a URL', { provider: 'https://evil.test/mcp', client_id: 'x', client_secret: '${HUSH}' }],
    [
      'by an answer',
      {
        provider: 'any',
        client_id: 'x',
        client_secret: '${HUSH}',
        params: { mcp_server_url: 'https://evil.test/mcp' },
      },
    ],
  ])('%s gets no secret of ours unless it is trusted', async (_, entry) => {
    const { world: own } = openWorkshop({ env: { HUSH: 'a-secret-of-the-environment' } })
    const person = freshFolder()
    writeFileSync(join(person, 'any.yaml'), JSON.stringify({ any: generic }))
    const world = {
      ...own,
      store: own.store,
      secrets: own.secrets,
      folders: { ...own.folders, person },
      cwd: projectWith({}, { integrations: { mine: entry } }),
      confirm: async () => undefined,
    }
    const error = await failure(locate(world, 'mine').then((located) => integrate(world, located, {})))
    expect(error).toMatchObject({
      code: 'PROJECT_UNTRUSTED',
      message: expect.stringContaining('HUSH would go to evil.test'),
    })
  })
})

describe('an address', () => {
  test.each([
    ['https://mcp.example.test/mcp', 'mcp.example.test'],
    ['HTTPS://MCP.Example.test', 'mcp.example.test'],
    ['http://localhost:3000/a/mcp?x=y', 'localhost-3000'],
    ['http://[::1]:3000/mcp', '1-3000'],
  ])('%s is called %s', async (address, name) => {
    expect((await locate(openWorkshop().world, address)).name).toBe(name)
  })

  test.each(['https://me:pw@h.test/mcp', 'https://h.test/mcp#x', 'https://', 'http://h.test/mcp'])(
    '%s is refused',
    async (address) => {
      const { world } = openWorkshop()
      const act = async () => integrate(world, await locate(world, address), {})
      expect(await failure(act())).toMatchObject({ exitCode: 2 })
    },
  )

  it('does not take the place of a connection to another on the same host', async () => {
    const server = await scripted({ '/other': () => () => ({ status: 401 }) })
    const workshop = workshopWith()
    const { connection } = await workshop.connect(server.url, { port: 0 })
    const error = await failure(workshop.connect(`${server.origin}/other`, { port: 0 }))
    expect(error).toMatchObject({ code: 'NAME_TAKEN', exitCode: 2 })
    expect((await workshop.world.store.connections.read(connection.name))?.params['mcp_server_url']).toBe(server.url)
  })
})
