import { describe, expect, it, test } from 'vitest'
import { speechOf } from '../../src/speech.ts'
import {
  canonicalResource,
  discover,
  discoverResource,
  endpointIn,
  isAbsent,
  metadataPlaces,
  neededEndpoint,
  type Road,
} from '../../src/wire/discovery.ts'
import type { Metadata } from '../../src/wire/oauth.ts'
import { openProvider, type Reply, type Script } from '../support/provider.ts'
import { failure, openWorkshop } from '../support/world.ts'

const oidc = '/.well-known/openid-configuration'
const oauth = '/.well-known/oauth-authorization-server'
const protectedResource = '/.well-known/oauth-protected-resource'

interface Place {
  readonly origin: string
  readonly road: Road
  readonly quirks: readonly string[]
  readonly asked: () => string[]
}

/** A server that answers these paths, `{origin}` filled in what it answers. */
async function place(answers: Readonly<Record<string, Reply | ((origin: string) => Reply)>>): Promise<Place> {
  let own = ''
  const routes = Object.fromEntries(
    Object.entries(answers).map(([path, reply]): [string, Script] => [
      path,
      () => (typeof reply === 'function' ? reply(own) : reply),
    ]),
  )
  const { origin, hits } = await openProvider({ routes })
  own = origin
  const workshop = openWorkshop()
  const quirks: string[] = []
  const { transmit } = speechOf(workshop.world, () => {}, 'x')
  const road = { transmit: transmit('metadata'), allowHttp: false, remark: (quirk: string) => void quirks.push(quirk) }
  return { origin, road, quirks, asked: () => hits.map(({ path }) => path) }
}

const json = (body: unknown): Reply => ({ body })

describe('metadata of an issuer', () => {
  test.each([
    ['https://h.test', 'oauth', [`https://h.test${oauth}`, `https://h.test${oidc}`]],
    ['https://h.test/', 'oidc', [`https://h.test${oidc}`, `https://h.test${oauth}`]],
    [
      'https://h.test/t/u',
      'oauth',
      [`https://h.test${oauth}/t/u`, `https://h.test${oidc}/t/u`, `https://h.test/t/u${oidc}`],
    ],
    ['https://h.test/t/', 'oidc', [`https://h.test/t${oidc}`, `https://h.test${oauth}/t`, `https://h.test${oidc}/t`]],
  ] as const)('%s has its places, %s first', (issuer, first, places) => {
    expect(metadataPlaces(issuer, first)).toEqual(places)
  })

  it('is looked for until a place has it', async () => {
    const { origin, road, asked } = await place({
      [`/t${oidc}`]: (own) => json({ issuer: `${own}/t`, token_endpoint: `${own}/t/token` }),
    })
    expect(await discover(`${origin}/t`, road, 'oauth')).toMatchObject({ token_endpoint: `${origin}/t/token` })
    expect(asked()).toEqual([`${oauth}/t`, `${oidc}/t`, `/t${oidc}`])
  })

  it('of another issuer is not used, though another place may have the right one', async () => {
    const { origin, road } = await place({
      [oauth]: json({ issuer: 'https://other.test' }),
      [oidc]: (own) => json({ issuer: own }),
    })
    expect((await discover(origin, road, 'oauth')).issuer).toBe(origin)
  })

  it('may spell a host without a path with a slash, and that is told', async () => {
    const { origin, road, quirks } = await place({ [oidc]: (own) => json({ issuer: `${own}/` }) })
    expect((await discover(origin, road)).issuer).toBe(`${origin}/`)
    expect(quirks).toEqual([`its metadata spells the issuer ${origin}/`])
  })

  test.each<[string, Reply | ((origin: string) => Reply), string]>([
    ['of another issuer', json({ issuer: 'https://other.test' }), 'ISSUER_MISMATCH'],
    ['of an issuer below it', (own) => json({ issuer: `${own}/u/v` }), 'ISSUER_MISMATCH'],
    ['of an issuer with a slash more', (own) => json({ issuer: `${own}/u/` }), 'ISSUER_MISMATCH'],
    ['of an issuer that only looks alike', (own) => json({ issuer: `${own}@evil.test/u` }), 'ISSUER_MISMATCH'],
    ['that names no issuer', json({ token_endpoint: 'https://x.test' }), 'METADATA_UNUSABLE'],
    ['that is an HTML page', { headers: { 'content-type': 'text/html' }, body: '<html>' }, 'METADATA_UNUSABLE'],
    ['that is a list', json([]), 'METADATA_UNUSABLE'],
    ['that is empty', { body: '' }, 'METADATA_UNUSABLE'],
    ['that is cut in the middle', { body: '{"issuer":"ht' }, 'METADATA_UNUSABLE'],
    ['of two megabytes', { body: 'x'.repeat(2_000_000) }, 'METADATA_UNUSABLE'],
    ['that is nested without end', { body: `${'['.repeat(60_000)}` }, 'METADATA_UNUSABLE'],
    ['that is elsewhere', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }, 'METADATA_UNUSABLE'],
    ['that leads on and on', { status: 302, headers: { location: `/u${oidc}` } }, 'METADATA_UNUSABLE'],
    ['that leads nowhere', { status: 307 }, 'METADATA_UNUSABLE'],
    ['that is not there', { status: 404 }, 'METADATA_UNUSABLE'],
  ])('%s is not used', async (_, reply, code) => {
    const { origin, road, asked } = await place({ [`/u${oidc}`]: reply })
    const error = await failure(discover(`${origin}/u`, road))
    expect(error).toMatchObject({ code, exitCode: 4, hint: expect.stringMatching(/\w/) })
    // However a redirect leads, each place is asked at most twice.
    expect(asked().length).toBeLessThanOrEqual(4)
  })

  it('is followed to another path of the same origin, once', async () => {
    const { origin, road, quirks } = await place({
      [oidc]: { status: 301, headers: { location: '/moved' } },
      '/moved': (own) => json({ issuer: own }),
    })
    expect((await discover(origin, road)).issuer).toBe(origin)
    expect(quirks).toEqual([expect.stringContaining('has moved')])
  })

  it('that is nowhere is told apart from one that must not be used', async () => {
    const none = await place({})
    expect(isAbsent(await failure(discover(none.origin, none.road)))).toBe(true)
    const wrong = await place({ [oidc]: json({ issuer: 'https://other.test' }) })
    expect(isAbsent(await failure(discover(wrong.origin, wrong.road)))).toBe(false)
  })

  it('is not asked for over plain http', async () => {
    const { road } = await place({})
    expect(await failure(discover('http://issuer.test', road))).toMatchObject({ code: 'INSECURE_URL' })
  })
})

