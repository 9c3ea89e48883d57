import { createECDH, createHash, createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { keepText } from '../home.ts'
import { selfSigned } from './certificate.ts'
import { type Fields, fieldsOf, textOf, textsWithin } from './fields.ts'
import { alternatives, helperCall, pieces } from './fill.ts'
import type { Prompt } from './prompts.ts'

/** What an answer must be to be of use as a key, and for which algorithm. */
export type KeyMaterial = 'rsa' | 'rsa-jwk' | 'p256' | 'p384' | 'ed25519' | 'hex' | 'certificate'

/** The curve or family that a JWS algorithm (RFC 7518 §3.1) signs with. */
function materialOf(algorithm: string | undefined): KeyMaterial {
  if (algorithm === 'ES256') return 'p256'
  if (algorithm === 'ES384') return 'p384'
  return algorithm === 'EdDSA' ? 'ed25519' : 'rsa'
}

const names = (text: unknown): readonly string[] =>
  textsWithin(text).flatMap((one) =>
    pieces(one).flatMap((piece) => ('expression' in piece ? [piece.expression.trim()] : [])),
  )

const isOf = (prompt: Prompt, name: string): boolean => {
  const root = prompt.section === 'assertion_option' ? 'assertionOption' : 'credentials'
  return name === `${root}.${prompt.key}` || name.startsWith(`${root}.${prompt.key}.`)
}

/** The key material that a question asks for, or undefined where any text will do. */
export function keyMaterialOf(template: Fields, prompt: Prompt): KeyMaterial | undefined {
  const signature = fieldsOf(template['signature'])
  const token = fieldsOf(template['token'])
  const assertion = fieldsOf(template['assertion'])
  if (names(token['signing_key']).some((name) => isOf(prompt, name))) {
    // Of several values that make up a secret together, none is hexadecimal by itself.
    if (signature['protocol'] === 'HMAC') {
      const isWhole = pieces(String(token['signing_key'])).length === 1
      return signature['hmac_secret_encoding'] === 'utf8' || !isWhole ? undefined : 'hex'
    }
    return materialOf(textOf(fieldsOf(token['header'])['alg']) ?? (signature['protocol'] === 'EC' ? 'ES256' : 'RS256'))
  }
  if (names(assertion['key']).some((name) => isOf(prompt, name))) {
    return assertion['type'] === 'saml' ? 'rsa' : materialOf(textOf(fieldsOf(assertion['header'])['alg']))
  }
  if (edwardsKeys(template).some((name) => isOf(prompt, name))) return 'ed25519'
  return byName(template, prompt)
}

function byName(template: Fields, prompt: Prompt): KeyMaterial | undefined {
  const looks = `${prompt.pattern ?? ''}\n${prompt.example ?? ''}`
  if (/BEGIN CERTIFICATE/.test(looks)) return 'certificate'
  if (/BEGIN EC PRIVATE KEY/.test(looks)) return 'p256'
  if (/BEGIN (RSA )?PRIVATE KEY/.test(looks)) return 'rsa'
  if (prompt.section !== 'credentials') return undefined
  if (template['auth_mode'] === 'CUSTOM' && prompt.key === 'privateKey') return 'rsa'
  if (prompt.key === 'client_private_key') {
    return template['token_request_auth_method'] === 'private_key_jwt' ? 'rsa-jwk' : 'rsa'
  }
  return prompt.key === 'client_certificate' ? 'certificate' : undefined
}

/** The names that stand where `${ed25519Sign(message, key)}` takes its key. */
function edwardsKeys(template: Fields): readonly string[] {
  return textsWithin(template['proxy']).flatMap((text) =>
    alternatives(text)
      .flatMap(pieces)
      .flatMap((piece) => {
        const call = 'expression' in piece ? helperCall(piece.expression) : undefined
        return call?.name === 'ed25519Sign' ? names(call.inner).slice(-1) : []
      }),
  )
}

const made = new Map<string, string>()

/** An RSA key that stays the same: in the home, else as long as this process lives. */
function rsaKey(seed: string, home: string | undefined): string {
  const known = made.get(seed)
  if (home === undefined && known !== undefined) return known
  const make = (): string =>
    generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    }).privateKey
  if (home !== undefined) {
    return keepText(home, `twin-${createHash('sha256').update(seed).digest('hex').slice(0, 16)}.pem`, make)
  }
  const key = make()
  made.set(seed, key)
  return key
}

/** A private key on a curve whose scalar is derived from the seed, as PKCS #8. */
function curveKey(seed: string, kind: 'p256' | 'p384'): string {
  const [curve, crv, hash] = kind === 'p256' ? ['prime256v1', 'P-256', 'sha256'] : ['secp384r1', 'P-384', 'sha384']
  const ecdh = createECDH(curve)
  const scalar = createHash(hash).update(seed).digest()
  // Below the order of either curve, whatever the hash gave.
  scalar[0] = (scalar[0] ?? 0) & 0x7f
  ecdh.setPrivateKey(scalar)
  const point = ecdh.getPublicKey()
  const half = (point.length - 1) / 2
  const key = createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv,
      d: scalar.toString('base64url'),
      x: point.subarray(1, 1 + half).toString('base64url'),
      y: point.subarray(1 + half).toString('base64url'),
    },
  })
  return key.export({ type: 'pkcs8', format: 'pem' }) as string
}

/** An Ed25519 key whose seed is derived, as PKCS #8 (RFC 8410 §7). */
function edwardsKey(seed: string): string {
  const bytes = Buffer.concat([
    Buffer.from('302e020100300506032b657004220420', 'hex'),
    createHash('sha256').update(seed).digest(),
  ])
  return createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' }).export({
    type: 'pkcs8',
    format: 'pem',
  }) as string
}

/** `owner` is who the key is for: a certificate is for the same key as the private key of that owner. */
export function keyText(material: KeyMaterial, owner: string, home: string | undefined): string {
  switch (material) {
    case 'rsa':
      return rsaKey(owner, home)
    case 'rsa-jwk': {
      const jwk = createPrivateKey(rsaKey(owner, home)).export({ format: 'jwk' })
      const kid = createHash('sha256').update(String(jwk.n)).digest('base64url').slice(0, 16)
      return JSON.stringify({ ...jwk, alg: 'RS256', use: 'sig', kid })
    }
    case 'p256':
    case 'p384':
      return curveKey(`${material}\n${owner}`, material)
    case 'ed25519':
      return edwardsKey(`ed25519\n${owner}`)
    case 'hex':
      return createHash('sha256').update(`hex\n${owner}`).digest('hex')
    case 'certificate':
      return selfSigned(rsaKey(owner, home), owner.split('\n')[0] ?? owner)
  }
}

/** The ways in which people write a key: its older container too, without the last line end, with `\n` spelled out. */
export function writtenPem(text: string): readonly string[] {
  const all = text.includes('PRIVATE KEY') ? [text, ...olderContainer(text)] : [text]
  return all.flatMap((pem) => [pem, pem.trim(), pem.trim().replaceAll('\n', '\\n'), pem.replaceAll('\n', '\\n')])
}

/** PKCS #1 for RSA, SEC 1 for a curve; other keys have none. */
function olderContainer(pem: string): readonly string[] {
  const key = createPrivateKey(pem)
  const type = key.asymmetricKeyType === 'rsa' ? 'pkcs1' : key.asymmetricKeyType === 'ec' ? 'sec1' : undefined
  return type === undefined ? [] : [String(key.export({ type, format: 'pem' }))]
}
