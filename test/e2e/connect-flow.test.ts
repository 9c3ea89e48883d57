import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createSecureServer, get as secureGet } from 'node:https'
import { type AddressInfo, connect as connectSocket, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { describe, expect, it, vi } from 'vitest'
import { foundAuthority } from '../support/certificates.ts'
import {
  callback,
  type FarProvider,
  openFarProvider,
  type Received,
  type Reply,
  visit,
} from '../support/far-provider.ts'
import { failureOf, freePort, type Invocation, newPerson, type Person, type Running } from '../support/person.ts'

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))
const client = ['--client-id', 'far-id', '--client-secret', 'env:FAR']
const env = { BROWSER: 'true', FAR: 'a-secret-of-the-far-app' }

interface Held {
  readonly person: Person
  readonly far: FarProvider
  readonly flow: Running
  readonly url: URL
}

/** A flow that has opened its (blind) browser and waits. */
async function hold(
  words: readonly string[] = [],
  { fields = [], reply, how = {} }: Wishes = {},
  person = newPerson(),
): Promise<Held> {
  const far = await openFarProvider(reply)
  person.write('auth-cli.yaml', far.project(...fields))
  const flow = person.start(['connect', 'far', ...client, '--port', '0', ...words], { env, ...how })
  return { person, far, flow, url: await flow.url() }
}

interface Wishes {
  readonly fields?: readonly string[]
  readonly reply?: (received: Received, count: number) => Reply | undefined
  readonly how?: Invocation
}

async function flows({ run }: Person) {
  return JSON.parse((await run(['logs', '--json'])).stdout)
}

async function story({ run }: Person) {
  return JSON.parse((await run(['logs', 'show', 'last', '--json'])).stdout)
}

function portOf(url: URL): number {
  return Number(new URL(url.searchParams.get('redirect_uri') ?? '').port)
}

async function listens(port: number, host = '127.0.0.1'): Promise<boolean> {
  const socket = connectSocket({ port, host })
  const answered = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'error').then(() => false),
  ]).catch(() => false)
  socket.destroy()
  return answered
}

