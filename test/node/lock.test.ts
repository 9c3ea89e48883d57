import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Cancelled, TransportError } from '../../src/model/errors.ts'
import { withLock } from '../../src/node/lock.ts'
import { firstLine, freshFolder, kill, runWorker, startWorker } from '../support/disk.ts'

const never = 1e9
const it = { what: '"acme"' }
const inFreshFolder = (): string => path.join(freshFolder(), 'shelf', 'acme.json.lock')

/** What a lock of this process looks like on disk. */
async function ownLock(): Promise<Record<string, unknown>> {
  const file = inFreshFolder()
  return withLock(file, it, () => JSON.parse(readFileSync(file, 'utf8')))
}

function plant(file: string, content: object | string): void {
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
}

test('the work runs with the lock in place, and nothing is left of it', async () => {
  const file = inFreshFolder()
  expect(await withLock(file, it, () => existsSync(file))).toBe(true)
  expect(readdirSync(path.dirname(file))).toEqual([])
})

test('work that fails gives the lock back', async () => {
  const file = inFreshFolder()
  const failing = withLock(file, it, () => Promise.reject(new Error('no')))
  await expect(failing).rejects.toThrow('no')
  expect(existsSync(file)).toBe(false)
})

test('two callers in one process take turns', async () => {
  const file = inFreshFolder()
  let inside = 0
  const turns = Array.from({ length: 10 }, () =>
    withLock(file, it, async () => {
      expect(++inside).toBe(1)
      await new Promise((resolve) => setImmediate(resolve))
      inside--
    }),
  )
  await Promise.all(turns)
})

test('the lock of a holder that was killed is taken over at once', async () => {
  const file = inFreshFolder()
  const holder = startWorker('hold', file)
  expect(await firstLine(holder)).toBe('held')
  await kill(holder)
  expect(existsSync(file)).toBe(true)
  expect(await withLock(file, { ...it, silence: never, limit: 0 }, () => 'mine')).toBe('mine')
})

test('a living holder keeps its lock, and the wait for it names its process', async () => {
  const file = inFreshFolder()
  const holder = startWorker('hold', file)
  await firstLine(holder)
  const waiting = withLock(file, { ...it, limit: 50 }, () => 'mine')
  await expect(waiting).rejects.toThrow(TransportError)
  await expect(withLock(file, { ...it, limit: 0 }, () => 'mine')).rejects.toMatchObject({
    code: 'TIMEOUT',
    message: expect.stringContaining(`"acme" is in use by process ${holder.pid}`),
  })
})

test.runIf(process.platform === 'linux')('a pid that another process has now does not keep a lock', async () => {
  const file = inFreshFolder()
  plant(file, { ...(await ownLock()), nonce: 'old', startTicks: 1 })
  expect(await withLock(file, { ...it, silence: never, limit: 0 }, () => 'mine')).toBe('mine')
})

test('of many that find the same lock left behind, one at a time gets in', async () => {
  for (let round = 0; round < 3; round++) {
    const folder = path.join(freshFolder(), 'shelf')
    const holder = startWorker('hold', path.join(folder, 'acme.json.lock'))
    await firstLine(holder)
    const workers = Array.from({ length: 8 }, () => runWorker('count', folder, 'acme', '5'))
    await kill(holder)
    await Promise.all(workers)
    expect(JSON.parse(readFileSync(path.join(folder, 'acme.json'), 'utf8'))).toEqual({ name: 'acme', count: 40 })
    expect(readdirSync(folder)).toEqual(['acme.json'])
  }
})

test('one killed while it cleared a left lock away stops nobody', async () => {
  const file = inFreshFolder()
  const dead = { ...(await ownLock()), pid: 2 ** 30, startTicks: 1 }
  plant(file, { ...dead, nonce: 'first' })
  plant(`${file}.lock`, { ...dead, nonce: 'second' })
  expect(await withLock(file, { ...it, silence: never, limit: 10_000 }, () => 'mine')).toBe('mine')
  expect(readdirSync(path.dirname(file))).toEqual([])
})

test('a left lock is only removed by whoever holds the lock on removing it', async () => {
  const file = inFreshFolder()
  plant(file, { ...(await ownLock()), pid: 2 ** 30, startTicks: 1, nonce: 'left' })
  await withLock(`${file}.lock`, it, async () => {
    await expect(withLock(file, { ...it, limit: 50 }, () => 'mine')).rejects.toThrow(TransportError)
    expect(readFileSync(file, 'utf8')).toContain('left')
  })
  expect(await withLock(file, { ...it, limit: 10_000 }, () => 'mine')).toBe('mine')
})

test('the lock of another host is honoured while its heart beats', async () => {
  const file = inFreshFolder()
  plant(file, { pid: 2 ** 30, place: 'elsewhere', nonce: 'x' })
  const beat = setInterval(() => utimesSync(file, new Date(), Date.now() / 1000 + Math.random()), 20)
  onTestFinished(() => clearInterval(beat))
  const waiting = withLock(file, { ...it, silence: 1_500, limit: 2_000 }, () => 'mine')
  await expect(waiting).rejects.toMatchObject({ code: 'TIMEOUT' })
})

test.each([
  ['another host', JSON.stringify({ pid: 1, place: 'elsewhere', nonce: 'x' })],
  ['nobody we can read', ''],
  ['nobody at all', 'null'],
])('the silent lock of %s is taken in the end, whatever the clocks say', async (_, content) => {
  const file = inFreshFolder()
  plant(file, content)
  utimesSync(file, 0, 0)
  await expect(withLock(file, { ...it, silence: never, limit: 30 }, () => 'mine')).rejects.toThrow(TransportError)
  utimesSync(file, 4e9, 4e9)
  expect(await withLock(file, { ...it, silence: 50, limit: 10_000 }, () => 'mine')).toBe('mine')
})

test('waiting ends with the reason of the signal', async () => {
  const file = inFreshFolder()
  const stop = new AbortController()
  const reason = new Cancelled()
  await withLock(file, it, async () => {
    const waiting = withLock(file, { ...it, signal: stop.signal }, () => 'mine')
    setImmediate(() => stop.abort(reason))
    await expect(waiting).rejects.toBe(reason)
    await expect(withLock(file, { ...it, signal: stop.signal }, () => 'mine')).rejects.toBe(reason)
    expect(existsSync(file)).toBe(true)
  })
})

test('a lock lost to another is not given back in his place', async () => {
  const file = inFreshFolder()
  await withLock(file, it, () => plant(file, { pid: 1, place: 'elsewhere', nonce: 'his' }))
  expect(readFileSync(file, 'utf8')).toContain('his')
})

test('a folder that cannot be made is this machine’s trouble', async () => {
  const blocked = path.join(freshFolder(), 'file')
  writeFileSync(blocked, '')
  const attempt = withLock(path.join(blocked, 'shelf', 'a.lock'), it, () => 'mine')
  await expect(attempt).rejects.toMatchObject({ code: 'NOT_WRITABLE', exitCode: 6 })
})
