import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'

/** Base64 of the Ed25519 signature (RFC 8032) of UTF-8 text; undefined where `key` is no Ed25519 private key. */
export function ed25519Signature(text: string, key: string): string | undefined {
  const read = privateKeyIn(key)
  if (read?.asymmetricKeyType !== 'ed25519') return undefined
  return sign(null, Buffer.from(text, 'utf8'), read).toString('base64')
}

/** `SHA256:` and the base64 of the hash of a key's public half (SPKI, DER); undefined where there is no key in `key`. */
export function keyFingerprint(key: string): string | undefined {
  const whole = privateKeyIn(key)
  const read = whole === undefined ? attempted(() => createPublicKey(wrapped(key))) : createPublicKey(whole)
  if (read === undefined) return undefined
  const der = read.export({ type: 'spki', format: 'der' })
  return `SHA256:${createHash('sha256').update(der).digest('base64')}`
}

/**
 * The private key in a text, however it is written: PEM (PKCS#8, PKCS#1, SEC 1) with its lines, with `\n` spelled out or
 * on one line; its base64 alone; PEM that is base64 once more; a JWK (RFC 7517 §4). Undefined where there is none, or it
 * is encrypted.
 */
export function privateKeyIn(text: string): KeyObject | undefined {
  const plain = text.replace(/^\uFEFF/, '').trim()
  if (plain.startsWith('{')) return jwkIn(plain)
  if (plain.includes('-----BEGIN')) return pemIn(plain)
  const base64 = plain.replaceAll('\\n', '').replace(/\s+/g, '')
  if (!/^[A-Za-z0-9+/_-]{40,}={0,2}$/.test(base64)) return undefined
  const bytes = Buffer.from(base64, 'base64')
  const inner = bytes.toString('latin1')
  return inner.includes('-----BEGIN') ? pemIn(inner) : derIn(bytes)
}

/** Some have another label than their content deserves. */
function pemIn(text: string): KeyObject | undefined {
  const pem = wrapped(text)
  return attempted(() => createPrivateKey(pem)) ?? derIn(Buffer.from(pem.replace(/^-----.*$/gm, ''), 'base64'))
}

function derIn(bytes: Buffer): KeyObject | undefined {
  return (['pkcs8', 'pkcs1', 'sec1'] as const)
    .map((type) => attempted(() => createPrivateKey({ key: bytes, format: 'der', type })))
    .find((key) => key !== undefined)
}

/** What is wrong with a text that should hold a private key, as the end of a sentence; the key never stands in it. */
export function flawOfKey(text: string): string {
  const plain = text.trim()
  if (/-----BEGIN ENCRYPTED |Proc-Type: *4,ENCRYPTED/.test(plain)) return 'is encrypted: decrypt it first'
  if (/-----BEGIN (RSA |EC )?PUBLIC KEY-----/.test(plain)) return 'is a public key, and only the private one signs'
  if (/-----BEGIN CERTIFICATE-----/.test(plain)) return 'is a certificate, and not its private key'
  if (/-----BEGIN OPENSSH /.test(plain))
    return 'is in the format of OpenSSH: convert it (ssh-keygen -p -m PEM -f <file>)'
  if (plain.includes('-----BEGIN') && !plain.includes('-----END')) return 'is cut: its END line is missing'
  return 'cannot be read as a private key (PEM, its base64, or a JWK)'
}

function jwkIn(text: string): KeyObject | undefined {
  return attempted(() => {
    const value = JSON.parse(text) as { readonly keys?: readonly unknown[]; readonly d?: unknown }
    const key = Array.isArray(value.keys) && value.keys.length === 1 ? value.keys[0] : value
    return createPrivateKey({ key: key as never, format: 'jwk' })
  })
}

function attempted(read: () => KeyObject): KeyObject | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** A private key among other things (its certificate, its curve), else whatever there is. */
const blocks = [
  /(-----BEGIN (?:[A-Z0-9]+ )?PRIVATE KEY-----)([A-Za-z0-9+/=\s]*)(-----END [A-Z0-9 ]+-----)/,
  /(-----BEGIN [A-Z0-9 ]+-----)([A-Za-z0-9+/=\s]*)(-----END [A-Z0-9 ]+-----)/,
]

/**
 * PEM with its lines as they should be: a key that went through an environment variable or a one-line prompt has `\n`
 * spelled out, or blanks where the line breaks were.
 */
export function wrapped(pem: string): string {
  const text = pem
    .replace(/^\uFEFF/, '')
    .replaceAll('\\r', '')
    .replaceAll('\\n', '\n')
    .trim()
  const [, begin, body = '', end] = blocks.map((block) => block.exec(text) ?? []).find(({ length }) => length > 0) ?? []
  if (begin === undefined || end === undefined) return text
  const lines = body.replace(/\s+/g, '').match(/.{1,64}/g) ?? []
  return [begin, ...lines, end, ''].join('\n')
}
