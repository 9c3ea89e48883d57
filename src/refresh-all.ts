import type { Connection, ConnectionLine } from './model/connection.ts'
import { AuthCliError } from './model/errors.ts'
import type { World } from './model/world.ts'
import { refresh } from './refresh.ts'

/** What became of one connection. */
export interface Refreshed {
  readonly name: string
  readonly provider: string
  /** `lasting`: nothing can renew it, or it is a twin's, and nothing was tried. */
  readonly outcome: 'renewed' | 'fresh' | 'lasting' | 'failed'
  /** ISO 8601. */
  readonly expiresAt?: string | undefined
  readonly error?:
    | {
        readonly code: string
        readonly message: string
        readonly hint?: string | undefined
        readonly flow?: string | undefined
      }
    | undefined
}

export interface RefreshAllOptions {
  /** Those that are still fresh too. */
  readonly force?: boolean
  /** Told after each one. `waiting`: the host that has asked us to wait, and for how many milliseconds. */
  readonly onProgress?: (progress: Progress) => void
  readonly onBroken?: (file: string, why: string) => void
}

export interface Progress {
  readonly done: number
  readonly failed: number
  readonly total: number
  readonly waiting?: { readonly host: string; readonly ms: number } | undefined
}

/** Connections that are renewed at the same time, in all and at one host. */
const mostAtOnce = 16
const mostAtHost = 6
/** How often one connection is asked for where the host says that it is busy. */
const mostAttempts = 12
/** Milliseconds: a host that asks for a longer wait is not waited for. */
const longestWait = 120_000

/**
 * Renews every connection that wants it, many at once but few at one host; a host that answers 429 or 503 is left alone
 * for as long as it asks. One that fails stops no other. In the order of names. Throws what ends the whole run.
 */
export async function refreshAll(world: World, options: RefreshAllOptions = {}): Promise<readonly Refreshed[]> {
  const lines = await world.store.lines(options.onBroken)
  const hosts = new Map<string, Gate>()
  const results: Refreshed[] = []
  let [done, failed, next] = [0, 0, 0]
  const tell = (waiting?: Progress['waiting']): void =>
    options.onProgress?.({ done, failed, total: lines.length, waiting })
  const worker = async (): Promise<void> => {
    for (let at = next++; at < lines.length; at = next++) {
      const line = lines[at] as ConnectionLine
      const result = await refreshOne(world, line, hosts, options, tell)
      results[at] = result
      done++
      if (result.outcome === 'failed') failed++
      tell()
    }
  }
  // As many as hosts could keep busy together: one slow host must not hold up the others.
  await Promise.all(Array.from({ length: Math.min(lines.length, mostAtOnce * 4) }, worker))
  return results
}

async function refreshOne(
  world: World,
  line: ConnectionLine,
  hosts: Map<string, Gate>,
  { force = false }: RefreshAllOptions,
  tell: (waiting?: Progress['waiting']) => void,
): Promise<Refreshed> {
  const { name, provider } = line
  const told = { name, provider }
  const secrets = world.secrets.apart()
  // A twin's lives in one command's sandbox: nothing of it may go to the real provider.
  if (!line.isRenewable || line.isTwin === true) return { ...told, outcome: 'lasting', ...expiryOf(line.expiresAt) }
  try {
    const before = await world.store.connections.read(name)
    if (before === undefined) return { ...told, outcome: 'lasting' }
    const after = await patiently({ ...world, secrets, store: world.store }, before, force, gateOf(hosts, before), tell)
    const outcome = after.refreshedAt === before.refreshedAt ? 'fresh' : 'renewed'
    return { ...told, outcome, ...expiryOf(after.credential.expiresAt) }
  } catch (error) {
    if (!(error instanceof AuthCliError) || world.signal.aborted) throw error
    const { code, message, hint, flow } = error
    const said = { code, message: secrets.scrub(message), hint: hint && secrets.scrub(hint), flow }
    return { ...told, outcome: 'failed', ...expiryOf(line.expiresAt), error: said }
  }
}

function expiryOf(expiresAt: string | undefined): { readonly expiresAt?: string } {
  return expiresAt === undefined ? {} : { expiresAt }
}

/** Asks again where the host was only busy: nothing was issued then, so nothing is asked twice. */
async function patiently(
  world: World,
  connection: Connection,
  force: boolean,
  gate: Gate,
  tell: (waiting?: Progress['waiting']) => void,
): Promise<Connection> {
  for (let attempt = 1; ; attempt++) {
    await gate.enter(world)
    let busy: { readonly after: string | undefined } | undefined
    const listening: World = {
      ...world,
      async send(request) {
        const answer = await world.send(request)
        const isBusy = answer.status === 429 || answer.status === 503
        busy = isBusy ? { after: answer.headers.find(([key]) => key.toLowerCase() === 'retry-after')?.[1] } : undefined
        return answer
      },
    }
    try {
      const renewed = await refresh(listening, connection.name, { force })
      gate.leave()
      return renewed
    } catch (error) {
      const wait = busy === undefined ? undefined : waitOf(busy.after, attempt, world)
      gate.leave(wait === undefined ? undefined : world.clock.monotonic() + wait)
      if (wait === undefined || wait > longestWait || attempt === mostAttempts) throw error
      tell({ host: gate.host, ms: wait })
    }
  }
}

/** Milliseconds: what `Retry-After` says, in seconds or as a date (RFC 9110 §10.2.3), else twice as long each time. */
function waitOf(after: string | undefined, attempt: number, { clock }: World): number {
  const text = after?.trim() ?? ''
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const date = Date.parse(text)
  if (text !== '' && !Number.isNaN(date)) return Math.max(0, date - clock.now().getTime())
  return Math.min(30_000, 500 * 2 ** attempt)
}

/** The door to one host: few pass at once, fewer after each time that it was busy, and none while it asks to wait. */
interface Gate {
  readonly host: string
  enter(world: World): Promise<void>
  /** `busyUntil`: the monotonic clock's milliseconds before which nobody else goes. */
  leave(busyUntil?: number): void
}

function gateOf(hosts: Map<string, Gate>, { snapshot, provider }: Connection): Gate {
  const { refresh: own, token, sts, authorization } = snapshot.endpoints
  const url = own ?? token ?? sts ?? authorization ?? ''
  const host = URL.canParse(url) ? new URL(url).host : provider
  const gate = hosts.get(host) ?? newGate(host)
  hosts.set(host, gate)
  return gate
}

function newGate(host: string): Gate {
  let [inside, allowed, since, pausedUntil] = [0, mostAtHost, 0, 0]
  const queue: (() => void)[] = []
  return {
    host,
    async enter(world) {
      while (inside >= allowed) await new Promise<void>((resolve) => queue.push(resolve))
      inside++
      for (;;) {
        const pause = pausedUntil - world.clock.monotonic()
        if (pause <= 0) return
        await world.clock.sleep(pause, world.signal)
      }
    },
    leave(busyUntil) {
      inside--
      if (busyUntil !== undefined) {
        pausedUntil = Math.max(pausedUntil, busyUntil)
        allowed = Math.max(1, allowed >> 1)
        since = 0
      } else if (++since % 10 === 0 && allowed < mostAtHost) {
        allowed++
        queue.shift()?.()
      }
      queue.shift()?.()
    },
  }
}
