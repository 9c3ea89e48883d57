import { MachineError } from '../model/errors.ts'
import { crypto } from './crypto.ts'

/** 32 random bytes, and their name: the start of a hash of them, so that another key under its name is noticed. */
export interface SealKey {
  readonly id: string
  readonly bytes: Uint8Array
}

/** What may be read without the key: whose record it is, and what a list tells of it. */
export interface Cover {
  readonly name: string
  readonly [member: string]: unknown
}

/** A record as it lies on disk: its cover, and the whole of it under AES-256-GCM. */
export interface SealedRecord extends Cover {
  readonly version: 2
  readonly sealed: {
    /** `SealKey.id`. */
    readonly key: string
    /** 96 bits, base64; never used twice with a key. */
    readonly nonce: string
    /** Ciphertext and the 128-bit tag behind it, base64. */
    readonly data: string
  }
}

export const keyLength = 32
const nonceLength = 12
const tagLength = 16

export function freshKey(): SealKey {
  return keyOf(crypto().randomBytes(keyLength))
}

export function keyOf(bytes: Uint8Array): SealKey {
  const hash = crypto().createHash('sha256').update('auth-cli seal key\0').update(bytes)
  return { id: hash.digest('hex').slice(0, 16), bytes }
}

/**
 * Seals a record of a `kind` of record. Kind, version, key and cover are authenticated with it, so that a sealed part put
 * into another file, or under a cover that was changed, does not open.
 */
export function seal(kind: string, record: object, cover: Cover, key: SealKey): SealedRecord {
  const nonce = crypto().randomBytes(nonceLength)
  const cipher = crypto().createCipheriv('aes-256-gcm', key.bytes, nonce, { authTagLength: tagLength })
  cipher.setAAD(bound(kind, cover, key.id))
  const data = Buffer.concat([cipher.update(JSON.stringify(record), 'utf8'), cipher.final(), cipher.getAuthTag()])
  const sealed = { key: key.id, nonce: nonce.toString('base64'), data: data.toString('base64') }
  return { version: 2, ...cover, sealed }
}

/** Throws MachineError `STORE_CORRUPT` where anything of it was changed, or belongs to another record. */
export function open(kind: string, record: SealedRecord, key: SealKey, file: string): object {
  const { version: _, sealed, ...cover } = record
  try {
    const data = Buffer.from(sealed.data, 'base64')
    const nonce = Buffer.from(sealed.nonce, 'base64')
    if (nonce.length !== nonceLength || data.length < tagLength) throw new Error('its lengths are not those of a seal')
    const cipher = crypto().createDecipheriv('aes-256-gcm', key.bytes, nonce, { authTagLength: tagLength })
    cipher.setAAD(bound(kind, cover as Cover, key.id))
    cipher.setAuthTag(data.subarray(-tagLength))
    const text = Buffer.concat([cipher.update(data.subarray(0, -tagLength)), cipher.final()]).toString('utf8')
    return JSON.parse(text) as object
  } catch (cause) {
    throw new MachineError(
      'STORE_CORRUPT',
      `${file} cannot be opened: it was changed, or what is sealed in it belongs to another file.`,
      { cause, hint: 'Put back the file as it was, or delete it and make that record again.' },
    )
  }
}

/** The members of a cover keep their order through JSON, so its text is the same when it is read back. */
function bound(kind: string, cover: Cover, key: string): Buffer {
  return Buffer.from(JSON.stringify(['auth-cli', 2, kind, key, cover]), 'utf8')
}
