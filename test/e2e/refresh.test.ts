import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Connection } from '../../src/model/connection.ts'
import { type CliEnd, followerEnv, runCli, startCli } from '../support/cli.ts'
import { freshFolder } from '../support/disk.ts'
import { openProvider, type ProviderTerms, type ScriptedProvider, templateOf } from '../support/provider.ts'

interface Stage {
  readonly provider: ScriptedProvider
  readonly file: string
  readonly run: (...args: string[]) => Promise<CliEnd>
  readonly start: (...args: string[]) => ReturnType<typeof startCli>
  readonly saved: () => Connection
  /** The saved token, as if it expired in so many seconds (null: unknown) of a life of so many. */
  readonly age: (expiresIn: number | null, lifetime: number, margin: number | undefined) => void
  /** The requests since the connection was made. */
  readonly renewals: () => ReturnType<ScriptedProvider['tokenRequests']>
}

/** A connection to `acme`, as if made a while ago. */
async function connected(
  terms: ProviderTerms & {
    readonly fields?: Readonly<Record<string, unknown>>
    readonly flags?: readonly string[]
    /** Seconds until the token expires, and for which it was issued. Null: unknown. */
    readonly expiresIn?: number | null
    readonly lifetime?: number
    readonly change?: (connection: Connection) => unknown
  } = {},
): Promise<Stage> {
  const { fields = {}, flags = [], expiresIn = -60, lifetime = 3600, change = (same: Connection) => same } = terms
  const provider = await openProvider(terms)
  const home = freshFolder()
  const cwd = freshFolder()
  writeFileSync(path.join(cwd, 'auth-cli.yaml'), templateOf(provider.origin, fields))
  const surroundings = { home, cwd, env: followerEnv() }
  const run = (...args: string[]): Promise<CliEnd> => runCli(args, surroundings)
  const made = await run(
    'connect',
    'acme',
    '--client-id',
    'app',
    '--client-secret',
    's3cr3t-s3cr3t',
    '--port',
    '0',
    ...flags,
  )
  expect(made.stderr).toMatch(/code/)
  expect(made.status).toBe(0)
  const file = path.join(home, 'connections', 'acme.json')
  const saved = (): Connection => JSON.parse(readFileSync(file, 'utf8'))
  const age: Stage['age'] = (seconds, life, margin) => {
    const expiry = seconds === null ? undefined : Date.now() + seconds * 1000
    const { credential, snapshot, ...rest } = saved()
    const aged = {
      ...credential,
      expiresAt: expiry === undefined ? undefined : new Date(expiry).toISOString(),
      obtainedAt: new Date((expiry ?? Date.now()) - life * 1000).toISOString(),
    }
    writeFileSync(
      file,
      JSON.stringify(change({ ...rest, credential: aged, snapshot: { ...snapshot, refreshMargin: margin } })),
    )
  }
  age(expiresIn, lifetime, saved().snapshot.refreshMargin)
  const before = provider.tokenRequests().length
  const start = (...args: string[]) => startCli(args, { ...surroundings, input: '' })
  return { provider, file, run, start, saved, age, renewals: () => provider.tokenRequests().slice(before) }
}

/** A process was killed while the provider had its refresh token and no answer was on disk. */
async function interruptedIn({ expiresIn }: { readonly expiresIn: number }): Promise<Stage> {
  let isFirst = true
  const stage = await connected({
    expiresIn,
    routes: {
      '/token': ({ form }) => {
        if (form.get('grant_type') !== 'refresh_token') return tokens('old', { refresh_token: 'refresh-1' })
        if (!isFirst) return tokens('new')
        isFirst = false
        return 'hang'
      },
    },
  })
  const first = stage.start('token', 'acme')
  await stage.provider.reached('/token', 2)
  first.child.kill('SIGKILL')
  await first.ended
  return stage
}

async function reconnect(stage: Stage): Promise<void> {
  const client = ['--client-id', 'app', '--client-secret', 's3cr3t-s3cr3t', '--port', '0']
  expect((await stage.run('connect', 'acme', ...client)).status).toBe(0)
}

const tokenIn = ({ stdout }: CliEnd): string => stdout.trim()

