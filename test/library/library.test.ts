import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { type ConnectOptions, type Library, memoryStore, realWorld, withWorld } from '../../src/index.ts'
import type { LogEvent } from '../../src/model/event.ts'
import { approve, openSandbox } from '../../src/sandbox/index.ts'
import { freshFolder } from '../support/disk.ts'
import { openProvider, type Script, type ScriptedProvider } from '../support/provider.ts'
import { failure } from '../support/world.ts'

interface Stage {
  readonly library: Library
  readonly home: string
  readonly provider: ScriptedProvider
  /** `connect('acme')` with all that it needs. */
  readonly options: ConnectOptions
}

async function stage(routes: Readonly<Record<string, Script>> = {}): Promise<Stage> {
  const provider = await openProvider({ routes })
  const { origin } = provider
  const home = freshFolder()
  const library = withWorld({ env: { AUTH_CLI_HOME: home }, cwd: freshFolder() })
  const options: ConnectOptions = {
    template: {
      auth_mode: 'OAUTH2',
      authorization_url: `${origin}/authorize`,
      token_url: `${origin}/token`,
      connection_config: { tenant: { type: 'string', title: 'Tenant', description: 'Which one' } },
      proxy: { base_url: origin },
    },
    params: { tenant: 'one' },
    credentials: { clientId: 'app', clientSecret: 'secret of the library test' },
    scopes: ['a'],
    port: 0,
    browse: (url) => fetch(url),
  }
  return { library, home, provider, options }
}

