import { describe, expect, it } from 'vitest'
import { maskedConnection } from '../../../src/cli/output/masked-connection.ts'
import { isSecretName } from '../../../src/model/secret.ts'
import { connection, credential, jwt, mask } from './samples.ts'

/** Written for this test, apart from how the masking spells them. */
function spelledEveryWay(secret: string): string[] {
  const bytes = Buffer.from(secret)
  const percent = encodeURIComponent(secret)
  return [
    secret,
    percent,
    percent.replace(/%../g, (code) => code.toLowerCase()),
    new URLSearchParams([['', secret]]).toString().slice(1),
    bytes.toString('base64'),
    bytes.toString('base64url'),
    JSON.stringify(secret).slice(1, -1),
  ]
}

const secrets = {
  access: 'tok "quoted" \\ back/slash+plus=é-0001',
  refresh: 'refresh:%+/ü-token&more?0002',
  id: jwt({ sub: '42', nonce: 'n' }),
  client: 's3cret:%+/ü- with space 0003',
  registration: 'registration-access-token-0099',
  webhook: 'https://hooks.example.com/services/T0/B0/abcdef0004',
  param: 'param-secret-0005',
  bot: 'xoxb-bot-token-0006',
  session: 'session-cookie-0007',
  tokenParam: 'assertion-0008',
  inUrl: 'url-api-key-0009',
  jwt: jwt({ sub: 'somebody else' }),
}

function everywhere() {
  const all = Object.values(secrets).flatMap(spelledEveryWay)
  const base = connection()
  return connection({
    params: {
      subdomain: 'acme',
      hiddenAnswer: secrets.param,
      instance: `https://x.example/${encodeURIComponent(secrets.access)}`,
    },
    credential: {
      ...credential,
      accessToken: secrets.access,
      refreshToken: secrets.refresh,
      idToken: secrets.id,
      raw: {
        ok: true,
        access_token: secrets.access,
        token_type: 'bearer',
        unheard_of: secrets.jwt,
        authed_user: { id: 'U1', access_token: secrets.bot },
        incoming_webhook: { channel: '#general', url: secrets.webhook },
        instance: { session: { value: secrets.session } },
        api: `https://api.example/v1?api_key=${secrets.inUrl}&page=2`,
        echoes: all,
      },
    },
    metadata: { note: `came with ${secrets.refresh} and ${Buffer.from(secrets.client).toString('base64')}` },
    tags: { env: 'dev' },
    lastError: { at: '2026-01-01T00:00:00Z', code: 'X', message: `bad ${secrets.access}`, final: false },
    snapshot: {
      ...base.snapshot,
      client: {
        id: 'demo_app',
        secret: secrets.client,
        authentication: 'post',
        registration: { server: 'https://as.example', accessToken: secrets.registration },
      },
      tokenParams: { client_assertion: secrets.tokenParam, audience: 'api' },
      template: {
        ...base.snapshot.template,
        connection_config: { hiddenAnswer: { type: 'string', secret: true, title: 'Password' } },
        token_response: { token: 'data.session.token' },
      },
    },
  })
}

