import { UsageError } from './model/errors.ts'
import type { Listening } from './model/integration.ts'
import type { Answer, World } from './model/world.ts'
import { pathOf, queryOf } from './wire/admission.ts'
import { type Arrival, type Arrivals, openArrivals } from './wire/arrivals.ts'
import { defaultPath, defaultPort, redirection } from './wire/redirect.ts'
import { isLoopback } from './wire/secure.ts'

/** What became of one parameter on its way; values in the order in which they stood. */
export interface Parameter {
  readonly name: string
  readonly sent: readonly string[]
  readonly arrived: readonly string[]
  readonly fate: 'intact' | 'changed' | 'missing' | 'added'
}

/** One redirect. */
export interface Hop {
  readonly status: number
  readonly from: string
  readonly to: string
}

/** What a redirect URL did with one probe. */
export interface Passage {
  readonly method: 'GET' | 'POST'
  /** Status of its first answer. */
  readonly status: number
  readonly hops: readonly Hop[]
  /** `redirect`: the browser is sent on to us; `tunnel`: it passed the request on itself; `nowhere`: nothing reached us. */
  readonly way: 'redirect' | 'tunnel' | 'nowhere'
  readonly parameters: readonly Parameter[]
  /** What keeps the answer of a provider from arriving whole. */
  readonly faults: readonly string[]
}

/** Whether a redirect URL of one's own forwards as it must. */
export interface CallbackReport {
  readonly url: string
  /** Where it has to forward to. */
  readonly forwardsTo: string
  /** `good`: 308, or a tunnel, and all intact. `works`: all intact, in another way. */
  readonly verdict: 'good' | 'works' | 'broken'
  /** As a browser brings most answers. */
  readonly get: Passage
  /** As it brings those of response_mode=form_post. */
  readonly post: Passage
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
  /** Ready to be pasted. */
  readonly forwarders: { readonly nginx: string; readonly express: string }
}

/** Redirects that are followed, while they stay on the host of the redirect URL. */
const mostHops = 5

/**
 * Sends a made-up answer to a redirect URL, as a browser would, and looks at what of it arrives where `connect` listens.
 * No redirect is followed but to that place and within the URL's own host. `port`: where to listen; 0 takes any. Throws
 * UsageError `BAD_FLAG`; TransportError where the URL or the port cannot be had.
 */
export async function probe(world: World, url: string, port: number = defaultPort): Promise<CallbackReport> {
  const listening = listeningFor(url, port)
  const arrivals = await openArrivals(listening)
  try {
    const target = `http://localhost:${arrivals.port}${defaultPath}`
    const pairs = probePairs(world)
    const road: Road = { world, arrivals, url, target }
    const get = await pass(road, 'GET', pairs)
    const post = await pass(road, 'POST', pairs)
    return judge(url, target, get, post)
  } finally {
    await arrivals.close()
  }
}

function listeningFor(url: string, port: number): Listening {
  // What cannot be a redirect URL at all is refused in the same words as by connect.
  redirection({ title: '', callbackUrl: { value: url, from: 'flag' } })
  const { protocol, hostname, host, pathname, port: own } = new URL(url)
  if (protocol === 'http:' && isLoopback(hostname) && Number(own || 80) === port) {
    throw new UsageError('BAD_FLAG', `${url} is where auth-cli listens itself: there is nothing to forward.`, {
      hint: 'Check the URL of yours that is to forward there, or name another port to listen on with --port.',
    })
  }
  const paths = [...new Set([defaultPath, pathname])]
  return { port, addresses: ['127.0.0.1', '::1'], paths, foreignHost: host }
}

type Pair = readonly [name: string, raw: string]

/** An answer with everything in it that forwarders are known to spoil. Raw: as it stands in the query. */
function probePairs({ random }: Pick<World, 'random'>): readonly Pair[] {
  const nonce = Buffer.from(random(12)).toString('base64url')
  return [
    ['code', `4%2F0A-_.~${nonce}%3D%3D`],
    ['state', nonce],
    ['scope', 'read+write%20all'],
    ['name', 'J%C3%BCrgen%20%E2%9C%93'],
    ['path', 'a%2Fb%252Fc'],
    ['plus', '1%2B1'],
    ['item', 'one'],
    ['item', 'two'],
    ['sign', '%26%3D%3F%23%25'],
    ['empty', ''],
  ]
}

interface Road {
  readonly world: World
  readonly arrivals: Arrivals
  readonly url: string
  readonly target: string
}

