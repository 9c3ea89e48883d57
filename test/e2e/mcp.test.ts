import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CliEnd, followerEnv, runCli } from '../support/cli.ts'
import { freshFolder } from '../support/disk.ts'
import { journalEvents, journalText } from '../support/journal.ts'
import { openSdkServer, type SdkServer } from '../support/mcp-server.ts'
import { type CertifiedServer, openOidcProvider } from '../support/oidc-provider.ts'
import { projectWith } from '../support/project.ts'

const documentId = 'https://client.test/auth-cli.json'
const document = {
  client_id: documentId,
  client_name: 'A client that is a document',
  application_type: 'native',
  redirect_uris: ['http://localhost/oauth/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  token_endpoint_auth_method: 'none',
}

/** The certified server as one that guards MCP servers: clients register themselves, and tokens are for one resource. */
const guarding = (features: Readonly<Record<string, unknown>> = {}) => ({
  scopes: ['openid', 'tools:use'],
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  pkce: { required: () => true },
  fetch: async (url: string | URL) =>
    new Response(String(url) === documentId ? JSON.stringify(document) : '{}', {
      status: String(url) === documentId ? 200 : 404,
    }),
  features: {
    devInteractions: { enabled: true },
    registration: { enabled: true },
    registrationManagement: { enabled: true },
    clientIdMetadataDocument: { enabled: true, ack: 'draft-02' },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_: unknown, resource: string) => {
        if (new URL(resource).pathname !== '/mcp') throw new Error('unknown resource')
        return { scope: 'tools:use', audience: resource, accessTokenTTL: 3600, accessTokenFormat: 'opaque' }
      },
    },
    ...features,
  },
})

let guard: CertifiedServer
let server: SdkServer

beforeAll(async () => {
  guard = await openOidcProvider([], guarding())
  server = await guarded(guard)
})

afterAll(async () => {
  await server.close()
  await guard.close()
})

/** The SDK's MCP server behind the certified server's tokens. */
async function guarded(by: CertifiedServer): Promise<SdkServer> {
  const metadata = await (await fetch(`${by.issuer}/.well-known/openid-configuration`)).json()
  return openSdkServer({
    keepsSessions: true,
    scopes: ['tools:use'],
    guardedBy: {
      metadata: metadata as Record<string, unknown>,
      verifier: {
        async verifyAccessToken(token) {
          const known = await by.knows(token)
          if (known === undefined) throw new Error('unknown token')
          const { clientId, scopes, expiresAt, audience } = known
          return { token, clientId, scopes: [...scopes], expiresAt, resource: new URL(audience) }
        },
      },
    },
  })
}

const connect = (home: string, words: readonly string[], cwd = freshFolder()): Promise<CliEnd> =>
  runCli(['connect', ...words, '--port', '0', '--timeout', '30', '--json'], { home, cwd, env: followerEnv({}) })

// biome-ignore lint/suspicious/noExplicitAny: the tests look into whatever stands in the file.
const saved = (home: string, name: string): any =>
  JSON.parse(readFileSync(join(home, 'connections', `${name}.json`), 'utf8'))
const purposes = (home: string): string[] =>
  journalEvents(home).flatMap((one) => (one.type === 'exchange' ? [one.exchange.purpose] : []))

