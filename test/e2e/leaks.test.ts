import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { faults, openSandbox } from '../../src/sandbox/index.ts'
import { type CliEnd, followerEnv, runCli } from '../support/cli.ts'
import { freshFolder } from '../support/disk.ts'
import {
  type Hit,
  openProvider,
  type Reply,
  type Script,
  type ScriptedProvider,
  templateOf,
} from '../support/provider.ts'
import { journalOf, leaksIn, maskIn, publicFilesOf, secretsCrossed, waysToWrite } from '../support/secrets.ts'

const oddSecret = `S:%+/ü-"\\&=<'> x`

/** A home and a project with the template `acme` in it; every command's output is kept. */
function stage(provider: ScriptedProvider, fields: Readonly<Record<string, unknown>> = {}) {
  const home = freshFolder()
  const cwd = freshFolder()
  const visits = path.join(freshFolder(), 'visits')
  writeFileSync(visits, '')
  writeFileSync(path.join(cwd, 'auth-cli.yaml'), templateOf(provider.origin, fields))
  const outputs: { command: string; end: CliEnd }[] = []
  const run = async (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliEnd> => {
    const surroundings = { home, cwd, env: { ...followerEnv({ log: visits }), SECRET: oddSecret, ...env } }
    const end = await runCli(args, surroundings)
    outputs.push({ command: args.join(' '), end })
    return end
  }
  const connect = (...more: string[]): Promise<CliEnd> =>
    run(['connect', 'acme', '--client-id', 'app', '--client-secret', 'env:SECRET', '--port', '0', ...more])
  const secrets = (clientSecret = oddSecret): Map<string, string> => {
    const crossed = secretsCrossed(provider.hits, provider.answers)
    for (const [, code = '', state = ''] of readFileSync(visits, 'utf8').matchAll(
      /[?&]code=([^&"]+)&state=([^&"]+)/g,
    )) {
      crossed.set(code, 'code').set(state, 'state')
    }
    return crossed.set(clientSecret, 'client secret')
  }
  return { home, outputs, run, connect, secrets }
}

type Stage = ReturnType<typeof stage>

/** What stderr says but for the one URL that the person must open, which stands alone on its line. */
function withoutUrlToOpen(stderr: string): string {
  return stderr.replace(/^http:\/\/\S+\/authorize\?\S+$/m, '')
}

/** `printsTokens`: commands whose stdout is the secret that was asked for. */
function expectNoLeak({ home, outputs, secrets }: Stage, printsTokens = /^$/, known = secrets()): void {
  expect(known.size).toBeGreaterThan(1)
  const texts = outputs.flatMap(({ command, end }) => [
    [`stderr of ${command}`, withoutUrlToOpen(end.stderr)] as const,
    [`stdout of ${command}`, printsTokens.test(command) ? '' : end.stdout] as const,
  ])
  const files = publicFilesOf(home).map(({ file, text }) => [file, text] as const)
  const leaks = [...texts, ...files].map(([where, text]) => [where, leaksIn(text, known)] as const)
  expect(Object.fromEntries(leaks.filter(([, found]) => found.length > 0))).toEqual({})
}

/** The journal is no proof of silence unless it does tell of the secret, by its mask. */
function expectMasked({ home, secrets }: Stage, ...kinds: string[]): void {
  const journal = journalOf(home)
  const known = [...secrets()]
  const untold = kinds.filter(
    (kind) => !known.some(([secret, what]) => what === kind && journal.includes(maskIn(home, secret))),
  )
  expect(untold).toEqual([])
}

describe('a run that goes well', () => {
  it('tells of every secret by its mask only, whichever way the client proves itself', async () => {
    const provider = await openProvider({ tokens: { id_token: unsignedIdToken(), scope: 'read' } })
    const run = stage(provider)
    const ends = await Promise.all([
      run.connect('--as', 'post', '-v'),
      run.connect('--as', 'basic', '--client-auth', 'basic', '-v'),
      run.connect('--as', 'raw', '--client-auth', 'basic-raw', '--json'),
      run.connect('--as', 'both', '--client-auth', 'basic+post'),
    ])
    expect(ends.map(({ status, stderr }) => [status, status === 0 ? '' : stderr])).toEqual(Array(4).fill([0, '']))
    await run.run(['refresh', 'post', '--force', '-v'])
    await run.run(['request', 'post', '/api', '-v', '--log-bodies', '-d', '{"password":"hunter2hunter2"}'])
    await run.run(['logs'])
    await run.run(['logs', '--json'])
    await run.run(['logs', 'show', 'last', '-v'])
    await run.run(['inspect', 'post'])
    await run.run(['inspect', 'post', '--json'])
    await run.run(['connections', 'list', '--json'])
    await run.run(['token', 'post'])
    await run.run(['inspect', 'post', '--reveal'])
    await run.connect('--print')
    await run.run(['connect', 'acme', '--as', 'post', '--dry-run'])
    expectNoLeak(run, /^token |--reveal|--print/)
    expectMasked(run, 'client secret', 'code', 'state', 'code_verifier', 'Authorization')
    expectMasked(run, 'access_token', 'refresh_token', 'id_token')
    expect(journalOf(run.home)).not.toContain('hunter2hunter2')
  })

  it('carries, reads on and gives up without a word of them', async () => {
    const provider = await openProvider({
      routes: {
        '/revoke': ({ form }) => ({ body: { was: form.get('token') } }),
        '/list': ({ headers }) => ({
          body: [],
          headers: { link: '</list?page=2>; rel=next', 'x-was': headers.authorization ?? '' },
        }),
      },
    })
    const run = stage(provider, { revocation_url: `${provider.origin}/revoke` })
    await run.connect()
    const { stdout } = await run.run(['export', 'acme'])
    const file = path.join(freshFolder(), 'acme.json')
    writeFileSync(file, stdout)
    const ends = [
      await run.run(['import', file, '--as', 'two', '-v']),
      await run.run(['import', file, '--as', 'three', '--json']),
      await run.run([
        'integrations',
        'add',
        'kept',
        '--provider',
        'acme',
        '--client-id',
        'app',
        '--client-secret',
        'env:SECRET',
      ]),
      await run.run(['integrations', 'show', 'kept', '--json']),
      await run.run(['integrations', 'check', 'acme', '--json', '--trust-project']),
      await run.run(['connections', 'rename', 'two', 'four', '--json']),
      await run.run(['request', 'four', '/list', '--paginate', '-v', '--log-bodies']),
      await run.run(['revoke', 'four', '-v']),
      await run.run(['inspect', 'four', '--json', '--reveal']),
      await run.run(['connections', 'delete', 'three', '--revoke', '--yes', '-v']),
      await run.run(['import', file, '--as', 'acme', '--json']),
      await run.run(['logs', '--json']),
      await run.run(['logs', 'show', 'last', '-v', '--json']),
    ]
    expect(ends.filter(({ stderr }) => /This is a bug|"BUG"/.test(stderr))).toEqual([])
    expect(ends.map(({ status }) => status)).toEqual([0, 0, 0, 0, expect.any(Number), 0, 0, 0, 0, 0, 2, 0, 0])
    expectNoLeak(run, /^export /)
    expectMasked(run, 'access_token', 'refresh_token', 'client secret')
  })

  it('shows tokens and nothing else of a secret where somebody asks for them', async () => {
    const provider = await openProvider()
    const run = stage(provider)
    await run.connect()
    const { stdout } = await run.run(['inspect', 'acme', '--reveal', '--json'])
    expect(JSON.parse(stdout).credential.accessToken).toMatch(/^access-/)
    expect(leaksIn(stdout, new Map([[oddSecret, 'client secret']]))).toEqual([])
  })

  it('masks a token that stands where only the template knows it', async () => {
    const opaque = 'tok_2hFh9sKq0Zx1mNv8'
    const provider = await openProvider({
      routes: { '/token': () => ({ body: { data: { bearerValue: opaque } } }) },
    })
    const run = stage(provider, { alternate_access_token_response_path: 'data.bearerValue' })
    expect((await run.connect('-v')).status).toBe(0)
    expectNoLeak(run, undefined, run.secrets().set(opaque, 'access_token'))
    expect(journalOf(run.home)).toContain(maskIn(run.home, opaque))
  })
})

describe('a provider that says back what it was told', () => {
  it.each(echoes())('%s', async (_, reply) => {
    const provider = await openProvider({ routes: { '/token': reply } })
    const run = stage(provider)
    const ends = await Promise.all([
      run.connect('--as', 'a', '-v'),
      run.connect('--as', 'b', '--json', '--client-auth', 'basic'),
    ])
    for (const { stderr } of ends) expect(stderr).not.toMatch(/This is a bug|"BUG"/)
    await run.run(['logs', 'show', 'last', '-v'])
    expectNoLeak(run)
    expectMasked(run, 'client secret', 'code', 'state', 'code_verifier', 'Authorization')
  })

  it('in the way back, with our state in its words', async () => {
    const provider = await openProvider({
      routes: {
        '/authorize': ({ query }) => {
          const state = query.get('state') ?? ''
          const back = new URL(query.get('redirect_uri') ?? '')
          back.searchParams.set('state', state)
          back.searchParams.set('error', 'access_denied')
          back.searchParams.set('error_description', `no, ${state} (${Buffer.from(state).toString('base64')})`)
          back.searchParams.set('error_uri', `https://acme.test/?was=${state}`)
          return { status: 302, headers: { location: back.href } }
        },
      },
    })
    const run = stage(provider)
    const end = await run.connect()
    expect(end.status).toBe(4)
    expect((await run.connect('--json')).status).toBe(4)
    expectNoLeak(run)
    expectMasked(run, 'state')
  })

  it('in visits that are not the answer', async () => {
    const provider = await openProvider()
    const run = stage(provider)
    const strays = [
      { url: '{callback}&state=again' },
      { method: 'PUT', url: '{callback}' },
      { url: '{callback}', headers: { host: 'evil.test' } },
      { url: '/elsewhere?{callback}' },
    ]
    const end = await run.run(
      ['connect', 'acme', '--client-id', 'app', '--client-secret', 'env:SECRET', '--port', '0', '-v'],
      followerEnv({ strays }),
    )
    expect(end.status).toBe(0)
    expectNoLeak(run)
    expect(journalOf(run.home)).toContain('callback.ignored')
  })

  it('at the API, with the token in headers and body', async () => {
    const echo: Script = ({ headers }) => {
      const token = headers.authorization?.slice('Bearer '.length) ?? ''
      return {
        status: 403,
        headers: {
          'www-authenticate': `Bearer error="insufficient_scope", error_description="no ${token}"`,
          'x-debug': `got=${Buffer.from(token).toString('base64')}`,
          location: `/again?x=${token}`,
        },
        body: { you: `sent ${token}`, nested: { deep: [token] } },
      }
    }
    const provider = await openProvider({ routes: { '/api': echo } })
    const run = stage(provider)
    await run.connect()
    const end = await run.run(['request', 'acme', '/api?access_token=12345678abc', '-v', '--log-bodies'])
    expect(end.status).toBe(4)
    const json = await run.run(['request', 'acme', '/api', '--json', '-i'])
    expect(json.status).toBe(4)
    expectNoLeak(run, /^request /)
    expect(journalOf(run.home)).not.toContain('12345678abc')
    expectMasked(run, 'access_token')
  })

  it('when it refuses to renew, in what is saved of the refusal and shown of it later', async () => {
    const provider = await openProvider({
      routes: {
        '/token': ({ form }) =>
          form.get('grant_type') === 'refresh_token'
            ? {
                status: 400,
                body: {
                  error: 'invalid_grant',
                  error_description: `spent: ${form.get('refresh_token')} ${form.get('client_secret')}`,
                },
              }
            : {
                body: {
                  access_token: 'access-0123456789abcdef',
                  token_type: 'Bearer',
                  expires_in: 3600,
                  refresh_token: 'refresh-0123456789abcdef',
                },
              },
      },
    })
    const run = stage(provider)
    await run.connect()
    for (const args of [
      ['refresh', 'acme', '--force'],
      ['refresh', 'acme', '--force', '--json'],
      ['inspect', 'acme'],
      ['inspect', 'acme', '--json'],
      ['connections'],
      ['connections', 'list', '--json'],
    ])
      await run.run(args)
    expect(JSON.parse(run.outputs.at(-1)?.end.stdout ?? '')[0].lastError.words).toContain('spent:')
    expectNoLeak(run)
  })
})

it('never tells a secret whatever goes wrong in the sandbox', async () => {
  const sandbox = await openSandbox({ clients: [{ id: 'app', secret: oddSecret }] })
  const provider = await openProvider({ upstream: sandbox.origin })
  const run = stage(provider, { issuer: sandbox.origin })
  const jobs = faults.map(({ name, at }, index) => async (): Promise<void> => {
    const waits = /state|iss|hanging|missing-code|fragment/.test(name)
    const how = index % 2 === 0 ? '-v' : '--json'
    await run.connect(
      '--as',
      name,
      '--auth-param',
      `fault=${name}`,
      '--scope',
      'read,offline_access',
      how,
      ...(waits ? ['--timeout', '2'] : []),
    )
    if (at === 'refresh') await run.run(['refresh', name, '--force', how])
    if (at === 'api') await run.run(['request', name, '/api/me', '-v', '--log-bodies'])
  })
  await inTurns(jobs, 6)
  await sandbox.close()
  await run.run(['logs', '-n', '200', '--json'])
  const codes = journalOf(run.home).matchAll(/"type":"flow.ended","state":"(\w+)"[^\n]*?(?:"code":"(\w+)"|\n)/g)
  const seen = new Set([...codes].map(([, state, code]) => code ?? state))
  expect([...seen]).toEqual(
    expect.arrayContaining([
      'success',
      'TIMEOUT',
      'ACCESS_DENIED',
      'INVALID_GRANT',
      'HTTP_502',
      'ANSWER_UNUSABLE',
      'UNREACHABLE',
    ]),
  )
  expect(seen).not.toContain('BUG')
  expectNoLeak(run, /^request /)
  expectMasked(run, 'client secret', 'code', 'state', 'code_verifier', 'access_token', 'refresh_token')
}, 120_000)

/** Runs all, a few at a time. */
async function inTurns(jobs: readonly (() => Promise<void>)[], lanes: number): Promise<void> {
  const queue = [...jobs]
  const work = async (): Promise<void> => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) await job()
  }
  await Promise.all(Array.from({ length: lanes }, work))
}

