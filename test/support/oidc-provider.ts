import { generateKeyPairSync } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What crossed the certified server's token endpoint. */
export interface TokenVisit {
  readonly authorization: string
  readonly body: Readonly<Record<string, string>>
  readonly status: number
}

export interface CertifiedServer {
  readonly issuer: string
  readonly tokenVisits: TokenVisit[]
  /** From now on the keys it publishes are not those that it signs with. */
  publishOtherKeys(others: boolean): void
  /** What an access token of its own is good for. */
  knows(token: string): Promise<IssuedToken | undefined>
  close(): Promise<void>
}

export interface IssuedToken {
  readonly clientId: string
  readonly audience: string
  readonly scopes: readonly string[]
  /** Seconds. */
  readonly expiresAt: number
}

const keyNamed = (kid: string): Record<string, unknown> => ({
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
  kid,
  use: 'sig',
  alg: 'ES256',
})

/** A client that takes any loopback port, as the certified server's configuration wants it. */
export function oidcClient(id: string, method: string, secret?: string): Record<string, unknown> {
  return {
    client_id: id,
    ...(secret === undefined ? {} : { client_secret: secret }),
    token_endpoint_auth_method: method,
    application_type: 'native',
    redirect_uris: ['http://localhost/oauth/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    id_token_signed_response_alg: 'ES256',
  }
}

/**
 * `oidc-provider`, which is certified and which we did not write, on a free port; refresh tokens rotate. `more`: settings of
 * its own, on top.
 */
export async function openOidcProvider(
  clients: readonly Record<string, unknown>[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<CertifiedServer> {
  const { info, warn } = console
  // It tells the console about its defaults and about the Node it does not know, at its first requests too.
  console.info = console.warn = () => {}
  // @ts-expect-error it brings no types
  const { default: Provider } = await import('oidc-provider')
  const server: Server = createServer()
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`
  const tokenVisits: TokenVisit[] = []
  let others = false
  const signing = keyNamed('one')
  const { d: _, ...other } = keyNamed('one')
  const provider = new Provider(issuer, {
    clients,
    jwks: { keys: [signing] },
    cookies: { keys: ['practice'] },
    scopes: ['openid', 'offline_access', 'profile', 'api:read'],
    claims: { openid: ['sub'], profile: ['name'] },
    issueRefreshToken: async () => true,
    rotateRefreshToken: true,
    pkce: { required: () => false },
    findAccount: async (_: unknown, id: string) => ({
      accountId: id,
      claims: async () => ({ sub: id, name: 'Some One' }),
    }),
    ...more,
  })
  // biome-ignore lint/suspicious/noExplicitAny: koa's context, of a package without types.
  provider.use(async (ctx: any, next: () => Promise<void>) => {
    await next()
    if (ctx.path === '/jwks' && others) ctx.body = { keys: [other] }
    if (ctx.path === '/token') {
      tokenVisits.push({ authorization: ctx.get('authorization'), body: { ...ctx.oidc?.body }, status: ctx.status })
    }
  })
  server.on('request', provider.callback())
  return {
    issuer,
    tokenVisits,
    knows: async (token) => {
      const found = await provider.AccessToken.find(token)
      if (found === undefined) return undefined
      return { clientId: found.clientId, audience: found.aud, scopes: [...found.scopes], expiresAt: found.exp }
    },
    publishOtherKeys(yes) {
      others = yes
    },
    close: () =>
      new Promise((resolve) => {
        Object.assign(console, { info, warn })
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
