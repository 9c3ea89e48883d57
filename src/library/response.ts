import type { Header } from '../model/event.ts'
import type { World } from '../model/world.ts'
import { type ApiAnswer, type ApiCall, request } from '../request.ts'
import type { CallOptions } from './options.ts'

export interface RequestOptions extends CallOptions {
  /** Default GET, or POST with a body. */
  readonly method?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | Headers | readonly (readonly [string, string])[] | undefined
  /** An object is sent as JSON, URLSearchParams as a form; a stream is sent as it comes, once. */
  readonly body?: string | Uint8Array | URLSearchParams | AsyncIterable<Uint8Array> | object | undefined
  /** How often it is sent again where the refusal is one that passes; default 3. */
  readonly retries?: number | undefined
  readonly allowHttp?: boolean | undefined
}

/** Statuses whose answer has no body (Fetch §2.2.3). */
const bodiless = new Set([204, 205, 304])

/** Calls the API and resolves as soon as the head of the answer is there; the flow ends with its body. */
export function responseOf(
  world: World,
  name: string,
  target: string,
  options: RequestOptions,
  done: () => void,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const read = (answer: ApiAnswer): Promise<void> =>
      new Promise((ended, broken) => {
        const init = { status: answer.status, statusText: answer.statusText, headers: headersOf(answer.headers) }
        if (!bodiless.has(answer.status)) return resolve(new Response(streamOf(answer.body, ended, broken), init))
        drain(answer.body).then(() => {
          resolve(new Response(null, init))
          ended()
        }, broken)
      })
    request(world, name, callOf(target, options), read).then(done, (error: unknown) => {
      done()
      reject(error)
    })
  })
}

/** Read no faster than it is taken; a reader that cancels ends the flow too. */
function streamOf(
  body: AsyncIterable<Uint8Array>,
  ended: () => void,
  broken: (error: unknown) => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const source = body[Symbol.asyncIterator]()
  return new ReadableStream({
    async pull(controller) {
      try {
        const { value, done } = await source.next()
        if (done !== true) return controller.enqueue(new Uint8Array(value))
        controller.close()
        ended()
      } catch (error) {
        controller.error(error)
        broken(error)
      }
    },
    async cancel() {
      await source.return?.()
      ended()
    },
  })
}

async function drain(body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of body);
}

/** What cannot stand in a `Headers` is left out: the answer is decoded, so its encoding would be untrue besides. */
function headersOf(raw: readonly Header[]): Headers {
  const headers = new Headers()
  for (const [name, value] of raw) {
    if (/^content-(encoding|length)$/i.test(name)) continue
    try {
      headers.append(name, value)
    } catch {}
  }
  return headers
}

/** The options of a call as the verb takes them. */
export function callOf(target: string, options: RequestOptions): ApiCall {
  const { body: given, retries, allowHttp } = options
  const headers = [...new Headers(options.headers as ConstructorParameters<typeof Headers>[0])].map(
    ([name, value]): Header => [name, value],
  )
  const { body, type } = bodyOf(given)
  const isTyped = headers.some(([name]) => name === 'content-type')
  return {
    method: (options.method ?? (body === undefined ? 'GET' : 'POST')).toUpperCase(),
    target,
    headers: type === undefined || isTyped ? headers : [...headers, ['content-type', type]],
    ...(body === undefined ? {} : { body }),
    retries,
    allowHttp,
  }
}

function bodyOf(given: RequestOptions['body']): { readonly body?: ApiCall['body']; readonly type?: string } {
  if (given === undefined || typeof given === 'string' || given instanceof Uint8Array) return { body: given }
  if (given instanceof URLSearchParams) return { body: given.toString(), type: 'application/x-www-form-urlencoded' }
  if (Symbol.asyncIterator in given) return { body: given as AsyncIterable<Uint8Array> }
  return { body: JSON.stringify(given), type: 'application/json' }
}
