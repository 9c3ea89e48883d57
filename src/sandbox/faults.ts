import { type Answer, bearerError, json, oauthError } from './answer.ts'

/** A way in which the sandbox misbehaves on purpose, chosen for one authorization and kept by everything it leads to. */
export interface Fault {
  /** Kebab-case, as typed after `--fault` and in `fault=`. */
  readonly name: string
  /** Where it shows: the way back from the consent page, the exchange of the code, the refresh, or the API. */
  readonly at: 'authorize' | 'token' | 'refresh' | 'api'
  /** What the sandbox then does, in one line. */
  readonly says: string
}

/** A fault with what makes it happen. Nothing else in the sandbox knows a fault by its name. */
export interface Mischief extends Fault {
  /** Re-words the callback's parameters. */
  readonly callback?: (params: URLSearchParams) => void
  /** Puts the callback's parameters behind a `#`. */
  readonly fragment?: true
  /** What is granted of the scopes that were approved. */
  readonly grants?: (scopes: readonly string[]) => readonly string[]
  /** Seconds that access tokens live. */
  readonly lifetime?: number
  /** Answered instead of doing what was asked; nothing is used up. */
  readonly refuse?: () => Answer
  /** Refuses only the first time in the life of a grant. */
  readonly once?: true
  /** Re-words the good answer after the work was done. */
  readonly reword?: (tokens: Readonly<Record<string, unknown>>) => Answer
  /** Refreshing leaves the refresh token as it is and sends no new one. */
  readonly keepsRefreshToken?: true
}

const sent = (tokens: Readonly<Record<string, unknown>>, delivery: NonNullable<Answer['delivery']>): Answer => ({
  ...json(200, tokens),
  delivery,
})

const without = (tokens: Readonly<Record<string, unknown>>, name: string): Answer =>
  json(200, Object.fromEntries(Object.entries(tokens).filter(([key]) => key !== name)))

const failed = (params: URLSearchParams, error: string, description: string): void => {
  params.delete('code')
  params.set('error', error)
  params.set('error_description', description)
}

const formOf = (tokens: Readonly<Record<string, unknown>>): URLSearchParams =>
  new URLSearchParams(Object.entries(tokens).map(([name, value]): [string, string] => [name, String(value)]))

const htmlPage = '<!doctype html><html lang="en"><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1></html>'

const everyScopeButTheLast = (scopes: readonly string[]): readonly string[] =>
  scopes.length > 1 ? scopes.slice(0, -1) : scopes[0] === 'profile' ? ['read'] : ['profile']

