import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runCli } from '../support/cli.ts'
import { freshFolder } from '../support/disk.ts'
import { bigCatalogue, filesIn, templateText } from '../support/templates.ts'

const acme = (title: string, more = '') => templateText('acme', more, { display_name: title, categories: '[crm]' })

/** Somebody with a folder of templates under their hands. */
function person(files: Readonly<Record<string, string>> = {}) {
  const home = freshFolder()
  const cwd = filesIn(freshFolder(), files)
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => runCli(args, { home, cwd, env })
  const json = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const { status, stdout, stderr } = await run([...args, '--json'], env)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    return JSON.parse(stdout)
  }
  return { home, cwd, run, json }
}

const failure = (stderr: string) => JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '').error
const names = (providers: readonly { readonly name: string }[]) => providers.map(({ name }) => name)

describe('providers list', () => {
  it('finds by name, title, category and mode, slips forgiven', async () => {
    const { run, json } = person({
      'auth-cli.yaml': 'templates:\n  key:\n    display_name: Key\n    auth_mode: API_KEY\n    docs: d\n',
    })
    expect(names(await json(['providers']))).toContain('zendesk')
    expect(names(await json(['providers', 'list', '--search', 'zend']))).toEqual([
      'zendesk',
      'zendesk-api-key',
      'zendesk-sell',
    ])
    expect(names(await json(['providers', 'list', '--category', 'Ticketing']))).toContain('zendesk')
    expect(names(await json(['providers', 'list', '--mode', 'api-key']))).toContain('key')
    const slip = await run(['provider', 'list', '--search', 'gogle'])
    expect(slip).toMatchObject({ status: 0, stderr: '! Nothing is called "gogle"; these come near it.\n' })
    expect(slip.stdout).toContain('google')
    const none = await run(['providers', 'list', '--mode', 'OAUT2', '--json'])
    expect([none.status, none.stdout, failure(none.stderr)]).toEqual([
      2,
      '',
      expect.objectContaining({ code: 'BAD_FLAG', hint: 'Did you mean OAUTH2?' }),
    ])
    expect((await run(['providers', 'list', '--category', 'ticketting'])).status).toBe(2)
  })

  it('suggests the nearest name and a template of one’s own where nobody has that name', async () => {
    const { run } = person()
    const { status, stderr } = await run(['connect', 'zendesc', '--json'])
    expect([status, failure(stderr)]).toEqual([
      2,
      {
        code: 'UNKNOWN_PROVIDER',
        message: 'There is no provider called "zendesc". Did you mean zendesk?',
        hint: 'List them with auth-cli providers, or describe yours: auth-cli providers new zendesc',
      },
    ])
  })
})

