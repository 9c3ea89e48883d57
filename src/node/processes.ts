import { readFileSync } from 'node:fs'

/** What the system tells of a running process. */
export interface ProcessTrace {
  /** Clock ticks from boot to its start (Linux, /proc/<pid>/stat field 22): with the pid, the name of one process. */
  readonly startTicks?: number | undefined
}

/** Undefined when no such process runs; one that has ended but was not yet reaped does not run. */
export function traceProcess(pid: number): ProcessTrace | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined
  const stat = procStat(pid)
  if (stat) return 'ZX'.includes(stat.state) ? undefined : { startTicks: stat.startTicks }
  try {
    process.kill(pid, 0)
    return {}
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? {} : undefined
  }
}

/**
 * Whether the process that wrote at `at` (milliseconds since the epoch) under this pid is still the one that runs under
 * it. Where the system does not tell when a process started, the pid alone decides.
 */
export function stillRuns(pid: number, at: number): boolean {
  const trace = traceProcess(pid)
  if (!trace) return false
  const booted = trace.startTicks === undefined ? undefined : bootTime()
  if (booted === undefined || trace.startTicks === undefined) return true
  return booted + trace.startTicks * millisecondsPerTick <= at + slack
}

/** The kernel shows user space 100 ticks a second on every architecture that Node runs on. */
const millisecondsPerTick = 10
/** The boot time is told in whole seconds. */
const slack = 2_000

function procStat(pid: number): { readonly state: string; readonly startTicks: number } | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The command, second, stands in parentheses and may hold anything, so we count from the last one.
    const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const startTicks = Number(rest[18])
    return state && Number.isFinite(startTicks) ? { state, startTicks } : undefined
  } catch {
    return undefined
  }
}

/** Milliseconds since the epoch. */
function bootTime(): number | undefined {
  try {
    const seconds = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1]
    return seconds === undefined ? undefined : Number(seconds) * 1000
  } catch {
    return undefined
  }
}
