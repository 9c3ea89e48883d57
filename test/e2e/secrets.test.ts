import { cpSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { type CliEnd, followerEnv, runCli, startCli } from '../support/cli.ts'
import { freshFolder } from '../support/disk.ts'
import { hasKeychain, openKeychain } from '../support/keychain.ts'
import { openProvider, templateOf } from '../support/provider.ts'

const clientSecret = 's3cr3t-s3cr3t-of-the-client'

/** A home with `acme` connected, and a keychain beside it. */
async function stage(env: Readonly<Record<string, string>> = {}) {
  const keychain = await openKeychain()
  const provider = await openProvider()
  const home = freshFolder()
  const cwd = freshFolder()
  writeFileSync(path.join(cwd, 'auth-cli.yaml'), templateOf(provider.origin))
  const surroundings = { home, cwd, env: { ...followerEnv(), ...keychain.env, ...env } }
  const run = (...args: string[]): Promise<CliEnd> => runCli(args, surroundings)
  /** Where there is no keychain at all: another machine, cron, a container. */
  const runElsewhere = (args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<CliEnd> =>
    runCli(args, { home, cwd, env: { ...followerEnv(), DBUS_SESSION_BUS_ADDRESS: '', ...more } })
  const connect = (name: string): Promise<CliEnd> =>
    run('connect', 'acme', '--as', name, '--client-id', 'app', '--client-secret', clientSecret, '--port', '0')
  const made = await connect('acme')
  expect(made).toMatchObject({ status: 0 })
  const file = (name: string): string => path.join(home, 'connections', `${name}.json`)
  const textOf = (name: string): string => readFileSync(file(name), 'utf8')
  const token = async (name: string): Promise<string> => (await run('token', name)).stdout.trim()
  return { keychain, provider, home, cwd, surroundings, run, runElsewhere, connect, file, textOf, token }
}

const errorIn = ({ stderr }: CliEnd) => JSON.parse(stderr.trim().split('\n').at(-1) ?? '{}').error

describe.skipIf(!hasKeychain)('secrets in the keychain', () => {
  it('lie in files until they are moved, then no file holds one, and every command works as before', async () => {
    const { keychain, run, connect, textOf, token, home } = await stage()
    const access = await token('acme')
    expect(textOf('acme')).toContain(access)
    expect(keychain.entries().size).toBe(0)

    expect(await run('secrets', 'move', 'keychain')).toMatchObject({ status: 0 })
    expect((await connect('later')).status).toBe(0)
    for (const name of ['acme', 'later']) {
      expect(textOf(name)).not.toContain(clientSecret)
      expect(textOf(name)).not.toContain(await token(name))
    }
    expect(await token('acme')).toBe(access)
    expect((await run('refresh', 'acme', '--force')).status).toBe(0)
    const renewed = await token('acme')
    expect(renewed).not.toBe(access)
    expect(textOf('acme')).not.toContain(renewed)
    const kept = [...keychain.entries()]
    expect(kept).toHaveLength(1)
    // The key itself is nowhere but in the keychain.
    const everything = readdirSync(home, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'utf8'))
      .join('\n')
    expect(everything).not.toContain(kept[0]?.[1])

    expect(JSON.parse((await run('secrets', '--json')).stdout)).toMatchObject({
      kept: 'keychain',
      keychain: { works: true },
      connections: { sealed: 2, plain: 0, broken: 0 },
    })
    expect(await run('secrets', 'move', 'files')).toMatchObject({ status: 0 })
    expect(textOf('acme')).toContain(renewed)
    expect(await token('acme')).toBe(renewed)
  }, 60_000)

  it('that cannot be reached are an error of this machine; connections are listed all the same, and can be deleted', async () => {
    const { run, runElsewhere, keychain, token, provider } = await stage()
    await run('secrets', 'move', 'keychain')
    const access = await token('acme')
    const requests = provider.tokenRequests().length
    for (const command of [
      ['token', 'acme'],
      ['refresh', 'acme', '--force'],
      ['inspect', 'acme'],
    ]) {
      const failed = await runElsewhere([...command, '--json'])
      expect(failed).toMatchObject({ status: 6, stdout: '' })
      expect(errorIn(failed)).toMatchObject({ code: 'KEYCHAIN_UNAVAILABLE' })
      expect(errorIn(failed).hint).toContain('auth-cli connections')
    }
    expect(provider.tokenRequests()).toHaveLength(requests)
    expect((await runElsewhere(['connections'])).stdout).toMatch(/acme\s+acme/)
    const listed = JSON.parse((await runElsewhere(['connections', '--json'])).stdout)
    expect(listed).toMatchObject([{ name: 'acme', provider: 'acme', locked: true, isRenewable: true }])

    await keychain.stop()
    expect((await run('token', 'acme', '--json')).status).toBe(6)
    await keychain.start()
    expect(await token('acme')).toBe(access)
    expect((await runElsewhere(['connections', 'delete', 'acme', '--yes'])).status).toBe(0)
    expect((await run('connections', '--json')).stdout.trim()).toBe('[]')
  }, 60_000)

  it('are bound to their file: a renamed, swapped or edited one does not open, and every other does', async () => {
    const { run, connect, file, textOf, token } = await stage()
    for (const name of ['two', 'three', 'four']) await connect(name)
    await run('secrets', 'move', 'keychain')
    const access = await token('four')
    const parsed = (name: string) => JSON.parse(textOf(name))
    const [one, two, three] = [parsed('acme'), parsed('two'), parsed('three')]
    writeFileSync(file('acme'), JSON.stringify({ ...one, sealed: two.sealed }))
    writeFileSync(file('two'), JSON.stringify({ ...two, line: { ...two.line, expiresAt: '2099-01-01T00:00:00.000Z' } }))
    const data = Buffer.from(three.sealed.data, 'base64')
    data[3] = (data[3] ?? 0) ^ 1
    writeFileSync(
      file('three'),
      JSON.stringify({ ...three, sealed: { ...three.sealed, data: data.toString('base64') } }),
    )
    for (const name of ['acme', 'two', 'three']) {
      expect(errorIn(await run('token', name, '--json'))).toMatchObject({ code: 'STORE_CORRUPT' })
    }
    expect(await token('four')).toBe(access)
    renameSync(file('four'), file('five'))
    expect(errorIn(await run('token', 'five', '--json'))).toMatchObject({ code: 'STORE_CORRUPT' })
    renameSync(file('five'), file('four'))
    expect(await token('four')).toBe(access)
  }, 60_000)

  it('are told from a tampered file where the keychain holds another key, or none', async () => {
    const { run, keychain, token } = await stage()
    await run('secrets', 'move', 'keychain')
    const [[account = '', key = ''] = []] = [...keychain.entries()]
    const access = await token('acme')
    keychain.replace(account, Buffer.alloc(32, 7).toString('base64'))
    expect(errorIn(await run('token', 'acme', '--json'))).toMatchObject({
      code: 'KEYCHAIN_UNAVAILABLE',
      message: expect.stringContaining('another key'),
    })
    keychain.forget(account)
    expect(errorIn(await run('token', 'acme', '--json'))).toMatchObject({
      code: 'KEYCHAIN_UNAVAILABLE',
      message: expect.stringContaining('not in your keychain'),
    })
    keychain.replace(account, key)
    expect(await token('acme')).toBe(access)
  }, 60_000)

  it('are all readable wherever a move is killed, and the move runs on', async () => {
    const { run, home, surroundings, textOf } = await stage()
    const names = Array.from({ length: 60 }, (_, n) => `copy-${n}`)
    const original = JSON.parse(textOf('acme'))
    for (const name of names)
      writeFileSync(path.join(home, 'connections', `${name}.json`), JSON.stringify({ ...original, name }))
    const sealedNow = (): number => [...names, 'acme'].filter((name) => JSON.parse(textOf(name)).version === 2).length
    const rounds = [
      ['keychain', 1],
      ['keychain', 20],
      ['files', 40],
      ['keychain', 45],
      ['files', 10],
    ] as const
    for (const [to, upTo] of rounds) {
      const move = startCli(['secrets', 'move', to], surroundings)
      const isThere = (): boolean => (to === 'keychain' ? sealedNow() >= upTo : sealedNow() <= upTo)
      while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 1))
      move.child.kill('SIGKILL')
      await move.ended
      const listed = JSON.parse((await run('connections', '--json', '--reveal')).stdout) as {
        readonly credential: { readonly accessToken: string }
      }[]
      expect(listed.map(({ credential }) => credential.accessToken)).toEqual(
        Array(61).fill(original.credential.accessToken),
      )
    }
    expect(await run('secrets', 'move', 'keychain')).toMatchObject({ status: 0 })
    expect(JSON.parse((await run('secrets', '--json')).stdout).connections).toEqual({ sealed: 61, plain: 0, broken: 0 })
  }, 120_000)

  it('of a home that was copied open beside the same keychain, and nowhere else', async () => {
    const { run, home, surroundings, token } = await stage()
    await run('secrets', 'move', 'keychain')
    const access = await token('acme')
    const copy = path.join(freshFolder(), 'copy')
    cpSync(home, copy, { recursive: true })
    expect((await runCli(['token', 'acme'], { ...surroundings, home: copy })).stdout.trim()).toBe(access)
    const elsewhere = await runCli(['token', 'acme'], { ...surroundings, home: copy, env: {} })
    expect(elsewhere.status).toBe(6)
  }, 60_000)

  it('agree on one key when many processes save their first at once', async () => {
    const { keychain, connect, run } = await stage({ AUTH_CLI_KEYRING: 'required' })
    const ends = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => connect(name)))
    expect(ends.map(({ status }) => status)).toEqual([0, 0, 0, 0, 0])
    expect(keychain.entries().size).toBe(1)
    expect(JSON.parse((await run('secrets', '--json')).stdout).connections).toEqual({ sealed: 6, plain: 0, broken: 0 })
  }, 60_000)
})

