import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CliEnd, type FollowerErrands, followerEnv, runCli, startCli } from '../support/cli.ts'
import { freshFolder } from '../support/disk.ts'
import { journalEvents, journalText } from '../support/journal.ts'
import { type CertifiedServer, oidcClient, openOidcProvider, type TokenVisit } from '../support/oidc-provider.ts'
import { projectWith } from '../support/project.ts'

const plainSecret = 'a-secret-with-hyphens'
const oddSecret = "p:%+/- &=~'x"
const oddId = 'web app/1:2+%'

let server: CertifiedServer

beforeAll(async () => {
  server = await openOidcProvider([
    oidcClient('post', 'client_secret_post', plainSecret),
    oidcClient('post-odd', 'client_secret_post', oddSecret),
    oidcClient('basic', 'client_secret_basic', plainSecret),
    oidcClient(oddId, 'client_secret_basic', oddSecret),
    oidcClient('public', 'none'),
  ])
})

afterAll(() => server.close())

interface Place {
  readonly cwd: string
  readonly home: string
}

/** A folder whose project file knows the server, and a home. */
function place(fields: Record<string, unknown> = {}): Place {
  const { issuer } = server
  const template = {
    display_name: 'Certified',
    auth_mode: 'OAUTH2',
    issuer,
    authorization_url: `${issuer}/auth`,
    token_url: `${issuer}/token`,
    default_scopes: ['openid', 'api:read'],
    proxy: { base_url: issuer },
    ...fields,
  }
  return { cwd: projectWith({ idp: template }), home: freshFolder() }
}

function argsFor(id: string, secret: string | undefined, flags: readonly string[] = []): string[] {
  const secrecy = secret === undefined ? [] : ['--client-secret', '-']
  return ['connect', 'idp', '--port', '0', '--timeout', '20', '--client-id', id, ...secrecy, '--json', ...flags]
}

function connect(
  where: Place,
  id: string,
  secret: string | undefined,
  flags: readonly string[] = [],
  errands: FollowerErrands = {},
): Promise<CliEnd> {
  const args = argsFor(id, secret, flags)
  return runCli(args, { ...where, input: secret ?? '', env: followerEnv(errands) })
}

const failureOf = ({ stderr }: CliEnd): { code: string; message: string; hint: string } =>
  JSON.parse(stderr.trim().split('\n').at(-1) ?? '').error

// biome-ignore lint/suspicious/noExplicitAny: the tests look into whatever stands in the file.
const saved = ({ home }: Place): any => JSON.parse(readFileSync(join(home, 'connections', 'idp.json'), 'utf8'))

const basicOf = (header: string): string => Buffer.from(header.replace('Basic ', ''), 'base64').toString()

