import { subscribe } from 'node:diagnostics_channel'
import { lookup } from 'node:dns'
import type { LookupFunction, Socket } from 'node:net'
import { Readable } from 'node:stream'
import type * as Undici from 'undici'
import { TransportError, UsageError } from '../model/errors.ts'
import type { Header } from '../model/event.ts'
import type { Answer, Outgoing, World } from '../model/world.ts'
import { decode } from './decode.ts'
import { describePeer, endLeg, type Legs, type Line, type Moments, readTiming, startLine, watchLine } from './legs.ts'
import { explainAbort, explainFailure, refusedByProxy, type Target } from './road-failure.ts'

/** One request on its way, and what was learned about the road it took. */
interface Errand {
  readonly moments: Moments
  readonly target: Target
  readonly signal: AbortSignal
  readonly resolve: (answer: Answer) => void
  readonly reject: (failure: unknown) => void
  /** Set once the request is on a socket. */
  controller?: Undici.Dispatcher.DispatchController | undefined
  legs?: Legs | undefined
  peer?: string | undefined
  /** The answer's body as it crosses, once the headers are in. */
  source?: Readable | undefined
  /** What ended it early; whatever the road says afterwards is only an echo. */
  failure?: unknown
  /** Takes it off the road; every call after the first does nothing. */
  settle: () => void
}

/** Milliseconds. A request that takes longer than its caller likes is ended by its signal, not by this. */
const connectTimeout = 30_000
/** Milliseconds before the next address of a host is tried; Node's own 250 gives up on roads that are merely long. */
const nextAddressAfter = 1_000
/** Bytes. */
const mostHeaders = 64 * 1024

/**
 * Sends one request and gives the answer, as it crossed: no redirect followed, nothing retried, nothing added. The proxy
 * is `env`'s; loopback always goes direct. Idle connections wait for the next request, and keep no process alive.
 */
export function makeSend(env: World['env']): World['send'] {
  const roads = new Map<string, Road>()
  return async (request) => {
    const started = performance.now()
    const url = readUrl(request.url)
    const road = roadFor(roads, env, request.certificate)
    const dispatcher = await dispatcherFor(road, url)
    return new Promise((resolve, reject) => {
      const errand = startErrand(road, {
        moments: { started },
        target: targetOf(url),
        signal: request.signal,
        resolve,
        reject,
      })
      try {
        if (errand.failure === undefined) dispatcher.dispatch(optionsOf(url, request, errand), handlerOf(errand))
      } catch (error) {
        fail(errand, error)
      }
    })
  }
}

/** Starts loading what the first request needs, so that it need not wait for it. */
export function preload(): void {
  loadUndici().catch(() => {})
}

// --- One errand -----------------------------------------------------------------------------------------------------

function startErrand(road: Road, given: Omit<Errand, 'settle'>): Errand {
  const { signal } = given
  const errand: Errand = {
    ...given,
    settle() {
      errand.moments.ended ??= performance.now()
      signal.removeEventListener('abort', abort)
      road.running.delete(errand)
    },
  }
  const abort = (): void => {
    fail(errand, explainAbort(signal.reason, errand.target))
    if (errand.controller) errand.controller.abort(errand.failure as Error)
    else abandonRoad(road)
  }
  road.running.add(errand)
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()
  return errand
}

function fail(errand: Errand, error: unknown): void {
  errand.failure ??= explainFailure(error, errand.target, { hasAnswered: errand.source !== undefined })
  errand.settle()
  errand.source?.destroy(errand.failure as Error)
  errand.reject(errand.failure)
}

