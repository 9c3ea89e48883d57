import { TransportError, UsageError } from '../model/errors.ts'
import type { Store } from '../model/world.ts'
import { diskTrouble } from '../node/disk.ts'
import { faults, openSandbox, runningSandbox, type Sandbox } from '../sandbox/index.ts'

export const sandboxPort = 8750

/** A sandbox to connect to; `close` ends it where it is our own. */
export interface SandboxAt {
  readonly port: number
  readonly close: () => Promise<void>
}

/**
 * The sandbox of this home that runs, else one that lives as long as this command: at the wanted port where that is
 * free. With a fault always one of our own. Throws UsageError `BAD_FLAG` for a fault that does not exist.
 */
export async function sandboxAt(home: string, wanted: number, fault: string | undefined): Promise<SandboxAt> {
  assertFault(fault)
  const running = fault === undefined ? await runningSandbox(home) : undefined
  if (running !== undefined) return { port: running.port, close: async () => {} }
  const own = await openAt(wanted, home, fault).catch((error: unknown) => {
    if (isTaken(error)) return openAt(0, home, fault)
    throw error
  })
  return { port: own.port, close: own.close }
}

/** Throws UsageError `BAD_FLAG` that lists the faults there are. */
export function assertFault(fault: string | undefined): void {
  if (fault === undefined || faults.some(({ name }) => name === fault)) return
  throw new UsageError('BAD_FLAG', `The sandbox has no fault called "${fault}".`, {
    hint: faults.map(({ name, says }) => `${name.padEnd(22)} ${says}`).join('\n'),
  })
}

/** Wakes the sandbox that a connection was made with, before the first request to it. */
export function sandboxWaker(home: string, store: Store, name: string) {
  let woken: Promise<Sandbox | undefined> | undefined
  const wake = async (url: string): Promise<Sandbox | undefined> => {
    const { origin, port } = new URL(url)
    const connection = await store.connections.read(name)
    if (connection?.provider !== 'sandbox' || connection.snapshot.source.kind !== 'built-in') return undefined
    if (!connection.snapshot.origins.includes(origin)) return undefined
    if ((await runningSandbox(home))?.port === Number(port)) return undefined
    return openAt(Number(port), home, undefined).catch((cause: unknown) => {
      if (!isTaken(cause)) throw cause
      throw new TransportError(
        'PORT_IN_USE',
        `The sandbox of "${name}" lived at port ${port}, which something else uses now.`,
        {
          hint: 'Free the port, or connect again: auth-cli connect sandbox',
          cause,
        },
      )
    })
  }
  return {
    reach: async (url: string): Promise<undefined> => {
      woken ??= wake(url)
      await woken
    },
    close: async (): Promise<void> => {
      await (await woken?.catch(() => undefined))?.close()
    },
  }
}

function openAt(port: number, home: string, fault: string | undefined): Promise<Sandbox> {
  return openSandbox({ port, home, ...(fault === undefined ? {} : { fault }) }).catch((error: unknown) => {
    throw sandboxTrouble(error, home)
  })
}

/** What the disk refused a sandbox, as an error of ours; what its port did stays as it came. */
export function sandboxTrouble(error: unknown, home: string): unknown {
  const { syscall } = (error ?? {}) as Partial<NodeJS.ErrnoException>
  return syscall === 'listen' || syscall === 'bind'
    ? error
    : diskTrouble(error, 'The sandbox has nowhere to live', home)
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES')
}