describe('a certified server that we did not write', () => {
  it.each([
    ['a secret in the body', 'post', plainSecret, [], 'body'],
    ['an odd secret in the body', 'post-odd', oddSecret, ['--client-auth', 'post'], 'body'],
    ['a secret with hyphens in a Basic header', 'basic', plainSecret, ['--client-auth', 'basic'], 'header'],
    ['the same header, not encoded', 'basic', plainSecret, ['--client-auth', 'basic-raw'], 'header'],
    ['an odd id and an odd secret in a Basic header', oddId, oddSecret, ['--client-auth', 'basic'], 'header'],
    ['a public client, by PKCE alone', 'public', undefined, [], 'nothing'],
    ['a secret in the body without PKCE', 'post', plainSecret, ['--no-pkce'], 'body'],
  ] as const)('connects with %s', async (_, id, secret, flags, proof) => {
    const where = place()
    const before = server.tokenVisits.length
    const end = await connect(where, id, secret, flags)
    expect(end, end.stderr).toMatchObject({ status: 0 })
    const { credential, snapshot, scopes } = saved(where)
    expect(scopes).toEqual({ requested: ['openid', 'api:read'], granted: ['openid', 'api:read'], overridden: false })
    expect(Object.keys(credential.raw).sort()).toEqual(
      ['access_token', 'expires_in', 'id_token', 'refresh_token', 'scope', 'token_type'].sort(),
    )
    const visits = server.tokenVisits.slice(before)
    expect(visits).toHaveLength(1)
    const { authorization, body } = visits[0] as TokenVisit
    expect({
      header: authorization !== '',
      secretInBody: body['client_secret'] !== undefined,
      idInBody: body['client_id'] !== undefined,
      verifier: body['code_verifier'] !== undefined,
      redirectUri: body['redirect_uri'],
    }).toEqual({
      header: proof === 'header',
      secretInBody: proof === 'body',
      idInBody: proof !== 'header',
      verifier: !(flags as readonly string[]).includes('--no-pkce'),
      redirectUri: snapshot.redirectUri,
    })
    const warnings = journalEvents(where.home).filter(({ type }) => type === 'warning')
    expect(warnings).toEqual([])
    expect(journalEvents(where.home).flatMap((one) => (one.type === 'exchange' ? [one.exchange.purpose] : []))).toEqual(
      ['metadata', 'token', 'jwks'],
    )
    const spoken = journalText(where.home) + end.stdout + end.stderr
    for (const known of [credential.accessToken, credential.refreshToken, credential.idToken, secret ?? oddSecret]) {
      for (const form of [known, encodeURIComponent(known), Buffer.from(known).toString('base64')]) {
        expect(spoken).not.toContain(form)
      }
    }
  })

  it('takes Basic from the template, form-encoded', async () => {
    const where = place({ authorization_method: 'header' })
    expect(await connect(where, oddId, oddSecret)).toMatchObject({ status: 0 })
    expect(basicOf(server.tokenVisits.at(-1)?.authorization ?? '')).toBe(
      "web+app%2F1%3A2%2B%25:p%3A%25%2B%2F-+%26%3D~'x",
    )
  })

  it.each([
    ['an odd secret in a Basic header that is not encoded', oddId, oddSecret, 'basic-raw', 'INVALID_REQUEST'],
    ['a wrong secret', 'post', 'wrong', 'post', 'INVALID_CLIENT'],
    ['a secret in two places at once', 'basic', plainSecret, 'basic+post', 'INVALID_REQUEST'],
  ] as const)('tells who must act about %s', async (_, id, secret, how, code) => {
    const where = place()
    const end = await connect(where, id, secret, ['--client-auth', how])
    expect({ status: end.status, stdout: end.stdout, code: failureOf(end).code }).toEqual({
      status: 4,
      stdout: '',
      code,
    })
    expect(failureOf(end).hint).toContain('--client-auth')
    expect(journalText(where.home)).not.toContain(secret)
  })

  it('refuses a public client without PKCE before a browser opens', async () => {
    const where = place()
    const end = await connect(where, 'public', undefined, ['--client-auth', 'none', '--no-pkce'])
    expect(end.status).toBe(2)
    expect(failureOf(end).code).toBe('BAD_FLAG')
  })

  it('connects without an issuer, and says that the ID token was not checked', async () => {
    const where = place({ issuer: undefined })
    expect(await connect(where, 'post', plainSecret)).toMatchObject({ status: 0 })
    expect(journalEvents(where.home)).toContainEqual(
      expect.objectContaining({ type: 'warning', code: 'ID_TOKEN_NOT_CHECKED' }),
    )
  })

  it('ignores the answer of another issuer than the template names', async () => {
    const where = place({ issuer: `${server.issuer}/other` })
    const before = server.tokenVisits.length
    const waiting = startCli(argsFor('post', plainSecret), { ...where, input: plainSecret, env: followerEnv() })
    await waiting.shows(/ignored.*issuer/i)
    waiting.child.kill('SIGINT')
    expect((await waiting.ended).status).toBe(130)
    expect(journalEvents(where.home)).toContainEqual(
      expect.objectContaining({ type: 'callback.ignored', reason: 'issuer mismatch' }),
    )
    expect(server.tokenVisits).toHaveLength(before)
  })

  it('refuses the ID token of another issuer than the template names', async () => {
    const other = `${server.issuer}/other`
    const end = await connect(place({ issuer: other }), 'post', plainSecret, [], { set: { iss: other } })
    expect({ status: end.status, code: failureOf(end).code }).toEqual({ status: 4, code: 'ID_TOKEN_INVALID' })
  })

  it('refuses an ID token whose signature is not by the published keys', async () => {
    const where = place()
    server.publishOtherKeys(true)
    const end = await connect(where, 'public', undefined).finally(() => server.publishOtherKeys(false))
    expect({ status: end.status, code: failureOf(end).code }).toEqual({ status: 4, code: 'ID_TOKEN_INVALID' })
    expect(() => saved(where)).toThrow('ENOENT')
  })

  it('sends a nonce and a challenge where openid is asked for', async () => {
    const where = place()
    const end = await connect(where, 'post', plainSecret, ['--dry-run'])
    const url = new URL(JSON.parse(end.stdout).authorizationUrl)
    expect(url.searchParams.get('nonce')).toMatch(/^[\w-]{43}$/)
    expect(url.searchParams.get('code_challenge')).toMatch(/^[\w-]{43}$/)
  })

  it.each([
    ['a nonce of their own', 'nonce=chosen', 'chosen'],
    ['no nonce', 'nonce=', undefined],
  ])('lets the person send %s', async (_, param, nonce) => {
    const where = place()
    expect(await connect(where, 'post', plainSecret, ['--auth-param', param])).toMatchObject({ status: 0 })
    const [, payload = ''] = saved(where).credential.idToken.split('.')
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString()).nonce).toBe(nonce)
  })

  it('lets nobody choose the state', async () => {
    const end = await connect(place(), 'post', plainSecret, ['--auth-param', 'state=chosen'])
    expect({ status: end.status, code: failureOf(end).code }).toEqual({ status: 2, code: 'BAD_FLAG' })
  })

  it("ends at once with the provider's own words when the person says no", async () => {
    const end = await connect(place(), 'post', plainSecret, [], { deny: true })
    expect({ status: end.status, code: failureOf(end).code }).toEqual({ status: 4, code: 'ACCESS_DENIED' })
    expect(end.stderr).toContain('End-User aborted interaction')
  })

  it('tells of a scope that the client may not have', async () => {
    const end = await connect(place(), 'post', plainSecret, ['--scope', 'openid', '--auth-param', 'resource=http://no'])
    expect(end.status).toBe(4)
    expect(failureOf(end).code).toBe('INVALID_TARGET')
  })

  it('renews with rotation, calls the API, and says so when a refresh token was used twice', async () => {
    const where = place()
    await connect(where, 'basic', plainSecret, ['--client-auth', 'basic'])
    const first = saved(where).credential
    copyFileSync(join(where.home, 'connections', 'idp.json'), join(where.cwd, 'spent.json'))

    const renewed = await runCli(['refresh', 'idp', '--force', '--json'], where)
    expect(renewed).toMatchObject({ status: 0 })
    const second = saved(where).credential
    expect(second.refreshToken).not.toBe(first.refreshToken)
    expect(second.accessToken).not.toBe(first.accessToken)
    expect(second.idToken).not.toBe(first.idToken)

    const [token, me] = await Promise.all([
      runCli(['token', 'idp'], where),
      runCli(['request', 'idp', '/me'], { home: where.home }),
    ])
    expect(token.stdout.trim()).toBe(second.accessToken)
    expect(JSON.parse(me.stdout)).toMatchObject({ sub: 'someone' })

    copyFileSync(join(where.cwd, 'spent.json'), join(where.home, 'connections', 'idp.json'))
    const reused = await runCli(['refresh', 'idp', '--force', '--json'], where)
    expect({ status: reused.status, code: failureOf(reused).code }).toEqual({ status: 4, code: 'INVALID_GRANT' })
    expect(saved(where).lastError).toMatchObject({ code: 'INVALID_GRANT', final: true })
    const before = server.tokenVisits.length
    const again = await runCli(['token', 'idp', '--min-validity', '7200', '--json'], where)
    expect({ status: again.status, stdout: again.stdout, code: failureOf(again).code }).toEqual({
      status: 4,
      stdout: '',
      code: 'INVALID_GRANT',
    })
    expect(server.tokenVisits).toHaveLength(before)
  })
})
