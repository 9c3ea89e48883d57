import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Cancelled } from '../model/errors.ts'
import type { StrayReason } from '../model/event.ts'
import type { Listening } from '../model/integration.ts'
import { pathOf, queryOf, type Rules, refuse } from './admission.ts'
import { bind, shut } from './bind.ts'
import type { Verdict } from './callback.ts'
import { type Page, renderPage } from './page.ts'

/** A hit that was not the callback. `path` is without its query; of the parameters it quotes only what they claim as error or issuer. */
export interface StrayHit {
  readonly reason: StrayReason
  /** `?` where the request could not even be parsed. */
  readonly method: string
  readonly path: string
  readonly detail?: string | undefined
}

export interface LoopbackOptions {
  /** Pure and quick. What it throws counts as a stray hit: the parameters are anybody's. */
  readonly judge: (params: URLSearchParams) => Verdict
  readonly onStray: (hit: StrayHit) => void
  /** Its abort rejects `visit` with its reason, tells a held browser that it is over, and closes. */
  readonly signal: AbortSignal
  /** With it the listener speaks https. */
  readonly certificate?: { readonly cert: string; readonly key: string } | undefined
  /** Masks secrets in every text that a page shows or `onStray` is told. */
  readonly scrub?: ((text: string) => string) | undefined
}

/** The one visit that counts. `verdict` is never `stray`. */
export interface Visit {
  readonly via: 'GET' | 'POST'
  readonly verdict: Exclude<Verdict, { readonly kind: 'stray' }>
  /** All of them, unknown ones included. */
  readonly params: URLSearchParams
}

/** A listener that opens once: one visit settles it, and its browser is held until somebody knows what to tell it. */
export interface Loopback {
  readonly port: number
  readonly addresses: readonly string[]
  /**
   * Rejects with the signal's reason, or with Cancelled when closed before anybody came. Stays open after `settle`.
   * Never an unhandled rejection.
   */
  readonly visit: Promise<Visit>
  /** Shows the page to the held browser; resolves once it is on its way or the browser is gone. Without one: nothing. */
  answer(page: Page): Promise<void>
  /** The answer came another way (a paste): whoever comes from now on is told that it is answered. */
  settle(): void
  /** Frees the port and ends every socket; a browser still held is told that the attempt has ended. May be repeated. */
  close(): Promise<void>
}

/** Largest form body, in bytes. */
const largestBody = 64 * 1024
/** Bytes of a body that is too large which are still read, so that its sender gets to see the refusal. */
const largestRead = 1024 * 1024
/** Largest request line and headers together, in bytes: room for a code far longer than any seen. */
const largestHead = 32 * 1024
/** Milliseconds for a request's headers, and for the whole of it: local programs that dawdle tie up nothing. */
const headTime = 10_000
const requestTime = 15_000
/** Milliseconds after which a browser that does not read its page is let go. */
const farewellTime = 2000

/**
 * Listens on literal loopback addresses only. Whatever is not the callback gets an honest page, is reported to
 * `onStray`, and changes nothing.
 * Throws TransportError `PORT_IN_USE`, `PORT_FORBIDDEN`, `LOOPBACK_UNAVAILABLE`, and the signal's reason.
 */
export async function openLoopback(listening: Listening, options: LoopbackOptions): Promise<Loopback> {
  const { signal, scrub } = options
  signal.throwIfAborted()
  const sockets = new Set<Socket>()
  const wait = waitForOne()
  const desk: Desk = { wait, options, rules: listening, served: new WeakSet(), troubles: new Set() }
  const tls = options.certificate === undefined ? undefined : await import('./secure-server.ts')
  const bound = await bind(listening, () => newServer(desk, sockets, tls))

  let farewell = Promise.resolve()
  const answer = (page: Page): Promise<void> => {
    const held = wait.held()
    if (held) farewell = send(held, page, scrub)
    return farewell
  }
  let closing: Promise<void> | undefined
  const close = (reason: unknown): Promise<void> => {
    closing ??= (async () => {
      signal.removeEventListener('abort', onAbort)
      wait.refuse(reason)
      const freed = Promise.all(bound.servers.map(shut))
      await answer({ kind: 'stopped' })
      for (const socket of sockets) socket.destroy()
      await freed
    })()
    return closing
  }
  const onAbort = () => void close(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) {
    await close(signal.reason)
    signal.throwIfAborted()
  }

  return {
    port: bound.port,
    addresses: bound.addresses,
    visit: wait.visit,
    answer,
    settle: wait.settle,
    close: () => close(new Cancelled('The listener was closed.')),
  }
}

