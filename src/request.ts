import { type Dressed, dress, signsBody } from './dress.ts'
import { runFlow } from './flow.ts'
import { greet, isMcp, type Say } from './mcp.ts'
import { type Connection, isRenewable } from './model/connection.ts'
import { UsageError } from './model/errors.ts'
import type { Exchange, Header, Tell } from './model/event.ts'
import type { Answer, Outgoing, World } from './model/world.ts'
import { modeOf } from './modes/index.ts'
import type { Mode } from './modes/mode.ts'
import { refresh } from './refresh.ts'
import { learnSecrets, savedConnection } from './saved.ts'
import { maskBody, maskHeaders, maskUrl } from './wire/mask.ts'
import { mcpHeaders, needsGreeting } from './wire/mcp.ts'
import { headerOf } from './wire/record.ts'
import { assertSecure } from './wire/secure.ts'

/** A call to the connection's API. */
export interface ApiCall {
  readonly method: string
  /** A path under the API's base URL, or a URL of an origin that this connection may speak to. */
  readonly target: string
  readonly headers: readonly Header[]
  readonly body?: Outgoing['body']
  readonly allowHttp?: boolean | undefined
  /** Keep the bodies in the log too. */
  readonly logBodies?: boolean | undefined
}

/** The API's answer; its body still to be read, once. */
export interface ApiAnswer extends Answer {
  readonly flow: string
  readonly connection: Connection
}

/**
 * Calls the API with the connection's credential: renewed first when it is stale, and once more after a 401 where the
 * body can be sent again. The credential goes to the connection's own origins only and along no redirect.
 * Throws UsageError `UNKNOWN_CONNECTION`, `OTHER_ORIGIN`, `NO_BASE_URL`; what `refresh` throws; TransportError.
 */
export async function request<T>(
  world: World,
  name: string,
  call: ApiCall,
  read: (answer: ApiAnswer) => Promise<T>,
): Promise<T> {
  const saved = await savedConnection(world, name)
  const url = targetUrl(saved, call.target)
  assertSecure(url, call.allowHttp === true || saved.snapshot.allowHttp, 'the API URL')
  const connection = await refresh(world, name)
  learnSecrets(world, connection)
  return runFlow(
    world,
    { deed: 'request', provider: connection.provider, connection: connection.name },
    async (flow) => {
      const mode = await modeOf(connection.mode, connection.provider)
      const talks = isMcp(connection)
      const whole = signsBody(connection, mode) || talks ? { ...call, body: await readWhole(call.body) } : call
      const readable = talks ? asMessage(whole) : whole
      const line = { world, mode, url, call: readable, tell: flow.tell }
      const first = await send(world, connection, mode, url, readable, flow.tell)
      if (talks && wantsGreeting(readable, first.answer)) {
        return inSession(connection, line, first.answer, (answer) => read({ ...answer, flow: flow.id, connection }))
      }
      const { body } = readable
      const replayable = body === undefined || typeof body === 'string' || body instanceof Uint8Array
      if (first.answer.status !== 401 || !replayable || !isRenewable(connection)) {
        return read({ ...first.answer, flow: flow.id, connection })
      }
      const renewed = await refresh(world, name, { refused: connection.credential.accessToken ?? '' }).catch(
        (error: unknown) => {
          flow.tell({
            type: 'warning',
            code: 'REFRESH_FAILED',
            message: `The API answered 401 and renewing failed: ${error instanceof Error ? error.message : ''}`,
          })
          return undefined
        },
      )
      if (renewed === undefined || renewed.credential.accessToken === connection.credential.accessToken) {
        return read({ ...first.answer, flow: flow.id, connection })
      }
      learnSecrets(world, renewed)
      await drain(first.answer.body)
      const second = await send(world, renewed, mode, url, readable, flow.tell)
      if (talks && wantsGreeting(readable, second.answer)) {
        return inSession(renewed, line, second.answer, (answer) =>
          read({ ...answer, flow: flow.id, connection: renewed }),
        )
      }
      return read({ ...second.answer, flow: flow.id, connection: renewed })
    },
  )
}

/** The URL that a path or URL means for this connection. Throws UsageError `OTHER_ORIGIN`, `NO_BASE_URL`, `BAD_ARGUMENT`. */
export function targetUrl({ snapshot, name }: Connection, target: string): string {
  const base = snapshot.endpoints.api
  // An MCP server is one URL: that it is meant goes without saying.
  if (snapshot.endpoints.mcp !== undefined && ['', '.', '/'].includes(target)) return snapshot.endpoints.mcp
  const absolute = /^[a-z][a-z0-9+.-]*:/i.test(target)
  if (!absolute && base === undefined) {
    throw new UsageError('NO_BASE_URL', `The template of "${name}" names no base URL for its API.`, {
      hint: `Give the whole URL, at ${snapshot.origins.join(' or ')}.`,
    })
  }
  const text = absolute ? target : `${(base ?? '').replace(/\/+$/, '')}/${target.replace(/^\/+/, '')}`
  if (!URL.canParse(text)) throw new UsageError('BAD_ARGUMENT', `"${target}" is neither a path nor a URL.`)
  const url = new URL(text)
  const allowed = base === undefined ? snapshot.origins : [new URL(base).origin, ...snapshot.origins]
  if (
    (url.protocol !== 'http:' && url.protocol !== 'https:') ||
    url.username !== '' ||
    url.password !== '' ||
    !allowed.includes(url.origin)
  ) {
    throw new UsageError(
      'OTHER_ORIGIN',
      `The credential of "${name}" is not sent to ${url.origin === 'null' ? url.protocol : url.origin}.`,
      {
        hint: `It belongs to ${allowed[0]}. Nothing was sent.`,
      },
    )
  }
  url.hash = ''
  return url.href
}

