import { UsageError } from '../../model/errors.ts'
import { readFlows } from '../../node/flows.ts'
import { flowsTable } from '../output/flows.ts'
import { type Given, openSession, readNumber } from '../session.ts'
import { run as follow } from './logs-tail.ts'

const states = ['running', 'success', 'failed', 'cancelled', 'timeout'] as const

/** `auth-cli logs`: the latest flows, a line each. */
export async function run(given: Given): Promise<void> {
  if (given.options['follow'] === true) return follow(given)
  const { world, paths, print } = await openSession(given)
  const { provider, connection, state, since, limit } = given.options as Record<string, string | undefined>
  if (state !== undefined && !states.includes(state as (typeof states)[number])) {
    throw new UsageError('BAD_FLAG', `--state is one of ${states.join(', ')}, not "${state}".`)
  }
  const now = world.clock.now()
  const { flows, unreadable } = readFlows(paths.logs, {
    provider,
    connection,
    state: state as (typeof states)[number] | undefined,
    since: since === undefined ? undefined : instantOf(since, now),
    limit: readNumber('--limit', limit, 1, 1_000_000) ?? 20,
  })
  if (unreadable > 0)
    process.stderr.write(`! ${unreadable} line${unreadable === 1 ? '' : 's'} of the log could not be read\n`)
  await print.value(flows, (style) => flowsTable(flows, style, { now }))
}

/** Milliseconds since the epoch of `10m`, `2h`, `3d` ago or of a date. Throws UsageError `BAD_FLAG`. */
function instantOf(since: string, now: Date): number {
  const [, amount, unit] = /^(\d+)\s*([smhdw])$/.exec(since.trim()) ?? []
  const seconds = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }[unit as 's' | 'm' | 'h' | 'd' | 'w']
  if (amount !== undefined && seconds !== undefined) return now.getTime() - Number(amount) * seconds * 1000
  const date = Date.parse(since)
  if (Number.isNaN(date))
    throw new UsageError('BAD_FLAG', `--since wants a time like 10m, 2h, 3d or 2026-11-23, not "${since}".`)
  return date
}
