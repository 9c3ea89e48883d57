import { closeSync, fstatSync, openSync, statSync, writeSync } from 'node:fs'
import type { LogEvent } from '../model/event.ts'
import { diskTrouble, makeFolder, removeIfThere } from './disk.ts'
import { dayOf, listSegments, readRange, type Segment, segmentOf } from './segments.ts'

export interface JournalTerms {
  /** `AUTH_CLI_LOGS=off` keeps nothing. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Days for which segments are kept; 14 by default. */
  readonly days?: number | undefined
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Told once when an event cannot be written, with the code of the failure; the flow goes on. */
  readonly onTrouble?: ((why: string) => void) | undefined
  /** Bytes after which the next segment is begun; 10 MB by default. */
  readonly segmentSize?: number | undefined
  /** Bytes that all segments together may have; 100 MB by default. */
  readonly totalSize?: number | undefined
}

export interface Journal {
  /** Appends one line; never throws. */
  write(event: LogEvent): void
  close(): void
}

const megabyte = 1_000_000
const day = 86_400_000
const newline = 0x0a

/** A segment as this process has it open. */
interface Opened {
  readonly segment: Segment
  readonly fd: number
}

/**
 * The journal in this folder, JSON lines, for any number of writing processes. Touches no disk before the first event.
 * What is older than `days`, and the oldest beyond the total, goes at the first write, but never the current segment.
 */
export function openJournal(folder: string, terms: JournalTerms): Journal {
  if (terms.env['AUTH_CLI_LOGS']?.trim().toLowerCase() === 'off') return { write() {}, close() {} }
  const { now, days = 14, onTrouble, segmentSize = 10 * megabyte, totalSize = 100 * megabyte } = terms
  let opened: Opened | undefined
  let pruned = false
  let troubled = false

  const close = (): void => {
    if (opened) closeSync(opened.fd)
    opened = undefined
  }
  const current = (): Opened => {
    const today = dayOf(now())
    if (opened) {
      const { size, nlink } = fstatSync(opened.fd)
      // A clock set back does not lead back to an older segment: readers tell the order of events by it.
      if (nlink > 0 && size < segmentSize && opened.segment.day >= today) return opened
      close()
    }
    opened = openCurrent(folder, today, segmentSize)
    if (!pruned) prune(folder, dayOf(now() - days * day), totalSize, opened.segment)
    pruned = true
    return opened
  }

  return {
    write(event) {
      try {
        const { fd } = current()
        const bytes = Buffer.from(`${endsInLine(fd) ? '\n' : ''}${JSON.stringify(event)}\n`)
        // One call for the whole line: that is what keeps the lines of many processes whole.
        const written = writeSync(fd, bytes)
        if (written < bytes.length) throw Object.assign(new Error('written in part'), { code: 'ENOSPC' })
      } catch (error) {
        if (!troubled) onTrouble?.((error as NodeJS.ErrnoException).code ?? 'unknown')
        troubled = true
      }
    },
    close,
  }
}

function openCurrent(folder: string, today: string, segmentSize: number): Opened {
  const latest = listSegments(folder).at(-1)
  let segment = latest && latest.day >= today ? latest : segmentOf(folder, today, 1)
  if ((statSync(segment.file, { throwIfNoEntry: false })?.size ?? 0) >= segmentSize) {
    segment = segmentOf(folder, segment.day, segment.number + 1)
  }
  makeFolder(folder)
  return { segment, fd: openSync(segment.file, 'a+', 0o600) }
}

/** Whether a killed writer or a full disk left half a line, which must not swallow ours. */
function endsInLine(fd: number): boolean {
  const { size } = fstatSync(fd)
  return size > 0 && readRange(fd, size - 1, size)[0] !== newline
}

/** Best effort: another process may be at it too, and a segment that cannot be deleted stays. */
function prune(folder: string, oldestDay: string, totalSize: number, current: Segment): void {
  try {
    let total = 0
    for (const segment of listSegments(folder).reverse()) {
      total += statSync(segment.file, { throwIfNoEntry: false })?.size ?? 0
      const isCurrent = segment.file === current.file
      if (!isCurrent && (segment.day < oldestDay || total > totalSize)) removeIfThere(segment.file)
    }
  } catch {}
}

/**
 * Deletes every segment and tells how many; writers that are under way begin a new one.
 * Throws MachineError `NOT_READABLE`, `NOT_WRITABLE`.
 */
export function clearLogs(folder: string): number {
  try {
    return listSegments(folder).filter(({ file }) => removeIfThere(file)).length
  } catch (error) {
    throw diskTrouble(error, 'the logs were not deleted', folder)
  }
}
