import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Happening } from '../../src/model/event.ts'
import type { World } from '../../src/model/world.ts'
import { makeSend } from '../../src/node/send.ts'
import { secretsOfHome } from './secrets-under.ts'

/** One request as it came to the endpoint. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** What the endpoint does with a request: answers, or takes the connection in its own hands. */
export type Reply =
  | {
      readonly status?: number
      readonly headers?: Readonly<Record<string, string | string[]>>
      readonly body?: string | Buffer | object
    }
  | ((response: ServerResponse) => void)

export interface ScriptedEndpoint {
  readonly origin: string
  readonly asked: Asked[]
  /** What a path is answered with from now on. */
  answer(path: string, reply: Reply): void
  close(): Promise<void>
}

/** A real HTTP server on loopback that says what a test wants. */
export async function openEndpoint(): Promise<ScriptedEndpoint> {
  const replies = new Map<string, Reply>()
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      const path = (request.url ?? '/').replace(/[?#].*$/, '')
      asked.push({ method: request.method ?? '', path, headers: request.headers, body })
      respond(response, replies.get(path) ?? { status: 404, body: 'nothing here' })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answer: (path, reply) => void replies.set(path, reply),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function respond(response: ServerResponse, reply: Reply): void {
  if (typeof reply === 'function') {
    reply(response)
    return
  }
  const { status = 200, headers = { 'content-type': 'application/json' }, body = '' } = reply
  response.writeHead(status, headers)
  response.end(typeof body === 'object' && !Buffer.isBuffer(body) ? JSON.stringify(body) : body)
}

/** As much of a World as a talk with a provider needs, and what it told. */
export function roadOf(signal: AbortSignal = new AbortController().signal): {
  readonly world: World
  readonly told: Happening[]
  readonly quirks: () => string[]
} {
  const told: Happening[] = []
  const world = {
    send: makeSend({}),
    secrets: secretsOfHome(7),
    signal,
    clock: { now: () => new Date(), monotonic: () => performance.now(), sleep: async () => {} },
  } as unknown as World
  return { world, told, quirks: () => told.flatMap((one) => (one.type === 'quirk' ? [one.quirk] : [])) }
}
