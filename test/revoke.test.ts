import { describe, expect, it } from 'vitest'
import { revoke } from '../src/revoke.ts'
import { token } from '../src/token.ts'
import { openProvider, type Reply, type Script, type ScriptedProvider } from './support/provider.ts'
import { failure, openWorkshop, type Workshop, wanderer } from './support/world.ts'

interface Stage extends Workshop {
  readonly provider: ScriptedProvider
  readonly asked: () => URLSearchParams[]
}

/** A connection `acme` whose tokens can be revoked at `/revoke`, which answers so. */
async function stage(
  answer: Script,
  fields: (origin: string) => Readonly<Record<string, unknown>> = (origin) => ({ revocation_url: `${origin}/revoke` }),
  given: { readonly clientSecret?: string; readonly clientAuth?: string } = { clientSecret: 'a secret of acme' },
): Promise<Stage> {
  let origin = ''
  const metadata: Script = () => ({
    body: {
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      revocation_endpoint: `${origin}/revoke`,
    },
  })
  const provider = await openProvider({
    routes: { '/revoke': answer, '/.well-known/openid-configuration': metadata },
  })
  origin = provider.origin
  const workshop = openWorkshop({
    browse: wanderer,
    templates: {
      acme: {
        display_name: 'Acme',
        docs: 'https://acme.example',
        auth_mode: 'OAUTH2',
        authorization_url: `${origin}/authorize`,
        token_url: `${origin}/token`,
        redirect_uri: { port: 'any' },
        ...fields(origin),
      },
    },
  })
  await workshop.connect('acme', { clientId: 'app', port: 0, ...given })
  return {
    ...workshop,
    provider,
    asked: () => provider.hits.filter(({ path }) => path === '/revoke').map(({ form }) => form),
  }
}

const done: Reply = { body: {} }

describe('revoking', () => {
  it('gives back the refresh token, then the access token, as the client that they belong to', async () => {
    const { world, asked, story, told, provider } = await stage(() => done)
    const before = await world.store.connections.read('acme')
    const { revoked, remaining, connection } = await revoke(world, 'acme')
    expect([revoked, remaining]).toEqual([['refresh token', 'access token'], []])
    expect(asked().map((form) => Object.fromEntries(form))).toEqual(
      (['refresh', 'access'] as const).map((kind) => ({
        token: before?.credential[`${kind}Token`],
        token_type_hint: `${kind}_token`,
        client_id: 'app',
        client_secret: 'a secret of acme',
      })),
    )
    expect(story().slice(-6)).toEqual([
      'flow.started',
      'exchange',
      'token.revoked',
      'exchange',
      'token.revoked',
      'flow.ended',
    ])
    for (const secret of [before?.credential.accessToken, before?.credential.refreshToken, 'a secret of acme'])
      expect(told()).not.toContain(secret)
    expect(provider.hits.at(-1)?.method).toBe('POST')
    expect(connection.credential).toEqual({ type: 'OAUTH2', obtainedAt: before?.credential.obtainedAt })
    expect(await world.store.connections.read('acme')).toEqual(connection)
    expect((await world.store.lines())[0]).toMatchObject({ isRevoked: true })
  })

  it('leaves nothing that could be used, until it is connected again', async () => {
    const { world, connect } = await stage(() => done)
    await revoke(world, 'acme')
    expect(await failure(token(world, 'acme'))).toMatchObject({ code: 'REVOKED', exitCode: 4 })
    expect((await failure(revoke(world, 'acme'))).code).toBe('NOTHING_TO_REVOKE')
    await connect('acme', { port: 0 })
    expect((await token(world, 'acme')).value).toMatch(/^access-/)
  })

  it('asks where the issuer says, and proves the client as at the token endpoint', async () => {
    const { world, provider } = await stage(
      () => done,
      (origin) => ({ issuer: origin }),
      {
        clientSecret: 'a secret of acme',
        clientAuth: 'basic',
      },
    )
    await revoke(world, 'acme')
    const hit = provider.hits.findLast(({ path }) => path === '/revoke')
    expect(hit?.headers.authorization).toBe(`Basic ${Buffer.from('app:a+secret+of+acme').toString('base64')}`)
    expect(hit?.form.has('client_secret')).toBe(false)
  })

  it("is a public client's too", async () => {
    const { world, asked } = await stage(() => done, undefined, { clientSecret: '' })
    await revoke(world, 'acme')
    expect(asked().map((form) => [form.get('client_id'), form.has('client_secret')])).toEqual([
      ['app', false],
      ['app', false],
    ])
  })

  it('takes an unknown token for revoked, and tells what a server does not revoke', async () => {
    const unknown = await stage(() => ({ status: 400, body: { error: 'invalid_token' } }))
    expect((await revoke(unknown.world, 'acme')).revoked).toHaveLength(2)
    expect(unknown.story()).toContain('quirk')
    const picky = await stage(({ form }) =>
      form.get('token_type_hint') === 'refresh_token'
        ? done
        : { status: 400, body: { error: 'unsupported_token_type' } },
    )
    expect(await revoke(picky.world, 'acme')).toMatchObject({ revoked: ['refresh token'], remaining: ['access token'] })
    expect(picky.events).toContainEqual(expect.objectContaining({ code: 'UNSUPPORTED_TOKEN_TYPE' }))
  })

  it('leaves the connection as it was where the provider refuses', async () => {
    const refusals: readonly (readonly [string, Reply, RegExp])[] = [
      ['UNSUPPORTED_TOKEN_TYPE', { status: 400, body: { error: 'unsupported_token_type' } }, /own pages/],
      ['HTTP_503', { status: 503, headers: { 'retry-after': '120' } }, /Retry-After 120/],
      ['INVALID_CLIENT', { status: 401, body: { error: 'invalid_client' } }, /client id or secret/],
      ['HTTP_302', { status: 302, headers: { location: 'https://elsewhere.example/' } }, /never sent along/],
      ['HTTP_404', { status: 404, body: '<html>' }, /revocation_url/],
    ]
    for (const [code, reply, hint] of refusals) {
      const { world, events } = await stage(() => reply)
      const before = await world.store.connections.read('acme')
      expect(await failure(revoke(world, 'acme'))).toMatchObject({
        code,
        exitCode: 4,
        hint: expect.stringMatching(hint),
      })
      expect(await world.store.connections.read('acme')).toEqual(before)
      expect(events.at(-1)).toMatchObject({ type: 'flow.ended', state: 'failed' })
    }
  })

  it("sends no token where none of this connection's may go, and says where it is not known", async () => {
    const elsewhere = await openProvider({ routes: { '/revoke': () => done } })
    const other = await stage(
      () => done,
      () => ({}),
    )
    await other.world.store.connections.update('acme', (current) =>
      current === undefined
        ? undefined
        : {
            ...current,
            snapshot: {
              ...current.snapshot,
              template: { ...current.snapshot.template, revocation_url: `${elsewhere.origin}/revoke` },
            },
          },
    )
    expect((await failure(revoke(other.world, 'acme'))).code).toBe('ORIGIN_CHANGED')
    expect(elsewhere.hits).toEqual([])
    const unknown = await stage(
      () => done,
      () => ({}),
    )
    expect((await failure(revoke(unknown.world, 'acme'))).code).toBe('NO_REVOCATION')
  })
})
