import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import {
  type AddressInfo,
  connect,
  createServer as createSocketServer,
  type Socket,
  type Server as SocketServer,
} from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, createGzip, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { TransportError } from '../../src/model/errors.ts'
import type { Answer, Outgoing } from '../../src/model/world.ts'
import { makeSend, preload } from '../../src/node/send.ts'
import { type Authority, foundAuthority } from '../support/certificates.ts'
import { built, runScript } from '../support/terminal.ts'

const open: { close(): void; closeAllConnections?(): void }[] = []
afterEach(() => {
  for (const server of open.splice(0)) {
    server.closeAllConnections?.()
    server.close()
  }
})

async function listen(server: Server | SocketServer, host = '127.0.0.1'): Promise<number> {
  open.push(server)
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve))
  return (server.address() as AddressInfo).port
}

const serve = (answer: RequestListener, host?: string): Promise<number> => listen(createServer(answer), host)

const outgoing = (url: string, more: Partial<Outgoing> = {}): Outgoing => ({
  method: 'GET',
  url,
  headers: [],
  signal: new AbortController().signal,
  ...more,
})

async function text(answer: Answer): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of answer.body) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const failureOf = (promise: Promise<unknown>): Promise<TransportError> =>
  promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error) => error,
  )

preload()
const send = makeSend({})

describe('the request', () => {
  test('carries exactly its headers, in order, with case and duplicates', async () => {
    let seen: string[] = []
    const port = await serve((request, response) => {
      seen = request.rawHeaders
      response.end()
    })
    const headers = [
      ['X-B', '1'],
      ['authorization', 'Basic x'],
      ['x-b', '2'],
      ['2', 'number'],
    ] as const
    await text(await send(outgoing(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body: 'hé' })))
    expect(seen.slice(0, 4)).toEqual(['host', `127.0.0.1:${port}`, 'connection', 'keep-alive'])
    expect(seen.slice(4)).toEqual([...headers.flat(), 'content-length', '3'])
  })

  test('keeps its query and its own Host, and a body may be streamed', async () => {
    const port = await serve((request, response) => {
      request.setEncoding('utf8')
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => response.end(`${request.url} ${request.headers.host} ${body}`))
    })
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('one ')
      yield Buffer.from('two')
    }
    const request = { method: 'PUT', headers: [['Host', 'acme.example']] as const, body: body() }
    const answer = await send(outgoing(`http://127.0.0.1:${port}/p?a=%20b&a=c#gone`, request))
    expect(await text(answer)).toBe('/p?a=%20b&a=c acme.example one two')
  })

  test('fails with the very failure of its streamed body', async () => {
    const port = await serve(() => {})
    const own = Object.assign(new Error('mine'), { code: 'ENOENT' })
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('one')
      throw own
    }
    expect(await failureOf(send(outgoing(`http://127.0.0.1:${port}/`, { method: 'POST', body: body() })))).toBe(own)
  })

  test.each([
    ['a header that is not HTTP', { headers: [['X', 'a\r\nb']] as const }, 'BAD_REQUEST'],
    ['a scheme that is not http', { url: 'file:///etc/passwd' }, 'BAD_URL'],
    ['text that is no URL', { url: 'acme' }, 'BAD_URL'],
  ])('with %s is a usage error', async (_, more, code) => {
    const failure = await failureOf(send(outgoing('http://127.0.0.1:1/', more)))
    expect(failure).toMatchObject({ code, exitCode: 2 })
    expect(failure.message).not.toMatch(/passwd|\n/)
  })
})

