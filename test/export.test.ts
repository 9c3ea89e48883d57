import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { carriedConnection, carriedObject } from '../src/carried.ts'
import { exported, shellQuoted } from '../src/export.ts'
import { importConnection, importCredential } from '../src/import.ts'
import { locate } from '../src/locate.ts'
import type { Given } from '../src/look-up.ts'
import type { Connection } from '../src/model/connection.ts'
import type { World } from '../src/model/world.ts'
import { handedByNango } from '../src/nango.ts'
import { openProvider, type ScriptedProvider } from './support/provider.ts'
import { failure, openWorkshop, type Workshop, wanderer } from './support/world.ts'

const odd = `k'e"y $(id) \`id\` \\ %s !x`

interface Stage extends Workshop {
  readonly provider: ScriptedProvider
  /** A machine of its own that knows the same templates. */
  readonly elsewhere: () => Workshop
}

async function stage(): Promise<Stage> {
  const provider = await openProvider({
    routes: { '/me': ({ headers, query }) => ({ body: { sent: headers.authorization ?? query.get('key') } }) },
  })
  const { origin } = provider
  const shared = { display_name: 'Acme', docs: 'https://example.com', proxy: { base_url: origin } }
  const templates = {
    oauth: {
      ...shared,
      auth_mode: 'OAUTH2',
      authorization_url: `${origin}/authorize`,
      token_url: `${origin}/token`,
      redirect_uri: { port: 'any' },
      connection_config: { region: { type: 'string', title: 'Region', description: '', optional: true } },
    },
    key: {
      ...shared,
      auth_mode: 'API_KEY',
      credentials: { apiKey: { type: 'string', title: 'API key', description: '' } },
      proxy: { base_url: origin, query: { key: '${apiKey}' } },
    },
    basic: { ...shared, auth_mode: 'BASIC' },
    none: { ...shared, auth_mode: 'NONE' },
  }
  const workshop = openWorkshop({ templates, browse: wanderer })
  return { ...workshop, provider, elsewhere: () => openWorkshop({ templates, browse: wanderer }) }
}

const oauth: Given = {
  clientId: 'app',
  clientSecret: 'the client secret',
  port: 0,
  params: { region: 'eu' },
  scopes: ['a', 'b'],
}

async function made({ connect, world }: Workshop): Promise<readonly Connection[]> {
  await connect('oauth', oauth)
  await connect('key', { params: { apiKey: odd } })
  await connect('basic', { params: { username: 'ann', password: '' } })
  await connect('none')
  return world.store.connections.list()
}

async function importText(world: World, text: string, terms = {}): Promise<Connection> {
  return importConnection(world, carriedConnection(carriedObject(text)), terms)
}

describe('an export as json', () => {
  it('loses nothing on its way to another machine, where it works as before', async () => {
    const here = await stage()
    const all = await made(here)
    expect(all.map(({ mode }) => mode)).toEqual(['BASIC', 'API_KEY', 'NONE', 'OAUTH2'])
    const there = here.elsewhere()
    for (const connection of all) {
      const whole = { ...connection, tags: { team: 'a=b' }, metadata: { n: [1, { deep: null }] } }
      const back = await importText(there.world, await exported(here.world, whole, 'json'))
      expect(back).toEqual(whole)
      expect(await there.world.store.connections.read(connection.name)).toEqual(whole)
      const { text } = await there.request(connection.name, { target: '/me' })
      expect(text).toBe((await here.request(connection.name, { target: '/me' })).text)
    }
    const revived = await there.world.store.connections.read('oauth')
    const stale = {
      ...revived,
      credential: { ...revived?.credential, expiresAt: new Date().toISOString() },
    } as Connection
    await importText(there.world, JSON.stringify(stale), { replace: true })
    expect((await there.request('oauth', { target: '/me' })).status).toBe(200)
    expect(here.provider.tokenRequests()).toHaveLength(2)
  })

  it("stands in nobody's place unless that is said", async () => {
    const { world, connect } = await stage()
    const { connection } = await connect('none')
    const text = await exported(world, connection, 'json')
    expect(await failure(importText(world, text))).toMatchObject({ code: 'NAME_TAKEN', exitCode: 2 })
    expect((await importText(world, text, { as: 'other' })).name).toBe('other')
    expect((await importText(world, text, { replace: true, tags: { a: 'b' } })).tags).toEqual({ a: 'b' })
  })

  it('allows no plain http by itself', async () => {
    const { world, connect } = await stage()
    const { connection } = await connect('none')
    const far = 'http://api.example.com'
    const snapshot = { ...connection.snapshot, endpoints: { api: far }, origins: [far], allowHttp: true }
    const text = JSON.stringify({ ...connection, name: 'far', snapshot })
    expect((await failure(importText(world, text))).code).toBe('INSECURE_URL')
    expect((await importText(world, text, { allowHttp: true })).snapshot.allowHttp).toBe(true)
  })
})

