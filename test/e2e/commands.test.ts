import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { callback, openFarProvider, visit } from '../support/far-provider.ts'
import { failureOf, newPerson, type Person } from '../support/person.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
const person = newPerson()
const { run } = person

/** A connection to a far provider, made in the person's home. */
async function connectFar(who: Person): Promise<void> {
  const flow = who.start(['connect', 'far', '--client-id', 'id', '--client-secret', 'env:S', '--port', '0'], {
    env: { BROWSER: 'true', S: 'a-secret-of-the-far-app' },
  })
  await visit(callback(await flow.url(), { code: 'c0de' }))
  expect((await flow.ended).status).toBe(0)
}

describe.concurrent('the command without a task', () => {
  it('shows the help of a group that does nothing by itself', async () => {
    const { status, stdout } = await run(['callback'])
    expect([status, stdout]).toEqual([0, expect.stringMatching(/Usage: auth-cli callback[\s\S]*check/)])
  })

  it('shows the help and the three commands to begin with', async () => {
    const { status, stdout, stderr } = await run([])
    expect(status).toBe(0)
    expect(stderr).toBe('')
    for (const begin of ['auth-cli connect sandbox', 'auth-cli providers', 'auth-cli connect <provider> --help'])
      expect(stdout).toContain(begin)
    expect((await run(['--json'])).stdout).toBe(stdout)
    expect((await run(['help'])).stdout).toBe(stdout)
  })

  it('tells its version before a command', async () => {
    for (const words of [['--version'], ['-V'], ['--json', '--version']])
      expect(await run(words)).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' })
  })

  it('names a command that does not exist, and those that come near', async () => {
    const { status, stdout, stderr } = await run(['conect', '--json'])
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^\{"error":/)
    const failures = await Promise.all(
      [['conect'], ['help', 'conect'], ['connections', 'shwo'], ['config', 'gt']].map(async (words) =>
        failureOf(await run([...words, '--json'])),
      ),
    )
    expect(failures.map(({ code, message }) => [code, message])).toEqual([
      ['UNKNOWN_COMMAND', 'There is no command "conect". Did you mean connect?'],
      ['UNKNOWN_COMMAND', 'There is no command "conect". Did you mean connect?'],
      ['UNKNOWN_COMMAND', 'There is no command "connections shwo". Did you mean connections show?'],
      ['UNKNOWN_COMMAND', 'There is no command "config gt". Did you mean config get?'],
    ])
  })

  it('refuses an unknown flag with status 2, as JSON under --json, with nothing on stdout', async () => {
    for (const words of [['--frob'], ['connect', 'sandbox', '--frob'], ['token', '--frob', 'x'], ['logs', '--frob']]) {
      const ended = await run([...words, '--json'])
      expect([ended.status, ended.stdout, failureOf(ended).code]).toEqual([2, '', 'BAD_FLAG'])
      expect(failureOf(ended).message).toContain('--frob')
    }
    expect((await run(['--frob'])).stderr).toMatch(/Unknown option '--frob'/)
  })
})

