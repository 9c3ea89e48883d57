import { type Answer, json } from './answer.ts'
import { scopesOffered } from './provider.ts'

/** The server's metadata (RFC 8414 §2). There are no ID tokens, so the OpenID location serves the same document. */
export function describeServer(origin: string): Answer {
  return json(200, {
    issuer: origin,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    revocation_endpoint: `${origin}/revoke`,
    introspection_endpoint: `${origin}/introspect`,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    code_challenge_methods_supported: ['S256', 'plain'],
    authorization_response_iss_parameter_supported: true,
    scopes_supported: Object.keys(scopesOffered),
  })
}
