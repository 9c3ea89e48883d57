import { closeSync, type FSWatcher, fstatSync, statSync, watch } from 'node:fs'
import type { LogEvent } from '../model/event.ts'
import { parseEvent } from './flows.ts'
import { listSegments, openIfThere, readRange } from './segments.ts'

/**
 * How far a segment has been followed. It stays open, so that what is deleted is still read to its end and no other
 * file is given its inode.
 */
interface Bookmark {
  readonly fd: number
  readonly inode: number
  /** Bytes read. */
  position: number
  /** The start of a line whose end has not been written yet. */
  unfinished: Buffer
}

/** Milliseconds between looks where changes are announced (a safety net) and where they are not. */
const announcedPause = 1_000
const unannouncedPause = 250
const block = 1024 * 1024
const newline = 0x0a

/**
 * The events that any process writes from the call on, as they come, through changes of segment and of day, also where
 * there is no journal yet. Ends when the signal aborts. Lines that cannot be read are passed over.
 */
export function followEvents(folder: string, signal: AbortSignal): AsyncIterable<LogEvent> {
  const bookmarks = new Map<string, Bookmark>()
  for (const { file } of listSegments(folder)) {
    const bookmark = openBookmark(file)
    if (!bookmark) continue
    bookmark.position = lastLineEnd(bookmark.fd)
    bookmarks.set(file, bookmark)
  }
  return follow(folder, signal, bookmarks)
}

async function* follow(
  folder: string,
  signal: AbortSignal,
  bookmarks: Map<string, Bookmark>,
): AsyncGenerator<LogEvent> {
  const bell = newBell()
  let watcher: FSWatcher | undefined
  signal.addEventListener('abort', bell.ring)
  try {
    while (!signal.aborted) {
      watcher ??= watchFolder(folder, bell.ring)
      for (const event of newEvents(folder, bookmarks)) {
        yield event
        if (signal.aborted) return
      }
      if (!signal.aborted) await bell.rung(watcher ? announcedPause : unannouncedPause)
    }
  } finally {
    signal.removeEventListener('abort', bell.ring)
    watcher?.close()
    for (const { fd } of bookmarks.values()) closeSync(fd)
  }
}

/** The folder and not its files: a watched file goes blind when the next segment begins. */
function watchFolder(folder: string, changed: () => void): FSWatcher | undefined {
  try {
    return watch(folder, changed).on('error', () => {})
  } catch {
    return undefined
  }
}

function* newEvents(folder: string, bookmarks: Map<string, Bookmark>): Generator<LogEvent> {
  const files = listSegments(folder).map(({ file }) => file)
  for (const [file, bookmark] of bookmarks) {
    if (statSync(file, { throwIfNoEntry: false })?.ino === bookmark.inode) continue
    yield* readOn(bookmark)
    closeSync(bookmark.fd)
    bookmarks.delete(file)
  }
  for (const file of files) {
    const bookmark = bookmarks.get(file) ?? openBookmark(file)
    if (!bookmark) continue
    bookmarks.set(file, bookmark)
    yield* readOn(bookmark)
  }
}

function* readOn(bookmark: Bookmark): Generator<LogEvent> {
  const { size } = fstatSync(bookmark.fd)
  if (size < bookmark.position) Object.assign(bookmark, { position: 0, unfinished: Buffer.alloc(0) })
  while (bookmark.position < size) yield* turnPage(bookmark, size)
}

function* turnPage(bookmark: Bookmark, size: number): Generator<LogEvent> {
  const bytes = readRange(bookmark.fd, bookmark.position, Math.min(bookmark.position + block, size))
  if (bytes.length === 0) {
    bookmark.position = size
    return
  }
  bookmark.position += bytes.length
  const text = Buffer.concat([bookmark.unfinished, bytes])
  const end = text.lastIndexOf(newline) + 1
  bookmark.unfinished = text.subarray(end)
  for (let start = 0; start < end; ) {
    const next = text.indexOf(newline, start) + 1
    const event = parseEvent(text.subarray(start, next - 1))
    start = next
    if (event) yield event
  }
}

function openBookmark(file: string): Bookmark | undefined {
  const fd = openIfThere(file)
  return fd === undefined ? undefined : { fd, inode: fstatSync(fd).ino, position: 0, unfinished: Buffer.alloc(0) }
}

/** The end of the last whole line, and not of the file, so that an event that is just being written is not missed. */
function lastLineEnd(fd: number): number {
  for (let end = fstatSync(fd).size; end > 0; ) {
    const start = Math.max(0, end - block)
    const at = readRange(fd, start, end).lastIndexOf(newline)
    if (at !== -1) return start + at + 1
    end = start
  }
  return 0
}

interface Bell {
  readonly ring: () => void
  /** Resolves when it rings, has rung since it last resolved, or after so many milliseconds. */
  readonly rung: (milliseconds: number) => Promise<void>
}

function newBell(): Bell {
  let hasRung = false
  let wake: (() => void) | undefined
  return {
    ring() {
      hasRung = true
      wake?.()
    },
    async rung(milliseconds) {
      if (!hasRung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, milliseconds)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      wake = undefined
      hasRung = false
    },
  }
}
