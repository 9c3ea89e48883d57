import { describe, expect, it } from 'vitest'
import { approve, type Twin } from '../../../src/sandbox/index.ts'
import { readCatalogue } from '../../support/catalogue.ts'
import {
  challenge,
  type Fields,
  openCallback,
  openForTest,
  type Reply,
  send,
  sendForm,
  sendJson,
  temporaryHome,
  verifier,
} from './twin.ts'

const generic = {
  display_name: 'Any',
  auth_mode: 'MCP_OAUTH2_GENERIC',
  connection_config: { mcp_server_url: { type: 'string' } },
}

const server = 'https://tools.example/mcp'

const openGeneric = (home?: string): Promise<Twin> =>
  openForTest({ template: generic, answers: { mcp_server_url: server }, home })

const rpc = (method: string, id?: number) => ({ jsonrpc: '2.0', method, ...(id !== undefined && { id }) })

const accept = { accept: 'application/json, text/event-stream' }

/** What a client finds out with nothing but the server's URL. */
async function discover(twin: Twin): Promise<Readonly<Record<string, string>>> {
  const refused = await sendJson(twin, server, rpc('initialize', 1), accept)
  expect(refused.status).toBe(401)
  const [, where = ''] = /resource_metadata="([^"]+)"/.exec(refused.headers.get('www-authenticate') ?? '') ?? []
  const resource = await send(twin, where)
  expect(resource.json.resource).toBe(server)
  const issuer = new URL(resource.json.authorization_servers[0])
  const metadata = await send(twin, `${issuer.origin}/.well-known/oauth-authorization-server${issuer.pathname}`)
  expect(metadata.json).toMatchObject({ issuer: issuer.href, code_challenge_methods_supported: ['S256'] })
  return metadata.json
}

const registration = (redirectUri: string): Readonly<Record<string, unknown>> => ({
  redirect_uris: [redirectUri],
  client_name: 'A test',
  token_endpoint_auth_method: 'none',
})

async function visited(twin: Twin, url: string, fields: Fields): Promise<URLSearchParams> {
  const { redirectUri, visits } = await openCallback()
  const redirect_uri = fields['redirect_uri'] ?? redirectUri
  const query = {
    response_type: 'code',
    scope: 'a',
    state: 's',
    code_challenge: challenge,
    code_challenge_method: 'S256',
  }
  await approve(twin.address(`${url}?${new URLSearchParams({ ...query, redirect_uri, ...fields })}`))
  return visits.at(-1)?.searchParams ?? new URLSearchParams()
}

async function registered(twin: Twin, url: string) {
  const { redirectUri, visits } = await openCallback()
  const reply = await sendJson(twin, url, registration(redirectUri))
  expect(reply.status, reply.text).toBe(201)
  return { redirectUri, visits, clientId: String(reply.json.client_id) }
}

async function authorized(
  twin: Twin,
): Promise<{ readonly tokens: Reply; readonly at: Fields; readonly clientId: string }> {
  const at = await discover(twin)
  const { redirectUri, visits, clientId } = await registered(twin, at['registration_endpoint'] ?? '')
  await visited(twin, at['authorization_endpoint'] ?? '', {
    client_id: clientId,
    redirect_uri: redirectUri,
    resource: server,
  })
  const tokens = await sendForm(twin, at['token_endpoint'] ?? '', {
    grant_type: 'authorization_code',
    code: visits.at(-1)?.searchParams.get('code') ?? '',
    redirect_uri: redirectUri,
    code_verifier: verifier,
    client_id: clientId,
    resource: server,
  })
  return { tokens, at, clientId }
}

