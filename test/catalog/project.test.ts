import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it, test } from 'vitest'
import { findProvider } from '../../src/catalog/find.ts'
import { expand, readProject, referencesIn, type Written } from '../../src/catalog/project.ts'
import { orderedSources } from '../../src/catalog/sources.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'auth-cli-project-')))
afterAll(() => rmSync(root, { recursive: true }))
let home: string
beforeEach(() => {
  home = mkdtempSync(join(root, 'home-'))
})
const write = (path: string, content: string): string => {
  const file = join(home, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content, { mode: 0o600 })
  return file
}
const folder = (path: string): string => {
  mkdirSync(join(home, path), { recursive: true })
  return join(home, path)
}
const failure = async (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error)

const whole = `callback_url: https://me.example.com/\${PATH_PART}
port: 8800
timeout: 60
integrations:
  zendesk-dev:
    provider: zendesk
    client_id: \${ZENDESK_CLIENT_ID}
    client_secret: "\${ZENDESK_CLIENT_SECRET}"
    scopes: [read, write]
    params: { subdomain: acme, number: 5 }
    callback_url: http://localhost:1/x
    port: 8801
    authorization_params: { prompt: login }
    token_params: { tenant: "\${TENANT}-\${TENANT}" }
  github:
    scopes: repo, user gist
templates:
  my-idp:
    display_name: My IdP
    docs: https://x.com
    auth_mode: OAUTH2
    authorization_url: https://x.com/a
    token_url: https://x.com/t
template_folders: [providers]
`

describe('the project file', () => {
  it('is the nearest one upward to home', async () => {
    const outer = write('auth-cli.yaml', 'port: 1\n')
    const cwd = folder('a/b')
    expect(await readProject({ cwd, home })).toMatchObject({ file: outer, settings: { port: 1 } })
    const inner = write('a/auth-cli.yaml', 'port: 2\n')
    expect(await readProject({ cwd, home })).toMatchObject({ file: inner, settings: { port: 2 } })
  })

  it('is never looked for above home', async () => {
    write('auth-cli.yaml', 'port: 1\n')
    const inside = folder('a')
    expect(await readProject({ cwd: inside, home: inside })).toBeUndefined()
  })

  it("is never looked for above the repository's root, which may have one", async () => {
    write('auth-cli.yaml', 'port: 1\n')
    folder('repo/.git')
    const cwd = folder('repo/src')
    expect(await readProject({ cwd, home })).toBeUndefined()
    write('repo/auth-cli.yaml', 'port: 2\n')
    expect(await readProject({ cwd, home })).toMatchObject({ settings: { port: 2 } })
  })

  it('says everything that stands in it, with places, nothing expanded', async () => {
    folder('providers')
    const file = write('auth-cli.yaml', whole)
    const project = await readProject({ cwd: home, home })
    expect(project).toMatchObject({
      integrations: ['zendesk-dev', 'github'],
      settings: { callbackUrl: { text: 'https://me.example.com/${PATH_PART}' }, port: 8800, timeout: 60 },
      references: [{ field: 'callback_url', name: 'PATH_PART' }],
      warnings: [],
    })
    expect(project?.integration('zendesk-dev')).toMatchObject({
      name: 'zendesk-dev',
      provider: 'zendesk',
      clientId: {
        text: '${ZENDESK_CLIENT_ID}',
        field: 'integrations.zendesk-dev.client_id',
        file,
        line: 7,
        column: 16,
      },
      clientSecret: { text: '${ZENDESK_CLIENT_SECRET}', line: 8, column: 20 },
      scopes: [{ text: 'read' }, { text: 'write' }],
      params: { subdomain: { text: 'acme', line: 10, column: 26 }, number: { text: '5' } },
      callbackUrl: { text: 'http://localhost:1/x' },
      port: 8801,
      authorizationParams: { prompt: { text: 'login' } },
      references: [
        { field: 'integrations.zendesk-dev.client_id', name: 'ZENDESK_CLIENT_ID' },
        { field: 'integrations.zendesk-dev.client_secret', name: 'ZENDESK_CLIENT_SECRET' },
        { field: 'integrations.zendesk-dev.token_params.tenant', name: 'TENANT' },
        { field: 'integrations.zendesk-dev.token_params.tenant', name: 'TENANT' },
      ],
    })
    const github = project?.integration('github')
    expect(github?.provider).toBe('github')
    expect(github?.scopes?.map(({ text }) => text)).toEqual(['repo', 'user', 'gist'])
    expect(project?.integration('toString')).toBeUndefined()
  })

  it('changes its hash with its content', async () => {
    write('auth-cli.yaml', 'port: 1\n')
    const first = await (await readProject({ cwd: home, home }))?.hash()
    expect(first).toMatch(/^[0-9a-f]{64}$/)
    write('auth-cli.yaml', 'port: 1 \n')
    expect(await (await readProject({ cwd: home, home }))?.hash()).not.toBe(first)
  })

  it('brings templates of its own, inline and in folders', async () => {
    write('auth-cli.yaml', whole)
    write(
      'providers/other.yaml',
      whole
        .slice(whole.indexOf('  my-idp'))
        .replace(/^ {2}/gm, '')
        .replace('my-idp', 'other')
        .replace(/^template_f.*\n/m, ''),
    )
    const project = await readProject({ cwd: home, home })
    const sources = orderedSources({ project, person: join(home, 'none'), builtIn: join(home, 'none') })
    expect(await findProvider('my-idp', sources)).toMatchObject({ source: { kind: 'project', file: project?.file } })
    expect(await findProvider('other', sources)).toMatchObject({ title: 'My IdP', source: { kind: 'project' } })
  })

  it('places the problems of an inline template in itself', async () => {
    write('auth-cli.yaml', 'templates:\n  x:\n    display_name: 5\n    auth_mode: NONE\n')
    const project = await readProject({ cwd: home, home })
    const found = findProvider(
      'x',
      orderedSources({ project, person: join(home, 'none'), builtIn: join(home, 'none') }),
    )
    expect(await failure(found)).toMatchObject({ problems: [{ field: 'x.display_name', line: 3, column: 19 }] })
  })
})

