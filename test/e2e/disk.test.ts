import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type CliEnd, followerEnv, runCli, startCli } from '../support/cli.ts'
import { freshFolder } from '../support/disk.ts'
import { openProvider, type ProviderTerms, templateOf } from '../support/provider.ts'

/** A home, a project with the template `acme`, and what the browser saw. */
async function stage(terms: ProviderTerms = {}, home = freshFolder()) {
  const provider = await openProvider(terms)
  const cwd = freshFolder()
  const visits = path.join(freshFolder(), 'visits')
  writeFileSync(path.join(cwd, 'auth-cli.yaml'), templateOf(provider.origin))
  const surroundings = { home, cwd, env: followerEnv({ log: visits }) }
  const run = (...args: string[]): Promise<CliEnd> => runCli(args, surroundings)
  const client = ['--client-id', 'app', '--client-secret', 's3cr3t-s3cr3t', '--port', '0']
  const connect = (...more: string[]): Promise<CliEnd> => run('connect', 'acme', ...client, ...more)
  const lastPage = (): string => JSON.parse(readFileSync(visits, 'utf8').trim().split('\n').at(-1) ?? '{}').body
  const kept = (): string[] => readdirSync(path.join(home, 'connections')).sort()
  const spawned = (...more: string[]) =>
    startCli(['connect', 'acme', ...client, ...more], { ...surroundings, input: '' })
  return { provider, home, cwd, run, connect, spawned, lastPage, kept, surroundings }
}

const errorIn = ({ stderr }: Pick<CliEnd, 'stderr'>) => JSON.parse(stderr.trim().split('\n').at(-1) ?? '{}').error

/** Whether this system lets us mount a small disk; where everything must be tested, it has to. */
const canMount = spawnSync('unshare', [...unshareFlags(), 'true']).status === 0
const isCi = !['', '0', 'false'].includes(process.env['CI'] ?? '')
const connectLine = 'node "$CLI" connect acme --client-id app --client-secret s3cr3t-s3cr3t --port 0'

describe('a disk that is full', () => {
  it.skipIf(!canMount && !isCi)(
    'refuses the connection, keeps the old one whole, and tells the browser too',
    async () => {
      const { provider, home, cwd, surroundings, lastPage } = await stage()
      const { status, stdout, stderr } = await onSmallDisk(home, cwd, surroundings.env, [
        // A first connection, then a disk without room for another, then a look at what is left.
        `${connectLine} >first`,
        'cat "$AUTH_CLI_HOME"/connections/acme.json >before',
        'node "$FILL" "$AUTH_CLI_HOME"',
        `${connectLine} --json >second.json 2>second.err || echo "status $?"`,
        'node "$CLI" refresh acme --force --json >third.json 2>third.err || echo "status $?"',
        'cmp "$AUTH_CLI_HOME"/connections/acme.json before && echo intact',
        'node "$CLI" token acme >fourth; cat fourth',
        'ls "$AUTH_CLI_HOME"/connections',
      ])
      expect(status, stderr).toBe(0)
      const read = (name: string): string => readFileSync(path.join(cwd, name), 'utf8')
      const { credential } = JSON.parse(read('before'))
      expect(stdout.trim().split('\n')).toEqual(['status 6', 'status 6', 'intact', credential.accessToken, 'acme.json'])
      expect([read('second.json'), read('third.json')]).toEqual(['', ''])
      const failures = ['second.err', 'third.err'].map(
        (name) => JSON.parse(read(name).trim().split('\n').at(-1) ?? '').error,
      )
      expect(failures).toMatchObject([{ code: 'DISK_FULL' }, { code: 'DISK_FULL' }])
      expect(lastPage()).toMatch(/disk is full/i)
      expect(lastPage()).not.toMatch(/You are connected|Connected to/)
      expect(provider.tokenRequests().length).toBeGreaterThan(1)
    },
  )
})

describe('a home that may not be written', () => {
  it('is found out before a browser opens where there is none yet', async () => {
    const { provider, home, surroundings } = await stage()
    writeFileSync(path.join(home, 'file'), '')
    const blocked = await runCli(
      ['connect', 'acme', '--client-id', 'app', '--client-secret', 's3cr3t-s3cr3t', '--port', '0', '--json'],
      { ...surroundings, home: path.join(home, 'file', 'home') },
    )
    expect(blocked).toMatchObject({ status: 6, stdout: '' })
    expect(provider.hits).toHaveLength(0)
  })

  it.skipIf(!canMount && !isCi)(
    'gives out what it holds, and says before a browser opens that nothing could be saved',
    async () => {
      const { home, cwd, provider, surroundings } = await stage()
      const { status, stdout, stderr } = await onSmallDisk(home, cwd, surroundings.env, [
        `${connectLine} >first`,
        'mount -o remount,ro "$AUTH_CLI_HOME"',
        'node "$CLI" token acme >token',
        'node "$CLI" connections list --json | grep -c \'"name": "acme"\'',
        `${connectLine} --json >second.json 2>second.err || echo "status $?"`,
      ])
      expect({ status, stdout }, stderr).toEqual({ status: 0, stdout: '1\nstatus 6\n' })
      expect(readFileSync(path.join(cwd, 'token'), 'utf8')).toMatch(/^access-/)
      expect(errorIn({ stderr: readFileSync(path.join(cwd, 'second.err'), 'utf8') }).code).toBe('NOT_WRITABLE')
      expect(provider.hits.filter(({ path: hit }) => hit.startsWith('/authorize'))).toHaveLength(1)
    },
  )
})

