import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parseYaml } from '../../src/catalog/read.ts'
import { runCli } from '../support/cli.ts'
import { freshFolder } from '../support/disk.ts'
import { newPerson } from '../support/person.ts'
import { filesIn, templateText } from '../support/templates.ts'

const endpoints = [
  '--authorization-url',
  'https://{tenant}.idp.example/auth',
  '--token-url',
  'https://idp.example/token',
]

function somebody(files: Readonly<Record<string, string>> = {}) {
  const home = freshFolder()
  const cwd = filesIn(freshFolder(), files)
  const run = (args: readonly string[]) => runCli(args, { home, cwd })
  return { home, cwd, run }
}

/** An issuer that publishes this of itself, its own URL in place of `{issuer}`. */
async function issuer(published: object, path = '/.well-known/openid-configuration'): Promise<string> {
  let own = ''
  const server = createServer((request, response) => {
    response.writeHead(request.url === path ? 200 : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify(published).replaceAll('{issuer}', own))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  own = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return own
}

const failure = (stderr: string) => JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '').error

describe('providers new', () => {
  it('writes a commented template that validates clean, shows, and is ready to connect', async () => {
    const { run, home } = somebody()
    const { status, stdout, stderr } = await run(['providers', 'new', 'my-idp', ...endpoints, '--scope', 'read,write'])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const file = join(home, 'templates', 'my-idp.yaml')
    expect(stdout).toContain(`Wrote ${file}`)
    expect((await run(['providers', 'validate', file])).stdout).toBe('+ 1 template in 1 file: nothing to mend\n')
    expect((await run(['connect', 'my-idp', '--help'])).stdout).toMatch(/My Idp asks:\n +--tenant <value>/)
    const dry = await run([
      'connect',
      'my-idp',
      '--tenant',
      'acme',
      '--client-id',
      'a',
      '--client-secret',
      '',
      '--dry-run',
      '--json',
    ])
    expect(JSON.parse(dry.stdout)).toMatchObject({
      authorizationUrl: expect.stringMatching(/^https:\/\/acme\.idp\.example\/auth\?.*scope=read\+write/),
      tokenRequest: { url: 'https://idp.example/token' },
    })
  })

  it('writes the schema beside it, by which an editor finds nothing wrong either', async () => {
    const { run, home } = somebody()
    await run(['providers', 'new', 'my-idp', ...endpoints])
    const text = readFileSync(join(home, 'templates', 'my-idp.yaml'), 'utf8')
    const [, schema = ''] = /^# yaml-language-server: \$schema=(.*)\n/.exec(text) ?? []
    const validates = new Ajv({ allowUnionTypes: true, formats: { regex: true } }).compile(
      JSON.parse(readFileSync(join(home, 'templates', schema), 'utf8')),
    )
    expect(validates((await parseYaml(text, 'f')).value)).toBe(true)
  })

  it('is still valid with every commented line in it made real', async () => {
    const { run, cwd } = somebody()
    const { stdout } = await run([
      'providers',
      'new',
      'my-idp',
      '--authorization-url',
      'https://a.example',
      '--token-url',
      'https://a.example/t',
      '--stdout',
    ])
    const fields = stdout.replace(/^ {2}# (?=[a-z_]+:| {2})/gm, '  ')
    expect(fields.match(/^ {2}[a-z_]+:/gm)?.length).toBeGreaterThan(14)
    filesIn(cwd, { 'my-idp.yaml': fields })
    expect((await run(['providers', 'validate', 'my-idp.yaml'])).stdout).toContain('nothing to mend')
  })

  it('prints it and writes nothing with --stdout', async () => {
    const { run, home } = somebody()
    const { status, stdout } = await run(['providers', 'new', 'my-idp', ...endpoints, '--stdout'])
    expect([status, stdout.includes('\nmy-idp:\n')]).toEqual([0, true])
    expect(existsSync(join(home, 'templates'))).toBe(false)
  })

  it('never writes over a template without being told to', async () => {
    const { run, home } = somebody()
    filesIn(home, { 'templates/my-idp.yaml': templateText('my-idp') })
    const taken = await run(['providers', 'new', 'my-idp', ...endpoints, '--json'])
    expect([taken.status, taken.stdout, failure(taken.stderr).code]).toEqual([2, '', 'NAME_TAKEN'])
    expect(readFileSync(join(home, 'templates', 'my-idp.yaml'), 'utf8')).toBe(templateText('my-idp'))
    expect((await run(['providers', 'new', 'my-idp', ...endpoints, '--replace'])).status).toBe(0)
  })

  it('names every missing flag at once where nobody can be asked, and refuses what cannot be', async () => {
    const { run } = somebody()
    const missing = await run(['providers', 'new', 'my-idp', '--json'])
    expect([missing.status, failure(missing.stderr).message]).toEqual([2, 'Missing: --authorization-url, --token-url'])
    for (const words of [
      ['../evil', ...endpoints],
      ['my-idp', '--authorization-url', 'ftp://a', '--token-url', 'https://a.example'],
      ['my-idp', '--authorization-url', 'https://a.example', '--token-url', 'nonsense'],
      ['my-idp', ...endpoints, '--stdout', '--project'],
    ]) {
      const { status, stdout } = await run(['providers', 'new', ...words, '--json'])
      expect([status, stdout]).toEqual([2, ''])
    }
  })

  it('quotes what YAML would take for something else', async () => {
    const { run, cwd } = somebody()
    const title = 'yes: "no" # \u2028\n  evil: true'
    const { stdout } = await run([
      'providers',
      'new',
      'a',
      ...endpoints,
      '--title',
      title,
      '--scope',
      'a:b "c" #d',
      '--stdout',
    ])
    filesIn(cwd, { 'a.yaml': stdout })
    const { a } = (await parseYaml(stdout, 'f')).value as { a: Record<string, unknown> }
    expect(a).toMatchObject({ display_name: title, default_scopes: ['a:b', '"c"', '#d'] })
    expect(a).not.toHaveProperty('evil')
  })

  it('asks on a terminal for what it does not know', async () => {
    const person = newPerson()
    const flow = person.startOnTerminal(['providers', 'new', 'my-idp', '--no-color'])
    const answers: [RegExp, string][] = [
      [/Issuer URL/, ''],
      [/Name people know it by/, 'Mine'],
      [/Authorization URL/, 'https://{org}.idp.example/auth'],
      [/Token URL/, 'https://idp.example/token'],
      [/Base URL of its API/, ''],
      [/Scopes to ask for/, 'read'],
      [/Its documentation/, 'https://idp.example/docs'],
    ]
    for (const [question, answer] of answers) {
      await flow.shows(question)
      flow.type(`${answer}\r`)
    }
    await flow.shows(/Wrote /)
    expect((await flow.ended).status).toBe(0)
    const text = readFileSync(join(person.home, 'templates', 'my-idp.yaml'), 'utf8')
    expect((await parseYaml(text, 'f')).value).toMatchObject({
      'my-idp': {
        display_name: 'Mine',
        docs: 'https://idp.example/docs',
        authorization_url: 'https://${connectionConfig.org}.idp.example/auth',
        default_scopes: ['read'],
        connection_config: { org: { prefix: 'https://', suffix: '.idp.example' } },
      },
    })
  })
})

describe('providers new, from an issuer', () => {
  const published = {
    issuer: '{issuer}',
    authorization_endpoint: '{issuer}/auth',
    token_endpoint: '{issuer}/token',
    revocation_endpoint: '{issuer}/revoke',
    response_types_supported: ['code'],
    scopes_supported: ['openid', 'profile', 'offline_access\n  evil: true'],
    token_endpoint_auth_methods_supported: ['client_secret_basic'],
    code_challenge_methods_supported: ['plain'],
    service_documentation: 'javascript:alert(1)',
  }
  const drafted = async (of: object, path?: string) => {
    const at = await issuer(of, path)
    const { run, cwd } = somebody()
    const ended = await run(['providers', 'new', 'idp', '--issuer', at, '--stdout'])
    filesIn(cwd, { 'idp.yaml': ended.stdout })
    const checked = await run(['providers', 'validate', 'idp.yaml'])
    return { at, ended, checked, idp: ((await parseYaml(ended.stdout, 'f')).value as { idp: object }).idp }
  }

  it('takes its endpoints, how it wants the client named, and whether it knows PKCE', async () => {
    const { at, ended, checked, idp } = await drafted(published)
    expect([ended.status, ended.stderr]).toEqual([0, ''])
    expect(checked.stdout).toContain('nothing to mend')
    expect(idp).toMatchObject({
      issuer: at,
      authorization_url: `${at}/auth`,
      token_url: `${at}/token`,
      authorization_method: 'header',
      disable_pkce: true,
      default_scopes: ['openid'],
      docs: at,
    })
    expect(idp).not.toHaveProperty('evil')
  })

  it('finds the metadata of plain OAuth too, and leaves what is usual as a comment', async () => {
    const { idp } = await drafted(
      {
        ...published,
        token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
        code_challenge_methods_supported: ['S256'],
        scopes_supported: undefined,
      },
      '/.well-known/oauth-authorization-server',
    )
    for (const field of ['authorization_method', 'disable_pkce', 'default_scopes'])
      expect(idp).not.toHaveProperty(field)
  })

  it('refuses metadata of another issuer, none at all, and an issuer that is no URL', async () => {
    const { run } = somebody()
    const other = await issuer({ ...published, issuer: 'https://other.example' })
    const wrong = await run(['providers', 'new', 'idp', '--issuer', other, '--json'])
    expect([wrong.status, failure(wrong.stderr).code]).toEqual([4, 'ISSUER_MISMATCH'])
    const none = await run(['providers', 'new', 'idp', '--issuer', `${other}/none`, '--json'])
    expect([none.status, failure(none.stderr).hint]).toEqual([4, expect.stringContaining(`${other}/none/.well-known`)])
    expect((await run(['providers', 'new', 'idp', '--issuer', 'nonsense'])).status).toBe(2)
    expect((await run(['providers', 'new', 'idp', '--issuer', 'http://login.example.com'])).status).toBe(2)
  })
})

describe('providers new --project', () => {
  it('begins a project where there is none', async () => {
    const { run, cwd } = somebody()
    const { stdout } = await run(['providers', 'new', 'zendesk', ...endpoints, '--project'])
    expect(stdout).toContain('Wrote templates/zendesk.yaml')
    expect(stdout).toContain('It stands before the template of that name that is built in.')
    expect(readdirSync(cwd)).toEqual(['auth-cli.yaml', 'templates'])
    expect((await run(['providers', 'show', 'zendesk'])).stdout).toMatch(/OAUTH2 . project/)
  })

  it('uses the folder that the project has', async () => {
    const { run, cwd } = somebody({ 'auth-cli.yaml': 'template_folders: [idps]\n', 'idps/x.txt': '' })
    await run(['providers', 'new', 'my-idp', ...endpoints, '--project'])
    expect(existsSync(join(cwd, 'idps', 'my-idp.yaml'))).toBe(true)
    expect(readFileSync(join(cwd, 'auth-cli.yaml'), 'utf8')).toBe('template_folders: [idps]\n')
  })

  it('tells a project of its new folder and changes nothing else in it', async () => {
    const before = '# ours\nintegrations:\n  a:\n    provider: github'
    const { run, cwd } = somebody({ 'auth-cli.yaml': before })
    expect((await run(['providers', 'new', 'my-idp', ...endpoints, '--project'])).status).toBe(0)
    expect(readFileSync(join(cwd, 'auth-cli.yaml'), 'utf8')).toBe(`${before}\ntemplate_folders: [templates]\n`)
  })

  it('leaves a project as it was that cannot be told', async () => {
    const before = '{ integrations: {} }\n'
    const { run, cwd } = somebody({ 'auth-cli.yaml': before })
    const { status, stderr } = await run(['providers', 'new', 'my-idp', ...endpoints, '--project', '--json'])
    expect([status, failure(stderr).hint]).toEqual([2, expect.stringContaining('template_folders: [templates]')])
    expect(readFileSync(join(cwd, 'auth-cli.yaml'), 'utf8')).toBe(before)
  })
})
