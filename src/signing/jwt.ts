import { constants, createHmac, type KeyObject, sign } from 'node:crypto'
import { flawOfKey, privateKeyIn } from './key.ts'

/** What signs: a private key in any wrapping, or the secret of an HMAC (RFC 7518 §3.2), hex unless `utf8`. */
export interface SigningKey {
  readonly text: string
  readonly hmacEncoding?: 'hex' | 'utf8' | undefined
}

/** A token, or why it cannot be signed, as the end of a sentence whose subject is the key; the key never stands in it. */
export type Signed = { readonly token: string } | { readonly why: string }

interface Algorithm {
  readonly hash: 'sha256' | 'sha384' | 'sha512' | null
  /** As node:crypto names them; `hmac` has none. */
  readonly keys: readonly string[] | 'hmac'
  /** Of an EC key, as OpenSSL names it. */
  readonly curve?: string
  readonly isPss?: true
  readonly words: string
}

const rsa = (hash: 'sha256' | 'sha384' | 'sha512'): Algorithm => ({ hash, keys: ['rsa'], words: 'an RSA key' })
const pss = (hash: 'sha256' | 'sha384' | 'sha512'): Algorithm => ({
  hash,
  keys: ['rsa', 'rsa-pss'],
  isPss: true,
  words: 'an RSA key',
})
const ec = (hash: 'sha256' | 'sha384' | 'sha512', curve: string, name: string): Algorithm => ({
  hash,
  keys: ['ec'],
  curve,
  words: `an EC key on ${name}`,
})
const hmac = (hash: 'sha256' | 'sha384' | 'sha512'): Algorithm => ({ hash, keys: 'hmac', words: 'a secret' })

/** RFC 7518 §3.1, RFC 8037 §3.1. `none` is not among them. */
const algorithms: Readonly<Record<string, Algorithm>> = {
  RS256: rsa('sha256'),
  RS384: rsa('sha384'),
  RS512: rsa('sha512'),
  PS256: pss('sha256'),
  PS384: pss('sha384'),
  PS512: pss('sha512'),
  ES256: ec('sha256', 'prime256v1', 'P-256'),
  ES384: ec('sha384', 'secp384r1', 'P-384'),
  ES512: ec('sha512', 'secp521r1', 'P-521'),
  EdDSA: { hash: null, keys: ['ed25519', 'ed448'], words: 'an Ed25519 or Ed448 key' },
  HS256: hmac('sha256'),
  HS384: hmac('sha384'),
  HS512: hmac('sha512'),
}

/** The names of the algorithms that can sign. */
export const signingAlgorithms: readonly string[] = Object.keys(algorithms)

/** A JWT in compact form (RFC 7515 §7.1), signed as the header's `alg` says. */
export function signJwt(
  header: Readonly<Record<string, unknown>> & { readonly alg: string },
  payload: Readonly<Record<string, unknown>>,
  key: SigningKey,
): Signed {
  return signCompact(JSON.stringify(header), JSON.stringify(payload), header.alg, key)
}

/** The same over header and payload as they are, byte for byte. */
export function signCompact(header: string, payload: string, alg: string, key: SigningKey): Signed {
  const algorithm = Object.hasOwn(algorithms, alg) ? algorithms[alg] : undefined
  if (algorithm === undefined)
    return { why: `cannot sign by "${alg}", which is none of ${signingAlgorithms.join(', ')}` }
  const input = `${base64url(header)}.${base64url(payload)}`
  const signed = algorithm.keys === 'hmac' ? mac(input, algorithm, key) : signature(input, alg, algorithm, key.text)
  return 'why' in signed ? signed : { token: `${input}.${signed.bytes.toString('base64url')}` }
}

type Bytes = { readonly bytes: Buffer } | { readonly why: string }

function mac(input: string, { hash }: Algorithm, { text, hmacEncoding = 'hex' }: SigningKey): Bytes {
  if (text === '') return { why: 'is empty' }
  const symmetric = symmetricIn(text)
  if (symmetric !== undefined)
    return {
      bytes: createHmac(hash ?? 'sha256', symmetric)
        .update(input, 'ascii')
        .digest(),
    }
  if (hmacEncoding === 'hex' && !/^(?:[0-9a-f]{2})+$/i.test(text))
    return { why: 'must be hex: digits and a to f, two for each byte' }
  const secret = Buffer.from(text, hmacEncoding)
  return {
    bytes: createHmac(hash ?? 'sha256', secret)
      .update(input, 'ascii')
      .digest(),
  }
}

/** The bytes of a symmetric JWK (RFC 7518 §6.4); undefined where the text is none. */
function symmetricIn(text: string): Buffer | undefined {
  if (!text.trim().startsWith('{')) return undefined
  try {
    const { kty, k } = JSON.parse(text) as { readonly kty?: unknown; readonly k?: unknown }
    return kty === 'oct' && typeof k === 'string' && k !== '' ? Buffer.from(k, 'base64url') : undefined
  } catch {
    return undefined
  }
}

function signature(input: string, alg: string, algorithm: Algorithm, text: string): Bytes {
  const key = privateKeyIn(text)
  if (key === undefined) return { why: flawOfKey(text) }
  if (!fits(key, algorithm)) return { why: `is ${wordsFor(key)}, and ${alg} signs with ${algorithm.words}` }
  const padding = algorithm.isPss
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : {}
  try {
    // RFC 7518 §3.4: R and S side by side, and no DER.
    return { bytes: sign(algorithm.hash, Buffer.from(input, 'ascii'), { key, dsaEncoding: 'ieee-p1363', ...padding }) }
  } catch {
    return { why: `cannot sign by ${alg}: it may be too short` }
  }
}

function fits(key: KeyObject, { keys, curve }: Algorithm): boolean {
  const isKind = keys !== 'hmac' && keys.includes(key.asymmetricKeyType ?? '')
  return isKind && (curve === undefined || key.asymmetricKeyDetails?.namedCurve === curve)
}

function wordsFor({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string {
  if (type === 'ec') return `an EC key on ${details?.namedCurve ?? 'some curve'}`
  if (type === 'rsa') return 'an RSA key'
  return `a key of the type ${type ?? 'unknown'}`
}

function base64url(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url')
}

/** The claims of a JWT, unverified; undefined where the text is none. */
export function claimsIn(token: string): Readonly<Record<string, unknown>> | undefined {
  const [header, payload, , more] = token.split('.')
  if (header === undefined || payload === undefined || more !== undefined || !token.startsWith('eyJ')) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims)
      ? (claims as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