describe.concurrent('help for a provider', () => {
  it('lists the questions of its template with their descriptions', async () => {
    const help = await run(['connect', 'zendesk', '--help'])
    expect([help.status, help.stderr]).toEqual([0, ''])
    expect(help.stdout).toMatch(/Zendesk asks:\s+--subdomain <value>\s+The part of your Zendesk address before/)
    expect(await run(['help', 'connect', 'zendesk'])).toEqual(help)
    expect((await run(['connect', 'github', '--help'])).stdout).not.toContain('--subdomain')
  })

  it('suggests the provider that was meant', async () => {
    for (const words of [
      ['connect', 'zendesc'],
      ['connect', 'zendesc', '--help'],
    ]) {
      const { status, stdout, stderr } = await run(words)
      expect([status, stdout]).toEqual([2, ''])
      expect(stderr).toContain('There is no provider called "zendesc". Did you mean zendesk?')
    }
    expect(failureOf(await run(['connect', 'zendesc', '--json'])).code).toBe('UNKNOWN_PROVIDER')
  })

  it('leaves --version to a template that asks for one, and says how to reach a question whose flag is ours', async () => {
    const who = newPerson()
    const far = await openFarProvider()
    who.write(
      'auth-cli.yaml',
      far.project(
        'connection_config:',
        '  version: { type: string, title: Version, description: Which API, default_value: v1 }',
        '  port: { type: string, title: Port, description: Their port }',
      ) + '    authorization_params: { v: "${connectionConfig.version}", p: "${connectionConfig.port}" }\n',
    )
    const help = await who.run(['connect', 'far', '--help'])
    expect(help.stdout).toMatch(/--version <value>\s+Which API/)
    expect(help.stdout).toMatch(/--param port=<?\S+>?\s+Their port/)
    const dry = await who.run(
      ['connect', 'far', '--version', 'v7', '--param', 'port=9', '--client-id', 'x', '--dry-run', '--json'],
      {},
    )
    const url = new URL(JSON.parse(dry.stdout).authorizationUrl)
    expect([url.searchParams.get('v'), url.searchParams.get('p')]).toEqual(['v7', '9'])
    expect((await who.run(['--version'])).stdout).toBe(`${version}\n`)
  })
})

describe('lists and their other names', () => {
  const who = newPerson()
  beforeAll(async () => {
    const far = await openFarProvider()
    who.write('auth-cli.yaml', far.project())
    await connectFar(who)
  })

  it.concurrent.each([
    [['connections'], ['connection'], ['connections', 'list'], ['connection', 'list']],
    [['providers'], ['provider'], ['providers', 'list']],
    [['logs'], ['log'], ['logs', 'list']],
    [['config'], ['config', 'list']],
  ])('%j is one array in JSON under all its names', async (...names) => {
    const outs = await Promise.all(names.map(async (words) => (await who.run([...words, '--json'])).stdout))
    expect(Array.isArray(JSON.parse(outs[0] ?? ''))).toBe(true)
    expect(JSON.parse(outs[0] ?? '')).not.toEqual([])
    expect(new Set(outs).size).toBe(1)
  })

  it.concurrent('inspect is connections show', async () => {
    const shown = await who.run(['inspect', 'far', '--json'])
    expect(shown.status).toBe(0)
    expect((await who.run(['connections', 'show', 'far', '--json'])).stdout).toBe(shown.stdout)
    expect(JSON.parse(shown.stdout)).toMatchObject({ name: 'far', templateState: 'same', credential: { masked: true } })
    expect((await who.run(['inspect', 'far', '--json', '--reveal'])).stdout).toContain('access-1-bWFueSBsZXR0ZXJz')
    expect(shown.stdout).not.toContain('access-1-bWFueSBsZXR0ZXJz')
  })

  it.concurrent('a list that its reader leaves early ends well', async () => {
    for (const words of [['connections', '--json'], ['logs'], ['--help'], []]) {
      const early = spawn(process.execPath, ['bin/auth-cli.js', ...words], {
        env: { PATH: process.env['PATH'] ?? '', AUTH_CLI_HOME: who.home },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      early.stdout.destroy()
      let said = ''
      early.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text
      })
      const [status] = await once(early, 'close')
      expect([status, said]).toEqual([0, ''])
    }
  })

  it.concurrent('colours only a terminal, or where FORCE_COLOR asks; NO_COLOR and --no-color say no', async () => {
    const colour = '\x1b['
    const list = async (words: string[], env: Record<string, string> = {}): Promise<boolean> =>
      (await who.run(['logs', ...words], { env })).stdout.includes(colour)
    const onTerminal = async (words: string[], env: Record<string, string> = {}): Promise<boolean> =>
      (await who.startOnTerminal(['logs', ...words], { env }).ended).stdout.includes(colour)
    expect(await list([])).toBe(false)
    expect(await list([], { FORCE_COLOR: '1' })).toBe(true)
    expect(await list(['--no-color'], { FORCE_COLOR: '1' })).toBe(false)
    expect(await onTerminal([])).toBe(true)
    expect(await onTerminal([], { NO_COLOR: '1' })).toBe(false)
    expect(await onTerminal(['--no-color'])).toBe(false)
  })

  it.concurrent('rm and remove are delete, which wants a yes', async () => {
    const other = newPerson()
    const far = await openFarProvider()
    other.write('auth-cli.yaml', far.project())
    await connectFar(other)
    const unsure = await other.run(['connections', 'rm', 'far', '--json'])
    expect([unsure.status, failureOf(unsure).code]).toEqual([2, 'MISSING_INPUT'])
    expect((await other.run(['connection', 'rm', 'nobody', '-y', '--json'])).status).toBe(2)
    expect(JSON.parse((await other.run(['connections', 'remove', 'far', '--yes', '--json'])).stdout)).toEqual({
      deleted: ['far'],
    })
    expect((await other.run(['connections', '--json'])).stdout).toBe('[]\n')
  })
})

