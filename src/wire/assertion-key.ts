import { createPrivateKey, type JsonWebKey, type KeyObject, webcrypto } from 'node:crypto'
import { UsageError } from '../model/errors.ts'

/** A private key that client assertions are signed with (RFC 7523), and the name that the provider knows it by. */
export interface AssertionKey {
  readonly key: webcrypto.CryptoKey
  readonly kid?: string
}

/**
 * Reads a private key: PEM in any wrapping (PKCS #8, PKCS #1, SEC 1) or a JWK, which may say its `alg` and `kid`. Without
 * `alg` an RSA key signs RS256 and an EC key by its curve. Throws UsageError `BAD_KEY`, which quotes nothing of it.
 */
export async function assertionKey(text: string): Promise<AssertionKey> {
  const jwk = jwkIn(text)
  const key = read(jwk, text)
  const alg = algorithmOf(key, jwk?.['alg'])
  const kid = jwk?.['kid']
  const der = key.export({ type: 'pkcs8', format: 'der' })
  return {
    key: await webcrypto.subtle.importKey('pkcs8', der, alg, false, ['sign']),
    ...(typeof kid === 'string' && kid !== '' ? { kid } : {}),
  }
}

type Jwk = Readonly<Record<string, unknown>>

function jwkIn(text: string): Jwk | undefined {
  if (!text.trim().startsWith('{')) return undefined
  try {
    const value = JSON.parse(text) as Jwk & { readonly keys?: unknown }
    // A set that holds one key is that key.
    return Array.isArray(value.keys) && value.keys.length === 1 ? (value.keys[0] as Jwk) : value
  } catch {
    throw badKey('it begins like a JWK and is no JSON')
  }
}

function read(jwk: Jwk | undefined, text: string): KeyObject {
  try {
    return jwk === undefined
      ? createPrivateKey(rewrapped(text))
      : createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' })
  } catch {
    throw badKey(
      jwk !== undefined && jwk['d'] === undefined ? 'it is a public key' : 'it cannot be read as PEM or as a JWK',
    )
  }
}

/** PEM whose line breaks went through an environment variable or a one-line prompt. */
function rewrapped(pem: string): string {
  const [, begin, body = '', end] =
    /^(-----BEGIN [A-Z0-9 ]+-----)([A-Za-z0-9+/=\s]*)(-----END [A-Z0-9 ]+-----)$/.exec(
      pem.replaceAll('\\r', '').replaceAll('\\n', '\n').trim(),
    ) ?? []
  if (begin === undefined) return pem
  return [begin, ...(body.replace(/\s+/g, '').match(/.{1,64}/g) ?? []), end, ''].join('\n')
}

type Algorithm = webcrypto.RsaHashedImportParams | webcrypto.EcKeyImportParams | webcrypto.Algorithm

const hashes: Readonly<Record<string, string>> = { '256': 'SHA-256', '384': 'SHA-384', '512': 'SHA-512' }
const curves: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' }

function algorithmOf(key: KeyObject, asked: unknown): Algorithm {
  const type = key.asymmetricKeyType ?? ''
  const [, family = '', size = ''] = /^(RS|PS|ES)(256|384|512)$/.exec(typeof asked === 'string' ? asked : '') ?? []
  if (type === 'rsa' || type === 'rsa-pss') {
    if (family === 'ES') throw badKey('it is an RSA key, and its alg is not for one')
    const name = family === 'PS' || type === 'rsa-pss' ? 'RSA-PSS' : 'RSASSA-PKCS1-v1_5'
    return { name, hash: hashes[size] ?? 'SHA-256' }
  }
  if (type === 'ec') {
    const namedCurve = curves[key.asymmetricKeyDetails?.namedCurve ?? '']
    if (namedCurve !== undefined) return { name: 'ECDSA', namedCurve }
  }
  if (type === 'ed25519') return { name: 'Ed25519' }
  throw badKey('only RSA, P-256, P-384, P-521 and Ed25519 keys sign assertions')
}

function badKey(why: string): UsageError {
  return new UsageError('BAD_KEY', `The client's private key will not do: ${why}.`, {
    hint: 'Give the private key as PEM or as a JWK: file:PATH, env:NAME, or - for stdin.',
  })
}
