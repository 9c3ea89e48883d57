import { type Attempt, drain, isReplayable, peek, sendDressed, signable } from './call.ts'
import { asMessage, inConversation, wantsGreeting } from './converse.ts'
import { placeholders } from './fill/placeholders.ts'
import { runFlow } from './flow.ts'
import { isMcp } from './mcp.ts'
import { type Connection, isRenewable } from './model/connection.ts'
import { TransportError, UsageError } from './model/errors.ts'
import type { Header, Tell } from './model/event.ts'
import type { Answer, Outgoing, World } from './model/world.ts'
import { modeOf } from './modes/index.ts'
import type { Mode } from './modes/mode.ts'
import { refresh } from './refresh.ts'
import { backoff, isIdempotent, type Passing, passingOf, type RetryRule, retryRuleOf } from './retry.ts'
import { assertReachable, learnSecrets, savedConnection } from './saved.ts'
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
  /** How often it is sent again where the refusal is one that passes; 3 where absent. */
  readonly retries?: number | undefined
}

/** The API's answer; its body still to be read, once. */
export interface ApiAnswer extends Answer {
  readonly flow: string
  readonly connection: Connection
}

/** Sends calls of one flow, with the credential as young as it has become on the way. */
export interface Caller {
  readonly flow: string
  readonly tell: Tell
  /** Throws UsageError `OTHER_ORIGIN`, `NO_BASE_URL`, `BAD_ARGUMENT`, `INSECURE_URL`; TransportError. */
  readonly send: (call: ApiCall) => Promise<ApiAnswer>
  readonly connection: () => Connection
}

/** Milliseconds; an API that asks to wait longer has said no for now. */
const longestWait = 60_000
const usualRetries = 3
/** Bytes of a refusal that a rule may look into. */
const mostLookedAt = 64 * 1024

/**
 * Calls the API with the connection's credential: renewed first when it is stale, and once more after a 401 where the
 * body can be sent again; sent again where the template's `proxy.retry` says that a refusal passes. The credential goes
 * to the connection's own origins only and along no redirect.
 * Throws UsageError `UNKNOWN_CONNECTION`, `OTHER_ORIGIN`, `NO_BASE_URL`; what `refresh` throws; TransportError.
 */
export function request<T>(
  world: World,
  name: string,
  call: ApiCall,
  read: (answer: ApiAnswer) => Promise<T>,
): Promise<T> {
  return calling(world, name, call, async (caller) => read(await caller.send(call)))
}

/** One flow of calls; the first of them is judged before anything is sent, the renewal included. */
export async function calling<T>(
  world: World,
  name: string,
  first: ApiCall,
  act: (caller: Caller) => Promise<T>,
): Promise<T> {
  const saved = await savedConnection(world, name)
  judgedUrl(saved, first)
  assertReachable(world, saved)
  let connection = await refresh(world, name)
  learnSecrets(world, connection)
  const what = { deed: 'request', provider: connection.provider, connection: connection.name } as const
  return runFlow(world, what, async (flow) => {
    const mode = await modeOf(connection.mode, connection.provider)
    const ends: (() => Promise<void>)[] = []
    const send = async (call: ApiCall): Promise<ApiAnswer> => {
      const { target: _, retries: __, allowHttp: ___, ...rest } = call
      const plain = { ...rest, url: judgedUrl(connection, call) }
      const attempt = await signable(connection, mode, isMcp(connection) ? await asMessage(plain) : plain)
      const trial: Trial = { world, mode, attempt, tell: flow.tell, retries: call.retries ?? usualRetries }
      let answer = await patiently(trial, connection)
      if (answer.status === 401 && !bringsOwn(connection, call)) {
        const renewed = await afterRefusal(trial, connection, answer)
        if (renewed !== undefined) {
          connection = renewed
          await drain(answer.body)
          answer = await patiently(trial, connection)
        }
      }
      if (isMcp(connection) && wantsGreeting(attempt, answer)) {
        const conversation = await inConversation(world, connection, mode, attempt, answer, flow.tell)
        ends.push(conversation.end)
        answer = conversation.answer
      }
      return { ...answer, flow: flow.id, connection }
    }
    try {
      return await act({ flow: flow.id, tell: flow.tell, send, connection: () => connection })
    } finally {
      for (const end of ends) await end()
    }
  })
}

/** Whether the call carries a credential of its own: that one was refused then, and a younger token would not help. */
function bringsOwn({ snapshot }: Connection, { headers }: ApiCall): boolean {
  // Of the template's own headers those that a credential fills; a version or a media type is none.
  const filled = Object.entries(snapshot.template.proxy?.headers ?? {})
    .filter(([, text]) => placeholders(String(text)).some((path) => !path.startsWith('connectionConfig.')))
    .map(([name]) => name.toLowerCase())
  return headers.some(([name]) => ['authorization', 'cookie', ...filled].includes(name.toLowerCase()))
}

function judgedUrl(connection: Connection, { target, allowHttp }: ApiCall): string {
  const url = targetUrl(connection, target)
  assertSecure(url, allowHttp === true || connection.snapshot.allowHttp, 'the API URL')
  return url
}