describe('providers show', () => {
  it('is a page that tells what is asked, where it leads and what to type', async () => {
    const { run } = person()
    const { status, stdout } = await run(['providers', 'show', 'zendesk'])
    expect(status).toBe(0)
    for (const line of [
      /Zendesk +OAUTH2 . built in/,
      /asks +--subdomain .*e\.g\. acme.*ZENDESK_SUBDOMAIN/,
      /--client-id .*ZENDESK_CLIENT_ID/,
      /register +https:\/\/\[acme\]\.zendesk\.com\/admin/,
      /redirect URL +http:\/\/localhost:8749\/oauth\/callback\n/,
      /authorize +https:\/\/\[acme\]\.zendesk\.com\/oauth\/authorizations\/new +PKCE S256/,
      /token +https:\/\/\[acme\]\.zendesk\.com\/oauth\/tokens +client secret in the body/,
      /API +https:\/\/\[acme\]\.zendesk\.com +authorization: Bearer/,
      /quirks +sent with the code: expires_in=1800/,
      /connect +auth-cli connect zendesk --subdomain acme\n/,
    ])
      expect(stdout).toMatch(line)
  })

  it('has the URLs as they will be with the answers so far, and says where each came from', async () => {
    const { json } = person({
      'auth-cli.yaml':
        'integrations:\n  desk:\n    provider: zendesk\n    client_id: demo\n    params: { subdomain: fromfile }\n',
    })
    const open = await json(['providers', 'show', 'zendesk'])
    expect(open.token).toMatchObject({ url: 'https://[acme].zendesk.com/oauth/tokens', isComplete: false })
    const flag = await json(['providers', 'show', 'zendesk', '--param', 'subdomain=one'])
    expect(flag.token).toMatchObject({ url: 'https://one.zendesk.com/oauth/tokens', isComplete: true })
    expect(flag.connect).toBe('auth-cli connect zendesk --subdomain one')
    const environment = await json(['providers', 'show', 'zendesk'], { ZENDESK_SUBDOMAIN: 'two' })
    expect(environment.asks[0]).toMatchObject({ answer: 'two', answeredBy: 'environment' })
    const file = await json(['providers', 'show', 'desk'])
    expect(file).toMatchObject({
      name: 'desk',
      provider: 'zendesk',
      authorize: { url: 'https://fromfile.zendesk.com/oauth/authorizations/new' },
      client: { id: { answer: 'demo', answeredBy: 'project file' } },
      connect: 'auth-cli connect desk',
    })
  })

  it('never shows a secret that it knows of', async () => {
    const { run } = person({
      'auth-cli.yaml': `templates:\n${acme('Acme', '  connection_config:\n    pin:\n      type: string\n      title: Pin\n      description: d\n      secret: true\n').replace(/^/gm, '  ')}`,
    })
    const secrets = { ACME_PIN: 'pin-that-nobody-sees', ACME_CLIENT_SECRET: 'secret-that-nobody-sees' }
    for (const flags of [[], ['--json'], ['--json', '--reveal']]) {
      const { status, stdout, stderr } = await run(['providers', 'show', 'acme', ...flags], secrets)
      expect(status).toBe(0)
      expect(stdout + stderr).not.toContain('nobody-sees')
    }
  })

  it('says which template won and what it hides', async () => {
    const { json, run, cwd } = person({ 'auth-cli.yaml': 'templates:\n  zendesk:\n    alias: zendesk\n' })
    const page = await json(['providers', 'show', 'zendesk'])
    expect(page.source).toMatchObject({ kind: 'project', file: join(cwd, 'auth-cli.yaml') })
    expect(page.hides).toMatchObject([{ kind: 'built-in' }])
    expect((await run(['providers', 'show', 'zendesk'])).stdout).toMatch(/hides +.*templates.zendesk\.yaml/)
  })

  it('says why a redirect URL of ours will not do, and what will', async () => {
    const { run, json } = person()
    expect((await run(['providers', 'show', 'slack'])).stdout).toContain('Slack wants an https redirect URL')
    await run(['config', 'set', 'callback-url', 'https://example.com/cb'])
    expect((await json(['providers', 'show', 'slack'])).register.redirectUri).toBe('https://example.com/cb')
  })
})

describe('providers validate', () => {
  it('lists every problem on stdout and exits 3 where one is an error', async () => {
    const { run } = person({
      'good.yaml': templateText('good'),
      'warned.yaml': templateText('warned', '  frobnicate: 1\n'),
      'bad.yaml': templateText('bad', '  disable_pkce: "yes"\n  scope_seperator: x\n'),
    })
    const bad = await run(['providers', 'validate', '.', '--json'])
    expect([bad.status, failure(bad.stderr).code]).toEqual([3, 'TEMPLATE_INVALID'])
    expect(JSON.parse(bad.stdout)).toEqual([
      {
        file: 'bad.yaml',
        line: 7,
        column: 17,
        field: 'bad.disable_pkce',
        message: 'expected true or false, found "yes"',
        fix: 'Write true or false.',
        severity: 'error',
      },
      expect.objectContaining({ file: 'bad.yaml', line: 8, column: 3, fix: 'Did you mean scope_separator?' }),
      expect.objectContaining({ file: 'warned.yaml', severity: 'warning' }),
    ])
    const screen = await run(['providers', 'validate', 'bad.yaml'])
    expect(screen.status).toBe(3)
    expect(screen.stdout).toContain('bad.yaml:7:17  bad.disable_pkce\n    expected true or false')
    expect(screen.stdout).toContain('1 template in 1 file: 1 error, 1 warning')
    expect(screen.stderr).toContain('1 error in bad.yaml')
    expect(await run(['providers', 'validate', 'warned.yaml'])).toMatchObject({ status: 0, stderr: '' })
    expect((await run(['providers', 'validate', 'good.yaml'])).stdout).toContain('nothing to mend')
    expect((await run(['providers', 'validate'])).status).toBe(2)
  })

  it('lets nothing from a template act on the terminal', async () => {
    const { run } = person({
      'x.yaml': 'x:\n  display_name: "\\e[2J\\e]0;t\\a"\n  "\\e[31mfield": 1\n  auth_mode: "\\e[1m\\r"\n',
    })
    const { stdout, stderr } = await run(['providers', 'validate', 'x.yaml'])
    expect(stdout).toContain('x.auth_mode')
    for (const character of ['\u001b', '\u0007', '\r', '\u009b']) expect(stdout + stderr).not.toContain(character)
  })
})

