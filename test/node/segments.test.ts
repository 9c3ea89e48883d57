import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { dayOf, linesBackward, listSegments } from '../../src/node/segments.ts'
import { freshFolder } from '../support/disk.ts'

test('segments are in the order of day and number, and other files are none', () => {
  const folder = freshFolder()
  const names = ['2026-11-23.10.jsonl', '2026-11-23.9.jsonl', '2026-11-22.11.jsonl']
  const others = ['2026-11-23.jsonl', '2026-11-23.0.jsonl', 'x2026-11-23.1.jsonl', '2026-11-23.1.jsonl.gz']
  for (const name of [...names, ...others]) writeFileSync(path.join(folder, name), '')
  expect(listSegments(folder).map(({ file }) => path.basename(file))).toEqual([...names].reverse())
})

test('a day is counted in UTC', () => {
  expect(dayOf(Date.UTC(2026, 10, 23, 23, 59, 59, 999))).toBe('2026-11-23')
  expect(dayOf(Date.UTC(2026, 10, 24))).toBe('2026-11-24')
})

test.each([
  ['', []],
  ['\n', []],
  ['a', ['a']],
  ['a\n', ['a']],
  ['\na\n\n\nb', ['b', 'a']],
  ['a\nb\n', ['b', 'a']],
])('the lines of %j from the end are %j', (text, expected) => {
  const file = path.join(freshFolder(), 'file')
  writeFileSync(file, text)
  expect([...linesBackward(file, { bytesRead: 0 })].map(String)).toEqual(expected)
})

test('lines are the same backward as forward, wherever the blocks fall', () => {
  const file = path.join(freshFolder(), 'file')
  for (const length of [1, 262_142, 262_143, 262_144, 262_145, 524_288, 700_000]) {
    const lines = ['first', 'x'.repeat(length), 'ü'.repeat(length), 'last']
    writeFileSync(file, `${lines.join('\n')}\n`)
    const meter = { bytesRead: 0 }
    expect([...linesBackward(file, meter)].map(String).reverse()).toEqual(lines)
    expect(meter.bytesRead).toBe(Buffer.byteLength(lines.join('\n')) + 1)
  }
})

test('a file that is gone has no lines, a folder in its place is an error', () => {
  const folder = freshFolder()
  expect([...linesBackward(path.join(folder, 'gone'), { bytesRead: 0 })]).toEqual([])
  mkdirSync(path.join(folder, 'folder'))
  expect(() => [...linesBackward(path.join(folder, 'folder'), { bytesRead: 0 })]).toThrow()
  writeFileSync(path.join(folder, 'file'), '')
  const unreadable = expect.objectContaining({ code: 'NOT_READABLE', exitCode: 6 })
  expect(() => listSegments(path.join(folder, 'file'))).toThrow(unreadable)
})
