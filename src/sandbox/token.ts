import { createHash } from 'node:crypto'
import { type Answer, json, oauthError, repeatedParameters, type Visit } from './answer.ts'
import { authenticate } from './clients.ts'
import { faultNamed, type Mischief } from './faults.ts'
import {
  endFamily,
  isDue,
  isExpired,
  issueTokens,
  type PendingCode,
  type Provider,
  readToken,
  type SandboxClient,
  type TokenClaims,
} from './provider.ts'
import { isSame, unseal } from './seal.ts'

/** Reads the form and proves the client, or answers what is wrong with them; then lets `answer` do the rest. */
function withClient(
  provider: Provider,
  visit: Visit,
  answer: (client: SandboxClient, params: URLSearchParams) => Answer,
): Answer {
  const type = String(visit.headers['content-type'] ?? '').split(';')[0]
  if (type?.trim().toLowerCase() !== 'application/x-www-form-urlencoded') {
    return oauthError(400, 'invalid_request', 'The body must be application/x-www-form-urlencoded.')
  }
  const params = new URLSearchParams(visit.body)
  const repeated = repeatedParameters(params)
  if (repeated.length > 0) return oauthError(400, 'invalid_request', 'A parameter was sent more than once.')
  const proof = authenticate(provider.clients, visit, params)
  return 'refusal' in proof ? proof.refusal : answer(proof.client, params)
}

/** The fault that shows at this endpoint and is due now. */
function dueFault(provider: Provider, at: Mischief['at'], name: string | undefined, family: string) {
  const fault = faultNamed(name)
  return fault?.at === at && isDue(provider, fault, family) ? fault : undefined
}

/** Whether the verifier is the one that the challenge was made from (RFC 7636 §4.6), or why not. */
export function verifierFlaw(pending: PendingCode, verifier: string | null): string | undefined {
  if (pending.challenge === undefined) {
    return verifier === null ? undefined : 'There is a code_verifier, but the authorization request had no challenge.'
  }
  if (!verifier) return 'There is no code_verifier.'
  if (!/^[\w.~-]{43,128}$/.test(verifier)) return 'code_verifier must be 43 to 128 unreserved characters.'
  const made = pending.challengeMethod === 'S256' ? createHash('sha256').update(verifier).digest('base64url') : verifier
  return isSame(made, pending.challenge) ? undefined : 'code_verifier does not match the code_challenge.'
}

/** `grant_type=authorization_code` (RFC 6749 §4.1.3). */
function exchangeCode(provider: Provider, client: SandboxClient, params: URLSearchParams): Answer {
  const code = params.get('code')
  if (!code) return oauthError(400, 'invalid_request', 'There is no code.')
  const invalid = (description: string) => oauthError(400, 'invalid_grant', description)
  const pending = provider.codes.get(code)
  if (!pending) return invalid('This code was not issued here.')
  if (pending.grant.client !== client.id) return invalid('This code was issued to another client.')
  if (pending.used) {
    endFamily(provider, pending.grant.family)
    return invalid('This code was used before. What was issued for it is revoked.')
  }
  if (isExpired(provider, pending.expires)) return invalid('The authorization code has expired.')
  if (pending.redirectUri !== (params.get('redirect_uri') ?? undefined)) {
    return invalid('redirect_uri is not the one of the authorization request.')
  }
  const flaw = verifierFlaw(pending, params.get('code_verifier'))
  if (flaw !== undefined) return invalid(flaw)

  const fault = dueFault(provider, 'token', pending.grant.fault, pending.grant.family)
  if (fault?.refuse) return fault.refuse()
  pending.used = true
  const tokens = issueTokens(provider, pending.grant, { lifetime: fault?.lifetime, renewable: true })
  return fault?.reword?.(tokens) ?? json(200, tokens)
}

/** `grant_type=refresh_token` (RFC 6749 §6) with rotation and reuse detection (RFC 9700 §4.14.2). */
function refresh(provider: Provider, client: SandboxClient, params: URLSearchParams): Answer {
  const token = params.get('refresh_token')
  if (!token) return oauthError(400, 'invalid_request', 'There is no refresh_token.')
  const claims = readToken(provider, 'refresh', token)
  const invalid = (description: string) => oauthError(400, 'invalid_grant', description)
  if (!claims) return invalid('This refresh token is unknown, expired or revoked.')
  if (claims.client !== client.id) return invalid('This refresh token was issued to another client.')
  const scopes = params.get('scope')?.split(' ').filter(Boolean)
  if (scopes?.some((scope) => !claims.scopes.includes(scope))) {
    return oauthError(400, 'invalid_scope', 'More was asked for than was granted.')
  }

  const fault = dueFault(provider, 'refresh', claims.fault, claims.family)
  if (fault?.refuse) return fault.refuse()
  if (!fault?.keepsRefreshToken && !provider.ledger.claim(`used:${claims.id}`)) {
    endFamily(provider, claims.family)
    return invalid('This refresh token was used before. Everything issued from the same grant is revoked.')
  }
  const { family, client: owner, scopes: granted, fault: kept } = claims
  const tokens = issueTokens(
    provider,
    { family, client: owner, scopes: granted, fault: kept },
    { ...(scopes?.length && { scopes }), lifetime: faultNamed(kept)?.lifetime, renewable: !fault?.keepsRefreshToken },
  )
  return fault?.reword?.(tokens) ?? json(200, tokens)
}

/** `POST /token`. */
export function answerToken(provider: Provider, visit: Visit): Answer {
  return withClient(provider, visit, (client, params) => {
    const grant = params.get('grant_type')
    if (!grant) return oauthError(400, 'invalid_request', 'There is no grant_type.')
    if (grant === 'authorization_code') return exchangeCode(provider, client, params)
    if (grant === 'refresh_token') return refresh(provider, client, params)
    return oauthError(400, 'unsupported_grant_type', 'The sandbox knows authorization_code and refresh_token.')
  })
}

/** `POST /revoke` (RFC 7009): a refresh token takes its whole grant along, an access token only itself. */
export function revoke(provider: Provider, visit: Visit): Answer {
  return withClient(provider, visit, (client, params) => {
    const token = params.get('token')
    if (!token) return oauthError(400, 'invalid_request', 'There is no token.')
    const renewing = unseal<TokenClaims>(provider.key, 'refresh', token)
    const claims = renewing ?? unseal<TokenClaims>(provider.key, 'access', token)
    if (claims && claims.client !== client.id) {
      return oauthError(400, 'invalid_grant', 'This token was issued to another client.')
    }
    if (renewing) endFamily(provider, renewing.family)
    else if (claims) provider.ledger.claim(`revoked:${claims.id}`)
    return json(200, {})
  })
}

/** `POST /introspect` (RFC 7662), for clients with a secret. */
export function introspect(provider: Provider, visit: Visit): Answer {
  return withClient(provider, visit, (client, params) => {
    if (client.secret === undefined) return oauthError(401, 'invalid_client', 'A public client may not introspect.')
    const token = params.get('token')
    if (!token) return oauthError(400, 'invalid_request', 'There is no token.')
    const access = readToken(provider, 'access', token)
    const renewing = readToken(provider, 'refresh', token)
    const claims = access ?? (renewing && !provider.ledger.has(`used:${renewing.id}`) ? renewing : undefined)
    if (!claims) return json(200, { active: false })
    return json(200, {
      active: true,
      scope: claims.scopes.join(' '),
      client_id: claims.client,
      token_type: access ? 'Bearer' : 'refresh_token',
      iat: claims.issued,
      exp: claims.expires,
      iss: provider.origin,
    })
  })
}