function unsignedIdToken(): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'RS256' })}.${part({ iss: 'https://acme.test', sub: 'me', email: 'me@acme.test' })}.c2lnbmF0dXJl`
}

/** Everything that a token request holds, in words. */
function told({ form, headers }: Hit): string[] {
  const basic = headers.authorization?.slice('Basic '.length)
  const decoded = basic === undefined ? [] : [basic, Buffer.from(basic, 'base64').toString('utf8')]
  return [...decoded, ...[...form.values()], ...(basic === undefined ? [] : [oddSecret])]
}

function echoes(): [string, (hit: Hit) => Reply][] {
  const all = (hit: Hit): string[] =>
    told(hit)
      .flatMap(waysToWrite)
      .filter((way) => /^[^\r\n\0]*$/.test(way))
  const inHeader = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
  return [
    [
      'in its error description',
      (hit) => ({ status: 400, body: { error: 'invalid_grant', error_description: all(hit).join(' | ') } }),
    ],
    [
      'in its error code and a link',
      (hit) => ({ status: 401, body: { error: told(hit).join('_'), error_uri: `https://acme.test/?${hit.body}` } }),
    ],
    [
      'in a page of HTML',
      (hit) => ({
        status: 500,
        body: `<!doctype html><p>${all(hit).join('</p><p>')}</p><script>var x=${JSON.stringify(all(hit))}</script>`,
      }),
    ],
    [
      'in plain text',
      (hit) => ({
        status: 502,
        headers: { 'content-type': 'text/plain; charset=utf-8' },
        body: `dump of ${hit.body}\n${all(hit).join('\n')}`,
      }),
    ],
    [
      'in headers, beside a good answer',
      (hit) => ({
        headers: {
          'x-echo': all(hit).map(inHeader),
          'www-authenticate': `Basic realm="${inHeader(told(hit).join(' '))}"`,
          'set-cookie': told(hit).map((value, n) => `c${n}=${encodeURIComponent(value)}; Path=/; HttpOnly`),
        },
        body: {
          access_token: 'access-0123456789abcdef',
          token_type: 'Bearer',
          expires_in: 60,
          debug: all(hit),
          [told(hit)[0] ?? '']: 'as a name',
        },
      }),
    ],
    [
      'in JSON that is broken',
      (hit) => ({
        status: 200,
        body: `{"error_description":"${all(hit).join(' ')}","access_token":"access-0123456789abc`,
      }),
    ],
  ]
}
