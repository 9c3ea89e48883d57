import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, request as requestHttp } from 'node:http'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { runningSandbox } from '../../src/sandbox/index.ts'
import { openForTest, temporaryHome } from './client.ts'

test('finds the sandbox of a home while it runs, and none before or after', async () => {
  const home = temporaryHome()
  expect(await runningSandbox(home)).toBeUndefined()
  expect(await runningSandbox(join(home, 'nowhere'))).toBeUndefined()
  const sandbox = await openForTest({ home })
  expect(statSync(join(home, 'sandbox.json')).mode & 0o777).toBe(0o600)
  expect(await runningSandbox(home)).toEqual({ origin: sandbox.origin, port: sandbox.port, pid: process.pid })
  await sandbox.close()
  expect(existsSync(join(home, 'sandbox.json'))).toBe(false)
  expect(await runningSandbox(home)).toBeUndefined()
})

test('does not believe the file of a sandbox that was killed', async () => {
  const home = temporaryHome()
  const sandbox = await openForTest({ home })
  const file = readFileSync(join(home, 'sandbox.json'))
  await sandbox.close()
  writeFileSync(join(home, 'sandbox.json'), file)
  expect(await runningSandbox(home)).toBeUndefined()
})

test('does not take the sandbox of another home for its own', async () => {
  const [mine, theirs] = [temporaryHome(), temporaryHome()]
  const sandbox = await openForTest({ home: mine })
  await sandbox.close()
  await openForTest({ home: theirs })
  copyFileSync(join(theirs, 'sandbox.json'), join(mine, 'sandbox.json'))
  expect(await runningSandbox(mine)).toBeUndefined()
  expect(await runningSandbox(theirs)).toBeDefined()
})

test('is not fooled by a server that passes the challenge on to the true sandbox', async () => {
  const home = temporaryHome()
  const sandbox = await openForTest({ home })
  const relay = createServer((request, response) => {
    requestHttp({ host: '127.0.0.1', port: sandbox.port, path: request.url }, (answer) => answer.pipe(response)).end()
  })
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    relay.close()
    relay.closeAllConnections()
  })
  const address = relay.address()
  const port = typeof address === 'object' && address ? address.port : 0
  expect(await runningSandbox(home)).toBeDefined()
  writeFileSync(join(home, 'sandbox.json'), JSON.stringify({ port, pid: process.pid }))
  expect(await runningSandbox(home)).toBeUndefined()
})

test.each(['', '{', '[]', 'null', '{"port":"80","pid":1}', '{"port":0,"pid":1}'])(
  'reads nothing out of a file that says %j',
  async (content) => {
    const home = temporaryHome()
    await openForTest({ home })
    writeFileSync(join(home, 'sandbox.json'), content)
    expect(await runningSandbox(home)).toBeUndefined()
  },
)

test('the one that closes leaves the announcement of a later one standing', async () => {
  const home = temporaryHome()
  const first = await openForTest({ home })
  const second = await openForTest({ home })
  await first.close()
  expect(await runningSandbox(home)).toMatchObject({ port: second.port })
})
