import type { Client, Endpoints } from './integration.ts'
import type { Template, TemplateSource } from './provider.ts'
import { isSecretName } from './secret.ts'

/** What the provider issued. `type` and the members follow the template's `auth_mode`. */
export interface Credential {
  readonly type: string
  readonly accessToken?: string | undefined
  readonly refreshToken?: string | undefined
  readonly idToken?: string | undefined
  readonly tokenType?: string | undefined
  /** ISO 8601; absent when the provider did not say, which means unknown, not never. */
  readonly expiresAt?: string | undefined
  /** ISO 8601: when the provider issued it; the lifetime counts from here. */
  readonly obtainedAt: string
  /** The provider's answer as it came, parsed, nothing dropped. */
  readonly raw?: unknown
  /** Set on a copy whose secrets are masked for showing; never on disk. */
  readonly masked?: true | undefined
}

/** Everything a later command needs, taken when the connection was made, so that it stands on its own. */
export interface Snapshot {
  readonly endpoints: Endpoints & { readonly token: string }
  /** Origins that this connection's secrets may be sent to. */
  readonly origins: readonly string[]
  readonly template: Template
  readonly source: TemplateSource
  /** The provider's name and those that its alias stood for. */
  readonly names?: readonly string[] | undefined
  readonly client: Client
  readonly redirectUri: string
  readonly tokenParams: Readonly<Record<string, string | null>>
  /** Seconds before expiry at which the token counts as stale, where the template says so. */
  readonly refreshMargin?: number | undefined
  /** True where plain http to a host that is not loopback was allowed by flag. */
  readonly allowHttp: boolean
}

export interface ConnectionFailure {
  /** ISO 8601. */
  readonly at: string
  readonly code: string
  readonly message: string
  /** The provider's own words. */
  readonly words?: string | undefined
  readonly flow?: string | undefined
  /** True when the provider refused for good and only connecting again helps. */
  readonly final: boolean
}

/** What you brought home. This is the file on disk, and what `--json` prints with its secrets masked. */
export interface Connection {
  /** Version of this shape. */
  readonly version: 1
  readonly name: string
  readonly provider: string
  readonly integration: string
  readonly mode: string
  readonly params: Readonly<Record<string, string>>
  readonly credential: Credential
  readonly scopes: {
    readonly requested: readonly string[]
    /** Absent from the answer means as requested (RFC 6749 §5.1). */
    readonly granted: readonly string[]
    /** Whether `requested` was somebody's choice rather than the template's defaults. */
    readonly overridden: boolean
  }
  readonly metadata: Readonly<Record<string, unknown>>
  readonly tags: Readonly<Record<string, string>>
  /** ISO 8601, as are the next three. */
  readonly createdAt: string
  readonly updatedAt: string
  readonly refreshedAt: string | null
  readonly lastError: ConnectionFailure | null
  readonly snapshot: Snapshot
}
/**
 * Whether the token should be renewed before it is used: within the template's margin of its expiry, else the smaller of
 * 15 minutes and a fifth of its lifetime; or within `minValidity` seconds. A token of unknown expiry is never stale.
 */
export function isStale(connection: Connection, now: Date, minValidity = 0): boolean {
  const { expiresAt, obtainedAt } = connection.credential
  if (expiresAt === undefined) return false
  const expiry = Date.parse(expiresAt)
  const lifetime = Math.max(0, expiry - Date.parse(obtainedAt)) / 1000
  const margin = connection.snapshot.refreshMargin ?? Math.min(15 * 60, lifetime / 5)
  return expiry - now.getTime() <= Math.max(margin, minValidity) * 1000
}

/** Whether the token is past its expiry, as far as that is known. */
export function isExpired(connection: Connection, now: Date): boolean {
  const { expiresAt } = connection.credential
  return expiresAt !== undefined && Date.parse(expiresAt) <= now.getTime()
}

/** What a list tells of a connection: no secret, and little enough to be kept for a thousand. */
export interface ConnectionLine {
  readonly name: string
  readonly provider: string
  /** The answers that tell one account from another. */
  readonly account: string
  readonly tags: Readonly<Record<string, string>>
  /** ISO 8601. */
  readonly expiresAt?: string | undefined
  readonly isRenewable: boolean
  /** The provider has refused to renew it, for good. */
  readonly isRefused: boolean
}

export function lineOf(connection: Connection): ConnectionLine {
  const { name, provider, tags, credential, lastError } = connection
  return {
    name,
    provider,
    account: accountOf(connection),
    tags,
    ...(credential.expiresAt === undefined ? {} : { expiresAt: credential.expiresAt }),
    isRenewable: credential.refreshToken !== undefined,
    isRefused: lastError?.final === true,
  }
}

/** The answers of a connection without those that are secrets. */
function accountOf({ params, snapshot }: Connection): string {
  const prompts = snapshot.template.connection_config
  return Object.entries(params)
    .filter(([key]) => !isSecretName(key) && prompts?.[key]?.secret !== true)
    .map(([, value]) => value)
    .join(' ')
}
