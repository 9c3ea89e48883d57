import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto'
import { describe, expect, it, test } from 'vitest'
import { claimsIn, signCompact, signingAlgorithms, signJwt } from '../../src/signing/jwt.ts'

/** RFC 7515 appendix A: one payload, bytes and all. */
const payload = '{"iss":"joe",\r\n "exp":1300819380,\r\n "http://example.com/is_root":true}'
const encoded = 'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ'
const octet = {
  kty: 'oct',
  k: 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
}
const rsaJwk = {
  kty: 'RSA',
  n: 'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
  e: 'AQAB',
  d: 'Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ',
  p: '4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc',
  q: 'uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc',
  dp: 'BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0',
  dq: 'h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU',
  qi: 'IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U',
}
const ecJwk = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
}
/** RFC 8037 appendix A.1. */
const edJwk = {
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
}

const tokenOf = (signed: ReturnType<typeof signCompact>): string => ('token' in signed ? signed.token : signed.why)
const whyOf = (signed: ReturnType<typeof signCompact>): string => ('why' in signed ? signed.why : 'it was signed')
const pemOf = (key: KeyObject, type: 'pkcs8' | 'pkcs1' | 'sec1' = 'pkcs8'): string =>
  key.export({ type: type as 'pkcs8', format: 'pem' }).toString()

describe('the vectors of the standards', () => {
  test.each<[string, string, string, string, object, string]>([
    [
      'RFC 7515 A.1, HS256',
      '{"typ":"JWT",\r\n "alg":"HS256"}',
      payload,
      'HS256',
      octet,
      `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${encoded}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`,
    ],
    [
      'RFC 7515 A.2, RS256',
      '{"alg":"RS256"}',
      payload,
      'RS256',
      rsaJwk,
      `eyJhbGciOiJSUzI1NiJ9.${encoded}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw`,
    ],
    [
      'RFC 8037 A.4, EdDSA',
      '{"alg":"EdDSA"}',
      'Example of Ed25519 signing',
      'EdDSA',
      edJwk,
      'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
    ],
  ])('are reproduced: %s', (_, header, text, alg, jwk, expected) => {
    expect(tokenOf(signCompact(header, text, alg, { text: JSON.stringify(jwk) }))).toBe(expected)
  })

  it('are verified where the signature differs each time: RFC 7515 A.3, ES256', () => {
    const token = tokenOf(signCompact('{"alg":"ES256"}', payload, 'ES256', { text: JSON.stringify(ecJwk) }))
    const [head, body, signature = ''] = token.split('.')
    const key = createPublicKey({ key: ecJwk, format: 'jwk' })
    const bytes = Buffer.from(signature, 'base64url')
    expect([body, bytes.length]).toEqual([encoded, 64])
    const input = Buffer.from(`${head}.${body}`)
    expect(verify('sha256', input, { key, dsaEncoding: 'ieee-p1363' }, bytes)).toBe(true)
  })
})

const pairs = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  'P-521': generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  ed25519: generateKeyPairSync('ed25519'),
}
const claims = { iss: 'ä', iat: 1, exp: 2 }