it('a connection file that is damaged spoils no other, and says so with exit status 6', async () => {
  const damages: Readonly<Record<string, (text: string) => string>> = {
    'cut-off': (text) => text.slice(0, text.length / 2),
    empty: () => '',
    'a-list': () => '[]',
    'of-another': (text) => text.replace('"name": "of-another"', '"name": "other"'),
    'bare-name': () => '{"version":1,"name":"bare-name"}',
    'no-credential': (text) => JSON.stringify({ ...JSON.parse(text), credential: null }),
    'odd-snapshot': (text) => JSON.stringify({ ...JSON.parse(text), snapshot: [] }),
  }
  const { home, connect, run } = await stage()
  await connect('--as', 'whole')
  const fileOf = (name: string): string => path.join(home, 'connections', `${name}.json`)
  const whole = readFileSync(fileOf('whole'), 'utf8')
  const names = Object.keys(damages)
  for (const name of names) {
    const text = whole.replace('"name": "whole"', `"name": "${name}"`)
    writeFileSync(fileOf(name), damages[name]?.(text) ?? '')
  }
  const lists = [await run('connections', 'list', '--json'), await run('connections')]
  const uses = await Promise.all(names.map((name, n) => run(n % 2 ? 'inspect' : 'token', name, '--json')))
  expect(JSON.parse(lists[0]?.stdout ?? '').map(({ name }: { name: string }) => name)).toEqual(['whole'])
  expect(lists[1]?.stdout).toMatch(/whole/)
  for (const { status, stderr } of lists) {
    expect(status).toBe(0)
    expect(names.filter((name) => !stderr.includes(`${name}.json`))).toEqual([])
  }
  expect(uses.map((end) => [end.status, end.stdout, errorIn(end).code])).toEqual(
    names.map(() => [6, '', 'STORE_CORRUPT']),
  )
  expect([...lists, ...uses].map(({ stderr }) => stderr).join('')).not.toMatch(/access-|s3cr3t/)
  expect((await run('token', 'whole')).status).toBe(0)
  expect(names.every((name) => existsSync(fileOf(name)))).toBe(true)
})

it('twenty processes that connect at once are all saved, each whole and for its owner alone', async () => {
  const { connect, run, kept, home } = await stage()
  const names = Array.from({ length: 20 }, (_, n) => `c${n}`).sort()
  const ends = await Promise.all(names.map((name) => connect('--as', name)))
  expect(ends.map(({ status }) => status)).toEqual(Array(20).fill(0))
  expect(kept()).toEqual(names.map((name) => `${name}.json`).sort())
  const listed = JSON.parse((await run('connections', 'list', '--json')).stdout)
  expect(listed.map(({ name }: { name: string }) => name).sort()).toEqual(names)
  expect(statSync(path.join(home, 'connections', 'c0.json')).mode & 0o777).toBe(0o600)
  expect(statSync(path.join(home, 'connections')).mode & 0o777).toBe(0o700)
  const flows = JSON.parse((await run('logs', '-n', '50', '--json')).stdout)
  expect(flows.filter(({ state }: { state: string }) => state === 'success')).toHaveLength(20)
}, 120_000)

it('a process killed at any moment of saving leaves the old connection or the new one', async () => {
  const { provider, run, connect, spawned, home } = await stage({ tokens: { filler: 'x'.repeat(200_000) } })
  await connect()
  const file = path.join(home, 'connections', 'acme.json')
  for (let round = 0; round < 6; round++) {
    const attempt = spawned()
    await provider.reached('/token', round + 2)
    await new Promise((resolve) => setTimeout(resolve, round * 8))
    attempt.child.kill('SIGKILL')
    await attempt.ended
    const { credential, name } = JSON.parse(readFileSync(file, 'utf8'))
    expect([name, credential.raw.filler.length]).toEqual(['acme', 200_000])
  }
  expect((await run('token', 'acme')).status).toBe(0)
  expect((await connect()).status).toBe(0)
  const states = JSON.parse((await run('logs', '--json')).stdout).map(({ state }: { state: string }) => state)
  expect(states).not.toContain('running')
})