/** What the handler of requests works with. */
interface Desk {
  readonly wait: Wait
  readonly options: LoopbackOptions
  readonly rules: Rules
  /** Connections that have had their one request. */
  readonly served: WeakSet<Duplex>
  /** What kept handshakes from success, told once each. */
  readonly troubles: Set<string>
}

/** The state of the wait: open until settled, once. */
interface Wait {
  readonly visit: Promise<Visit>
  /** Settles with the first; later ones change nothing. */
  accept(visit: Visit, response: ServerResponse): void
  settle(): void
  refuse(reason: unknown): void
  isSettled(): boolean
  /** The response to the visit that counts, while nothing has been sent in it. */
  held(): ServerResponse | undefined
}

function waitForOne(): Wait {
  let settled = false
  let held: ServerResponse | undefined
  let resolve: (visit: Visit) => void = () => {}
  let reject: (reason: unknown) => void = () => {}
  const visit = new Promise<Visit>((fulfil, fail) => {
    resolve = fulfil
    reject = fail
  })
  visit.catch(() => {})
  return {
    visit,
    accept(arrived, response) {
      if (settled) return
      settled = true
      held = response
      resolve(arrived)
    },
    settle() {
      settled = true
    },
    refuse(reason) {
      settled = true
      reject(reason)
    },
    isSettled: () => settled,
    held: () => (held?.headersSent || held?.destroyed ? undefined : held),
  }
}

const serverTerms = {
  maxHeaderSize: largestHead,
  headersTimeout: headTime,
  requestTimeout: requestTime,
  connectionsCheckingInterval: 1000,
  // A missing Host is ours to report, not Node's to answer.
  requireHostHeader: false,
}

function newServer(desk: Desk, sockets: Set<Socket>, tls: typeof import('./secure-server.ts') | undefined): Server {
  const { certificate } = desk.options
  const server: Server & { httpAllowHalfOpen?: boolean } =
    tls === undefined || certificate === undefined
      ? createServer(serverTerms)
      : tls.secureServer({ ...serverTerms }, certificate)
  // Every answer says that the connection closes, so what is pipelined behind a request is not looked at (RFC 9112 §9.6).
  server.maxRequestsPerSocket = 1
  // A client that has said all it has to say (`nc`, a script) still wants its page.
  server.httpAllowHalfOpen = true
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    receive(desk, request, response).catch((bug) => {
      desk.wait.refuse(bug)
      response.destroy()
    })
  }
  server.on('request', onRequest)
  server.on('checkExpectation', onRequest)
  server.on('dropRequest', (request: IncomingMessage) => {
    report(desk, request, 'body unusable', 'a second request in the same connection')
  })
  server.on('clientError', (error, socket) => rejectUnparsed(desk, error, socket))
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const trouble = tls?.handshakeTrouble(error) ?? ''
    // Browsers open connections that they never use, and one that warns tries again and again: once is enough.
    if (error.code !== 'ECONNRESET' && !desk.troubles.has(trouble)) {
      desk.troubles.add(trouble)
      desk.options.onStray({ reason: 'body unusable', method: '?', path: '?', detail: trouble })
    }
    socket.destroy()
  })
  return server
}

async function receive(desk: Desk, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { wait, options, rules, served } = desk
  served.add(request.socket)
  // A browser that goes away in the middle is no failure of ours.
  request.on('error', () => {})
  response.on('error', () => {})
  const turnAway = (reason: StrayReason, detail?: string, status?: number): Promise<void> => {
    report(desk, request, reason, detail)
    return send(response, { kind: 'stray', reason, isOver: wait.isSettled() }, options.scrub, status)
  }

  const refusal = refuse(request, rules)
  if (refusal) return turnAway(refusal.reason, refusal.detail)
  const read = await readParams(request)
  if ('problem' in read) return turnAway('body unusable', read.problem, read.status)
  if (wait.isSettled()) return turnAwayLate(desk, request, response)
  if (read.text === '') {
    if (request.method === 'POST') return turnAway('no parameters')
    report(desk, request, 'no parameters')
    return send(response, { kind: 'fragment' }, options.scrub)
  }
  const params = new URLSearchParams(read.text)
  const verdict = judged(options.judge, params)
  if (verdict.kind === 'stray') return turnAway(verdict.reason, verdict.detail)
  wait.accept({ via: request.method === 'POST' ? 'POST' : 'GET', verdict, params }, response)
}

