import { MachineError } from '../model/errors.ts'

/** The keychain of this person on this machine. Both calls throw MachineError `KEYCHAIN_UNAVAILABLE`. */
export interface Keyring {
  /** Undefined where nothing is kept under this account. */
  read(account: string): Promise<string | undefined>
  /** On return it has been read back: what a keychain only pretends to keep is a failure. */
  write(account: string, secret: string): Promise<void>
  /** Whether it truly keeps things: writes, reads back and deletes. */
  check(): Promise<void>
}

const service = 'auth-cli'
/** Milliseconds; long enough for a person to type the password that unlocks it. */
const patience = 60_000

/**
 * macOS Keychain, Windows Credential Manager, and on Linux the Secret Service alone: what would stand in for it there, the
 * kernel's keyring, forgets at the next boot. Throws MachineError `KEYCHAIN_UNAVAILABLE`.
 */
export async function systemKeyring(): Promise<Keyring> {
  const { AsyncEntry } = await loaded()
  const entry = (account: string) => new AsyncEntry(service, account, { linux: { store: 'secret-service' } })
  const read = (account: string): Promise<string | undefined> =>
    inTime(async (signal) => (await entry(account).getPassword(signal)) ?? undefined)
  const write = async (account: string, secret: string): Promise<void> => {
    await inTime((signal) => entry(account).setPassword(secret, signal))
    if ((await read(account)) !== secret) throw unavailable('it did not give back what it was given')
  }
  return {
    read,
    write,
    async check() {
      const account = `check-${process.pid}-${Date.now()}`
      await write(account, account)
      await inTime((signal) => entry(account).deletePassword(signal))
    },
  }
}

async function loaded(): Promise<typeof import('@napi-rs/keyring')> {
  try {
    return await import('@napi-rs/keyring')
  } catch (cause) {
    throw unavailable('the optional package that speaks to it is not installed for this system', cause)
  }
}

async function inTime<T>(act: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(patience)
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error(`it did not answer within ${patience / 1000} s`)))
  })
  try {
    return await Promise.race([act(signal), late])
  } catch (cause) {
    throw unavailable(cause instanceof Error ? cause.message : 'it refused', cause)
  }
}

function unavailable(why: string, cause?: unknown): MachineError {
  return new MachineError('KEYCHAIN_UNAVAILABLE', 'Your keychain cannot be used.', {
    cause,
    facts: [['Keychain', firstLine(why)]],
    hint: 'Unlock it, or run where it can be reached: over SSH, in a container or under cron there often is none.',
  })
}

/** A system's words may be long; nothing secret stands in them. */
function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').replace(/\p{C}/gu, '').slice(0, 200)
}
