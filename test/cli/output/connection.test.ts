import { describe, expect, it } from 'vitest'
import { connectionCard, connectionScreen } from '../../../src/cli/output/connection.ts'
import { width } from '../../../src/cli/output/style.ts'
import { connection, credential, drawn, hostile, isHarmless, jwt, mask, now, pipe } from './samples.ts'

const view = { mask, now, utc: true }
const idToken = jwt({
  iss: 'https://acme.zendesk.com',
  sub: '42',
  email: 'jane@example.com',
  exp: now.getTime() / 1000 + 1800,
  iat: now.getTime() / 1000 - 7200,
  refresh_token: 'claimed-secret-0001',
})

describe('the card', () => {
  it('says who, where, which scopes, how long, and what to type next', async () => {
    const answeredBy = { 'client-id': 'environment', subdomain: 'flag' }
    expect(connectionCard(connection(), await drawn(80), { ...view, flow: '7k2m9q', answeredBy })).toBe(`
  zendesk            saved as "zendesk"
  subdomain          acme
  API                https://acme.zendesk.com
  access token       zat-…(b473)   expires in 30 min
  refresh token      yes
  scopes             read   (missing: write)
  answers            from environment (client-id), flag (subdomain)

  Next   auth-cli request zendesk /api/v2/users/me.json
         auth-cli logs show 7k2m9q
`)
  })

  it('names the person where the ID token does', async () => {
    const card = connectionCard(connection({ credential: { ...credential, idToken } }), await drawn(80), view)
    expect(card).toContain('  who                jane@example.com\n')
  })

  it('warns of a missing expiry, a missing refresh token and missing scopes', async () => {
    const bare = { type: 'OAUTH2', obtainedAt: credential.obtainedAt, accessToken: credential.accessToken, raw: {} }
    const card = connectionCard(connection({ credential: bare }), await drawn(80, { color: true }), view)
    const yellow = card.match(/\x1b\[33m[^\x1b]*/g)?.map((text) => text.slice(5))
    expect(yellow).toEqual(['expiry not said by the provider', 'none', '(missing: write)'])
  })

  it('quotes a name that the shell would take apart', async () => {
    expect(connectionCard(connection({ name: "it's $mine" }), await drawn(pipe), view)).toContain(
      `auth-cli request 'it'\\''s $mine' /api/v2/users/me.json`,
    )
  })

  it('offers the token where the API is unknown', async () => {
    const { snapshot } = connection()
    const { api: _, ...endpoints } = snapshot.endpoints
    const card = connectionCard(connection({ snapshot: { ...snapshot, endpoints } }), await drawn(80), view)
    expect(card).toContain('  Next   auth-cli token zendesk\n')
  })

  it('shows no secret unless revealed, and then only the credential', async () => {
    const style = await drawn(pipe)
    const masked = connectionCard(connection(), style, view)
    expect(masked).not.toContain(credential.accessToken)
    const revealed = connectionCard(connection(), style, { ...view, reveal: true })
    expect(revealed).toContain(credential.accessToken)
    expect(revealed).toContain(credential.refreshToken)
    expect(revealed).not.toContain('s3cret')
  })
})

describe('a connection shown', () => {
  const full = () =>
    connection({
      name: 'work',
      credential: { ...credential, idToken },
      tags: { env: 'dev' },
      metadata: { team: 'T1' },
      refreshedAt: '2026-11-23T11:04:31.000Z',
      lastError: {
        at: '2026-11-23T12:00:00Z',
        code: 'INVALID_GRANT',
        message: 'The refresh token was refused.',
        final: true,
        flow: 'abc123',
      },
    })

  it('tells everything about it', async () => {
    expect(connectionScreen(full(), await drawn(80), { ...view, title: 'Zendesk', template: 'changed' })).toBe(`\
  name                 work
  provider             zendesk (Zendesk)
  integration          zendesk
  mode                 OAUTH2
  who                  jane@example.com
  subdomain            acme
  tags                 env=dev
  metadata             team=T1
  created              2 h ago   2026-11-23 10:04:31
  refreshed            60 min ago   2026-11-23 11:04:31
  last error           INVALID_GRANT   5 min ago
                       The refresh token was refused.
                       The provider refused for good: connect again.
                       auth-cli logs show abc123

  access token         zat-…(b473)   bearer
                       expires in 30 min   2026-11-23 12:34:31
  refresh token        zat-…(647c)
  ID token             ${mask(idToken)}
  scopes asked for     read, write
  scopes granted       read
  scopes missing       write

  client id            demo_app
  client secret        …(a186)
  authentication       secret in the body (client_secret_post)
  redirect URL         http://localhost:8749/oauth/callback

  authorize            https://acme.zendesk.com/oauth/authorizations/new
  token                https://acme.zendesk.com/oauth/tokens
  API                  https://acme.zendesk.com
  secrets may go to    https://acme.zendesk.com
  template             built in: /opt/auth-cli/templates/zendesk.yaml
                       changed since: connect again to use it as it is now

  ID token, decoded    a JWT; its signature is not checked here
    alg                RS256
    kid                k1
    iss                https://acme.zendesk.com
    sub                42
    email              jane@example.com
    exp                2026-11-23T12:34:31Z   in 30 min   1795437271
    iat                2026-11-23T10:04:31Z   2 h ago   1795428271
    refresh_token      ${mask('claimed-secret-0001')}
`)
  })

  it('decodes an access token that is a JWT, and shows it masked all the same', async () => {
    const accessToken = jwt({ scope: 'read' })
    const screen = connectionScreen(connection({ credential: { ...credential, accessToken } }), await drawn(80), view)
    expect(screen).toContain('  access token, decoded   a JWT')
    expect(screen).toContain('    scope                 read\n')
    expect(screen).not.toContain(accessToken)
  })

  it('shows no secret, in a pipe either', async () => {
    const screen = connectionScreen(full(), await drawn(pipe), view)
    for (const secret of [credential.accessToken, credential.refreshToken, idToken, 's3cret', 'claimed-secret']) {
      expect(screen).not.toContain(secret)
    }
  })

  it.each([40, 80])('wraps well at %i columns', async (columns) => {
    const isToCopy = (line: string) => /(?:auth-cli logs show \S+|https?:\/\/\S+|\S+\.yaml)$/.test(line)
    const lines = connectionScreen(full(), await drawn(columns), { ...view, template: 'changed' }).split('\n')
    expect(lines.filter((line) => width(line) > columns && !isToCopy(line))).toEqual([])
  })

  it('lets nothing through that acts on a terminal', async () => {
    const evil = connection({
      name: hostile,
      provider: hostile,
      params: { [hostile]: hostile },
      tags: { [hostile]: hostile },
      metadata: { [hostile]: [hostile] },
      scopes: { requested: [hostile], granted: [hostile], overridden: false },
      credential: {
        ...credential,
        tokenType: hostile,
        expiresAt: hostile,
        idToken: jwt({ email: hostile, [hostile]: hostile }),
      },
      lastError: { at: hostile, code: hostile, message: hostile, final: true, flow: hostile },
    })
    const style = await drawn(80)
    expect(isHarmless(connectionScreen(evil, style, { ...view, title: hostile }))).toBe(true)
    expect(
      isHarmless(connectionCard(evil, style, { ...view, answeredBy: { [hostile]: hostile }, flow: hostile })),
    ).toBe(true)
  })
})
