import { describe, expect, it, test } from 'vitest'
import { speechOf } from '../../src/speech.ts'
import type { Metadata } from '../../src/wire/oauth.ts'
import { type Application, register, registrationKey } from '../../src/wire/registration.ts'
import { openProvider, type Reply } from '../support/provider.ts'
import { failure, openWorkshop } from '../support/world.ts'

const redirectUri = 'http://localhost:8749/oauth/callback'

async function registrar(reply: Reply) {
  const { origin, hits } = await openProvider({ routes: { '/register': () => reply } })
  const workshop = openWorkshop()
  const quirks: string[] = []
  const tell = (event: object) => void told.push(JSON.stringify(event))
  const told: string[] = []
  const { transmit } = speechOf(workshop.world, tell, 'x')
  const act = (more: Partial<Application> = {}) =>
    register(
      {
        title: 'Acme',
        endpoint: `${origin}/register`,
        allowHttp: false,
        transmit: transmit('registration'),
        remark: (quirk) => void quirks.push(quirk),
      },
      { redirectUri, scopes: [], server: 's', ...more },
    )
  return { act, quirks, told: () => told.join('\n'), sent: () => JSON.parse(hits[0]?.body ?? '') }
}

const about = (members: Record<string, unknown>): Metadata => ({ issuer: 'https://as.test', ...members }) as Metadata