describe('a signature', () => {
  test.each<[string, keyof typeof pairs, string | null, number]>([
    ['RS256', 'rsa', 'sha256', 256],
    ['RS384', 'rsa', 'sha384', 256],
    ['RS512', 'rsa', 'sha512', 256],
    ['PS256', 'rsa', 'sha256', 256],
    ['PS384', 'rsa', 'sha384', 256],
    ['PS512', 'rsa', 'sha512', 256],
    ['ES256', 'P-256', 'sha256', 64],
    ['ES384', 'P-384', 'sha384', 96],
    ['ES512', 'P-521', 'sha512', 132],
    ['EdDSA', 'ed25519', null, 64],
  ])('by %s is one that its public key verifies', (alg, name, hash, length) => {
    const { privateKey, publicKey } = pairs[name]
    const token = tokenOf(signJwt({ alg, typ: 'JWT' }, claims, { text: pemOf(privateKey) }))
    const [head = '', body = '', signature = ''] = token.split('.')
    const bytes = Buffer.from(signature, 'base64url')
    // RSASSA-PSS: padding 6, a salt as long as the hash (RFC 7518 §3.5).
    const pss = alg.startsWith('PS') ? { padding: 6, saltLength: Number(alg.slice(2)) / 8 } : {}
    const options = { key: publicKey, dsaEncoding: 'ieee-p1363' as const, ...pss }
    expect(bytes).toHaveLength(length)
    expect(verify(hash, Buffer.from(`${head}.${body}`), options, bytes)).toBe(true)
    expect(JSON.parse(Buffer.from(head, 'base64url').toString())).toEqual({ alg, typ: 'JWT' })
    expect(claimsIn(token)).toEqual(claims)
  })

  it('by a secret takes it as hex, or as text where the template says so', () => {
    const hex = tokenOf(signJwt({ alg: 'HS512' }, claims, { text: '00ff'.repeat(16) }))
    const raw = Buffer.from('00ff'.repeat(16), 'hex').toString('base64url')
    expect(hex).toBe(tokenOf(signJwt({ alg: 'HS512' }, claims, { text: JSON.stringify({ kty: 'oct', k: raw }) })))
    const utf8 = tokenOf(signJwt({ alg: 'HS256' }, claims, { text: 'id||kéy', hmacEncoding: 'utf8' }))
    const bytes = Buffer.from('id||kéy').toString('base64url')
    expect(utf8).toBe(tokenOf(signJwt({ alg: 'HS256' }, claims, { text: JSON.stringify({ kty: 'oct', k: bytes }) })))
  })

  it('is the same however the key is wrapped', () => {
    const { privateKey } = pairs.rsa
    const [whole, old] = [pemOf(privateKey), pemOf(privateKey, 'pkcs1')]
    const der = privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64')
    const spellings = [
      whole,
      old,
      whole.replaceAll('\n', '\\n'),
      whole.replaceAll('\n', '\\r\\n'),
      whole.replaceAll('\n', '\r\n'),
      whole.replaceAll('\n', ' '),
      whole.replaceAll('\n', ''),
      `  "${whole.trim()}"  `,
      old.replaceAll('\n', '\\n'),
      der,
      der.replace(/.{64}/g, '$&\n'),
      Buffer.from(whole).toString('base64'),
      JSON.stringify(privateKey.export({ format: 'jwk' })),
      JSON.stringify({ keys: [privateKey.export({ format: 'jwk' })] }),
      `Bag Attributes\n    friendlyName: x\n${whole}-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n`,
      old.replaceAll('RSA PRIVATE', 'PRIVATE'),
    ]
    const tokens = spellings.map((text) => tokenOf(signJwt({ alg: 'RS256' }, claims, { text })))
    expect(new Set(tokens)).toEqual(new Set([tokens[0]]))
    expect(tokens[0]).toMatch(/^eyJ/)
    const curve = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n'
    for (const text of [pemOf(pairs['P-256'].privateKey, 'sec1'), curve + pemOf(pairs['P-256'].privateKey, 'sec1')])
      expect(tokenOf(signJwt({ alg: 'ES256' }, claims, { text }))).toMatch(/^eyJ/)
  })

  test.each<[string, string, string, RegExp]>([
    ['another kind', 'ES256', pemOf(pairs.rsa.privateKey), /^is an RSA key, and ES256 signs with an EC key on P-256$/],
    ['another curve', 'ES384', pemOf(pairs['P-256'].privateKey), /^is an EC key on prime256v1, and ES384/],
    ['the public half', 'RS256', pairs.rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString(), /public key/],
    ['a certificate', 'RS256', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----', /is a certificate/],
    ['its first line', 'RS256', '-----BEGIN PRIVATE KEY-----', /is cut: its END line is missing/],
    [
      'an encrypted one',
      'RS256',
      '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII=\n-----END ENCRYPTED PRIVATE KEY-----',
      /encrypted/,
    ],
    ['no key', 'RS256', 'hunter2-hunter2', /^cannot be read as a private key/],
    ['no hex', 'HS256', 'not-hex-but-secret', /^must be hex/],
    ['odd hex', 'HS256', 'abc', /^must be hex/],
    ['nothing', 'HS256', '', /^is empty$/],
    ['no algorithm', 'none', 'abcd', /^cannot sign by "none"/],
    ['an inherited one', 'constructor', 'abcd', /^cannot sign by/],
  ])('is refused for %s, in words that do not hold it', (_, alg, text, why) => {
    const said = whyOf(signJwt({ alg }, claims, { text }))
    expect(said).toMatch(why)
    if (text.length > 10) expect(said).not.toContain(text.slice(0, 10))
  })

  it('is by none of the algorithms that sign nothing', () => {
    expect(signingAlgorithms).not.toContain('none')
    expect(signingAlgorithms).toHaveLength(13)
  })
})

describe('the claims of a token', () => {
  it('are found in a JWT and in nothing else', () => {
    expect(claimsIn(`eyJhbGciOiJub25lIn0.${Buffer.from('{"exp":5}').toString('base64url')}.`)).toEqual({ exp: 5 })
    for (const text of ['', 'abc', 'a.b.c', 'eyJ.eyJ', 'eyJ.!.x', `eyJ.${Buffer.from('[1]').toString('base64url')}.x`])
      expect(claimsIn(text)).toBeUndefined()
  })
})
