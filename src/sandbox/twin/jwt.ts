import { constants, createHmac, createPrivateKey, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { isSame } from '../seal.ts'
import { type Fields, parsedFields } from './fields.ts'
import { unescapedPem } from './fill.ts'

/** A JWS in compact form (RFC 7515 §7.1), taken apart and not yet believed. */
export interface Jwt {
  readonly header: Fields
  readonly claims: Fields
  readonly signed: string
  readonly signature: Buffer
}

export function readJwt(text: string): Jwt | undefined {
  const [, head, body, tail] = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(text) ?? []
  if (head === undefined || body === undefined || tail === undefined) return undefined
  const header = parsedFields(Buffer.from(head, 'base64url').toString())
  const claims = parsedFields(Buffer.from(body, 'base64url').toString())
  return header && claims
    ? { header, claims, signed: `${head}.${body}`, signature: Buffer.from(tail, 'base64url') }
    : undefined
}

/** The public half of a private key: PEM, its line ends perhaps spelled `\n`, or a JWK as JSON. */
export function publicHalf(key: string): KeyObject | undefined {
  try {
    const jwk = parsedFields(key)
    return createPublicKey(
      jwk ? createPrivateKey({ format: 'jwk', key: { ...jwk } }) : createPrivateKey(unescapedPem(key)),
    )
  } catch {
    return undefined
  }
}

const curves: Readonly<Record<string, string>> = { ES256: 'prime256v1', ES384: 'secp384r1', ES512: 'secp521r1' }

/**
 * Whether the signature was made with this key and algorithm (RFC 7518 §3). `key`: a private key whose public half
 * judges, or for HS* the secret itself.
 */
export function isSigned(jwt: Jwt, algorithm: string, key: string | Buffer): boolean {
  const [, family, bits] = /^(HS|RS|PS|ES)(256|384|512)$/.exec(algorithm) ?? []
  if (family === undefined) return algorithm === 'EdDSA' && isSignedPlainly(jwt, key)
  const hash = `sha${bits}`
  if (family === 'HS') {
    const mac = createHmac(hash, key).update(jwt.signed).digest('base64url')
    return isSame(mac, jwt.signature.toString('base64url'))
  }
  const half = publicHalf(String(key))
  const kind = half?.asymmetricKeyType
  if (half === undefined || kind !== (family === 'ES' ? 'ec' : 'rsa')) return false
  if (family === 'ES' && half.asymmetricKeyDetails?.namedCurve !== curves[algorithm]) return false
  const how =
    family === 'ES'
      ? ({ key: half, dsaEncoding: 'ieee-p1363' } as const)
      : family === 'PS'
        ? { key: half, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
        : { key: half, padding: constants.RSA_PKCS1_PADDING }
  return verify(hash, Buffer.from(jwt.signed), how, jwt.signature)
}

function isSignedPlainly(jwt: Jwt, key: string | Buffer): boolean {
  const half = publicHalf(String(key))
  return half?.asymmetricKeyType === 'ed25519' && verify(null, Buffer.from(jwt.signed), half, jwt.signature)
}