describe('what is no export', () => {
  it('is refused with the field and what it must be', async () => {
    const { world, connect } = await stage()
    const { connection } = await connect('oauth', oauth)
    const changed = (path: string, value: unknown): string => {
      const copy = JSON.parse(JSON.stringify(connection))
      const keys = path.split('.')
      const last = keys.pop() ?? ''
      const target = keys.reduce((inner, key) => inner[key], copy)
      if (value === undefined) delete target[last]
      else target[last] = value
      return JSON.stringify(copy)
    }
    const cases: readonly (readonly [string, unknown])[] = [
      ['name', 7],
      ['name', ''],
      ['mode', 'BASIC'],
      ['version', 2],
      ['version', '1'],
      ['params', { a: 1 }],
      ['params', []],
      ['credential', null],
      ['credential.accessToken', { toString: 'x' }],
      ['credential.accessToken', 'with\r\nX-Header: more'],
      ['credential.refreshToken', 'snow ☃'],
      ['credential.obtainedAt', 'soon'],
      ['credential.expiresAt', 1e99],
      ['scopes.granted', 'read'],
      ['snapshot', undefined],
      ['snapshot.origins', ['https://a.example/path']],
      ['snapshot.origins', ['javascript:alert(1)']],
      ['snapshot.endpoints', { api: 'file:///etc/passwd' }],
      ['snapshot.endpoints', { token: 'https://thief.example/token' }],
      ['snapshot.template.auth_mode', 5],
      ['snapshot.template.connection_config', 'not questions'],
      ['snapshot.template.proxy.headers', ['x']],
      ['snapshot.template.token_url', { a: 1 }],
      ['snapshot.template.default_scopes', 'read'],
      ['snapshot.allowHttp', 'yes'],
      ['metadata', [1]],
      ['createdAt', 'yesterday'],
      ['lastError', 'x'],
    ]
    for (const [field, value] of cases) {
      const error = await failure(importText(world, changed(field, value), { as: 'odd' }))
      expect([field, error.code, error.exitCode, error.hint]).toEqual([field, 'IMPORT_INVALID', 2, expect.any(String)])
      expect(error.message + JSON.stringify(error.facts)).toContain(field)
      expect(error.message).not.toContain(connection.credential.accessToken)
    }
    const masked = JSON.stringify({ ...connection, credential: { ...connection.credential, masked: true } })
    for (const as of ['-x', ' ']) {
      const named = importText(world, JSON.stringify(connection), { as })
      expect((await failure(named)).code).toBe('BAD_NAME')
    }
    expect((await failure(importText(world, masked, { as: 'odd' }))).message).toContain('masked')
    expect(await world.store.connections.read('odd')).toBeUndefined()
  })

  it('is refused whatever it is', () => {
    const texts = [
      '',
      ' ',
      '{',
      'null',
      '[]',
      '"x"',
      '[1]',
      `${'['.repeat(5000)}${']'.repeat(5000)}`,
      '{"__proto__":{"a":1}}',
    ]
    const nested = '{"version":1,"params":{"__proto__":{"polluted":"yes"}}}'
    for (const text of [...texts, nested])
      expect(() => carriedObject(text), text.slice(0, 40)).toThrow(/cannot be imported/)
    expect(({} as { polluted?: string }).polluted).toBeUndefined()
  })
})

describe('an export for Nango', () => {
  it('is the body that its import takes, by mode', async () => {
    const here = await stage()
    const bodies = await Promise.all(
      (await made(here)).map(async (one) => JSON.parse(await exported(here.world, one, 'nango'))),
    )
    const held = await here.world.store.connections.read('oauth')
    expect(bodies).toEqual([
      {
        provider_config_key: 'basic',
        connection_id: 'basic',
        connection_config: {},
        metadata: {},
        tags: {},
        credentials: { type: 'BASIC', username: 'ann', password: '' },
      },
      {
        provider_config_key: 'key',
        connection_id: 'key',
        connection_config: {},
        metadata: {},
        tags: {},
        credentials: { type: 'API_KEY', apiKey: odd },
      },
      {
        provider_config_key: 'none',
        connection_id: 'none',
        connection_config: {},
        metadata: {},
        tags: {},
        credentials: { type: 'NONE' },
      },
      {
        provider_config_key: 'oauth',
        connection_id: 'oauth',
        connection_config: { region: 'eu', oauth_scopes_override: ['a', 'b'] },
        metadata: {},
        tags: {},
        credentials: {
          type: 'OAUTH2',
          access_token: held?.credential.accessToken,
          refresh_token: held?.credential.refreshToken,
          expires_at: held?.credential.expiresAt,
          config_override: { client_id: 'app', client_secret: 'the client secret' },
        },
      },
    ])
  })

  it('comes back as a connection that can be used and renewed', async () => {
    const here = await stage()
    for (const one of await made(here)) {
      const there = here.elsewhere()
      const value = carriedObject(await exported(here.world, one, 'nango'))
      const handed = handedByNango(value)
      const back = await importCredential(
        there.world,
        await locate(there.world, handed.provider),
        handed,
        { trustProject: true },
        {},
      )
      expect([back.name, back.mode, back.params, back.scopes.requested]).toEqual([
        one.name,
        one.mode,
        one.params,
        one.scopes.requested,
      ])
      expect(back.snapshot.client).toEqual(one.snapshot.client)
      const { text } = await there.request(one.name, { target: '/me' })
      expect(text).toBe((await here.request(one.name, { target: '/me' })).text)
    }
  })

  it('names the field that is wrong', () => {
    const good = { provider_config_key: 'oauth', credentials: { type: 'OAUTH2', access_token: 'x' } }
    const wrong: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
      ['credentials', { provider_config_key: 'x' }],
      ['provider_config_key', { credentials: good.credentials }],
      ['credentials.type', { ...good, credentials: {} }],
      ['credentials.access_token', { ...good, credentials: { ...good.credentials, access_token: 5 } }],
      ['credentials.expires_at', { ...good, credentials: { ...good.credentials, expires_at: 'soon' } }],
      ['metadata', { ...good, metadata: [] }],
      ['tags.a', { ...good, tags: { a: 1 } }],
    ]
    for (const [field, value] of wrong) expect(() => handedByNango(value)).toThrow(`cannot be imported: ${field}:`)
  })
})