describe('an MCP server behind a certified authorization server', () => {
  it('is connected by its URL, verified, called and renewed, and no secret is told', async () => {
    const home = freshFolder()
    const end = await connect(home, [server.url, '--as', 'tools'])
    expect(end, end.stderr).toMatchObject({ status: 0 })
    const { credential, snapshot, scopes } = saved(home, 'tools')
    expect(scopes).toEqual({ requested: ['tools:use'], granted: ['tools:use'], overridden: false })
    expect(await guard.knows(credential.accessToken)).toMatchObject({ audience: server.url, scopes: ['tools:use'] })
    expect(snapshot.client).toMatchObject({
      authentication: 'none',
      registration: { accessToken: expect.any(String), url: expect.stringContaining(guard.issuer) },
    })
    expect(purposes(home)).toEqual(['challenge', 'metadata', 'metadata', 'registration', 'token'])

    const seen = await runCli(['verify', 'tools', '--json'], { home })
    expect(seen, seen.stderr).toMatchObject({ status: 0 })
    expect(JSON.parse(seen.stdout)).toMatchObject({ tools: ['echo', 'add'] })

    const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
    const called = await runCli(['request', 'tools', '/', '-d', list], { home })
    expect([called.status, called.stdout]).toEqual([0, expect.stringContaining('"echo"')])

    const renewed = await runCli(['refresh', 'tools', '--force', '--json'], { home })
    expect(renewed, renewed.stderr).toMatchObject({ status: 0 })
    const after = saved(home, 'tools').credential
    expect(await guard.knows(after.accessToken)).toMatchObject({ audience: server.url })
    expect((await runCli(['verify', 'tools'], { home })).stdout).toContain('2 tools')

    const told = [end, seen, called, renewed].map(({ stdout, stderr }) => stdout + stderr).join('') + journalText(home)
    const secrets = [credential, after].flatMap(({ accessToken, refreshToken }) => [accessToken, refreshToken])
    for (const secret of [...secrets, snapshot.client.registration.accessToken]) {
      expect(told).not.toContain(secret)
      expect(told).not.toContain(Buffer.from(secret).toString('base64url'))
    }
    const shown = await runCli(['inspect', 'tools'], { home })
    expect(shown.stdout).toContain('it registered itself')
    expect(shown.stdout).not.toContain(snapshot.client.registration.accessToken)
  })

  it('takes a client that is a document of its own', async () => {
    const home = freshFolder()
    const end = await connect(home, [server.url, '--as', 'tools', '--client-id', documentId])
    expect(end, end.stderr).toMatchObject({ status: 0 })
    expect(saved(home, 'tools').snapshot.client).toEqual({ id: documentId, authentication: 'none' })
    expect(purposes(home)).not.toContain('registration')
    expect(journalEvents(home).filter(({ type }) => type === 'quirk')).toEqual([])
  })

  it('names what its authorization server refuses', async () => {
    const home = freshFolder()
    const end = await connect(home, [server.url, '--scope', 'no:such'])
    expect(end.status).toBe(4)
    expect(JSON.parse(end.stderr.trim().split('\n').at(-1) ?? '').error).toMatchObject({
      code: expect.stringMatching(/REGISTRATION_REFUSED|INVALID_SCOPE/),
    })
  })

  it('is told by --dry-run what would be asked first', async () => {
    const home = freshFolder()
    const { status, stdout } = await connect(home, [server.url, '--dry-run'])
    expect([status, JSON.parse(stdout).discovery.url]).toEqual([0, server.url])
  })
})

describe('a certified issuer', () => {
  it('is connected by its URL alone', async () => {
    const home = freshFolder()
    const end = await connect(home, [guard.issuer, '--as', 'idp'])
    expect(end, end.stderr).toMatchObject({ status: 0 })
    const { mode, scopes, snapshot, credential } = saved(home, 'idp')
    expect([mode, scopes.requested]).toEqual(['OAUTH2', ['openid']])
    expect(credential.idToken).toMatch(/^ey/)
    expect(snapshot.template).toMatchObject({ issuer: guard.issuer, userinfo_url: `${guard.issuer}/me` })
    const me = await runCli(['request', 'idp', '/me'], { home })
    expect([me.status, JSON.parse(me.stdout).sub]).toEqual([0, 'someone'])
  })

  it('is enough for a template', async () => {
    const home = freshFolder()
    const template = { display_name: 'Idp', docs: 'https://idp.test', auth_mode: 'OAUTH2', issuer: guard.issuer }
    const cwd = projectWith({ idp: { ...template, default_scopes: ['openid'] } })
    const end = await connect(home, ['idp', '--client-id', documentId], cwd)
    expect(end, end.stderr).toMatchObject({ status: 0 })
    expect(saved(home, 'idp').snapshot.endpoints.token).toBe(`${guard.issuer}/token`)
  })

  it('that takes pushed requests only gets them, the template saying nothing of it', async () => {
    const strict = await openOidcProvider(
      [],
      guarding({ pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true } }),
    )
    try {
      const home = freshFolder()
      const template = {
        display_name: 'Idp',
        docs: 'https://idp.test',
        auth_mode: 'OAUTH2',
        issuer: strict.issuer,
        authorization_url: `${strict.issuer}/auth`,
        token_url: `${strict.issuer}/token`,
        default_scopes: ['openid'],
      }
      const cwd = projectWith({ idp: template })
      for (const _ of ['once', 'and again']) {
        const end = await connect(home, ['idp', '--client-id', documentId], cwd)
        expect(end, end.stderr).toMatchObject({ status: 0 })
      }
      const asked = journalEvents(home).flatMap((one) => (one.type === 'authorization.requested' ? [one.url] : []))
      expect(asked.map((url) => [...new URL(url).searchParams.keys()])).toEqual([
        ['client_id', 'request_uri'],
        ['client_id', 'request_uri'],
      ])
      expect(purposes(home).filter((purpose) => purpose === 'par')).toHaveLength(2)
    } finally {
      await strict.close()
    }
  })
})
