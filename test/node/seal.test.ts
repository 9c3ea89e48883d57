import { createHash, webcrypto } from 'node:crypto'
import { expect, it } from 'vitest'
import { freshKey, keyOf, open, type SealedRecord, seal } from '../../src/node/seal.ts'

const bytes = Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex')
const key = keyOf(bytes)
const record = { version: 1, name: 'acme', credential: { accessToken: 'ü-token' } }
const cover = { name: 'acme', line: { name: 'acme', tags: { b: '1', a: '2' } } }
const corrupt = expect.objectContaining({ code: 'STORE_CORRUPT', exitCode: 6 })
const reread = (sealed: object): SealedRecord => JSON.parse(JSON.stringify(sealed))

it('a record that somebody else sealed by the same rules opens', async () => {
  const id = createHash('sha256').update('auth-cli seal key\0').update(bytes).digest('hex').slice(0, 16)
  expect(key.id).toBe(id)
  const nonce = Buffer.from('cafebabefacedbaddecaf888', 'hex')
  const additionalData = Buffer.from(JSON.stringify(['auth-cli', 2, 'connection', id, cover]))
  const { subtle } = webcrypto
  const aes = await subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt'])
  const text = Buffer.from(JSON.stringify(record))
  const data = Buffer.from(
    await subtle.encrypt({ name: 'AES-GCM', iv: nonce, additionalData, tagLength: 128 }, aes, text),
  )
  const sealed = { key: id, nonce: nonce.toString('base64'), data: data.toString('base64') }
  expect(open('connection', { version: 2, ...cover, sealed }, key, 'file')).toEqual(record)
})

it('what is sealed shows its cover and nothing else, never twice the same', () => {
  const [one, other] = [seal('connection', record, cover, key), seal('connection', record, cover, key)]
  expect(JSON.stringify(one)).not.toContain('token')
  expect(one).toMatchObject(cover)
  expect([one.sealed.nonce, one.sealed.data]).not.toEqual([other.sealed.nonce, other.sealed.data])
  expect(open('connection', reread(one), key, 'file')).toEqual(record)
})

it('nothing of it may be changed: no byte, no part of the cover, no kind, no key', () => {
  const whole = reread(seal('connection', record, cover, key))
  const flipped = (text: string, at: number): string => {
    const changed = Buffer.from(text, 'base64')
    changed[at] = (changed[at] ?? 0) ^ 1
    return changed.toString('base64')
  }
  const length = Buffer.from(whole.sealed.data, 'base64').length
  for (let at = 0; at < length; at++) {
    const sealed = { ...whole.sealed, data: flipped(whole.sealed.data, at) }
    expect(() => open('connection', { ...whole, sealed }, key, 'file'), `byte ${at}`).toThrow(corrupt)
  }
  const short = Buffer.from(whole.sealed.data, 'base64').subarray(0, 15).toString('base64')
  const others: readonly SealedRecord[] = [
    { ...whole, sealed: { ...whole.sealed, nonce: flipped(whole.sealed.nonce, 0) } },
    { ...whole, sealed: { ...whole.sealed, nonce: '' } },
    { ...whole, sealed: { ...whole.sealed, data: short } },
    { ...whole, name: 'other' },
    { ...whole, line: { name: 'acme', tags: { b: '1', a: '3' } } },
    { ...whole, more: true },
  ]
  for (const other of others) expect(() => open('connection', other, key, 'file')).toThrow(corrupt)
  expect(() => open('integration', whole, key, 'file')).toThrow(corrupt)
  expect(() => open('connection', whole, freshKey(), 'file')).toThrow(corrupt)
})
