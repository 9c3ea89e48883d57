import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { issue } from '../../../src/sandbox/twin/issue.ts'
import { temporaryHome } from './twin.ts'

const of = (template: Record<string, unknown>, home?: string) => issue({ name: 'acme', template, answers: {}, home })

test('issues a certificate for the private key beside it', () => {
  const { params } = of({
    auth_mode: 'OAUTH2_CC',
    require_client_certificate: true,
    credentials: { client_certificate: {}, client_private_key: {} },
  })
  const certificate = new X509Certificate(params['client_certificate'] ?? '')
  const key = createPrivateKey(params['client_private_key'] ?? '')
  expect(certificate.checkPrivateKey(key)).toBe(true)
  expect(certificate.verify(createPublicKey(key))).toBe(true)
  expect(new Date(certificate.validTo).getUTCFullYear()).toBe(2049)
})

test('issues keys for the algorithm that the template signs with', () => {
  const jwt = (header: object, protocol: string, prompt: object = {}) =>
    of({
      auth_mode: 'JWT',
      signature: { protocol },
      token: { signing_key: '${credentials.key}', header },
      credentials: { key: prompt },
    }).params['key'] ?? ''
  expect(createPrivateKey(jwt({ alg: 'RS256' }, 'RSA')).asymmetricKeyType).toBe('rsa')
  expect(createPrivateKey(jwt({ alg: 'ES256' }, 'EC')).asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' })
  expect(createPrivateKey(jwt({ alg: 'ES384' }, 'EC')).asymmetricKeyDetails).toEqual({ namedCurve: 'secp384r1' })
  expect(jwt({ alg: 'HS256' }, 'HMAC')).toMatch(/^[0-9a-f]{64}$/)
  expect(jwt({ alg: 'HS256' }, 'HMAC', { pattern: '^[A-Za-z0-9]+$' })).toMatch(/^[0-9a-f]{64}$/)
  const older = (alg: string, name: string) => jwt({ alg }, '', { pattern: `^-----BEGIN ${name} PRIVATE KEY-----\\n` })
  expect(createPrivateKey(older('RS256', 'RSA')).asymmetricKeyType).toBe('rsa')
  expect(createPrivateKey(older('ES256', 'EC')).asymmetricKeyType).toBe('ec')
  const spelled = jwt({ alg: 'RS256' }, 'RSA', {
    pattern: '^-----BEGIN PRIVATE KEY-----\\\\n[A-Za-z0-9+/=\\\\n]+-----END PRIVATE KEY-----$',
  })
  expect(spelled).not.toContain('\n')
  expect(createPrivateKey(spelled.replaceAll('\\n', '\n')).asymmetricKeyType).toBe('rsa')
})

test('keeps its RSA keys in the home, and issues the rest the same each time', () => {
  const template = {
    auth_mode: 'OAUTH2_CC',
    token_request_auth_method: 'private_key_jwt',
    credentials: { client_id: { format: 'uuid' }, client_private_key: {}, code: { pattern: '^[A-Z]{3}-\\d{4}$' } },
  }
  const home = temporaryHome()
  const first = of(template, home)
  expect(of(template, home)).toEqual(first)
  expect(of(template, temporaryHome()).params['client_private_key']).not.toBe(first.params['client_private_key'])
  expect(JSON.parse(first.params['client_private_key'] ?? '')).toMatchObject({ kty: 'RSA', kid: expect.any(String) })
  expect(first.params['code']).toMatch(/^[A-Z]{3}-\d{4}$/)
  expect(first.clientId).toBe(first.params['client_id'])
})
