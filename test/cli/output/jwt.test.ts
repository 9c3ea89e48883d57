import { expect, it } from 'vitest'
import { decodeJwt, isJwtShaped } from '../../../src/cli/output/jwt.ts'
import { jwt } from './samples.ts'

it('takes the example of RFC 7519 §3.1 apart', () => {
  const token =
    'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
  expect(isJwtShaped(token)).toBe(true)
  expect(decodeJwt(token)).toEqual({
    header: { typ: 'JWT', alg: 'HS256' },
    claims: { iss: 'joe', exp: 1300819380, 'http://example.com/is_root': true },
  })
})

it('reads only the header of an encrypted one', () => {
  expect(decodeJwt(`${jwt({}).split('.')[0]}.a.b.c.d`)).toEqual({ header: { alg: 'RS256', kid: 'k1' } })
})

it.each(['', 'opaque', 'a.b.c', 'gho_16C7e42F292c6912E7710c838347Ae178B4a', jwt([1]), jwt({}, { kid: 'no alg' })])(
  'takes %o for what it is: no JWT',
  (token) => {
    expect(decodeJwt(token)).toBeUndefined()
  },
)
