import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { clearLogs, type JournalTerms, openJournal } from '../../src/node/journal.ts'
import { freshFolder, runWorker } from '../support/disk.ts'
import { lines, quirk } from '../support/events.ts'

const today = Date.UTC(2026, 10, 23, 12)
const day = 86_400_000

function freshJournal(terms: Partial<JournalTerms> = {}) {
  const folder = path.join(freshFolder(), 'home', 'logs')
  const open = (more: Partial<JournalTerms> = {}) => {
    const journal = openJournal(folder, { env: {}, now: () => today, ...terms, ...more })
    onTestFinished(() => journal.close())
    return journal
  }
  const plant = (name: string, text: string): void => {
    mkdirSync(folder, { recursive: true })
    writeFileSync(path.join(folder, name), text)
  }
  const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8')
  const segments = (): string[] => readdirSync(folder).sort()
  return { folder, open, plant, read, segments }
}

test('opening makes nothing; the first event makes a segment of its day, for its owner alone', () => {
  const { folder, open, read } = freshJournal()
  const journal = open()
  expect(existsSync(path.dirname(folder))).toBe(false)
  journal.write(quirk('a', 'one\ntwo'))
  journal.write(quirk('a', 'three'))
  expect(read('2026-11-23.1.jsonl')).toBe(lines(quirk('a', 'one\ntwo'), quirk('a', 'three')))
  expect(statSync(path.join(folder, '2026-11-23.1.jsonl')).mode & 0o777).toBe(0o600)
  expect(statSync(folder).mode & 0o777).toBe(0o700)
})

test('AUTH_CLI_LOGS=off keeps nothing', () => {
  const { folder, open } = freshJournal({ env: { AUTH_CLI_LOGS: 'off' } })
  open().write(quirk('a', 'one'))
  expect(existsSync(folder)).toBe(false)
})

test('a torn last line is left to itself', () => {
  const { open, plant, read } = freshJournal()
  plant('2026-11-23.1.jsonl', `${lines(quirk('a', 'whole'))}{"flow":"b","at"`)
  open().write(quirk('c', 'next'))
  expect(read('2026-11-23.1.jsonl').split('\n')).toEqual([
    JSON.stringify(quirk('a', 'whole')),
    '{"flow":"b","at"',
    JSON.stringify(quirk('c', 'next')),
    '',
  ])
})

test('a line torn by another process while we have the segment open does not swallow ours', () => {
  const { open, plant, read } = freshJournal()
  const journal = open()
  journal.write(quirk('a', 'one'))
  plant('2026-11-23.1.jsonl', `${read('2026-11-23.1.jsonl')}{"torn`)
  journal.write(quirk('a', 'two'))
  expect(read('2026-11-23.1.jsonl')).toBe(`${lines(quirk('a', 'one'))}{"torn\n${lines(quirk('a', 'two'))}`)
})

test('a full segment is followed by the next number', () => {
  const { open, segments, read } = freshJournal({ segmentSize: 150 })
  const journal = open()
  for (const text of ['1', '2', '3', '4', '5']) journal.write(quirk('a', text))
  open().write(quirk('b', '6'))
  expect(segments()).toEqual(['2026-11-23.1.jsonl', '2026-11-23.2.jsonl', '2026-11-23.3.jsonl'])
  expect(segments().map(read).join('')).toBe(
    lines(...['1', '2', '3', '4', '5'].map((text) => quirk('a', text)), quirk('b', '6')),
  )
})

test('numbers are counted, not spelled: ten comes after nine', () => {
  const { open, plant, segments } = freshJournal({ segmentSize: 10 })
  for (const number of [1, 9, 10]) plant(`2026-11-23.${number}.jsonl`, 'x'.repeat(20))
  open().write(quirk('a', '1'))
  expect(segments()).toContain('2026-11-23.11.jsonl')
})

