import { createHash, generateKeyPairSync, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ed25519Signature, keyFingerprint, wrapped } from '../../src/signing/key.ts'

const ed25519 = generateKeyPairSync('ed25519')
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pemOf = (key: typeof rsa.privateKey): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

describe('a private key', () => {
  it('signs, however its lines were broken', () => {
    const pem = pemOf(ed25519.privateKey)
    for (const spelling of [
      pem,
      pem.replaceAll('\n', '\\n'),
      pem.replaceAll('\n', ' '),
      pem.replaceAll('\n', '\r\n'),
    ]) {
      const signature = Buffer.from(ed25519Signature('täxt', spelling) ?? '', 'base64')
      expect(verify(null, Buffer.from('täxt'), ed25519.publicKey, signature)).toBe(true)
    }
  })

  it('of another kind signs nothing', () => {
    expect(ed25519Signature('text', pemOf(rsa.privateKey))).toBeUndefined()
    expect(ed25519Signature('text', 'no key')).toBeUndefined()
  })

  it('has the fingerprint of its public half', () => {
    const der = rsa.publicKey.export({ type: 'spki', format: 'der' })
    const expected = `SHA256:${createHash('sha256').update(der).digest('base64')}`
    const publicPem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()
    expect([keyFingerprint(pemOf(rsa.privateKey)), keyFingerprint(publicPem)]).toEqual([expected, expected])
    expect(keyFingerprint('no key')).toBeUndefined()
  })

  it('is left as it is where it is no PEM', () => {
    expect(wrapped(' secret ')).toBe('secret')
  })
})
