import { type Answer, json } from '../answer.ts'
import { redirectUriFlaw } from '../authorize.ts'
import { seal, unseal } from '../seal.ts'
import { listOf, parsedFields, scalarText, textOf, textsOf } from './fields.ts'
import { refused } from './grants.ts'
import { type Call, mediaType, type Stage } from './stage.ts'

/** A client that registered itself (RFC 7591), sealed into its own id: whoever is restarted still knows it. */
interface Registered {
  readonly twin: string
  readonly redirectUris: readonly string[]
}

function registrationFlaws(call: Call): readonly string[] {
  const sent = parsedFields(call.body)
  if (mediaType(call) !== 'application/json' || sent === undefined) return ['the body is no JSON object']
  const uris = textsOf(sent['redirect_uris'])
  const method = scalarText(sent['token_endpoint_auth_method'])
  const grants = sent['grant_types'] === undefined ? ['authorization_code'] : listOf(sent['grant_types'])
  const types = sent['response_types'] === undefined ? ['code'] : listOf(sent['response_types'])
  return [
    ...(uris.length > 0 ? [] : ['redirect_uris is missing']),
    ...uris.flatMap((uri) => redirectUriFlaw(uri)?.replace(/\.$/, '') ?? []),
    ...(method === undefined || method === 'none' ? [] : ['token_endpoint_auth_method is not none']),
    ...(grants.includes('authorization_code') ? [] : ['grant_types is without authorization_code']),
    ...(types.includes('code') ? [] : ['response_types is without code']),
  ]
}

/** Registers a public client (RFC 7591 §3). */
export function register(stage: Stage, call: Call): Answer {
  const flaws = registrationFlaws(call)
  if (flaws.length > 0) {
    const isUri = flaws.every((flaw) => !/^(?:the body|token_endpoint|grant_types|response_types)/.test(flaw))
    return refused(flaws, isUri ? 'invalid_redirect_uri' : 'invalid_client_metadata')
  }
  const sent = parsedFields(call.body) ?? {}
  const redirectUris = textsOf(sent['redirect_uris'])
  const registered: Registered = { twin: stage.part.name, redirectUris }
  return json(201, {
    client_id: seal(stage.provider.key, 'client', registered),
    client_id_issued_at: Math.floor(stage.provider.now() / 1000),
    client_name: textOf(sent['client_name']),
    redirect_uris: redirectUris,
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  })
}

/** Whether a redirect URI is one of the client's; any loopback port is as good as another (RFC 8252 §7.3). */
function isRegistered(registered: readonly string[], redirectUri: string): boolean {
  const portless = (text: string): string => text.replace(/^(http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost)):\d+/, '$1')
  return registered.some((one) => portless(one) === portless(redirectUri))
}

/** The stage as this client finds it; undefined for a client that is none, or at whom the redirect URI is not known. */
export function stageFor(
  stage: Stage,
  clientId: string | undefined,
  redirectUri: string | undefined,
): Stage | undefined {
  const { part, provider } = stage
  if (clientId === undefined) return undefined
  if (clientId === part.issued.clientId) return stage
  const registered = unseal<Registered>(provider.key, 'client', clientId)
  if (registered?.twin !== part.name) return undefined
  if (redirectUri !== undefined && !isRegistered(registered.redirectUris, redirectUri)) return undefined
  return { ...stage, part: { ...part, issued: { ...part.issued, clientId, clientSecret: undefined } } }
}
