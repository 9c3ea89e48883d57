import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DemoInMemoryAuthProvider } from '@modelcontextprotocol/sdk/examples/server/demoInMemoryOAuthProvider.js'
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js'
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
import type { OAuthTokenVerifier } from '@modelcontextprotocol/sdk/server/auth/provider.js'
import {
  getOAuthProtectedResourceMetadataUrl,
  mcpAuthMetadataRouter,
  mcpAuthRouter,
} from '@modelcontextprotocol/sdk/server/auth/router.js'
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { OAuthMetadata } from '@modelcontextprotocol/sdk/shared/auth.js'

/** A request that reached the server; bodies are parsed. */
export interface McpHit {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: Readonly<Record<string, unknown>>
}

/** The official TypeScript SDK's MCP server, which we did not write, on a free port of loopback. */
export interface SdkServer {
  readonly origin: string
  /** Its MCP endpoint. */
  readonly url: string
  readonly hits: readonly McpHit[]
  /** How many clients have registered themselves. */
  readonly clients: () => number
  readonly close: () => Promise<void>
}

export interface SdkTerms {
  /** Path of the endpoint; default `/mcp`. */
  readonly path?: string | undefined
  /** Whether it keeps conversations, and refuses what belongs to none. */
  readonly keepsSessions?: boolean | undefined
  readonly tools?: readonly string[] | undefined
  readonly scopes?: readonly string[] | undefined
  /** Another authorization server than its own, and who knows its tokens. */
  readonly guardedBy?: { readonly metadata: Readonly<Record<string, unknown>>; readonly verifier: OAuthTokenVerifier }
}

/** A request of the web framework that the SDK brings along, which has no types here. */
type Asked = IncomingMessage & { readonly originalUrl: string; readonly body?: Readonly<Record<string, unknown>> }

export async function openSdkServer(terms: SdkTerms = {}): Promise<SdkServer> {
  const { path = '/mcp', keepsSessions = false, tools = ['echo', 'add'], scopes, guardedBy } = terms
  const server: Server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const url = `${origin}${path}`
  const hits: McpHit[] = []
  const own = ownProvider(url)
  const app = createMcpExpressApp()
  app.use((request: Asked, _response: ServerResponse, next: () => void) => {
    const { pathname, searchParams } = new URL(request.originalUrl, origin)
    const { method = '', headers } = request
    hits.push({ method, path: pathname, query: searchParams, headers, body: request.body ?? {} })
    next()
  })
  const about = {
    resourceServerUrl: new URL(url),
    ...(scopes === undefined ? {} : { scopesSupported: [...scopes] }),
  }
  if (guardedBy === undefined) {
    const noLimit = { rateLimit: false } as const
    app.use(
      mcpAuthRouter({
        ...about,
        provider: own.provider,
        issuerUrl: new URL(origin),
        authorizationOptions: noLimit,
        clientRegistrationOptions: noLimit,
        tokenOptions: noLimit,
      }),
    )
  } else {
    app.use(mcpAuthMetadataRouter({ ...about, oauthMetadata: guardedBy.metadata as unknown as OAuthMetadata }))
  }
  const guard = requireBearerAuth({
    verifier: guardedBy?.verifier ?? own.provider,
    resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(new URL(url)),
    expectedResource: new URL(url),
  })
  const sessions = new Map<string, StreamableHTTPServerTransport>()
  app.all(path, guard, async (request: Asked, response: ServerResponse) => {
    const kept = sessions.get(String(request.headers['mcp-session-id'] ?? ''))
    const transport = kept ?? (await freshTransport(keepsSessions, tools, sessions))
    await transport.handleRequest(request, response, request.method === 'POST' ? request.body : undefined)
  })
  server.on('request', app)
  return {
    origin,
    url,
    hits,
    clients: own.clients,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

async function freshTransport(
  keepsSessions: boolean,
  tools: readonly string[],
  sessions: Map<string, StreamableHTTPServerTransport>,
): Promise<StreamableHTTPServerTransport> {
  const transport = new StreamableHTTPServerTransport(
    keepsSessions
      ? { sessionIdGenerator: randomUUID, onsessioninitialized: (id) => void sessions.set(id, transport) }
      : {},
  )
  const mcp = new McpServer({ name: 'judge', version: '1.0.0' })
  for (const name of tools) mcp.registerTool(name, {}, () => ({ content: [{ type: 'text', text: name }] }))
  await mcp.connect(transport as unknown as Parameters<typeof mcp.connect>[0])
  return transport
}

/** The SDK's own demonstration of an authorization server, with refresh tokens, which it leaves out. */
function ownProvider(url: string) {
  const provider = new DemoInMemoryAuthProvider((resource) => resource?.href === url)
  const { clientsStore } = provider
  let registered = 0
  const register = clientsStore.registerClient.bind(clientsStore)
  clientsStore.registerClient = (client) => {
    registered += 1
    return register(client)
  }
  const exchange = provider.exchangeAuthorizationCode.bind(provider)
  const verifyToken = provider.verifyAccessToken.bind(provider)
  provider.verifyAccessToken = (token) =>
    verifyToken(token).catch(() => Promise.reject(new InvalidTokenError('nobody was given this token')))
  const grants = new Map<string, { readonly scopes: string[]; readonly clientId: string }>()
  const withRefresh = async <T extends { scope?: string | undefined }>(clientId: string, tokens: T) => {
    const refresh = randomUUID()
    grants.set(refresh, { clientId, scopes: (tokens.scope ?? '').split(' ') })
    return { ...tokens, refresh_token: refresh }
  }
  provider.exchangeAuthorizationCode = async (client, code, verifier) =>
    withRefresh(client.client_id, await exchange(client, code, verifier))
  provider.exchangeRefreshToken = async (client, token, _scopes, resource) => {
    const grant = grants.get(token)
    if (grant === undefined || grant.clientId !== client.client_id || !grants.delete(token))
      throw new Error('unknown refresh token')
    const access = randomUUID()
    const known = { token: access, clientId: client.client_id, scopes: grant.scopes, expiresAt: Date.now() + 3_600_000 }
    ;(provider as unknown as { tokens: Map<string, unknown> }).tokens.set(access, { ...known, resource })
    return withRefresh(client.client_id, { access_token: access, token_type: 'bearer', expires_in: 3600, scope: '' })
  }
  return { provider, clients: () => registered }
}
