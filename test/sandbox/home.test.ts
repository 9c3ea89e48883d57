import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { keepKey, readKey } from '../../src/sandbox/home.ts'
import { runTogether, temporaryHome } from './client.ts'

test('makes a key once, for its owner only, and keeps it', () => {
  const home = join(temporaryHome(), 'deep', 'inside')
  const key = keepKey(home)
  expect(key).toHaveLength(32)
  expect(keepKey(home)).toEqual(key)
  expect(readKey(home)).toEqual(key)
  expect(statSync(home).mode & 0o777).toBe(0o700)
  expect(statSync(join(home, 'sandbox.key')).mode & 0o777).toBe(0o600)
  expect(readdirSync(home)).toEqual(['sandbox.key'])
})

test('refuses a damaged key instead of signing with it', () => {
  const home = temporaryHome()
  writeFileSync(join(home, 'sandbox.key'), 'short')
  expect(() => keepKey(home)).toThrow(expect.objectContaining({ code: 'SANDBOX_KEY_DAMAGED' }))
})

test('of many processes that make the key at once, all end with the same one', async () => {
  const home = JSON.stringify(join(temporaryHome(), 'shared'))
  const keys = await runTogether('home', 8, `process.stdout.write(subject.keepKey(${home}).toString('hex'))`)
  expect(keys[0]).toMatch(/^[0-9a-f]{64}$/)
  expect(new Set(keys).size).toBe(1)
})
