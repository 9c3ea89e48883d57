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

/** Bytes: the latest flows are mostly in the first, all of them are found quicker in large ones. */
const firstBlock = 256 * 1024
const block = 1024 * 1024
const newline = 0x0a

/** Counts what reading cost. */
export interface Meter {
  bytesRead: number
}

/** A line that holds what was looked for. Its bytes are its own only until the next is asked for. */
export interface Hit {
  /** Without its end. */
  readonly line: Buffer
  /** Where in it, in bytes. */
  readonly at: number
}

/**
 * The lines of a file that hold `needle`, which has no line end in it, from the last to the first, read in blocks from the
 * end, so that whoever stops early has read little. The other lines, a hundred for each of them, are no more than looked
 * over. `onTorn` is told of each that is no JSON object by its first and last byte. Nothing where the file is gone.
 */
export function* hitsBackward(file: string, needle: Buffer, meter: Meter, onTorn: () => void): Generator<Hit> {
  for (const { bytes, from } of blocksBackward(file, meter)) {
    countTorn(bytes, from, onTorn)
    for (let before = bytes.length; before > from; ) {
      const at = bytes.lastIndexOf(needle, before - 1)
      if (at < from) break
      const start = lineStart(bytes, at, from)
      const end = bytes.indexOf(newline, at)
      const line = bytes.subarray(start, end === -1 ? bytes.length : end)
      before = start
      if (isObject(line)) yield { line, at: at - start }
    }
  }
}

function isObject(line: Buffer): boolean {
  return line[0] === openBrace && line[line.length - 1] === closeBrace
}

function countTorn(bytes: Buffer, from: number, onTorn: () => void): void {
  for (let start = from; start < bytes.length; ) {
    const next = bytes.indexOf(newline, start)
    const end = next === -1 ? bytes.length : next
    if (end > start && (bytes[start] !== openBrace || bytes[end - 1] !== closeBrace)) onTorn()
    start = end + 1
  }
}

/** Where the line begins that ends before `end`. */
function lineStart(bytes: Buffer, end: number, from: number): number {
  const at = end === 0 ? -1 : bytes.lastIndexOf(newline, end - 1)
  return Math.max(at + 1, from)
}

const openBrace = 0x7b
const closeBrace = 0x7d

/** Bytes whose lines are whole from `from` on. */
interface Block {
  readonly bytes: Buffer
  readonly from: number
}

/**
 * A file in blocks from its end; the line that a block begins in the middle of comes with the one before. All of them in
 * the same memory, since a new one for each costs more than the search.
 */
function* blocksBackward(file: string, meter: Meter): Generator<Block> {
  const fd = openIfThere(file)
  if (fd === undefined) return
  try {
    let page = Buffer.alloc(0)
    let [rest, wanted] = [0, firstBlock]
    for (let end = fstatSync(fd).size; end > 0; ) {
      const size = Math.min(end, wanted)
      if (page.length < size + rest) page = Buffer.concat([page], Math.max(size + rest, block + firstBlock))
      page.copyWithin(size, 0, rest)
      end -= size
      fill(fd, page.subarray(0, size), end, meter)
      const bytes = page.subarray(0, size + rest)
      const first = end === 0 ? 0 : bytes.indexOf(newline) + 1
      const isWhole = end === 0 || first > 0
      // A line longer than the block: twice as much the next time, so that it is not moved again and again.
      wanted = isWhole ? block : size * 2
      rest = isWhole ? Math.max(0, first - 1) : bytes.length
      if (isWhole) yield { bytes, from: first }
    }
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
  return bytes.subarray(0, fill(fd, bytes, start, meter))
}

/** How many bytes there were. */
function fill(fd: number, bytes: Buffer, start: number, meter: Meter | undefined): number {
  let filled = 0
  while (filled < bytes.length) {
    const count = readSync(fd, bytes, filled, bytes.length - filled, start + filled)
    if (count === 0) break
    filled += count
  }
  if (meter) meter.bytesRead += filled
  return filled
}
