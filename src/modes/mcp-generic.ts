import { ProviderError } from '../model/errors.ts'
import type { Integration } from '../model/integration.ts'
import type { Provider } from '../model/provider.ts'
import type { World } from '../model/world.ts'
import { bearerChallenge, type Challenge } from '../wire/challenge.ts'
import {
  canonicalResource,
  discover,
  discoverResource,
  endpointIn,
  isAbsent,
  isOfServer,
  type ResourceMetadata,
  type Road,
} from '../wire/discovery.ts'
import { initializeMessage, mcpHeaders } from '../wire/mcp.ts'
import type { Metadata } from '../wire/oauth.ts'
import { headerOf, type Received } from '../wire/record.ts'
import { grant } from './authorization-code.ts'
import { withClient } from './enrol.ts'
import { bindTo } from './mcp.ts'
import type { Attempt, Obtained } from './mode.ts'
import { besideEndpoints, roadOf, type Settle, type Settled, withServer } from './settle.ts'
import { known } from './talk.ts'

export { carry, rehearse, renew } from './authorization-code.ts'

export const authMode = 'MCP_OAUTH2_GENERIC'

/**
 * An MCP server of which nothing is known but its URL: who protects it, and where its endpoints are, it says itself (RFC
 * 9728, RFC 8414). A URL that no MCP server answers at, but that is an issuer, is authorized at as such.
 */
export function obtain(
  world: World,
  integration: Integration,
  attempt: Attempt,
  keep: (obtained: Obtained) => Promise<void>,
): Promise<void> {
  return grant(world, integration, attempt, keep, settle)
}

export const settle: Settle = async (world, integration, attempt) => {
  const url = new URL(known(integration.endpoints.mcp))
  const road = roadOf(integration, attempt)
  const first = await knock(url, attempt)
  const challenge = first.status === 401 || first.status === 403 ? bearerChallenge(first.headers) : undefined
  const resource = await discoverResource(url, challenge, road)
  const isAddress = integration.provider.source.kind === 'address'
  if (resource === undefined && isAddress && challenge === undefined) {
    const issuer = await issuerAt(url, road).catch((error: unknown) => {
      // Of another issuer, where a server asks for a token: it is of the server's own, as it was of old.
      if (first.status !== 401 || !isOfServer(error)) throw error
      return undefined
    })
    if (issuer !== undefined) return asIssuer(world, integration, attempt, issuer)
  }
  if (resource === undefined && first.status !== 401) throw notProtected(url, first)
  return asResource(world, integration, attempt, { url, challenge, resource, road })
}

/** The first message of any client, without a token: what it is answered with tells who protects the server. */
function knock(url: URL, { speech }: Attempt): Promise<Received> {
  const headers = [...mcpHeaders, ['user-agent', 'auth-cli'] as const]
  return speech.transmit('challenge')({ method: 'POST', url: url.href, headers, body: initializeMessage })
}

interface Asked {
  readonly url: URL
  readonly challenge: Challenge | undefined
  readonly resource: ResourceMetadata | undefined
  readonly road: Road
}

async function asResource(world: World, integration: Integration, attempt: Attempt, asked: Asked): Promise<Settled> {
  const { url, resource, road } = asked
  const identifier = resource?.resource ?? canonicalResource(url.href)
  const metadata = await serverFor(asked, attempt)
  attempt.tell({ type: 'server.discovered', issuer: metadata.issuer, resource: identifier })
  assertPkce(metadata, integration.provider.title)
  const scopes = scopesFor(integration, asked, attempt)
  const found = bindTo(withScopes(withServer(integration, metadata), scopes), identifier)
  const registryUrl = endpointIn(metadata, 'registration_endpoint', road.allowHttp)
  const registry = {
    title: new URL(metadata.issuer).host,
    metadata,
    ...(registryUrl === undefined ? {} : { url: registryUrl }),
  }
  return { integration: await withClient(world, found, attempt, registry), metadata }
}

/** The first of the servers that the resource names whose metadata can be used; its own origin where it names none. */
async function serverFor({ url, resource, road }: Asked, attempt: Attempt): Promise<Metadata> {
  const named = resource?.authorizationServers ?? []
  if (named.length === 0) {
    const what = resource === undefined ? 'no protected resource metadata' : 'no authorization_servers in its metadata'
    road.remark(`${what} (RFC 9728); the server's own origin is taken for its authorization server`)
  }
  let failure: unknown
  for (const issuer of named.length === 0 ? [url.origin] : named) {
    try {
      return await discover(issuer, road, 'oauth')
    } catch (error) {
      if (!isOfServer(error)) throw error
      if (named.length > 1)
        attempt.tell({ type: 'warning', code: error.code, message: `${issuer} cannot be used: ${error.message}` })
      failure ??= error
    }
  }
  throw failure
}

