import { connect, createServer, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { openSandbox, type SandboxRequest } from '../../src/sandbox/index.ts'
import { call, obtain, openForTest, temporaryHome, visit } from './client.ts'

/** Sends raw bytes and reads until the server ends the connection. */
function speak(port: number, text: string, host = '127.0.0.1'): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    const socket: Socket = connect(port, host, () => socket.write(text))
    socket.setEncoding('utf8').on('data', (chunk) => {
      said += chunk
    })
    socket.on('end', () => resolve(said)).on('error', reject)
  })
}

test('listens on both loopback families and names itself localhost', async () => {
  const sandbox = await openForTest()
  expect(sandbox.origin).toBe(`http://localhost:${sandbox.port}`)
  for (const host of ['127.0.0.1', '[::1]', 'localhost']) {
    const answer = await visit(`http://${host}:${sandbox.port}/.well-known/oauth-authorization-server`)
    expect(answer.json.issuer).toBe(sandbox.origin)
  }
})

test('its metadata tells where things are and that answers carry iss', async () => {
  const sandbox = await openForTest()
  const { json } = await visit(`${sandbox.origin}/.well-known/openid-configuration`)
  expect(json).toMatchObject({
    authorization_endpoint: `${sandbox.origin}/authorize`,
    token_endpoint: `${sandbox.origin}/token`,
    authorization_response_iss_parameter_supported: true,
    code_challenge_methods_supported: ['S256', 'plain'],
  })
  expect((await visit(sandbox.origin)).text).toContain('A provider to practise on')
})

test.each(['127.0.0.1', '::1'])('refuses a port that is taken on %s alone', async (host) => {
  const squatter = createServer()
  await new Promise<void>((resolve) => squatter.listen(0, host, resolve))
  onTestFinished(() => void squatter.close())
  const address = squatter.address()
  const port = typeof address === 'object' && address ? address.port : 0
  await expect(openSandbox({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  const other = host === '::1' ? '127.0.0.1' : '::1'
  await expect(speak(port, '', other)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('refuses to start with a fault that it does not know', async () => {
  await expect(openSandbox({ fault: 'earthquake' })).rejects.toThrow('no fault called "earthquake"')
})

test('closes at once though connections are kept alive, and then listens no more', async () => {
  const sandbox = await openForTest()
  const kept = speak(sandbox.port, `GET / HTTP/1.1\r\nHost: localhost:${sandbox.port}\r\n\r\n`)
  await expect.poll(() => sandbox.requests[0]?.status).toBe(200)
  await sandbox.close()
  expect(await kept).toMatch(/^HTTP\/1\.1 200 /)
  await expect(speak(sandbox.port, '')).rejects.toMatchObject({ code: expect.stringMatching(/^ECONN/) })
})

test('tells of each request without its query, headers and body', async () => {
  const told: SandboxRequest[] = []
  const sandbox = await openForTest({ onRequest: (request) => told.push(request), home: temporaryHome() })
  const { access_token } = (await obtain(sandbox)).json
  await call(sandbox, access_token, '/api/items?page=2')
  await expect.poll(() => told.length).toBe(4)
  expect(told).toEqual(sandbox.requests)
  expect(told.map(({ method, path, grant, status }) => [method, path, grant, status])).toEqual([
    ['GET', '/authorize', undefined, 200],
    ['POST', '/authorize/decision', undefined, 303],
    ['POST', '/token', 'authorization_code', 200],
    ['GET', '/api/items', undefined, 200],
  ])
})

test('answers what it cannot read and goes on', async () => {
  const sandbox = await openForTest()
  const { port } = sandbox
  const host = `Host: localhost:${port}\r\nConnection: close\r\n`
  const form = 'Content-Type: application/x-www-form-urlencoded\r\n'
  const rows: [string, RegExp][] = [
    ['nonsense\r\n\r\n', /^HTTP\/1\.1 400 /],
    [`GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    [`GET / HTTP/1.1\r\nHost: evil.example:${port}\r\nConnection: close\r\n\r\n`, /^HTTP\/1\.1 421 /],
    [`GET http://evil.example/ HTTP/1.1\r\n${host}\r\n`, /^HTTP\/1\.1 400 /],
    [`GET http://localhost:${port}/ HTTP/1.1\r\n${host}\r\n`, /^HTTP\/1\.1 200 /],
    [`GET //evil.example/ HTTP/1.1\r\n${host}\r\n`, /^HTTP\/1\.1 404 /],
    [`OPTIONS * HTTP/1.1\r\n${host}\r\n`, /^HTTP\/1\.1 400 /],
    [`GET /constructor HTTP/1.1\r\n${host}\r\n`, /^HTTP\/1\.1 404 /],
    [`DELETE /token HTTP/1.1\r\n${host}\r\n`, /^HTTP\/1\.1 405 [\s\S]*allow: POST/],
    [`POST /token HTTP/1.1\r\n${host}${form}Content-Length: 70000\r\n\r\n${'x'.repeat(70_000)}`, /^HTTP\/1\.1 413 /],
    [
      `POST /token HTTP/1.1\r\n${host}${form}Content-Length: 5000000\r\n\r\n${'x'.repeat(5_000_000)}`,
      /^HTTP\/1\.1 413 /,
    ],
    [`POST /token HTTP/1.1\r\n${host}${form}Content-Length: 3\r\n\r\n%ff`, /^HTTP\/1\.1 401 /],
  ]
  for (const [request, answer] of rows) expect(await speak(port, request)).toMatch(answer)
  expect((await visit(sandbox.origin)).status).toBe(200)
})
