import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Listening } from '../model/integration.ts'
import { type Refusal, refuse } from './admission.ts'
import { bind, shut } from './bind.ts'

/** A request that reached the place where callbacks are awaited. */
export interface Arrival {
  readonly method: string
  /** Path and query, raw. */
  readonly target: string
  readonly body: string
  /** Why `connect` would not have taken it for the callback. */
  readonly refusal?: Refusal | undefined
}

/** A listener like that of `connect`, which judges nothing and writes down who comes. */
export interface Arrivals {
  readonly port: number
  /** Those so far, in their order. */
  readonly seen: readonly Arrival[]
  close(): Promise<void>
}

/** Bytes of a body that are read. */
const largestBody = 64 * 1024

/** Listens where `connect` would. Throws TransportError `PORT_IN_USE`, `PORT_FORBIDDEN`, `LOOPBACK_UNAVAILABLE`. */
export async function openArrivals(listening: Listening): Promise<Arrivals> {
  const seen: Arrival[] = []
  const sockets = new Set<Socket>()
  const bound = await bind(listening, () => newServer(listening, seen, sockets))
  return {
    port: bound.port,
    seen,
    close: async () => {
      const freed = Promise.all(bound.servers.map(shut))
      for (const socket of sockets) socket.destroy()
      await freed
    },
  }
}

function newServer(rules: Listening, seen: Arrival[], sockets: Set<Socket>): Server {
  const server = createServer(async (request, response) => {
    const refusal = refuse(request, rules)
    const body = await bodyOf(request)
    seen.push({ method: request.method ?? '?', target: request.url ?? '', body, refusal })
    response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-store', connection: 'close' })
    response.end('It arrived. auth-cli callback check is looking at it.\n')
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return server
}

/** What came of it; a sender that breaks off has sent what it has. */
async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of request) {
      bytes += (chunk as Buffer).length
      if (bytes > largestBody) break
      chunks.push(chunk as Buffer)
    }
  } catch {
    return Buffer.concat(chunks).toString('utf8')
  }
  return Buffer.concat(chunks).toString('utf8')
}