describe.concurrent('the answer of the browser', () => {
  it('arrives as a form POST too', async () => {
    const { flow, url, person, far } = await hold(['--json'])
    const { searchParams } = callback(url, { code: 'p0st' })
    const target = new URL(url.searchParams.get('redirect_uri') ?? '')
    const page = await visit(target, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: far.origin },
      body: searchParams.toString(),
    })
    expect(page).toMatchObject({ status: 200 })
    expect(page.body).toContain('Far')
    const { status, stdout } = await flow.ended
    expect([status, JSON.parse(stdout).name]).toEqual([0, 'far'])
    expect(far.tokenForm().get('code')).toBe('p0st')
    expect((await story(person)).find(({ type }: { type: string }) => type === 'callback.received').via).toBe('POST')
  })

  it.skipIf(!hasIpv6)('is taken on both loopback families, at the same port', async () => {
    for (const address of ['127.0.0.1', '::1']) {
      const { flow, url, far } = await hold()
      expect([await listens(portOf(url), '127.0.0.1'), await listens(portOf(url), '::1')]).toEqual([true, true])
      const other = await visit(callback(url, { state: 'wrong', code: 'x' }), {
        address: address === '::1' ? '127.0.0.1' : '::1',
      })
      expect(other.status).toBe(400)
      await visit(callback(url, { code: 'c0de' }), { address })
      expect((await flow.ended).status).toBe(0)
      expect(far.tokenForm().get('code')).toBe('c0de')
    }
  })

  it('is told from every stray hit, none of which ends the wait', async () => {
    const { flow, url, person, far } = await hold(['-v'])
    const good = callback(url, { code: 'c0de' })
    const at = (path: string): URL => new URL(path, good)
    const without = (name: string, params: Record<string, string>): URL => {
      const one = callback(url, params)
      one.searchParams.delete(name)
      return one
    }
    const twice = callback(url, { code: 'x' })
    twice.searchParams.append('state', 'y')
    const strays: [string, () => ReturnType<typeof visit>][] = [
      ['other path', () => visit(at('/favicon.ico'))],
      ['method', () => visit(good, { method: 'HEAD' })],
      ['method', () => visit(good, { method: 'PUT' })],
      ['prefetch', () => visit(good, { headers: { 'sec-purpose': 'prefetch' } })],
      ['no parameters', () => visit(at('/oauth/callback'))],
      ['state mismatch', () => visit(callback(url, { code: 'x', state: 'wrong' }))],
      ['state missing', () => visit(without('state', { code: 'x' }))],
      ['state missing', () => visit(without('state', { error: 'access_denied' }))],
      ['state mismatch', () => visit(callback(url, { error: 'access_denied', state: 'wrong' }))],
      ['state repeated', () => visit(twice)],
      ['other path', () => visit(at(`/oauth/callback/${good.search}`))],
      ['foreign host', () => visit(good, { headers: { host: 'evil.example' } })],
      [
        'body unusable',
        () =>
          visit(at('/oauth/callback'), { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }),
      ],
    ]
    for (const [, stray] of strays) expect((await stray()).status).not.toBe(302)
    expect(far.received).toEqual([])
    const answers = await Promise.all([visit(good), visit(good)])
    expect(answers.map(({ status }) => status)).toContain(200)
    const { status, stderr } = await flow.ended
    expect(status).toBe(0)
    expect(stderr).toMatch(/Ignored a visit that is not the answer: state mismatch/)
    const told = (await story(person)).filter(({ type }: { type: string }) => type === 'callback.ignored')
    expect(told.map(({ reason }: { reason: string }) => reason)).toEqual([
      ...strays.map(([reason]) => reason),
      'already answered',
    ])
    expect(far.received.filter(({ path }) => path === '/token')).toHaveLength(1)
  })

  it('must come from the issuer, where it is known', async () => {
    const far = await openFarProvider(({ path }) =>
      path.startsWith('/.well-known')
        ? {
            body: {
              issuer: far.origin,
              authorization_endpoint: `${far.origin}/authorize`,
              token_endpoint: `${far.origin}/token`,
              authorization_response_iss_parameter_supported: true,
            },
          }
        : undefined,
    )
    const person = newPerson()
    person.write('auth-cli.yaml', far.project(`issuer: ${far.origin}`))
    const flow = person.start(['connect', 'far', ...client, '--port', '0', '-v'], { env })
    const url = await flow.url()
    await flow.shows(/\.well-known/)
    expect((await visit(callback(url, { code: 'x', iss: 'https://evil.example' }))).status).toBe(400)
    expect((await visit(callback(url, { error: 'access_denied', iss: 'https://evil.example' }))).status).toBe(400)
    await visit(callback(url, { code: 'c0de', iss: far.origin }))
    expect((await flow.ended).status).toBe(0)
    expect(far.tokenForm().get('code')).toBe('c0de')
  })

  it('that denies ends the run at once, in the words of the provider', async () => {
    const { flow, url, person, far } = await hold(['--json'])
    const page = await visit(
      callback(url, { error: 'access_denied', error_description: 'Not <b>today</b>\x1b[31m, thank you' }),
    )
    expect(page.body).toContain('Not &#60;b&#62;today&#60;/b&#62;, thank you')
    const ended = await flow.ended
    expect([ended.status, ended.stdout, failureOf(ended).code]).toEqual([4, '', 'ACCESS_DENIED'])
    expect(failureOf(ended).flow).toMatch(/^\w{8}$/)
    expect(ended.stderr).not.toContain('\x1b')
    expect(far.received).toEqual([])
    expect((await person.run(['connections', '--json'])).stdout).toBe('[]\n')
    expect((await flows(person))[0]).toMatchObject({ state: 'failed', error: { code: 'ACCESS_DENIED' } })
    const human = await hold()
    await visit(callback(human.url, { error: 'access_denied', error_description: 'Not today, thank you' }))
    expect((await human.flow.ended).stderr).toMatch(/access_denied[\s\S]*Not today, thank you[\s\S]*logs show \w{8}/)
  })

  it('is told the truth only after the exchange: a refusal shows in the browser as well', async () => {
    const { flow, url } = await hold(['--json'], {
      reply: ({ path }) =>
        path === '/token'
          ? { status: 401, body: { error: 'invalid_client', error_description: 'unknown client' } }
          : undefined,
    })
    const page = await visit(callback(url, { code: 'c0de' }))
    expect(page.body).toContain('unknown client')
    const ended = await flow.ended
    expect([ended.status, failureOf(ended).code]).toEqual([4, 'INVALID_CLIENT'])
  })
})