describe('many processes at once', () => {
  it('make one request for a stale token, and all get the new one', async () => {
    const stage = await connected()
    const old = stage.saved().credential.accessToken
    const ends = await Promise.all(Array.from({ length: 20 }, () => stage.run('token', 'acme')))
    expect(ends.map(({ status }) => status)).toEqual(Array(20).fill(0))
    expect([...new Set(ends.map(tokenIn))]).toEqual([stage.saved().credential.accessToken])
    expect(stage.saved().credential.accessToken).not.toBe(old)
    expect(stage.renewals()).toHaveLength(1)
  }, 120_000)

  it('do not wait for one that was killed in the middle, nor guess what became of its refresh token', async () => {
    const stage = await interruptedIn({ expiresIn: -60 })
    const began = performance.now()
    const ends = await Promise.all(Array.from({ length: 5 }, () => stage.run('token', 'acme', '--json')))
    expect(performance.now() - began).toBeLessThan(30_000)
    for (const end of ends) {
      expect(end).toMatchObject({ status: 6, stdout: '' })
      const { code, hint, flow } = JSON.parse(end.stderr.trim().split('\n').at(-1) ?? '').error
      expect([code, typeof flow]).toEqual(['REFRESH_INTERRUPTED', 'string'])
      expect(hint).toMatch(/auth-cli connect acme[\s\S]*auth-cli refresh acme --force/)
    }
    expect(stage.renewals()).toHaveLength(1)
    expect(await stage.run('refresh', 'acme', '--force')).toMatchObject({ status: 0 })
    expect(await stage.run('token', 'acme')).toMatchObject({ status: 0, stdout: 'access-new\n' })
    expect(readdirSync(path.dirname(stage.file))).toEqual(['acme.json'])
  }, 60_000)

  it('never use a refresh token twice, whoever of them is killed and whenever', async () => {
    const stage = await connected({ expiresIn: -60 })
    for (const round of [1, 2, 3]) {
      stage.age(-60, 3600, undefined)
      const asked = stage.renewals().length
      const all = Array.from({ length: 8 }, () => stage.start('token', 'acme', '--json'))
      // One is at the provider: some die now, whether they asked, wait for the lock or have not begun.
      await stage.provider.reached('/token', 2 + asked)
      for (const { child } of all.slice(0, round * 2)) child.kill('SIGKILL')
      const survivors = await Promise.all(all.slice(round * 2).map(({ ended }) => ended))
      const sent = stage.renewals().flatMap(({ form }) => form.get('refresh_token') ?? [])
      expect(new Set(sent).size).toBe(sent.length)
      const codes = survivors.map(({ status, stderr }) =>
        status === 0 ? 'fresh' : JSON.parse(stderr.trim().split('\n').at(-1) ?? '').error.code,
      )
      const isLost = codes.includes('REFRESH_INTERRUPTED')
      expect(new Set(codes)).toEqual(new Set([isLost ? 'REFRESH_INTERRUPTED' : 'fresh']))
      if (isLost) await reconnect(stage)
    }
  }, 180_000)

  it('hand out the old token with a warning while it is good, after one was killed in the middle', async () => {
    const stage = await interruptedIn({ expiresIn: 120 })
    const warned = await stage.run('token', 'acme')
    expect(warned).toMatchObject({ status: 0, stdout: 'access-old\n' })
    expect(warned.stderr).toMatch(/interrupted[\s\S]*--force/)
    expect((await stage.run('token', 'acme', '--min-validity', '600', '--json')).status).toBe(6)
    expect(stage.renewals()).toHaveLength(1)
  }, 60_000)

  it('forget an interruption once the connection is made anew', async () => {
    const stage = await interruptedIn({ expiresIn: -60 })
    await reconnect(stage)
    stage.age(-60, 3600, undefined)
    expect(await stage.run('token', 'acme')).toMatchObject({ status: 0, stdout: 'access-new\n' })
  }, 60_000)

  it('give up an unanswered request on Ctrl-C, and leave everything as it was', async () => {
    const stage = await connected({
      routes: {
        '/token': ({ form }) =>
          form.get('grant_type') === 'refresh_token' ? 'hang' : tokens('old', { refresh_token: 'r' }),
      },
    })
    const before = readFileSync(stage.file, 'utf8')
    const waiting = stage.start('refresh', 'acme')
    await stage.provider.reached('/token', 2)
    waiting.child.kill('SIGINT')
    expect((await waiting.ended).status).toBe(130)
    expect(readFileSync(stage.file, 'utf8')).toBe(before)
    expect(JSON.parse((await stage.run('logs', '--json')).stdout)[0]).toMatchObject({
      deed: 'refresh',
      state: 'cancelled',
    })
  })
})

