import { createHash, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { findProvider } from '../src/catalog/find.ts'
import { listProviders, sourceAt } from '../src/catalog/sources.ts'
import { integrate } from '../src/integrate.ts'
import { locate } from '../src/locate.ts'
import type { World } from '../src/model/world.ts'
import { isMode } from '../src/modes/index.ts'
import { needsOf } from '../src/needs.ts'
import { realWorld } from '../src/node/world.ts'
import { rehearse } from '../src/rehearse.ts'
import { catalogueFile, type Fields, readCatalogue } from './support/catalogue.ts'
import { exampleAnswers, expectedAuthorization, expectedTokenUrl } from './support/expected-request.ts'

vi.setConfig({ testTimeout: 120_000 })

const catalogue = readCatalogue()
const oauth2 = [...catalogue].filter(
  ([, fields]) => /^(MCP_)?OAUTH2$/.test(String(fields['auth_mode'])) && fields['authorization_url'] !== undefined,
)
const source = sourceAt('added', catalogueFile)
const home = mkdtempSync(join(tmpdir(), 'auth-cli-catalogue-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

/** Every random byte is a seven and the time stands still; nobody is there to be asked, nothing is sent. */
function stillWorld(): World {
  const nobody = (): never => {
    throw new Error('nobody is there')
  }
  const real = realWorld({
    env: { AUTH_CLI_HOME: home },
    cwd: home,
    settings: {},
    settingsFrom: {},
    emit: () => {},
    signal: new AbortController().signal,
    ask: async (needs) => nobody.call(needs),
    confirm: nobody,
    paste: nobody,
    show: nobody,
    browse: nobody,
  })
  return {
    ...real,
    store: real.store,
    secrets: real.secrets,
    folders: { builtIn: catalogueFile, person: join(home, 'none'), home },
    clock: { ...real.clock, now: () => new Date('2026-11-23T12:00:00Z') },
    random: (bytes) => new Uint8Array(bytes).fill(7),
  }
}
const sevens = Buffer.alloc(32, 7).toString('base64url')
const challenge = createHash('sha256').update(sevens).digest('base64url')
const pem = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
}).privateKey
/** Their dialects send no PKCE: their token requests have no place for a verifier. */
const withoutPkce = new Set(
  'braintree braintree-sandbox facebook instagram meta-marketing-api microsoft-admin threads tiktok-accounts tiktok-ads'.split(
    ' ',
  ),
)
/** Their dialects put parameters into the query of the token request. */
const inQuery = new Set(['bullhorn', 'facebook', 'figjam', 'figma', 'meta-marketing-api'])
const uuid = '07070707-0707-4707-8707-070707070707'

async function rehearsed(name: string, params: Record<string, string>, scopes?: readonly string[]) {
  const world = stillWorld()
  const located = await locate(world, name)
  const clientSecret = name === 'revolut-business' ? pem : 'hush'
  const given = { params, clientId: 'id of/ü', clientSecret, callbackUrl: 'https://cb.example/x?a=b', scopes }
  return rehearse(world, await integrate(world, located, given))
}

describe('a catalogue of a thousand templates', () => {
  it('loads, each as a whole parse and a merge of its own have it', async () => {
    expect(catalogue.size).toBe(1013)
    const wrong: string[] = []
    for (const [name, fields] of catalogue) {
      const { template, warnings } = await findProvider(name, [source])
      if (JSON.stringify(withoutMarks(template)) !== JSON.stringify(withoutMarks(fields))) wrong.push(name)
      if (warnings.some(({ severity }) => severity === 'error')) wrong.push(`${name}: ${warnings[0]?.message}`)
    }
    expect(wrong).toEqual([])
  })

  it('is listed with names and modes', async () => {
    const listed = await listProviders([source])
    const modes = new Map(listed.map(({ name, mode }) => [name, mode]))
    expect([...catalogue].filter(([name, { auth_mode }]) => modes.get(name) !== auth_mode)).toEqual([])
  })

  it('tells of each entry what cannot be done with it yet', () => {
    for (const [name, fields] of catalogue) {
      const says = needsOf(fields as never, name)
      if (!isMode(String(fields['auth_mode']))) expect(says[0], name).toMatch(/^It authorizes by /)
    }
    expect(needsOf(catalogue.get('sentry-oauth') as never, 'sentry-oauth')[0]).toMatch(/webhook/)
    expect(needsOf(catalogue.get('airtable') as never, 'airtable')).toEqual([])
  })
})

describe.each<[string, { optional: boolean; scopes?: readonly string[] }]>([
  ['with every question answered', { optional: true }],
  ['with what must be answered, and scopes of one’s own', { optional: false, scopes: ['read:x', 'a&b', 'w+r'] }],
])('the requests of every OAuth 2.0 template, %s', (_, { optional, scopes }) => {
  it('are what an implementation that shares no code makes of it', async () => {
    const wrong: [name: string, ours: unknown, theirs: unknown][] = []
    for (const [name, fields] of oauth2) {
      const answers = exampleAnswers(name, fields, optional)
      const spoken = withoutPkce.has(name) ? { ...fields, disable_pkce: true } : fields
      const theirs = expectedAuthorization(spoken, {
        answers,
        clientId: 'id of/ü',
        redirectUri: 'https://cb.example/x?a=b',
        scopes: scopes ?? (fields['default_scopes'] as string[] | undefined) ?? [],
        state: sevens,
        challenge,
        nonce: sevens,
        random: uuid,
      })
      const ours = await rehearsed(name, answers, scopes).catch((error: unknown) => ({
        authorizationUrl: String(error),
        tokenRequest: undefined,
      }))
      if (ours.authorizationUrl !== theirs) wrong.push([name, ours.authorizationUrl, theirs])
      const tokenUrl = inQuery.has(name) ? undefined : expectedTokenUrl(fields, answers)
      if (tokenUrl !== undefined && masked(ours.tokenRequest?.url ?? '') !== masked(tokenUrl))
        wrong.push([name, ours.tokenRequest?.url, tokenUrl])
    }
    expect(wrong).toEqual([])
  })
})

describe('an MCP template', () => {
  const asks = (name: string, params: Record<string, string>, given: object = {}) => {
    const world = stillWorld()
    return locate(world, name).then(async (located) =>
      rehearse(world, await integrate(world, located, { params, ...given })),
    )
  }

  it('without a client registers one, at the place and in the words that it names', async () => {
    const dynamic = [...catalogue].filter(([, fields]) => fields['client_registration'] === 'dynamic')
    expect(dynamic.length).toBeGreaterThan(15)
    for (const [name, fields] of dynamic) {
      const { discovery } = await asks(name, exampleAnswers(name, fields, true))
      expect([name, discovery?.method, discovery?.url]).toEqual([name, 'POST', fields['registration_url']])
      expect(JSON.parse(discovery?.body ?? '')).toMatchObject({
        redirect_uris: ['http://localhost:8749/oauth/callback'],
        ...(fields['registration_params'] as object | undefined),
      })
    }
  })

  it('sends its resource with the code too, where it names one', async () => {
    const bound = [...catalogue].filter(
      ([, { auth_mode, authorization_params }]) =>
        auth_mode === 'MCP_OAUTH2' && (authorization_params as Fields | undefined)?.['resource'] !== undefined,
    )
    expect(bound.length).toBeGreaterThan(5)
    for (const [name, fields] of bound) {
      const { tokenRequest } = await asks(name, exampleAnswers(name, fields, true), {
        clientId: 'mine',
        clientSecret: '',
      })
      const { resource } = fields['authorization_params'] as { resource: string }
      expect([name, new URLSearchParams(tokenRequest?.body).get('resource')]).toEqual([name, resource])
    }
  })

  it('that knows nothing but a URL asks there first, on loopback as well', async () => {
    const generic = [...catalogue].filter(([, { auth_mode }]) => auth_mode === 'MCP_OAUTH2_GENERIC')
    expect(generic.length).toBeGreaterThan(1)
    for (const [name] of generic) {
      for (const url of ['https://mcp.example.test/mcp', 'http://localhost:3000/mcp', 'http://127.0.0.1:3000/'])
        expect((await asks(name, { mcp_server_url: url })).discovery).toMatchObject({ method: 'POST', url })
    }
  })
})

/** A rehearsal masks what sounds like a secret in the token URL. */
function masked(url: string): string {
  return url.replace(/(subscription-key=).*$/, '$1…')
}

/** What we mark as a secret although the template does not say so. */
function withoutMarks(fields: Fields): unknown {
  return JSON.parse(JSON.stringify(fields), (key, value) => (key === 'secret' ? undefined : value))
}
