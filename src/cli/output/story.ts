import type { Exchange, LogEvent } from '../../model/event.ts'
import type { FlowState } from '../../node/flows.ts'
import {
  bodyLines,
  cutBody,
  headerLines,
  maskedUrl,
  parameterTexts,
  shortUrl,
  statusText,
  timingText,
} from './exchange.ts'
import { statePaint } from './flows.ts'
import { eventLines, named } from './progress.ts'
import { flow, type Style, width, wrap } from './style.ts'
import { dayAndTime, duration } from './time.ts'

export interface StoryOptions {
  /** Headers too, and bodies to the end. */
  readonly verbose?: boolean | undefined
  readonly utc?: boolean | undefined
  /** What the flow has come to, where its events do not say so themselves (its process may be gone). */
  readonly state?: FlowState | undefined
}

/** One line of the story: when, which way, what; more below it. */
interface Step {
  /** Milliseconds since the flow started. */
  readonly ms: number
  readonly sign: string
  readonly text: string
  readonly below: readonly string[]
}

/** One flow from start to end, each exchange with its request and its answer in their own time. */
export function storyScreen(events: readonly LogEvent[], style: Style, options: StoryOptions = {}): string {
  const steps = events.flatMap((event) => stepsOf(event, style, options)).sort((a, b) => a.ms - b.ms)
  const clocks = steps.map(({ ms }) => (Math.max(0, ms) / 1000).toFixed(3))
  const clockWidth = Math.max(5, ...clocks.map((clock) => clock.length))
  const signWidth = width(style.symbols.out)
  const blank = ' '.repeat(2 + clockWidth + 2 + signWidth + 2)
  const lines = steps.flatMap((step, n) => {
    const clock = style.dim((clocks[n] ?? '').padStart(clockWidth))
    const sign = step.sign + ' '.repeat(Math.max(0, signWidth - width(step.sign)))
    const first = wrap(`  ${clock}  ${sign}  ${step.text}`, style.columns, blank)
    return [...first, ...step.below.map((line) => (line === '' ? '' : blank + line))]
  })
  return [...wrap(headline(events, style, options), style.columns, '    '), '', ...lines]
    .map((line) => `${line.trimEnd()}\n`)
    .join('')
}

function headline(events: readonly LogEvent[], style: Style, options: StoryOptions): string {
  const started = events.find((event) => event.type === 'flow.started')
  const ended = events.findLast((event) => event.type === 'flow.ended')
  const state = ended?.state ?? options.state ?? 'running'
  const what = started ? `${started.deed} ${named(started.provider, started.connection)}` : (events[0]?.flow ?? '')
  const took = ended ? ` after ${duration(ended.duration)}` : ''
  const at = (started ?? events[0])?.at
  return [
    `  ${style.bold(style.text(what))}`,
    `${statePaint(state, style)(style.text(state))}${took}`,
    ...(at ? [dayAndTime(at, options.utc)] : []),
  ].join(` ${style.symbols.dot} `)
}

/** Cells that stand in front of what is below a step, and a little air. */
const gutter = 14

function stepsOf(event: LogEvent, style: Style, options: StoryOptions): Step[] {
  const { symbols } = style
  switch (event.type) {
    case 'flow.started':
      return []
    case 'authorization.requested': {
      const below = parameterLines(queryOf(event.url), style)
      return [
        { ms: event.ms, sign: symbols.out, text: `authorization request   ${style.text(shortUrl(event.url))}`, below },
      ]
    }
    case 'callback.received': {
      const via = event.via === 'GET' ? '' : ` (${event.via})`
      const below = parameterLines(Object.entries(event.params), style)
      return [{ ms: event.ms, sign: symbols.back, text: `callback${via}   ${style.good(symbols.done)} state`, below }]
    }
    case 'exchange':
      return exchangeSteps(event.ms, event.exchange, style, options)
    case 'flow.ended':
      return [endStep(event, style)]
    default:
      return otherStep(event, style)
  }
}

function queryOf(url: string): Iterable<readonly [string, string]> {
  return URL.canParse(url) ? new URL(url).searchParams : []
}

function parameterLines(params: Iterable<readonly [string, string]>, style: Style): string[] {
  return flow(parameterTexts(params, style), style.columns - gutter)
}

function exchangeSteps(ms: number, exchange: Exchange, style: Style, options: StoryOptions): Step[] {
  const { request, response, failure } = exchange
  const below = (part: { readonly headers: Exchange['request']['headers']; readonly body?: string | undefined }) => [
    ...(options.verbose ? [...headerLines(part.headers, style, gutter), ...(part.body ? [''] : [])] : []),
    ...(part.body ? bodyLines(part.body, part.headers, style, { whole: options.verbose, indented: gutter }) : []),
  ]
  const url = options.verbose ? maskedUrl(exchange.url) : shortUrl(exchange.url)
  const line = style.bold(style.text(`${exchange.method} ${url}`))
  const timing = style.dim(timingText(exchange.timing, style))
  const isShort = width(`${line}   ${timing}`) <= style.columns - gutter
  const peer =
    options.verbose && exchange.peer ? wrap(style.dim(style.text(exchange.peer)), style.columns - gutter) : []
  const out = {
    ms: ms - exchange.timing.total,
    sign: style.symbols.out,
    text: isShort ? `${line}   ${timing}` : line,
    below: [...(isShort ? [] : wrap(timing, style.columns - gutter)), ...peer, ...below(request)],
  }
  if (!response) {
    const why = failure ? `${failure.code}  ${failure.message}` : 'no answer'
    return [out, { ms, sign: style.bad(style.symbols.failed), text: style.text(why), below: [] }]
  }
  const type = response.headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? ''
  const text = `${statusText(response, style)}   ${style.dim(style.text(type))}`
  return [out, { ms, sign: style.symbols.back, text, below: [...below(response), ...cutBody(response, style)] }]
}

function endStep(event: Extract<LogEvent, { type: 'flow.ended' }>, style: Style): Step {
  const { error, ms } = event
  if (event.state === 'success') return { ms, sign: style.good(style.symbols.done), text: 'done', below: [] }
  const hint = error?.hint ? style.lines(error.hint).split('\n') : []
  return {
    ms,
    sign: style.bad(style.symbols.failed),
    text: error ? style.bad(style.text(error.code)) : style.text(event.state),
    below: [
      ...(error ? wrap(style.text(error.message), style.columns - gutter) : []),
      ...hint.flatMap((line) => wrap(line, style.columns - gutter)),
    ],
  }
}

/** Told in the words of `progressLine`, its sign in our margin. */
function otherStep(event: LogEvent, style: Style): Step[] {
  const [first, ...rest] = eventLines(event, style, { journal: true })
  if (first === undefined) return []
  const at = first.indexOf(' ')
  const below = rest.flatMap((line) => wrap(line.trimStart(), style.columns - gutter))
  return [{ ms: event.ms, sign: first.slice(0, at), text: first.slice(at + 1), below }]
}
