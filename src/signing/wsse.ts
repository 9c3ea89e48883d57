import { createHash } from 'node:crypto'

/** What a WSSE token is made of. */
export interface WsseClaim {
  readonly username: string
  readonly password: string
  /** Hex. */
  readonly nonce: string
  /** ISO 8601. */
  readonly created: string
}

/**
 * The value of an `X-WSSE` header: a UsernameToken whose digest is the base64 of the hex SHA-1 of nonce, instant and
 * password, as the providers compute it that take it in a header.
 */
export function wsseToken({ username, password, nonce, created }: WsseClaim): string {
  const hex = createHash('sha1').update(`${nonce}${created}${password}`, 'utf8').digest('hex')
  const digest = Buffer.from(hex, 'ascii').toString('base64')
  return `UsernameToken Username="${username}", PasswordDigest="${digest}", Nonce="${nonce}", Created="${created}"`
}