describe('where there is no keychain', () => {
  const nowhere = { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent' }

  async function bare(env: Readonly<Record<string, string>>) {
    const provider = await openProvider()
    const home = freshFolder()
    const cwd = freshFolder()
    writeFileSync(path.join(cwd, 'auth-cli.yaml'), templateOf(provider.origin))
    const run = (...args: string[]) => runCli(args, { home, cwd, env: { ...followerEnv(), ...nowhere, ...env } })
    const connect = () =>
      run('connect', 'acme', '--client-id', 'app', '--client-secret', clientSecret, '--port', '0', '--json')
    return { provider, home, run, connect }
  }

  it('required refuses before a browser opens', async () => {
    const { provider, connect } = await bare({ AUTH_CLI_KEYRING: 'required' })
    const refused = await connect()
    expect(refused).toMatchObject({ status: 6, stdout: '' })
    expect(errorIn(refused)).toMatchObject({ code: 'KEYCHAIN_UNAVAILABLE' })
    expect(provider.hits).toHaveLength(0)
  })

  it('auto keeps them in files that only their owner may read', async () => {
    const { connect, run, home } = await bare({ AUTH_CLI_KEYRING: 'auto' })
    expect((await connect()).status).toBe(0)
    expect((await run('token', 'acme')).status).toBe(0)
    expect(readdirSync(path.join(home, 'connections'))).toEqual(['acme.json'])
    expect(JSON.parse((await run('secrets', '--json')).stdout)).toMatchObject({
      kept: 'files',
      keyring: 'auto',
      keyringFrom: 'environment',
      keychain: { works: false },
      connections: { sealed: 0, plain: 1 },
    })
  })

  it('a move there is refused and changes nothing', async () => {
    const { connect, run, home } = await bare({})
    await connect()
    const before = readFileSync(path.join(home, 'connections', 'acme.json'), 'utf8')
    const refused = await run('secrets', 'move', 'keychain', '--json')
    expect(refused.status).toBe(6)
    expect(readFileSync(path.join(home, 'connections', 'acme.json'), 'utf8')).toBe(before)
    expect((await run('token', 'acme')).status).toBe(0)
  })

  it.each([
    ['off', 'keychain'],
    ['required', 'files'],
  ])('%s and a move to the %s contradict each other', async (keyring, to) => {
    const { run } = await bare({ AUTH_CLI_KEYRING: keyring })
    expect(errorIn(await run('secrets', 'move', to, '--json'))).toMatchObject({ code: 'BAD_SETTING' })
  })
})
