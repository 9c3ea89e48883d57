import { UsageError } from '../model/errors.ts'
import type { Deed, FlowEnd, LogEvent } from '../model/event.ts'
import { stillRuns } from './processes.ts'
import { dayOf, type Hit, hitsBackward, listSegments, type Meter } from './segments.ts'

export type FlowState = 'running' | FlowEnd

/** One flow as `logs` lists it. */
export interface FlowSummary {
  readonly id: string
  readonly deed: Deed
  readonly provider: string
  readonly connection: string
  readonly state: FlowState
  /** ISO 8601. */
  readonly startedAt: string
  /** Milliseconds; absent while it runs and where it was abandoned. */
  readonly duration?: number | undefined
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string | undefined } | undefined
  readonly pid: number
  /** Its process is gone without having ended it; its state is then `cancelled`. */
  readonly abandoned?: true | undefined
}

/** Every condition given must hold. */
export interface FlowFilter {
  readonly provider?: string | undefined
  readonly connection?: string | undefined
  readonly state?: FlowState | undefined
  /** Milliseconds since the epoch: flows that started then or later. */
  readonly since?: number | undefined
  /** How many at most. */
  readonly limit?: number | undefined
}

export interface FlowList {
  /** Newest first. */
  readonly flows: readonly FlowSummary[]
  /** Lines that could not be read, of those that were looked at. */
  readonly unreadable: number
  /** Bytes of the journal that were read to find the flows. */
  readonly bytesRead: number
}

type Started = Extract<LogEvent, { type: 'flow.started' }>
type Ended = Extract<LogEvent, { type: 'flow.ended' }>

/** Milliseconds by which processes may have written their events out of order. */
const disorder = 3_600_000

/** The flows of a journal, read from its end and no further than the filter needs. */
export function readFlows(folder: string, filter: FlowFilter = {}): FlowList {
  const scan = newScan()
  const flows: FlowSummary[] = []
  const { since = 0, limit = Number.POSITIVE_INFINITY } = filter
  if (limit <= 0) return { flows, unreadable: 0, bytesRead: 0 }
  const ends = new Map<string, Ending>()
  const mayFit = prefilter(filter)
  // What quotes this inside a string has backslashes before its quotes, so every hit is a member; parsing tells which.
  for (const { line, at } of hitsIn(folder, kindOfFlow, scan, since - disorder)) {
    const id = idIn(line)
    const isEnd = line[at + kindOfFlow.length] === letterOfEnded
    if (id !== undefined && isEnd) {
      ends.set(id, line.toString('latin1'))
      continue
    }
    if (id !== undefined && !mayFit(line, ends.get(id))) {
      ends.delete(id)
      continue
    }
    const event = parseEvent(line)
    if (event === undefined) scan.unreadable++
    if (event?.type === 'flow.ended') ends.set(event.flow, line.toString('latin1'))
    if (event?.type !== 'flow.started') continue
    const startedAt = Date.parse(event.at)
    if (startedAt < since - disorder) break
    const flow = summarize(event, endedBy(ends.get(event.flow), scan))
    ends.delete(event.flow)
    if (startedAt >= since && isWanted(flow, filter)) flows.push(flow)
    if (flows.length >= limit) break
  }
  return { flows, unreadable: scan.unreadable, bytesRead: scan.bytesRead }
}

/** The line that ends a flow, a character a byte: not decoded, let alone parsed, before it is known to be wanted. */
type Ending = string

const kindOfFlow = '"type":"flow.'
const letterOfEnded = 'e'.charCodeAt(0)
const head = Buffer.from('{"flow":"')

/** The flow's id where a line begins with it, as ours do. */
function idIn(line: Buffer): string | undefined {
  if (line.compare(head, 0, head.length, 0, head.length) !== 0) return undefined
  const end = line.indexOf('"', head.length)
  const id = end === -1 ? '' : line.toString('latin1', head.length, end)
  return id === '' || id.includes('\\') ? undefined : id
}

function endedBy(text: Ending | undefined, scan: Scan): Ended | undefined {
  if (text === undefined) return undefined
  const event = parseEvent(Buffer.from(text, 'latin1'))
  if (event === undefined) scan.unreadable++
  return event?.type === 'flow.ended' ? event : undefined
}

