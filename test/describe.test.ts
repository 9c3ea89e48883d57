import { describe, expect, it } from 'vitest'
import { describe as pageOf } from '../src/describe.ts'
import { locate } from '../src/locate.ts'
import { openWorkshop } from './support/world.ts'

const page = async (name: string, template?: Record<string, unknown>) => {
  const { world } = openWorkshop({ templates: template === undefined ? {} : { [name]: template } })
  return pageOf(world, await locate(world, name), {})
}

describe("a provider's page", () => {
  it('of a URL tells where its endpoints are looked up, and the command with the URL', async () => {
    const { discovery, client, connect, authorize, lacks } = await page('http://localhost:3000/mcp')
    expect(discovery).toEqual({ url: 'http://localhost:3000/mcp', isComplete: true })
    expect(client?.id).toMatchObject({ isOptional: true, description: expect.stringContaining('registers itself') })
    expect([connect, authorize, lacks]).toEqual(['auth-cli connect http://localhost:3000/mcp', undefined, []])
  })

  it('of an issuer alone tells the same of it', async () => {
    const idp = { display_name: 'Idp', docs: 'https://idp.test', auth_mode: 'OAUTH2', issuer: 'https://idp.test/t' }
    const { discovery, client, connect } = await page('idp', idp)
    expect(discovery).toEqual({ url: 'https://idp.test/t', isComplete: true })
    expect([client?.id.isOptional, connect]).toEqual([false, 'auth-cli connect idp'])
  })

  it('of an MCP template tells whether a client must be brought along', async () => {
    const template = {
      display_name: 'Acme',
      docs: 'https://acme.test',
      auth_mode: 'MCP_OAUTH2',
      authorization_url: 'https://acme.test/a',
      token_url: 'https://acme.test/t',
      registration_url: 'https://acme.test/r',
      proxy: { base_url: 'https://acme.test' },
    }
    const dynamic = await page('acme', { ...template, client_registration: 'dynamic', disable_pkce: true })
    expect([dynamic.client?.id.isOptional, dynamic.authorize?.pkce, dynamic.discovery]).toEqual([true, true, undefined])
    expect(dynamic.api?.headers).toEqual(['authorization: Bearer <access token>'])
    const fixed = await page('acme', { ...template, client_registration: 'static' })
    expect(fixed.client?.id.isOptional).toBe(false)
  })
})
