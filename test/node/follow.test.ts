import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { LogEvent } from '../../src/model/event.ts'
import { followEvents } from '../../src/node/follow.ts'
import { clearLogs, openJournal } from '../../src/node/journal.ts'
import { freshFolder, runWorker } from '../support/disk.ts'
import { lines, quirk } from '../support/events.ts'

/** What a follower hears, in order, from the moment of the call. */
function follower(folder: string) {
  const stop = new AbortController()
  const events = followEvents(folder, stop.signal)[Symbol.asyncIterator]()
  onTestFinished(() => stop.abort())
  const next = async (count: number): Promise<string[]> => {
    const heard: string[] = []
    while (heard.length < count) {
      const { value, done } = await events.next()
      if (done) throw new Error('the stream ended')
      heard.push(wordOf(value))
    }
    return heard
  }
  return { next, stop, events }
}

function wordOf(event: LogEvent): string {
  return event.type === 'quirk' ? event.quirk : event.type
}

function freshLogs() {
  const folder = path.join(freshFolder(), 'home', 'logs')
  const append = (name: string, text: string): void => {
    mkdirSync(folder, { recursive: true })
    appendFileSync(path.join(folder, name), text)
  }
  return { folder, append }
}

test('a follower hears what is written from the call on, not what was there', async () => {
  const { folder, append } = freshLogs()
  append('2026-11-23.1.jsonl', lines(quirk('a', 'before')))
  const { next } = follower(folder)
  append('2026-11-23.1.jsonl', lines(quirk('a', '1')))
  expect(await next(1)).toEqual(['1'])
  append('2026-11-23.1.jsonl', lines(quirk('a', '2'), quirk('b', '3')))
  expect(await next(2)).toEqual(['2', '3'])
})

test('a follower who came before the journal hears its first event', async () => {
  const { folder, append } = freshLogs()
  const { next } = follower(folder)
  const first = next(1)
  setImmediate(() => append('2026-11-23.1.jsonl', lines(quirk('a', '1'))))
  expect(await first).toEqual(['1'])
})

test('nothing is lost when the segment and the day change', async () => {
  const { folder } = freshLogs()
  let now = Date.UTC(2026, 10, 23, 23, 59)
  const journal = openJournal(folder, { env: {}, now: () => now, segmentSize: 300 })
  onTestFinished(() => journal.close())
  const { next } = follower(folder)
  const words = Array.from({ length: 60 }, (_, i) => `word ${i}`)
  for (const [i, word] of words.entries()) {
    if (i === 30) now += 120_000
    journal.write(quirk('a', word))
    if (i % 7 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  expect(await next(60)).toEqual(words)
})

test('a line is told when it is whole, also one begun before the call', async () => {
  const { folder, append } = freshLogs()
  const [line, later] = [lines(quirk('a', 'süß')), lines(quirk('a', 'x'.repeat(3_000_000)), quirk('a', 'end'))]
  append('2026-11-23.1.jsonl', lines(quirk('a', 'before')) + line.slice(0, 30))
  const { next } = follower(folder)
  append('2026-11-23.1.jsonl', line.slice(30))
  expect(await next(1)).toEqual(['süß'])
  append('2026-11-23.1.jsonl', later.slice(0, 2_500_000))
  append('2026-11-23.1.jsonl', later.slice(2_500_000))
  expect((await next(2)).map((word) => word.length)).toEqual([3_000_000, 3])
})

test('torn lines are passed over', async () => {
  const { folder, append } = freshLogs()
  append('2026-11-23.1.jsonl', '{"flow":"t')
  const { next } = follower(folder)
  append('2026-11-23.1.jsonl', `\n${lines(quirk('a', '1'))}nonsense\n\n${lines(quirk('a', '2'))}`)
  expect(await next(2)).toEqual(['1', '2'])
})

test('a journal that is cleared goes on being followed', async () => {
  const { folder, append } = freshLogs()
  append('2026-11-23.1.jsonl', lines(quirk('a', 'before')))
  const { next } = follower(folder)
  append('2026-11-23.1.jsonl', lines(quirk('a', '1')))
  expect(await next(1)).toEqual(['1'])
  // Unread when it is deleted, and followed by a longer file of the same name: both are heard, each from its start.
  append('2026-11-23.1.jsonl', lines(quirk('a', '2')))
  clearLogs(folder)
  append('2026-11-23.1.jsonl', lines(quirk('a', '3'), quirk('a', '4'), quirk('a', '5'), quirk('a', '6')))
  expect(await next(5)).toEqual(['2', '3', '4', '5', '6'])
  rmSync(folder, { recursive: true })
  mkdirSync(folder)
  writeFileSync(path.join(folder, '2026-11-24.1.jsonl'), lines(quirk('a', '7')))
  expect(await next(1)).toEqual(['7'])
})

test('the events of many processes are all heard', async () => {
  const { folder } = freshLogs()
  const { next } = follower(folder)
  const heard = next(5 * 100)
  await Promise.all(['a', 'b', 'c', 'd', 'e'].map((flow) => runWorker('journal', folder, flow, '100')))
  expect(await heard).toHaveLength(500)
})

test('following ends with the signal, also before it began', async () => {
  const { folder } = freshLogs()
  const { stop, events } = follower(folder)
  const waiting = events.next()
  setImmediate(() => stop.abort())
  expect(await waiting).toEqual({ value: undefined, done: true })
  const already = followEvents(folder, AbortSignal.abort())[Symbol.asyncIterator]()
  expect(await already.next()).toEqual({ value: undefined, done: true })
})
