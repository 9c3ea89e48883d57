import type { Exchange, Header, Timing } from '../../model/event.ts'
import { flow, fold, type Style, wrap } from './style.ts'

/** Lines of a body beyond this are counted instead of shown, unless everything is asked for. */
const shortBody = 16

/** `dns 3 · connect 21 · tls 44 · wait 240 · total 312 ms`; a leg that did not happen is left out. */
export function timingText(timing: Timing, style: Style): string {
  const legs = (['dns', 'connect', 'tls', 'wait', 'total'] as const).flatMap((leg) => {
    const took = timing[leg]
    return took === undefined ? [] : [`${leg} ${Math.round(took)}`]
  })
  return `${legs.join(` ${style.symbols.dot} `)} ms`
}

/** Host and path: enough to recognise a request by. */
export function shortUrl(url: string): string {
  return url.replace(/^https?:\/\//, '').replace(/[?#].*$/s, '')
}

/** `401 Unauthorized`, in the colour of its class. */
export function statusText(response: { readonly status: number; readonly statusText: string }, style: Style): string {
  const text = style.text(`${response.status} ${response.statusText}`).trim()
  return response.status < 400 ? style.good(text) : style.bad(text)
}

/** `a=1`, `b="two words"`: parameters decoded, so that they can be read. */
export function parameterTexts(params: Iterable<readonly [string, string]>, style: Style): string[] {
  return [...params].map(([name, value]) => style.text(`${name}=${/\s/.test(value) ? `"${value}"` : value}`))
}

/** A URL with the masks in it as they are shown elsewhere. */
export function maskedUrl(url: string): string {
  return url.replaceAll(/%E2%80%A6(?:\(|%28)([0-9a-f]{4})(?:\)|%29)/gi, '…($1)')
}

export interface BodyOptions {
  /** Everything, however long. */
  readonly whole?: boolean | undefined
  /** Cells at the left that are taken already. */
  readonly indented?: number | undefined
}

/** A body as lines: a form as its parameters, JSON laid out where one line does not hold it, anything else as it is. */
export function bodyLines(body: string, headers: readonly Header[], style: Style, options: BodyOptions = {}): string[] {
  const room = style.columns - (options.indented ?? 0)
  const type = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? ''
  const lines = /^application\/x-www-form-urlencoded/i.test(type)
    ? flow(parameterTexts(new URLSearchParams(body), style), room)
    : textLines(style.lines(readable(body, room)), room)
  if (options.whole || lines.length <= shortBody) return lines
  return [...lines.slice(0, shortBody), `${style.symbols.more} ${lines.length - shortBody} more lines (-v shows them)`]
}

function readable(body: string, room: number): string {
  if (body.length <= room || !/^\s*[[{]/.test(body)) return body
  try {
    return JSON.stringify(JSON.parse(body), null, 2)
  } catch {
    return body
  }
}

/** Broken at spaces, what has none anywhere; a broken line goes on a little further in than it began. */
function textLines(text: string, room: number): string[] {
  return text
    .replace(/\n+$/, '')
    .split('\n')
    .flatMap((line) => wrap(line, room, `${/^ */.exec(line)?.[0]}    `).flatMap((part) => fold(part, room)))
}

/** Header lines, names dimmed, broken at spaces to fit beside what is at the left already. */
export function headerLines(headers: readonly Header[], style: Style, indented = 0): string[] {
  return headers.flatMap(([name, value]) =>
    wrap(`${style.dim(`${style.text(name)}:`)} ${style.text(value)}`, style.columns - indented, '    '),
  )
}

/** The whole exchange as it crossed: request line, headers, body; status, headers, body; timing and peer. */
export function exchangeLines(exchange: Exchange, style: Style): string[] {
  const { request, response, failure } = exchange
  const inner = (lines: readonly string[]) => lines.map((line) => (line === '' ? '' : `    ${line}`))
  const part = (headers: readonly Header[], body: string | undefined) => [
    ...inner(headerLines(headers, style, 4)),
    ...(body ? ['', ...inner(bodyLines(body, headers, style, { whole: true, indented: 4 })), ''] : []),
  ]
  return [
    `${style.symbols.out} ${style.bold(style.text(`${exchange.method} ${maskedUrl(exchange.url)}`))}`,
    ...part(request.headers, request.body),
    ...(response
      ? [
          `${style.symbols.back} ${statusText(response, style)}`,
          ...part(response.headers, response.body),
          ...cutBody(response, style),
        ]
      : []),
    ...(failure ? [`${style.symbols.failed} ${style.bad(style.text(`${failure.code}  ${failure.message}`))}`] : []),
    `  ${style.dim(timingText(exchange.timing, style))}`,
    ...(exchange.peer ? [`  ${style.dim(style.text(exchange.peer))}`] : []),
  ]
}

/** Says how much of the body is missing, where some is. */
export function cutBody(response: NonNullable<Exchange['response']>, style: Style): string[] {
  const shown = Buffer.byteLength(response.body ?? '')
  if (response.bytes === undefined || response.bytes <= 65_536 || response.bytes <= shown) return []
  return [style.dim(`    ${style.symbols.more} ${response.bytes} bytes in all`)]
}
