import { randomBytes } from 'node:crypto'
import type { Mischief } from './faults.ts'
import type { Ledger } from './ledger.ts'
import { seal, unseal } from './seal.ts'

/** An application that the sandbox knows. */
export interface SandboxClient {
  readonly id: string
  /** Absent: a public client, which must use PKCE. */
  readonly secret?: string | undefined
  /** Compared as strings. Absent: any https URL, and any http URL on a loopback host. */
  readonly redirectUris?: readonly string[] | undefined
}

/** What a person gave to a client, and what everything issued from it carries along. */
export interface Grant {
  /** Names the grant; when it dies, all its tokens die. */
  readonly family: string
  readonly client: string
  readonly scopes: readonly string[]
  readonly fault?: string | undefined
}

/** What a token says about itself. Times are seconds since 1970. */
export interface TokenClaims extends Grant {
  readonly id: string
  readonly issued: number
  readonly expires: number
}

/** An authorization code that was handed out and what it is bound to. */
export interface PendingCode {
  readonly grant: Grant
  /** As sent in the authorization request; undefined where it was left to the registration. */
  readonly redirectUri: string | undefined
  readonly challenge: string | undefined
  readonly challengeMethod: 'S256' | 'plain'
  /** What else the authorization request said, where the exchange depends on it. */
  readonly asked?: Readonly<Record<string, string>> | undefined
  readonly expires: number
  used: boolean
}

/** All that one running sandbox knows. */
export interface Provider {
  readonly origin: string
  readonly key: Buffer
  readonly clients: readonly SandboxClient[]
  /** Chosen for every authorization that does not choose another. */
  readonly fault: Mischief | undefined
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly ledger: Ledger
  readonly codes: Map<string, PendingCode>
  /** Grants whose fault has had its one time. */
  readonly teased: Set<string>
}

/** What can be asked for, and how the consent page puts it. */
export const scopesOffered: Readonly<Record<string, string>> = {
  read: 'See your items',
  write: 'Add and change items',
  profile: 'See your name and e-mail address',
  offline_access: 'Stay connected while you are away',
}

/** The person who is always signed in. */
export const person = { id: 'robin', name: 'Robin Sample', email: 'robin@sandbox.example' } as const

const codeLifetime = 60
const accessLifetime = 3600
const refreshLifetime = 90 * 24 * 3600

export const mintId = (): string => randomBytes(16).toString('base64url')

const seconds = (provider: Provider): number => Math.floor(provider.now() / 1000)

export function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)
}

/** Hands out a code that is good once, for a minute (RFC 6749 §4.1.2). */
export function mintCode(provider: Provider, bound: Omit<PendingCode, 'expires' | 'used'>): string {
  const time = seconds(provider)
  for (const [code, pending] of provider.codes) {
    // Kept long past their end, so that a second use of a used code is still noticed.
    if (pending.expires + accessLifetime < time) provider.codes.delete(code)
  }
  const code = randomBytes(24).toString('base64url')
  provider.codes.set(code, { ...bound, expires: time + codeLifetime, used: false })
  return code
}

export function isExpired(provider: Provider, expires: number): boolean {
  return seconds(provider) >= expires
}

/** Signs the tokens of a grant: the answer of RFC 6749 §5.1. `scopes` may be narrower than what the grant holds. */
export function issueTokens(
  provider: Provider,
  grant: Grant,
  options: { readonly scopes?: readonly string[]; readonly lifetime?: number | undefined; readonly renewable: boolean },
): Readonly<Record<string, unknown>> {
  const issued = seconds(provider)
  const lifetime = options.lifetime ?? accessLifetime
  const scopes = options.scopes ?? grant.scopes
  const claims = (expires: number): TokenClaims => ({ ...grant, id: mintId(), issued, expires })
  return {
    access_token: seal(provider.key, 'access', { ...claims(issued + lifetime), scopes }),
    token_type: 'Bearer',
    expires_in: lifetime,
    ...(options.renewable && { refresh_token: seal(provider.key, 'refresh', claims(issued + refreshLifetime)) }),
    scope: scopes.join(' '),
  }
}

/** What a token says, while it is good; undefined once it is expired, revoked, or was never ours. */
export function readToken(provider: Provider, kind: 'access' | 'refresh', token: string): TokenClaims | undefined {
  const claims = unseal<TokenClaims>(provider.key, kind, token)
  if (!claims || isExpired(provider, claims.expires)) return undefined
  if (provider.ledger.has(`family:${claims.family}`) || provider.ledger.has(`revoked:${claims.id}`)) return undefined
  return claims
}

/** Ends a grant: none of its tokens is good any more, in any process of this home. */
export function endFamily(provider: Provider, family: string): void {
  provider.ledger.claim(`family:${family}`)
}

/** True once per grant for a fault that teases only once, always for any other. */
export function isDue(provider: Provider, fault: Mischief, family: string): boolean {
  if (!fault.once) return true
  if (provider.teased.has(family)) return false
  provider.teased.add(family)
  return true
}
