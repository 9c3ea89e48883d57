import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'

/** Base64 of the Ed25519 signature (RFC 8032) of UTF-8 text; undefined where `pem` holds no Ed25519 private key. */
export function ed25519Signature(text: string, pem: string): string | undefined {
  const key = readKey(() => createPrivateKey(wrapped(pem)))
  if (key?.asymmetricKeyType !== 'ed25519') return undefined
  return sign(null, Buffer.from(text, 'utf8'), key).toString('base64')
}

/** `SHA256:` and the base64 of the hash of a key's public half (SPKI, DER); undefined where `pem` holds no key. */
export function keyFingerprint(pem: string): string | undefined {
  const key = readKey(() => createPublicKey(wrapped(pem)))
  if (key === undefined) return undefined
  const der = key.export({ type: 'spki', format: 'der' })
  return `SHA256:${createHash('sha256').update(der).digest('base64')}`
}

function readKey(read: () => KeyObject): KeyObject | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

/**
 * PEM with its lines as they should be: a key that went through an environment variable or a one-line prompt has `\n`
 * spelled out, or blanks where the line breaks were.
 */
export function wrapped(pem: string): string {
  const text = pem.replaceAll('\\n', '\n').trim()
  const [, begin, body = '', end] =
    /^(-----BEGIN [A-Z0-9 ]+-----)([A-Za-z0-9+/=\s]*)(-----END [A-Z0-9 ]+-----)$/.exec(text) ?? []
  if (begin === undefined || end === undefined) return text
  const lines = body.replace(/\s+/g, '').match(/.{1,64}/g) ?? []
  return [begin, ...lines, end, ''].join('\n')
}
