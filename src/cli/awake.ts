import { type Given, openSession, type Session, type SessionParts } from './session.ts'

/**
 * A session for a command on a saved connection, or on one after the other. If that is a sandbox's, the sandbox runs by
 * the time of the first request, and no earlier: a command that sends nothing loads nothing.
 */
export async function openAwake(
  given: Given,
  name: string | (() => string),
  parts: SessionParts = {},
): Promise<{ session: Session; close: () => Promise<void> }> {
  const wakers = new Map<string, { beforeSend: (url: string) => Promise<void>; close: () => Promise<void> }>()
  const session: Session = await openSession(given, {
    ...parts,
    beforeSend: async (url) => {
      const now = typeof name === 'string' ? name : name()
      let waker = wakers.get(now)
      if (waker === undefined) {
        const { sandboxWaker } = await import('./sandbox.ts')
        waker = sandboxWaker(session.paths.sandbox, session.world.store, now)
        wakers.set(now, waker)
      }
      await waker.beforeSend(url)
    },
  })
  return {
    session,
    close: async () => {
      for (const { close } of wakers.values()) await close()
    },
  }
}
