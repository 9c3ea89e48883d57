import { describe, expect, it } from 'vitest'
import { instantOf } from '../../src/answers/lifetime.ts'
import { at } from '../../src/answers/member.ts'
import { normalise } from '../../src/dialects/answer.ts'
import type { TokenAnswer } from '../../src/model/dialect.ts'

interface Heard extends TokenAnswer {
  readonly remarks: readonly string[]
}

function hear(
  body: unknown,
  more: { status?: number; type?: string; path?: string; separator?: string; headers?: [string, string][] } = {},
): Heard {
  const { status = 200, type = 'application/json', path, separator = ' ', headers = [] } = more
  const remarks: string[] = []
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const answer = { status, headers: [['Content-Type', type], ...headers] as [string, string][], text }
  return { ...normalise(answer, path, separator, (remark) => void remarks.push(remark)), remarks }
}

describe('tokens in any shape, as RFC 6749 §5.1 wants them', () => {
  it.each<[string, Parameters<typeof hear>, object, readonly string[]]>([
    ['by the book', [{ access_token: 'a', token_type: 'bearer' }], { access_token: 'a', token_type: 'bearer' }, []],
    [
      'without a type',
      [{ access_token: 'a' }],
      { access_token: 'a', token_type: 'bearer' },
      ['no "token_type"; taken as Bearer'],
    ],
    ['of type mac, which stays', [{ access_token: 'a', token_type: 'mac' }], { token_type: 'mac' }, []],
    [
      'in an envelope that nobody told of',
      [{ ok: true, data: { accessToken: 'a-long-token', refreshToken: 'r', expiresIn: 60, tokenType: 'Bearer' } }],
      { access_token: 'a-long-token', refresh_token: 'r', expires_in: 60, token_type: 'Bearer' },
      [
        '"access_token" stands as "data.accessToken"',
        '"refresh_token" stands as "data.refreshToken"',
        '"token_type" stands as "data.tokenType"',
        '"expires_in" stands as "data.expiresIn"',
      ],
    ],
    [
      'called token, where nothing has a better name',
      [{ token: 'a-long-token', token_type: 'bearer', expires: '2026-11-23T12:00:00Z' }],
      { access_token: 'a-long-token', expires_at: '2026-11-23T12:00:00.000Z' },
      ['"access_token" stands as "token"', '"expires_at" stands as "expires"', '"expires_at" instead of "expires_in"'],
    ],
    [
      'with an old name for the lifetime',
      [{ access_token: 'a', token_type: 'bearer', expires: 5183999 }],
      { access_token: 'a', expires_in: 5183999 },
      ['"expires_in" stands as "expires"'],
    ],
    [
      'with an instant where the lifetime belongs',
      [{ access_token: 'a', token_type: 'bearer', expires_in: '2026-11-23T12:00:00Z' }],
      { expires_at: '2026-11-23T12:00:00.000Z' },
      ['"expires_in" is not a number of seconds', '"expires_at" instead of "expires_in"'],
    ],
    [
      'for so many days, hours and minutes',
      [{ access_token: 'a', token_type: 'bearer', expires_at: '1:02:30' }],
      { expires_in: 95_400 },
      ['"expires_at" tells how long, as days, hours and minutes'],
    ],
    [
      'in a data envelope',
      [{ data: { access_token: 'a', token_type: 'x' } }, { path: 'data' }],
      { access_token: 'a', token_type: 'x' },
      ['the tokens stand under "data"'],
    ],
    [
      'with its companions beside a nested token; what stands at the top goes first',
      [
        { data: { access_token: 'a', refresh_token: 'r', expires_in: 9, token_type: 'x' }, token_type: 'bearer' },
        { path: 'data.access_token' },
      ],
      { access_token: 'a', refresh_token: 'r', expires_in: 9, token_type: 'bearer' },
      ['the access token stands under "data.access_token"'],
    ],
    [
      'under a name with a dot in it',
      [{ 'a.b': 'a', token_type: 'x' }, { path: 'a.b' }],
      { access_token: 'a' },
      ['the access token stands under "a.b"'],
    ],
    [
      'with scopes by the separator of the template',
      [{ access_token: 'a', token_type: 'x', scope: 'r, w' }, { separator: ',' }],
      { scope: 'r w' },
      [],
    ],
    [
      'with a scope that has a comma and a space',
      [{ access_token: 'a', token_type: 'x', scope: 'a,b c' }],
      { scope: 'a,b c' },
      [],
    ],
    [
      'with status 201',
      [{ access_token: 'a', token_type: 'x' }, { status: 201 }],
      { access_token: 'a' },
      ['tokens answered with status 201; RFC 6749 §5.1 wants 200'],
    ],
  ])('%s', (_, given, members, remarks) => {
    const heard = hear(...given)
    expect(heard).toMatchObject({ status: 200, json: members })
    expect(heard.remarks).toEqual(remarks)
  })

  it('with status 500 are no tokens', () => {
    expect(hear({ access_token: 'a' }, { status: 500 }).status).toBe(500)
  })
})

