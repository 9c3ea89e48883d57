import { type Answer, redirect, repeatedParameters, type Visit } from './answer.ts'
import { faultNamed } from './faults.ts'
import { consentPage, noticePage } from './page.ts'
import {
  isExpired,
  isLoopbackHost,
  mintCode,
  mintId,
  type Provider,
  type SandboxClient,
  scopesOffered,
} from './provider.ts'
import { seal, unseal } from './seal.ts'

/** An authorization request that was judged good, as the consent form carries it. */
interface AuthorizationRequest {
  readonly client: string
  /** Where to go back to. */
  readonly back: string
  /** As sent, if it was sent. */
  readonly redirectUri?: string | undefined
  readonly state?: string | undefined
  readonly scopes: readonly string[]
  readonly challenge?: string | undefined
  readonly challengeMethod: 'S256' | 'plain'
  readonly fault?: string | undefined
  /** Seconds since 1970 after which the form is stale. */
  readonly expires: number
}

/** A request that may be answered at the client's redirect URI, because client and URI are known to belong together. */
interface Caller {
  readonly client: SandboxClient
  readonly back: string
  readonly redirectUri: string | undefined
  readonly state: string | undefined
}

type Judged<Good> = { readonly good: Good } | { readonly refusal: Answer }

const patience = 600

const refusedHere = (title: string, words: string): { readonly refusal: Answer } => ({
  refusal: noticePage(400, title, words),
})

/** Why a redirect URI cannot be used, or undefined when it can. */
export function redirectUriFlaw(redirectUri: string): string | undefined {
  if (!/^[\x21-\x7e]+$/.test(redirectUri) || !URL.canParse(redirectUri)) return 'It is not an absolute URL.'
  const url = new URL(redirectUri)
  if (redirectUri.includes('#')) return 'It has a fragment, which RFC 6749 forbids.'
  if (url.protocol === 'https:') return undefined
  if (url.protocol !== 'http:') return 'Only https URLs, and http URLs on this machine, are accepted here.'
  return isLoopbackHost(url.hostname)
    ? undefined
    : 'Plain http is accepted for this machine only (localhost, 127.0.0.1).'
}

/** Who asks and where the answer goes. What fails here is never answered by a redirect (RFC 6749 §4.1.2.1). */
function identifyCaller(provider: Provider, query: URLSearchParams): Judged<Caller> {
  const repeated = repeatedParameters(query)
  if (repeated.some((name) => name === 'client_id' || name === 'redirect_uri')) {
    return refusedHere('This request is ambiguous', `It has more than one ${repeated.join(' and ')}.`)
  }
  const id = query.get('client_id')
  const known = provider.clients.map((one) => one.id).join(', ')
  if (!id) return refusedHere('Who is asking?', `The request has no client_id. This sandbox knows: ${known}.`)
  const client = provider.clients.find((one) => one.id === id)
  if (!client) {
    return refusedHere('This application is unknown', `There is no client “${id}”. This sandbox knows: ${known}.`)
  }
  const redirectUri = query.get('redirect_uri') || undefined
  const [only, ...others] = client.redirectUris ?? []
  const back = redirectUri ?? (others.length === 0 ? only : undefined)
  if (back === undefined) return refusedHere('Where to go back to?', 'The request has no redirect_uri.')
  if (client.redirectUris && !client.redirectUris.includes(back)) {
    return refusedHere('This redirect URI is not registered', `${back} is not among the redirect URIs of ${id}.`)
  }
  const flaw = redirectUriFlaw(back)
  if (flaw !== undefined) return refusedHere('This redirect URI cannot be used', `${back}: ${flaw}`)
  return { good: { client, back, redirectUri, state: query.get('state') ?? undefined } }
}

/** The redirect URI with the answer's parameters added; what it had stays as it was. */
export function callbackUrl(back: string, params: URLSearchParams, separator: '?' | '#' = '?'): string {
  const joint = separator === '?' && back.includes('?') ? (/[?&]$/.test(back) ? '' : '&') : separator
  return params.size === 0 ? back : `${back}${joint}${params}`
}

function redirectError(
  provider: Provider,
  to: { readonly back: string; readonly state?: string | undefined },
  error: string,
  description: string,
): Answer {
  const params = new URLSearchParams({ error, error_description: description })
  if (to.state !== undefined) params.set('state', to.state)
  params.set('iss', provider.origin)
  return redirect(callbackUrl(to.back, params))
}