function handlerOf(errand: Errand): Undici.Dispatcher.DispatchHandler {
  return {
    onRequestStart(controller) {
      if (errand.failure !== undefined) return controller.abort(errand.failure as Error)
      errand.controller = controller
      starting = errand
    },
    onResponseStart(controller, status, _headers, statusText = '') {
      if (status < 200) return
      errand.moments.answered = performance.now()
      errand.source = sourceOf(errand, controller)
      errand.resolve(answerOf(errand, errand.source, status, statusText, readHeaders(controller.rawHeaders)))
    },
    onResponseData(controller, chunk) {
      if (errand.source?.push(chunk) === false) controller.pause()
    },
    onResponseEnd() {
      errand.settle()
      // undici needs these two turns to see the connection as free: a request sent sooner would open another.
      setImmediate(() => setImmediate(() => errand.source?.push(null)))
    },
    onResponseError(_controller, error) {
      fail(errand, error)
    },
  }
}

// --- The answer -----------------------------------------------------------------------------------------------------

function answerOf(
  errand: Errand,
  source: Readable,
  status: number,
  statusText: string,
  headers: readonly Header[],
): Answer {
  return {
    status,
    statusText,
    headers,
    body: readBody(errand, source, headers),
    timing: () => readTiming(errand.moments, errand.legs ?? {}),
    peer: errand.peer,
  }
}

/** Leaving the loop before the end destroys the socket: nothing more is read, nothing more is inflated. */
async function* readBody(errand: Errand, source: Readable, headers: readonly Header[]): AsyncGenerator<Uint8Array> {
  try {
    yield* decode(source, headers)
  } catch (error) {
    throw errand.failure ?? explainFailure(error, errand.target, { hasAnswered: true })
  } finally {
    source.destroy()
  }
}

/** The body as it crosses, no faster than it is read. */
function sourceOf(errand: Errand, controller: Undici.Dispatcher.DispatchController): Readable {
  const source = new Readable({
    read() {
      controller.resume()
    },
    destroy(error, done) {
      // Harmless once the body is complete; before that it closes the socket.
      controller.abort(error ?? new Error('The rest of the body is not wanted.'))
      errand.settle()
      done(error)
    },
  })
  // Whoever reads the body meets the error there; nobody may be reading yet.
  source.on('error', () => {})
  return source
}

function readHeaders(raw: Undici.Dispatcher.DispatchController['rawHeaders']): Header[] {
  const flat = Array.isArray(raw) ? raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1'))) : []
  return Array.from({ length: flat.length >> 1 }, (_, at) => [flat[2 * at] ?? '', flat[2 * at + 1] ?? ''] as const)
}

// --- The request ----------------------------------------------------------------------------------------------------

function optionsOf(url: URL, { method, headers, body }: Outgoing, errand: Errand): Undici.Dispatcher.DispatchOptions {
  return {
    origin: url.origin,
    path: url.pathname + url.search,
    method,
    // Pairs from an iterator are the one form that keeps order and duplicates on every road, proxies included.
    headers: { [Symbol.iterator]: () => headers.map(([name, value]): [string, string] => [name, value]).values() },
    body: isChunks(body) ? guard(body, errand) : body,
  } as Undici.Dispatcher.DispatchOptions
}

function isChunks(body: Outgoing['body']): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && Symbol.asyncIterator in body
}

/** When the caller's own body fails, that very failure is what the caller gets. */
async function* guard(chunks: AsyncIterable<Uint8Array>, errand: Errand): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks
  } catch (error) {
    errand.failure ??= error
    throw error
  }
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new UsageError('BAD_URL', 'Only http:// and https:// URLs can be requested.')
}

function targetOf({ protocol, hostname, host }: Pick<URL, 'protocol' | 'hostname' | 'host'>): Target {
  return { protocol: protocol === 'https:' ? 'https:' : 'http:', hostname, host }
}

// --- The road -------------------------------------------------------------------------------------------------------

/** Connections that show the same certificate, or none, are shared. */
interface Road {
  readonly env: World['env']
  readonly certificate: Outgoing['certificate']
  direct?: Undici.Dispatcher | undefined
  proxied?: Undici.Dispatcher | undefined
  /** Sockets that are still being made. */
  readonly connecting: Set<Socket>
  readonly running: Set<Errand>
}