describe('an export for a shell', () => {
  const sh = (script: string): string => execFileSync('sh', ['-c', script], { encoding: 'utf8' })

  it('gives each value as it is, whatever stands in it', async () => {
    for (const word of [odd, '', "'", "''", 'a\nb', '-n', '~', '*', 'ü☃'])
      expect(sh(`printf %s ${shellQuoted(word)}`)).toBe(word)
    const { connect, world } = await stage()
    const { connection } = await connect('key', { params: { apiKey: odd } })
    const text = await exported(world, connection, 'env')
    expect(sh(`${text}\nprintf '%s\\n%s' "$KEY_API_KEY" "$KEY_BASE_URL"`)).toBe(
      `${odd}\n${connection.snapshot.endpoints.api}`,
    )
  })

  it('is a curl command that does what request does', async () => {
    const here = await stage()
    const { provider, world } = here
    for (const one of await made(here)) {
      const text = await exported(world, one, 'curl')
      const words: string[] = JSON.parse(
        sh(
          `set -- ${text}; exec "${process.execPath}" -e 'console.log(JSON.stringify(process.argv.slice(1)))' -- "$@"`,
        ),
      )
      const url = new URL('me', words.at(-1))
      url.search = new URL(words.at(-1) ?? '').search
      const headers = words.flatMap((word, at) =>
        word === '-H' ? [(words[at + 1] ?? '').split(/: (.*)/s).slice(0, 2)] : [],
      )
      expect(words[0]).toBe('curl')
      const answer = await fetch(url, { headers: Object.fromEntries(headers) })
      expect(await answer.text()).toBe((await here.request(one.name, { target: '/me' })).text)
    }
    expect(provider.hits.filter(({ path }) => path === '/me')).toHaveLength(8)
  })
})

describe('a credential that exists already', () => {
  it('becomes a connection without a browser, its client only where it has to renew', async () => {
    const { world, request, provider } = await stage()
    const given = { trustProject: true }
    const handed = { provider: 'oauth', accessToken: 'a token from elsewhere', params: {} }
    const located = await locate(world, 'oauth')
    const bare = await importCredential(world, located, handed, given, {})
    expect(bare).toMatchObject({ mode: 'OAUTH2', snapshot: { client: { id: '' } } })
    expect((await request('oauth', { target: '/me' })).text).toContain('Bearer a token from elsewhere')
    const renewable = { ...handed, refreshToken: 'a refresh token from elsewhere' }
    expect((await failure(importCredential(world, located, renewable, given, { as: 'two' }))).message).toContain(
      '--client-id',
    )
    const two = await importCredential(
      world,
      located,
      { ...renewable, expiresAt: '2020-01-01T00:00:00.000Z' },
      { ...given, clientId: 'app', clientSecret: 's' },
      { as: 'two' },
    )
    expect(two.snapshot.client).toEqual({ id: 'app', secret: 's', authentication: 'post' })
    await failure(request('two', { target: '/me' }))
    expect(provider.tokenRequests().at(-1)?.form.get('refresh_token')).toBe('a refresh token from elsewhere')
    expect((await failure(importCredential(world, located, handed, given, { as: 'two' }))).code).toBe('NAME_TAKEN')
    expect(
      (await failure(importCredential(world, located, { ...handed, mode: 'BASIC' }, given, { as: '3' }))).code,
    ).toBe('MODE_DIFFERS')
  })
})