test('a new day begins a new segment, and a clock set back does not return to the old one', () => {
  let now = today
  const { open, segments, read } = freshJournal({ now: () => now })
  const journal = open()
  journal.write(quirk('a', '1'))
  now += day
  journal.write(quirk('a', '2'))
  now -= day
  journal.write(quirk('a', '3'))
  expect(segments()).toEqual(['2026-11-23.1.jsonl', '2026-11-24.1.jsonl'])
  expect(read('2026-11-24.1.jsonl')).toBe(lines(quirk('a', '2'), quirk('a', '3')))
})

test('segments older than the days go, other files stay', () => {
  const { open, plant, segments } = freshJournal({ days: 2 })
  for (const name of ['2026-11-20.1.jsonl', '2026-11-21.1.jsonl', '2026-11-22.3.jsonl', 'notes.txt']) plant(name, 'x\n')
  open().write(quirk('a', '1'))
  expect(segments()).toEqual(['2026-11-21.1.jsonl', '2026-11-22.3.jsonl', '2026-11-23.1.jsonl', 'notes.txt'])
})

test('the oldest segments beyond the total go, never the current one', () => {
  const { open, plant, segments } = freshJournal({ totalSize: 250 })
  for (const name of ['2026-11-21.1.jsonl', '2026-11-22.1.jsonl', '2026-11-22.2.jsonl']) plant(name, 'x'.repeat(100))
  open().write(quirk('a', '1'))
  expect(segments()).toEqual(['2026-11-22.1.jsonl', '2026-11-22.2.jsonl', '2026-11-23.1.jsonl'])
  const crowded = freshJournal({ totalSize: 1 })
  crowded.plant('2026-11-23.1.jsonl', lines(quirk('a', '1')))
  crowded.open().write(quirk('a', '2'))
  expect(crowded.read('2026-11-23.1.jsonl')).toBe(lines(quirk('a', '1'), quirk('a', '2')))
})

test('clearing deletes every segment, and a writer under way begins anew', () => {
  const { folder, open, plant, segments, read } = freshJournal()
  const journal = open()
  plant('2026-11-22.1.jsonl', 'x\n')
  plant('notes.txt', 'mine')
  journal.write(quirk('a', '1'))
  expect(clearLogs(folder)).toBe(2)
  expect(segments()).toEqual(['notes.txt'])
  journal.write(quirk('a', '2'))
  expect(read('2026-11-23.1.jsonl')).toBe(lines(quirk('a', '2')))
  expect(clearLogs(path.join(folder, 'nowhere'))).toBe(0)
})

test('a journal that cannot be written is told of once and fails nothing', () => {
  const blocked = path.join(freshFolder(), 'file')
  writeFileSync(blocked, '')
  const troubles: string[] = []
  const terms = { env: {}, now: () => today, onTrouble: (why: string) => troubles.push(why) }
  const journal = openJournal(path.join(blocked, 'logs'), terms)
  journal.write(quirk('a', '1'))
  journal.write(quirk('a', '2'))
  expect(troubles).toEqual(['NOT_READABLE'])
})

test.runIf(existsSync('/dev/full'))('a full disk is told of once', () => {
  const { folder, open } = freshJournal()
  mkdirSync(folder, { recursive: true })
  symlinkSync('/dev/full', path.join(folder, '2026-11-23.1.jsonl'))
  const troubles: string[] = []
  const journal = open({ onTrouble: (why) => troubles.push(why) })
  journal.write(quirk('a', '1'))
  journal.write(quirk('a', '2'))
  expect(troubles).toEqual(['ENOSPC'])
})

test('many processes write at once, and no line is lost or torn', async () => {
  const { folder, segments, read } = freshJournal()
  const flows = Array.from({ length: 12 }, (_, i) => `flow${i}`)
  await Promise.all(flows.map((flow) => runWorker('journal', folder, flow, '200')))
  const events = segments()
    .map(read)
    .join('')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { flow: string; ms: number })
  for (const flow of flows) {
    const counted = events.filter((event) => event.flow === flow).map(({ ms }) => ms)
    expect(counted).toEqual(Array.from({ length: 200 }, (_, i) => i))
  }
  expect(events).toHaveLength(12 * 200)
})