describe('a project file that may not be read', () => {
  it('because all may write it is refused with the fix', async () => {
    const file = write('auth-cli.yaml', 'port: 1\n')
    chmodSync(file, 0o666)
    expect(await failure(readProject({ cwd: home, home }))).toMatchObject({
      code: 'PROJECT_REFUSED',
      exitCode: 2,
      hint: `Take that away: chmod o-w '${file}'`,
    })
    chmodSync(file, 0o664)
    expect(await readProject({ cwd: home, home })).toBeDefined()
  })

  it('because it is a link to a file elsewhere is refused, and nothing of that file is told', async () => {
    mkdirSync(join(home, 'clone'))
    writeFileSync(join(home, 'private'), 'hidden-word: 1\n')
    symlinkSync(join(home, 'private'), join(home, 'clone', 'auth-cli.yaml'))
    const refusal = await failure(readProject({ cwd: join(home, 'clone'), home }))
    expect(refusal).toMatchObject({ code: 'PROJECT_REFUSED' })
    expect(JSON.stringify(refusal)).not.toContain('hidden-word')
  })

  it('because it belongs to another user is refused', async () => {
    write('auth-cli.yaml', 'port: 1\n')
    expect(await failure(readProject({ cwd: home, home, uid: 54_321 }))).toMatchObject({ code: 'PROJECT_REFUSED' })
  })
})