describe.concurrent('the wait', () => {
  it('ends at --timeout with status 5, and nothing listens any more', async () => {
    const { flow, url, person } = await hold(['--timeout', '15', '--json'])
    await visit(callback(url, { code: 'x', state: 'wrong' }))
    const ended = await flow.ended
    expect([ended.status, ended.stdout, failureOf(ended).code]).toEqual([5, '', 'TIMEOUT'])
    expect(await listens(portOf(url))).toBe(false)
    expect((await flows(person))[0]).toMatchObject({ state: 'timeout', error: { code: 'TIMEOUT' } })
  })

  it('ends when the preferences say, with the browser that they name', async () => {
    const person = newPerson()
    const browser = person.write('browser.sh', `echo "$1" > '${person.cwd}/opened'\n`)
    await person.run(['config', 'set', 'timeout', '1'])
    await person.run(['config', 'set', 'browser', `sh ${browser} %s`])
    const { flow, url } = await hold(['--json'], { how: { env: { FAR: env.FAR } } }, person)
    const ended = await flow.ended
    expect([ended.status, failureOf(ended).code]).toEqual([5, 'TIMEOUT'])
    expect(readFileSync(`${person.cwd}/opened`, 'utf8')).toBe(`${url.href}\n`)
  })

  it('ends with Ctrl-C and status 130, and nothing listens any more', async () => {
    const { flow, url, person } = await hold(['--json'])
    flow.child.kill('SIGINT')
    const ended = await flow.ended
    expect([ended.status, ended.stdout, failureOf(ended).code]).toEqual([130, '', 'CANCELLED'])
    expect(await listens(portOf(url))).toBe(false)
    expect((await flows(person))[0]).toMatchObject({ state: 'cancelled' })
  })

  it('ends with Ctrl-C on a terminal too, while a paste is awaited', async () => {
    const [person, far] = [newPerson(), await openFarProvider()]
    person.write('auth-cli.yaml', far.project())
    const flow = person.startOnTerminal(
      ['connect', 'far', '--no-browser', '--client-id', 'id', '--port', '0', '--client-secret', 'env:FAR'],
      { env },
    )
    await flow.shows(/Waiting for you at Far/)
    flow.type('\x03')
    expect((await flow.ended).status).toBe(130)
    expect((await flows(person))[0]).toMatchObject({ state: 'cancelled' })
  })

  it('that was killed is shown as ended', async () => {
    const { flow, person } = await hold()
    expect((await flows(person))[0]).toMatchObject({ state: 'running' })
    flow.child.kill('SIGKILL')
    await flow.ended
    expect((await flows(person))[0]).toMatchObject({ state: 'cancelled', abandoned: true })
    expect((await person.run(['logs'])).stdout).toMatch(/far\s+cancelled/)
    expect((await person.run(['logs', 'show', 'last'])).stdout).toMatch(/connect far\s+\S+\s+cancelled/)
    expect(await person.run(['logs', '--state', 'running', '--json'])).toMatchObject({ stdout: '[]\n' })
  })

  it('does not begin where a port is taken on either family', async () => {
    for (const [host, uri] of [
      ['127.0.0.1', undefined],
      ...(hasIpv6 ? [['::1', undefined] as const] : []),
      ['127.0.0.1', 'http://127.0.0.1'],
    ] as const) {
      const squatter = createServer().listen(0, host)
      await once(squatter, 'listening')
      const { port } = squatter.address() as AddressInfo
      const [person, far] = [newPerson(), await openFarProvider()]
      person.write('auth-cli.yaml', far.project())
      const browser = person.write('browser.sh', `echo opened > '${person.cwd}/opened'`)
      const where = uri === undefined ? ['--port', `${port}`] : ['--callback-url', `${uri}:${port}/cb`]
      const ended = await person.run(['connect', 'far', ...client, ...where, '--json'], {
        env: { ...env, BROWSER: `sh ${browser}` },
      })
      expect([ended.status, failureOf(ended).code, ended.stdout]).toEqual([5, 'PORT_IN_USE', ''])
      expect(failureOf(ended).message).toContain(`${port}`)
      expect(() => readFileSync(`${person.cwd}/opened`)).toThrow('ENOENT')
      squatter.close()
    }
  })
})

