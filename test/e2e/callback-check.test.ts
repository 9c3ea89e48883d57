import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { runCli } from '../support/cli.ts'
import { freshFolder } from '../support/disk.ts'
import { freePort } from '../support/person.ts'

type Forward = (request: IncomingMessage, response: ServerResponse, target: string) => void

/** A redirect URL of one's own on a port of its own, and the port that it should forward to. */
async function forwarder(forward: Forward) {
  const port = await freePort()
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    forward(request, response, `http://localhost:${port}/oauth/callback`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  onTestFinished(() => server.closeAllConnections())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/oauth-callback`
  const check = async (more: readonly string[] = [], at = url) => {
    const home = freshFolder()
    const words = ['callback', 'check', at, '--port', String(port), ...more]
    const { status, stdout, stderr } = await runCli([...words, '--json'], { home })
    return {
      status,
      stderr,
      report: stdout === '' ? undefined : JSON.parse(stdout),
      plain: () => runCli(words, { home }),
    }
  }
  return { url, port, seen, check }
}

const query = ({ url = '' }: IncomingMessage): string => (url.includes('?') ? url.slice(url.indexOf('?')) : '')
const answering =
  (status: number): Forward =>
  (request, response, target) =>
    void response.writeHead(status, { location: target + query(request) }).end()
/** A header holds bytes; what is not ASCII goes out as UTF-8. */
const asBytes = (text: string): string => Buffer.from(text).toString('latin1')
const rewriting =
  (change: (params: URLSearchParams) => string): Forward =>
  (request, response, target) =>
    void response
      .writeHead(308, { location: asBytes(`${target}?${change(new URLSearchParams(query(request)))}`) })
      .end()
const fates = (report: { get: { parameters: { name: string; fate: string }[] } }, fate: string) =>
  report.get.parameters.filter((one) => one.fate === fate).map(({ name }) => name)

describe('callback check', () => {
  it('is content with a 308 that keeps everything, for GET and for a form POST', async () => {
    const { check, url, port } = await forwarder(answering(308))
    const { status, stderr, report, plain } = await check()
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(report).toMatchObject({
      url,
      forwardsTo: `http://localhost:${port}/oauth/callback`,
      verdict: 'good',
      errors: [],
      warnings: [],
      get: { method: 'GET', status: 308, way: 'redirect', faults: [] },
      post: { method: 'POST', status: 308, way: 'redirect', faults: [] },
    })
    expect(fates(report, 'intact')).toEqual(report.get.parameters.map(({ name }: { name: string }) => name))
    expect(report.get.parameters).toEqual(
      expect.arrayContaining([
        { name: 'item', sent: ['one', 'two'], arrived: ['one', 'two'], fate: 'intact' },
        { name: 'name', sent: ['Jürgen ✓'], arrived: ['Jürgen ✓'], fate: 'intact' },
        { name: 'plus', sent: ['1+1'], arrived: ['1+1'], fate: 'intact' },
        { name: 'path', sent: ['a/b%2Fc'], arrived: ['a/b%2Fc'], fate: 'intact' },
        { name: 'empty', sent: [''], arrived: [''], fate: 'intact' },
      ]),
    )
    const screen = await plain()
    expect(screen.status).toBe(0)
    expect(screen.stdout).toMatch(/forwards as it must[\s\S]*plus +1\+1 +1\+1 +intact/)
    expect(screen.stdout).toContain(`return 308 http://localhost:${port}/oauth/callback$is_args$args;`)
  })

  it.each([
    [301, 4, 'broken', /301 is kept by browsers for ever/],
    [302, 4, 'broken', /302 turns a form POST into a GET/],
    [303, 4, 'broken', /303 always turns into a GET/],
    [307, 0, 'works', /307 keeps everything but is called temporary/],
  ])('tells a %d from a 308', async (code, status, verdict, words) => {
    const ended = await (await forwarder(answering(code))).check()
    expect([ended.status, ended.report.verdict]).toEqual([status, verdict])
    expect([...ended.report.errors, ...ended.report.warnings].join('\n')).toMatch(words)
    expect(ended.report.get.hops).toMatchObject([{ status: code }])
    expect(fates(ended.report, 'missing')).toEqual([])
    const isKept = code === 307
    expect(ended.report.post.faults.length === 0).toBe(isKept)
    if (status !== 0) expect(JSON.parse(ended.stderr).error).toMatchObject({ code: 'CALLBACK_BROKEN' })
  })

  it.each<[string, (params: URLSearchParams) => string, Record<string, string[]>]>([
    [
      'drops what it does not know',
      (all) => `code=${encodeURIComponent(all.get('code') ?? '')}&state=${all.get('state')}`,
      { missing: ['scope', 'name', 'path', 'plus', 'item', 'sign', 'empty'], changed: [] },
    ],
    [
      'decodes once too often, so that a # cuts the rest off',
      (all) => [...all].map(([key, value]) => `${key}=${value}`).join('&'),
      { missing: ['empty'], changed: expect.arrayContaining(['plus', 'sign', 'path']) as never },
    ],
    [
      'encodes once more',
      (all) => [...all].map(([key, value]) => `${key}=${encodeURIComponent(encodeURIComponent(value))}`).join('&'),
      { missing: [], changed: expect.arrayContaining(['scope', 'name', 'path']) as never },
    ],
    [
      'keeps the last of a repeated name',
      (all) => new URLSearchParams(Object.fromEntries(all)).toString(),
      { missing: [], changed: ['item'] },
    ],
    [
      'drops what is empty',
      (all) => new URLSearchParams([...all].filter(([, value]) => value !== '')).toString(),
      { missing: ['empty'], changed: [] },
    ],
  ])('shows what a forwarder does that %s', async (_, change, expected) => {
    const { status, report } = await (await forwarder(rewriting(change))).check()
    expect([status, report.verdict]).toEqual([4, 'broken'])
    expect({ missing: fates(report, 'missing'), changed: fates(report, 'changed') }).toEqual(expected)
  })

  it('does not mind that the query is spelled otherwise, and tells what was added', async () => {
    const spelled = await (await forwarder(rewriting((all) => all.toString()))).check()
    expect([spelled.status, spelled.report.verdict]).toEqual([0, 'good'])
    const added = await (await forwarder(rewriting((all) => `${all}&from=proxy`))).check()
    expect([added.status, added.report.verdict, fates(added.report, 'added')]).toEqual([0, 'works', ['from']])
  })

  it('keeps the query that the URL itself has', async () => {
    const { check, url, seen } = await forwarder(answering(308))
    const { status, report } = await check([], `${url}?tenant=a%20b`)
    expect([status, fates(report, 'missing')]).toEqual([0, []])
    expect(report.get.parameters).toContainEqual({ name: 'tenant', sent: ['a b'], arrived: ['a b'], fate: 'intact' })
    expect(seen[0]).toMatch(/^GET \/oauth-callback\?tenant=a%20b&code=/)
  })

  it('takes a tunnel, which passes the request on itself', async () => {
    const port = await freePort()
    const tunnel: Forward = (incoming, response) => {
      const { method, url, headers } = incoming
      const onward = request({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500)
        answer.pipe(response)
      })
      incoming.pipe(onward)
    }
    const { check } = await forwarder(tunnel)
    const { status, report } = await check(['--port', String(port)])
    expect([status, report.verdict, report.get.way, report.post.way]).toEqual([0, 'good', 'tunnel', 'tunnel'])
  })

  it('follows nobody to another host', async () => {
    const other = await forwarder((_, response) => void response.end())
    const elsewhere = other.url.replace('127.0.0.1', 'localhost')
    const { check } = await forwarder((incoming, response) => {
      response.writeHead(308, { location: incoming.url?.startsWith('/oauth-callback') ? elsewhere : '/' }).end()
    })
    const { status, report } = await check()
    expect([status, report.get.way]).toEqual([4, 'nowhere'])
    expect(report.errors.join()).toMatch(/it forwards to port \d+ of this machine, and auth-cli listens on \d+/)
    expect(other.seen).toEqual([])
    const far = await (
      await forwarder((_, response) => void response.writeHead(308, { location: 'https://evil.example/x' }).end())
    ).check()
    expect(far.report.errors.join()).toContain('it sends the browser to evil.example, which was not followed')
  })

  it.each<[string, Forward, RegExp]>([
    ['is not there', (_, response) => void response.writeHead(404).end(), /there is nothing at this address \(404\)/],
    ['wants a login', (_, response) => void response.writeHead(401).end(), /it wants a login first/],
    ['fails', (_, response) => void response.writeHead(502).end(), /the server failed \(502\)/],
    ['answers itself', (_, response) => void response.end('hello'), /it answered 200 itself and forwarded nothing/],
    [
      'moves on by a page',
      (_, response) => void response.end('<meta http-equiv="refresh" content="0;url=http://localhost">'),
      /with a page that moves on by itself/,
    ],
    [
      'turns in circles',
      (incoming, response) => void response.writeHead(308, { location: incoming.url }).end(),
      /redirects more than 5 times/,
    ],
    [
      'says nothing of where',
      (_, response) => void response.writeHead(308).end(),
      /it answered 308 without a Location/,
    ],
    [
      'speaks https to us',
      (_, response, target) => void response.writeHead(308, { location: target.replace('http:', 'https:') }).end(),
      /it forwards to https on this machine/,
    ],
    [
      'means another path',
      (incoming, response, target) =>
        void response.writeHead(308, { location: target.replace('/oauth/callback', '/cb') + query(incoming) }).end(),
      /it arrives at \/cb, and connect listens at \/oauth\/callback/,
    ],
  ])('says what is wrong with a URL that %s', async (_, forward, words) => {
    const { status, report, stderr } = await (await forwarder(forward)).check()
    expect([status, report.verdict]).toEqual([4, 'broken'])
    expect(report.errors.join('\n')).toMatch(words)
    expect(JSON.parse(stderr).error.code).toBe('CALLBACK_BROKEN')
  })

  it('refuses before it sends: no URL, an impossible one, our own place, a port that is taken', async () => {
    const { url, port, check, seen } = await forwarder(answering(308))
    const missing = await runCli(['callback', 'check', '--json'])
    expect([missing.status, JSON.parse(missing.stderr).error.code]).toEqual([2, 'MISSING_INPUT'])
    for (const bad of ['ftp://x', 'nonsense', 'https://u@x.example/', 'https://x.example/#a'])
      expect((await runCli(['callback', 'check', bad])).status).toBe(2)
    expect((await check([], `http://localhost:${port}/oauth/callback`)).status).toBe(2)
    const own = new URL(url).port
    const taken = await check(['--port', own], `${url.replace(own, String(port))}`)
    expect([taken.status, JSON.parse(taken.stderr).error.code]).toEqual([5, 'PORT_IN_USE'])
    expect(seen).toEqual([])
  })

  it('says which road is broken where nobody answers', async () => {
    const port = await freePort()
    const { check } = await forwarder(answering(308))
    const { status, stderr } = await check([], `http://127.0.0.1:${port}/x`)
    expect([status, JSON.parse(stderr).error.code]).toEqual([5, 'UNREACHABLE'])
  })

  it('checks what the preferences hold where no URL is given', async () => {
    const { url, port } = await forwarder(answering(308))
    const home = freshFolder()
    await runCli(['config', 'set', 'callback-url', url], { home })
    const { status, stdout } = await runCli(['callback', 'check', '--port', String(port)], { home })
    expect([status, stdout.includes(`${url} forwards as it must`)]).toEqual([0, true])
  })
})

describe('the forwarders beside the table', () => {
  it('do what the table asks for: the one for Express passes the check itself', async () => {
    let express = ''
    const { port, check } = await forwarder((incoming, response) => {
      if (express === '') return void response.end()
      type Handler = (request: object, response: object) => void
      const all = (path: string, handler: Handler): void => {
        expect(incoming.url?.split('?')[0]).toBe(path)
        const redirect = (status: number, location: string) => response.writeHead(status, { location }).end()
        handler({ originalUrl: incoming.url }, { redirect })
      }
      new Function('app', express)({ all })
    })
    const { report } = await check()
    expect(report.verdict).toBe('broken')
    express = report.forwarders.express
    expect((await check()).report).toMatchObject({ verdict: 'good', warnings: [] })
    expect(report.forwarders.nginx).toBe(
      `location = /oauth-callback {\n  return 308 http://localhost:${port}/oauth/callback$is_args$args;\n}`,
    )
  })
})
