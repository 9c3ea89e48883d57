import { chmodSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Problem } from '../src/model/errors.ts'
import { validate } from '../src/validate.ts'
import { freshFolder } from './support/disk.ts'
import { bigCatalogue, filesIn, templateText } from './support/templates.ts'

const builtIn = new URL('../templates', import.meta.url).pathname

const worldAt = (cwd: string) => ({
  cwd,
  folders: { builtIn, person: join(cwd, 'absent'), home: homedir() },
})

/** What is said of one file: line, column, field, message, fix, graver ones marked. */
async function said(text: string | Uint8Array, file = 'x.yaml'): Promise<string[]> {
  const cwd = filesIn(freshFolder(), { [file]: text })
  const { problems } = await validate(worldAt(cwd), [file])
  for (const problem of problems) expect(problem.file).toBe(join(cwd, file))
  return problems.map(shown)
}

function shown({ line, column, field, message, fix, severity }: Problem): string {
  const place = line === undefined ? '' : `${line}:${column} `
  return `${severity === 'error' ? '' : `(${severity}) `}${place}${field ?? '-'}: ${message} | ${fix}`
}

const headers = (line: string) =>
  templateText('x', `  proxy:\n    base_url: https://acme.example\n    headers:\n      ${line}\n`)
const question = (line: string) =>
  templateText(
    'x',
    `  connection_config:\n    s:\n      type: string\n      title: S\n      description: d\n      ${line}\n`,
  )

describe('what is wrong with a template', () => {
  it('is nothing where there is nothing to mend', async () => {
    expect(await said(templateText('x'))).toEqual([])
    expect(await said('x:\n  alias: zendesk\n  default_scopes: [read]\n')).toEqual([])
  })

  it.each<[string, string, string]>([
    [
      'a misspelt field',
      templateText('x', '  scope_seperator: ","\n'),
      '(warning) 7:3 x.scope_seperator: this field is not known | Did you mean scope_separator?',
    ],
    ['a misspelt mode', templateText('x', '', { auth_mode: 'OAUHT2' }), '4:14 x.auth_mode: expected one of'],
    [
      'a wrong type',
      templateText('x', '  disable_pkce: "yes"\n'),
      '7:17 x.disable_pkce: expected true or false, found "yes" | Write true or false.',
    ],
    [
      'an alias of nobody',
      'x:\n  alias: nobody\n',
      '2:3 x.alias: there is no template called "nobody" | Correct the name.',
    ],
    ['an alias in a circle', 'x:\n  alias: y\ny:\n  alias: x\n', '2:3 x.alias: it goes in a circle: y → x → y'],
    [
      'an answer nobody gives',
      templateText('x', '', { token_url: 'https://${connectionConfig.sub}.acme.example/t' }),
      '(warning) 6:14 x.token_url: nothing asks for ${connectionConfig.sub} | Declare sub under connection_config.',
    ],
    [
      'a forgotten name',
      templateText('x').replace('x:\n', '').replace(/^ {2}/gm, ''),
      '1:1 -: the name of the template is missing above its fields | Begin the file with "x:"',
    ],
    [
      'another name than its file',
      templateText('y'),
      '(warning) 1:1 y: in a folder of templates it is not found in a file called x.yaml | Call the file y.yaml.',
    ],
    ['a name that is none', '"a name": {}\n', '1:1 a name: this cannot be a name'],
    ['an empty file', '', '1:1 -: it is empty'],
    ['a list', '- a\n', '1:1 -: it is not a mapping'],
    ['tabs', 'x:\n\tdisplay_name: X\n', '2:1 -: tab characters must not be used'],
  ])('has its place and its fix: %s', async (_, text, expected) => {
    const all = await said(text)
    expect(
      all.find((one) => one.startsWith(expected)),
      all.join('\n'),
    ).toBeDefined()
  })

  it('is told whole, in the order of the lines', async () => {
    const all = await said(templateText('x', '  disable_pkce: 1\n  default_scopes: a\n', { token_url: 'ftp://x' }))
    expect(all.map((one) => one.split(' ')[1])).toEqual(['x.token_url:', 'x.disable_pkce:', 'x.default_scopes:'])
  })
})

