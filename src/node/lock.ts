import { readFileSync, readlinkSync, statSync, utimesSync } from 'node:fs'
import { hostname } from 'node:os'
import path from 'node:path'
import { TransportError } from '../model/errors.ts'
import { crypto } from './crypto.ts'
import { diskTrouble, errnoOf, makeFolder, placeOnce, readIfThere, removeIfThere } from './disk.ts'
import { traceProcess } from './processes.ts'

export interface LockTerms {
  /** What is locked, for the message when it is not had in time: `"acme"`. */
  readonly what: string
  /** Ends the wait, with its reason. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds to wait; 90,000 by default. */
  readonly limit?: number | undefined
  /** Milliseconds without a heartbeat after which the lock of another host or container counts as left; 60,000. */
  readonly silence?: number | undefined
}

/** Milliseconds; well below `silence`, so that a slow disk costs nobody his lock. */
const heartbeat = 10_000
const longestPause = 40

/** Who holds a lock, as the lock file says. */
interface Holder {
  readonly pid: number
  readonly startTicks?: number | undefined
  /** Host and pid namespace: where the pid means something. */
  readonly place: string
  /** Unlike any other taking of any lock. */
  readonly nonce: string
}

/**
 * Runs `work` while no other process, and no other caller in this one, is in it for the same lock file. The lock of a
 * holder that was killed is taken over at once; that of another host or container after a silence of 60 s, measured by
 * watching, so that clocks do not matter. Throws the signal's reason, TransportError `TIMEOUT`, MachineError
 * `DISK_FULL` or `NOT_WRITABLE`, and what `work` throws.
 */
export async function withLock<T>(file: string, terms: LockTerms, work: () => Promise<T> | T): Promise<T> {
  const self = newHolder()
  try {
    await take(file, self, terms)
  } catch (error) {
    throw diskTrouble(error, `${terms.what} could not be locked`, path.dirname(file))
  }
  const beat = setInterval(() => showLife(file, self), heartbeat)
  beat.unref()
  try {
    return await work()
  } finally {
    clearInterval(beat)
    release(file, self)
  }
}

async function take(file: string, self: Holder, { what, signal, limit = 90_000, silence = 60_000 }: LockTerms) {
  const began = performance.now()
  let watched = { mark: '', since: began }
  for (let pause = 1; ; pause = Math.min(pause * 2, longestPause)) {
    signal?.throwIfAborted()
    const seen = look(file)
    if (!seen) {
      if (claim(file, self)) return
      continue
    }
    const now = performance.now()
    if (seen.mark !== watched.mark) watched = { mark: seen.mark, since: now }
    if (isGone(seen.holder, self) || now - watched.since > silence) {
      if (clearAway(file, seen, self)) continue
    }
    if (now - began > limit) throw tooLong(what, seen.holder)
    await rest(pause * (0.5 + Math.random()), signal)
  }
}

function claim(file: string, self: Holder): boolean {
  try {
    return placeOnce(file, JSON.stringify(self))
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
    makeFolder(path.dirname(file))
    return placeOnce(file, JSON.stringify(self))
  }
}

/** A lock as it was met; `mark` changes with every taking and every heartbeat. */
interface Sighting {
  readonly holder: Holder | undefined
  readonly mark: string
}

function look(file: string): Sighting | undefined {
  const text = readIfThere(file)?.toString('utf8')
  if (text === undefined) return undefined
  const beat = statSync(file, { throwIfNoEntry: false })?.mtimeMs
  return { holder: parseHolder(text), mark: `${beat} ${text}` }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Partial<Holder> | null
    const { pid, place, nonce } = holder ?? {}
    return typeof pid === 'number' && typeof place === 'string' && typeof nonce === 'string'
      ? { pid, place, nonce, startTicks: holder?.startTicks }
      : undefined
  } catch {
    return undefined
  }
}

/** Certain only here: of another host, container or an unreadable lock file we know nothing but its heartbeat. */
function isGone(holder: Holder | undefined, self: Holder): boolean {
  if (!holder || holder.place !== self.place) return false
  const trace = traceProcess(holder.pid)
  return !trace || trace.startTicks !== holder.startTicks
}

/**
 * Removes a lock that was left, under a lock of its own, where it is looked at once more: otherwise a second waiter,
 * late with the same finding, would remove the lock that the first has meanwhile taken. True when it is gone.
 */
function clearAway(file: string, seen: Sighting, self: Holder, depth = 0): boolean {
  const guard = `${file}.lock`
  if (!claim(guard, self)) {
    const other = look(guard)
    if (other && isGone(other.holder, self) && depth < 3) clearAway(guard, other, self, depth + 1)
    return false
  }
  try {
    return look(file)?.mark === seen.mark && removeIfThere(file)
  } finally {
    release(guard, self)
  }
}

function release(file: string, self: Holder): void {
  try {
    if (look(file)?.holder?.nonce === self.nonce) removeIfThere(file)
  } catch {
    // The folder was taken from us; our end releases the lock all the same.
  }
}

function showLife(file: string, self: Holder): void {
  try {
    if (look(file)?.holder?.nonce === self.nonce) utimesSync(file, new Date(), new Date())
  } catch {}
}

function newHolder(): Holder {
  return {
    pid: process.pid,
    startTicks: traceProcess(process.pid)?.startTicks,
    place: here(),
    nonce: crypto().randomBytes(12).toString('hex'),
  }
}

function here(): string {
  const told = (tell: () => string): string => {
    try {
      return tell().trim()
    } catch {
      return ''
    }
  }
  const machine = told(() => readFileSync('/etc/machine-id', 'latin1'))
  const pids = told(() => readlinkSync('/proc/self/ns/pid'))
  return [hostname(), machine, pids].join(' ')
}

function tooLong(what: string, holder: Holder | undefined): TransportError {
  const who = holder ? `process ${holder.pid}` : 'another process'
  return new TransportError('TIMEOUT', `${what} is in use by ${who}, which did not finish in time.`, {
    hint: 'Try again once it is done, or end that process if it hangs.',
  })
}

function rest(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const wake = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', wake)
      if (signal?.aborted) reject(signal.reason)
      else resolve()
    }
    const timer = setTimeout(wake, milliseconds)
    signal?.addEventListener('abort', wake)
  })
}
