import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** A request that reached the provider, and what it answered. */
export interface Hit {
  readonly method: string
  /** Without its query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** The body as a form. */
  readonly form: URLSearchParams
}

export interface Reply {
  readonly status?: number | undefined
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined
  /** A value is sent as JSON. */
  readonly body?: unknown
}

/** What a path answers; `hang` never does. */
export type Script = (hit: Hit) => Reply | 'hang' | Promise<Reply | 'hang'>

export interface ScriptedProvider {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string
  readonly hits: readonly Hit[]
  readonly answers: readonly string[]
  /** The token requests among the hits. */
  readonly tokenRequests: () => Hit[]
  /** Resolves once this many requests have reached the path. */
  readonly reached: (path: string, count?: number) => Promise<void>
}

export interface ProviderTerms {
  /** By path; `/authorize` and `/token` have their own where none is given. */
  readonly routes?: Readonly<Record<string, Script>> | undefined
  /** Where every path without a script goes on to. */
  readonly upstream?: string | undefined
  /** Members of a token answer on top of the tokens, and instead of them. */
  readonly tokens?: Readonly<Record<string, unknown>> | undefined
}

/**
 * A provider on loopback that keeps all it hears. It sends every visitor back with a code, issues tokens that rotate,
 * and never takes a refresh token twice.
 */
export async function openProvider({
  routes = {},
  upstream,
  tokens = {},
}: ProviderTerms = {}): Promise<ScriptedProvider> {
  const hits: Hit[] = []
  const answers: string[] = []
  const waiting = new Set<() => void>()
  const own: Record<string, Script> = { '/authorize': sendBack, '/token': issuer(tokens), ...routes }
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://provider')
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString('utf8')
    const hit: Hit = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body,
      form: new URLSearchParams(body),
    }
    hits.push(hit)
    for (const look of waiting) look()
    const script = Object.hasOwn(routes, hit.path) || upstream === undefined ? own[hit.path] : undefined
    if (script === undefined && upstream !== undefined)
      return passOn(upstream, request.url ?? '/', hit, response, answers)
    const reply = (await script?.(hit)) ?? { status: 404, body: { error: 'not_found' } }
    if (reply === 'hang') return
    const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body ?? {})
    answers.push(text)
    response.writeHead(reply.status ?? 200, {
      'content-type': typeof reply.body === 'string' ? 'text/html' : 'application/json',
      ...reply.headers,
    } as Record<string, string>)
    response.end(text)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const arrived = (path: string): number => hits.filter((hit) => hit.path === path).length
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hits,
    answers,
    tokenRequests: () => hits.filter(({ path }) => path === '/token'),
    reached: (path, count = 1) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (arrived(path) < count) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
  }
}

/** The way back with a code, whoever asks. */
export function sendBack({ query }: Hit): Reply {
  const back = new URL(query.get('redirect_uri') ?? '')
  back.searchParams.set('code', mint('code'))
  back.searchParams.set('state', query.get('state') ?? '')
  return { status: 302, headers: { location: back.href } }
}

function issuer(extra: Readonly<Record<string, unknown>>): Script {
  const good = new Set<string>()
  return ({ form }) => {
    const spent = form.get('refresh_token')
    if (form.get('grant_type') === 'refresh_token' && (spent === null || !good.delete(spent))) {
      good.clear()
      return { status: 400, body: { error: 'invalid_grant', error_description: 'refresh token was used before' } }
    }
    const next = mint('refresh')
    good.add(next)
    return {
      body: { access_token: mint('access'), token_type: 'Bearer', expires_in: 3600, refresh_token: next, ...extra },
    }
  }
}

/** Unlike any other of this run. */
export function mint(what: string): string {
  return `${what}-${randomBytes(24).toString('base64url')}`
}

function passOn(upstream: string, target: string, hit: Hit, response: ServerResponse, answers: string[]): void {
  const { host: _, ...headers } = hit.headers
  const onward = send(new URL(target, upstream), { method: hit.method, headers }, (answer) => {
    let text = ''
    response.writeHead(answer.statusCode ?? 500, answer.headers)
    answer.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8')
      response.write(chunk)
    })
    answer.on('end', () => {
      answers.push(text)
      response.end()
    })
    answer.on('error', () => response.destroy())
  })
  onward.on('error', () => response.destroy())
  response.on('close', () => onward.destroy())
  onward.end(hit.body)
}

/** An `auth-cli.yaml` with one template, `acme`, whose endpoints are this provider's. */
export function templateOf(origin: string, fields: Readonly<Record<string, unknown>> = {}): string {
  const template = {
    display_name: 'Acme',
    auth_mode: 'OAUTH2',
    authorization_url: `${origin}/authorize`,
    token_url: `${origin}/token`,
    proxy: { base_url: origin },
    ...fields,
  }
  return JSON.stringify({ templates: { acme: template } })
}
