import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import type { Fields } from './fields.ts'
import { keyText } from './keys.ts'

/** The key that all ID tokens of one home are signed with. */
const keyOf = (seal: Buffer): KeyObject =>
  createPrivateKey(keyText('p256', `${seal.toString('hex')}\nid_token`, undefined))

/** RFC 7638, as far as an elliptic key goes. */
function idOf({ crv, kty, x, y }: Readonly<Record<string, unknown>>): string {
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')
}

const publicOf = (key: KeyObject): Readonly<Record<string, unknown>> => ({
  ...createPublicKey(key).export({ format: 'jwk' }),
})

/** The set of keys (RFC 7517 §5) that an ID token of this home can be judged by. */
export function publicKeys(seal: Buffer): Fields {
  const jwk = publicOf(keyOf(seal))
  return { keys: [{ ...jwk, kid: idOf(jwk), alg: 'ES256', use: 'sig' }] }
}

/** The claims as a JWT that is signed by ES256 (RFC 7518 §3.4). */
export function signedToken(seal: Buffer, claims: Fields): string {
  const key = keyOf(seal)
  const part = (value: Fields): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'ES256', typ: 'JWT', kid: idOf(publicOf(key)) })}.${part(claims)}`
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}