describe('a broken project file', () => {
  const none = (project: Awaited<ReturnType<typeof readProject>>) =>
    orderedSources({ project, person: join(home, 'none'), builtIn: 'templates' })

  test.each([
    ['unreadable', 'integrations: [\n', 'deficient indentation', 2, 1],
    ['a list', '- a\n', 'it is not a mapping', 1, 1],
    ['with wrong fields', 'templates: [a]\n', 'expected fields, found a list', 1, 12],
  ])('%s is a warning until something is needed that only it may have', async (_, content, message, line, column) => {
    write('auth-cli.yaml', content)
    const project = await readProject({ cwd: home, home })
    expect(project?.warnings).toMatchObject([
      { message: expect.stringContaining(message), line, column, severity: 'warning' },
    ])
    expect(await findProvider('zendesk', none(project))).toMatchObject({ source: { kind: 'built-in' } })
    expect(await failure(findProvider('my-idp', none(project)))).toMatchObject({
      code: 'TEMPLATE_INVALID',
      exitCode: 3,
    })
  })

  it('keeps a broken integration to itself until it is asked for', async () => {
    write(
      'auth-cli.yaml',
      'integrations:\n  good: { provider: zendesk }\n  bad: { client_id: 5, port: 70000, clientsecret: x }\n',
    )
    const project = await readProject({ cwd: home, home })
    expect(project?.integration('good')).toMatchObject({ provider: 'zendesk' })
    expect(project?.warnings.map(({ field, line, column }) => [field, line, column])).toEqual([
      ['integrations.bad.client_id', 3, 21],
      ['integrations.bad.clientsecret', 3, 37],
      ['integrations.bad.port', 3, 30],
    ])
    await expect(async () => project?.integration('bad')).rejects.toMatchObject({
      code: 'TEMPLATE_INVALID',
      exitCode: 3,
    })
    expect(await failure(findProvider('nobody', none(project)))).toMatchObject({ code: 'UNKNOWN_PROVIDER' })
  })

  it('leaves out settings that make no sense', async () => {
    write('auth-cli.yaml', 'port: 70000\ntimeout: -1\n')
    const project = await readProject({ cwd: home, home })
    expect(project?.settings).toEqual({
      callbackUrl: undefined,
      browser: undefined,
      port: undefined,
      timeout: undefined,
    })
    expect(project?.warnings).toHaveLength(2)
  })
})

describe('the template folders of a project', () => {
  const named = async (name: string) => {
    write('repo/auth-cli.yaml', `template_folders: ["${name}"]\n`)
    return readProject({ cwd: join(home, 'repo'), home })
  }

  test.each(['../outside', '/etc', 'link', 'sub/../../outside', '~'])('are not %s', async (name) => {
    write('outside/evil.yaml', 'evil: { display_name: E, auth_mode: NONE }\n')
    folder('repo/sub')
    symlinkSync(join(home, 'outside'), join(home, 'repo/link'))
    const project = await named(name)
    expect(project?.warnings).toMatchObject([{ field: 'template_folders[0]', line: 1, column: 20 }])
    for (const source of project?.sources ?? []) expect(await source.find('evil')).toBeUndefined()
  })

  it('hold no files that lead outside', async () => {
    write('outside/evil.yaml', 'evil: { display_name: E, auth_mode: NONE }\n')
    folder('repo/sub')
    symlinkSync(join(home, 'outside/evil.yaml'), join(home, 'repo/sub/evil.yaml'))
    const project = await named('sub')
    expect(project?.warnings).toEqual([])
    for (const source of project?.sources ?? []) expect(await source.find('evil')).toBeUndefined()
  })
})

describe('a ${NAME}', () => {
  const written = (text: string): Written => ({
    text,
    field: 'integrations.x.client_id',
    file: 'f.yaml',
    line: 3,
    column: 5,
  })

  it('is replaced once the caller says so', () => {
    expect(expand(written('a-${ONE}-${TWO}'), { ONE: '1', TWO: '${ONE}' })).toBe('a-1-${ONE}')
    expect(expand(written('plain $HOME ${not a name}'), {})).toBe('plain $HOME ${not a name}')
    expect(referencesIn(written('${A}${B}')).map(({ name }) => name)).toEqual(['A', 'B'])
  })

  test.each([{}, { ONE: '' }, { ONE: undefined }])('that is not set (%j) names variable and place', (env) => {
    expect(() => expand(written('${ONE}'), env)).toThrow(
      expect.objectContaining({
        code: 'MISSING_INPUT',
        message: 'integrations.x.client_id needs the environment variable ONE, which is not set.',
        facts: [['Written in', 'f.yaml:3:5']],
      }),
    )
  })
})
