import type { Fields } from '../fields.ts'
import type { Issued } from '../issue.ts'
import type { TwinMode } from '../stage.ts'

/** In what a provider differs from what its template says. */
export interface Accent {
  /** Plays it instead of the mode of its template. */
  readonly mode?: TwinMode
  /** What the client has for a secret: none, or a private key. Absent: a secret like any other. */
  readonly secret?: 'none' | 'key'
  /** A challenge (RFC 7636) may be missing; `hex`: and one that is there is in hexadecimal, or as everywhere. */
  readonly pkce?: 'optional' | 'hex'
  /** What its answers bring, where only certain values will do. */
  readonly brings?: Readonly<Record<string, string>>
  /** The template as the answers complete it. */
  readonly retold?: (template: Fields, issued: Issued) => Fields
}
