import { describe, expect, it } from 'vitest'
import { type Party, type Refusal, refused, type Stage } from '../../src/wire/refusal.ts'

const party: Party = {
  title: 'Zendesk',
  clientId: 'client',
  clientSecret: 'plain-secret',
  authentication: 'post',
  redirectUri: 'http://localhost:8749/oauth/callback',
  registerUrl: 'https://acme.zendesk.com/admin',
  answers: ['subdomain acme'],
}

describe('a refusal', () => {
  it.each([
    ['invalid_client', 'INVALID_CLIENT'],
    ['redirect_uri_mismatch', 'REDIRECT_URI_MISMATCH'],
    ['Bad Code: 7', 'BAD_CODE_7'],
    ['🙈', 'REFUSED'],
    ['(not ok)', 'NOT_OK'],
    ['', 'REFUSED'],
    ['x'.repeat(200), 'X'.repeat(60)],
  ])('of %j has the code %s', (error, code) => {
    expect(refused({ error }, 'token', party)).toMatchObject({ code, exitCode: 4 })
  })

  it("keeps the provider's words and link beside its own", () => {
    const error = refused({ error: 'x', description: 'It is so.', uri: 'https://help.test' }, 'authorization', party)
    expect(error).toMatchObject({
      words: 'It is so. https://help.test',
      message: 'Zendesk refused the authorization: x',
    })
    expect(refused({ error: 'x' }, 'token', party).words).toBeUndefined()
  })

  it.each<[string, Refusal, Stage, Partial<Party>, readonly string[]]>([
    [
      'shows the exact redirect URL to register, and where',
      { error: 'redirect_uri_mismatch' },
      'authorization',
      {},
      ['\nhttp://localhost:8749/oauth/callback', 'https://acme.zendesk.com/admin'],
    ],
    [
      'finds a redirect URL in the words',
      { error: 'invalid_request', description: 'The redirect_uri is unknown' },
      'token',
      {},
      ['\nhttp://localhost:8749/oauth/callback'],
    ],
    [
      'says who else the client may belong to',
      { error: 'invalid_client' },
      'token',
      {},
      ['subdomain acme', '--client-auth basic'],
    ],
    [
      'asks a public client for its secret',
      { error: 'invalid_client' },
      'token',
      { authentication: 'none' },
      ['--client-secret'],
    ],
    [
      'names the raw encoding',
      { error: 'invalid_client' },
      'token',
      { authentication: 'basic', clientSecret: 'a+b' },
      ['--client-auth post or --client-auth basic-raw'],
    ],
    [
      'names the other encoding',
      { error: 'invalid_client' },
      'token',
      { authentication: 'basic-raw', clientSecret: 'a/b' },
      ['--client-auth post or --client-auth basic'],
    ],
    [
      'suspects the encoding of an odd client id too',
      { error: 'invalid_client' },
      'token',
      { authentication: 'basic', clientId: 'my app' },
      ['--client-auth post or --client-auth basic-raw'],
    ],
    [
      'does not suspect the encoding of a plain secret',
      { error: 'invalid_client' },
      'token',
      { authentication: 'basic' },
      ['--client-auth post'],
    ],
    [
      'hears a question of the proof in an invalid request',
      { error: 'invalid_request', description: 'client authentication must only be provided using one mechanism' },
      'token',
      { authentication: 'basic+post' },
      ['--client-auth post'],
    ],
    [
      'tells a spent code from a spent refresh token',
      { error: 'invalid_grant' },
      'token',
      {},
      ['code', 'http://localhost:8749'],
    ],
    ['tells a spent refresh token from a spent code', { error: 'invalid_grant' }, 'refresh', {}, ['refresh token']],
    ['says what to do about scopes', { error: 'invalid_scope' }, 'authorization', {}, ['--scope']],
    [
      'passes on how long to wait',
      { error: 'temporarily_unavailable', retryAfter: '30' },
      'token',
      {},
      ['Retry-After 30'],
    ],
    ['has a word for what it does not know', { error: 'teapot' }, 'token', {}, ['Zendesk', 'log']],
  ])('%s', (_, refusal, stage, more, parts) => {
    const { hint = '' } = refused(refusal, stage, { ...party, ...more })
    for (const part of parts) expect(hint).toContain(part)
    expect(hint).not.toContain('plain-secret')
  })

  it('shows how the client was proved, and never the secret', () => {
    const { facts } = refused({ error: 'invalid_client' }, 'token', party)
    expect(facts).toEqual([['What was sent', 'client_id client, client secret in the body (client_secret_post)']])
  })
})