/** Quick, and wrong on one side only: false where a flow cannot be wanted, by its first line and the text of its last. */
function prefilter({ provider, connection, state }: FlowFilter): (start: Buffer, end: Ending | undefined) => boolean {
  const ofProvider = provider === undefined ? undefined : Buffer.from(`"provider":${JSON.stringify(provider)}`)
  const ofConnection = connection === undefined ? undefined : `"connection":${JSON.stringify(connection)}`.toLowerCase()
  const ofState = state === undefined ? undefined : `"state":"${state}"`
  const mayHaveNoEnd = state === 'running' || state === 'cancelled'
  return (start, end) =>
    (ofState === undefined || (end === undefined ? mayHaveNoEnd : end.includes(ofState))) &&
    (ofProvider === undefined || start.includes(ofProvider)) &&
    (ofConnection === undefined || start.toString('utf8').toLowerCase().includes(ofConnection))
}

/**
 * The whole story of one flow, in order: by its id, by an unambiguous beginning of it, or `last`.
 * Throws UsageError `UNKNOWN_FLOW`, `AMBIGUOUS_FLOW`.
 */
export function readFlow(folder: string, which: string): readonly LogEvent[] {
  const wanted = which === 'last' ? readFlows(folder, { limit: 1 }).flows[0]?.id : which
  const stories = new Map<string, LogEvent[]>()
  if (wanted) {
    const needle = `"flow":${JSON.stringify(wanted).slice(0, -1)}`
    for (const event of eventsBackward(folder, needle, newScan())) {
      if (!event.flow.startsWith(wanted)) continue
      const story = stories.get(event.flow) ?? []
      stories.set(event.flow, story)
      story.push(event)
      if (event.type === 'flow.started' && event.flow === wanted) break
    }
  }
  return onlyStory(stories, wanted ?? which).reverse()
}

function onlyStory(stories: ReadonlyMap<string, LogEvent[]>, wanted: string): LogEvent[] {
  const [first, ...others] = stories.entries()
  const exact = stories.get(wanted)
  if (exact) return exact
  if (!first) {
    throw new UsageError('UNKNOWN_FLOW', `There is no flow "${visible(wanted)}" in the logs.`, {
      hint: 'List them with auth-cli logs.',
    })
  }
  if (others.length === 0) return first[1]
  throw new UsageError('AMBIGUOUS_FLOW', `${stories.size} flows begin with "${visible(wanted)}".`, {
    hint: `Give more of the id: ${[...stories.keys()].slice(0, 5).map(visible).join(', ')}.`,
  })
}

function summarize(started: Started, ended: Ended | undefined): FlowSummary {
  const { flow: id, deed, provider, connection, at: startedAt, pid } = started
  const told = { id, deed, provider, connection, startedAt, pid }
  if (ended) {
    const { state, duration, error } = ended
    return { ...told, state, duration, ...(error && { error }) }
  }
  if (stillRuns(pid, Date.parse(startedAt))) return { ...told, state: 'running' }
  return { ...told, state: 'cancelled', abandoned: true }
}

function isWanted(flow: FlowSummary, { provider, connection, state }: FlowFilter): boolean {
  return (
    (provider === undefined || flow.provider === provider) &&
    (connection === undefined || flow.connection.toLowerCase() === connection.toLowerCase()) &&
    (state === undefined || flow.state === state)
  )
}

interface Scan extends Meter {
  unreadable: number
}

function newScan(): Scan {
  return { bytesRead: 0, unreadable: 0 }
}

/**
 * The lines that hold `needle`, from the last written to the first; segments of the days before `since` (milliseconds
 * since the epoch) are not even opened.
 */
function* hitsIn(folder: string, needle: string, scan: Scan, since = 0): Generator<Hit> {
  const bytes = Buffer.from(needle)
  const firstDay = dayOf(Math.max(0, since))
  const onTorn = (): void => void scan.unreadable++
  for (const { day, file } of listSegments(folder).reverse()) {
    if (day < firstDay) return
    yield* hitsBackward(file, bytes, scan, onTorn)
  }
}

function* eventsBackward(folder: string, needle: string, scan: Scan): Generator<LogEvent> {
  for (const { line } of hitsIn(folder, needle, scan)) {
    const event = parseEvent(line)
    if (event) yield event
    else scan.unreadable++
  }
}

/** Undefined where the line is no event: torn, or not ours. */
export function parseEvent(line: Buffer): LogEvent | undefined {
  try {
    const event = JSON.parse(line.toString('utf8')) as Partial<LogEvent> | null
    const isEvent =
      typeof event?.flow === 'string' && typeof event.type === 'string' && !Number.isNaN(Date.parse(`${event.at}`))
    return isEvent ? (event as LogEvent) : undefined
  } catch {
    return undefined
  }
}

function visible(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?').slice(0, 60)
}