interface Line {
  readonly world: World
  readonly mode: Mode
  readonly url: string
  readonly call: ApiCall
  readonly tell: Tell
}

/** A message to an MCP server says what it is and what it may be answered with, unless the caller has said so. */
function asMessage(call: ApiCall): ApiCall {
  if (call.method !== 'POST') return call
  const own = call.headers.map(([name]) => name.toLowerCase())
  return { ...call, headers: [...call.headers, ...mcpHeaders.filter(([name]) => !own.includes(name))] }
}

/** A server that keeps conversations refuses what does not belong to one (MCP, Session Management). */
function wantsGreeting({ headers, body }: ApiCall, { status }: Answer): boolean {
  const isOwn = headers.some(([name]) => name.toLowerCase() === 'mcp-session-id')
  return (status === 400 || status === 404) && !isOwn && typeof body === 'string' && needsGreeting(body)
}

/** Says the same within a conversation of its own; where none comes about, the first answer stands. */
async function inSession<T>(
  connection: Connection,
  { world, mode, url, call, tell }: Line,
  refused: Answer,
  read: (answer: Answer) => Promise<T>,
): Promise<T> {
  const kept = await readBounded(refused.body)
  const say: Say = async (body, headers, method = 'POST') => {
    const own = call.headers.filter(([name]) => name.toLowerCase() !== 'content-length')
    const bare = { ...call, method, headers: [...own, ...headers], body: method === 'POST' ? body : undefined }
    const { answer } = await send(world, connection, mode, url, bare, tell)
    const text = Buffer.concat(await readBounded(answer.body)).toString('utf8')
    return { status: answer.status, headers: answer.headers, text }
  }
  const greeting = await greet(world, say)
  if ('refused' in greeting) return read({ ...refused, body: replayed(kept) })
  tell({ type: 'conversation.begun' })
  const { answer } = await send(
    world,
    connection,
    mode,
    url,
    { ...call, headers: [...call.headers, ...greeting.session.headers] },
    tell,
  )
  return read(answer).finally(greeting.session.end)
}

async function* replayed(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

/** Bytes of an answer to a greeting that are kept. */
const longestGreeting = 1024 * 1024

async function readBounded(body: AsyncIterable<Uint8Array>): Promise<readonly Uint8Array[]> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > longestGreeting) break
  }
  return chunks
}

async function send(
  world: World,
  connection: Connection,
  mode: Mode,
  url: string,
  call: ApiCall,
  tell: Tell,
): Promise<{ answer: Answer }> {
  const { method, headers, body } = call
  const bare = { method, url, headers, ...(body === undefined ? {} : { body }) }
  const moment = { now: world.clock.now(), random: world.random }
  const dressed = dress(connection, mode, bare, moment, tell)
  const started = world.clock.monotonic()
  const shown = {
    purpose: 'api',
    method: dressed.method,
    url: maskUrl(dressed.url, world.secrets),
    request: { headers: maskHeaders(dressed.headers, world.secrets), ...shownBody(world, call, dressed) },
  }
  try {
    const answer = await world.send({ ...dressed, signal: world.signal })
    return { answer: { ...answer, body: told(answer, shown, world, call, tell) } }
  } catch (error) {
    const failure = {
      code: error instanceof Error && 'code' in error ? String(error.code) : 'BUG',
      message: error instanceof Error ? error.message : '',
    }
    tell({ type: 'exchange', exchange: { ...shown, timing: { total: world.clock.monotonic() - started }, failure } })
    throw error
  }
}

function shownBody(world: World, call: ApiCall, { headers, body }: Dressed): { body?: string } {
  if (call.logBodies !== true || typeof body !== 'string') return {}
  return { body: maskBody(body, headerOf(headers, 'content-type'), world.secrets) }
}

/** A body that has to be signed is read before it is sent. */
async function readWhole(body: Outgoing['body']): Promise<Outgoing['body']> {
  if (body === undefined || typeof body === 'string') return body
  if (body instanceof Uint8Array) return textOrBytes(body)
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return textOrBytes(Buffer.concat(chunks))
}

/** Bytes that are no UTF-8 stay what they are. */
function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  const text = Buffer.from(bytes).toString('utf8')
  return Buffer.from(text, 'utf8').equals(bytes) ? text : bytes
}

/** Passes the body on as it comes and tells the exchange when it has ended, however it ended. */
async function* told(
  answer: Answer,
  shown: Pick<Exchange, 'purpose' | 'method' | 'url' | 'request'>,
  world: World,
  call: ApiCall,
  tell: Tell,
) {
  const kept: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of answer.body) {
      if (call.logBodies === true && bytes < 64 * 1024) kept.push(chunk)
      bytes += chunk.length
      yield chunk
    }
  } finally {
    const type = answer.headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? ''
    const body =
      call.logBodies === true ? { body: maskBody(Buffer.concat(kept).toString('utf8'), type, world.secrets) } : {}
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

async function drain(body: AsyncIterable<Uint8Array>): Promise<void> {
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > 256 * 1024) return
  }
}
