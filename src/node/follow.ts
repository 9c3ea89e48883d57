import { closeSync, type FSWatcher, fstatSync, watch } from 'node:fs'
import type { LogEvent } from '../model/event.ts'
import { parseEvent } from './flows.ts'
import { listSegments, openIfThere, readRange } from './segments.ts'

/** How far a segment has been followed. */
interface Bookmark {
  /** Tells a file from another that took its name. */
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
  for (const { file } of listSegments(folder)) markEnd(file, bookmarks)
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
  const segments = listSegments(folder)
  for (const file of bookmarks.keys()) {
    if (!segments.some((segment) => segment.file === file)) bookmarks.delete(file)
  }
  for (const { file } of segments) {
    const fd = openIfThere(file)
    if (fd === undefined) continue
    try {
      const { ino: inode, size } = fstatSync(fd)
      const known = bookmarks.get(file)
      const isSame = known && known.inode === inode && known.position <= size
      const bookmark = isSame ? known : { inode, position: 0, unfinished: Buffer.alloc(0) }
      bookmarks.set(file, bookmark)
      while (bookmark.position < size) yield* turnPage(fd, bookmark, size)
    } finally {
      closeSync(fd)
    }
  }
}

function* turnPage(fd: number, bookmark: Bookmark, size: number): Generator<LogEvent> {
  const bytes = readRange(fd, bookmark.position, Math.min(bookmark.position + block, size))
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

/** After the last whole line, so that an event that is just being written is not missed. */
function markEnd(file: string, bookmarks: Map<string, Bookmark>): void {
  const fd = openIfThere(file)
  if (fd === undefined) return
  try {
    const { ino: inode, size } = fstatSync(fd)
    let position = 0
    for (let end = size; end > 0 && position === 0; end = Math.max(0, end - block)) {
      const start = Math.max(0, end - block)
      const at = readRange(fd, start, end).lastIndexOf(newline)
      if (at !== -1) position = start + at + 1
    }
    bookmarks.set(file, { inode, position, unfinished: Buffer.alloc(0) })
  } finally {
    closeSync(fd)
  }
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