/** The flaw of the PKCE parameters (RFC 7636 §4.4.1), or undefined. */
function pkceFlaw(client: SandboxClient, query: URLSearchParams): string | undefined {
  const challenge = query.get('code_challenge')
  const method = query.get('code_challenge_method')
  if (challenge === null) {
    if (method !== null) return 'There is a code_challenge_method but no code_challenge.'
    return client.secret === undefined ? 'A public client must send a code_challenge.' : undefined
  }
  if (method !== null && method !== 'S256' && method !== 'plain') return 'code_challenge_method must be S256 or plain.'
  return /^[\w.~-]{43,128}$/.test(challenge) ? undefined : 'code_challenge must be 43 to 128 unreserved characters.'
}

function judge(provider: Provider, query: URLSearchParams): Judged<AuthorizationRequest> {
  const identified = identifyCaller(provider, query)
  if ('refusal' in identified) return identified
  const { client, back, redirectUri, state } = identified.good
  const refuse = (error: string, description: string) => ({
    refusal: redirectError(provider, { back, state }, error, description),
  })
  const repeated = repeatedParameters(query)
  if (repeated.length > 0) return refuse('invalid_request', `Sent more than once: ${repeated.join(', ')}.`)
  const responseType = query.get('response_type')
  if (!responseType) return refuse('invalid_request', 'There is no response_type.')
  if (responseType !== 'code') return refuse('unsupported_response_type', 'The sandbox only knows response_type=code.')
  const flaw = pkceFlaw(client, query)
  if (flaw !== undefined) return refuse('invalid_request', flaw)
  const scopes = [...new Set((query.get('scope') || 'read').split(' ').filter(Boolean))]
  if (scopes.some((scope) => !Object.hasOwn(scopesOffered, scope))) {
    return refuse('invalid_scope', `The sandbox knows these scopes: ${Object.keys(scopesOffered).join(' ')}.`)
  }
  const fault = query.get('fault') || provider.fault?.name
  if (fault !== undefined && !faultNamed(fault)) {
    return refusedHere('This fault is unknown', `The sandbox has no fault called “${fault}”.`)
  }
  const challenge = query.get('code_challenge') ?? undefined
  const challengeMethod = query.get('code_challenge_method') === 'S256' ? 'S256' : 'plain'
  const expires = Math.floor(provider.now() / 1000) + patience
  return {
    good: { client: client.id, back, redirectUri, state, scopes, challenge, challengeMethod, fault, expires },
  }
}

/** `GET /authorize`: judges the request and asks the person. */
export function askConsent(provider: Provider, visit: Visit): Answer {
  const judged = judge(provider, visit.query)
  if ('refusal' in judged) return judged.refusal
  const request = judged.good
  return consentPage({
    client: request.client,
    back: new URL(request.back).host,
    scopes: request.scopes,
    fault: faultNamed(request.fault),
    request: seal(provider.key, 'request', request),
  })
}

/** False for a form that another site's page submitted: browsers say where a POST comes from. */
export function isOwnForm(visit: Visit): boolean {
  const { origin, host } = visit.headers
  const site = visit.headers['sec-fetch-site']
  return (origin === undefined || origin === `http://${host}`) && (site === undefined || site === 'same-origin')
}

/** `POST /authorize/decision`: what the person pressed. */
export function takeDecision(provider: Provider, visit: Visit): Answer {
  if (!isOwnForm(visit)) return noticePage(403, 'Not from here', 'This form was submitted by another site.')
  const form = new URLSearchParams(visit.body)
  const request = unseal<AuthorizationRequest>(provider.key, 'request', form.get('request') ?? '')
  if (!request || isExpired(provider, request.expires)) {
    return noticePage(400, 'This page is too old', 'Start again from the application that sent you here.')
  }
  const { back, state } = request
  if (form.get('decision') === 'deny') return redirectError(provider, { back, state }, 'access_denied', 'You said no.')
  // The button pressed comes after the hidden field that carries the fault chosen beforehand.
  const fault = faultNamed(form.getAll('fault').at(-1))
  const ticked = request.scopes.filter((scope) => form.getAll('scope').includes(scope))
  if (ticked.length === 0) return redirectError(provider, { back, state }, 'access_denied', 'No scope was granted.')
  const scopes = fault?.grants?.(ticked) ?? ticked
  const code = mintCode(provider, {
    grant: { family: mintId(), client: request.client, scopes, fault: fault?.name },
    redirectUri: request.redirectUri,
    challenge: request.challenge,
    challengeMethod: request.challengeMethod,
  })
  const params = new URLSearchParams({ code })
  if (state !== undefined) params.set('state', state)
  params.set('iss', provider.origin)
  fault?.callback?.(params)
  return redirect(callbackUrl(back, params, fault?.fragment ? '#' : '?'))
}