/** Every fault. A new one is one entry here. */
export const mischief: readonly Mischief[] = [
  {
    name: 'wrong-state',
    at: 'authorize',
    says: 'comes back with a state that nobody sent',
    callback: (p) => p.set('state', 'not-the-state-you-sent'),
  },
  { name: 'missing-state', at: 'authorize', says: 'comes back without the state', callback: (p) => p.delete('state') },
  {
    name: 'duplicate-state',
    at: 'authorize',
    says: 'comes back with the state twice',
    callback: (p) => p.append('state', p.get('state') ?? ''),
  },
  {
    name: 'denial',
    at: 'authorize',
    says: 'comes back with access_denied, as if you had pressed Deny',
    callback: (p) => failed(p, 'access_denied', 'The person said no.'),
  },
  {
    name: 'error-without-state',
    at: 'authorize',
    says: 'comes back with server_error and no state',
    callback: (p) => {
      failed(p, 'server_error', 'The sandbox stumbled.')
      p.delete('state')
    },
  },
  {
    name: 'missing-code',
    at: 'authorize',
    says: 'comes back with neither a code nor an error',
    callback: (p) => p.delete('code'),
  },
  { name: 'empty-code', at: 'authorize', says: 'comes back with an empty code', callback: (p) => p.set('code', '') },
  {
    name: 'iss-mismatch',
    at: 'authorize',
    says: 'comes back with the issuer of another server',
    callback: (p) => p.set('iss', 'https://another-issuer.example'),
  },
  {
    name: 'missing-iss',
    at: 'authorize',
    says: 'comes back without the issuer that its metadata promises',
    callback: (p) => p.delete('iss'),
  },
  {
    name: 'fragment',
    at: 'authorize',
    says: 'comes back with everything behind a #, which only a browser sees',
    fragment: true,
  },
  {
    name: 'fewer-scopes',
    at: 'authorize',
    says: 'grants all scopes but the last one; instead of a single one, another',
    grants: everyScopeButTheLast,
  },

  {
    name: 'expired-code',
    at: 'token',
    says: 'says that the code has expired: invalid_grant',
    refuse: () => oauthError(400, 'invalid_grant', 'The authorization code has expired.'),
  },
  {
    name: 'invalid-client',
    at: 'token',
    says: 'refuses the client: 401 invalid_client',
    refuse: () => oauthError(401, 'invalid_client', 'Client authentication failed.'),
  },
  {
    name: 'hanging-token',
    at: 'token',
    says: 'takes the request and never answers',
    reword: (tokens) => sent(tokens, 'never'),
  },
  { name: 'slow-token', at: 'token', says: 'answers after three seconds', reword: (tokens) => sent(tokens, 'late') },
  {
    name: 'reset',
    at: 'token',
    says: 'resets the connection instead of answering',
    reword: (tokens) => sent(tokens, 'reset'),
  },
  {
    name: 'truncated',
    at: 'token',
    says: 'ends the connection in the middle of the answer',
    reword: (tokens) => sent(tokens, 'cut'),
  },
  {
    name: 'server-error',
    at: 'token',
    says: 'answers 500 with server_error',
    refuse: () => oauthError(500, 'server_error', 'The sandbox stumbled.'),
  },
  {
    name: 'html',
    at: 'token',
    says: 'answers 502 with a page of HTML',
    refuse: () => ({ status: 502, headers: { 'content-type': 'text/html; charset=utf-8' }, body: htmlPage }),
  },
  {
    name: 'rate-limited',
    at: 'token',
    says: 'answers 429 with Retry-After: 7',
    refuse: () => json(429, { error: 'rate_limited' }, { 'retry-after': '7' }),
  },
  {
    name: 'token-redirect',
    at: 'token',
    says: 'answers 307 to another place',
    refuse: () => ({ status: 307, headers: { location: '/elsewhere' }, body: '' }),
  },
  {
    name: 'ok-with-error',
    at: 'token',
    says: 'answers 200 with an error inside',
    refuse: () => json(200, { error: 'invalid_grant', error_description: 'Refused, with a smile.' }),
  },
  {
    name: 'malformed-json',
    at: 'token',
    says: 'answers 200 with JSON that is none',
    reword: (tokens) => ({ ...json(200, tokens), body: `{access_token: '${tokens['access_token']}',}` }),
  },
  {
    name: 'form-encoded',
    at: 'token',
    says: 'answers form-encoded instead of JSON',
    reword: (tokens) => ({
      ...json(200, tokens, { 'content-type': 'application/x-www-form-urlencoded' }),
      body: String(formOf(tokens)),
    }),
  },
  {
    name: 'oversized',
    at: 'token',
    says: 'answers with five megabytes',
    reword: (tokens) => json(200, { ...tokens, padding: 'x'.repeat(5_000_000) }),
  },
  {
    name: 'no-access-token',
    at: 'token',
    says: 'answers without an access token',
    reword: (tokens) => without(tokens, 'access_token'),
  },
  {
    name: 'no-refresh-token',
    at: 'token',
    says: 'answers without a refresh token',
    reword: (tokens) => without(tokens, 'refresh_token'),
  },
  {
    name: 'no-expires-in',
    at: 'token',
    says: 'does not say when the token expires',
    reword: (tokens) => without(tokens, 'expires_in'),
  },
  {
    name: 'expires-in-string',
    at: 'token',
    says: 'says when the token expires in a string',
    reword: (tokens) => json(200, { ...tokens, expires_in: String(tokens['expires_in']) }),
  },
  {
    name: 'no-token-type',
    at: 'token',
    says: 'does not say what type the token is',
    reword: (tokens) => without(tokens, 'token_type'),
  },
  {
    name: 'token-type-mac',
    at: 'token',
    says: 'says that the token is of the type mac',
    reword: (tokens) => json(200, { ...tokens, token_type: 'mac' }),
  },
  { name: 'short-lived', at: 'token', says: 'issues access tokens that live for ten seconds', lifetime: 10 },

  {
    name: 'refresh-refused',
    at: 'refresh',
    says: 'refuses to refresh: invalid_grant',
    refuse: () => oauthError(400, 'invalid_grant', 'The refresh token was revoked.'),
  },
  {
    name: 'refresh-server-error',
    at: 'refresh',
    says: 'answers a refresh with 500',
    refuse: () => oauthError(500, 'server_error', 'The sandbox stumbled.'),
  },
  {
    name: 'refresh-no-rotation',
    at: 'refresh',
    says: 'refreshes without a new refresh token; the old one stays good',
    keepsRefreshToken: true,
  },
  {
    name: 'refresh-reset',
    at: 'refresh',
    says: 'refreshes, then resets the connection: the new token is lost',
    reword: (tokens) => sent(tokens, 'reset'),
  },

  {
    name: 'api-401-once',
    at: 'api',
    says: 'refuses the first API call with 401 though the token is good',
    once: true,
    refuse: () => bearerError(401, 'invalid_token', 'The access token was revoked.'),
  },
  {
    name: 'api-server-error',
    at: 'api',
    says: 'answers every API call with 500',
    refuse: () => json(500, { error: 'server_error', message: 'The sandbox stumbled.' }),
  },
  {
    name: 'api-rate-limited',
    at: 'api',
    says: 'answers every API call with 429 and Retry-After: 7',
    refuse: () => json(429, { error: 'rate_limited', message: 'Too many requests.' }, { 'retry-after': '7' }),
  },
]

/** Every fault that the sandbox knows, in the order in which the consent page lists them. */
export const faults: readonly Fault[] = mischief.map(({ name, at, says }) => ({ name, at, says }))

export function faultNamed(name: string | undefined | null): Mischief | undefined {
  return mischief.find((fault) => fault.name === name)
}
