import { describe, expect, it } from 'vitest'
import { disown } from '../src/disown.ts'
import type { Connection } from '../src/model/connection.ts'
import type { Happening } from '../src/model/event.ts'
import { revoke } from '../src/revoke.ts'
import { speechOf } from '../src/speech.ts'
import { type Hit, openProvider } from './support/provider.ts'
import { twinTemplate } from './support/twin-template.ts'
import { failure, openWorkshop } from './support/world.ts'

const access = 'access-token-long-enough'
const refresh = 'refresh-token/long enough'
const refused = { message: 'no such thing' }

/** A connection of the catalogue's provider at this origin, as one is kept. */
function connectionAt(name: string, origin: string, mode: string, token: string): Connection {
  const at = new Date(0).toISOString()
  return {
    version: 1,
    name,
    provider: name,
    integration: name,
    mode,
    params: {},
    credential: { type: mode, accessToken: access, refreshToken: refresh, obtainedAt: at },
    scopes: { requested: [], granted: [], overridden: false },
    metadata: {},
    tags: {},
    createdAt: at,
    updatedAt: at,
    refreshedAt: null,
    lastError: null,
    snapshot: {
      endpoints: { token: `${origin}${token}`, api: origin },
      origins: [origin],
      template: twinTemplate(name, origin) as unknown as Connection['snapshot']['template'],
      source: { kind: 'added', file: 'x.yaml', hash: '' },
      names: [name],
      client: { id: 'the-id', secret: 'client-secret-long-enough', authentication: 'post' },
      tokenParams: {},
      allowHttp: false,
    },
  }
}

async function disowned(name: string, path: string, token: string, status = 200, body: object = refused) {
  const provider = await openProvider({ routes: { [path]: () => ({ status, body }) } })
  const { world } = openWorkshop()
  const told: Happening[] = []
  const tell = (happening: Happening): void => void told.push(happening)
  const connection = connectionAt(name, provider.origin, 'OAUTH2', token)
  const outcome = disown(world, connection, { tell }, speechOf(world, tell, [name]))
  return { outcome, told, hit: (): Hit | undefined => provider.hits[0], provider }
}

describe('a provider with a call of its own is told that a connection is no more', () => {
  it('hubspot: the refresh token is deleted by its name, the access token stays good until it expires', async () => {
    const path = `/oauth/v1/refresh-tokens/${encodeURIComponent(refresh)}`
    const { outcome, told, hit } = await disowned('hubspot', path, '/oauth/v1/token')
    expect(await outcome).toEqual({ revoked: ['refresh token'], remaining: ['access token'] })
    expect(hit()).toMatchObject({ method: 'DELETE', path })
    expect(hit()?.headers.authorization).toBeUndefined()
    expect(JSON.stringify(told)).not.toMatch(/refresh-token(\/|%2F)long/)
  })

  it('intercom: the app is uninstalled', async () => {
    const { outcome, hit } = await disowned('intercom', '/auth/uninstall', '/auth/eagle/token')
    expect(await outcome).toEqual({ revoked: ['refresh token', 'access token'], remaining: [] })
    expect(hit()).toMatchObject({ method: 'POST', headers: { authorization: `Bearer ${access}` }, body: '{}' })
  })

  it('linear: the access token is revoked', async () => {
    const { outcome, hit, told } = await disowned('linear', '/oauth/revoke', '/oauth/token')
    expect((await outcome)?.revoked).toEqual(['access token'])
    expect(hit()?.form.get('token')).toBe(access)
    expect(JSON.stringify(told)).not.toContain(access)
  })

  it('onelogin: with the client in a header of its own scheme', async () => {
    const { told, hit, outcome } = await disowned('onelogin', '/auth/oauth2/revoke', '/auth/oauth2/v2/token')
    expect(await outcome).toEqual({ revoked: ['refresh token', 'access token'], remaining: [] })
    expect(hit()?.headers.authorization).toBe('client_id:the-id, client_secret:client-secret-long-enough')
    expect(JSON.parse(hit()?.body ?? '')).toEqual({ access_token: access })
    expect(JSON.stringify(told)).not.toMatch(/access-token-long|client-secret-long/)
  })

  it('quickbooks: either token takes both along, as JSON', async () => {
    const { told, hit, outcome } = await disowned('quickbooks', '/v2/oauth2/tokens/revoke', '/oauth2/v1/tokens/bearer')
    expect(await outcome).toEqual({ revoked: ['refresh token', 'access token'], remaining: [] })
    const basic = Buffer.from('the-id:client-secret-long-enough').toString('base64')
    expect(hit()).toMatchObject({ method: 'POST', headers: { authorization: `Basic ${basic}` } })
    expect(JSON.parse(hit()?.body ?? '')).toEqual({ token: refresh })
    expect(JSON.stringify(told)).not.toMatch(/refresh-token-long|client-secret-long/)
  })

  it('slack: the access token is revoked, which may be refused with 200', async () => {
    const done = await disowned('slack', '/auth.revoke', '/oauth.v2.access', 200, { ok: true, revoked: true })
    expect(await done.outcome).toEqual({ revoked: ['access token'], remaining: ['refresh token'] })
    expect(done.hit()).toMatchObject({ method: 'GET', headers: { authorization: `Bearer ${access}` } })
    const no = await disowned('slack', '/auth.revoke', '/oauth.v2.access', 200, { ok: false, error: 'invalid_auth' })
    expect(await failure(no.outcome)).toMatchObject({ code: 'REVOCATION_REFUSED', words: 'invalid_auth', status: 200 })
  })

  it('by revoke, which keeps the connection without its tokens', async () => {
    const path = `/oauth/v1/refresh-tokens/${encodeURIComponent(refresh)}`
    const provider = await openProvider({ routes: { [path]: () => ({ status: 204 }) } })
    const { world, events } = openWorkshop()
    const connection = connectionAt('hubspot', provider.origin, 'OAUTH2', '/oauth/v1/token')
    await world.store.connections.update('hubspot', () => connection)
    expect(await revoke(world, 'hubspot')).toMatchObject({ revoked: ['refresh token'], remaining: ['access token'] })
    expect((await world.store.connections.read('hubspot'))?.credential.refreshToken).toBeUndefined()
    expect(events).toContainEqual(expect.objectContaining({ type: 'token.revoked', token: 'refresh token' }))
  })

  it('and may refuse, in its own words', async () => {
    const { outcome } = await disowned('linear', '/oauth/revoke', '/oauth/token', 403)
    expect(await failure(outcome)).toMatchObject({ code: 'REVOCATION_REFUSED', words: 'no such thing', status: 403 })
  })

  it('and need not take back what is gone', async () => {
    const path = `/oauth/v1/refresh-tokens/${encodeURIComponent(refresh)}`
    const { outcome } = await disowned('hubspot', path, '/oauth/v1/token', 404)
    expect((await outcome)?.revoked).toEqual(['refresh token'])
    // Where no token stands in the URL, nothing is there that could take it back.
    const elsewhere = await disowned('linear', '/oauth/revoke', '/oauth/token', 404)
    expect(await failure(elsewhere.outcome)).toMatchObject({ code: 'REVOCATION_REFUSED', status: 404 })
  })

  it('any other has none', async () => {
    const { outcome, provider } = await disowned('github', '/x', '/login/oauth/access_token')
    expect(await outcome).toBeUndefined()
    expect(provider.hits).toEqual([])
  })
})
