import type { Exchange, LogEvent, StrayReason } from '../../model/event.ts'
import { exchangeLines, maskedUrl, parameterTexts, shortUrl } from './exchange.ts'
import { cut, type Style, width, wrap } from './style.ts'
import { duration, relative, timeOfDay } from './time.ts'

export interface ProgressOptions {
  /** Every event, and each exchange whole. */
  readonly verbose?: boolean | undefined
  /** Warnings only. */
  readonly quiet?: boolean | undefined
  /** As the journal tells it afterwards: every event, its time and flow in front, nothing that asks for an action. */
  readonly journal?: boolean | undefined
  readonly utc?: boolean | undefined
  /** What the provider is called, where it is known. */
  readonly title?: string | undefined
}

/**
 * The lines that tell one event, without line breaks; none where it deserves no word. The only place where an event
 * becomes text: `connect` prints it on stderr as it happens, `logs -f` afterwards.
 */
export function progressLine(event: LogEvent, style: Style, options: ProgressOptions = {}): string[] {
  const lines = eventLines(event, style, options)
  if (!options.journal) return lines.flatMap((line) => fittedLine(line, style))
  const stamp = `${timeOfDay(event.at, options.utc)}  ${style.text(event.flow)}  `
  const blank = ' '.repeat(width(stamp))
  return lines.map((line, n) => (n === 0 ? style.dim(stamp) : blank) + line)
}

/** Continuations stand below the words, not below the sign. */
function fittedLine(line: string, style: Style): string[] {
  const lead = /^ */.exec(line)?.[0] ?? ''
  return wrap(line, style.columns, lead === '' ? '  ' : lead)
}

/** The same before it is fitted to a width and stamped: sign, space, words; what stands below begins with two spaces. */
export function eventLines(event: LogEvent, style: Style, options: ProgressOptions): string[] {
  const { symbols, text } = style
  const everything = options.verbose || options.journal
  const done = (words: string) => `${style.good(symbols.done)} ${words}`
  const warning = (words: string, hint?: string) => [
    `${style.warn(symbols.warning)} ${words}`,
    ...(hint
      ? style
          .lines(hint)
          .split('\n')
          .map((line) => `  ${line}`)
      : []),
  ]
  if (event.type === 'warning') return warning(text(event.message), event.hint)
  if (event.type === 'template.hides') {
    return warning(`Using the template in ${text(event.file)}; it hides ${text(event.hidden.join(', '))}`)
  }
  if (options.quiet) return []
  switch (event.type) {
    case 'flow.started':
      return options.journal
        ? [`${symbols.out} ${text(`${event.deed} ${named(event.provider, event.connection)}`)}`]
        : []
    case 'answers.collected':
      return everything ? [`${symbols.out} ${text(answersText(event.answeredBy))}`] : []
    case 'listener.opened':
      return listenerLines(event, style, options)
    case 'server.discovered': {
      const whose = event.resource === undefined ? '' : ` for ${text(event.resource)}`
      return [done(`Found the authorization server${whose}   ${style.dim(text(event.issuer))}`)]
    }
    case 'client.registered':
      return event.isNew
        ? [done(`Registered a client at ${text(event.server)}   ${style.dim(text(event.clientId))}`)]
        : [done(`Using the client registered there before   ${style.dim(text(event.clientId))}`)]
    case 'authorization.requested':
      return everything ? [`${symbols.out} Authorization request`, `  ${text(maskedUrl(event.url))}`] : []
    case 'browser.opened': {
      const how = options.verbose || options.journal ? ` (${text(event.how)})` : ''
      return [
        done(options.journal ? `Opened the browser${how}` : `Opened your browser${how}. If it did not open, visit:`),
      ]
    }
    case 'browser.failed':
      return warning(
        `No browser was opened: ${text(event.why)}`,
        options.journal ? undefined : 'Open this address yourself:',
      )
    case 'callback.ignored':
      return everything || isTelling(event.reason) ? warning(strayText(event, style)) : []
    case 'callback.received':
      return [callbackText(event, style, options)]
    case 'exchange':
      return exchangeText(event.exchange, style, options)
    case 'quirk':
      return warning(`Off the standard: ${text(event.quirk)}`)
    case 'credential.verified':
      return [done(`The credentials work   ${style.dim(text(shownCall(event.url)))}`)]
    case 'connection.saved':
      return everything ? [done(`Saved as "${text(event.connection)}"`)] : []
    case 'conversation.begun':
      return everything ? [done('Began a conversation with the server, which takes no message outside of one')] : []
    case 'answers.found':
      return [done(`Looked up   ${style.dim(text(event.keys.join(', ')))}`)]
    case 'token.refreshed': {
      const rotated = event.rotated ? ', with a new refresh token' : ''
      const until = event.expiresAt ? `; it expires ${text(relative(event.expiresAt, new Date(event.at)))}` : ''
      return [done(`Refreshed "${text(event.connection)}"${rotated}${until}`)]
    }
    case 'request.retried':
      return [`${symbols.more} ${text(`Once more in ${duration(event.wait)}: ${event.why}`)}`]
    case 'token.revoked':
      return [done(`Revoked the ${text(event.token)} of "${text(event.connection)}"`)]
    case 'flow.ended':
      return options.journal ? endText(event, style) : []
    default:
      return unknownText(event, style, options)
  }
}