async function pass(road: Road, method: 'GET' | 'POST', pairs: readonly Pair[]): Promise<Passage> {
  const { arrivals, url } = road
  const text = pairs.map(([name, raw]) => `${name}=${raw}`).join('&')
  const first = arrivals.seen.length
  const trip = await travel(road, method, method === 'GET' ? withQuery(url, text) : url, text)
  const arrival = arrivals.seen[first]
  const sent = new URLSearchParams(text)
  for (const [name, value] of new URL(url).searchParams) sent.append(name, value)
  const way = arrival === undefined ? 'nowhere' : trip.reached ? 'redirect' : 'tunnel'
  const parameters = compare(sent, arrival === undefined ? new URLSearchParams() : brought(arrival))
  const faults = arrival === undefined ? [trip.why] : arrivalFaults(arrival, parameters)
  return { method, status: trip.status, hops: trip.hops, way, parameters, faults }
}

function withQuery(url: string, query: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}${query}`
}

interface Trip {
  readonly status: number
  readonly hops: readonly Hop[]
  /** Whether the browser was sent to our listener. */
  readonly reached: boolean
  /** Why it ended where it did, if not there. */
  readonly why: string
}

async function travel(road: Road, method: 'GET' | 'POST', start: string, form: string): Promise<Trip> {
  const hops: Hop[] = []
  let at = start
  let verb: 'GET' | 'POST' = method
  let status = 0
  for (;;) {
    const answer = await send(road.world, verb, at, form)
    if (hops.length === 0) status = answer.status
    if (isOurs(at, road)) return { status, hops, reached: true, why: '' }
    const next = nextOf(answer, at)
    if (next === undefined) return { status, hops, reached: false, why: whyNot(answer) }
    hops.push({ status: answer.status, from: withoutQuery(at), to: withoutQuery(next) })
    const why = whyStop(next, road, hops.length)
    if (why !== undefined) return { status, hops, reached: false, why }
    // As browsers do: 307 and 308 alone keep the method and the body (Fetch, HTTP-redirect fetch).
    if (answer.status !== 307 && answer.status !== 308) verb = 'GET'
    at = next
  }
}

interface Seen {
  readonly status: number
  readonly location?: string | undefined
  readonly text: string
}

async function send(world: World, method: 'GET' | 'POST', url: string, form: string): Promise<Seen> {
  const headers: [string, string][] = [
    ['accept', 'text/html'],
    ['user-agent', 'auth-cli'],
  ]
  if (method === 'POST') headers.push(['content-type', 'application/x-www-form-urlencoded'])
  const answer = await world.send({
    method,
    url,
    headers,
    ...(method === 'POST' ? { body: form } : {}),
    signal: world.signal,
  })
  const location = answer.headers.find(([name]) => name.toLowerCase() === 'location')?.[1]
  return { status: answer.status, location, text: await beginning(answer) }
}

async function beginning({ body }: Answer): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > 65_536) break
  }
  return text
}

function nextOf({ status, location }: Seen, from: string): string | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return undefined
  // A header's bytes, which browsers take for UTF-8 where they can be.
  const decoded = Buffer.from(location, 'latin1').toString('utf8')
  const target = decoded.includes('\ufffd') ? location : decoded
  return URL.canParse(target, from) ? new URL(target, from).href : undefined
}

function isOurs(url: string, { arrivals }: Road): boolean {
  const { protocol, hostname, port } = new URL(url)
  return protocol === 'http:' && isLoopback(hostname) && Number(port || 80) === arrivals.port
}

/** Why a redirect is not followed; undefined where it is. */
function whyStop(next: string, road: Road, hops: number): string | undefined {
  if (isOurs(next, road)) return undefined
  const { protocol, hostname, port, host } = new URL(next)
  const own = new URL(road.url)
  if (hops >= mostHops) return `it redirects more than ${mostHops} times`
  if (hostname === own.hostname && !(isLoopback(hostname) && port !== own.port)) return undefined
  if (!isLoopback(hostname))
    return `it sends the browser to ${host}, which was not followed; it must send it to ${road.target}`
  if (protocol === 'https:')
    return `it forwards to https on this machine, and auth-cli listens for http: ${road.target}`
  return `it forwards to port ${port || 80} of this machine, and auth-cli listens on ${road.arrivals.port}; give connect --port ${port || 80}, or forward to ${road.target}`
}

function whyNot({ status, location, text }: Seen): string {
  if (status >= 300 && status < 400)
    return location === undefined
      ? `it answered ${status} without a Location`
      : `it answered ${status}, which sends no browser on`
  if (status === 404 || status === 410) return `there is nothing at this address (${status})`
  if (status === 401 || status === 403)
    return `it wants a login first (${status}); the redirect URL must be open to everybody`
  if (status >= 500) return `the server failed (${status})`
  if (/http-equiv=["']?refresh|location\s*(?:\.href|\.replace|=)/i.test(text))
    return `it answered ${status} with a page that moves on by itself; only a redirect keeps every parameter in every browser`
  return `it answered ${status} itself and forwarded nothing`
}

function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/s, '')
}

function brought({ target, body }: Arrival): URLSearchParams {
  const all = new URLSearchParams(queryOf(target))
  for (const [name, value] of new URLSearchParams(body)) all.append(name, value)
  return all
}

function compare(sent: URLSearchParams, arrived: URLSearchParams): readonly Parameter[] {
  const names = [...new Set([...sent.keys(), ...arrived.keys()])]
  return names.map((name) => {
    const [before, after] = [sent.getAll(name), arrived.getAll(name)]
    const isSame = before.length === after.length && before.every((value, index) => value === after[index])
    const fate = isSame ? 'intact' : after.length === 0 ? 'missing' : before.length === 0 ? 'added' : 'changed'
    return { name, sent: before, arrived: after, fate }
  })
}

function arrivalFaults({ refusal, target }: Arrival, parameters: readonly Parameter[]): readonly string[] {
  const named = (fate: Parameter['fate']): string =>
    parameters
      .filter((one) => one.fate === fate)
      .map(({ name }) => name)
      .join(', ')
  const faults: string[] = []
  if (refusal?.reason === 'other path')
    faults.push(`it arrives at ${pathOf(target)}, and connect listens at ${defaultPath}`)
  else if (refusal !== undefined)
    faults.push(`connect would not take it: ${refusal.reason}${refusal.detail ? ` (${refusal.detail})` : ''}`)
  if (named('missing') !== '') faults.push(`missing on arrival: ${named('missing')}`)
  if (named('changed') !== '') faults.push(`changed on the way: ${named('changed')}`)
  return faults
}

function judge(url: string, target: string, get: Passage, post: Passage): CallbackReport {
  const errors = [...get.faults]
  const warnings: string[] = []
  const codes = [...new Set(get.hops.map(({ status }) => status))]
  const dropping = codes.filter((status) => status !== 307 && status !== 308)
  if (get.way === 'redirect') {
    for (const status of dropping)
      errors.push(`${status} ${meaningOf[status] ?? ''}; answer 308 instead`.replace(' ;', ';'))
    if (codes.includes(307)) warnings.push('307 keeps everything but is called temporary; 308 says what is meant')
    if (get.hops.length > 1) warnings.push(`it takes ${get.hops.length} redirects; register the URL of the last one`)
  }
  const added = get.parameters.filter(({ fate }) => fate === 'added')
  if (added.length > 0) warnings.push(`added on the way: ${added.map(({ name }) => name).join(', ')}`)
  if (errors.length === 0 && post.faults.length > 0)
    warnings.push(`a form POST (response_mode=form_post) does not get through: ${post.faults.join('; ')}`)
  const verdict = errors.length > 0 ? 'broken' : warnings.length > 0 ? 'works' : 'good'
  return { url, forwardsTo: target, verdict, get, post, errors, warnings, forwarders: forwardersFor(url, target) }
}

const meaningOf: Readonly<Record<number, string>> = {
  301: 'is kept by browsers for ever, and turns a form POST into a GET without its parameters',
  302: 'turns a form POST into a GET without its parameters',
  303: 'always turns into a GET, so a form POST loses its parameters',
}

/** Ready forwarders for the path of the URL; the query goes on as it came, byte for byte. */
export function forwardersFor(url: string, target: string): CallbackReport['forwarders'] {
  const { pathname } = new URL(url)
  const path = /^[\w./~-]+$/.test(pathname) ? pathname : JSON.stringify(decodeURI(pathname))
  return {
    nginx: `location = ${path} {\n  return 308 ${target}$is_args$args;\n}`,
    express: `app.all(${JSON.stringify(pathname)}, (request, response) => {
  const query = request.originalUrl.indexOf('?')
  response.redirect(308, ${JSON.stringify(target)} + (query < 0 ? '' : request.originalUrl.slice(query)))
})`,
  }
}