describe('an endpoint of a metadata document', () => {
  const of = (members: Record<string, unknown>, issuer = 'https://h.test'): Metadata =>
    ({ issuer, ...members }) as unknown as Metadata

  it('may be on another host', () => {
    const metadata = of({ token_endpoint: 'https://other.test/t' })
    expect(endpointIn(metadata, 'token_endpoint', false)).toBe('https://other.test/t')
  })

  it('may be on loopback where the document is', () => {
    const metadata = of({ token_endpoint: 'http://localhost:1/t' }, 'http://127.0.0.1:2')
    expect(endpointIn(metadata, 'token_endpoint', false)).toBe('http://localhost:1/t')
  })

  test.each<[unknown, string]>([
    ['http://h.test/t', 'INSECURE_URL'],
    ['http://127.0.0.1:6379/', 'METADATA_UNUSABLE'],
    ['https://localhost/t', 'METADATA_UNUSABLE'],
    ['javascript:alert(1)', 'METADATA_UNUSABLE'],
    ['file:///etc/passwd', 'METADATA_UNUSABLE'],
    ['https://me:pw@h.test/t', 'METADATA_UNUSABLE'],
    ['https://h.test/t#x', 'METADATA_UNUSABLE'],
    ['/t', 'METADATA_UNUSABLE'],
    [7, 'METADATA_UNUSABLE'],
  ])('%j is refused', async (token_endpoint, code) => {
    const act = async (): Promise<unknown> => endpointIn(of({ token_endpoint }), 'token_endpoint', false)
    expect(await failure(act())).toMatchObject({ code })
  })

  it('that is missing is named', async () => {
    const act = async (): Promise<unknown> => neededEndpoint(of({}), 'token_endpoint', false)
    expect(await failure(act())).toMatchObject({ message: 'h.test names no token_endpoint.' })
  })
})

