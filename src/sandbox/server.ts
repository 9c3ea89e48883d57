import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Answer, json, type Route, type Visit } from './answer.ts'

/** A request that arrived and what became of it. Holds neither queries, headers nor bodies, and so no secrets. */
export interface SandboxRequest {
  /** ISO 8601. */
  readonly at: string
  readonly method: string
  /** Percent-encoded, without its query. */
  readonly path: string
  /** `grant_type` of a token request, where it is one that the sandbox knows. */
  readonly grant?: 'authorization_code' | 'refresh_token'
  /** Undefined where no whole answer was sent. */
  readonly status: number | undefined
}

/** A provider that runs in this process. */
export interface Sandbox {
  /** `http://localhost:PORT`: its issuer, and the base of its API. */
  readonly origin: string
  readonly port: number
  /** The latest thousand requests, oldest first. */
  readonly requests: readonly SandboxRequest[]
  /** Stops listening and ends every open connection. */
  close(): Promise<void>
}

type Arrival = { -readonly [Name in keyof SandboxRequest]: SandboxRequest[Name] }

const largestBody = 64 * 1024
const lateBy = 3000

class Unreadable extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** The target of a request; undefined for what is no path of ours. */
function parseTarget(request: IncomingMessage, origin: string): URL | undefined {
  const target = request.url ?? ''
  const text = target.startsWith('/') ? origin + target : target
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  return /^https?:$/.test(url.protocol) && isOurHost(url.host, url.port || '80') ? url : undefined
}

/** A name that a page elsewhere points at this machine is not ours: that is how DNS rebinding begins. */
function isOurHost(host: string | undefined, port: string | number): boolean {
  const names = ['localhost', '127.0.0.1', '[::1]']
  return names.some((name) => host === `${name}:${port}` || (String(port) === '80' && host === name))
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    // What is too much is read all the same, and dropped: whoever is still sending would not hear the answer.
    if (size <= largestBody) chunks.push(chunk)
  }
  if (size > largestBody) throw new Unreadable(413, 'The body is larger than 64 KB.')
  return Buffer.concat(chunks)
}

function deliver(answer: Answer, response: ServerResponse): void {
  const { socket } = response
  const length = Buffer.byteLength(answer.body)
  const send = () => {
    response.writeHead(answer.status, { ...answer.headers, 'content-length': length })
    response.end(answer.body)
  }
  if (answer.delivery === 'never') return
  if (answer.delivery === 'reset') {
    socket?.resetAndDestroy()
  } else if (answer.delivery === 'late') {
    setTimeout(send, lateBy).unref()
  } else if (answer.delivery === 'cut') {
    response.writeHead(answer.status, { ...answer.headers, 'content-length': length })
    response.write(answer.body.slice(0, Math.floor(answer.body.length / 2)), () => socket?.destroySoon())
  } else send()
}

/** Reads one request, lets the right route answer it, and never throws. */
async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  origin: string,
  choose: (method: string, path: string) => Route,
  arrival: Arrival,
): Promise<void> {
  try {
    const url = parseTarget(request, origin)
    if (!url) throw new Unreadable(400, 'This is not a path on this server.')
    arrival.path = url.pathname
    if (!isOurHost(request.headers.host, new URL(origin).port || '80'))
      throw new Unreadable(421, 'This is not my name.')
    const bytes = await readBody(request)
    const body = bytes.toString()
    const { method = 'GET', headers } = request
    const { pathname: path, searchParams: query, search } = url
    const visit: Visit = { method, path, query, search, headers, body, bytes }
    if (method === 'POST' && url.pathname === '/token') {
      const grant = new URLSearchParams(body).get('grant_type')
      if (grant === 'authorization_code' || grant === 'refresh_token') arrival.grant = grant
    }
    deliver(choose(method, url.pathname)(visit), response)
  } catch (error) {
    if (response.headersSent || response.destroyed) return
    deliver(apologize(error), response)
  }
}

/** Names what went wrong by its code alone: a message may quote what was sent. */
function apologize(error: unknown): Answer {
  if (error instanceof Unreadable) {
    return json(error.status, { error: 'invalid_request', error_description: error.message }, { connection: 'close' })
  }
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? 'a bug'
  return json(500, { error: 'server_error', error_description: `The sandbox itself failed: ${code}.` })
}

function refuseGarbage(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, exclusive: true }, () => {
      server.removeListener('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}

const stop = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

/** Both loopback families at one port, or IPv4 alone where this machine has no IPv6. */
async function listenOnLoopback(port: number, make: () => Server): Promise<{ port: number; servers: Server[] }> {
  for (let attempt = 1; ; attempt += 1) {
    const four = make()
    const taken = await listen(four, port, '127.0.0.1')
    const six = make()
    try {
      await listen(six, taken, '::1')
      return { port: taken, servers: [four, six] }
    } catch (error) {
      const code = String((error as NodeJS.ErrnoException).code)
      if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT') return { port: taken, servers: [four] }
      await stop(four)
      // A free port was asked for and is free for one family only: another one will do.
      if (port !== 0 || code !== 'EADDRINUSE' || attempt === 20) throw error
    }
  }
}

/** Opens the server. `arrived` learns of each request when it comes, `answered` when it is over. */
export async function openServer(options: {
  readonly port: number
  readonly choose: (method: string, path: string) => Route
  readonly now: () => number
  readonly arrived: (request: SandboxRequest) => void
  readonly answered: (request: SandboxRequest) => void
}): Promise<{ readonly port: number; readonly origin: string; close(): Promise<void> }> {
  let origin = ''
  const make = () => {
    const server = createServer((request, response) => {
      const at = new Date(options.now()).toISOString()
      const arrival: Arrival = { at, method: request.method ?? '', path: '', status: undefined }
      options.arrived(arrival)
      response.once('close', () => {
        if (response.writableFinished) arrival.status = response.statusCode
        options.answered(arrival)
      })
      void serve(request, response, origin, options.choose, arrival)
    })
    // A connection that could not be accepted (no file descriptors left) must not end the process.
    return server.on('clientError', refuseGarbage).on('error', () => {})
  }
  const { port, servers } = await listenOnLoopback(options.port, make)
  origin = `http://localhost:${port}`
  return { port, origin, close: async () => void (await Promise.all(servers.map(stop))) }
}
