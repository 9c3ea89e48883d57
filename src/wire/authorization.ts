import { createHash } from 'node:crypto'
import type { Scalar } from '../model/provider.ts'

/** What goes into an authorization request (RFC 6749 §4.1.1), decided. */
export interface AuthorizationRequest {
  readonly endpoint: string
  readonly clientId: string
  readonly redirectUri: string
  /** Joined by the provider's separator already. */
  readonly scope: string
  readonly state: string
  readonly templateParams: Readonly<Record<string, Scalar>>
  /** Absent without PKCE. */
  readonly codeChallenge?: string | undefined
  /** Present where `openid` is asked for (OpenID Connect Core §3.1.2.1). */
  readonly nonce?: string | undefined
  /** The person's: a value adds or overrides, null removes. */
  readonly overrides: Readonly<Record<string, string | null>>
}

/**
 * The URL for the browser. Parameters in a fixed order: `response_type, client_id, redirect_uri, scope, state`, the
 * template's, `code_challenge, code_challenge_method`, `nonce`, the person's. One of the same name keeps its first place
 * and takes the last value. The endpoint's own query is kept byte for byte in front, less the names that we set.
 * Values are form-encoded (space is `+`).
 */
export function authorizationUrl(request: AuthorizationRequest): URL {
  const params = new Map<string, string>()
  const set = (name: string, value: Scalar | undefined): void => {
    if (value !== undefined) params.set(name, String(value))
  }
  set('response_type', 'code')
  set('client_id', request.clientId)
  set('redirect_uri', request.redirectUri)
  set('scope', request.scope)
  set('state', request.state)
  for (const [name, value] of Object.entries(request.templateParams)) set(name, value)
  set('code_challenge', request.codeChallenge)
  set('code_challenge_method', request.codeChallenge === undefined ? undefined : 'S256')
  set('nonce', request.nonce)
  for (const [name, value] of Object.entries(request.overrides)) {
    if (value === null) params.delete(name)
    else set(name, value)
  }
  const url = new URL(request.endpoint)
  const removed = new Set(Object.keys(request.overrides))
  const kept = url.search
    .slice(1)
    .split('&')
    .filter((pair) => pair !== '' && !params.has(nameOf(pair)) && !removed.has(nameOf(pair)))
  url.search = [...kept, new URLSearchParams([...params]).toString()].filter((part) => part !== '').join('&')
  return url
}

function nameOf(pair: string): string {
  return new URLSearchParams(pair).keys().next().value ?? ''
}

/** 43 characters of base64url from 32 random bytes: a state of 256 bits, or a `code_verifier` (RFC 7636 §4.1). */
export function unguessable(random: (bytes: number) => Uint8Array): string {
  return Buffer.from(random(32)).toString('base64url')
}

/** A random UUID (RFC 9562 §5.4), lower case. */
export function randomUuid(random: (bytes: number) => Uint8Array): string {
  const bytes = Buffer.from(random(16))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** `code_challenge` for `S256` (RFC 7636 §4.2). */
export function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier, 'ascii').digest('base64url')
}
