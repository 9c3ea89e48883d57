import type { Client, Endpoints } from './integration.ts'
import type { Template, TemplateSource } from './provider.ts'
import { isSecretName } from './secret.ts'

/** What the provider issued, or gave to the person to keep. `type` and the members follow the template's `auth_mode`. */
export interface Credential {
  readonly type: string
  /** Of `API_KEY`. */
  readonly apiKey?: string | undefined
  /** Of `BASIC`; either may be empty. */
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** What the person gave where another mode asks for more than these, by the template's own names. */
  readonly given?: Readonly<Record<string, string>> | undefined
  /** What came beside a token and is needed to use it: a session's cookies, a temporary key; by the provider's names. */
  readonly captured?: Readonly<Record<string, string>> | undefined
  /** The token that calls carry, whatever the mode: issued, or signed by us. */
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
  readonly endpoints: Endpoints
  /** Origins that this connection's secrets may be sent to. */
  readonly origins: readonly string[]
  readonly template: Template
  readonly source: TemplateSource
  /** The provider's name and those that its alias stood for. */
  readonly names?: readonly string[] | undefined
  readonly client: Client
  /** Absent where no browser was sent anywhere. */
  readonly redirectUri?: string | undefined
  /** How it is renewed where there is no refresh token: `again`, by obtaining it once more from what was given. */
  readonly renewal?: 'again' | undefined
  /** True where the far end was a twin in the sandbox: nothing of it goes to the real provider. */
  readonly twin?: true | undefined
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

/** Milliseconds by which clocks of one home may differ: it may lie on a disk that several machines share. */
const clockSlack = 60_000

/**
 * Whether the token should be renewed before it is used: within the template's margin of its expiry, else the smaller of
 * 15 minutes and a fifth of its lifetime; within `minValidity` seconds; or where it comes from the future, for then a
 * clock was wrong and its expiry says nothing. A token of unknown expiry is never stale.
 */
export function isStale(connection: Connection, now: Date, minValidity = 0): boolean {
  const { expiresAt, obtainedAt } = connection.credential
  if (expiresAt === undefined) return false
  if (Date.parse(obtainedAt) > now.getTime() + clockSlack) return true
  const expiry = Date.parse(expiresAt)
  const lifetime = Math.max(0, expiry - Date.parse(obtainedAt)) / 1000
  const margin = connection.snapshot.refreshMargin ?? Math.min(15 * 60, lifetime / 5)
  return expiry - now.getTime() <= Math.max(margin, minValidity) * 1000
}

/** Whether a younger credential can be had without the person. */
export function isRenewable({ credential, snapshot }: Connection): boolean {
  return credential.refreshToken !== undefined || snapshot.renewal === 'again'
}

/** What the person gave, by the template's own names, wherever its mode keeps it. */
export function givenOf({ apiKey, username, password, given }: Credential): Readonly<Record<string, string>> {
  const flat = { apiKey, username, password }
  const kept = Object.entries(flat).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return { ...given, ...Object.fromEntries(kept) }
}

/** Whether what the person gave under this name must not be shown: the template says so, or the name does. */
export function isSecretAnswer({ snapshot }: Connection, name: string): boolean {
  const { template } = snapshot
  const prompt = template.integration_config?.[name] ?? template.credentials?.[name]
  return prompt?.secret ?? isSecretName(name)
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
  /** False where there is no token that could expire: a key, a password. */
  readonly hasToken?: boolean | undefined
  readonly isRenewable: boolean
  /** Made with a twin in the sandbox. */
  readonly isTwin?: true | undefined
  /** The provider has refused to renew it, for good. */
  readonly isRefused: boolean
  /** Its tokens were given back from here. */
  readonly isRevoked?: true | undefined
}

export function lineOf(connection: Connection): ConnectionLine {
  const { name, provider, tags, credential, lastError } = connection
  return {
    name,
    provider,
    account: accountOf(connection),
    tags,
    ...(credential.expiresAt === undefined ? {} : { expiresAt: credential.expiresAt }),
    hasToken: credential.accessToken !== undefined,
    isRenewable: isRenewable(connection),
    ...(connection.snapshot.twin === true ? { isTwin: true as const } : {}),
    isRefused: lastError?.final === true,
    ...(lastError?.code === 'REVOKED' ? { isRevoked: true as const } : {}),
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