/** A second delivery, a reload for instance: while the first is held, this one says that work is under way. */
function turnAwayLate(desk: Desk, request: IncomingMessage, response: ServerResponse): Promise<void> {
  report(desk, request, 'already answered')
  const page: Page = desk.wait.held()
    ? { kind: 'waiting' }
    : { kind: 'stray', reason: 'already answered', isOver: true }
  return send(response, page, desk.options.scrub)
}

function judged(judge: LoopbackOptions['judge'], params: URLSearchParams): Verdict {
  try {
    return judge(params)
  } catch (error) {
    const name = error instanceof Error ? error.name : typeof error
    return { kind: 'stray', reason: 'body unusable', detail: `its parameters could not be judged (${name})` }
  }
}

function report({ options }: Desk, request: IncomingMessage, reason: StrayReason, detail?: string): void {
  const { scrub = (text: string) => text } = options
  const path = scrub(pathOf(request.url ?? '')).slice(0, 200)
  options.onStray({ reason, method: request.method ?? '?', path, detail: detail && scrub(detail) })
}

type Read = { readonly text: string } | { readonly problem: string; readonly status: number }

/** The form-encoded parameters: a POST's body, or the query where there is no body (a forwarded POST keeps its method). */
async function readParams(request: IncomingMessage): Promise<Read> {
  const query = queryOf(request.url ?? '')
  if (request.method === 'GET') return { text: query }
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of request) {
      size += chunk.length
      if (size > largestRead) break
      if (size <= largestBody) chunks.push(chunk)
    }
  } catch {
    return { problem: 'the body did not arrive whole', status: 400 }
  }
  if (size > largestBody) return { problem: 'the body is larger than 64 KB', status: 413 }
  if (size === 0) return { text: query }
  const [type = ''] = (request.headers['content-type'] ?? '').split(';')
  if (type.trim().toLowerCase() !== 'application/x-www-form-urlencoded' || request.headers['content-encoding']) {
    return { problem: 'the body is not a plain application/x-www-form-urlencoded', status: 415 }
  }
  return { text: Buffer.concat(chunks).toString('utf8') }
}

/** Resolves when the page has left and its socket is closed, or the browser is gone. Never rejects. */
function send(response: ServerResponse, page: Page, scrub: LoopbackOptions['scrub'], status?: number): Promise<void> {
  const { socket } = response
  if (!socket || socket.destroyed) return Promise.resolve()
  const rendered = renderPage(page, scrub)
  response.statusCode = status ?? rendered.status
  for (const [name, value] of rendered.headers) response.setHeader(name, value)
  response.setHeader('Connection', 'close')
  if (response.statusCode === 405) response.setHeader('Allow', 'GET, POST')
  return new Promise((resolve) => {
    const giveUp = setTimeout(() => socket.destroy(), farewellTime).unref()
    socket.once('close', () => {
      clearTimeout(giveUp)
      resolve()
    })
    response.end(rendered.body)
  })
}

/** What Node could not parse as a request: too large, too slow, or no HTTP at all. */
function rejectUnparsed(desk: Desk, error: Error & { code?: string; rawPacket?: Buffer }, socket: Duplex): void {
  if (desk.served.has(socket) || (socket as Socket).bytesRead === 0 || error.code === 'ECONNRESET') {
    return void socket.destroy()
  }
  desk.options.onStray({ reason: 'body unusable', method: '?', path: '?', detail: unparsed(error) })
  if (!socket.writable) return void socket.destroy()
  const status = statusLines[error.code ?? ''] ?? '400 Bad Request'
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nCache-Control: no-store\r\nContent-Length: 0\r\n\r\n`, () =>
    socket.destroy(),
  )
}

const statusLines: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

function unparsed({ code, rawPacket }: { readonly code?: string; readonly rawPacket?: Buffer }): string {
  if (code === 'HPE_HEADER_OVERFLOW') return 'address and headers are larger than 32 KB'
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'it did not arrive whole in time'
  const [first] = rawPacket ?? []
  return first === 0x16 ? 'it speaks https, and we listen for http' : 'it is not HTTP'
}
