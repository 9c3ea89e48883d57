import type { IncomingMessage } from 'node:http'
import type { StrayReason } from '../model/event.ts'

/** Which requests may be the callback at all, before anything in them is read. */
export interface Rules {
  /** Compared raw: no decoding, no folding of slashes or dots. */
  readonly paths: readonly string[]
  /** `host` or `host:port` that a tunnel in front of us keeps in its requests. */
  readonly foreignHost?: string | undefined
}

export interface Refusal {
  readonly reason: StrayReason
  readonly detail?: string | undefined
}

/** Undefined when the request may be the callback; otherwise why it cannot be. Loopback names pass at the port it came in. */
export function refuse(request: IncomingMessage, rules: Rules): Refusal | undefined {
  const hosts = valuesOf(request, 'host')
  if (hosts.length !== 1) return { reason: 'foreign host', detail: hosts.length === 0 ? 'no Host' : 'several Hosts' }
  if (!isOurs(hosts[0] ?? '', request.socket.localPort, rules.foreignHost)) {
    return { reason: 'foreign host', detail: JSON.stringify(hosts[0]?.slice(0, 200)) }
  }
  const target = request.url ?? ''
  if (!target.startsWith('/')) return { reason: 'other path', detail: 'the request target is not a path' }
  if (!rules.paths.includes(pathOf(target))) return { reason: 'other path' }
  if (request.method !== 'GET' && request.method !== 'POST') return { reason: 'method' }
  if (isSpeculative(request)) return { reason: 'prefetch' }
  return undefined
}

/** The raw path of a request target, without its query. */
export function pathOf(target: string): string {
  const end = target.search(/[?#]/)
  return end < 0 ? target : target.slice(0, end)
}

/** The raw query of a request target, without its question mark; empty when there is none. */
export function queryOf(target: string): string {
  const start = target.indexOf('?')
  return start < 0 ? '' : target.slice(start + 1)
}

/** Against DNS rebinding: a page of another name that resolves to this machine still says that name. */
function isOurs(host: string, port: number | undefined, foreignHost: string | undefined): boolean {
  const said = host.toLowerCase()
  const loopback = ['localhost', '127.0.0.1', '[::1]']
  if (loopback.some((name) => said === `${name}:${port}` || ((port === 80 || port === 443) && said === name)))
    return true
  return foreignHost !== undefined && withoutDefaultPort(said) === withoutDefaultPort(foreignHost.toLowerCase())
}

/** We do not see whether the tunnel's outside is http or https, so both defaults count as none. */
function withoutDefaultPort(host: string): string {
  return host.replace(/:(80|443)$/, '')
}

/** A browser that only looks ahead must not use up the one answer. */
function isSpeculative(request: IncomingMessage): boolean {
  const names = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz']
  return names.some((name) => valuesOf(request, name).some((value) => /prefetch|prerender|preview/i.test(value)))
}

/** Every value of a header, from the raw list: the parsed one drops the second of some. */
function valuesOf(request: IncomingMessage, name: string): string[] {
  const raw = request.rawHeaders
  return raw.filter((_, at) => at % 2 === 1 && raw[at - 1]?.toLowerCase() === name)
}
