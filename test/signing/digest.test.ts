import { expect, it } from 'vitest'
import { hmacSha1Hex, sha256Base64, sha256Hex } from '../../src/signing/digest.ts'

it('digests UTF-8 (FIPS 180-4, RFC 2202)', () => {
  expect(sha256Hex('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  expect(sha256Base64('')).toBe('47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=')
  expect(sha256Hex('ü')).toBe(sha256Hex(Buffer.from('ü').toString('utf8')))
  expect(hmacSha1Hex('what do ya want for nothing?', 'Jefe')).toBe('effcdf6ae5eb2fa2d27416d5f184df9c259a7c79')
})