describe('providers add', () => {
  it('copies a file; connect, its help, show and list know it from then on', async () => {
    const text = acme(
      'Acme',
      '  connection_config:\n    region:\n      type: string\n      title: Region\n      description: Where\n',
    )
    const { run, json, home, cwd } = person({ 'mine.yaml': text })
    const added = await run(['providers', 'add', 'mine.yaml'])
    expect(added).toMatchObject({ status: 0, stderr: '' })
    expect(added.stdout).toMatch(/Added mine: 1 provider\n +licence +not stated/)
    writeFileSync(join(cwd, 'mine.yaml'), 'gone')
    expect(names(await json(['providers', '--search', 'acme']))).toEqual(['acme'])
    expect((await run(['connect', 'acme', '--help'])).stdout).toMatch(/Acme asks:\n +--region <value> +Where/)
    expect((await json(['providers', 'show', 'acme'])).source).toMatchObject({
      kind: 'added',
      file: join(home, 'catalogues', 'mine', 'templates', 'acme.yaml'),
    })
    const dry = await json([
      'connect',
      'acme',
      '--region',
      'eu',
      '--client-id',
      'id',
      '--client-secret',
      '',
      '--dry-run',
    ])
    expect(dry.authorizationUrl).toContain('https://acme.example/authorize?')
    expect(await json(['providers', 'sources'])).toMatchObject([
      { kind: 'person', count: 0 },
      { kind: 'added', name: 'mine', origin: join(cwd, 'mine.yaml'), count: 1 },
      { kind: 'built-in' },
    ])
  })

  it('copies a folder, tells what it left out, and says at the next time what changed', async () => {
    const { run, json, cwd } = person({
      'set/acme.yaml': acme('Acme'),
      'set/broken.yaml': 'broken: [\n',
      'set/package.json': '{"name":"acme-set","version":"1.2.3","license":"MIT"}',
    })
    const added = await json(['providers', 'add', 'set'])
    expect(added).toMatchObject({
      name: 'acme-set',
      version: '1.2.3',
      licence: 'MIT',
      count: 1,
      modes: { OAUTH2: 1 },
      difference: null,
    })
    expect(added.leftOut).toMatchObject([{ file: join(cwd, 'set/broken.yaml') }])
    filesIn(cwd, { 'set/acme.yaml': acme('Acme 2'), 'set/other.yaml': templateText('other') })
    const updated = await run(['providers', 'add', 'set'])
    expect(updated.stdout).toContain('Updated acme-set 1.2.3: 2 providers (1 new, 1 changed, 0 gone)')
  })

  it('gives no catalogue the name of another, and takes no file without templates', async () => {
    const { run } = person({ 'a/set.yaml': acme('A'), 'b/set.yaml': acme('B'), 'c.yaml': 'scopes: [a, b]\n' })
    expect((await run(['providers', 'add', 'a/set.yaml'])).status).toBe(0)
    const taken = await run(['providers', 'add', 'b/set.yaml', '--json'])
    expect([taken.status, failure(taken.stderr).code]).toEqual([2, 'NAME_TAKEN'])
    expect((await run(['providers', 'add', 'b/set.yaml', '--as', 'other'])).status).toBe(0)
    expect((await run(['providers', 'add', 'b/set.yaml', '--as', 'SET'])).status).toBe(2)
    expect((await run(['providers', 'add', 'b/set.yaml', '--as', ''])).status).toBe(2)
    expect((await run(['providers', 'add', 'b/set.yaml', '--replace'])).status).toBe(0)
    const none = await run(['providers', 'add', 'c.yaml', '--json'])
    expect([none.status, none.stdout, failure(none.stderr).code]).toEqual([3, '', 'TEMPLATE_INVALID'])
    const absent = await run(['providers', 'add', './absent.yaml', '--json'])
    expect([absent.status, failure(absent.stderr).code]).toEqual([2, 'NO_SUCH_FILE'])
  })

  it('stands behind the project and the person, before what is built in; the first one added wins', async () => {
    const { run, json, home } = person({
      'one.yaml': templateText('github', '', { display_name: 'One' }),
      'two.yaml': templateText('github', '', { display_name: 'Two' }),
    })
    const title = async () => (await json(['providers', 'show', 'github'])).title
    expect((await run(['providers', 'add', 'one.yaml'])).stdout).toMatch(/stands before +the built-in github/)
    await run(['providers', 'add', 'two.yaml'])
    expect(await title()).toBe('One')
    filesIn(home, { 'templates/github.yaml': templateText('github', '', { display_name: 'Mine' }) })
    expect(await title()).toBe('Mine')
    expect((await run(['providers', 'delete', 'github', '--yes'])).status).toBe(0)
    expect((await run(['providers', 'rm', 'one', '--yes'])).status).toBe(0)
    expect(await title()).toBe('Two')
    expect((await run(['providers', 'remove', 'two', '-y'])).status).toBe(0)
    expect(await title()).toBe('GitHub')
  })

  it('deletes only what was added, and only after a yes', async () => {
    const { run } = person({ 'one.yaml': acme('One') })
    await run(['providers', 'add', 'one.yaml'])
    const unsure = await run(['providers', 'delete', 'one', '--json'])
    expect([unsure.status, failure(unsure.stderr).code]).toEqual([2, 'MISSING_INPUT'])
    const near = await run(['providers', 'delete', 'onee', '--yes', '--json'])
    expect([near.status, failure(near.stderr)]).toEqual([
      2,
      expect.objectContaining({ code: 'UNKNOWN_SOURCE', message: expect.stringContaining('Did you mean one?') }),
    ])
    expect((await run(['providers', 'delete', 'zendesk', '--yes'])).status).toBe(2)
  })

  it('takes a thousand at once, and each is found, listed and connected like a built-in one', async () => {
    const { run, json } = person()
    const { folder } = bigCatalogue()
    const { status, stdout } = await run(['providers', 'add', folder])
    expect(status).toBe(0)
    expect(stdout).toMatch(/Added @nangohq\/providers [\d.]+: 1\d{3} providers\n +licence +Elastic License 2\.0/)
    const all = await json(['providers'])
    expect(all.length).toBeGreaterThan(1000)
    expect(all.filter(({ mode }: { mode?: string }) => mode === undefined)).toEqual([])
    const dry = await json(['connect', 'hubspot', '--client-id', 'id', '--client-secret', '', '--dry-run'])
    expect(dry.authorizationUrl).toMatch(/^https:\/\/app\.hubspot\.com\/oauth\/authorize\?/)
  })
})

