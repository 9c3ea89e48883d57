import { type Given, openSession, type Session, type SessionParts } from './session.ts'

/**
 * A session for a command on a saved connection. If that is a sandbox's, the sandbox runs by the time of the first
 * request, and no earlier: a command that sends nothing loads nothing.
 */
export async function openAwake(
  given: Given,
  name: string,
  parts: SessionParts = {},
): Promise<{ session: Session; close: () => Promise<void> }> {
  let close = async (): Promise<void> => {}
  let beforeSend: ((url: string) => Promise<void>) | undefined
  const session: Session = await openSession(given, {
    ...parts,
    beforeSend: async (url) => {
      if (beforeSend === undefined) {
        const { sandboxWaker } = await import('./sandbox.ts')
        const waker = sandboxWaker(session.paths.sandbox, session.world.store, name)
        beforeSend = waker.beforeSend
        close = waker.close
      }
      await beforeSend(url)
    },
  })
  return { session, close: () => close() }
}
