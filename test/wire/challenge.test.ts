import { describe, expect, it, test } from 'vitest'
import type { Header } from '../../src/model/event.ts'
import { bearerChallenge, challengesIn } from '../../src/wire/challenge.ts'

const challenge = (value: string): Header => ['WWW-Authenticate', value]

describe('a challenge', () => {
  test.each<[string, string, Record<string, string>]>([
    ['Bearer', 'bearer', {}],
    ['Bearer realm="x"', 'bearer', { realm: 'x' }],
    [
      'Bearer resource_metadata="https://h/.well-known/oauth-protected-resource/mcp", scope="a b"',
      'bearer',
      { resource_metadata: 'https://h/.well-known/oauth-protected-resource/mcp', scope: 'a b' },
    ],
    ['BEARER  Error = invalid_token ,scope=a', 'bearer', { error: 'invalid_token', scope: 'a' }],
    ['Bearer error_description="say \\"no\\", then go"', 'bearer', { error_description: 'say "no", then go' }],
    ['DPoP algs="ES256", resource_metadata="https://h/x"', 'dpop', { algs: 'ES256', resource_metadata: 'https://h/x' }],
    ['Basic realm="a, Bearer b", Bearer scope="c"', 'bearer', { scope: 'c' }],
    ['Bearer __proto__="x", scope="c"', 'bearer', JSON.parse('{"__proto__":"x","scope":"c"}')],
  ])('%s is read', (header, scheme, params) => {
    const found = bearerChallenge([challenge(header)])
    expect([found?.scheme, Object.entries(found?.params ?? {})]).toEqual([scheme, Object.entries(params)])
  })

  it('may stand in a line of its own, and the one that names metadata is the one that counts', () => {
    const headers = [
      challenge('Basic realm="x"'),
      challenge('Bearer'),
      challenge('Bearer resource_metadata="https://m"'),
    ]
    expect(challengesIn(headers).map(({ scheme }) => scheme)).toEqual(['basic', 'bearer', 'bearer'])
    expect(bearerChallenge(headers)?.params['resource_metadata']).toBe('https://m')
  })

  it('of another scheme is not one of OAuth', () => {
    expect(bearerChallenge([challenge('Negotiate abc=='), ['content-type', 'text/html']])).toBeUndefined()
  })
})
