import type { Remark } from '../model/dialect.ts'
import { ProviderError } from '../model/errors.ts'
import type { Client } from '../model/integration.ts'
import { proveClient } from './oauth.ts'
import { headerOf, type Received, type Transmit } from './record.ts'
import { authenticationInWords } from './refusal.ts'
import { wordsIn } from './words.ts'

/** One token to be given back (RFC 7009 §2.1). */
export interface Revocation {
  readonly endpoint: string
  readonly token: string
  readonly hint: 'refresh_token' | 'access_token'
  readonly client: Client
  /** The provider's title. */
  readonly title: string
}

/**
 * Gives a token back. `unsupported`: the server revokes no tokens of this type (RFC 7009 §2.2.1). A token that it does not
 * know, or no longer, counts as revoked (§2.2). Throws ProviderError, TransportError.
 */
export async function revokeToken(
  transmit: Transmit,
  revocation: Revocation,
  remark: Remark,
): Promise<'revoked' | 'unsupported'> {
  const { endpoint, token, hint, client } = revocation
  const body = new URLSearchParams({ token, token_type_hint: hint })
  const headers = new Headers({
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
    'user-agent': 'auth-cli',
  })
  await proveClient(client, new URL(endpoint).origin, body, headers)
  const answer = await transmit({ method: 'POST', url: endpoint, headers: [...headers], body: body.toString() })
  if (answer.status >= 200 && answer.status <= 299) {
    if (answer.status !== 200) remark(`a revocation answered with status ${answer.status}; RFC 7009 §2.2 wants 200`)
    return 'revoked'
  }
  const error = errorIn(answer.text)
  if (error === 'unsupported_token_type') return 'unsupported'
  if (error === 'invalid_token' && answer.status === 400) {
    remark('an unknown token is refused as invalid_token; RFC 7009 §2.2 wants 200')
    return 'revoked'
  }
  throw refusedBy(revocation, answer, error)
}

function errorIn(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const error = typeof value === 'object' && value !== null ? (value as { error?: unknown }).error : undefined
    return typeof error === 'string' && /^[\x20-\x7e]{1,100}$/.test(error) ? error : undefined
  } catch {
    return undefined
  }
}

function refusedBy({ title, client, hint }: Revocation, answer: Received, error: string | undefined): ProviderError {
  const { status, text } = answer
  const code = error?.toUpperCase().replace(/[^A-Z0-9]+/g, '_') || `HTTP_${status}`
  const what = hint.replace('_', ' ')
  return new ProviderError(code, `${title} did not revoke the ${what}: ${error ?? `it answered ${status}`}.`, {
    status,
    words: wordsIn(text),
    facts: [['What was sent', authenticationInWords({ clientId: client.id, authentication: client.authentication })]],
    hint: `${adviceFor(status, error, headerOf(answer.headers, 'retry-after'))} The connection is as it was.`,
  })
}

function adviceFor(status: number, error: string | undefined, retryAfter: string): string {
  if (status === 503 || status === 429) {
    const wait = retryAfter === '' ? '' : `, Retry-After ${retryAfter}`
    return `The provider is busy${wait}: the token is still good; try again later.`
  }
  if (error === 'invalid_client' || status === 401)
    return 'The client id or secret is not taken there: connect again with the right ones, then revoke.'
  if (status >= 300 && status <= 399)
    return 'A token is never sent along a redirect: correct revocation_url in the template.'
  if (status === 404 || status === 405) return 'Check revocation_url in the template.'
  return 'The whole answer is in the log.'
}
