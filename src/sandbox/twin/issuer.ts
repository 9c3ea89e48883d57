import { type Answer, bearerError, json } from '../answer.ts'
import { endFamily, person } from '../provider.ts'
import { type Fields, scalarText, textOf } from './fields.ts'
import { fill, fillUrl } from './fill.ts'
import { tokenOf } from './grants.ts'
import { publicKeys, signedToken } from './id-token.ts'
import { type Call, type Endpoint, headerOf, type Stage } from './stage.ts'
import { proofStyle, withClient } from './with-client.ts'

/** The URL of a field of the template, filled. */
export function urlOf(stage: Stage, field: string): URL | undefined {
  return fillUrl(textOf(stage.part.template[field]) ?? '', { roots: stage.part.variants[0], time: 0 })
}

/** What the template names, else where its issuer would have it. */
export function endpointUrl(stage: Stage, field: 'authorization_url' | 'token_url'): URL | undefined {
  const issuer = urlOf(stage, 'issuer')
  const path = field === 'token_url' ? 'token' : 'authorize'
  return urlOf(stage, field) ?? (issuer && new URL(`${issuer.href.replace(/\/+$/, '')}/${path}`))
}

/** The metadata of the issuer (RFC 8414 §2). */
function metadata(stage: Stage, issuer: string): Answer {
  const { template, issued } = stage.part
  const style = proofStyle(template)
  const methods = { header: 'client_secret_basic', both: 'client_secret_basic', body: 'client_secret_post' } as const
  const method = issued.clientSecret === undefined ? 'none' : methods[style as keyof typeof methods]
  return json(200, {
    issuer,
    authorization_endpoint: endpointUrl(stage, 'authorization_url')?.href,
    token_endpoint: endpointUrl(stage, 'token_url')?.href,
    revocation_endpoint: urlOf(stage, 'revocation_url')?.href,
    introspection_endpoint: urlOf(stage, 'introspection_url')?.href,
    userinfo_endpoint: urlOf(stage, 'userinfo_url')?.href,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_methods_supported: [method],
    code_challenge_methods_supported: ['S256'],
    jwks_uri: keysUrl(issuer).href,
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  })
}

/** Where the keys of an issuer are that its ID tokens are signed with (RFC 7517). */
const keysUrl = (issuer: string): URL => new URL(`${issuer.replace(/\/+$/, '')}/.well-known/jwks.json`)

/** The issuer as the template writes it: a client compares it whole. */
function issuerName(stage: Stage): string | undefined {
  const issuer = urlOf(stage, 'issuer')
  const written = fill(textOf(stage.part.template['issuer']) ?? '', { roots: stage.part.variants[0], time: 0 }).text
  return issuer?.pathname === '/' && !written.endsWith('/') ? issuer.origin : issuer?.href
}

/** The ID token (OpenID Connect Core §2) of a grant for `openid`, where the template names its issuer. */
export function idTokenFor(stage: Stage, tokens: Fields, nonce: string | undefined): Fields {
  const issuer = issuerName(stage)
  const scopes = (scalarText(tokens['scope']) ?? '').split(' ')
  if (issuer === undefined || !scopes.includes('openid') || tokens['access_token'] === undefined) return {}
  const now = Math.floor(stage.provider.now() / 1000)
  const about = { name: person.name, email: person.email, email_verified: true }
  const claims = {
    iss: issuer,
    sub: person.id,
    aud: stage.part.issued.clientId,
    iat: now,
    exp: now + 3600,
    ...(nonce !== undefined && { nonce }),
    ...about,
  }
  return { id_token: signedToken(stage.provider.key, claims) }
}

/** Where an issuer's metadata is: OpenID appends (Discovery §4), OAuth inserts (RFC 8414 §3.1). */
function metadataUrls(issuer: URL): readonly URL[] {
  const path = issuer.pathname.replace(/\/+$/, '')
  return [
    new URL(`${issuer.origin}${path}/.well-known/openid-configuration`),
    new URL(`${issuer.origin}/.well-known/oauth-authorization-server${path}`),
  ]
}

/** RFC 7009: a refresh token takes its grant along, an access token only itself. */
function revoke(stage: Stage, call: Call): Answer {
  return withClient(stage, call, 'form', (params) => {
    const token = textOf(params['token']) ?? ''
    const renewing = tokenOf(stage, 'refresh', token)
    const access = tokenOf(stage, 'access', token)
    if (renewing) endFamily(stage.provider, renewing.family)
    else if (access) stage.provider.ledger.claim(`revoked:${access.id}`)
    return json(200, {})
  })
}

/** RFC 7662. */
function introspect(stage: Stage, call: Call): Answer {
  return withClient(stage, call, 'form', (params) => {
    const token = textOf(params['token']) ?? ''
    const renewing = tokenOf(stage, 'refresh', token)
    const isSpent = renewing !== undefined && stage.provider.ledger.has(`used:${renewing.id}`)
    const claims = tokenOf(stage, 'access', token) ?? (isSpent ? undefined : renewing)
    if (claims === undefined) return json(200, { active: false })
    const { scopes, issued: iat, expires: exp } = claims
    return json(200, { active: true, scope: scopes.join(' '), client_id: stage.part.issued.clientId, iat, exp })
  })
}

/** OpenID Connect Core §5.3. */
function showUser(stage: Stage, call: Call): Answer {
  const [, token = ''] = /^bearer +(\S+) *$/i.exec(headerOf(call, 'authorization') ?? '') ?? []
  if (tokenOf(stage, 'access', token) === undefined) {
    return bearerError(401, 'invalid_token', 'The access token is missing, unknown, expired or revoked.')
  }
  return json(200, { sub: person.id, name: person.name, email: person.email })
}

/** What an authorization server may have beside asking and granting, as far as the template names it. */
export function issuerEndpoints(stage: Stage): readonly Endpoint[] {
  const at = (
    what: string,
    field: string,
    methods: readonly string[],
    answer: (stage: Stage, call: Call) => Answer,
  ): readonly Endpoint[] => {
    const url = urlOf(stage, field)
    return url === undefined ? [] : [{ what, url, methods, answer: (call) => answer(stage, call) }]
  }
  const issuer = urlOf(stage, 'issuer')
  const name = issuerName(stage) ?? ''
  const answer = (): Answer => metadata(stage, name)
  return [
    ...(issuer === undefined
      ? []
      : [
          ...metadataUrls(issuer).map((url) => ({ what: 'the metadata', url, methods: ['GET'], answer })),
          {
            what: 'the keys',
            url: keysUrl(name),
            methods: ['GET'],
            answer: () => json(200, publicKeys(stage.provider.key)),
          },
        ]),
    ...at('the revocation endpoint', 'revocation_url', ['POST'], revoke),
    ...at('the introspection endpoint', 'introspection_url', ['POST'], introspect),
    ...at('the userinfo endpoint', 'userinfo_url', ['GET', 'POST'], showUser),
  ]
}
