import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { wrapped } from './key.ts'

/** What signs: a private key as PEM, in any wrapping. */
export interface SigningKey {
  readonly text: string
}

/** A token, or why it cannot be signed, as the end of a sentence whose subject is the key; the key never stands in it. */
export type Signed = { readonly token: string } | { readonly why: string }

/** A JWT in compact form (RFC 7515 §7.1), signed by RS256 (RFC 7518 §3.3). */
export function signJwt(
  header: Readonly<Record<string, unknown>> & { readonly alg: string },
  payload: Readonly<Record<string, unknown>>,
  key: SigningKey,
): Signed {
  if (header.alg !== 'RS256') return { why: `cannot sign by "${header.alg}"` }
  const found = rsaKeyIn(key.text)
  if (found === undefined) return { why: 'is no RSA private key in PEM' }
  const input = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return { token: `${input}.${sign('sha256', Buffer.from(input, 'ascii'), found).toString('base64url')}` }
}

function rsaKeyIn(text: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(wrapped(text))
    return key.asymmetricKeyType === 'rsa' ? key : undefined
  } catch {
    return undefined
  }
}