describe('a masked connection', () => {
  it('holds none of the secrets, in no spelling, wherever the provider put them', () => {
    const text = JSON.stringify(maskedConnection(everywhere(), mask))
    const leaves: unknown[] = []
    JSON.parse(text, (_, value) => {
      leaves.push(value)
      return value
    })
    const shown = leaves.filter((leaf) => typeof leaf === 'string').join('\n')
    for (const [name, secret] of Object.entries(secrets)) {
      for (const form of spelledEveryWay(secret)) {
        expect(text.includes(form), `${name}: ${form}`).toBe(false)
        expect(shown.includes(form), `${name}: ${form}`).toBe(false)
      }
    }
  })

  it('keeps the identity of each secret and everything that is none', () => {
    const masked = maskedConnection(everywhere(), mask)
    const raw = masked.credential.raw as Record<string, unknown>
    expect(masked.credential.accessToken).toBe(mask(secrets.access))
    expect(raw['access_token']).toBe(mask(secrets.access))
    expect(masked.credential.masked).toBe(true)
    expect(masked.credential.tokenType).toBe('bearer')
    expect(raw['token_type']).toBe('bearer')
    expect(raw['ok']).toBe(true)
    expect(raw['authed_user']).toMatchObject({ id: 'U1' })
    expect(raw['api']).toBe(`https://api.example/v1?api_key=${mask(secrets.inUrl)}&page=2`)
    expect(masked.params['subdomain']).toBe('acme')
    expect(masked.snapshot.tokenParams['audience']).toBe('api')
    expect(masked.snapshot.template).toEqual(everywhere().snapshot.template)
    expect(masked.snapshot.client).toMatchObject({
      id: 'demo_app',
      secret: mask(secrets.client),
      registration: { server: 'https://as.example', accessToken: mask(secrets.registration) },
    })
  })

  it('leaves a time as it is, whatever the provider keeps it beside', () => {
    const expiresAt = '2026-11-28T04:09:11.909Z'
    const raw = { credentials: { estimatedTimeToExpiration: expiresAt, token: secrets.access } }
    const shown = maskedConnection(connection({ credential: { ...credential, expiresAt, raw } }), mask)
    expect(shown.credential.expiresAt).toBe(expiresAt)
    expect(JSON.stringify(shown)).not.toContain(JSON.stringify(secrets.access).slice(1, -1))
  })

  it('leaves the saved one as it was', () => {
    const saved = everywhere()
    maskedConnection(saved, mask)
    expect(saved).toEqual(everywhere())
  })

  it('reveals the credential and nothing else', () => {
    const revealed = maskedConnection(everywhere(), mask, { reveal: true })
    expect(revealed.credential).toEqual(everywhere().credential)
    expect(revealed.credential.masked).toBeUndefined()
    const { credential: _, ...rest } = revealed
    const text = JSON.stringify(rest)
    for (const secret of Object.values(secrets)) expect(text.includes(JSON.stringify(secret).slice(1, -1))).toBe(false)
  })

  it('is the connection itself where it is asked for whole', () => {
    expect(maskedConnection(everywhere(), mask, { whole: true })).toEqual(everywhere())
  })

  it('masks credentials of other kinds by the names of their members', () => {
    const other = {
      type: 'BASIC',
      obtainedAt: '2026-11-23T12:00:00.000Z',
      username: 'jane',
      password: 'hunter2',
      apiKey: 'k',
      pin: 1234,
    }
    const masked = maskedConnection(connection({ credential: other }), mask).credential
    expect(masked).toMatchObject({ username: 'jane', password: mask('hunter2'), apiKey: mask('k'), pin: mask('1234') })
  })

  it('masks a literal secret in a template and leaves its placeholders', () => {
    const base = connection()
    const placeholder = '$' + '{password}'
    const template = { auth_mode: 'OAUTH2', token_params: { client_secret: 'literal-secret', password: placeholder } }
    const masked = maskedConnection(connection({ snapshot: { ...base.snapshot, template } }), mask)
    expect(masked.snapshot.template.token_params).toEqual({
      client_secret: mask('literal-secret'),
      password: placeholder,
    })
  })
})

it.each(
  `access_token refreshToken id_token client_secret password apiKey X-Api-Key api_key private_key code auth_code user_code
  set-cookie session session_id client_assertion code_verifier Authorization oauth_token_secret tokens`.split(/\s+/),
)('takes %s for the name of a secret', (name) => {
  expect(isSecretName(name)).toBe(true)
})

it.each(
  `token_type tokenType expires_in refresh_token_expires_in scope country_code status_code token_url token_endpoint
  client_id username subdomain error_code created_at keyboard monkey encoded`.split(/\s+/),
)('takes %s for the name of something to show', (name) => {
  expect(isSecretName(name)).toBe(false)
})
