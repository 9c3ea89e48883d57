import { type Given, openSession, type Session, type SessionParts } from './session.ts'

interface Waker {
  readonly reach: (url: string) => Promise<string | undefined>
  readonly close: () => Promise<void>
}

/**
 * A session for a command on a saved connection, or on one after the other. If one was made with the sandbox, or with a
 * twin in it, either runs by the time of the first request, and no earlier: a command that sends nothing loads nothing.
 */
export async function openAwake(
  given: Given,
  name: string | (() => string),
  parts: SessionParts = {},
): Promise<{ session: Session; close: () => Promise<void> }> {
  const wakers = new Map<string, Waker>()
  const session: Session = await openSession(given, {
    ...parts,
    reachesTwins: true,
    reach: async (url) => {
      const now = typeof name === 'string' ? name : name()
      const waker = wakers.get(now) ?? (await wakerOf(session, now))
      wakers.set(now, waker)
      return waker.reach(url)
    },
  })
  const close = async (): Promise<void> => void (await Promise.all([...wakers.values()].map((waker) => waker.close())))
  return { session, close }
}

async function wakerOf({ paths, world }: Session, name: string): Promise<Waker> {
  const connection = await world.store.connections.read(name)
  if (connection?.snapshot.twin === true) {
    const { twinWaker } = await import('./twin.ts')
    return twinWaker(paths.sandbox, world.store, name)
  }
  if (connection?.provider !== 'sandbox') return asItIs
  const { sandboxWaker } = await import('./sandbox.ts')
  return sandboxWaker(paths.sandbox, world.store, name)
}

/** Nothing to wake: the provider is where it says it is. */
const asItIs: Waker = { reach: async () => undefined, close: async () => {} }