/** `GET api.example.com/v1/me` */
function shownCall(call: string): string {
  const [method = '', url = ''] = call.split(' ')
  return `${method} ${shortUrl(url)}`
}

/** `zendesk`, or `zendesk as "work"` where the connection has a name of its own. */
export function named(provider: string, connection: string): string {
  return connection === provider || connection === '' ? provider : `${provider} as "${connection}"`
}

/** `Answers from flag (subdomain) and environment (client-id, client-secret)` */
export function answersText(answeredBy: Readonly<Record<string, string>>): string {
  const bySource = new Map<string, string[]>()
  for (const [key, source] of Object.entries(answeredBy)) bySource.set(source, [...(bySource.get(source) ?? []), key])
  const sources = [...bySource].map(([source, keys]) => `${source} (${keys.join(', ')})`)
  return `Answers from ${sources.join(', ')}`
}

function listenerLines(
  event: Extract<LogEvent, { type: 'listener.opened' }>,
  style: Style,
  options: ProgressOptions,
): string[] {
  const here = event.forwardTo ?? event.redirectUri
  const { certificate } = event
  const host = !URL.canParse(here)
    ? event.addresses.join(', ')
    : certificate === undefined
      ? new URL(here).host
      : new URL(here).origin
  const addresses = options.verbose ? style.dim(`   ${style.text(event.addresses.join(', '))}`) : ''
  return [
    `${style.good(style.symbols.done)} Listening on ${style.text(host)}${addresses}`,
    ...(event.forwardTo
      ? [
          '  Your callback URL must forward each visit (308, every parameter intact):',
          `  from  ${style.text(event.redirectUri)}`,
          `  to    ${style.text(event.forwardTo)}`,
        ]
      : []),
    ...(certificate === undefined ? [] : certificateLines(certificate, style, options)),
  ]
}

type Certificate = NonNullable<Extract<LogEvent, { type: 'listener.opened' }>['certificate']>

function certificateLines(
  { from, file, fingerprint, trust }: Certificate,
  style: Style,
  options: ProgressOptions,
): string[] {
  const whose = { given: 'yours', mkcert: 'signed by your mkcert authority', own: 'one that signs itself' }[from]
  const details =
    options.verbose || options.journal ? [`  ${style.text(file)}`, `  SHA-256 ${style.text(fingerprint)}`] : []
  const how = options.journal ? [] : (trust ?? '').split('\n').filter((line) => line !== '')
  return [
    `  Its certificate is ${whose ?? style.text(from)}`,
    ...details,
    ...how.map((line) => `  ${style.text(line)}`),
  ]
}

/** Whether a stray hit is worth a word to somebody who waits; browsers ask for icons and look ahead all the time. */
function isTelling(reason: StrayReason): boolean {
  return !(['other path', 'method', 'prefetch', 'no parameters', 'already answered'] as StrayReason[]).includes(reason)
}

function strayText(event: Extract<LogEvent, { type: 'callback.ignored' }>, style: Style): string {
  const detail = event.detail ? `, ${event.detail}` : ''
  return style.text(
    event.method === 'paste'
      ? `Ignored what was pasted: ${event.detail ?? event.reason}`
      : `Ignored a visit that is not the answer: ${event.reason}${detail} (${event.method} ${event.path})`,
  )
}

function callbackText(
  event: Extract<LogEvent, { type: 'callback.received' }>,
  style: Style,
  options: ProgressOptions,
): string {
  const { error } = event.params
  const from = options.title ? style.text(options.title) : 'The provider'
  const pasted = event.via === 'paste' ? ', as you pasted it' : ''
  const details =
    options.verbose || options.journal
      ? style.dim(`   ${parameterTexts(Object.entries(event.params), style).join('  ')}`)
      : ''
  if (error !== undefined) {
    return `${style.bad(style.symbols.failed)} ${from} sent you back with ${style.text(error)}${pasted}${details}`
  }
  const what = 'code' in event.params ? 'with a code' : 'with an answer'
  return `${style.good(style.symbols.done)} ${from} sent you back ${what}${pasted}${details}`
}

