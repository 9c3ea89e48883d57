import type { Server } from 'node:net'
import { TransportError } from '../model/errors.ts'
import type { Listening } from '../model/integration.ts'

type Address = Listening['addresses'][number]

/** Servers that listen at one port, on one or both loopback families. */
export interface Bound {
  readonly port: number
  readonly addresses: readonly Address[]
  readonly servers: readonly Server[]
}

/** How often a free port of one family may turn out to be taken on the other. */
const attempts = 20

/**
 * Listens on each of the addresses at the same port, or on none. A family that this machine lacks is left out. Port 0
 * means any that is free on all of them.
 * Throws TransportError `PORT_IN_USE`, `PORT_FORBIDDEN`, `LOOPBACK_UNAVAILABLE`.
 */
export async function bind(listening: Listening, createServer: () => Server): Promise<Bound> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await bindOnce(listening, createServer)
    } catch (error) {
      const mayRetry = listening.port === 0 && attempt < attempts && codeOf(error) === 'EADDRINUSE'
      if (!mayRetry) throw explained(error, listening.port)
    }
  }
}

async function bindOnce({ port: wanted, addresses }: Listening, createServer: () => Server): Promise<Bound> {
  const servers: Server[] = []
  const bound: Address[] = []
  let port = wanted
  try {
    for (const address of addresses) {
      const server = createServer()
      if (await opens(server, port, address)) {
        servers.push(server)
        bound.push(address)
        port = portOf(server)
      }
    }
  } catch (error) {
    await Promise.all(servers.map(shut))
    throw error
  }
  if (servers.length === 0) {
    throw new TransportError(
      'LOOPBACK_UNAVAILABLE',
      `This machine has no loopback address ${addresses.join(' or ')}.`,
      {
        hint: 'Use another loopback name in --callback-url: 127.0.0.1, [::1] or localhost.',
      },
    )
  }
  return { port, addresses: bound, servers }
}

/** Stops listening; resolves once the port is free, which is when the last socket is gone. */
export function shut(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}

/** False when the machine does not have this family. */
function opens(server: Server, port: number, host: Address): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => {
      if (['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(codeOf(error) ?? '')) resolve(false)
      else reject(Object.assign(error, { address: host }))
    }
    server.once('error', failed)
    server.listen({ port, host }, () => {
      server.off('error', failed)
      resolve(true)
    })
  })
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('A listening TCP server has a port.')
  return address.port
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}

function explained(error: unknown, port: number): unknown {
  const { address = 'the loopback address' } = error as { readonly address?: string }
  if (codeOf(error) === 'EADDRINUSE') {
    return new TransportError('PORT_IN_USE', `Port ${port} on ${address} is already in use.`, {
      hint:
        'Stop what listens there, or choose another port with --port <n> and register the redirect URL that goes with it.\n' +
        'Where the provider accepts any loopback port, --port 0 takes a free one.',
      cause: error,
    })
  }
  if (codeOf(error) === 'EACCES') {
    return new TransportError('PORT_FORBIDDEN', `This machine does not let you listen on port ${port} of ${address}.`, {
      hint: 'Choose a port from 1024 on with --port <n> and register the redirect URL that goes with it.',
      cause: error,
    })
  }
  return error
}