describe('the answer', () => {
  test('keeps order, case and duplicates of its headers, and a redirect is not followed', async () => {
    const sent = ['X-A', '1', 'set-cookie', 'a', 'x-a', '2', 'Set-Cookie', 'b', 'Location', '/next', 'X-U', 'caf\xe9']
    const port = await serve((_, response) => {
      response.sendDate = false
      response.writeHead(302, 'Elsewhere', sent).end('body')
    })
    const answer = await send(outgoing(`http://127.0.0.1:${port}/`))
    expect([answer.status, answer.statusText, await text(answer)]).toEqual([302, 'Elsewhere', 'body'])
    expect(answer.headers.flat().slice(0, sent.length)).toEqual(sent)
  })

  test('of 503 is given, not retried', async () => {
    let count = 0
    const port = await serve((_, response) => {
      count++
      response.writeHead(503, { 'retry-after': '0' }).end()
    })
    const answer = await send(outgoing(`http://127.0.0.1:${port}/`))
    await text(answer)
    expect([answer.status, count]).toEqual([503, 1])
  })

  test('comes after any 103 that announces it', async () => {
    const port = await serve((_, response) => {
      response.writeEarlyHints({ link: '</x>; rel=preload' }, () => response.end('final'))
    })
    const answer = await send(outgoing(`http://127.0.0.1:${port}/`))
    expect([answer.status, await text(answer)]).toEqual([200, 'final'])
  })

  const encodings: [name: string, body: Buffer][] = [
    ['gzip', gzipSync('whole')],
    ['X-GZip', gzipSync('whole')],
    ['deflate', deflateSync('whole')],
    ['deflate', deflateRawSync('whole')],
    ['br', brotliCompressSync('whole')],
    ['gzip, br', brotliCompressSync(gzipSync('whole'))],
    ['identity', Buffer.from('whole')],
    ['zstd', Buffer.from('whole')],
    ['gzip', Buffer.concat([gzipSync('wh'), gzipSync('ole')])],
  ]
  test.each(encodings)('in %s is read', async (encoding, body) => {
    const port = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': encoding })
      response.write(body.subarray(0, 1))
      response.end(body.subarray(1))
    })
    expect(await text(await send(outgoing(`http://127.0.0.1:${port}/`)))).toBe('whole')
  })

  test('without a body may still name an encoding', async () => {
    const port = await serve((_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end())
    for (const method of ['HEAD', 'POST']) {
      expect(await text(await send(outgoing(`http://127.0.0.1:${port}/`, { method })))).toBe('')
    }
  })

  test.each(['gzip', 'gzip, gzip, gzip, gzip, gzip, gzip'])(
    'that is not the %s it says is unusable',
    async (encoding) => {
      const port = await serve((_, response) => {
        response.writeHead(200, { 'content-encoding': encoding }).end('plain, after all')
      })
      const failure = await failureOf(send(outgoing(`http://127.0.0.1:${port}/`)).then(text))
      expect(failure).toMatchObject({ code: 'BAD_ENCODING', exitCode: 4 })
    },
  )

  test('that would inflate to 256 MB is inflated no faster than it is read', async () => {
    const port = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' })
      const gzip = createGzip({ level: 9 })
      gzip.pipe(response)
      const zeros = Buffer.alloc(1024 * 1024)
      let left = 256
      const more = (): void => {
        while (left-- > 0) if (!gzip.write(zeros)) return void gzip.once('drain', more)
        gzip.end()
      }
      more()
    })
    const answer = await send(outgoing(`http://127.0.0.1:${port}/`))
    const before = process.memoryUsage().arrayBuffers
    let peak = 0
    let bytes = 0
    for await (const chunk of answer.body) {
      bytes += chunk.length
      await new Promise((resolve) => setTimeout(resolve, 2))
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before)
      if (bytes > 2 * 1024 * 1024) break
    }
    expect(bytes).toBeLessThan(4 * 1024 * 1024)
    expect(peak).toBeLessThan(64 * 1024 * 1024)
  })

  test('is fetched no faster than it is read', async () => {
    let written = 0
    const port = await serve((_, response) => {
      const more = (): void => {
        if (response.destroyed || written > 128 * 1024 * 1024) return
        written += 64 * 1024
        response.write(Buffer.alloc(64 * 1024), () => setImmediate(more))
      }
      more()
    })
    const answer = await send(outgoing(`http://127.0.0.1:${port}/`))
    let turns = 0
    for await (const _ of answer.body) {
      await new Promise((resolve) => setTimeout(resolve, 2))
      if (++turns === 100) break
    }
    expect(written).toBeLessThan(32 * 1024 * 1024)
  })

  test('is not read on once its reader has left', async () => {
    let closed = (): void => {}
    const isClosed = new Promise<void>((resolve) => {
      closed = resolve
    })
    const port = await serve((_, response) => {
      response.on('close', closed)
      const more = (): void => void (response.destroyed || response.write('x'.repeat(10_000), () => setImmediate(more)))
      more()
    })
    for await (const _ of (await send(outgoing(`http://127.0.0.1:${port}/`))).body) break
    await isClosed
  })

  test('that breaks off in the middle fails where it is read', async () => {
    const port = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half', () => response.destroy())
    })
    const answer = await send(outgoing(`http://127.0.0.1:${port}/?secret=1`))
    const failure = await failureOf(text(answer))
    expect(failure).toBeInstanceOf(TransportError)
    expect(failure.message).toBe(`127.0.0.1:${port} broke off in the middle of its answer.`)
  })

  test('that breaks off while nobody reads it harms nobody', async () => {
    let cut = (): void => {}
    const port = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half')
      cut = () => response.destroy()
    })
    const answer = await send(outgoing(`http://127.0.0.1:${port}/`))
    cut()
    const second = await serve((_, response) => void response.end())
    for (let count = 0; count < 5; count++) await text(await send(outgoing(`http://127.0.0.1:${second}/`)))
    expect(await failureOf(text(answer))).toMatchObject({ code: 'UNREACHABLE' })
  })
})