describe.concurrent('the address that a person opens', () => {
  const recorder = (person: Person): string =>
    person.write('record.sh', `#!/bin/sh\nfor word; do printf '%s\\n' "$word"; done > '${person.cwd}/words'\n`)
  const recorded = (person: Person): Promise<string[]> =>
    vi.waitFor(
      () => {
        const text = readFileSync(`${person.cwd}/words`, 'utf8')
        expect(text).toMatch(/response_type.*\n/)
        return text.trimEnd().split('\n')
      },
      { timeout: 10_000 },
    )

  it.each([
    ['$BROWSER, the URL last', (file: string) => ({ env: { BROWSER: `sh ${file} --new-window 'two words'` } }), 2],
    ['$BROWSER, the URL in place of %s', (file: string) => ({ env: { BROWSER: `sh "${file}" a%s b` } }), 0],
    ['$BROWSER where CI is set', (file: string) => ({ env: { BROWSER: `sh ${file} $HOME ;id`, CI: 'true' } }), 2],
    [
      '--browser before $BROWSER',
      (file: string) => ({ env: { BROWSER: 'false' }, words: ['--browser', `sh ${file} x`] }),
      1,
    ],
    [
      '--browser over SSH',
      (file: string) => ({ env: { SSH_CONNECTION: '1 2 3 4' }, words: ['--browser', `sh ${file} x`] }),
      1,
    ],
  ])('is given to %s', async (_, given, place) => {
    const person = newPerson()
    const { env: more, words = [] } = given(recorder(person)) as { env: Record<string, string>; words?: string[] }
    const { flow, url } = await hold(words, { how: { env: { FAR: env.FAR, ...more } } }, person)
    const opened = await recorded(person)
    expect(opened[place]?.replace(/^a(?=http)/, '')).toBe(url.href)
    if (place === 2) expect(opened).toHaveLength(3)
    if (opened[0] === '$HOME') expect(opened[1]).toBe(';id')
    await visit(callback(url, { code: 'c0de' }))
    expect((await flow.ended).status).toBe(0)
  })

  it('is shown where the browser fails, at once or later, and the wait goes on', async () => {
    for (const browser of ['/no/such/browser', 'false']) {
      const { flow, url } = await hold([], { how: { env: { ...env, BROWSER: browser } } })
      if (browser === 'false') await flow.shows(/The browser ended with a failure/)
      else expect(flow.stderr()).toMatch(/No browser was opened: There is no command called \/no\/such\/browser/)
      await visit(callback(url, { code: 'c0de' }))
      expect((await flow.ended).status).toBe(0)
    }
  })

  it('is never hidden by -q, alone on its line', async () => {
    for (const how of [{ env }, { env: { FAR: env.FAR } }]) {
      const { flow, url } = await hold(['-q'], { how })
      expect(flow.stderr().trim().split('\n')).toEqual([url.href])
      await visit(callback(url, { code: 'c0de' }))
      const { stdout, status } = await flow.ended
      expect([status, stdout]).toEqual([0, expect.stringContaining('saved as "far"')])
    }
  })

  it('is only shown with --no-browser, with CI, without a terminal, and the end of stdin ends nothing', async () => {
    for (const [words, more, says] of [
      [['--no-browser'], { BROWSER: 'false' }, 'No browser is opened, as you asked.'],
      [[], { CI: '1' }, 'CI is set, so no browser is opened.'],
      [[], {}, 'There is no terminal, so no browser is opened.'],
    ] as const) {
      const { flow, url } = await hold(words, { how: { env: { FAR: env.FAR, ...more }, input: 'not a paste\n' } })
      expect(flow.stderr()).toContain(says)
      await visit(callback(url, { code: 'c0de' }))
      expect((await flow.ended).status).toBe(0)
    }
  })

  it('comes with the ready ssh -L line over SSH', async () => {
    const [person, far] = [newPerson(), await openFarProvider()]
    person.write('auth-cli.yaml', far.project())
    const flow = person.startOnTerminal(['connect', 'far', ...client, '--port', '0'], {
      env: { FAR: env.FAR, SSH_CONNECTION: '10.0.0.1 1 10.0.0.2 22', DISPLAY: ':0' },
    })
    const url = await flow.url()
    const port = portOf(url)
    expect(flow.stdout()).toMatch(new RegExp(`ssh -L ${port}:localhost:${port} \\S+@\\S+`))
    await flow.shows(/paste the address you land on/)
    await visit(callback(url, { code: 'c0de' }))
    expect((await flow.ended).status).toBe(0)
  })
})

