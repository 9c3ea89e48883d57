import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it, test } from 'vitest'
import { accept } from '../../src/catalog/rules.ts'

const pem = generateKeyPairSync('rsa', { modulusLength: 4096 })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString()
const literal = '^-----BEGIN PRIVATE KEY-----\\\\n([A-Za-z0-9+/=\\\\n]+)\\\\n-----END PRIVATE KEY-----\\\\n?$'
const real = '^-----BEGIN PRIVATE KEY-----\\s*([A-Za-z0-9+/=\\s]+)\\s*-----END PRIVATE KEY-----$'

const spellings: readonly (readonly [string, string])[] = [
  ['with its lines', pem],
  ['trimmed', pem.trim()],
  ['with the lines of Windows', pem.replaceAll('\n', '\r\n')],
  ['with `\\n` spelled out', pem.replaceAll('\n', '\\n')],
  ['with `\\n` spelled out, trimmed', pem.trim().replaceAll('\n', '\\n')],
]

describe('a key as an answer', () => {
  describe.each([
    ['no pattern', undefined],
    ['a pattern of spelled-out line breaks', literal],
    ['a pattern of real ones', real],
  ])('to a question with %s', (_, pattern) => {
    test.each(spellings)('may be given %s, and is kept so', (__, given) => {
      expect(accept(given, { secret: true, pattern }, '--key')).toEqual({ value: given.trim() })
    })
  })

  it('is held to its pattern all the same', () => {
    const other = pem.replaceAll('PRIVATE', 'RSA PRIVATE')
    for (const pattern of [literal, real])
      expect(accept(other, { secret: true, pattern }, '--key')).toHaveProperty('problem')
  })

  it('may be a JWK, or base64 on several lines, where a secret is asked for', () => {
    const jwk = JSON.stringify({ kty: 'oct', k: 'AAAA' }, null, 2)
    const base64 = pem.replace(/-----.*-----/g, '').trim()
    for (const given of [jwk, base64]) {
      expect(accept(given, { secret: true }, '--key')).toEqual({ value: given })
      expect(accept(given, {}, '--key')).toHaveProperty('problem')
    }
  })

  it('that was pasted into a prompt of one line is known for what it is', () => {
    const judged = accept('-----BEGIN PRIVATE KEY-----', { secret: true, pattern: literal }, '--key')
    expect('problem' in judged ? judged.problem : '').toContain('only the first line of a key')
  })

  it('holds no other control characters than its line breaks, and nothing else holds even these', () => {
    expect(accept(pem.replace('\n', '\n\u001b[31m'), { secret: true }, '--key')).toHaveProperty('problem')
    expect(accept('two\nlines', { secret: true }, '--key')).toHaveProperty('problem')
    expect(accept('x: 1\r\ny: 2', {}, '--header')).toHaveProperty('problem')
  })
})