describe('a refusal in any shape, as RFC 6749 §5.2 wants it', () => {
  it.each<[string, Parameters<typeof hear>, object]>([
    [
      'by the book',
      [{ error: 'x', error_description: 'd', error_uri: 'u' }, { status: 400 }],
      { status: 400, json: { error: 'x', error_description: 'd', error_uri: 'u' } },
    ],
    ['with status 200', [{ error: 'x' }], { status: 400, json: { error: 'x' } }],
    ['with status 503', [{ error: 'x' }, { status: 503 }], { status: 400, json: { error: 'x' } }],
    ['with status 401, which stays', [{ error: 'x' }, { status: 401 }], { status: 401, json: { error: 'x' } }],
    [
      'as an object',
      [{ error: { type: 'OAuthException', message: 'm' } }, { status: 400 }],
      { json: { error: 'OAuthException', error_description: 'm' } },
    ],
    [
      'as a number',
      [{ errorCode: 7, errorMessage: 'm' }, { status: 400 }],
      { json: { error: '7', error_description: 'm' } },
    ],
    ['as a message', [{ message: 'm' }, { status: 403 }], { json: { error: 'http_403', error_description: 'm' } }],
    ['as ok: false', [{ ok: false, error: 'bad' }], { status: 400, json: { error: 'bad' } }],
    [
      'as a form',
      ['error=bad&error_description=so+it+is', { type: 'text/plain' }],
      { json: { error: 'bad', error_description: 'so it is' } },
    ],
  ])('%s', (_, given, expected) => {
    expect(hear(...given)).toMatchObject(expected)
  })

  it('is not hidden behind a challenge, but for the one that asks for a nonce', () => {
    const headers: [string, string][] = [
      ['WWW-Authenticate', 'Basic realm="x"'],
      ['www-authenticate', 'DPoP error="use_dpop_nonce"'],
    ]
    expect(hear({ error: 'x' }, { status: 401, headers }).headers.map(([, value]) => value)).toEqual([
      'application/json',
      'DPoP error="use_dpop_nonce"',
    ])
  })
})

describe('what is neither', () => {
  it.each(['', '<html>access_token=x</html>', 'hello', '[]', 'null', '"access_token=a"', '{"access_token":"a'])(
    'comes back as it came: %j',
    (text) => {
      expect(hear(text)).toMatchObject({ status: 200, text, remarks: [] })
      expect(hear(text)).not.toHaveProperty('json')
    },
  )
})

it.each([
  [1795521600, 1795521600000],
  [1795521600123, 1795521600123],
  ['1795521600.5', 1795521600500],
  ['2026-11-24', Date.UTC(2026, 10, 24)],
  [0, undefined],
  [-5, undefined],
  [Number.NaN, undefined],
  [Number.POSITIVE_INFINITY, undefined],
  [1e19, undefined],
  ['9223372036854775807', undefined],
  ['', undefined],
  [{}, undefined],
])('takes %j for the instant %s', (given, expected) => {
  expect(instantOf(given)).toBe(expected)
})

it('finds a member by its path, and nothing that an object has from birth', () => {
  expect(at({ a: { b: [1] } }, 'a.b')).toEqual([1])
  expect(at({ a: null }, 'a.b')).toBeUndefined()
  expect(at({}, 'constructor.name')).toBeUndefined()
  expect(at({}, 'toString')).toBeUndefined()
})