describe('what is told about the road', () => {
  test('each leg is timed once, on the connection that took it, and the total is final once the body is read', async () => {
    const port = await serve((_, response) => void response.end('x'))
    const first = await send(outgoing(`http://localhost:${port}/`))
    await text(first)
    const { dns, connect: connected, tls, wait, total } = first.timing()
    expect([dns, connected, wait, total].map((leg) => typeof leg)).toEqual(Array(4).fill('number'))
    expect(tls).toBeUndefined()
    expect(first.timing()).toEqual({ dns, connect: connected, wait, total })
    expect(total).toBeGreaterThanOrEqual(connected ?? Number.NaN)
    expect(first.peer).toBe(`127.0.0.1:${port}`)
    const second = await send(outgoing(`http://localhost:${port}/`))
    await text(second)
    expect(Object.keys(second.timing())).toEqual(['wait', 'total'])
  })

  test('localhost is found on either loopback family', async (context) => {
    const port = await serve((_, response) => void response.end('six'), '::1').catch(() => undefined)
    if (port === undefined) return context.skip('this machine has no ::1')
    const answer = await send(outgoing(`http://localhost:${port}/`))
    expect([answer.peer, await text(answer)]).toEqual([`[::1]:${port}`, 'six'])
    expect((await send(outgoing(`http://[::1]:${port}/`))).status).toBe(200)
  })
})

describe('a road that leads nowhere', () => {
  test('an unknown host is named, and nothing else of the URL', async () => {
    const failure = await failureOf(send(outgoing('http://user:pass@does-not-exist.invalid/path?token=secret')))
    expect(failure).toMatchObject({ code: 'UNREACHABLE', exitCode: 5 })
    expect(failure.facts).toEqual([['cause', expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/)]])
    expect(failure.message).toMatch(/does-not-exist\.invalid/)
    expect(failure.message + failure.hint).not.toMatch(/pass|path|secret/)
  })

  test('a port where nobody listens', async () => {
    const port = await serve(() => {})
    for (const server of open.splice(0)) await new Promise<void>((resolve) => (server as Server).close(() => resolve()))
    const failure = await failureOf(send(outgoing(`http://localhost:${port}/`)))
    expect([failure.code, failure.message, failure.facts]).toEqual([
      'UNREACHABLE',
      `Nothing listens at localhost:${port}.`,
      [['cause', 'ECONNREFUSED']],
    ])
  })

  test('a server that hangs up without a word', async () => {
    const port = await listen(createSocketServer((socket) => void socket.once('data', () => socket.destroy())))
    const failure = await failureOf(send(outgoing(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'x' })))
    expect(failure).toMatchObject({
      code: 'UNREACHABLE',
      message: `127.0.0.1:${port} closed the connection before it answered.`,
    })
  })

  test('a server that speaks something else', async () => {
    const port = await listen(createSocketServer((socket) => void socket.end('SSH-2.0-x\r\n')))
    expect(await failureOf(send(outgoing(`http://127.0.0.1:${port}/`)))).toMatchObject({
      code: 'UNREACHABLE',
      message: `127.0.0.1:${port} does not answer in HTTP.`,
    })
  })

  test('https asked of a port that speaks http', async () => {
    const port = await serve(() => {})
    expect(await failureOf(send(outgoing(`https://127.0.0.1:${port}/`)))).toMatchObject({
      code: 'TLS',
      message: `127.0.0.1:${port} speaks plain HTTP, not https.`,
    })
  })

  test('a flood of headers', async () => {
    const port = await serve((_, response) => void response.writeHead(200, { 'x-long': 'x'.repeat(100_000) }).end())
    const failure = await failureOf(send(outgoing(`http://127.0.0.1:${port}/`)))
    expect(failure.message).toMatch(/more headers than we take/)
  })

  test('a server that never answers is given up when its time is over', async () => {
    const port = await serve(() => {})
    const failure = await failureOf(send(outgoing(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(50) })))
    expect(failure).toMatchObject({ code: 'TIMEOUT', message: `127.0.0.1:${port} did not answer in time.` })
  })

  test.each(['before it leaves', 'while it waits', 'while its answer is read'])(
    'an abort %s gives its very reason',
    async (moment) => {
      const reason = new TransportError('TIMEOUT', 'the flow took too long')
      const abort = new AbortController()
      const port = await serve((_, response) => {
        if (moment === 'while it waits') abort.abort(reason)
        response.write('half')
      })
      if (moment === 'before it leaves') abort.abort(reason)
      const read = async (): Promise<void> => {
        const answer = await send(outgoing(`http://127.0.0.1:${port}/`, { signal: abort.signal }))
        for await (const _ of answer.body) abort.abort(reason)
      }
      expect(await failureOf(read())).toBe(reason)
    },
  )

  test('a second request gets through after a first was given up', async () => {
    const port = await serve((request, response) => void (request.url === '/good' && response.end('good')))
    await failureOf(send(outgoing(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(20) })))
    expect(await text(await send(outgoing(`http://127.0.0.1:${port}/good`)))).toBe('good')
  })
})

