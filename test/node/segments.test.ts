import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { dayOf, hitsBackward, listSegments } from '../../src/node/segments.ts'
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

const hitsIn = (file: string, meter = { bytesRead: 0 }) => {
  let torn = 0
  // The bytes are the hit's own only until the next.
  const found = Array.from(
    hitsBackward(file, Buffer.from('x'), meter, () => torn++),
    ({ line, at }) => [String(line), at],
  )
  return { found, torn }
}

test.each([
  ['', [], 0],
  ['\n', [], 0],
  ['{x}', [['{x}', 1]], 0],
  ['{x}\n', [['{x}', 1]], 0],
  [
    '\n{ax}\n\n\n{x}',
    [
      ['{x}', 1],
      ['{ax}', 2],
    ],
    0,
  ],
  [
    '{xax}\n{y}\n{x}\n',
    [
      ['{x}', 1],
      ['{xax}', 3],
    ],
    0,
  ],
  ['{x\nx}\n{x}\n{y\n', [['{x}', 1]], 3],
])('the lines of %j that hold an x are %j from the end, and %i are torn', (text, found, torn) => {
  const file = path.join(freshFolder(), 'file')
  writeFileSync(file, text)
  expect(hitsIn(file)).toEqual({ found, torn })
})

test('lines are the same backward as forward, wherever the blocks fall', () => {
  const file = path.join(freshFolder(), 'file')
  for (const length of [1, 262_138, 262_139, 262_140, 262_141, 524_288, 1_310_715, 2_700_000]) {
    const lines = ['{first x}', `{${'x'.repeat(length)}}`, `{x${'ü'.repeat(length)}}`, '{y}', '{last x}']
    writeFileSync(file, `${lines.join('\n')}\n`)
    const meter = { bytesRead: 0 }
    const { found, torn } = hitsIn(file, meter)
    expect(found.map(([line]) => line).reverse()).toEqual(lines.filter((line) => line !== '{y}'))
    expect(torn).toBe(0)
    expect(meter.bytesRead).toBe(Buffer.byteLength(lines.join('\n')) + 1)
  }
})

test('a file that is gone has no lines, a folder in its place is an error', () => {
  const folder = freshFolder()
  expect(hitsIn(path.join(folder, 'gone')).found).toEqual([])
  mkdirSync(path.join(folder, 'folder'))
  expect(() => hitsIn(path.join(folder, 'folder'))).toThrow()
  writeFileSync(path.join(folder, 'file'), '')
  const unreadable = expect.objectContaining({ code: 'NOT_READABLE', exitCode: 6 })
  expect(() => listSegments(path.join(folder, 'file'))).toThrow(unreadable)
})