describe.concurrent('a paste', () => {
  async function onTerminal(...words: string[]): Promise<Omit<Held, 'url'> & { url: URL }> {
    const [person, far] = [newPerson(), await openFarProvider()]
    person.write('auth-cli.yaml', far.project())
    const flow = person.startOnTerminal(['connect', 'far', ...client, '--port', '0', '--no-browser', ...words], { env })
    const url = await flow.url()
    await flow.shows(/Waiting for you at Far/)
    return { person, far, flow, url }
  }

  it('of the whole address is taken while we listen; another state, junk and the wrong address are not', async () => {
    const { flow, url, person, far } = await onTerminal()
    flow.type(`${callback(url, { code: 'x', state: 'wrong' }).href}\r`)
    await flow.shows(/state mismatch/)
    flow.type(`${url.href}\r`)
    await flow.shows(/the address you were sent to/)
    expect(await listens(portOf(url))).toBe(true)
    flow.type(`${callback(url, { code: 'pasted-code' }).href}\r`)
    const { status, stdout } = await flow.ended
    expect(status).toBe(0)
    expect(far.tokenForm().get('code')).toBe('pasted-code')
    expect(stdout).not.toContain('pasted-code')
    const told = await story(person)
    expect(told.find(({ type }: { type: string }) => type === 'callback.received').via).toBe('paste')
  })

  it('loses to a browser that is first', async () => {
    const { flow, url, far } = await onTerminal()
    flow.type('half of someth')
    await visit(callback(url, { code: 'c0de' }))
    expect((await flow.ended).status).toBe(0)
    expect(far.tokenForm().get('code')).toBe('c0de')
  })

  it('of a bare code is taken with PKCE and a word about it, and not without', async () => {
    const { flow, far } = await onTerminal()
    flow.type('bare-code-1234\r')
    const { status, stdout } = await flow.ended
    expect([status, far.tokenForm().get('code')]).toEqual([0, 'bare-code-1234'])
    expect(stdout).toMatch(/bare code does not show/)
    const without = await onTerminal('--no-pkce')
    without.flow.type('bare-code-1234\r')
    await without.flow.shows(/taken only with PKCE/)
    without.flow.type(`${callback(without.url, { code: 'whole' }).href}\r`)
    expect((await without.flow.ended).status).toBe(0)
    expect(without.far.tokenForm().get('code')).toBe('whole')
  })
})

