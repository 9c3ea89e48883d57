import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** What a sealed value is for: one kind never passes for another. */
export type SealKind = 'access' | 'refresh' | 'request' | 'proof' | 'temporary' | 'client'

const mac = (key: Buffer, kind: SealKind, text: string): string =>
  createHmac('sha256', key).update(`${kind}\n${text}`).digest('base64url')

/** Compares without telling by its duration where two texts differ. */
export function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(one), digest(other))
}

/** A value that can be read by anyone and made by nobody without the key: `kind_<base64url JSON>.<HMAC-SHA256>`. */
export function seal(key: Buffer, kind: SealKind, value: object): string {
  const text = Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${kind}_${text}.${mac(key, kind, text)}`
}

/** The sealed value, or undefined when it is not of this kind or not sealed under this key. */
export function unseal<Value extends object>(key: Buffer, kind: SealKind, sealed: string): Value | undefined {
  const parts = /^([a-z]+)_([\w-]+)\.([\w-]+)$/.exec(sealed)
  const [, named, text, signature] = parts ?? []
  if (named !== kind || text === undefined || signature === undefined) return undefined
  if (!isSame(signature, mac(key, kind, text))) return undefined
  return JSON.parse(Buffer.from(text, 'base64url').toString()) as Value
}

/** Answers a challenge so that only a sandbox of the same home, at this very port, can have done it. */
export function prove(key: Buffer, port: number, pid: number, challenge: string): string {
  return mac(key, 'proof', `${port}\n${pid}\n${challenge}`)
}