describe('a client that registers itself', () => {
  it('says what it is: a native app without a secret, on our redirect URL', async () => {
    const { act, sent } = await registrar({ status: 201, body: { client_id: 'one' } })
    expect(await act({ scopes: ['a', 'b'] })).toEqual({
      client: { id: 'one', authentication: 'none', registration: { server: 's' } },
      scopes: undefined,
    })
    expect(sent()).toEqual({
      client_name: 'auth-cli',
      application_type: 'native',
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      scope: 'a b',
    })
  })

  test.each<[readonly string[] | undefined, string]>([
    [undefined, 'none'],
    [['client_secret_basic', 'none'], 'none'],
    [['client_secret_basic', 'client_secret_post'], 'client_secret_post'],
    [['client_secret_basic'], 'client_secret_basic'],
    [['private_key_jwt'], 'none'],
  ])('asks, of a server that takes %j, for %s', async (token_endpoint_auth_methods_supported, method) => {
    const { act, sent } = await registrar({ status: 201, body: { client_id: 'one' } })
    const metadata = about({ token_endpoint_auth_methods_supported, grant_types_supported: ['authorization_code'] })
    await act({ metadata }).catch(() => {})
    expect(sent()).toMatchObject({ token_endpoint_auth_method: method, grant_types: ['authorization_code'] })
  })

  it('is a web app where it is sent back by way of a server', async () => {
    const { act, sent } = await registrar({ status: 201, body: { client_id: 'one' } })
    await act({ redirectUri: 'https://me.test/callback' })
    expect(sent()).toMatchObject({ application_type: 'web', redirect_uris: ['https://me.test/callback'] })
  })

  it('sends what a template adds, in its own words', async () => {
    const { act, sent } = await registrar({ status: 201, body: { client_id: 'one' } })
    await act({ more: { client_name: 'Mine', contacts: ['me@x.test'] } })
    expect(sent()).toMatchObject({ client_name: 'Mine', contacts: ['me@x.test'] })
  })

  it('is what the server makes of it: secret, method, scopes, and the key to change it', async () => {
    const body = {
      client_id: 'one',
      client_secret: 'a-secret-that-was-issued',
      client_secret_expires_at: 4_000_000_000,
      token_endpoint_auth_method: 'client_secret_basic',
      scope: 'a',
      registration_access_token: 'an-access-token-to-manage',
      registration_client_uri: 'https://as.test/register/one',
    }
    const { act, quirks, told } = await registrar({ status: 201, body })
    expect(await act({ scopes: ['a', 'b'] })).toEqual({
      client: {
        id: 'one',
        secret: 'a-secret-that-was-issued',
        authentication: 'basic',
        registration: {
          server: 's',
          url: 'https://as.test/register/one',
          accessToken: 'an-access-token-to-manage',
          secretExpiresAt: '2096-10-02T07:06:40.000Z',
        },
      },
      scopes: ['a'],
    })
    expect(quirks).toEqual(['it registered client_secret_basic where none was asked for'])
    expect(told()).toContain('registration_access_token')
    expect(told()).not.toMatch(/a-secret-that|an-access-token-to/)
  })

  test.each<[string, Reply, readonly string[], object]>([
    [
      'status 200',
      { body: { client_id: 'one' } },
      ['a registration answered with status 200; RFC 7591 §3.2.1 wants 201'],
      {},
    ],
    [
      'a secret that does not say how long',
      { status: 201, body: { client_id: 'one', client_secret: 's3cret' } },
      ['a client_secret without client_secret_expires_at; RFC 7591 §3.2.1 wants both'],
      { secret: 's3cret', authentication: 'basic' },
    ],
    [
      'a secret that never expires',
      {
        status: 201,
        body: {
          client_id: 'one',
          client_secret: 's3cret',
          client_secret_expires_at: 0,
          token_endpoint_auth_method: 'client_secret_post',
        },
      },
      ['it registered client_secret_post where none was asked for'],
      { secret: 's3cret', authentication: 'post', registration: { server: 's' } },
    ],
    [
      'a secret for a client that has none',
      {
        status: 201,
        body: {
          client_id: 'one',
          client_secret: 's3cret',
          client_secret_expires_at: '0',
          token_endpoint_auth_method: 'none',
        },
      },
      [],
      { authentication: 'none' },
    ],
  ])('is taken with %s', async (_, reply, remarks, client) => {
    const { act, quirks } = await registrar(reply)
    expect((await act()).client).toMatchObject({ id: 'one', ...client })
    expect(quirks).toEqual(remarks)
  })

  test.each<[string, Reply, string, string]>([
    [
      'refuses its redirect URL',
      { status: 400, body: { error: 'invalid_redirect_uri', error_description: 'no loopback' } },
      'REGISTRATION_REFUSED',
      'no loopback',
    ],
    ['wants a token', { status: 401, body: { error: 'invalid_token' } }, 'REGISTRATION_REFUSED', 'invalid_token'],
    [
      'has no such place',
      { status: 404, body: '<html><title>Not here</title></html>' },
      'REGISTRATION_REFUSED',
      'Not here',
    ],
    ['sends it elsewhere', { status: 307, headers: { location: 'https://evil.test/' } }, 'REGISTRATION_REFUSED', ''],
    [
      'says no with status 200',
      { body: { error: 'invalid_client_metadata' } },
      'REGISTRATION_REFUSED',
      'invalid_client_metadata',
    ],
    ['gives no client id', { status: 201, body: { name: 'x' } }, 'REGISTRATION_UNUSABLE', ''],
    ['gives an empty client id', { status: 201, body: { client_id: '' } }, 'REGISTRATION_UNUSABLE', ''],
    ['answers a page', { status: 201, body: '<html>' }, 'REGISTRATION_UNUSABLE', ''],
    [
      'registers another redirect URL',
      { status: 201, body: { client_id: 'one', redirect_uris: ['https://evil.test/'] } },
      'REGISTRATION_UNUSABLE',
      '',
    ],
    [
      'wants a signed assertion',
      { status: 201, body: { client_id: 'one', token_endpoint_auth_method: 'private_key_jwt' } },
      'REGISTRATION_UNUSABLE',
      '',
    ],
    [
      'wants a secret and gives none',
      { status: 201, body: { client_id: 'one', token_endpoint_auth_method: 'client_secret_post' } },
      'REGISTRATION_UNUSABLE',
      '',
    ],
  ])('does not become one where the server %s', async (_, reply, code, words) => {
    const { act } = await registrar(reply)
    const error = (await failure(act())) as Awaited<ReturnType<typeof failure>> & { words?: string }
    expect(error).toMatchObject({ code, exitCode: 4, hint: expect.stringMatching(/\w/) })
    expect(error.words ?? '').toContain(words)
  })

  it('is known by its server and its redirect URL', () => {
    const key = registrationKey('s', redirectUri)
    expect(key).toMatch(/^[0-9a-f]{64}$/)
    expect(new Set([key, registrationKey('t', redirectUri), registrationKey('s', 'x')]).size).toBe(3)
  })
})