/** A connection that showed one certificate must never carry the request of another. */
function roadFor(roads: Map<string, Road>, env: World['env'], certificate: Outgoing['certificate']): Road {
  const key = certificate === undefined ? '' : JSON.stringify([certificate.cert, certificate.key])
  const road = roads.get(key) ?? { env, certificate, connecting: new Set(), running: new Set() }
  roads.set(key, road)
  return road
}

type Connector = Undici.buildConnector.connector

async function dispatcherFor(road: Road, url: URL): Promise<Undici.Dispatcher> {
  const undici = await loadUndici()
  const connect = watched(
    road,
    (line) => undici.buildConnector({ ...connectorOptions, ...road.certificate, lookup: lookUpFor(line) }),
    false,
  )
  if (isLoopback(url.hostname) || proxiesOf(road.env).every((proxy) => proxy === '')) {
    road.direct ??= new undici.Agent({ connect, maxHeaderSize: mostHeaders })
    return road.direct
  }
  road.proxied ??= await proxyAgent(road, connect)
  return road.proxied
}

const connectorOptions = {
  // A resumed session shows no certificate.
  maxCachedSessions: 0,
  timeout: connectTimeout,
  autoSelectFamily: true,
  autoSelectFamilyAttemptTimeout: nextAddressAfter,
}

/** `localhost` is both loopback families (RFC 6761 §6.3), whatever this machine's hosts file says. */
function lookUpFor(line: Line): LookupFunction {
  const loopback = [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ]
  return (name, options, found) => {
    const tell: typeof found = (...result) => {
      endLeg(line, 'dns')
      found(...result)
    }
    if (!isLoopback(name)) lookup(name, options, tell)
    else if (options.all === true) tell(null, loopback)
    else tell(null, '127.0.0.1', 4)
  }
}

/** Closes what nobody waits for any more, so that a road that leads nowhere does not delay the exit. */
function abandonRoad(road: Road): void {
  if (road.running.size > 0) return
  for (const dispatcher of [road.direct, road.proxied]) dispatcher?.destroy().catch(() => {})
  road.direct = undefined
  road.proxied = undefined
  for (const socket of road.connecting) socket.destroy(new Error('Nobody waits for this connection.'))
}

/** Names of this machine never leave it, whatever NO_PROXY says. */
function isLoopback(hostname: string): boolean {
  return hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname) || /(^|\.)localhost\.?$/.test(hostname)
}

/** The connector that `build` gives for a line, each socket watched from its first moment, its failure explained. */
function watched(road: Road, build: (line: Line) => Connector, isProxy: boolean): Connector {
  return (options, callback) => {
    const line = startLine()
    // undici's connector gives the socket at once, though its type does not say so.
    const socket = build(line)(options, (error, made) => {
      road.connecting.delete(socket)
      if (made) return callback(null, made)
      const target = { ...targetOf({ host: '', ...options }), isProxy }
      callback(explainFailure(error, target, { hasAnswered: false, certificate: line.certificate }) as Error, null)
    }) as unknown as Socket
    road.connecting.add(socket)
    lines.set(socket, line)
    watchLine(line, socket)
  }
}

// --- Proxies --------------------------------------------------------------------------------------------------------

/** For http and for https; empty where there is none. The lower-case name wins, as in curl. */
function proxiesOf(env: World['env']): [http: string, https: string] {
  const named = (lower: string, upper: string): string => {
    const text = env[lower] ?? env[upper] ?? ''
    if (text === '') return ''
    const full = text.includes('://') ? text : `http://${text}`
    if (URL.canParse(full)) return full
    const message = `${env[lower] === undefined ? upper : lower} is not the URL of a proxy.`
    throw new TransportError('PROXY', message, { hint: 'It looks like http://proxy.example:3128' })
  }
  return [named('http_proxy', 'HTTP_PROXY'), named('https_proxy', 'HTTPS_PROXY')]
}