describe('providers add, of a package', () => {
  /** A stand-in for the person's npm, which packs a folder as npm would. */
  function npmFor(pack: string): { readonly bin: string; readonly log: string } {
    const bin = freshFolder()
    const log = join(bin, 'log')
    writeFileSync(join(bin, 'npm'), `#!/bin/sh\nprintf '%s\\n' "$@" > '${log}'\npwd >> '${log}'\n${pack}\n`)
    chmodSync(join(bin, 'npm'), 0o755)
    return { bin, log }
  }
  const packed = (files: Readonly<Record<string, string>>): string => {
    const folder = freshFolder()
    filesIn(join(folder, 'package'), files)
    return `while [ "$1" != --pack-destination ]; do shift; done; tar -czf "$2/x.tgz" -C '${folder}' package`
  }
  const path = (bin: string) => ({ PATH: `${bin}:${process.env['PATH']}` })

  it('asks the person’s npm, from their folder, runs none of its scripts, and takes providers.yaml', async () => {
    const { run, json, cwd } = person()
    const { bin, log } = npmFor(
      packed({
        'package.json': '{"name":"@acme/set","version":"2.0.0","license":"MIT","scripts":{"preinstall":"false"}}',
        'providers.yaml': acme('Acme'),
        'providers.scopes.yaml': 'acme: [a]\n',
      }),
    )
    const { status, stdout, stderr } = await run(['providers', 'add', '@acme/set@2.0.0'], path(bin))
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/Added @acme\/set 2\.0\.0: 1 provider\n +licence +MIT/)
    const said = readFileSync(log, 'utf8').trim().split('\n')
    expect(said.slice(0, 3)).toEqual(['pack', '@acme/set@2.0.0', '--ignore-scripts'])
    expect(said.at(-1)).toBe(cwd)
    expect(existsSync(said.at(-2) ?? '')).toBe(false)
    expect(names(await json(['providers', '--search', 'acme']))).toEqual(['acme'])
    expect((await run(['providers', 'delete', '@acme/set', '--yes'])).stdout).toContain('Deleted @acme/set')
  })

  it('never lets a file of the package out of its place', async () => {
    const { run, home } = person()
    const { bin } = npmFor(
      packed({ 'package.json': '{"name":"../../evil"}', 'a.yaml': `${acme('A')}"../../evil":\n  a: b\n` }),
    )
    expect((await run(['providers', 'add', 'evil'], path(bin))).status).toBe(0)
    const [folder = ''] = readdirSync(join(home, 'catalogues'))
    expect(readdirSync(join(home, 'catalogues', folder, 'templates'))).toEqual(['acme.yaml'])
    expect(readdirSync(home)).toEqual(expect.not.arrayContaining(['evil', 'evil.yaml']))
  })

  it.each([
    ['the registry does not know it', 'echo "npm error code E404" >&2; exit 1', 2, 'UNKNOWN_PACKAGE'],
    ['the registry cannot be reached', 'echo "npm error code ENOTFOUND" >&2; exit 1', 5, 'UNREACHABLE'],
    ['npm breaks', 'exit 7', 6, 'NPM_FAILED'],
    [
      'what came is no package',
      'while [ "$1" != --pack-destination ]; do shift; done; echo x > "$2/x.tgz"',
      6,
      'NPM_FAILED',
    ],
  ])('says who must act where %s', async (_, pack, status, code) => {
    const { run } = person()
    const ended = await run(['providers', 'add', 'acme-set', '--json'], path(npmFor(pack).bin))
    expect([ended.status, ended.stdout, failure(ended.stderr).code]).toEqual([status, '', code])
  })

  it('says so where there is no npm', async () => {
    const { run } = person()
    const empty = join(freshFolder(), 'bin')
    mkdirSync(empty)
    const ended = await run(['providers', 'add', 'acme-set', '--json'], { PATH: empty })
    expect([ended.status, failure(ended.stderr).code]).toEqual([6, 'NPM_MISSING'])
  })
})

describe('the help of providers', () => {
  it('lists every command and where templates come from', async () => {
    const { run } = person()
    const { stdout } = await run(['providers', '--help'])
    for (const word of [
      'list',
      'show',
      'validate',
      'new',
      'add',
      'delete|rm',
      'sources',
      'first that has the name wins',
    ])
      expect(stdout).toContain(word)
    for (const command of ['show', 'validate', 'new', 'add', 'delete', 'sources', 'list']) {
      const help = await run(['providers', command, '--help'])
      expect([help.status, help.stderr]).toEqual([0, ''])
      expect(help.stdout).toContain(`auth-cli providers ${command}`)
    }
  })
})
