import { once } from 'node:events'
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  callback,
  type FarProvider,
  openFarProvider,
  type Received,
  type Reply,
  visit,
} from '../support/far-provider.ts'
import { failureOf, newPerson, type Person, type Running } from '../support/person.ts'

interface Home {
  readonly person: Person
  readonly far: FarProvider
  /** Answers to come, by path; where there is none the far provider answers well. */
  readonly replies: Map<string, Reply[]>
}

const bearer = (number: number): string => `Bearer access-${number}-bWFueSBsZXR0ZXJz`

/** A connection called `far` in a home of its own. */
async function connected(...fields: string[]): Promise<Home> {
  const replies = new Map<string, Reply[]>()
  const far = await openFarProvider(({ path }: Received) => replies.get(path)?.shift())
  const person = newPerson()
  person.write('auth-cli.yaml', far.project(...fields))
  const flow = person.start(['connect', 'far', '--client-id', 'x', '--port', '0'], { env: { BROWSER: 'true' } })
  await visit(callback(await flow.url(), { code: 'c0de' }))
  expect((await flow.ended).status).toBe(0)
  return { person, far, replies }
}

describe.concurrent('token', () => {
  it('is renewed for a call whose own headers are no credential', async () => {
    const { person, far, replies } = await connected('  headers: { x-version: "1" }')
    replies.set('/api/x', [{ status: 401, body: {} }])
    expect((await person.run(['request', 'far', '/x', '-H', 'X-Version: 2'])).status).toBe(0)
    expect(far.received.at(-1)?.headers).toMatchObject({ 'x-version': '2', authorization: bearer(2) })
  })

  it('knows what was meant by a name that nearly is one', async () => {
    const { person } = await connected()
    const { status, stderr } = await person.run(['token', 'fra'])
    expect([status, stderr]).toEqual([
      2,
      expect.stringContaining('There is no connection called "fra". Did you mean far?'),
    ])
  })

  it('is alone on stdout, or the whole header, or JSON', async () => {
    const { person, far } = await connected()
    expect(await person.run(['token', 'far'])).toEqual({
      status: 0,
      stdout: 'access-1-bWFueSBsZXR0ZXJz\n',
      stderr: '',
    })
    expect((await person.run(['token', 'far', '--header'])).stdout).toBe(`Authorization: ${bearer(1)}\n`)
    expect(JSON.parse((await person.run(['token', 'far', '--json'])).stdout)).toMatchObject({
      accessToken: 'access-1-bWFueSBsZXR0ZXJz',
      tokenType: 'bearer',
    })
    expect(far.received).toHaveLength(1)
    const unknown = await person.run(['token', 'fra', '--json'])
    expect([unknown.status, unknown.stdout, failureOf(unknown).code]).toEqual([2, '', 'UNKNOWN_CONNECTION'])
  })

  it('is renewed first where it would live too short, and the old refresh token stays where none comes', async () => {
    const { person, far, replies } = await connected()
    replies.set('/token', [
      { body: { access_token: 'a-younger-access-token', token_type: 'bearer', expires_in: 9000 } },
    ])
    expect((await person.run(['token', 'far', '--min-validity', '60'])).stdout).toBe('access-1-bWFueSBsZXR0ZXJz\n')
    expect((await person.run(['token', 'far', '--min-validity', '7200'])).stdout).toBe('a-younger-access-token\n')
    expect((await person.run(['token', 'far', '--min-validity', '7200'])).stdout).toBe('a-younger-access-token\n')
    expect(far.received).toHaveLength(2)
    expect(far.tokenForm().get('refresh_token')).toBe('refresh-1-bWFueSBsZXR0ZXJz')
    await person.run(['refresh', 'far', '--force'])
    expect(far.tokenForm().get('refresh_token')).toBe('refresh-1-bWFueSBsZXR0ZXJz')
    for (const bad of ['x', '-1', '1.5'])
      expect((await person.run(['token', 'far', `--min-validity=${bad}`])).status).toBe(2)
  })

  it('ends with 4 where the provider refuses, with 5 where the road ends, with 6 where the file is corrupt', async () => {
    const { person, replies, far } = await connected()
    const failed = async (...words: string[]) => {
      const ended = await person.run([...words, '--json'])
      expect(ended.stdout).toBe('')
      return [ended.status, failureOf(ended).code, typeof failureOf(ended).flow]
    }
    replies.set('/token', [
      { status: 503, body: {} },
      { status: 400, body: { error: 'invalid_grant' } },
    ])
    expect((await failed('token', 'far', '--min-validity', '7200'))[0]).toBe(4)
    expect(await failed('refresh', 'far', '--force')).toEqual([4, 'INVALID_GRANT', 'string'])
    expect(JSON.parse((await person.run(['inspect', 'far', '--json'])).stdout).lastError.code).toBe('INVALID_GRANT')
    const silent = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const folder = join(person.home, 'connections')
    const [name = ''] = readdirSync(folder).filter((file) => file.includes('far'))
    const file = join(folder, name)
    const { port } = silent.address() as { port: number }
    const text = readFileSync(file, 'utf8')
      .replaceAll(`:${far.port}`, `:${port}`)
      .replaceAll('"final": true', '"final": false')
    writeFileSync(file, text)
    const [status, code] = await failed('refresh', 'far', '--force')
    silent.close()
    expect([status, code]).toEqual([5, expect.any(String)])
    writeFileSync(file, text.slice(0, 100))
    expect((await failed('token', 'far')).slice(0, 2)).toEqual([6, 'STORE_CORRUPT'])
  })
})

