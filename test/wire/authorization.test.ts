import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type AuthorizationRequest, authorizationUrl, challengeOf, unguessable } from '../../src/wire/authorization.ts'

const plain: AuthorizationRequest = {
  endpoint: 'https://provider.test/authorize',
  clientId: 'client',
  redirectUri: 'http://localhost:8749/oauth/callback',
  scope: 'read write',
  state: 'the-state',
  templateParams: {},
  codeChallenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  overrides: {},
}

const front =
  'response_type=code&client_id=client&redirect_uri=http%3A%2F%2Flocalhost%3A8749%2Foauth%2Fcallback&scope=read+write&state=the-state'
const challenge = 'code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256'

describe('the authorization URL, byte for byte', () => {
  it.each<[string, Partial<AuthorizationRequest>, string]>([
    ['is the standard parameters in their order', {}, `?${front}&${challenge}`],
    ['has no challenge without PKCE', { codeChallenge: undefined }, `?${front}`],
    [
      "has the template's parameters before the challenge",
      { templateParams: { access_type: 'offline', z: 1, a: true } },
      `?${front}&access_type=offline&z=1&a=true&${challenge}`,
    ],
    ['has the nonce after the challenge method', { nonce: 'n' }, `?${front}&${challenge}&nonce=n`],
    [
      "has the person's parameters last",
      { nonce: 'n', overrides: { hd: 'acme.test', login_hint: 'a b' } },
      `?${front}&${challenge}&nonce=n&hd=acme.test&login_hint=a+b`,
    ],
    [
      'keeps the place of what the template overrides',
      { templateParams: { scope: 'all', prompt: 'consent' } },
      `?${front.replace('read+write', 'all')}&prompt=consent&${challenge}`,
    ],
    [
      'keeps the place of what the person overrides',
      { templateParams: { prompt: 'consent' }, overrides: { prompt: 'none', client_id: 'x' } },
      `?${front.replace('=client&', '=x&')}&prompt=none&${challenge}`,
    ],
    [
      'leaves out what the person removes',
      { templateParams: { prompt: 'consent' }, overrides: { prompt: null, scope: null, unknown: null } },
      `?${front.replace('&scope=read+write', '')}&${challenge}`,
    ],
    ['says scope= where none is asked for', { scope: '' }, `?${front.replace('read+write', '')}&${challenge}`],
    [
      'joins scopes as the provider wants them',
      { scope: 'chat:write,users:read' },
      `?${front.replace('read+write', 'chat%3Awrite%2Cusers%3Aread')}&${challenge}`,
    ],
    [
      'encodes as a form does',
      { scope: 'ü & + ~ * (x)' },
      `?${front.replace('read+write', '%C3%BC+%26+%2B+%7E+*+%28x%29')}&${challenge}`,
    ],
    [
      "keeps the endpoint's own query in front as it stands",
      { endpoint: 'https://provider.test/authorize?tenant=a%20b&x' },
      `?tenant=a%20b&x&${front}&${challenge}`,
    ],
    [
      "says nothing twice that the endpoint's query has",
      { endpoint: 'https://provider.test/authorize?state=old&tenant=a&scope=old' },
      `?tenant=a&${front}&${challenge}`,
    ],
    [
      "removes from the endpoint's query too",
      { endpoint: 'https://provider.test/authorize?tenant=a&b=1', overrides: { tenant: null } },
      `?b=1&${front}&${challenge}`,
    ],
    [
      'keeps a fragment of the endpoint behind',
      { endpoint: 'https://provider.test/authorize#/sign-in' },
      `?${front}&${challenge}#/sign-in`,
    ],
  ])('%s', (_, more, expected) => {
    expect(authorizationUrl({ ...plain, ...more }).href).toBe(`https://provider.test/authorize${expected}`)
  })
})

describe('what only we know', () => {
  it('makes the challenge of RFC 7636 Appendix B', () => {
    expect(challengeOf('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).toBe(plain.codeChallenge)
  })

  it('is 256 bits in 43 unreserved characters, never the same in a thousand', () => {
    const drawn = Array.from({ length: 1000 }, () => unguessable(randomBytes))
    expect(new Set(drawn).size).toBe(1000)
    for (const one of drawn) expect(one).toMatch(/^[\w-]{43}$/)
    expect(unguessable((bytes) => new Uint8Array(bytes).fill(255))).toBe(Buffer.alloc(32, 255).toString('base64url'))
  })
})