/** A proxy that connects every name to `port`, and what it was asked for. */
async function proxyTo(port: number, status = 200): Promise<{ port: number; asked: string[]; credentials: string[] }> {
  const asked: string[] = []
  const credentials: string[] = []
  const server = createServer((request, response) => void response.end(`not tunnelled: ${request.url}`))
  server.on('connect', (request, socket) => {
    asked.push(request.url ?? '')
    credentials.push(request.headers['proxy-authorization'] ?? '')
    socket.on('error', () => {})
    if (status !== 200) return socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`)
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    onward.on('error', () => socket.destroy())
  })
  return { port: await listen(server), asked, credentials }
}

describe('a proxy', () => {
  const echo: RequestListener = (request, response) => void response.end(request.rawHeaders.join('|'))

  test('of the environment is asked for the host, and the request crosses it unchanged', async () => {
    const proxy = await proxyTo(await serve(echo))
    const through = makeSend({ HTTP_PROXY: `http://me:p%40ss@127.0.0.1:${proxy.port}` })
    const headers = [
      ['X-B', '1'],
      ['x-b', '2'],
      ['X-B', '3'],
    ] as const
    const answer = await through(outgoing('http://acme.test/x', { headers }))
    expect(await text(answer)).toBe('host|acme.test|connection|keep-alive|X-B|1|x-b|2|X-B|3')
    expect(proxy.asked).toEqual(['acme.test:80'])
    expect(Buffer.from(proxy.credentials[0]?.slice(6) ?? '', 'base64').toString()).toBe('me:p@ss')
    expect(answer.peer).toBe(`via proxy 127.0.0.1:${proxy.port}`)
    expect(Object.keys(answer.timing())).toEqual(['connect', 'wait', 'total'])
  })

  test('may be given without a scheme, and the lower-case name wins', async () => {
    const proxy = await proxyTo(await serve(echo))
    const through = makeSend({ HTTP_PROXY: 'http://127.0.0.1:1', http_proxy: `127.0.0.1:${proxy.port}` })
    expect((await through(outgoing('http://acme.test/'))).status).toBe(200)
  })

  test('never sees loopback, whatever the environment says', async () => {
    const port = await serve(echo)
    const through = makeSend({ HTTP_PROXY: 'http://127.0.0.1:1', NO_PROXY: '' })
    for (const host of ['localhost', '127.0.0.1', '127.8.9.10']) {
      const answer = through(outgoing(`http://${host}:${port}/`))
      if (host !== '127.8.9.10') expect((await answer).status).toBe(200)
      else expect((await failureOf(answer)).message).toBe(`Nothing listens at 127.8.9.10:${port}.`)
    }
  })

  test('is passed by for the hosts of NO_PROXY', async () => {
    const through = makeSend({ HTTP_PROXY: 'http://127.0.0.1:1', NO_PROXY: 'other.test,.invalid' })
    expect((await failureOf(through(outgoing('http://x.invalid/')))).message).toContain('x.invalid')
    expect((await failureOf(through(outgoing('http://acme.test/')))).message).toContain('127.0.0.1:1 (the proxy)')
  })

  test('that wants a password is told from a host that does', async () => {
    const proxy = await proxyTo(0, 407)
    const through = makeSend({ https_proxy: `http://127.0.0.1:${proxy.port}` })
    expect(await failureOf(through(outgoing('https://acme.test/')))).toMatchObject({
      code: 'PROXY',
      exitCode: 5,
      message: `The proxy 127.0.0.1:${proxy.port} asks for a user name and a password (407).`,
      facts: [['cause', 'PROXY_407']],
    })
  })

  test('that refuses is named with its status, its password unsaid', async () => {
    const proxy = await proxyTo(0, 403)
    const through = makeSend({ https_proxy: `http://me:hunter2@127.0.0.1:${proxy.port}` })
    const failure = await failureOf(through(outgoing('https://acme.test/')))
    expect(failure.message).toBe(`The proxy 127.0.0.1:${proxy.port} would not connect us to acme.test (403).`)
    expect(`${failure.hint}${failure.facts}`).not.toContain('hunter2')
  })

  test('that hangs up, or whose URL is none, is told', async () => {
    const port = await listen(createSocketServer((socket) => void socket.once('data', () => socket.destroy())))
    const hangsUp = makeSend({ http_proxy: `127.0.0.1:${port}` })
    expect(await failureOf(hangsUp(outgoing('http://acme.test/')))).toMatchObject({ code: 'UNREACHABLE' })
    const none = makeSend({ HTTPS_PROXY: 'http://me:hunter2@:x' })
    const failure = await failureOf(none(outgoing('https://acme.test/')))
    expect([failure.code, failure.message]).toEqual(['PROXY', 'HTTPS_PROXY is not the URL of a proxy.'])
  })
})

