import { readFileSync } from 'node:fs'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { request as secureRequest } from 'node:https'
import { connect, createServer, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { afterEach, describe, expect, it } from 'vitest'
import { TransportError } from '../../src/model/errors.ts'
import type { Listening } from '../../src/model/integration.ts'
import { makeCertificate } from '../../src/node/certificate.ts'
import { judge } from '../../src/wire/callback.ts'
import { type Loopback, type LoopbackOptions, openLoopback, type StrayHit } from '../../src/wire/loopback.ts'
import { failurePage, type Page } from '../../src/wire/page.ts'

/** The loopback families of the machine that the tests run on. */
const families = (['127.0.0.1', '::1'] as const).filter((family) =>
  Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === family)),
)
const onBothFamilies = families.length === 2

const state = 'S-3f9a0b7c51d24e86'
const code = 'SplxlOBeZQQYbYS6WxSbIA'
const issuer = 'https://id.example'
const path = '/oauth/callback'
const good = `${path}?code=${code}&state=${state}`
const attempt = { provider: 'Zendesk', connection: 'zendesk', flow: '7k2m9q' }
const success: Page = { kind: 'success', attempt }

interface Opened extends Loopback {
  readonly strays: StrayHit[]
  readonly abort: AbortController
}

const opened: Loopback[] = []
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(opened.splice(0).map((loopback) => loopback.close()))
})

async function open(listening: Partial<Listening> = {}, options: Partial<LoopbackOptions> = {}): Promise<Opened> {
  const strays: StrayHit[] = []
  const abort = new AbortController()
  const loopback = await openLoopback(
    { port: 0, addresses: ['127.0.0.1', '::1'], paths: [path], ...listening },
    {
      judge: (params) => judge(params, { state, issuer }),
      onStray: (hit) => strays.push(hit),
      signal: abort.signal,
      ...options,
    },
  )
  opened.push(loopback)
  return { ...loopback, strays, abort }
}

interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

interface Call {
  readonly method?: string
  readonly host?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

function call(
  { port }: Loopback,
  target: string,
  { method, host = '127.0.0.1', headers, body }: Call = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      { host, port, path: target, method: method ?? (body === undefined ? 'GET' : 'POST'), agent: false, headers },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (chunk) => {
          text += chunk
        })
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }))
        answer.on('error', reject)
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** Bytes on the wire, and all that comes back until the other side closes. */
function raw({ port }: Loopback, text: string | Buffer, halfClose = false): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    sockets.push(socket)
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(answer))
    if (halfClose) socket.end(text)
    else socket.write(text)
  })
}

const form = { 'Content-Type': 'application/x-www-form-urlencoded' }

/** The callback that must succeed in the same run, whatever came before it. */
async function succeed(loopback: Loopback, target = good, how: Call = {}): Promise<Reply> {
  const reply = call(loopback, target, how)
  const { verdict } = await loopback.visit
  expect(verdict).toEqual({ kind: 'code', code })
  await loopback.answer(success)
  const { status, headers, body } = await reply
  expect(status).toBe(200)
  expect(body).toContain('Connected to <b>Zendesk</b>')
  expect(headers['connection']).toBe('close')
  return { status, headers, body }
}

