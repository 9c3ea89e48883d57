import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import OAuth2Server from '@node-oauth/oauth2-server'

export interface RegisteredClient {
  readonly id: string
  /** Absent: a public client. */
  readonly secret?: string | undefined
}

export interface PlainServer {
  readonly origin: string
  /** Authorization headers that came to the token endpoint, empty where there was none. */
  readonly authorizations: string[]
  close(): Promise<void>
}

/** Whatever the library hands over, kept as it is. */
type Kept = Record<string, unknown>

/**
 * `@node-oauth/oauth2-server` behind node:http, on a free port: it compares Basic credentials undecoded, sends a challenge
 * beside its errors, and approves by itself. `/me` is its API.
 */
export async function openOAuth2Server(clients: readonly RegisteredClient[]): Promise<PlainServer> {
  const codes = new Map<string, Kept>()
  const accessTokens = new Map<string, Kept>()
  const refreshTokens = new Map<string, Kept>()
  const person = { id: 'someone' }
  const keep = (token: Kept, client: unknown, user: unknown): Kept => {
    const kept = { ...token, client, user }
    accessTokens.set(String(token['accessToken']), kept)
    if (token['refreshToken'] !== undefined) refreshTokens.set(String(token['refreshToken']), kept)
    return kept
  }
  const model = {
    getClient: async (id: string, secret: string | null | undefined) => {
      const client = clients.find((one) => one.id === id)
      if (client === undefined) return null
      const isProven = secret === null || (client.secret ?? undefined) === (secret ?? undefined)
      return isProven
        ? { id, grants: ['authorization_code', 'refresh_token'], redirectUris: ['http://localhost/oauth/callback'] }
        : null
    },
    validateRedirectUri: async (uri: string) => /^http:\/\/localhost:\d+\/oauth\/callback$/.test(uri),
    validateScope: async (_: unknown, __: unknown, scope: string[] | undefined) => scope,
    saveAuthorizationCode: async (code: Kept, client: unknown, user: unknown) => {
      const kept = { ...code, client, user }
      codes.set(String(code['authorizationCode']), kept)
      return kept
    },
    getAuthorizationCode: async (code: string) => codes.get(code),
    revokeAuthorizationCode: async (code: Kept) => codes.delete(String(code['authorizationCode'])),
    saveToken: async (token: Kept, client: unknown, user: unknown) => keep(token, client, user),
    getAccessToken: async (token: string) => accessTokens.get(token),
    getRefreshToken: async (token: string) => refreshTokens.get(token),
    revokeToken: async (token: Kept) => refreshTokens.delete(String(token['refreshToken'])),
  }
  // Its types ask for more than its library does.
  const oauth = new OAuth2Server({ model: model as never, requireClientAuthentication: { refresh_token: false } })
  const authorizations: string[] = []

  const answer = async (visit: IncomingMessage): Promise<OAuth2Server.Response> => {
    const url = new URL(visit.url ?? '/', 'http://localhost')
    const request = new OAuth2Server.Request({
      method: visit.method ?? 'GET',
      headers: visit.headers as Record<string, string>,
      query: Object.fromEntries(url.searchParams),
      body: Object.fromEntries(new URLSearchParams(await bodyOf(visit))),
    })
    const response = new OAuth2Server.Response({ headers: {} })
    try {
      if (url.pathname === '/authorize')
        await oauth.authorize(request, response, { authenticateHandler: { handle: () => person } })
      else if (url.pathname === '/token') {
        authorizations.push(visit.headers.authorization ?? '')
        await oauth.token(request, response)
      } else {
        await oauth.authenticate(request, response)
        response.body = person
      }
    } catch (error) {
      if (response.status === 200) response.status = (error as { code: number }).code
      if (Object.keys(response.body ?? {}).length === 0) response.body = { error: (error as Error).message }
    }
    return response
  }

  const server = createServer((visit, reply) => {
    void answer(visit).then(({ status, headers, body }) => {
      reply.writeHead(status ?? 200, { 'content-type': 'application/json', ...headers })
      reply.end(body === undefined ? '' : JSON.stringify(body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    authorizations,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function bodyOf(visit: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of visit.setEncoding('utf8')) text += chunk
  return text
}
