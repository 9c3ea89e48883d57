import { dress, signsBody } from './dress.ts'
import type { Connection } from './model/connection.ts'
import type { Exchange, Header, Tell } from './model/event.ts'
import type { Answer, Outgoing, World } from './model/world.ts'
import type { Mode } from './modes/mode.ts'
import { bodyCap, maskBody, maskHeaders, maskUrl } from './wire/mask.ts'
import { headerOf } from './wire/record.ts'

/** One request of a call, its URL judged already. */
export interface Attempt {
  readonly method: string
  readonly url: string
  readonly headers: readonly Header[]
  readonly body?: Outgoing['body']
  /** Keep the bodies in the log too. */
  readonly logBodies?: boolean | undefined
}

/**
 * Sends one request to a connection's API, dressed and signed, and passes the answer's body on as it comes. The exchange
 * is told once that body has ended, however it ended. Throws TransportError.
 */
export async function sendDressed(
  world: World,
  connection: Connection,
  mode: Mode,
  attempt: Attempt,
  tell: Tell,
): Promise<Answer> {
  const { method, url, headers, body, logBodies = false } = attempt
  const bare = { method, url, headers, ...(body === undefined ? {} : { body }) }
  const moment = { now: world.clock.now(), random: world.random }
  const dressed = dress(connection, mode, bare, moment, tell)
  const started = world.clock.monotonic()
  const text = logBodies && typeof dressed.body === 'string' ? dressed.body : undefined
  const shown = {
    purpose: 'api',
    method: dressed.method,
    url: maskUrl(dressed.url, world.secrets),
    request: {
      headers: maskHeaders(dressed.headers, world.secrets),
      ...(text === undefined ? {} : { body: maskBody(text, headerOf(dressed.headers, 'content-type'), world.secrets) }),
    },
  }
  try {
    const answer = await world.send({ ...dressed, signal: world.signal })
    return { ...answer, body: told(answer, shown, world, logBodies, tell) }
  } catch (error) {
    const failure = {
      code: error instanceof Error && 'code' in error ? String(error.code) : 'BUG',
      message: error instanceof Error ? error.message : '',
    }
    tell({ type: 'exchange', exchange: { ...shown, timing: { total: world.clock.monotonic() - started }, failure } })
    throw error
  }
}

/** The attempt with its body read whole where it has to be signed; any other body stays a stream. */
export async function signable(connection: Connection, mode: Mode, attempt: Attempt): Promise<Attempt> {
  const { body } = attempt
  if (body === undefined || typeof body === 'string' || !signsBody(connection, mode)) return attempt
  if (body instanceof Uint8Array) return { ...attempt, body: textOrBytes(body) }
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return { ...attempt, body: textOrBytes(Buffer.concat(chunks)) }
}

/** Bytes that are no UTF-8 stay what they are. */
function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  const text = Buffer.from(bytes).toString('utf8')
  return Buffer.from(text, 'utf8').equals(bytes) ? text : bytes
}

/** Whether the body can be sent a second time. */
export function isReplayable({ body }: Attempt): boolean {
  return body === undefined || typeof body === 'string' || body instanceof Uint8Array
}

/** Passes the body on as it comes and tells the exchange when it has ended, however it ended. */
async function* told(
  answer: Answer,
  shown: Pick<Exchange, 'purpose' | 'method' | 'url' | 'request'>,
  world: World,
  logBodies: boolean,
  tell: Tell,
): AsyncGenerator<Uint8Array> {
  const kept: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of answer.body) {
      if (logBodies && bytes < bodyCap) kept.push(chunk)
      bytes += chunk.length
      yield chunk
    }
  } finally {
    const type = headerOf(answer.headers, 'content-type')
    const body = logBodies ? { body: maskBody(Buffer.concat(kept).toString('utf8'), type, world.secrets) } : {}
    const response = {
      status: answer.status,
      statusText: world.secrets.scrub(answer.statusText),
      headers: maskHeaders(answer.headers, world.secrets),
      bytes,
      ...body,
    }
    const peer = answer.peer === undefined ? {} : { peer: answer.peer }
    tell({ type: 'exchange', exchange: { ...shown, response, timing: answer.timing(), ...peer } })
  }
}

/** The beginning of a body, up to so many bytes, and an answer whose body is whole all the same. */
export async function peek(answer: Answer, most: number): Promise<{ readonly text: string; readonly answer: Answer }> {
  const source = answer.body[Symbol.asyncIterator]()
  const seen: Uint8Array[] = []
  let bytes = 0
  let isDone = false
  while (bytes < most && !isDone) {
    const { value, done } = await source.next()
    isDone = done === true
    if (done !== true) {
      seen.push(value)
      bytes += value.length
    }
  }
  async function* whole(): AsyncGenerator<Uint8Array> {
    try {
      yield* seen
      while (!isDone) {
        const { value, done } = await source.next()
        isDone = done === true
        if (done !== true) yield value
      }
    } finally {
      await source.return?.()
    }
  }
  return { text: Buffer.concat(seen).toString('utf8').slice(0, most), answer: { ...answer, body: whole() } }
}

/** Reads a body to its end, or gives it up where it is long: a connection is not worth more than that. */
export async function drain(body: AsyncIterable<Uint8Array>): Promise<void> {
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > 256 * 1024) return
  }
}
