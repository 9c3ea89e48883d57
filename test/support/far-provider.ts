import { createServer, type IncomingHttpHeaders, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll } from 'vitest'

/** A request that reached the provider. */
export interface Received {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Reply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** A token endpoint and an API on loopback that do as the test says and remember who asked for what. */
export interface FarProvider {
  readonly origin: string
  readonly port: number
  readonly received: Received[]
  /** Form of the latest token request. */
  readonly tokenForm: () => URLSearchParams
  /** The template of a provider called `far`, as a project file holds it; more fields below it, each its own line. */
  readonly project: (...fields: string[]) => string
}

const open: (() => void)[] = []
afterAll(() => {
  for (const close of open) close()
})

/** Tokens are numbered: `access-1-…`, `refresh-1-…`. `reply` decides first; where it says nothing, all is granted. */
export async function openFarProvider(
  reply: (received: Received, count: number) => Reply | undefined = () => undefined,
): Promise<FarProvider> {
  const received: Received[] = []
  const server = createServer((incoming, outgoing) => {
    let body = ''
    incoming.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    incoming.once('end', () => {
      const url = new URL(incoming.url ?? '/', 'http://far')
      const { method = '', headers } = incoming
      const one = { method, path: url.pathname, query: url.searchParams, headers, body }
      received.push(one)
      const count = received.filter(({ path }) => path === one.path).length
      const { status = 200, headers: own = {}, body: said } = reply(one, count) ?? usual(one, count)
      const text = typeof said === 'string' ? said : JSON.stringify(said)
      outgoing.writeHead(status, { 'content-type': 'application/json', ...own }).end(text)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`
  return {
    origin,
    port,
    received,
    tokenForm: () => new URLSearchParams(received.findLast(({ path }) => path === '/token')?.body),
    project: (...fields) =>
      [
        'templates:',
        '  far:',
        '    display_name: Far',
        '    docs: https://far.example/docs',
        '    auth_mode: OAUTH2',
        `    authorization_url: ${origin}/authorize`,
        `    token_url: ${origin}/token`,
        '    proxy:',
        `      base_url: ${origin}/api`,
        ...fields.map((field) => `    ${field}`),
        '',
      ].join('\n'),
  }
}

function usual({ path, method, headers, body }: Received, count: number): Reply {
  if (path !== '/token') return { body: { path, method, authorization: headers.authorization ?? null, body } }
  return {
    body: {
      access_token: `access-${count}-bWFueSBsZXR0ZXJz`,
      refresh_token: `refresh-${count}-bWFueSBsZXR0ZXJz`,
      token_type: 'Bearer',
      expires_in: 3600,
    },
  }
}

/** The answer to an authorization request: its redirect URI with these parameters and, unless given, its state. */
export function callback(authorization: URL, params: Readonly<Record<string, string>>): URL {
  const url = new URL(authorization.searchParams.get('redirect_uri') ?? '')
  const state = authorization.searchParams.get('state') ?? ''
  for (const [name, value] of Object.entries({ state, ...params })) url.searchParams.set(name, value)
  return url
}

export interface Visited {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Visits as a browser would, but to the address that is named, whatever the host is. */
export function visit(
  url: URL,
  how: {
    readonly method?: string
    readonly address?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: string
    readonly port?: number
  } = {},
): Promise<Visited> {
  const { method = 'GET', address = '127.0.0.1', headers = {}, body, port = Number(url.port) } = how
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { method, host: address, port, path: url.pathname + url.search, headers: { host: url.host, ...headers } },
      (incoming) => {
        let text = ''
        incoming.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        incoming.once('error', reject)
        incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: text }))
      },
    )
    outgoing.once('error', reject)
    outgoing.end(body)
  })
}
