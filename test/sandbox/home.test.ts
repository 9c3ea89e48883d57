import { execFile } from 'node:child_process'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { keepKey, readKey } from '../../src/sandbox/home.ts'
import { temporaryHome } from './client.ts'

const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url))
const source = fileURLToPath(new URL('../../src/sandbox/home.ts', import.meta.url))

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
  const home = temporaryHome()
  const run = promisify(execFile)
  const built = join(home, 'built')
  const options = ['--ignoreConfig', '--target', 'es2023', '--module', 'nodenext', '--types', 'node', '--skipLibCheck']
  await run(process.execPath, [tsc, ...options, '--outDir', built, source])
  writeFileSync(join(built, 'package.json'), '{"type":"module"}')
  const script = `import { keepKey } from ${JSON.stringify(join(built, 'home.js'))}
    process.stdout.write(keepKey(${JSON.stringify(join(home, 'shared'))}).toString('hex'))`
  const runs = Array.from({ length: 8 }, () => run(process.execPath, ['--input-type=module', '-e', script]))
  const keys = (await Promise.all(runs)).map(({ stdout }) => stdout)
  expect(keys[0]).toMatch(/^[0-9a-f]{64}$/)
  expect(new Set(keys).size).toBe(1)
})