describe('https', () => {
  const folder = mkdtempSync(join(tmpdir(), 'send-'))
  let authority: Authority
  beforeAll(() => {
    authority = foundAuthority(folder)
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  /** Sends from a process of its own, which trusts the authority or not, and gives what came of it. */
  async function sendElsewhere(url: string, env: Record<string, string> = {}): Promise<Record<string, unknown>> {
    const { ended } = runScript(
      `import { makeSend } from '${built('node/send.js')}'
       const outcome = await makeSend(process.env)({
         method: 'GET', url: process.env.URL, headers: [], signal: new AbortController().signal,
       }).then(
         async ({ status, body, peer, timing }) => {
           for await (const chunk of body);
           return { status, peer, legs: Object.keys(timing()) }
         },
         ({ code, message, hint, facts }) => ({ code, message, hint, facts: Object.fromEntries(facts) }),
       )
       console.log(JSON.stringify(outcome))`,
      { URL: url, ...env },
    )
    const { stdout, stderr } = await ended
    return stdout === '' ? { stderr } : JSON.parse(stdout)
  }

  const serveSecurely = (commonName: string, names: string, days?: number): Promise<number> =>
    listen(createSecureServer(authority.issue(commonName, names, days), (_, response) => void response.end('ok')))

  test('tells the peer with its TLS version and certificate, and times the handshake', async () => {
    const port = await serveSecurely('local\tname', 'IP:127.0.0.1')
    const trusting = { NODE_EXTRA_CA_CERTS: authority.file }
    expect(await sendElsewhere(`https://127.0.0.1:${port}/`, trusting)).toEqual({
      status: 200,
      peer: `127.0.0.1:${port} · TLSv1.3 · CN=localname · issued by Test Authority`,
      legs: ['connect', 'tls', 'wait', 'total'],
    })
  })

  test('crosses a proxy, and the certificate is that of the far end', async () => {
    const proxy = await proxyTo(await serveSecurely('acme.test', 'DNS:acme.test'))
    const env = { NODE_EXTRA_CA_CERTS: authority.file, https_proxy: `http://127.0.0.1:${proxy.port}` }
    expect(await sendElsewhere('https://acme.test/', env)).toEqual({
      status: 200,
      peer: `via proxy 127.0.0.1:${proxy.port} · TLSv1.3 · CN=acme.test · issued by Test Authority`,
      legs: ['connect', 'tls', 'wait', 'total'],
    })
  })

  test('is refused where nobody vouches for the certificate, which is shown', async () => {
    const port = await serveSecurely('acme.test', 'IP:127.0.0.1')
    const failure = await sendElsewhere(`https://127.0.0.1:${port}/`)
    expect(failure).toMatchObject({
      code: 'TLS',
      hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
      facts: { certificate: 'CN=acme.test', 'issued by': 'Test Authority', cause: expect.stringMatching(/^UNABLE_TO/) },
    })
  })

  test('is refused for another host, an expired certificate and a self-signed one, each by name', async () => {
    const trusting = { NODE_EXTRA_CA_CERTS: authority.file }
    const other = await serveSecurely('other.test', 'DNS:other.test')
    expect(await sendElsewhere(`https://127.0.0.1:${other}/`, trusting)).toMatchObject({
      code: 'TLS',
      message: `The certificate of 127.0.0.1:${other} is for another host.`,
      facts: { for: 'DNS:other.test' },
    })
    const expired = await serveSecurely('acme.test', 'IP:127.0.0.1', -1)
    expect(await sendElsewhere(`https://127.0.0.1:${expired}/`, trusting)).toMatchObject({
      code: 'TLS',
      message: `The certificate of 127.0.0.1:${expired} has expired.`,
      hint: expect.stringContaining('clock'),
    })
    const [key, cert] = ['ca.key', 'ca.pem'].map((name) => readFileSync(join(folder, name)))
    const self = await listen(createSecureServer({ key, cert }, (_, response) => void response.end()))
    expect(await sendElsewhere(`https://127.0.0.1:${self}/`)).toMatchObject({
      code: 'TLS',
      message: `The certificate of 127.0.0.1:${self} is self-signed.`,
    })
  })

  test('expected where plain http was asked, the port is what gets the blame', async () => {
    const port = await serveSecurely('acme.test', 'IP:127.0.0.1')
    const failure = await failureOf(send(outgoing(`http://127.0.0.1:${port}/`)))
    expect(failure.code).toBe('UNREACHABLE')
    expect(`${failure.message} ${failure.hint}`).toMatch(/https/)
  })
})

describe('the end of a process', () => {
  const leaving = (more: string): string => `
    import { makeSend } from '${built('node/send.js')}'
    const send = makeSend(process.env)
    const ended = new AbortController()
    const request = { method: 'GET', url: process.env.URL, headers: [], signal: ended.signal }
    ${more}
    console.log('done')`

  /** Given up once the far end has been reached: the test says so on stdin. */
  const giveUp = (url: string): string =>
    `process.stdin.once('data', () => { process.stdin.destroy(); ended.abort() })
     await send({ ...request, url: ${url} }).catch(({ code }) => code !== 'CANCELLED' && console.log(code))`

  test.each([
    ['an idle connection', 'for await (const chunk of (await send(request)).body);'],
    [
      'an answer left early',
      "for await (const _ of (await send({ ...request, url: request.url + 'endless' })).body) break",
    ],
    ['a request given up', giveUp("request.url + 'never'")],
    ['a handshake given up', giveUp('process.env.MUTE')],
    ['a proxy given up', giveUp("'http://acme.test/'")],
  ])('is not delayed by %s', async (_, more) => {
    let reached = (): void => {}
    const port = await serve((request, response) => {
      response.setHeader('keep-alive', 'timeout=600')
      if (request.url === '/') response.end('x'.repeat(100))
      if (request.url === '/never') reached()
      if (request.url !== '/endless') return
      const write = (): void =>
        void (response.destroyed || response.write('x'.repeat(10_000), () => setImmediate(write)))
      write()
    })
    const held: Socket[] = []
    const mute = await listen(
      createSocketServer((socket) => {
        held.push(socket.on('error', () => {}))
        socket.once('data', () => reached())
      }),
    )
    const env = {
      URL: `http://127.0.0.1:${port}/`,
      MUTE: `https://127.0.0.1:${mute}/`,
      HTTP_PROXY: `127.0.0.1:${mute}`,
    }
    const leaver = runScript(leaving(more), env)
    reached = () => leaver.type('enough')
    expect(await leaver.ended).toEqual({ status: 0, stdout: 'done\n', stderr: '' })
    for (const socket of held) socket.destroy()
  })
})
