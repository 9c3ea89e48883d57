import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import path from 'node:path'
import { errnoOf, readTrouble } from './disk.ts'

/** One file of the journal, `YYYY-MM-DD.N.jsonl`: a day (UTC) and a number from 1. Never renamed. */
export interface Segment {
  readonly day: string
  readonly number: number
  readonly file: string
}

/**
 * The segments of a journal, oldest first; none where there is no folder. Other files in it are not ours.
 * Throws MachineError `NOT_READABLE`.
 */
export function listSegments(folder: string): Segment[] {
  let entries: string[]
  try {
    entries = readdirSync(folder)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw readTrouble(error, folder)
  }
  const segments: Segment[] = []
  for (const entry of entries) {
    const [, day, number] = /^(\d{4}-\d{2}-\d{2})\.([1-9]\d{0,8})\.jsonl$/.exec(entry) ?? []
    if (day && number) segments.push({ day, number: Number(number), file: path.join(folder, entry) })
  }
  return segments.sort((a, b) => (a.day === b.day ? a.number - b.number : a.day < b.day ? -1 : 1))
}

export function segmentOf(folder: string, day: string, number: number): Segment {
  return { day, number, file: path.join(folder, `${day}.${number}.jsonl`) }
}

/** The UTC day, `YYYY-MM-DD`, of a time in milliseconds since the epoch. */
export function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}

const block = 256 * 1024
const newline = 0x0a

/** Counts what reading cost. */
export interface Meter {
  bytesRead: number
}

/**
 * The lines of a file from its last to its first, without their ends, read in blocks from the end, so that whoever stops
 * early has read little. An unfinished last line counts as one; empty ones do not. Nothing where the file is gone.
 */
export function* linesBackward(file: string, meter: Meter): Generator<Buffer> {
  const fd = openIfThere(file)
  if (fd === undefined) return
  try {
    // What follows the last line end met so far, in file order: the start of that line is still to be read.
    let tail: Buffer[] = []
    for (let end = fstatSync(fd).size; end > 0; ) {
      const start = Math.max(0, end - block)
      const bytes = readRange(fd, start, end, meter)
      let upTo = bytes.length
      for (let at = bytes.lastIndexOf(newline); at !== -1; at = at === 0 ? -1 : bytes.lastIndexOf(newline, at - 1)) {
        const line = join(bytes.subarray(at + 1, upTo), tail)
        tail = []
        upTo = at
        if (line.length > 0) yield line
      }
      tail.unshift(bytes.subarray(0, upTo))
      end = start
    }
    const first = join(Buffer.alloc(0), tail)
    if (first.length > 0) yield first
  } finally {
    closeSync(fd)
  }
}

/** Undefined when there is no such file. Throws MachineError `NOT_READABLE`. */
export function openIfThere(file: string): number | undefined {
  try {
    return openSync(file, 'r')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw readTrouble(error, file)
  }
}

/** The bytes from `start` up to `end`, or fewer where the file ends before. */
export function readRange(fd: number, start: number, end: number, meter?: Meter): Buffer {
  const bytes = Buffer.allocUnsafe(end - start)
  let filled = 0
  while (filled < bytes.length) {
    const count = readSync(fd, bytes, filled, bytes.length - filled, start + filled)
    if (count === 0) break
    filled += count
  }
  if (meter) meter.bytesRead += filled
  return bytes.subarray(0, filled)
}

function join(start: Buffer, rest: readonly Buffer[]): Buffer {
  return rest.length === 0 ? start : Buffer.concat([start, ...rest])
}