describe.concurrent("a callback URL of one's own", () => {
  it('is sent in both requests, forwards to us with every parameter, and the terminal says where to', async () => {
    const person = newPerson()
    const port = await freePort()
    const { key, cert } = foundAuthority(person.cwd).issue('localhost', 'DNS:localhost')
    const forwarder = createSecureServer({ key, cert }, (request, response) => {
      const { search } = new URL(request.url ?? '', 'https://localhost')
      response.writeHead(308, { location: `http://localhost:${port}/oauth/callback${search}` }).end()
    }).listen(0, '127.0.0.1')
    await once(forwarder, 'listening')
    const own = `https://localhost:${(forwarder.address() as AddressInfo).port}/oauth-callback`
    const fields = ['redirect_uri_metadata: [account]']
    const { flow, url, far } = await hold(['--port', `${port}`, '--callback-url', own, '--json'], { fields }, person)
    expect(url.searchParams.get('redirect_uri')).toBe(own)
    expect(flow.stderr()).toMatch(/must forward/)
    expect(flow.stderr()).toContain(`from  ${own}`)
    expect(flow.stderr()).toContain(`to    http://localhost:${port}/oauth/callback`)
    const sent = callback(url, { code: 'c0de', account: 'a&b=ü', extra: '1' })
    const [answer] = await once(secureGet(sent, { rejectUnauthorized: false, agent: false }), 'response')
    answer.resume()
    expect(answer.statusCode).toBe(308)
    await visit(new URL(answer.headers.location))
    const { status, stdout } = await flow.ended
    forwarder.close()
    expect(status).toBe(0)
    expect(far.tokenForm().get('redirect_uri')).toBe(own)
    expect(JSON.parse(stdout).params).toMatchObject({ account: 'a&b=ü' })
  })

  it('may be a tunnel that keeps its Host and its path; any other Host stays out', async () => {
    const { flow, url, far } = await hold(['--callback-url', 'https://me.tunnel.example/deep/cb', '--port', '0', '-v'])
    const port = Number((await flow.shows(/\b127\.0\.0\.1:(\d+)/))[1])
    const arriving = callback(url, { code: 'c0de' })
    expect((await visit(arriving, { port, headers: { host: 'evil.example' } })).status).not.toBe(200)
    await visit(arriving, { port, headers: { host: 'me.tunnel.example' } })
    expect((await flow.ended).status).toBe(0)
    expect(far.tokenForm().get('redirect_uri')).toBe('https://me.tunnel.example/deep/cb')
  })

  it('is kept in the preferences', async () => {
    const person = newPerson()
    await person.run(['config', 'set', 'callback-url', 'https://me.tunnel.example/cb'])
    const { flow, url } = await hold([], {}, person)
    expect(url.searchParams.get('redirect_uri')).toBe('https://me.tunnel.example/cb')
    flow.child.kill('SIGINT')
    await flow.ended
  })
})

describe.concurrent('the end', () => {
  it('warns of scopes not granted, of no refresh token, of no expiry', async () => {
    const { flow, url } = await hold(['--scope', 'read,write'], {
      reply: ({ path }) =>
        path === '/token'
          ? { body: { access_token: 'only-this-one-token', token_type: 'bearer', scope: 'read' } }
          : undefined,
    })
    await visit(callback(url, { code: 'c0de' }))
    const { status, stderr, stdout } = await flow.ended
    expect(status).toBe(0)
    expect(stderr).toMatch(/Far granted read; you asked for read, write/)
    expect(stderr).toMatch(/no refresh token/)
    expect(stderr).toMatch(/did not say when the token expires/)
    expect(stdout).toMatch(/scopes\s+read\s+\(missing: write\)/)
    expect(stdout + stderr).not.toContain('only-this-one-token')
  })

  it.each(['--print', '--no-save'])(
    'with %s prints the connection with its secrets and saves nothing',
    async (flag) => {
      const { flow, url, person } = await hold([flag, '--as', 'mine'])
      await visit(callback(url, { code: 'c0de' }))
      const { status, stdout } = await flow.ended
      expect(status).toBe(0)
      expect(JSON.parse(stdout)).toMatchObject({
        name: 'mine',
        credential: { accessToken: 'access-1-bWFueSBsZXR0ZXJz', refreshToken: 'refresh-1-bWFueSBsZXR0ZXJz' },
      })
      expect((await person.run(['connections', '--json'])).stdout).toBe('[]\n')
    },
  )

  it('with -v shows each exchange, masked; with --json the masked connection and nothing else on stdout', async () => {
    const { flow, url } = await hold(['-v', '--json', '--tag', 'team=a', '--as', 'ünï/../x'])
    await visit(callback(url, { code: 'the-code-itself' }))
    const { status, stdout, stderr } = await flow.ended
    expect(status).toBe(0)
    expect(stderr).toMatch(/POST http:\/\/127\.0\.0\.1:\d+\/token/)
    expect(JSON.parse(stdout)).toMatchObject({ name: 'ünï/../x', tags: { team: 'a' }, credential: { masked: true } })
    for (const secret of ['the-code-itself', 'access-1-bWFueSBsZXR0ZXJz', 'refresh-1-bWFueSBsZXR0ZXJz', env.FAR])
      expect(stdout + stderr).not.toContain(secret)
  })
})