/** The URL that a path or URL means for this connection. Throws UsageError `OTHER_ORIGIN`, `NO_BASE_URL`, `BAD_ARGUMENT`. */
export function targetUrl({ snapshot, name }: Connection, target: string): string {
  const base = snapshot.endpoints.api
  // An MCP server is one URL: that it is meant goes without saying.
  if (snapshot.endpoints.mcp !== undefined && ['', '.', '/'].includes(target)) return snapshot.endpoints.mcp
  const absolute = /^[a-z][a-z0-9+.-]*:/i.test(target)
  if (!absolute && base === undefined) {
    throw new UsageError('NO_BASE_URL', `The template of "${name}" names no base URL for its API.`, {
      hint: `Give the whole URL${snapshot.origins.length === 0 ? '' : `, at ${snapshot.origins.join(' or ')}`}.`,
    })
  }
  const text = absolute ? target : `${(base ?? '').replace(/\/+$/, '')}/${target.replace(/^\/+/, '')}`
  if (!URL.canParse(text)) throw new UsageError('BAD_ARGUMENT', `"${target}" is neither a path nor a URL.`)
  const url = new URL(text)
  const allowed = originsFor(snapshot)
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

/** Where a connection's credential may go, the API's own origin first. */
export function originsFor({ endpoints, origins }: Connection['snapshot']): readonly string[] {
  return endpoints.api === undefined ? origins : [new URL(endpoints.api).origin, ...origins]
}

interface Trial {
  readonly world: World
  readonly mode: Mode
  readonly attempt: Attempt
  readonly tell: Tell
  readonly retries: number
}

/** Sends it, and again while the refusal is one that passes, it may be sent twice, and the wait is bearable. */
async function patiently(trial: Trial, connection: Connection): Promise<Answer> {
  const { world, mode, attempt, tell, retries } = trial
  const rule = retryRuleOf(connection.snapshot.template)
  for (let again = 0; ; again += 1) {
    const outcome = await once(() => sendDressed(world, connection, mode, attempt, tell), rule, world.clock.now())
    const { passing } = outcome
    const isAllowed = passing !== undefined && (passing.isUntouched || isIdempotent(attempt.method))
    if (!isAllowed || retries === 0 || !isReplayable(attempt)) return settled(outcome)
    const wait = passing.wait ?? backoff(again, (world.random(1)[0] ?? 0) / 255)
    if (again === retries || wait > longestWait) {
      tell(gaveUp(passing, again, wait))
      return settled(outcome)
    }
    if (outcome.answer !== undefined) await drain(outcome.answer.body)
    tell({ type: 'request.retried', attempt: again + 1, wait: Math.round(wait), why: passing.why })
    await world.clock.sleep(wait, world.signal)
  }
}

function gaveUp({ why }: Passing, again: number, wait: number) {
  const seconds = Math.ceil(wait / 1000)
  const says = wait > longestWait ? `and asks to wait ${seconds} s` : `${again === 1 ? 'once' : `${again} times`} again`
  return {
    type: 'warning',
    code: 'RETRIES_SPENT',
    message: `Not sent again: ${why}${wait > longestWait ? ', ' : ' '}${says}`,
  } as const
}

type Outcome =
  | { readonly answer: Answer; readonly error?: undefined; readonly passing?: Passing | undefined }
  | { readonly answer?: undefined; readonly error: unknown; readonly passing?: Passing | undefined }

async function once(send: () => Promise<Answer>, rule: RetryRule | undefined, now: Date): Promise<Outcome> {
  try {
    const answer = await send()
    if (answer.status < 400) return { answer }
    const looked = rule?.inBody === undefined ? { text: '', answer } : await peek(answer, mostLookedAt)
    return { answer: looked.answer, passing: passingOf(rule, { ...answer, text: looked.text }, now) }
  } catch (error) {
    const isRoad = error instanceof TransportError && error.code !== 'TIMEOUT' && error.code !== 'TLS'
    const passing = { isUntouched: false, why: error instanceof Error ? error.message.replace(/\.$/, '') : '' }
    return rule !== undefined && isRoad ? { error, passing } : { error }
  }
}

function settled(outcome: Outcome): Answer {
  if (outcome.answer === undefined) throw outcome.error
  return outcome.answer
}

/** The connection with a younger credential, where a 401 can be met with one. */
async function afterRefusal(
  { world, attempt, tell }: Trial,
  connection: Connection,
  answer: Answer,
): Promise<Connection | undefined> {
  if (!isRenewable(connection)) return undefined
  if (!isReplayable(attempt)) {
    const message = `The API answered ${answer.status}; a streamed body cannot be sent a second time`
    tell({
      type: 'warning',
      code: 'NOT_SENT_AGAIN',
      message,
      hint: `Renew first: auth-cli refresh ${connection.name} --force`,
    })
    return undefined
  }
  const refused = connection.credential.accessToken ?? ''
  const renewed = await refresh(world, connection.name, { refused }).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : ''
    tell({ type: 'warning', code: 'REFRESH_FAILED', message: `The API answered 401 and renewing failed: ${why}` })
    return undefined
  })
  if (renewed === undefined || renewed.credential.accessToken === connection.credential.accessToken) return undefined
  learnSecrets(world, renewed)
  return renewed
}
