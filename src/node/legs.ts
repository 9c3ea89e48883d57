import type { Socket } from 'node:net'
import type { PeerCertificate, TLSSocket } from 'node:tls'
import type { Timing } from '../model/event.ts'

/** Milliseconds that the making of one connection took, leg by leg. */
export interface Legs {
  dns?: number
  connect?: number
  tls?: number
}

/** What was learned about one connection while it was made. */
export interface Line {
  readonly legs: Legs
  /** When the leg that is under way began; monotonic milliseconds. */
  since: number
  /** Kept from the handshake, because a connection that is refused for it has none left to ask for. */
  certificate?: PeerCertificate
  /** `host:port` of the proxy between us and the far end. */
  via?: string
  /** True once an exchange has counted these legs as its own. */
  isCounted: boolean
}

/** One exchange's moments, all monotonic milliseconds. */
export interface Moments {
  readonly started: number
  sent?: number
  answered?: number
  ended?: number
}

export function startLine(): Line {
  return { legs: {}, since: performance.now(), isCounted: false }
}

export function endLeg(line: Line, leg: keyof Legs): void {
  const now = performance.now()
  line.legs[leg] = now - line.since
  line.since = now
}

/** Watches a socket that has just begun to connect; its line's legs fill in as they happen. */
export function watchLine(line: Line, socket: Socket): void {
  socket.once('connect', () => endLeg(line, 'connect'))
  socket.once('secureConnect', () => endLeg(line, 'tls'))
  // Before Node judges the certificate: afterwards a refused socket no longer tells what it was shown.
  socket.prependOnceListener('secure', () => {
    const shown = (socket as TLSSocket).getPeerCertificate()
    if (shown?.subject) line.certificate = shown
  })
}

export function readTiming(moments: Moments, legs: Legs): Timing {
  const { started, sent, answered } = moments
  return {
    ...(legs.dns === undefined ? {} : { dns: round(legs.dns) }),
    ...(legs.connect === undefined ? {} : { connect: round(legs.connect) }),
    ...(legs.tls === undefined ? {} : { tls: round(legs.tls) }),
    ...(sent === undefined || answered === undefined ? {} : { wait: round(Math.max(0, answered - sent)) }),
    total: round((moments.ended ?? performance.now()) - started),
  }
}

/** Address, and for https the TLS version and the certificate's subject and issuer. */
export function describePeer(socket: Socket, via: string | undefined): string {
  const address = socket.remoteAddress ?? ''
  const place = address.includes(':') ? `[${address}]` : address
  const parts = [via === undefined ? `${place}:${socket.remotePort ?? ''}` : `via proxy ${via}`]
  if ('getPeerCertificate' in socket) {
    const tls = socket as TLSSocket
    const certificate = tls.getPeerCertificate()
    parts.push(tls.getProtocol() ?? 'TLS')
    if (certificate?.subject) parts.push(subjectOf(certificate), `issued by ${issuerOf(certificate)}`)
  }
  return parts.join(' · ')
}

export function subjectOf(certificate: PeerCertificate): string {
  return plain(`CN=${certificate.subject.CN ?? certificate.subjectaltname ?? '(none)'}`)
}

export function issuerOf(certificate: PeerCertificate): string {
  const { CN, O } = certificate.issuer ?? {}
  return plain(String(CN ?? O ?? 'an unnamed issuer'))
}

/** A certificate's words come from outside: no control character of theirs reaches a log or a terminal. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '').slice(0, 200)
}

/** Tenths of a millisecond are noise. */
function round(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10
}