/** MCP, Authorization Code Protection: a server that does not say that it verifies PKCE must not be used. */
function assertPkce(metadata: Metadata, title: string): void {
  const methods = metadata.code_challenge_methods_supported
  if (Array.isArray(methods) && methods.includes('S256')) return
  const says =
    methods === undefined
      ? 'does not say that it knows PKCE'
      : `knows PKCE only as ${String(methods).slice(0, 100) || 'nothing'}`
  throw new ProviderError('PKCE_UNSUPPORTED', `The authorization server of ${title} ${says}.`, {
    hint: 'An MCP client must not go on without S256 in code_challenge_methods_supported of its metadata: a stolen code would be good.',
  })
}

/** Longest list of scopes that is asked for because a server says so, in characters. */
const longestScope = 4_096

/** Somebody's choice, else the challenge's, else all that the resource knows, else none (MCP, Scope Selection). */
function scopesFor(integration: Integration, { challenge, resource }: Asked, { tell }: Attempt): readonly string[] {
  const { scopes, scopesFrom, provider } = integration
  const isChosen = scopesFrom !== 'template' && scopesFrom !== 'default'
  if (isChosen || (provider.template.default_scopes ?? []).length > 0) return scopes
  const wanted = challenge?.params['scope']?.split(' ') ?? resource?.scopes ?? []
  const found = [...new Set(wanted.filter((scope) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)))]
  if (found.join(' ').length <= longestScope) return found
  tell({
    type: 'warning',
    code: 'SCOPES_TOO_MANY',
    message: `The server names ${found.length} scopes, too many to ask for at once; none is asked for`,
    hint: 'Choose with --scope.',
  })
  return []
}

/** Where no scope is asked for, none is named: an empty one is refused by some servers. */
function withScopes(integration: Integration, scopes: readonly string[]): Integration {
  const unnamed = scopes.length === 0 ? { scope: null } : {}
  return { ...integration, scopes, authorizationParams: { ...unnamed, ...integration.authorizationParams } }
}

/** The metadata of exactly this issuer, where the URL is one. Throws ProviderError where there is one, but of another. */
async function issuerAt(url: URL, road: Road): Promise<Metadata | undefined> {
  try {
    // As it was typed: an issuer is compared to the letter, and one without a path has no slash.
    return await discover(url.pathname === '/' ? url.origin : url.href, road)
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

async function asIssuer(
  world: World,
  integration: Integration,
  attempt: Attempt,
  metadata: Metadata,
): Promise<Settled> {
  attempt.tell({ type: 'server.discovered', issuer: metadata.issuer })
  const provider = issuerProvider(integration, metadata)
  const { mcp: _, ...endpoints } = integration.endpoints
  const isChosen = integration.scopesFrom !== 'template' && integration.scopesFrom !== 'default'
  const isOpenId = metadata.scopes_supported?.includes('openid') === true
  const scopes = isChosen ? integration.scopes : isOpenId ? ['openid'] : []
  const found = withScopes(withServer({ ...integration, provider, endpoints, params: {} }, metadata), scopes)
  const url = endpointIn(metadata, 'registration_endpoint', integration.allowHttp)
  const registry = { title: provider.title, metadata, ...(url === undefined ? {} : { url }) }
  return { integration: await withClient(world, found, attempt, registry), metadata }
}

/** An issuer as a provider, in the words of a template. */
function issuerProvider({ provider, allowHttp }: Integration, metadata: Metadata): Provider {
  const { issuer } = metadata
  return {
    ...provider,
    template: {
      display_name: provider.title,
      auth_mode: 'OAUTH2',
      issuer,
      ...besideEndpoints(metadata, allowHttp),
      proxy: { base_url: issuer.replace(/\/+$/, '') },
    },
  }
}

function notProtected(url: URL, { status, headers }: Received): ProviderError {
  const location = headerOf(headers, 'location')
  const target = URL.canParse(location, url.href) ? new URL(location, url) : undefined
  if (status >= 300 && status <= 399 && target !== undefined) {
    return new ProviderError('REDIRECTED', `${url.href} redirects to ${target.href.slice(0, 300)} (${status}).`, {
      status,
      hint: 'A redirect is not followed: connect the URL that it points to, if it is the one you mean.',
    })
  }
  if (status >= 200 && status <= 299) {
    return new ProviderError(
      'NOT_PROTECTED',
      `${url.href} answers without asking who you are: there is nothing to authorize.`,
      {
        status,
        hint: 'Call it without auth-cli, or give the URL of its endpoint if this is not it.',
      },
    )
  }
  return new ProviderError(
    'NOT_DISCOVERED',
    `${url.href} is neither a protected MCP server nor an issuer: it answered ${status}.`,
    {
      status,
      hint: 'Give the whole URL of the MCP endpoint (often …/mcp), or the issuer as its tokens name it. Without discovery, describe the provider: auth-cli providers new <name>.',
    },
  )
}