describe.concurrent('request', () => {
  it("takes curl's letters", async () => {
    const { person, far } = await connected()
    const seen = async (...words: string[]): Promise<Received> => {
      const ended = await person.run(['request', 'far', ...words])
      expect([words, ended.status]).toEqual([words, 0])
      const last = far.received.at(-1)
      if (last === undefined) throw new Error('nothing arrived')
      return last
    }
    expect(await seen('/things?a=b&c=d%20e')).toMatchObject({ method: 'GET', path: '/api/things' })
    expect(far.received.at(-1)?.headers.authorization).toBe(bearer(1))
    expect(far.received.at(-1)?.query.get('c')).toBe('d e')
    expect(await seen(`${far.origin}/api/whole`)).toMatchObject({ path: '/api/whole' })
    expect(await seen('x', '-X', 'delete', '-H', 'X-One: 1', '-H', 'Accept: text/plain')).toMatchObject({
      method: 'DELETE',
      path: '/api/x',
      headers: { 'x-one': '1', accept: 'text/plain' },
    })
    expect(await seen('/x', '-d', 'a=1', '-d', 'b=2')).toMatchObject({
      method: 'POST',
      body: 'a=1&b=2',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    person.write('body.json', '{"from":"a file"}')
    expect(await seen('/x', '-X', 'PUT', '-d', '@body.json', '-H', 'content-type: application/json')).toMatchObject({
      method: 'PUT',
      body: '{"from":"a file"}',
      headers: { 'content-type': 'application/json' },
    })
    const stdin = await person.run(['api', 'far', '/x', '-d', '@-'], { input: '{"from":"stdin"}' })
    expect(JSON.parse(stdin.stdout)).toMatchObject({ method: 'POST', body: '{"from":"stdin"}' })
    const before = far.received.length
    for (const words of [['@not-there'], ['@.'], ['a=1', '-d', '@not-there']]) {
      const ended = await person.run(['request', 'far', '/x', '-d', ...words])
      expect({ status: ended.status, stderr: ended.stderr }).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(/names the file .* cannot be read/),
      })
    }
    expect(far.received).toHaveLength(before)
  })

  it('prints the body and nothing else; with -i the head first; with -o into a file', async () => {
    const { person, replies } = await connected()
    replies.set('/api/x', [
      { headers: { 'content-type': 'text/plain', 'x-one': '1' }, body: 'plain words' },
      { headers: { 'content-type': 'text/plain', 'x-one': '1' }, body: 'plain words' },
      { headers: { 'content-type': 'text/plain' }, body: 'plain words' },
    ])
    expect(await person.run(['request', 'far', '/x'])).toEqual({ status: 0, stdout: 'plain words', stderr: '' })
    expect((await person.run(['request', 'far', '/x', '-i'])).stdout).toMatch(
      /^HTTP\/1\.1 200 OK\r\n[\s\S]*x-one: 1\r\n[\s\S]*\r\n\r\nplain words$/,
    )
    expect((await person.run(['request', 'far', '/x', '-o', 'out.txt'])).stdout).toBe('')
    expect(readFileSync(join(person.cwd, 'out.txt'), 'utf8')).toBe('plain words')
  })

  it('prints the body of a refusal and ends with 4', async () => {
    const { person, replies } = await connected()
    const reply = { status: 403, body: { error: 'not yours' } }
    replies.set('/api/x', [reply, reply])
    const ended = await person.run(['request', 'far', '/x', '--json'])
    expect([ended.status, ended.stdout, failureOf(ended).code]).toEqual([4, '{"error":"not yours"}', 'HTTP_403'])
    expect((await person.run(['request', 'far', '/x'])).stderr).toMatch(/403[\s\S]*logs show \w{8}/)
  })

  it('renews after a 401 and tries once more, once', async () => {
    const { person, far, replies } = await connected()
    const refusal = { status: 401, body: { error: 'expired' } }
    replies.set('/api/x', [refusal])
    const { status, stdout } = await person.run(['request', 'far', '/x', '-d', 'a=1'])
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ authorization: bearer(2), body: 'a=1' })
    replies.set('/api/x', [refusal, refusal, refusal])
    const before = far.received.length
    expect((await person.run(['request', 'far', '/x'])).status).toBe(4)
    expect(far.received.slice(before).map(({ path }) => path)).toEqual(['/api/x', '/token', '/api/x'])
  })

  it('sends nothing to another origin, and follows no redirect', async () => {
    const { person, far, replies } = await connected()
    const thief = await openFarProvider()
    const before = far.received.length
    for (const url of [
      `${thief.origin}/x`,
      `http://127.0.0.1:${thief.port}@127.0.0.1:${thief.port}/x`,
      `http://localhost:${far.port}/x`,
      'file:///etc/passwd',
    ]) {
      const ended = await person.run(['request', 'far', url, '--json'])
      expect([url, ended.status, ended.stdout, failureOf(ended).code]).toEqual([url, 2, '', 'OTHER_ORIGIN'])
    }
    expect(far.received).toHaveLength(before)
    replies.set('/api/x', [{ status: 302, headers: { location: `${thief.origin}/taken` }, body: 'moved' }])
    const moved = await person.run(['request', 'far', '/x', '-i'])
    expect([moved.status, moved.stdout.includes(`${thief.origin}/taken`)]).toEqual([0, true])
    for (const path of [`//127.0.0.1:${thief.port}/x`, `/\\127.0.0.1:${thief.port}/x`, `@127.0.0.1:${thief.port}/`])
      await person.run(['request', 'far', path])
    expect(thief.received).toEqual([])
  })

  it('refuses what is no method, no header', async () => {
    const { person } = await connected()
    for (const bad of [
      ['-X', 'GET /x HTTP/1.1'],
      ['-H', 'no colon'],
      ['-H', 'Bad Name: x'],
    ]) {
      const ended = await person.run(['request', 'far', '/x', ...bad, '--json'])
      expect([ended.status, ended.stdout, failureOf(ended).code]).toEqual([2, '', 'BAD_FLAG'])
    }
  })
})

