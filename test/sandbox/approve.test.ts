import { createServer, type RequestListener } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { approve } from '../../src/sandbox/index.ts'
import { authorizeUrl, openCallback, openForTest } from './client.ts'

async function openServer(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
}

test('presses Approve and reads the last page of the client', async () => {
  const sandbox = await openForTest()
  const { redirectUri, visits, methods } = await openCallback()
  await approve(authorizeUrl(sandbox, { redirect_uri: redirectUri }))
  expect(methods).toEqual(['GET'])
  expect(visits.map((url) => [url.pathname, [...url.searchParams.keys()]])).toEqual([
    ['/callback', ['code', 'state', 'iss']],
  ])
  expect(sandbox.requests.map(({ method, path, status }) => [method, path, status])).toEqual([
    ['GET', '/authorize', 200],
    ['POST', '/authorize/decision', 303],
  ])
})

test('presses Deny', async () => {
  const sandbox = await openForTest()
  const { redirectUri, visits } = await openCallback()
  await approve(authorizeUrl(sandbox, { redirect_uri: redirectUri }), { decision: 'deny' })
  expect(visits[0]?.searchParams.get('error')).toBe('access_denied')
})

test('brings an error to the client that the sandbox sends at once', async () => {
  const sandbox = await openForTest()
  const { redirectUri, visits } = await openCallback()
  await approve(authorizeUrl(sandbox, { redirect_uri: redirectUri, scope: 'admin' }))
  expect(visits.map((url) => url.searchParams.get('error'))).toEqual(['invalid_scope'])
})

test('follows an endpoint that forwards with a 308 to the client', async () => {
  const sandbox = await openForTest()
  const { redirectUri, visits } = await openCallback()
  const forwarder = await openServer((request, response) => {
    const query = new URL(request.url ?? '', redirectUri).search
    response.writeHead(308, { location: redirectUri + query }).end()
  })
  await approve(authorizeUrl(sandbox, { redirect_uri: `${forwarder}/oauth-callback` }))
  expect(visits[0]?.searchParams.get('iss')).toBe(sandbox.origin)
})

test('gives up on a client that redirects in circles', async () => {
  const sandbox = await openForTest()
  const circle = await openServer((request, response) => response.writeHead(302, { location: request.url ?? '' }).end())
  await expect(approve(authorizeUrl(sandbox, { redirect_uri: `${circle}/x` }))).rejects.toThrow('5 redirects')
})

test('says why there is no consent page, and when the client cannot be reached', async () => {
  const sandbox = await openForTest()
  await expect(approve(authorizeUrl(sandbox, { client_id: 'nobody' }))).rejects.toThrow('This application is unknown')
  const gone = await openForTest()
  await gone.close()
  const unreachable = authorizeUrl(sandbox, { redirect_uri: `${gone.origin}/` })
  await expect(approve(unreachable)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('stops waiting for the client when it is aborted, with the reason', async () => {
  const sandbox = await openForTest()
  const controller = new AbortController()
  const silent = await openServer(() => controller.abort(new Error('enough')))
  const waiting = approve(authorizeUrl(sandbox, { redirect_uri: `${silent}/` }), { signal: controller.signal })
  await expect(waiting).rejects.toThrow('enough')
})