async function proxyAgent(road: Road, connect: Connector): Promise<Undici.Dispatcher> {
  // Its proxies need the methods that only the front door gives to its dispatchers.
  const { EnvHttpProxyAgent, Pool } = await import('undici')
  const [httpProxy, httpsProxy] = proxiesOf(road.env)
  return new EnvHttpProxyAgent({
    httpProxy,
    httpsProxy,
    noProxy: road.env['no_proxy'] ?? road.env['NO_PROXY'] ?? '',
    connect,
    maxHeaderSize: mostHeaders,
    requestTls: { ...connectorOptions, ...road.certificate },
    proxyTls: connectorOptions,
    clientFactory: (proxy, options: Undici.Pool.Options) =>
      new Pool(proxy, { ...options, connect: watched(road, () => options.connect as Connector, true) }),
    // Called for the direct road too, which has no `uri`.
    factory: (origin, options: Undici.Pool.Options & { uri?: string }) =>
      new Pool(
        origin,
        options.uri === undefined
          ? options
          : { ...options, connect: tunnelled(options.connect as Connector, new URL(options.uri).host) },
      ),
  })
}

/** The proxy agent's own connector, its legs told apart by the moment at which the proxy said yes. */
function tunnelled(connect: Connector, via: string): Connector {
  return (options, callback) => {
    const line = { ...startLine(), via }
    const target = targetOf({ host: '', ...options })
    const key = options.port ? target.host : `${target.host}:${target.protocol === 'https:' ? 443 : 80}`
    onTunnel.set(key, () => endLeg(line, 'connect'))
    connect(options, (error, socket) => {
      onTunnel.delete(key)
      if (error) return callback(explainTunnel(error, via, target), null)
      if (target.protocol === 'https:') endLeg(line, 'tls')
      lines.set(socket as Socket, line)
      callback(null, socket as Socket)
    })
  }
}

function explainTunnel(error: Error, via: string, target: Target): Error {
  const status = /^Proxy response \((\d{3})\)/.exec(error.message)?.[1]
  if (status !== undefined) return refusedByProxy(Number(status), via, target, error)
  return explainFailure(error, target, { hasAnswered: false }) as Error
}

// --- undici ---------------------------------------------------------------------------------------------------------

/** What undici's channels tell: which socket a request was written to, and when its last byte was. */
const lines = new WeakMap<object, Line>()
const errands = new WeakMap<object, Errand>()
/** By `host:port`: told when the proxy has opened the tunnel. */
const onTunnel = new Map<string, () => void>()
/** The errand whose request is being written at this very moment: undici tells the socket right after `onRequestStart`. */
let starting: Errand | undefined

function listen(): void {
  subscribe('undici:client:sendHeaders', (message) => {
    const { request, socket } = message as { request: object; socket: Socket }
    const errand = starting
    starting = undefined
    if (errand === undefined) return
    errands.set(request, errand)
    const line = lines.get(socket)
    errand.peer = describePeer(socket, line?.via)
    if (line === undefined || line.isCounted) return
    line.isCounted = true
    errand.legs = line.legs
  })
  subscribe('undici:request:bodySent', (message) => {
    const errand = errands.get((message as { request: object }).request)
    if (errand) errand.moments.sent = performance.now()
  })
  subscribe('undici:proxy:connected', (message) => {
    const { path } = (message as { connectParams: { path: string } }).connectParams
    onTunnel.get(path)?.()
  })
}

let loading: Promise<Pick<typeof Undici, 'Agent' | 'buildConnector'>> | undefined

function loadUndici(): NonNullable<typeof loading> {
  loading ??= (async () => {
    listen()
    const [Agent, buildConnector] = await Promise.all([
      loadPart<typeof Undici.Agent>('dispatcher/agent.js'),
      loadPart<typeof Undici.buildConnector>('core/connect.js'),
    ])
    return { Agent, buildConnector }
  })()
  return loading
}

/** A file of undici's: its front door would also load fetch, WebSocket and more, which costs three times as long. */
async function loadPart<T>(path: string): Promise<T> {
  const part = (await import(`undici/lib/${path}`)) as { default: T }
  return part.default
}
