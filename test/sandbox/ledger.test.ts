import { appendFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openLedger } from '../../src/sandbox/ledger.ts'
import { runTogether, temporaryHome } from './client.ts'

test('the first who claims a mark has it, in memory and on disk', () => {
  const path = join(temporaryHome(), 'used')
  for (const ledger of [openLedger(), openLedger(path)]) {
    expect(ledger.has('one')).toBe(false)
    expect([ledger.claim('one'), ledger.claim('one'), ledger.claim('two')]).toEqual([true, false, true])
    expect(ledger.has('one')).toBe(true)
  }
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('ledgers of one file see each other, and a later one sees both', () => {
  const path = join(temporaryHome(), 'used')
  const [one, other] = [openLedger(path), openLedger(path)]
  expect(one.claim('a')).toBe(true)
  expect(other.claim('a')).toBe(false)
  expect(other.claim('b')).toBe(true)
  expect(one.has('b')).toBe(true)
  expect(openLedger(path).has('a')).toBe(true)
})

test('a torn line harms nobody, and what was read is remembered when the file goes', () => {
  const path = join(temporaryHome(), 'used')
  const ledger = openLedger(path)
  ledger.claim('a')
  appendFileSync(path, '\ntorn')
  expect(ledger.claim('b')).toBe(true)
  expect(openLedger(path).has('b')).toBe(true)
  rmSync(path)
  expect(ledger.has('a')).toBe(true)
})

test('of many processes that claim the same marks at once, each mark goes to one', async () => {
  const path = JSON.stringify(join(temporaryHome(), 'used'))
  const won = await runTogether(
    'ledger',
    4,
    `const ledger = subject.openLedger(${path})
     for (let i = 0; i < 500; i += 1) if (ledger.claim('mark-' + i)) console.log(i)`,
  )
  const marks = won.flatMap((text) => text.split('\n').filter(Boolean).map(Number))
  expect(marks.sort((one, other) => one - other)).toEqual(Array.from({ length: 500 }, (_, i) => i))
})