describe('a template from a stranger', () => {
  it.each<[string, string | Uint8Array, string]>([
    ['anchors that multiply', 'a: &a [x, x]\nb: &b [*a, *a]\n', '1:4 -: anchors (&name) are not allowed'],
    ['merge keys', 'x:\n  <<: { a: b }\n', '2:3 -: the key "<<" is not allowed'],
    ['a prototype in a field', 'x:\n  __proto__:\n    polluted: true\n', '2:3 -: the key "__proto__" is not allowed'],
    ['a prototype for a name', '__proto__:\n  polluted: true\n', '1:1 -: the key "__proto__" is not allowed'],
    ['a constructor', templateText('x', '  constructor: 1\n'), '7:3 -: the key "constructor" is not allowed'],
    ['depth', `x: ${'['.repeat(100)}${']'.repeat(100)}\n`, '1:35 -: it is nested more than 32 deep'],
    ['size', `x: ${'y'.repeat(6 * 1024 * 1024)}\n`, '-: it is larger than 5 MB | Split it.'],
    ['number', `x: [${'1,'.repeat(700_000)}]\n`, '-: it holds too many values'],
    ['code', 'x: !!js/function "process.exit()"\n', '1:4 -: unknown scalar tag'],
    [
      'a script for an endpoint',
      templateText('x', '', { authorization_url: 'javascript:alert(1)' }),
      '5:22 x.authorization_url: it is not an http or https URL',
    ],
    [
      'a file for an endpoint',
      templateText('x', '', { token_url: 'file:///etc/passwd' }),
      '6:14 x.token_url: it is not an http or https URL',
    ],
    [
      'a user name in an endpoint',
      templateText('x', '', { token_url: 'https://u:p@acme.example/' }),
      '6:14 x.token_url: it holds a user name or password',
    ],
    [
      'a line break in an endpoint',
      templateText('x', '', { token_url: '"https://acme.example/\\r\\nHost: evil"' }),
      '6:14 x.token_url: it contains blanks, backslashes or control',
    ],
    [
      'a line break in a header',
      headers('x-a: "b\\r\\nset-cookie: c"'),
      '10:12 x.proxy.headers.x-a: a header may not hold line breaks',
    ],
    ['a line break in the name of a header', headers('"x-a\\r\\nset-cookie": c'), '10:28 x.proxy.headers.x-a'],
    [
      'escape sequences in a title',
      templateText('x', '', { display_name: '"\\e]0;pwned\\a\\e[2JX\\u202e"' }),
      '(warning) 2:17 x.display_name: it holds control or invisible characters',
    ],
    [
      'escape sequences in a question',
      question('example: "\\e[31m"'),
      '(warning) 12:16 x.connection_config.s.example: it holds control',
    ],
    [
      'a pattern without an end',
      question('pattern: ^(a+)+$'),
      '(warning) 12:16 x.connection_config.s.pattern: a repetition within a repetition',
    ],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0, 1]), '1:3 -: null byte'],
  ])('is refused or warned of: %s', async (_, text, expected) => {
    const all = await said(text)
    expect(
      all.find((one) => one.startsWith(expected)),
      all.join('\n').slice(0, 2000),
    ).toBeDefined()
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('may hold line breaks where they are part of what is computed', async () => {
    const all = await said(headers('authorization: "Basic ${base64(a\\nb)}"'))
    expect(all.filter((one) => !one.startsWith('(note)'))).toEqual([])
  })
})

describe('a folder of templates', () => {
  it('is looked at file by file, and a broken one stops nothing', async () => {
    const cwd = filesIn(freshFolder(), {
      'folder/a.yaml': templateText('a', '  alias: b\n'),
      'folder/b.yml': templateText('b'),
      'folder/broken.yaml': 'broken: [\n',
      'folder/c.yaml': templateText('b'),
      'folder/notes.txt': ': : :',
    })
    const verdict = await validate(worldAt(cwd), ['folder'])
    expect([verdict.files, verdict.templates]).toEqual([4, 3])
    expect(verdict.problems.map(({ file, severity }) => [file.slice(cwd.length), severity])).toEqual([
      ['/folder/broken.yaml', 'error'],
      ['/folder/c.yaml', 'warning'],
      ['/folder/c.yaml', 'warning'],
    ])
  })

  it('lets an alias build on its neighbour, on the catalogue, and on the template that it hides', async () => {
    const cwd = filesIn(freshFolder(), {
      'a.yaml': 'a:\n  alias: b\n',
      'b.yaml': templateText('b'),
      'github.yaml': 'github:\n  alias: github\n  default_scopes: [repo]\n',
    })
    expect((await validate(worldAt(cwd), ['.'])).problems).toEqual([])
  })

  it('is looked at even where the project file beside it may not be read', async () => {
    const cwd = filesIn(freshFolder(), { 'auth-cli.yaml': 'templates: {}\n', 'a.yaml': 'a:\n  alias: github\n' })
    chmodSync(join(cwd, 'auth-cli.yaml'), 0o666)
    expect((await validate(worldAt(cwd), ['a.yaml'])).problems).toEqual([])
  })

  it('must be there, with something in it', async () => {
    const cwd = filesIn(freshFolder(), { 'empty/x.txt': '' })
    await expect(validate(worldAt(cwd), ['absent.yaml'])).rejects.toMatchObject({ code: 'NO_SUCH_FILE', exitCode: 2 })
    await expect(validate(worldAt(cwd), ['empty'])).rejects.toMatchObject({ code: 'NO_TEMPLATES', exitCode: 2 })
  })
})

describe('a project file', () => {
  it('has its own fields and its templates looked at, as gravely as they are', async () => {
    const text = `integration: {}\nintegrations:\n  a:\n    port: 99999\ntemplates:\n  x:\n    display_name: X\n    auth_mode: OAUTH2\n    docs: d\n    token_url: https://a.example\n`
    expect(await said(text, 'auth-cli.yaml')).toEqual([
      '(warning) 1:1 integration: this field is not known | Did you mean integrations?',
      '4:11 integrations.a.port: expected a port, 0 to 65535 | Correct the number.',
      expect.stringMatching(/^6:3 x\.authorization_url: this field is missing/),
    ])
  })
})

describe('a catalogue of a thousand that others keep', () => {
  it('has no errors, and says what is odd about it', async () => {
    const { file } = bigCatalogue()
    const { problems, templates } = await validate(worldAt(freshFolder()), [file])
    expect(templates).toBeGreaterThan(1000)
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([])
    expect(problems.filter(({ severity }) => severity === 'warning').length).toBeLessThan(20)
    const notes = new Set(problems.filter(({ severity }) => severity === 'note').map(({ field }) => field))
    expect([notes.has('jira'), notes.has('zendesk')]).toEqual([true, false])
  })
})
