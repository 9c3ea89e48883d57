import { createHash } from 'node:crypto'
import { stripVTControlCharacters } from 'node:util'
import { makeStyle, type Style } from '../../../src/cli/output/style.ts'
import type { Connection, Credential } from '../../../src/model/connection.ts'
import type { Happening, LogEvent } from '../../../src/model/event.ts'
import type { Provider } from '../../../src/model/provider.ts'

/** A terminal of that many columns, or a pipe, without colours. */
export function drawn(columns: number, change: Partial<Style> = {}): Promise<Style> {
  const terminal = Number.isFinite(columns)
  return makeStyle({ terminal, color: false, animated: false, unicode: true, columns, ...change })
}

export const pipe = Number.POSITIVE_INFINITY
export const now = new Date('2026-11-23T12:04:31.000Z')

/** The shape of the real mask, without its key. */
export function mask(value: string): string {
  const id = createHash('sha256').update(value).digest('hex').slice(0, 4)
  return `${value.length >= 24 ? value.slice(0, 4) : ''}…(${id})`
}

export function event(happening: Happening, ms = 0): LogEvent {
  return { flow: '7k2m9q', at: new Date(now.getTime() + ms).toISOString(), ms, ...happening }
}

export function jwt(claims: object, header: object = { alg: 'RS256', kid: 'k1' }): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part(header)}.${part(claims)}.c2lnbmF0dXJl`
}

export const credential: Credential = {
  type: 'OAUTH2',
  accessToken: 'zat-access-0123456789abcdefXYZ',
  refreshToken: 'zat-refresh-9876543210fedcba',
  tokenType: 'bearer',
  expiresAt: '2026-11-23T12:34:31.000Z',
  obtainedAt: '2026-11-23T12:04:31.000Z',
  raw: {
    access_token: 'zat-access-0123456789abcdefXYZ',
    refresh_token: 'zat-refresh-9876543210fedcba',
    token_type: 'bearer',
    scope: 'read',
    expires_in: 1800,
  },
}

export function connection(change: Partial<Connection> = {}): Connection {
  return {
    version: 1,
    name: 'zendesk',
    provider: 'zendesk',
    integration: 'zendesk',
    mode: 'OAUTH2',
    params: { subdomain: 'acme' },
    credential,
    scopes: { requested: ['read', 'write'], granted: ['read'], overridden: true },
    metadata: {},
    tags: {},
    createdAt: '2026-11-23T10:04:31.000Z',
    updatedAt: '2026-11-23T10:04:31.000Z',
    refreshedAt: null,
    lastError: null,
    snapshot: {
      endpoints: {
        authorization: 'https://acme.zendesk.com/oauth/authorizations/new',
        token: 'https://acme.zendesk.com/oauth/tokens',
        api: 'https://acme.zendesk.com',
      },
      origins: ['https://acme.zendesk.com'],
      template: {
        auth_mode: 'OAUTH2',
        connection_config: { subdomain: { type: 'string' } },
        proxy: { base_url: 'x', verification: { method: 'GET', endpoints: ['/api/v2/users/me.json'] } },
      },
      source: { kind: 'built-in', file: '/opt/auth-cli/templates/zendesk.yaml', hash: 'ab' },
      client: { id: 'demo_app', secret: 's3cret:%+/ü-value', authentication: 'post' },
      redirectUri: 'http://localhost:8749/oauth/callback',
      tokenParams: {},
      allowHttp: false,
    },
    ...change,
  }
}

export const provider: Provider = {
  name: 'zendesk',
  names: ['zendesk'],
  title: 'Zendesk',
  template: { auth_mode: 'OAUTH2', categories: ['ticketing', 'support'] },
  source: { kind: 'built-in', file: 'templates/zendesk.yaml', hash: 'ab' },
  hides: [],
  warnings: [],
}

/** Colours, a hyperlink, a title, an overwrite, a reversed word, 8-bit sequences, a device report: what a hostile text tries. */
export const hostile =
  'a\x1b[31mb\x1b]8;;https://evil.example\x1b\\c\x1b]0;owned\x07d\re\x9b31mf\x9d0;x\x9cg\u202eh\u2066i\x1b[6nj\x1bck\x00l\x7f\u2028m'

/** Whether nothing in it can act on a terminal. */
export function isHarmless(text: string): boolean {
  const rest = text.replaceAll('\n', '')
  return (
    stripVTControlCharacters(rest) === rest &&
    !/[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/.test(rest)
  )
}
