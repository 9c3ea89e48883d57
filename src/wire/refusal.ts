import { ProviderError } from '../model/errors.ts'
import type { ClientAuthentication } from '../model/integration.ts'

/** Who spoke to whom, for explaining a refusal. */
export interface Party {
  /** The provider's title. */
  readonly title: string
  readonly clientId: string
  readonly clientSecret?: string | undefined
  readonly authentication: ClientAuthentication
  readonly redirectUri: string
  readonly registerUrl?: string | undefined
  /** True where the client registered itself. */
  readonly isRegistered?: boolean | undefined
  /** True where the client stands for itself: no person, no code, no redirect URL (RFC 6749 §4.4). */
  readonly isAlone?: boolean | undefined
  /** The answers that chose the host, e.g. `subdomain acme`. */
  readonly answers: readonly string[]
}

/** Characters of a provider's own words that are quoted; the log has more of them. */
const longestWords = 4096

export type Stage = 'authorization' | 'token' | 'refresh'

/** What a provider said no with (RFC 6749 §4.1.2.1, §5.2). */
export interface Refusal {
  readonly error: string
  readonly description?: string | undefined
  readonly uri?: string | undefined
  readonly status?: number | undefined
  readonly retryAfter?: string | undefined
}

/** A refusal as an error whose code is the provider's, upper-cased, with a hint that says who must change what. */
export function refused(refusal: Refusal, stage: Stage, party: Party): ProviderError {
  const all = [refusal.description, refusal.uri].filter((text) => text !== undefined && text !== '').join(' ')
  const words = all.length > longestWords ? `${all.slice(0, longestWords)}… (${all.length} characters)` : all
  const what = { authorization: 'authorization', token: 'token request', refresh: 'refresh' }[stage]
  return new ProviderError(
    refusal.error
      .toUpperCase()
      .replace(/[^A-Z0-9]+/g, '_')
      .replace(/^_|_$/g, '')
      .slice(0, 60) || 'REFUSED',
    `${party.title} refused the ${what}: ${refusal.error}`,
    {
      status: refusal.status,
      words: words === '' ? undefined : words,
      hint: hintFor(refusal, stage, party),
      facts: stage === 'authorization' ? [] : [['What was sent', authenticationInWords(party)]],
    },
  )
}

export function authenticationInWords(party: Pick<Party, 'clientId' | 'authentication'>): string {
  const how: Record<ClientAuthentication, string> = {
    post: 'client secret in the body (client_secret_post)',
    basic: 'client secret in a Basic header, form-encoded (client_secret_basic)',
    'basic-raw': 'client secret in a Basic header, not encoded (basic-raw)',
    'basic+post': 'client secret in a Basic header and in the body',
    custom: 'client id and secret in the body, as username and password',
    signature: 'each request signed with the client secret',
    private_key_jwt: 'an assertion signed with the private key (private_key_jwt)',
    none: 'no client secret (a public client)',
  }
  return `client_id ${party.clientId}, ${how[party.authentication]}`
}

function hintFor(refusal: Refusal, stage: Stage, party: Party): string {
  const retry = refusal.retryAfter === undefined ? '' : ` The provider asks to wait: Retry-After ${refusal.retryAfter}.`
  const said = `${refusal.error} ${refusal.description ?? ''}`.toLowerCase()
  if (/redirect.?ur[il]/.test(said)) return redirectHint(party)
  switch (refusal.error.toLowerCase()) {
    case 'access_denied':
      return party.isAlone === true
        ? `The provider does not let this client have this: its app may lack a permission.${registerAt(party)}`
        : `Nothing was saved. Connect again and approve, or ask for fewer scopes with --scope.`
    case 'invalid_client':
      return clientHint(party)
    case 'invalid_grant':
      if (party.isAlone === true) return 'What was given is not accepted: compare what was sent, in the log.'
      return stage === 'refresh'
        ? 'The refresh token is no longer good: it was used, revoked or has expired. Connect again.'
        : `The code was refused: it expired, was used before, or belongs to another client or redirect URL than ${party.redirectUri}. Connect again; codes live a minute or so.`
    case 'invalid_scope':
      return 'Ask for scopes that your app may have, with --scope; some must be enabled in the app first.'
    case 'invalid_target':
      return 'The server issues no token for the resource that was named (RFC 8707 §2): compare it in the log; --auth-param resource=<uri> names another, --auth-param resource= none.'
    case 'unauthorized_client':
      return `This client may not use ${party.isAlone === true ? 'this' : 'the authorization code'} grant: check the app's type and grants.${registerAt(party)}`
    case 'unsupported_grant_type':
    case 'unsupported_response_type':
      return "The provider does not offer this flow here: check the template's URLs and the app's type."
    case 'invalid_request':
      if (stage !== 'authorization' && /client.?(auth|secret|credential)|authorization header/.test(said))
        return clientHint(party)
      return 'A parameter is missing, repeated or not known there. Compare what was sent in the log; --auth-param, --token-param and --no-pkce change it.'
    case 'temporarily_unavailable':
    case 'server_error':
      return `The provider has trouble of its own; try again later.${retry}`
    case 'login_required':
    case 'consent_required':
    case 'interaction_required':
      return 'The provider must show a page first: remove prompt=none (--auth-param prompt=).'
    default:
      return `What it means is up to ${party.title}: look at the exchange in the log.${retry}`
  }
}

function redirectHint(party: Party): string {
  return `Register exactly this redirect URL at ${party.title}${party.registerUrl === undefined ? '' : ` (${party.registerUrl})`}, every character counts:\n${party.redirectUri}`
}

function clientHint(party: Party): string {
  const host = party.answers.length === 0 ? '' : `, or it belongs elsewhere than ${party.answers.join(', ')}`
  if (party.isRegistered === true)
    return 'The server no longer knows the client that registered itself there, or never did. Connect again: another is registered.'
  if (party.authentication === 'none') {
    return 'The provider wants this client to prove itself: give its secret with --client-secret -.'
  }
  if (party.authentication === 'private_key_jwt')
    return `The client id is wrong${host}, or the provider does not have the public half of this key, under this key id.${registerAt(party)}`
  const isOdd = /[^\w.~-]/.test(`${party.clientId}${party.clientSecret ?? ''}`)
  const encoded = party.authentication === 'basic' || party.authentication === 'basic-raw'
  if (encoded && isOdd) {
    const other = party.authentication === 'basic' ? 'basic-raw' : 'basic'
    return `The client id or secret is wrong${host}; or the encoding is: they have characters that servers decode differently. Try --client-auth post or --client-auth ${other}.`
  }
  const others = {
    post: 'basic',
    'basic-raw': 'basic+post',
    basic: 'post',
    'basic+post': 'post',
    custom: 'post',
    signature: 'signature',
  }
  const other = others[party.authentication]
  return `The client id or secret is wrong${host}. If both are right, the provider may want the secret elsewhere: --client-auth ${other}.${registerAt(party)}`
}

function registerAt(party: Party): string {
  return party.registerUrl === undefined ? '' : ` Your app: ${party.registerUrl}`
}