function exchangeText(exchange: Exchange, style: Style, options: ProgressOptions): string[] {
  if (options.verbose) return exchangeLines(exchange, style)
  const { purpose, response, failure } = exchange
  // A challenge is what the first message is meant to be answered with, whatever its status; of a trial others judge.
  const isQuiet =
    ['api', 'metadata', 'jwks', 'challenge', 'trial'].includes(purpose) ||
    (['verification', 'registration', 'par'].includes(purpose) && isFine(response))
  if (!options.journal && !failure && isQuiet) return []
  const request = style.text(`${exchange.method} ${shortUrl(exchange.url)}`)
  const took = `${Math.round(exchange.timing.total)} ms`
  if (!response) {
    const why = failure ? `: ${failure.code} after ${took}` : ''
    return [`${style.bad(style.symbols.failed)} No answer   ${request}${style.text(why)}`]
  }
  const words = outcome(exchange, response)
  const fine = response.status < 400 || purpose === 'trial'
  const symbol = !fine
    ? style.bad(style.symbols.failed)
    : words.certain
      ? style.good(style.symbols.done)
      : style.symbols.out
  const after = style.dim(`${request} ${response.status} in ${took}`)
  const said = style.text(words.text)
  const line = `${symbol} ${said}   ${after}`
  return width(line) <= style.columns ? [line] : [`${symbol} ${said}`, `  ${after}`]
}

function isFine(response: { readonly status: number } | undefined): boolean {
  return response !== undefined && response.status < 300
}

/** An answer with status 200 may still be a refusal, so success is claimed only where a token is seen in it. */
function outcome(
  { purpose, url, request }: Exchange,
  response: { readonly status: number; readonly body?: string | undefined },
) {
  const fine = response.status < 400
  const issued = fine && /access_?token/i.test(response.body ?? '')
  const isAlone = /client_credentials/.test(`${url} ${request.body ?? ''}`)
  if (purpose === 'token') {
    return {
      certain: issued,
      // A client that speaks for itself has no code (RFC 6749 §4.4).
      text: issued
        ? isAlone
          ? 'Token granted'
          : 'Code exchanged for tokens'
        : fine
          ? 'Token request answered'
          : 'Token request refused',
    }
  }
  if (purpose === 'refresh') {
    return { certain: issued, text: issued ? 'Token refreshed' : fine ? 'Refresh answered' : 'Refresh refused' }
  }
  if (purpose === 'trial') return { certain: false, text: 'Trial answered' }
  const word =
    purpose === 'api' ? 'API' : purpose === 'jwks' ? 'Signing keys' : purpose === 'metadata' ? 'Metadata' : purpose
  const subject = word.slice(0, 1).toUpperCase() + word.slice(1)
  return { certain: fine, text: `${subject} ${fine ? 'answered' : 'refused'}` }
}

function endText(event: Extract<LogEvent, { type: 'flow.ended' }>, style: Style): string[] {
  const took = duration(event.duration)
  if (event.state === 'success') return [`${style.good(style.symbols.done)} Done after ${took}`]
  const { error } = event
  const sign = event.state === 'cancelled' ? style.warn(style.symbols.warning) : style.bad(style.symbols.failed)
  const why = error ? `   ${style.text(`${error.code}  ${error.message}`)}` : ''
  const state = { failed: 'Failed', cancelled: 'Cancelled', timeout: 'Timed out' }[event.state] ?? 'Ended'
  return [`${sign} ${state} after ${took}${why}`]
}

/** The journal may have been written by a younger auth-cli: an event that we do not know is named, not hidden. */
function unknownText(event: { readonly type: string }, style: Style, options: ProgressOptions): string[] {
  return options.journal ? [`${style.symbols.out} ${style.text(event.type)}`] : []
}

/** What `waiting` writes on; `process.stderr` fits. */
export interface Line {
  write(text: string): unknown
}

export interface Waiting {
  /** Prints lines where the waiting stood; it goes on below them. */
  above(lines: readonly string[]): void
  /** Takes the line away, for good. */
  stop(): void
}

const wipe = '\r\x1b[2K'

/**
 * `… Waiting for you at Zendesk   0:12   (note)`: redrawn each second where lines may be redrawn, printed once elsewhere.
 * It never keeps the process alive and leaves nothing behind when stopped.
 */
export function waiting(stream: Line, style: Style, words: string, note?: string): Waiting {
  const aside = note ? style.dim(`   (${style.text(note)})`) : ''
  const sentence = `${style.symbols.more} ${style.text(words)}`
  if (!style.animated) {
    stream.write(`${sentence}${aside}\n`)
    return { above: (lines) => void stream.write(joined(lines)), stop() {} }
  }
  const since = performance.now()
  let stopped = false
  const draw = () => {
    const line = `${sentence}   ${elapsed(performance.now() - since)}`
    const whole = line + aside
    // One cell stays free: some terminals wrap when the last one is written.
    const room = style.columns - 1
    stream.write(wipe + (width(whole) <= room ? whole : cut(line, room, style.symbols.more)))
  }
  draw()
  const timer = setInterval(draw, 1000)
  timer.unref()
  return {
    above(lines) {
      stream.write((stopped ? '' : wipe) + joined(lines))
      if (!stopped) draw()
    },
    stop() {
      if (stopped) return
      stopped = true
      clearInterval(timer)
      stream.write(wipe)
    },
  }
}

function joined(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}

function elapsed(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
