import { createHash } from 'node:crypto'
import { diceOf } from './pattern.ts'
import type { Role } from './roles.ts'

export const hash = (text: string): Buffer => createHash('sha256').update(text).digest()

/** A made-up word that says what it stands for, the same one each time: `subdomain-3f2a`. */
export const wordFor = (name: string, key: string): string => {
  const slug = key.replace(/([a-z])([A-Z])/g, '$1-$2').replace(/[^A-Za-z0-9]+/g, '-')
  const stem = slug.toLowerCase().replace(/^-+|-+$/g, '')
  return `${stem || 'value'}-${hash(`${name}\n${key}`).toString('hex').slice(0, 6)}`
}

/** Seven digits, the same ones each time. */
export const numberFor = (name: string, key: string): string =>
  String(1_000_000 + (hash(`${name}\n${key}`).readUInt32BE(0) % 9_000_000))

export const hostFor = (name: string, key: string): string => `${wordFor(name, key)}.example`

/** A version 4 UUID, the same one each time. */
export function uuidFor(seed: string): string {
  const digits = hash(seed).toString('hex')
  const variant = '89ab'[diceOf(seed).roll(4)]
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `4${digits.slice(13, 16)}`,
    `${variant}${digits.slice(17, 20)}`,
    digits.slice(20, 32),
  ].join('-')
}

/** What a callback, an answer or a look-up brings under a key, fit for the place where the template puts it. */
export function broughtValue(key: string, name: string, role: Role): string {
  if (role === 'url' || (role === 'elsewhere' && /ur[li]$/i.test(key))) return `https://${hostFor(name, key)}`
  if (role === 'host') return hostFor(name, key)
  if (key === 'installation_id') return numberFor(name, key)
  // Looks like what it is called, and is signed by nobody.
  if (key === 'id_token') {
    const half = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    return `${half({ alg: 'HS256', typ: 'JWT' })}.${half({ sub: 'robin' })}.${hash(name).toString('base64url')}`
  }
  return wordFor(name, key)
}
