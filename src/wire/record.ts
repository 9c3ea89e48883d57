import { AuthCliError, ProviderError } from '../model/errors.ts'
import type { Exchange, Header, Tell } from '../model/event.ts'
import type { Answer, Outgoing, World } from '../model/world.ts'
import { isTooDeep, maskBody, maskHeaders, maskUrl } from './mask.ts'

/** Bytes of a protocol answer that we are willing to read; no token answer is larger. */
const answerCap = 1024 * 1024

/** An answer whose body has been read. */
export interface Received {
  readonly status: number
  readonly statusText: string
  readonly headers: readonly Header[]
  readonly text: string
}

export type Transmit = (request: Omit<Outgoing, 'signal'>) => Promise<Received>

/** Finds the secrets of an answer that no name in it gives away. */
export type SecretsIn = (answer: Received) => readonly string[] | Promise<readonly string[]>

type Road = Pick<World, 'send' | 'secrets' | 'signal' | 'clock'>

/** One exchange may take this long, in milliseconds, whatever the whole flow may take. */
const exchangeLimit = 30_000
/** The same for metadata and look-ups, which are a help and no need: a code or a person waits for them. */
const helpLimit = 5_000
const helps = new Set(['metadata', 'look-up', 'introspection'])

/**
 * The innermost layer: sends, reads the answer whole, and tells the exchange as it truly crossed, masked at birth.
 * `purpose` says what the exchange is for; `secretsIn` finds secrets that no name in the answer gives away. Throws
 * TransportError; ProviderError `ANSWER_TOO_LARGE`, `ANSWER_UNUSABLE`.
 */
export function record(road: Road, tell: Tell, purpose: string, secretsIn: SecretsIn = () => []): Transmit {
  return async (request) => {
    const started = road.clock.monotonic()
    const asked = shownRequest(request, road)
    const signal = AbortSignal.any([road.signal, AbortSignal.timeout(helps.has(purpose) ? helpLimit : exchangeLimit)])
    let answer: Answer | undefined
    let body: Collected = { text: '', bytes: 0, whole: true }
    try {
      answer = await road.send({ ...request, signal })
      body = await collect(answer.body)
      for (const secret of await secretsIn({ ...answer, text: body.text })) road.secrets.learn(secret)
      tell({ type: 'exchange', exchange: { purpose, ...asked, ...shownAnswer(answer, body, road) } })
    } catch (error) {
      const timing = answer?.timing() ?? { total: road.clock.monotonic() - started }
      const failure =
        error instanceof AuthCliError
          ? { code: error.code, message: road.secrets.scrub(error.message) }
          : { code: 'BUG', message: 'unforeseen' }
      tell({ type: 'exchange', exchange: { purpose, ...asked, timing, failure } })
      throw error
    }
    if (!body.whole) {
      throw new ProviderError('ANSWER_TOO_LARGE', `The answer of ${new URL(request.url).host} is larger than 1 MB.`, {
        status: answer.status,
        hint: 'No token answer is that large: check the URL in the template.',
      })
    }
    if (isTooDeep(body.text)) {
      throw new ProviderError('ANSWER_UNUSABLE', `The answer of ${new URL(request.url).host} is nested without end.`, {
        status: answer.status,
        hint: 'Check the URL in the template; the answer is in the log.',
      })
    }
    return { status: answer.status, statusText: answer.statusText, headers: answer.headers, text: body.text }
  }
}

function shownRequest(
  request: Omit<Outgoing, 'signal'>,
  { secrets }: Road,
): Pick<Exchange, 'method' | 'url' | 'request'> {
  const body =
    typeof request.body === 'string'
      ? maskBody(request.body, headerOf(request.headers, 'content-type'), secrets)
      : undefined
  return {
    method: request.method,
    url: maskUrl(request.url, secrets),
    request: { headers: maskHeaders(request.headers, secrets), ...(body === undefined ? {} : { body }) },
  }
}

function shownAnswer(
  answer: Answer,
  body: Collected,
  { secrets }: Road,
): Pick<Exchange, 'response' | 'timing' | 'peer'> {
  return {
    response: {
      status: answer.status,
      statusText: secrets.scrub(answer.statusText),
      headers: maskHeaders(answer.headers, secrets),
      body: maskBody(body.text, headerOf(answer.headers, 'content-type'), secrets),
      bytes: body.bytes,
    },
    timing: answer.timing(),
    ...(answer.peer === undefined ? {} : { peer: answer.peer }),
  }
}

interface Collected {
  readonly text: string
  readonly bytes: number
  readonly whole: boolean
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Collected> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  let whole = true
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > answerCap) {
      whole = false
      break
    }
    chunks.push(chunk)
  }
  return { text: Buffer.concat(chunks).toString('utf8'), bytes, whole }
}

/** The first header of that name, or the empty string. */
export function headerOf(headers: readonly Header[], name: string): string {
  return headers.find(([key]) => key.toLowerCase() === name)?.[1] ?? ''
}