describe.concurrent('logs', () => {
  it('list the latest flows by provider, connection, state and age, and tell one of them', async () => {
    const { person, replies } = await connected()
    replies.set('/api/x', [{ status: 500, body: {} }])
    await person.run(['request', 'far', '/x'])
    const list = async (...words: string[]): Promise<string[]> =>
      JSON.parse((await person.run(['logs', '--json', ...words])).stdout).map(
        ({ deed, state }: { deed: string; state: string }) => `${deed} ${state}`,
      )
    expect(await list()).toEqual(['request failed', 'connect success'])
    expect(await list('-n', '1')).toEqual(['request failed'])
    expect(await list('--state', 'success')).toEqual(['connect success'])
    expect(await list('--provider', 'far', '--connection', 'far', '--since', '10m')).toHaveLength(2)
    expect(await list('--provider', 'other')).toEqual([])
    expect(await list('--since', '2999-01-01')).toEqual([])
    for (const bad of [
      ['--state', 'odd'],
      ['--since', 'soon'],
      ['-n', '0'],
    ])
      expect((await person.run(['logs', ...bad])).status).toBe(2)
    const [, { id }] = JSON.parse((await person.run(['logs', '--json'])).stdout)
    const told = await person.run(['logs', 'show', id])
    expect(told.stdout).toMatch(/^\s+connect far\s+\S\s+success/)
    for (const part of [/authorization request/, /callback/, /POST 127\.0\.0\.1:\d+\/token/, /200 OK/])
      expect(told.stdout).toMatch(part)
    expect(JSON.parse((await person.run(['logs', 'show', id, '--json'])).stdout)[0].type).toBe('flow.started')
    expect((await person.run(['logs', 'show', 'nothere1'])).status).toBe(2)
    expect((await person.run(['logs', 'clear', '--yes'])).status).toBe(0)
    expect(await list()).toEqual([])
  })

  /** Follows, and calls the API until that is seen: then nothing later can be missed. */
  async function follow(person: Person, ...words: string[]): Promise<Running> {
    const following = person.start(['logs', ...words, '--json'])
    for (let pokes = 0; pokes < 30 && !following.stdout().includes('flow.ended'); pokes++)
      await person.run(['request', 'far', '/poke'])
    return following
  }

  it('-f tells the flows of other processes, as the segment changes under them', async () => {
    const { person } = await connected()
    const following = await follow(person, '-f')
    const poked = following.stdout()
    const folder = join(person.home, 'logs')
    const flow = person.start(['connect', 'far', '--port', '0'], { env: { BROWSER: 'true' } })
    const url = await flow.url()
    await following.shows(/"type":"authorization\.requested"/)
    const [segment = ''] = readdirSync(folder)
    appendFileSync(join(folder, segment), `${' '.repeat(10_000_000)}\n`)
    await visit(callback(url, { code: 'c0de' }))
    expect((await flow.ended).status).toBe(0)
    await following.shows(/"type":"connection\.saved"[\s\S]*"type":"flow\.ended"/)
    expect(readdirSync(folder)).toHaveLength(2)
    await person.run(['request', 'far', '/x'])
    await following.shows(/"type":"connection\.saved"[\s\S]*"deed":"request"[\s\S]*"type":"flow\.ended"/)
    following.child.kill('SIGINT')
    const { stdout } = await following.ended
    const events = stdout.slice(poked.length).trimEnd().split('\n')
    const types = events.map((line) => JSON.parse(line).type)
    expect(types.slice(types.indexOf('answers.collected') - 1)).toEqual([
      ...['flow.started', 'answers.collected', 'listener.opened', 'authorization.requested', 'browser.opened'],
      ...['callback.received', 'exchange', 'connection.saved', 'flow.ended', 'flow.started', 'exchange', 'flow.ended'],
    ])
  })

  it('tail and --follow are -f', async () => {
    const { person } = await connected()
    for (const word of ['tail', '--follow']) {
      const following = await follow(person, word)
      following.child.kill('SIGINT')
      await following.ended
      expect(following.stderr()).toBe('')
    }
  })

  it('are kept nowhere with AUTH_CLI_LOGS=off', async () => {
    const { person } = await connected()
    await person.run(['logs', 'clear', '--yes'])
    await person.run(['request', 'far', '/x'], { env: { AUTH_CLI_LOGS: 'off' } })
    expect((await person.run(['logs', '--json'])).stdout).toBe('[]\n')
  })
})

describe.concurrent('on a terminal', () => {
  it('what is missing is asked for, by the rules of the template, the secret unseen', async () => {
    const person = newPerson()
    const flow = person.startOnTerminal(['connect', 'zendesk', '--dry-run'])
    await flow.shows(/Subdomain/)
    flow.type('not valid!\r')
    await flow.shows(/valid!/)
    flow.type('\x15https://acme.zendesk.com\r')
    await flow.shows(/Client ID/)
    flow.type('demo_app\r')
    await flow.shows(/Client secret/)
    flow.type('typed-in-secret\r')
    const { status, stdout } = await flow.ended
    expect(status).toBe(0)
    expect(stdout).toContain('https://acme.zendesk.com/oauth/authorizations/new?response_type=code&client_id=demo_app')
    expect(stdout).not.toContain('typed-in-secret')
  })

  it('Ctrl-C at a question is 130', async () => {
    const flow = newPerson().startOnTerminal(['connect', 'zendesk', '--subdomain', 'acme'])
    await flow.shows(/Client ID/)
    flow.type('\x03')
    expect((await flow.ended).status).toBe(130)
  })
})