describe('the new refresh token', () => {
  it('takes the place of the old one', async () => {
    const stage = await connected()
    const old = stage.saved().credential.refreshToken
    await stage.run('refresh', 'acme')
    await stage.run('refresh', 'acme', '--force')
    const [first, second] = stage.renewals().map(({ form }) => form.get('refresh_token'))
    expect(first).toBe(old)
    expect(second).not.toBe(old)
    expect(stage.saved().credential.refreshToken).not.toBe(second)
    expect(stage.saved().lastError).toBeNull()
  })

  it.each([
    ['is left out', {}],
    ['is empty', { refresh_token: '' }],
    ['is null', { refresh_token: null }],
  ])('when it %s leaves the old one good', async (_, answer) => {
    const stage = await connected({
      routes: {
        '/token': ({ form }) =>
          form.get('grant_type') === 'refresh_token'
            ? tokens('new', answer)
            : tokens('old', { refresh_token: 'keep-me' }),
      },
    })
    expect(await stage.run('token', 'acme')).toMatchObject({ status: 0, stdout: 'access-new\n' })
    expect(stage.saved().credential).toMatchObject({ accessToken: 'access-new', refreshToken: 'keep-me' })
  })

  it('is on disk before stdout can fail', async () => {
    const stage = await connected()
    const spent = stage.saved().credential.refreshToken
    const closed = stage.start('token', 'acme')
    closed.child.stdout?.destroy()
    await closed.ended
    expect(stage.saved().credential.refreshToken).not.toBe(spent)
    expect(await stage.run('refresh', 'acme', '--force')).toMatchObject({ status: 0 })
  })

  it('is told as done where the provider renews a token and keeps its text', async () => {
    const stage = await connected({ tokens: { access_token: 'ever-the-same-token' }, expiresIn: 3000 })
    expect((await stage.run('refresh', 'acme')).stdout).toMatch(/still fresh/)
    expect((await stage.run('refresh', 'acme', '--force')).stdout).toMatch(/^Renewed acme/)
  })

  it('keeps metadata, tags and the moment of making', async () => {
    const stage = await connected({ flags: ['--tag', 'team=core'] })
    const before = stage.saved()
    await stage.run('refresh', 'acme')
    const { tags, createdAt, refreshedAt, params, snapshot } = stage.saved()
    expect({ tags, createdAt, params, snapshot }).toEqual({
      tags: { team: 'core' },
      createdAt: before.createdAt,
      params: before.params,
      snapshot: before.snapshot,
    })
    expect(refreshedAt).not.toBeNull()
  })
})

