import { appendFileSync, closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { readFlow, readFlows } from '../../src/node/flows.ts'
import { freshFolder } from '../support/disk.ts'
import { ended, lines, quirk, started } from '../support/events.ts'

const noon = Date.UTC(2026, 10, 23, 12)
const minute = 60_000

function freshLogs() {
  const folder = path.join(freshFolder(), 'logs')
  mkdirSync(folder)
  const plant = (name: string, text: string): void => appendFileSync(path.join(folder, name), text)
  const ids = (filter = {}): string[] => readFlows(folder, filter).flows.map(({ id }) => id)
  return { folder, plant, ids }
}

test('where there are no logs there are no flows', () => {
  const nowhere = path.join(freshFolder(), 'nowhere')
  expect(readFlows(nowhere)).toEqual({ flows: [], unreadable: 0, bytesRead: 0 })
  expect(() => readFlow(nowhere, 'last')).toThrow(expect.objectContaining({ code: 'UNKNOWN_FLOW', exitCode: 2 }))
})

test('flows are listed newest first, with how they ended', () => {
  const { folder, plant } = freshLogs()
  plant('2026-11-22.1.jsonl', lines(started('one', noon), quirk('one', 'q'), ended('one', noon)))
  const overlapping = [started('two', noon + 1), started('three', noon + 2, { provider: 'github' })]
  plant('2026-11-23.1.jsonl', lines(...overlapping, ended('two', noon + 3, 'failed')))
  plant('2026-11-23.2.jsonl', lines(ended('three', noon + 4, 'timeout')))
  const { flows } = readFlows(folder)
  expect(flows.map(({ id, state }) => [id, state])).toEqual([
    ['three', 'timeout'],
    ['two', 'failed'],
    ['one', 'success'],
  ])
  expect(flows[1]).toEqual({
    id: 'two',
    deed: 'connect',
    provider: 'zendesk',
    connection: 'acme',
    state: 'failed',
    startedAt: '2026-11-23T12:00:00.001Z',
    duration: 9,
    error: { code: 'INVALID_CLIENT', message: 'no' },
    pid: 2 ** 30,
  })
})

test('a flow without an end runs while its process does, and is abandoned after', () => {
  const { folder, plant } = freshLogs()
  plant('2026-11-23.1.jsonl', lines(started('gone', noon), started('here', Date.now(), { pid: process.pid })))
  expect(readFlows(folder).flows).toMatchObject([
    { id: 'here', state: 'running' },
    { id: 'gone', state: 'cancelled', abandoned: true },
  ])
  expect(readFlows(folder).flows[0]).not.toHaveProperty('abandoned')
})

test('filters narrow the list', () => {
  const { plant, ids } = freshLogs()
  const flow = (id: string, at: number, provider: string, connection: string, state: 'success' | 'failed') =>
    lines(started(id, at, { provider, connection }), ended(id, at, state))
  plant('2026-11-22.1.jsonl', flow('a', noon - 1440 * minute, 'zendesk', 'acme', 'success'))
  plant('2026-11-23.1.jsonl', flow('b', noon, 'github', 'Acme', 'failed'))
  plant('2026-11-23.1.jsonl', flow('c', noon + minute, 'zendesk', 'other', 'failed'))
  plant('2026-11-23.1.jsonl', flow('d', noon + 2 * minute, 'zendesk', 'acme', 'success'))
  expect(ids({ provider: 'zendesk' })).toEqual(['d', 'c', 'a'])
  expect(ids({ connection: 'acme' })).toEqual(['d', 'b', 'a'])
  expect(ids({ state: 'failed' })).toEqual(['c', 'b'])
  expect(ids({ since: noon + minute })).toEqual(['d', 'c'])
  expect(ids({ limit: 2 })).toEqual(['d', 'c'])
  expect(ids({ provider: 'zendesk', state: 'success', limit: 1 })).toEqual(['d'])
  expect(ids({ limit: 0 })).toEqual([])
  expect(ids()).toEqual(['d', 'c', 'b', 'a'])
})

test('lines that cannot be read are counted and harm nobody', () => {
  const { folder, plant } = freshLogs()
  plant('2026-11-23.1.jsonl', lines(started('a', noon)))
  plant('2026-11-23.1.jsonl', '{"flow":"b","at":"20\n\n')
  plant('2026-11-23.1.jsonl', lines(ended('a', noon)))
  plant('2026-11-23.1.jsonl', '{"type":"flow.started"}\n{"type":"flow.ended","flow":1}\n[]\n{"flow":"c","ty')
  const { flows, unreadable } = readFlows(folder)
  expect(flows.map(({ id, state }) => [id, state])).toEqual([['a', 'success']])
  expect(unreadable).toBe(5)
})

test('what a provider says cannot pass for the start of a flow', () => {
  const { plant, ids } = freshLogs()
  plant('2026-11-23.1.jsonl', lines(started('a', noon), quirk('a', JSON.stringify(started('evil', noon)))))
  expect(ids()).toEqual(['a'])
})

test('lines longer than a block and characters across its edge stay whole', () => {
  const { folder, plant } = freshLogs()
  const long = 'ü€😀'.repeat(120_000)
  plant('2026-11-23.1.jsonl', lines(started('a', noon), quirk('a', long), quirk('a', 'x'), ended('a', noon)))
  expect(readFlow(folder, 'a').map((event) => (event.type === 'quirk' ? event.quirk.length : event.type))).toEqual([
    'flow.started',
    long.length,
    1,
    'flow.ended',
  ])
})

test('one flow is told from start to end, across segments and between others', () => {
  const { folder, plant } = freshLogs()
  plant('2026-11-22.1.jsonl', lines(started('7k2m9q', noon), started('7k2xxx', noon), quirk('7k2m9q', '1')))
  plant('2026-11-23.1.jsonl', lines(quirk('7k2xxx', 'other'), quirk('7k2m9q', '2')))
  plant('2026-11-23.2.jsonl', lines(ended('7k2m9q', noon), started('last00', noon), quirk('last00', '3')))
  const story = [started('7k2m9q', noon), quirk('7k2m9q', '1'), quirk('7k2m9q', '2'), ended('7k2m9q', noon)]
  expect(readFlow(folder, '7k2m9q')).toEqual(story)
  expect(readFlow(folder, '7k2m')).toEqual(story)
  expect(readFlow(folder, 'last')).toEqual([started('last00', noon), quirk('last00', '3')])
})

test('a beginning that fits several flows, or none, is refused', () => {
  const { folder, plant } = freshLogs()
  plant('2026-11-23.1.jsonl', lines(started('7k', noon), started('7kaa', noon), started('7kbb', noon)))
  expect(() => readFlow(folder, '7')).toThrow(
    expect.objectContaining({ code: 'AMBIGUOUS_FLOW', hint: expect.stringContaining('7kbb, 7kaa, 7k') }),
  )
  expect(readFlow(folder, '7k')).toEqual([started('7k', noon)])
  for (const unknown of ['8', '"', '', '\u001b[2J']) {
    expect(() => readFlow(folder, unknown)).toThrow(expect.objectContaining({ code: 'UNKNOWN_FLOW' }))
  }
})

test('the last flows of a journal of 200 MB are found without reading it', () => {
  const { folder, ids } = freshLogs()
  const fd = openSync(path.join(folder, '2026-11-23.1.jsonl'), 'w')
  const megabyte = Buffer.from(lines(quirk('old', 'x'.repeat(1000))).repeat(1000))
  for (let size = 0; size < 200_000_000; size += megabyte.length) writeSync(fd, megabyte)
  for (let i = 0; i < 20; i++)
    writeSync(fd, lines(started(`f${i}`, noon + i), quirk(`f${i}`, 'y'), ended(`f${i}`, noon)))
  closeSync(fd)
  const { flows, bytesRead } = readFlows(folder, { limit: 20 })
  expect(flows).toHaveLength(20)
  expect(bytesRead).toBeLessThan(1_000_000)
  expect(ids({ limit: 1 })).toEqual(['f19'])
  expect(readFlow(folder, 'last')).toHaveLength(3)
})

test('segments from before the time asked for are not read', () => {
  const { folder, plant } = freshLogs()
  plant('2026-11-20.1.jsonl', lines(started('old', noon - 3 * 1440 * minute), quirk('old', 'x'.repeat(500_000))))
  plant('2026-11-20.2.jsonl', lines(quirk('old', 'x'.repeat(500_000)), ended('old', noon - 3 * 1440 * minute)))
  writeFileSync(path.join(folder, '2026-11-23.1.jsonl'), lines(started('new', noon), ended('new', noon)))
  const { flows, bytesRead } = readFlows(folder, { since: noon - minute })
  expect(flows.map(({ id }) => id)).toEqual(['new'])
  expect(bytesRead).toBeLessThan(10_000)
})
