import { createHash } from 'node:crypto'
import { isSame } from '../../seal.ts'
import { fieldsOf } from '../fields.ts'
import type { Admission, Stage, TwinMode } from '../stage.ts'

const form = /^UsernameToken\s+(.+)$/s

function readToken(text: string): ReadonlyMap<string, string> | undefined {
  const [, list] = form.exec(text.trim()) ?? []
  if (list === undefined) return undefined
  const parts = list.split(',').map((part) => /^\s*(\w+)=(?:"([^"]*)"|([^"\s]+))\s*$/.exec(part))
  return parts.some((part) => part === null)
    ? undefined
    : new Map(parts.map((part) => [part?.[1] ?? '', part?.[2] ?? part?.[3] ?? '']))
}

/** The digest of the hexadecimal kind: base64 of the hex text of SHA-1 over nonce, time and password. */
export function passwordDigest(nonce: string, created: string, password: string): string {
  const hex = createHash('sha1')
    .update(nonce + created + password)
    .digest('hex')
  return Buffer.from(hex).toString('base64')
}

function flawOf(stage: Stage, text: string): string | undefined {
  const { issued, template } = stage.part
  const read = readToken(text)
  if (read === undefined) return 'there is no UsernameToken'
  const missing = ['Username', 'PasswordDigest', 'Nonce', 'Created'].filter((name) => !read.get(name))
  if (missing.length > 0) return `the UsernameToken has no ${missing.join(', ')}`
  const of = (name: string): string => read.get(name) ?? ''
  if (!isSame(of('Username'), issued.params['username'] ?? '')) return 'the Username is another'
  const created = Date.parse(of('Created'))
  if (Number.isNaN(created)) return 'Created is no time'
  const lifetime = Number(fieldsOf(template['token'])['expires_in_ms'] ?? 300_000)
  if (Math.abs(stage.provider.now() - created) > lifetime) return 'Created is too far from now'
  if (!/^[0-9a-f]{32}$/i.test(of('Nonce'))) return 'the Nonce is not 16 bytes in hex'
  const digest = passwordDigest(of('Nonce'), of('Created'), issued.params['password'] ?? '')
  return isSame(digest, of('PasswordDigest')) ? undefined : 'the PasswordDigest is another'
}

function checkToken(stage: Stage, token: string): Admission {
  const flaw = flawOf(stage, token)
  return flaw === undefined ? { family: `self ${stage.part.name}` } : { flaw }
}

/** WSSE: a digest of the password that is good for some minutes. */
export const signature: TwinMode = { checkToken, carrier: 'bearer' }