describe('a provider that will not renew', () => {
  const refusing = {
    routes: {
      '/token': ({ form }: { form: URLSearchParams }) =>
        form.get('grant_type') === 'refresh_token'
          ? { status: 400, body: { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' } }
          : tokens('old', { refresh_token: 'r' }),
    },
  }

  it('is asked once: the connection is marked, and nobody asks in a loop', async () => {
    const stage = await connected(refusing)
    const first = await stage.run('token', 'acme')
    expect(first).toMatchObject({ status: 4, stdout: '' })
    expect(first.stderr).toContain('Token has been expired or revoked.')
    const second = await stage.run('token', 'acme', '--json')
    expect(second).toMatchObject({ status: 4, stdout: '' })
    expect(JSON.parse(second.stderr.trim().split('\n').at(-1) ?? '').error).toMatchObject({ code: 'INVALID_GRANT' })
    expect(stage.renewals()).toHaveLength(1)
    expect(stage.saved().lastError).toMatchObject({ code: 'INVALID_GRANT', final: true })
    expect((await stage.run('connections')).stdout).toMatch(/INVALID_GRANT|invalid_grant|refused/i)
    expect((await stage.run('inspect', 'acme')).stdout).toContain('Token has been expired or revoked.')
  })

  it('is asked again with --force, and by connecting again', async () => {
    const stage = await connected(refusing)
    await stage.run('token', 'acme')
    expect((await stage.run('refresh', 'acme', '--force')).status).toBe(4)
    expect(stage.renewals()).toHaveLength(2)
    expect((await stage.run('connect', 'acme', '--port', '0', '--trust-project')).status).toBe(0)
    expect(stage.saved().lastError).toBeNull()
  })

  it('for a while only is asked again the next time', async () => {
    let answers = 0
    const stage = await connected({
      routes: {
        '/token': ({ form }) => {
          if (form.get('grant_type') !== 'refresh_token') return tokens('old', { refresh_token: 'r' })
          answers += 1
          return answers === 1 ? { status: 503, headers: { 'retry-after': '7' }, body: 'busy' } : tokens('new')
        },
      },
    })
    expect((await stage.run('token', 'acme')).status).toBe(4)
    expect(await stage.run('token', 'acme')).toMatchObject({ status: 0, stdout: 'access-new\n' })
  })
})

describe('a token without a refresh token', () => {
  const bare = { routes: { '/token': () => tokens('only') } }

  it('is an error once it has expired, never the old token', async () => {
    const stage = await connected(bare)
    const end = await stage.run('token', 'acme')
    expect(end).toMatchObject({ status: 4, stdout: '' })
    expect(end.stderr).toMatch(/expired[\s\S]*auth-cli connect acme/)
    expect(JSON.parse((await stage.run('token', 'acme', '--json')).stderr.trim()).error.code).toBe('EXPIRED')
    expect((await stage.run('request', 'acme', '/api')).status).toBe(4)
    expect(stage.provider.hits.map(({ path }) => path)).not.toContain('/api')
  })

  it('is given out while it lives, however little', async () => {
    const stage = await connected({ ...bare, expiresIn: 20 })
    expect(await stage.run('token', 'acme')).toMatchObject({ status: 0, stdout: 'access-only\n' })
    expect((await stage.run('refresh', 'acme', '--force')).status).toBe(4)
  })
})

describe('when a token counts as stale', () => {
  it('is told by the margin of the template, else by the smaller of 15 minutes and a fifth of its life', async () => {
    const cases: [string, { lifetime?: number; margin?: number }, number | null, number][] = [
      ['a fifth of a short life', { lifetime: 600 }, 110, 1],
      ['more than a fifth of a short life', { lifetime: 600 }, 140, 0],
      ['less than 15 minutes of a long life', { lifetime: 86_400 }, 890, 1],
      ['more than 15 minutes of a long life', { lifetime: 86_400 }, 930, 0],
      ["less than the template's margin", { margin: 2000 }, 1990, 1],
      ["more than the template's margin", { margin: 10 }, 30, 0],
      ['an expiry that nobody told', {}, null, 0],
    ]
    const stage = await connected({ fields: { token_expiration_buffer: 1234 } })
    expect(stage.saved().snapshot.refreshMargin).toBe(1234)
    const asked: [string, number][] = []
    for (const [what, { lifetime = 3600, margin }, expiresIn] of cases) {
      const before = stage.renewals().length
      stage.age(expiresIn, lifetime, margin)
      expect((await stage.run('token', 'acme')).status).toBe(0)
      asked.push([what, stage.renewals().length - before])
    }
    expect(asked).toEqual(cases.map(([what, , , times]) => [what, times]))
  })

  it('is up to --min-validity too, and a token that the provider cannot make live longer is given out', async () => {
    const stage = await connected({ expiresIn: 3000 })
    const first = await stage.run('token', 'acme', '--min-validity', '7000')
    expect(first).toMatchObject({ status: 0, stdout: `${stage.saved().credential.accessToken}\n` })
    expect(stage.renewals()).toHaveLength(1)
  })

  it('goes by the change on disk, not by a clock that was wrong when the token came', async () => {
    const ahead = new Date(Date.now() + 86_400_000).toISOString()
    const stage = await connected({
      change: (connection) => ({ ...connection, credential: { ...connection.credential, obtainedAt: ahead } }),
    })
    expect((await stage.run('token', 'acme')).status).toBe(0)
    expect((await stage.run('refresh', 'acme', '--force')).status).toBe(0)
    expect(stage.renewals()).toHaveLength(2)
  })
})

describe('the refresh request', () => {
  it('goes to refresh_url with refresh_params, its grant type its own whatever the template says', async () => {
    const stage = await connected({
      routes: { '/renew': () => tokens('new') },
      fields: {
        token_params: { grant_type: 'authorization_code', audience: 'first' },
        refresh_params: { grant_type: 'refresh_token', audience: 'renewed' },
      },
      flags: ['--token-param', 'extra=1'],
      change: ({ snapshot, ...rest }) => ({
        ...rest,
        snapshot: {
          ...snapshot,
          endpoints: { ...snapshot.endpoints, refresh: snapshot.endpoints.token?.replace('/token', '/renew') },
        },
      }),
    })
    expect(await stage.run('token', 'acme')).toMatchObject({ status: 0, stdout: 'access-new\n' })
    expect(stage.renewals()).toHaveLength(0)
    const [sent] = stage.provider.hits.filter(({ path }) => path === '/renew')
    expect(Object.fromEntries(sent?.form ?? [])).toMatchObject({
      grant_type: 'refresh_token',
      audience: 'renewed',
      extra: '1',
    })
  })

  it('takes token_params where there are no refresh_params, less their grant type', async () => {
    const stage = await connected({ fields: { token_params: { grant_type: 'authorization_code', audience: 'both' } } })
    await stage.run('token', 'acme')
    expect(stage.renewals().map(({ form }) => [form.getAll('grant_type'), form.get('audience')])).toEqual([
      [['refresh_token'], 'both'],
    ])
  })

  it('is made from the snapshot, whatever has become of the project file', async () => {
    const stage = await connected()
    const elsewhere = await openProvider()
    writeFileSync(path.join(freshFolder(), 'auth-cli.yaml'), templateOf(elsewhere.origin))
    expect((await stage.run('token', 'acme')).status).toBe(0)
    expect([stage.renewals().length, elsewhere.hits.length]).toEqual([1, 0])
  })
})

function tokens(name: string, more: Readonly<Record<string, unknown>> = {}) {
  return { body: { access_token: `access-${name}`, token_type: 'Bearer', expires_in: 3600, ...more } }
}

describe('refresh --all', () => {
  it('tells of each what became of it, and ends with 4 where one could not be renewed', async () => {
    const stage = await connected()
    const other = JSON.parse(readFileSync(stage.file, 'utf8'))
    const spent = { ...other, name: 'spent', credential: { ...other.credential, refreshToken: 'spent-long-ago' } }
    writeFileSync(path.join(path.dirname(stage.file), 'spent.json'), JSON.stringify(spent))
    const { status, stdout, stderr } = await stage.run('refresh', '--all', '--json')
    expect(status).toBe(4)
    expect(JSON.parse(stdout)).toMatchObject([
      { name: 'acme', outcome: 'renewed' },
      { name: 'spent', outcome: 'failed', error: { code: 'INVALID_GRANT' } },
    ])
    expect(JSON.parse(stderr.trim().split('\n').at(-1) ?? '').error).toMatchObject({ code: 'NOT_ALL_RENEWED' })
    expect(stdout + stderr).not.toContain('spent-long-ago')
    const again = await stage.run('connections', 'refresh', '--all')
    expect(again.stdout).toMatch(/still fresh 1, nothing to renew 0, failed 1/)
  }, 60_000)

  it('takes no name, and wants one where it is not said', async () => {
    for (const words of [['refresh'], ['refresh', 'acme', '--all']]) {
      const { status, stderr } = await runCli([...words, '--json'])
      expect([status, JSON.parse(stderr.trim()).error.code]).toEqual([2, 'BAD_ARGUMENT'])
    }
  })
})