describe('metadata of a protected resource', () => {
  const about = (resource: string, more: Record<string, unknown> = {}): Reply =>
    json({ resource, authorization_servers: ['https://as.test'], ...more })

  it('is had from where the challenge says, before any other place', async () => {
    const { origin, road, asked } = await place({
      '/there': (own) => about(`${own}/mcp`, { scopes_supported: ['a'], resource_name: 'Tools' }),
      [`${protectedResource}/mcp`]: (own) => about(`${own}/other`),
    })
    const challenge = { scheme: 'bearer', params: { resource_metadata: `${origin}/there` } }
    expect(await discoverResource(new URL(`${origin}/mcp`), challenge, road)).toEqual({
      resource: `${origin}/mcp`,
      authorizationServers: ['https://as.test'],
      scopes: ['a'],
      title: 'Tools',
    })
    expect(asked()).toEqual(['/there'])
  })

  it('stands between host and path, else at the root; what is above the server is told', async () => {
    const { origin, road, asked, quirks } = await place({ [protectedResource]: (own) => about(own) })
    const found = await discoverResource(new URL(`${origin}/a/mcp/`), undefined, road)
    expect(found?.resource).toBe(origin)
    expect(asked()).toEqual([`${protectedResource}/a/mcp/`, `${protectedResource}/a/mcp`, protectedResource])
    expect(quirks).toEqual([expect.stringContaining('RFC 9728 §3.3')])
  })

  it('is nowhere at a server that publishes none, also where the challenge is wrong about it', async () => {
    const { origin, road, quirks } = await place({})
    const challenge = { scheme: 'bearer', params: { resource_metadata: `${origin}/gone` } }
    expect(await discoverResource(new URL(`${origin}/mcp`), challenge, road)).toBeUndefined()
    expect(quirks).toEqual([expect.stringContaining('answers 404')])
  })

  test.each<[string, Reply | ((origin: string) => Reply), string]>([
    ['about another host', about('https://other.test/mcp'), 'RESOURCE_MISMATCH'],
    ['about another path', (own) => about(`${own}/other`), 'RESOURCE_MISMATCH'],
    ['about a path that begins alike', (own) => about(`${own}/mc`), 'RESOURCE_MISMATCH'],
    ['about something below it', (own) => about(`${own}/mcp/more`), 'RESOURCE_MISMATCH'],
    ['about another port', about('http://127.0.0.1:1/mcp'), 'RESOURCE_MISMATCH'],
    ['with a fragment', (own) => about(`${own}/mcp#x`), 'RESOURCE_MISMATCH'],
    ['about nothing', json({ authorization_servers: ['https://as.test'] }), 'METADATA_UNUSABLE'],
    [
      'with servers that are no list',
      (own) => about(`${own}/mcp`, { authorization_servers: 'x' }),
      'METADATA_UNUSABLE',
    ],
    [
      'with a server that is no URL',
      (own) => about(`${own}/mcp`, { authorization_servers: ['x'] }),
      'METADATA_UNUSABLE',
    ],
    [
      'with a server over plain http',
      (own) => about(`${own}/mcp`, { authorization_servers: ['http://as.test'] }),
      'INSECURE_URL',
    ],
    ['of two megabytes', { body: 'x'.repeat(2_000_000) }, 'ANSWER_TOO_LARGE'],
    ['that leads elsewhere', { status: 302, headers: { location: 'https://other.test/' } }, 'METADATA_UNUSABLE'],
  ])('%s is not used', async (_, reply, code) => {
    const { origin, road } = await place({ [`${protectedResource}/mcp`]: reply })
    expect(await failure(discoverResource(new URL(`${origin}/mcp`), undefined, road))).toMatchObject({ code })
  })

  it('that a challenge keeps over plain http, or nowhere, is not asked for', async () => {
    const { origin, road } = await place({})
    for (const [named, code] of [
      ['http://other.test/x', 'INSECURE_URL'],
      ['nonsense', 'METADATA_UNUSABLE'],
      ['ftp://other.test/x', 'METADATA_UNUSABLE'],
    ] as const) {
      const challenge = { scheme: 'bearer', params: { resource_metadata: named } }
      expect(await failure(discoverResource(new URL(`${origin}/mcp`), challenge, road))).toMatchObject({ code })
    }
  })

  test.each([
    ['HTTPS://Host.test:443/mcp/', 'https://host.test/mcp'],
    ['https://host.test/', 'https://host.test'],
    ['http://[::1]:80/a/b?c=d', 'http://[::1]/a/b?c=d'],
  ])('%s is the resource %s', (url, resource) => {
    expect(canonicalResource(url)).toBe(resource)
  })
})