describe('preferences', () => {
  it('are set, told, listed and unset', async () => {
    const who = newPerson()
    expect(await who.run(['config', 'get', 'port'])).toMatchObject({ status: 2, stdout: '' })
    expect((await who.run(['config', 'set', 'port', '4711'])).status).toBe(0)
    expect((await who.run(['config', 'get', 'port'])).stdout).toBe('4711\n')
    const listed = JSON.parse((await who.run(['config', 'list', '--json'], { env: { AUTH_CLI_TIMEOUT: '9' } })).stdout)
    expect(listed.map(({ key, value, from }: Record<string, unknown>) => [key, value, from])).toEqual([
      ['callback-url', null, null],
      ['port', 4711, 'config'],
      ['browser', null, null],
      ['timeout', 9, 'environment'],
      ['log-days', null, null],
      ['keyring', null, null],
      ['callback-cert', null, null],
      ['callback-key', null, null],
    ])
    expect((await who.run(['config', 'unset', 'port'])).status).toBe(0)
    expect((await who.run(['config', 'get', 'port'])).status).toBe(2)
    for (const words of [
      ['set', 'port', 'x'],
      ['set', 'frob', '1'],
      ['get', 'frob'],
      ['unset', 'frob'],
      ['set', 'callback-url', 'ftp://x'],
      ['set', 'keyring', 'sometimes'],
    ]) {
      const refused = await who.run(['config', ...words, '--json'])
      expect([refused.status, failureOf(refused).code]).toEqual([2, 'BAD_SETTING'])
    }
  })

  it('give way: flag before environment, before project file, before config, before the default', async () => {
    const who = newPerson()
    const far = await openFarProvider()
    const redirect = async (words: string[] = [], env: Record<string, string> = {}): Promise<string> => {
      const { stdout } = await who.run(['connect', 'far', '--client-id', 'x', '--dry-run', '--json', ...words], { env })
      const { redirectUri, authorizationUrl } = JSON.parse(stdout)
      expect(new URL(authorizationUrl).searchParams.get('redirect_uri')).toBe(redirectUri)
      return redirectUri
    }
    who.write('auth-cli.yaml', far.project())
    expect(await redirect()).toBe('http://localhost:8749/oauth/callback')
    await who.run(['config', 'set', 'callback-url', 'https://config.example/cb'])
    expect(await redirect()).toBe('https://config.example/cb')
    who.write('auth-cli.yaml', `callback_url: https://project.example/cb\n${far.project()}`)
    expect(await redirect()).toBe('https://project.example/cb')
    who.write(
      'auth-cli.yaml',
      `callback_url: https://project.example/cb\n${far.project()}integrations:\n  far: { callback_url: https://entry.example/cb }\n`,
    )
    expect(await redirect()).toBe('https://entry.example/cb')
    const env = { AUTH_CLI_CALLBACK_URL: 'https://environment.example/cb' }
    expect(await redirect([], env)).toBe('https://environment.example/cb')
    expect(await redirect(['--callback-url', 'https://flag.example/cb'], env)).toBe('https://flag.example/cb')
  })
})