describe('a stray hit gets an honest page, is told, and spoils nothing', () => {
  it.each<[string, string, Call, number, string]>([
    ['favicon', '/favicon.ico', {}, 404, 'other path'],
    ['another path with a good answer', `/other?code=${code}&state=${state}`, {}, 404, 'other path'],
    ['a path with one slash more', `${path}/?code=${code}&state=${state}`, {}, 404, 'other path'],
    ['a path with two slashes', `/${path}?code=${code}&state=${state}`, {}, 404, 'other path'],
    ['an encoded path', `/oauth/%63allback?code=${code}&state=${state}`, {}, 404, 'other path'],
    ['a path with dots', `/x/..${path}?code=${code}&state=${state}`, {}, 404, 'other path'],
    ['an absolute target', `http://127.0.0.1${good}`, {}, 404, 'other path'],
    ['HEAD', good, { method: 'HEAD' }, 405, 'method'],
    ['OPTIONS', good, { method: 'OPTIONS' }, 405, 'method'],
    ['PUT', good, { method: 'PUT' }, 405, 'method'],
    ['the path alone', path, {}, 400, 'no parameters'],
    ['the path with an empty query', `${path}?`, {}, 400, 'no parameters'],
    ['an empty form', path, { body: '', headers: form }, 400, 'no parameters'],
    ['a wrong state', `${path}?code=${code}&state=wrong`, {}, 400, 'state mismatch'],
    ['a valid code without state', `${path}?code=${code}`, {}, 400, 'state missing'],
    ['the state twice', `${good}&state=${state}`, {}, 400, 'state repeated'],
    ['a wrong iss', `${good}&iss=https://evil.example`, {}, 400, 'issuer mismatch'],
    [
      'a forged error',
      `${path}?error=<script>alert(1)</script>&error_description=%3Cscript%3E`,
      {},
      400,
      'state missing',
    ],
    ['a forged error with a guessed state', `${path}?error=access_denied&state=1`, {}, 400, 'state mismatch'],
    ['an evil Host', good, { headers: { Host: 'evil.example' } }, 403, 'foreign host'],
    ['our name at another port', good, { headers: { Host: 'localhost:1' } }, 403, 'foreign host'],
    ['our name without a port', good, { headers: { Host: 'localhost' } }, 403, 'foreign host'],
    ['an evil Host that begins like ours', good, { headers: { Host: 'localhost.evil.example' } }, 403, 'foreign host'],
    ['Sec-Purpose', good, { headers: { 'Sec-Purpose': 'prefetch;prerender' } }, 503, 'prefetch'],
    ['Purpose', good, { headers: { Purpose: 'prefetch' } }, 503, 'prefetch'],
    ['X-Purpose', good, { headers: { 'X-Purpose': 'preview' } }, 503, 'prefetch'],
    ['X-Moz', good, { headers: { 'X-Moz': 'prefetch' } }, 503, 'prefetch'],
    [
      'JSON',
      path,
      { body: `{"code":"${code}"}`, headers: { 'Content-Type': 'application/json' } },
      415,
      'body unusable',
    ],
    ['a body of no type', path, { body: `code=${code}&state=${state}` }, 415, 'body unusable'],
    ['a compressed form', path, { body: 'x', headers: { ...form, 'Content-Encoding': 'gzip' } }, 415, 'body unusable'],
    ['a huge form', path, { body: `state=${state}&code=${'x'.repeat(70_000)}`, headers: form }, 413, 'body unusable'],
    ['a form with a wrong state', path, { body: `code=${code}&state=wrong`, headers: form }, 400, 'state mismatch'],
    ['a form with an answer only in its address', good, { body: 'x=1', headers: form }, 400, 'state missing'],
  ])('%s', async (_, target, how, status, reason) => {
    const loopback = await open()
    const reply = await call(loopback, target, how)
    expect(reply.status).toBe(status)
    expect(reply.headers['connection']).toBe('close')
    expect(reply.headers['content-security-policy']).toContain("default-src 'none'")
    expect(reply.headers['cache-control']).toBe('no-store')
    expect(reply.body).not.toContain(state)
    expect(reply.body).not.toContain(code)
    expect(reply.body).not.toContain('alert(1)')
    expect(loopback.strays).toMatchObject([{ reason, method: how.method ?? (how.body === undefined ? 'GET' : 'POST') }])
    expect(JSON.stringify(loopback.strays)).not.toContain(state)
    expect(JSON.stringify(loopback.strays)).not.toContain(code)
    await succeed(loopback)
  })

  it('a missing Host, two Hosts and HTTP/1.0 without one', async () => {
    const loopback = await open()
    const host = `Host: 127.0.0.1:${loopback.port}`
    expect(await raw(loopback, `GET ${good} HTTP/1.1\r\n\r\n`)).toMatch(/^HTTP\/1.1 403 /)
    expect(await raw(loopback, `GET ${good} HTTP/1.1\r\n${host}\r\nHost: evil.example\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 403 /,
    )
    expect(await raw(loopback, `GET ${good} HTTP/1.0\r\n\r\n`)).toMatch(/^HTTP\/1.1 403 /)
    expect(loopback.strays.map((hit) => hit.reason)).toEqual(['foreign host', 'foreign host', 'foreign host'])
    await succeed(loopback)
  })

  it('a target that is a whole URL, and says so', async () => {
    const loopback = await open()
    await call(loopback, `http://127.0.0.1:${loopback.port}${good}`)
    expect(loopback.strays).toMatchObject([{ reason: 'other path', detail: 'the request target is not a path' }])
    await succeed(loopback)
  })

  it('a huge address', async () => {
    const loopback = await open()
    expect(await raw(loopback, `GET ${path}?code=${'x'.repeat(40_000)} HTTP/1.1\r\n`)).toMatch(/^HTTP\/1.1 431 /)
    expect(loopback.strays).toMatchObject([
      { reason: 'body unusable', detail: 'address and headers are larger than 32 KB' },
    ])
    await succeed(loopback)
  })

  it('what is no HTTP, and what is https', async () => {
    const loopback = await open()
    expect(await raw(loopback, 'hello\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /)
    await raw(loopback, Buffer.from('160301020001000001fc0303', 'hex'))
    expect(loopback.strays.map((hit) => hit.detail)).toEqual([
      'it is not HTTP',
      'it speaks https, and we listen for http',
    ])
    await succeed(loopback)
  })

  it('a request that is broken off in its body', async () => {
    const loopback = await open()
    const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${loopback.port}\r\nContent-Type: ${form['Content-Type']}\r\n`
    await raw(loopback, `${head}Content-Length: 100\r\n\r\ncode=${code}&state=${state}`, true)
    expect(loopback.strays.every((hit) => hit.reason === 'body unusable')).toBe(true)
    await succeed(loopback)
  })

  it('what is pipelined behind another request is not looked at', async () => {
    const loopback = await open()
    const host = `Host: 127.0.0.1:${loopback.port}`
    const answer = await raw(
      loopback,
      `GET /favicon.ico HTTP/1.1\r\n${host}\r\n\r\nGET ${good} HTTP/1.1\r\n${host}\r\n\r\nGET ${good} HTTP/1.1\r\n${host}\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1.1 404 /)
    expect(answer).not.toContain('HTTP/1.1 200')
    expect(loopback.strays.map((hit) => hit.reason)).toEqual(['other path', 'body unusable', 'body unusable'])
    await succeed(loopback)
  })

  it('silent and slow connections, a hundred of them', async () => {
    const loopback = await open()
    const idle = Array.from({ length: 100 }, (_, at) => {
      const socket = connect(loopback.port, '127.0.0.1')
      sockets.push(socket)
      if (at % 2 === 0) socket.write(`GET ${path}?co`)
      return new Promise((resolve) => socket.once('connect', resolve))
    })
    await Promise.all(idle)
    await succeed(loopback)
  })

  it('parameters over which the judge stumbles', async () => {
    const loopback = await open(
      {},
      {
        judge: (params) => {
          if (params.has('shop')) throw new TypeError(`cannot read ${params.get('shop')}`)
          return judge(params, { state })
        },
      },
    )
    expect((await call(loopback, `${good}&shop=x`)).status).toBe(400)
    expect(loopback.strays).toMatchObject([
      { reason: 'body unusable', detail: 'its parameters could not be judged (TypeError)' },
    ])
    await succeed(loopback)
  })

  it('all of them in one run', async () => {
    const loopback = await open()
    await Promise.all([
      call(loopback, '/favicon.ico'),
      call(loopback, good, { method: 'HEAD' }),
      call(loopback, path),
      call(loopback, `${path}?error=access_denied`),
      call(loopback, good, { headers: { Host: 'evil.example' } }),
      call(loopback, good, { headers: { 'Sec-Purpose': 'prefetch' } }),
      call(loopback, `${path}?code=x&state=wrong`, { host: families.at(-1) ?? '' }),
    ])
    expect(loopback.strays).toHaveLength(7)
    await succeed(loopback)
  })
})

describe('over https', () => {
  const names = ['localhost', '127.0.0.1', '::1']
  const certificate = makeCertificate({ names, from: new Date(Date.now() - 60_000), days: 2 })

  it.skipIf(!onBothFamilies)('the callback is answered on both families, and plain http is told from it', async () => {
    const loopback = await open({ secureHost: 'localhost' }, { certificate })
    const visitVia = (host: string) =>
      new Promise<number>((resolve, reject) => {
        const terms = { host, port: loopback.port, path: good, agent: false, ca: certificate.cert }
        const headers = { host: `localhost:${loopback.port}` }
        secureRequest({ ...terms, headers, servername: 'localhost' }, (answer) => {
          answer.resume().once('end', () => resolve(answer.statusCode ?? 0))
        })
          .on('error', reject)
          .end()
      })
    await expect(call(loopback, good)).rejects.toThrow()
    await expect(call(loopback, good)).rejects.toThrow()
    expect(loopback.strays).toEqual([
      { reason: 'body unusable', method: '?', path: '?', detail: 'it speaks http, and we listen for https' },
    ])
    const first = visitVia('127.0.0.1')
    expect((await loopback.visit).verdict).toEqual({ kind: 'code', code })
    await loopback.answer(success)
    expect(await first).toBe(200)
    expect(await visitVia('::1')).toBeGreaterThanOrEqual(400)
  })
})

describe('the callback', () => {
  it('is taken on either loopback family, under any loopback name', async () => {
    for (const host of families) {
      for (const name of ['localhost', 'LocalHost', '127.0.0.1', '[::1]']) {
        const loopback = await open()
        await succeed(loopback, good, { host, headers: { Host: `${name}:${loopback.port}` } })
      }
    }
  })

  it('is taken under the name that a tunnel keeps, default ports counting as none', async () => {
    for (const [foreignHost, host] of [
      ['app.example.com', 'app.example.com'],
      ['App.Example.com', 'app.example.com:443'],
      ['app.example.com:443', 'app.example.com'],
      ['app.example.com:8443', 'app.example.com:8443'],
    ] as const) {
      const loopback = await open({ foreignHost })
      expect((await call(loopback, good, { headers: { Host: 'evil.example' } })).status).toBe(403)
      expect((await call(loopback, good, { headers: { Host: `${foreignHost}:1` } })).status).toBe(403)
      await succeed(loopback, good, { headers: { Host: host } })
    }
  })

  it('is taken as a form POST, its parameters whole', async () => {
    const loopback = await open()
    const body = `code=${code}&state=${state}&user=${encodeURIComponent('{"name":"Zoë + 1"}')}`
    await succeed(loopback, path, {
      body,
      headers: { 'Content-Type': 'Application/X-WWW-Form-Urlencoded; charset=UTF-8' },
    })
    const { via, params } = await loopback.visit
    expect(via).toBe('POST')
    expect(params.get('user')).toBe('{"name":"Zoë + 1"}')
  })

  it('is taken from the address of a POST without a body, as a 308 forwards it', async () => {
    const loopback = await open()
    await succeed(loopback, `${good}&extra=1`, { method: 'POST' })
    const { via, params } = await loopback.visit
    expect([via, params.get('extra')]).toEqual(['POST', '1'])
  })

  it('is taken on each of several paths', async () => {
    const loopback = await open({ paths: [path, '/oauth-callback'] })
    await succeed(loopback, `/oauth-callback?code=${code}&state=${state}`)
  })

  it('is not answered before somebody knows what to say', async () => {
    const loopback = await open()
    let replied = false
    const reply = call(loopback, good).then((answer) => {
      replied = true
      return answer
    })
    await loopback.visit
    await call(loopback, '/favicon.ico')
    expect(replied).toBe(false)
    await loopback.answer(failurePage(new TransportError('TIMEOUT', 'Zendesk did not answer.'), attempt))
    expect((await reply).body).toContain('Zendesk did not answer.')
  })

  it('is answered even to a client that has closed its own side', async () => {
    const loopback = await open()
    const answer = raw(loopback, `GET ${good} HTTP/1.1\r\nHost: 127.0.0.1:${loopback.port}\r\n\r\n`, true)
    await loopback.visit
    await call(loopback, '/favicon.ico')
    await loopback.answer(success)
    expect(await answer).toMatch(/^HTTP\/1.1 200 /)
  })

  it.each([
    [
      'a denial',
      `${path}?error=access_denied&error_description=You+said+no&state=${state}`,
      { kind: 'denial', description: 'You said no' },
    ],
    ['an answer without a code', `${path}?state=${state}`, { kind: 'unusable' }],
  ])('that is %s ends the wait at once', async (_, target, verdict) => {
    const loopback = await open()
    const reply = call(loopback, target)
    expect((await loopback.visit).verdict).toMatchObject(verdict)
    await loopback.answer({ kind: 'failure', attempt, message: 'No.', who: 'You.' })
    expect((await reply).status).toBe(400)
  })

  it('counts once: a second delivery is turned away while the first is held and after it', async () => {
    const loopback = await open()
    const first = call(loopback, good)
    const visit = await loopback.visit
    const second = await call(loopback, good)
    expect([second.status, second.body]).toEqual([409, expect.stringContaining('Your answer has arrived')])
    const denial = await call(loopback, `${path}?error=access_denied&state=${state}`, { method: 'POST' })
    expect(denial.status).toBe(409)
    await loopback.answer(success)
    expect((await first).status).toBe(200)
    expect((await call(loopback, '/favicon.ico')).body).not.toContain('waiting')
    const third = await call(loopback, good)
    expect([third.status, third.body]).toEqual([409, expect.stringContaining('Already answered')])
    expect(loopback.strays.map((hit) => hit.reason)).toEqual([
      'already answered',
      'already answered',
      'other path',
      'already answered',
    ])
    expect(await loopback.visit).toBe(visit)
  })

  it.runIf(onBothFamilies)('counts once when it is delivered on both families in the same moment', async () => {
    const loopback = await open()
    const replies = [
      call(loopback, good),
      call(loopback, good, { host: '::1' }),
      call(loopback, path, { body: good.slice(path.length + 1), headers: form }),
    ]
    await loopback.visit
    await Promise.any(replies)
    await loopback.answer(success)
    const statuses = (await Promise.all(replies)).map((reply) => reply.status)
    expect(statuses.sort()).toEqual([200, 409, 409])
  })

  it('is done when its browser has gone before the answer', async () => {
    const loopback = await open()
    const socket = connect(loopback.port, '127.0.0.1')
    socket.write(`GET ${good} HTTP/1.1\r\nHost: 127.0.0.1:${loopback.port}\r\n\r\n`)
    await loopback.visit
    socket.resetAndDestroy()
    await call(loopback, '/favicon.ico')
    await loopback.answer(success)
    await loopback.close()
  })

  it('is turned away once the answer came another way', async () => {
    const loopback = await open()
    loopback.settle()
    await loopback.answer(success)
    expect((await call(loopback, good)).status).toBe(409)
    expect(loopback.strays).toMatchObject([{ reason: 'already answered' }])
  })

  it('leaves no secret in what is told of stray hits', async () => {
    const loopback = await open({}, { scrub: (text) => text.replaceAll(code, '…') })
    await call(loopback, `/${code}`)
    await call(loopback, `${path}?error=${code}`)
    expect(loopback.strays).toMatchObject([{ path: '/…' }, { detail: 'it claims the error "…"' }])
    await succeed(loopback)
  })

  it('leaves no secret in a page', async () => {
    const loopback = await open({}, { scrub: (text) => text.replaceAll(code, '…').replaceAll(state, '…') })
    const reply = call(loopback, good)
    await loopback.visit
    await loopback.answer({ kind: 'failure', attempt, message: `bad ${code}`, words: `bad ${state}`, who: 'You.' })
    expect((await reply).body).toContain('bad …')
    expect((await reply).body).not.toContain(code)
    expect((await reply).body).not.toContain(state)
  })
})

describe('the listener', () => {
  it.runIf(process.platform === 'linux' && onBothFamilies)('listens on literal loopback addresses only', async () => {
    const { port, addresses } = await open()
    expect(addresses).toEqual(['127.0.0.1', '::1'])
    const hex = port.toString(16).toUpperCase().padStart(4, '0')
    const listening = ['/proc/self/net/tcp', '/proc/self/net/tcp6']
      .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A' && fields[1]?.endsWith(`:${hex}`))
      .map((fields) => fields[1]?.split(':')[0])
    expect(listening).toEqual(['0100007F', '00000000000000000000000001000000'])
  })

  it.runIf(onBothFamilies)('listens on one family where one is asked for', async () => {
    const loopback = await open({ addresses: ['::1'] })
    expect(loopback.addresses).toEqual(['::1'])
    await expect(call(loopback, good)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await succeed(loopback, good, { host: '::1' })
  })

  it('refuses every connection after close', async () => {
    const loopback = await open()
    await succeed(loopback)
    await loopback.close()
    await loopback.close()
    for (const host of families) {
      await expect(call(loopback, good, { host })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    }
  })

  it('leaves no socket open at close, silent and half-sent ones included', async () => {
    const loopback = await open()
    const gone = [
      '',
      'GET /oau',
      `POST ${path} HTTP/1.1\r\nHost: localhost:${loopback.port}\r\nContent-Length: 9\r\n\r\nco`,
    ].map((text) => raw(loopback, text))
    await call(loopback, '/favicon.ico')
    await loopback.close()
    await Promise.all(gone)
    await expect(loopback.visit).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  it('lets a page that is on its way arrive when it is closed right after', async () => {
    const loopback = await open()
    const reply = call(loopback, good)
    await loopback.visit
    void loopback.answer(success)
    await loopback.close()
    expect((await reply).body).toContain('Connected to')
  })

  it('tells a held browser that the attempt has ended when it closes without an answer', async () => {
    const loopback = await open()
    const reply = call(loopback, good)
    await loopback.visit
    await loopback.close()
    expect(await reply).toMatchObject({ status: 503, body: expect.stringContaining('This attempt has ended') })
  })

  it('ends with the reason of its signal, and frees the port', async () => {
    const loopback = await open()
    const reason = new TransportError('TIMEOUT', 'Nobody came.')
    loopback.abort.abort(reason)
    await expect(loopback.visit).rejects.toBe(reason)
    await loopback.close()
    await expect(call(loopback, good)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('does not open under a signal that is aborted already', async () => {
    const reason = new TransportError('TIMEOUT', 'Too late.')
    await expect(open({}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it('opens on a free port each time, two at once', async () => {
    const [one, other] = await Promise.all([open(), open()])
    expect(one.port).not.toBe(other.port)
    await Promise.all([succeed(one), succeed(other)])
  })

  it.runIf(onBothFamilies).each(families)(
    'does not open on half of localhost: the port is taken on %s',
    async (address) => {
      const holder = createServer().listen(0, address)
      await new Promise((resolve) => holder.once('listening', resolve))
      const { port } = holder.address() as { readonly port: number }
      await expect(open({ port })).rejects.toMatchObject({
        code: 'PORT_IN_USE',
        exitCode: 5,
        message: `Port ${port} on ${address} is already in use.`,
        hint: expect.stringContaining('--port'),
      })
      const free = address === '::1' ? '127.0.0.1' : '::1'
      expect((await open({ port, addresses: [free] })).port).toBe(port)
      await new Promise((resolve) => holder.close(resolve))
    },
  )

  it('does not open beside a listener on all addresses', async () => {
    const holder = createServer().listen(0, '0.0.0.0')
    await new Promise((resolve) => holder.once('listening', resolve))
    const { port } = holder.address() as { readonly port: number }
    await expect(open({ port })).rejects.toMatchObject({ code: 'PORT_IN_USE' })
    await new Promise((resolve) => holder.close(resolve))
  })
})