describe('names', () => {
  it('of any kind make one safe file each, and are found again in any case', async () => {
    const names = ['../../outside', 'a'.repeat(250), 'Zoë 日本 🦊', 'con', '.hidden', 'a/b\\c:d*e?"<>|', '%2e%2e%2f']
    const { home, run, connect, kept } = await stage()
    const ends = await Promise.all(names.map((name) => connect('--as', name)))
    expect(ends.map(({ status }) => status)).toEqual(names.map(() => 0))
    expect(kept()).toHaveLength(names.length)
    expect(kept().filter((file) => !/^[\w%~.-]{1,240}\.json$/.test(file))).toEqual([])
    expect(readdirSync(path.dirname(home))).not.toContain('outside.json')
    const listed = JSON.parse((await run('connections', '--json')).stdout)
    expect(listed.map(({ name }: { name: string }) => name).sort()).toEqual([...names].sort())
    const tokens = await Promise.all(names.map((name) => run('token', name.toUpperCase())))
    expect(tokens.map(({ stdout }) => stdout.slice(0, 7))).toEqual(names.map(() => 'access-'))
    expect((await run('connections', 'delete', ...names, '--yes')).status).toBe(0)
    expect(kept()).toEqual([])
  })

  it('that differ in case or in how their accents are composed are one', async () => {
    const { run, connect, kept } = await stage()
    await connect('--as', 'Café')
    await connect('--as', 'CAFE\u0301')
    expect(kept()).toHaveLength(1)
    expect((await run('token', 'cafe\u0301')).status).toBe(0)
  })

  it.each(['', 'a\u001b[31mb'])('%j is refused before a browser opens', async (name) => {
    const { connect, provider } = await stage()
    const end = await connect('--as', name, '--json')
    expect(end.status).toBe(2)
    expect(provider.hits).toHaveLength(0)
    expect(end.stderr).not.toContain('\u001b')
  })
})

function unshareFlags(): string[] {
  return process.getuid?.() === 0 ? ['--mount'] : ['--mount', '--map-root-user']
}

/** Runs lines of shell with a home of 512 KiB of its own. */
function onSmallDisk(
  home: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
  lines: readonly string[],
): Promise<CliEnd> {
  const script = ['set -e', 'mount -t tmpfs -o size=512k,mode=700 tmpfs "$AUTH_CLI_HOME"', ...lines].join('\n')
  const fill = path.join(cwd, 'fill.mjs')
  writeFileSync(
    fill,
    `import { appendFileSync, writeFileSync } from 'node:fs'
const file = process.argv[2] + '/filler'
try { for (;;) appendFileSync(file, Buffer.alloc(4096, 'x')) } catch {}
`,
  )
  mkdirSync(home, { recursive: true })
  return runProgram('unshare', [...unshareFlags(), 'sh', '-c', script], cwd, {
    PATH: `${path.dirname(process.execPath)}:${process.env['PATH']}`,
    HOME: cwd,
    AUTH_CLI_HOME: home,
    CLI: fileURLToPath(new URL('../../bin/auth-cli.js', import.meta.url)),
    FILL: fill,
    ...env,
  })
}

function runProgram(
  program: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<CliEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk) => {
      stdout += chunk
    })
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    child.once('error', reject).once('close', (status) => resolve({ status, stdout, stderr }))
  })
}

describe.runIf(process.platform === 'linux')('where there is no ground to stand on', () => {
  const script = fileURLToPath(new URL('../../bin/auth-cli.js', import.meta.url))
  const say = (env: Record<string, string>, before: string, words = 'token acme --json') =>
    spawnSync('sh', ['-c', `${before} && exec "$0" "$1" ${words}`, process.execPath, script], {
      cwd: freshFolder(),
      env: { ...process.env, ...env },
      encoding: 'utf8',
      timeout: 30_000,
    })

  it('a folder that was deleted under the person is said, and is no bug', () => {
    const ended = say({ AUTH_CLI_HOME: freshFolder() }, 'mkdir gone && cd gone && rmdir ../gone')
    expect({ status: ended.status, code: errorIn(ended).code }).toEqual({ status: 6, code: 'FOLDER_GONE' })
  })

  it.each([
    ['token acme', 2],
    ['logs', 0],
    ['connect sandbox', 6],
    ['sandbox --port 0', 6],
  ])('a home in which no folder can be made ends the run: %s', (words, status) => {
    const ended = say({ AUTH_CLI_HOME: '/proc/auth-cli' }, 'true', words)
    expect({ status: ended.status, signal: ended.signal }).toEqual({ status, signal: null })
  })
})