describe('the library', () => {
  it('connects, hands out a token, calls and renews: in memory, without a word', async () => {
    const wrote = vi.spyOn(process.stderr, 'write')
    const said = vi.spyOn(process.stdout, 'write')
    const { library, home, provider, options } = await stage({
      '/me': ({ headers }) => ({ body: { sent: headers.authorization } }),
    })
    const events: LogEvent[] = []
    const connection = await library.connect('acme', {
      ...options,
      metadata: { plan: 'x' },
      onEvent: (e) => events.push(e),
    })
    expect(connection).toMatchObject({ name: 'acme', params: { tenant: 'one' }, metadata: { plan: 'x' } })
    expect(connection.credential.masked).toBeUndefined()
    expect(await library.token('acme')).toBe(connection.credential.accessToken)
    expect(await library.headers(connection)).toEqual({ Authorization: `Bearer ${connection.credential.accessToken}` })
    const response = await library.request(connection, '/me')
    expect([response.status, await response.json()]).toEqual([
      200,
      { sent: `Bearer ${connection.credential.accessToken}` },
    ])
    const younger = await library.refresh('acme', { force: true })
    expect(await library.token(connection)).toBe(younger.credential.accessToken)
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['flow.started', 'connection.saved', 'flow.ended']),
    )
    expect(JSON.stringify(events)).not.toContain('secret of the library test')
    expect(provider.tokenRequests()).toHaveLength(2)
    expect(readdirSync(home)).toEqual([])
    const lines = (calls: readonly (readonly unknown[])[]): string => calls.map(([text]) => String(text)).join('')
    expect(lines(wrote.mock.calls) + lines(said.mock.calls)).not.toContain('acme')
    vi.restoreAllMocks()
  })

  it('keeps what it is given to keep it in, and takes a connection back as it gave it', async () => {
    const { library, options } = await stage()
    const connection = JSON.parse(JSON.stringify(await library.connect('acme', options)))
    const store = memoryStore()
    const other = withWorld({ store })
    expect(await other.token(connection)).toBe(connection.credential.accessToken)
    expect((await store.connections.list()).map(({ name }) => name)).toEqual(['acme'])
    expect((await other.rename('acme', 'two')).name).toBe('two')
    expect((await other.connections()).map(({ name }) => name)).toEqual(['two'])
    const text = await other.exportConnection('two')
    expect(await other.forget('two')).toBe(true)
    expect(await other.importConnection(text, { as: 'three' })).toMatchObject({ name: 'three' })
    expect(await other.importConnection(JSON.parse(text))).toEqual(await other.connection('two'))
    expect((await failure(other.token('nobody'))).code).toBe('UNKNOWN_CONNECTION')
  })

  it('works on the connections of the command where it is told to', async () => {
    const { options } = await stage()
    const home = freshFolder()
    const library = withWorld(realWorld({ env: { AUTH_CLI_HOME: home }, cwd: freshFolder() }))
    await library.connect('acme', options)
    expect(existsSync(join(home, 'connections', 'acme.json'))).toBe(true)
    expect(await library.token('acme')).toMatch(/^access-/)
  })

  it('asks nobody: it names the options that are missing', async () => {
    const { library, options, provider } = await stage()
    const { credentials: _, ...withoutClient } = options
    const error = await failure(library.connect('acme', { ...withoutClient, params: {} }))
    expect(error).toMatchObject({ code: 'MISSING_INPUT', message: 'Missing: params.tenant, credentials.clientId.' })
    const key = { auth_mode: 'API_KEY', proxy: { base_url: provider.origin } }
    expect((await failure(library.connect('keyed', { template: key }))).message).toBe('Missing: credentials.apiKey.')
    const made = await library.connect('keyed', { template: key, credentials: { apiKey: 'k-1' } })
    expect([made.mode, await library.token(made)]).toEqual(['API_KEY', 'k-1'])
    expect((await failure(library.connect('odd', { template: { auth_mode: 'ODD' } }))).code).toBe('TEMPLATE_INVALID')
  })

  it('ends when it is told to, when it takes too long, and when nobody could be sent there', async () => {
    const { library, options } = await stage()
    const controller = new AbortController()
    const cancelled = failure(
      library.connect('acme', { ...options, browse: () => controller.abort(), signal: controller.signal }),
    )
    expect((await cancelled).code).toBe('CANCELLED')
    expect((await failure(library.connect('acme', { ...options, browse: () => {}, timeout: 0.05 }))).code).toBe(
      'TIMEOUT',
    )
    const lost = await failure(
      library.connect('acme', { ...options, browse: () => Promise.reject(new Error('no display')) }),
    )
    expect([lost.code, lost.message]).toEqual(['BROWSE_FAILED', expect.stringContaining('no display')])
    expect(await library.connections()).toEqual([])
  })

  it('streams an answer, resolves with any status, and sends what a caller has', async () => {
    const { library, options, provider } = await stage({
      '/none': () => ({ status: 204 }),
      '/no': () => ({ status: 403, body: { error: 'no' } }),
      '/large': () => ({ headers: { 'content-type': 'text/plain' }, body: 'x'.repeat(300_000) }),
    })
    const connection = await library.connect('acme', options)
    expect([
      (await library.request(connection, '/none')).body,
      (await library.request(connection, '/no')).status,
    ]).toEqual([null, 403])
    const large = await library.request(connection, '/large')
    let bytes = 0
    for await (const chunk of large.body ?? []) bytes += (chunk as Uint8Array).length
    expect(bytes).toBe(300_000)
    await (await library.request(connection, '/large')).body?.cancel()
    async function* stream(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('one ')
      yield Buffer.from('two')
    }
    for (const body of [{ a: 1 }, new URLSearchParams({ a: 'b c' }), 'text', stream()])
      await library.request(connection, '/no', { body })
    expect(provider.hits.slice(-4).map(({ method, headers, body }) => [method, headers['content-type'], body])).toEqual(
      [
        ['POST', 'application/json', '{"a":1}'],
        ['POST', 'application/x-www-form-urlencoded', 'a=b+c'],
        ['POST', undefined, 'text'],
        ['POST', undefined, 'one two'],
      ],
    )
    expect((await failure(library.request(connection, 'https://elsewhere.example/'))).code).toBe('OTHER_ORIGIN')
  })

  it('lists items over all pages, and asks for no page that nobody takes', async () => {
    const { library, options, provider } = await stage({
      '/list': ({ query }) => {
        const page = Number(query.get('page') ?? 1)
        if (query.get('no') !== null) return { status: 403, body: { message: 'not yours' } }
        return { headers: page < 9 ? { link: `</list?page=${page + 1}>; rel=next` } : {}, body: [page, -page] }
      },
    })
    const connection = await library.connect('acme', options)
    const all: unknown[] = []
    for await (const item of library.items(connection, '/list')) all.push(item)
    expect(all).toHaveLength(18)
    const before = provider.hits.length
    for await (const item of library.items(connection, '/list')) if (item === 2) break
    expect(provider.hits.length - before).toBeLessThan(5)
    const refused = failure(library.items(connection, '/list?no=1').next())
    expect(await refused).toMatchObject({ code: 'HTTP_403', words: 'not yours' })
  })

  it('verifies and revokes at the sandbox, which approves by itself', async () => {
    const sandbox = await openSandbox()
    const library = withWorld({ env: {}, cwd: freshFolder() })
    try {
      const connection = await library.connect('sandbox', {
        params: { port: String(sandbox.port) },
        credentials: { clientId: 'sandbox-client', clientSecret: 'sandbox-secret' },
        port: 0,
        browse: (url) => approve(url),
      })
      expect((await library.verify(connection)).proof.status).toBe(200)
      expect((await library.revoke(connection)).revoked).toEqual(['refresh token', 'access token'])
      expect((await failure(library.token('sandbox'))).code).toBe('REVOKED')
    } finally {
      await sandbox.close()
    }
  })
})