describe('the twin of an MCP server', () => {
  it('lets a client find everything out, register itself, and call its tools', async () => {
    const twin = await openGeneric()
    const { tokens, at, clientId } = await authorized(twin)
    expect(tokens.status, tokens.text).toBe(200)
    const call = (body: unknown, token = tokens.json.access_token, headers: Fields = accept) =>
      sendJson(twin, server, body, { authorization: `Bearer ${token}`, ...headers })
    const hello = await call({ ...rpc('initialize', 1), params: { protocolVersion: '2025-06-18' } })
    expect(hello.json).toMatchObject({ id: 1, result: { protocolVersion: '2025-06-18' } })
    expect((await call(rpc('notifications/initialized'))).status).toBe(202)
    expect((await call(rpc('tools/list', 2))).json.result.tools[0].name).toBe('echo')
    const params = { name: 'echo', arguments: { text: 'hi' } }
    expect((await call({ ...rpc('tools/call', 3), params })).json.result.content[0].text).toBe('hi')
    expect((await call(rpc('nothing', 4))).json.error.code).toBe(-32601)
    expect((await call(rpc('tools/list', 5), 'another')).status).toBe(401)
    const headers = { accept: 'text/event-stream', authorization: `Bearer ${tokens.json.access_token}` }
    expect((await send(twin, server, { headers })).status).toBe(405)
    expect((await call(rpc('tools/list', 5), undefined, { accept: 'application/json' })).status).toBe(406)
    const younger = await sendForm(twin, at['token_endpoint'] ?? '', {
      grant_type: 'refresh_token',
      refresh_token: tokens.json.refresh_token,
      client_id: clientId,
    })
    expect((await call(rpc('ping', 6), younger.json.access_token)).json.result).toEqual({})
  })

  it('is only for whom it registered, at their own redirect URI, for its own resource, with PKCE', async () => {
    const twin = await openGeneric()
    const at = await discover(twin)
    const url = at['authorization_endpoint'] ?? ''
    const { redirectUri, clientId } = await registered(twin, at['registration_endpoint'] ?? '')
    const fields = { client_id: clientId, redirect_uri: redirectUri, resource: server }
    await expect(visited(twin, url, { ...fields, client_id: 'another' })).rejects.toThrow('400')
    await expect(visited(twin, url, { ...fields, redirect_uri: 'https://elsewhere.example/cb' })).rejects.toThrow('400')
    await expect(visited(twin, url, { ...fields, resource: 'https://other.example/' })).rejects.toThrow('400')
    const { resource: _, ...less } = fields
    await expect(visited(twin, url, less)).rejects.toThrow('400')
    const query = new URLSearchParams({ ...fields, response_type: 'code', scope: '', state: 's' })
    const bare = await fetch(twin.address(`${url}?${query}`), { redirect: 'manual' })
    expect(bare.headers.get('location')).toContain('no+code_challenge')
  })

  it('refuses to register what it cannot serve', async () => {
    const twin = await openGeneric()
    const at = await discover(twin)
    const tried = async (change: Readonly<Record<string, unknown>>) => {
      const whole = { ...registration('http://localhost:1/cb'), ...change }
      return (await sendJson(twin, at['registration_endpoint'] ?? '', whole)).json.error
    }
    expect(await tried({ redirect_uris: [] })).toBe('invalid_redirect_uri')
    expect(await tried({ redirect_uris: ['http://elsewhere.example/'] })).toBe('invalid_redirect_uri')
    expect(await tried({ token_endpoint_auth_method: 'client_secret_basic' })).toBe('invalid_client_metadata')
    expect(await tried({ grant_types: ['client_credentials'] })).toBe('invalid_client_metadata')
  })

  it('knows its clients and their tokens after a restart', async () => {
    const home = temporaryHome()
    const before = await openGeneric(home)
    const { tokens, clientId, at } = await authorized(before)
    await before.close()
    const after = await openGeneric(home)
    const headers = { ...accept, authorization: `Bearer ${tokens.json.access_token}` }
    expect((await sendJson(after, server, rpc('ping', 1), headers)).status).toBe(200)
    const refresh = { grant_type: 'refresh_token', refresh_token: tokens.json.refresh_token, client_id: clientId }
    expect((await sendForm(after, at['token_endpoint'] ?? '', refresh)).status).toBe(200)
  })

  it('plays those that a template spells out, by registration and by a client of theirs', async () => {
    const catalogue = readCatalogue()
    const all = [...catalogue].filter(([, { auth_mode }]) => auth_mode === 'MCP_OAUTH2')
    expect(all.length).toBeGreaterThan(25)
    for (const [name, template] of all) {
      const twin = await openForTest({ name, template })
      const isStatic = template['client_registration'] === 'static'
      const { redirectUri, visits } = await openCallback()
      const own = { ...(template['authorization_params'] as Fields | undefined), response_type: 'code' }
      const made = isStatic
        ? undefined
        : await sendJson(twin, String(template['registration_url']), registration(redirectUri))
      const clientId = isStatic ? twin.issued.clientId : made?.json.client_id
      expect(typeof clientId, name).toBe('string')
      const query = { ...own, client_id: String(clientId), redirect_uri: redirectUri, state: 's' }
      const pkce = { code_challenge: challenge, code_challenge_method: 'S256' }
      const isRaw = template['authorization_url_skip_encode'] !== undefined
      const search = `${new URLSearchParams({ ...query, ...(!isRaw && { scope: '' }), ...pkce })}`
      const page = twin.places.find(({ what }) => what === 'the authorization endpoint')?.url
      await approve(twin.address(`${page}?${search}`))
      const token = twin.places.find(({ what }) => what === 'the token endpoint')?.url ?? ''
      const tokens = await sendForm(twin, token, {
        grant_type: 'authorization_code',
        code: visits.at(-1)?.searchParams.get('code') ?? '',
        redirect_uri: redirectUri,
        code_verifier: verifier,
        client_id: String(clientId),
        ...(isStatic && { client_secret: twin.issued.clientSecret ?? '' }),
      })
      expect(tokens.status, `${name} ${tokens.text}`).toBe(200)
      const access = tokens.json.access_token ?? tokens.json.authed_user?.access_token
      const api = twin.places.find(({ what }) => what === 'the API')?.url
      // One template names no API.
      if (api === undefined) continue
      const headers = { ...accept, authorization: `Bearer ${access}` }
      expect((await sendJson(twin, api, rpc('tools/list', 1), headers)).status, name).toBe(200)
    }
  })
})
