import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { findProvider } from '../../src/catalog/find.ts'
import { listProviders, orderedSources } from '../../src/catalog/sources.ts'

const root = mkdtempSync(join(tmpdir(), 'auth-cli-find-'))
afterAll(() => rmSync(root, { recursive: true }))
const folder = (name: string, files: Record<string, string>): string => {
  const path = join(root, name)
  mkdirSync(path, { recursive: true })
  for (const [file, content] of Object.entries(files)) writeFileSync(join(path, `${file}.yaml`), content)
  return path
}
const template = (name: string, title: string, more = ''): string =>
  `${name}:\n  display_name: ${title}\n  docs: https://x.com\n  auth_mode: OAUTH2\n  authorization_url: https://x.com/a\n  token_url: https://x.com/t\n${more}`

const builtIn = folder('built-in', {
  zendesk: template('zendesk', 'Zendesk'),
  google: template('google', 'Google', '  default_scopes: [a]\n'),
  broken: 'broken:\n  display_name: 5\n  auth_mode: OAUT2\n',
  unparsable: 'unparsable: [\n',
})
const person = folder('person', {
  zendesk: 'zendesk:\n  alias: zendesk\n  default_scopes: [read]\n',
  mail: 'mail:\n  alias: google\n  display_name: "\\e[1mMail\\u202e"\n',
  odd: template('odd', '"\\e[31m"', '  frobnicate: 1\n'),
  up: 'up: { alias: added-one }\n',
})
const many = join(root, 'many.yaml')
writeFileSync(many, `${template('google', 'Other Google')}${template('added-one', 'Added')}down: { alias: mail }\n`)
const sources = orderedSources({ person, added: [{ path: many }], builtIn })
const failure = async (name: string): Promise<unknown> => findProvider(name, sources).catch((error: unknown) => error)

describe('a provider', () => {
  it('is read, checked and told where it came from', async () => {
    const provider = await findProvider('google', orderedSources({ person: join(root, 'absent'), builtIn }))
    expect(provider).toMatchObject({
      name: 'google',
      title: 'Google',
      template: { auth_mode: 'OAUTH2', default_scopes: ['a'] },
      source: { kind: 'built-in', file: join(builtIn, 'google.yaml'), hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
      hides: [],
      warnings: [],
    })
  })

  it('comes from the first source that has it, which hides the others', async () => {
    const provider = await findProvider('google', sources)
    expect(provider).toMatchObject({
      title: 'Other Google',
      source: { kind: 'added', file: many },
      hides: [{ kind: 'built-in', file: join(builtIn, 'google.yaml') }],
    })
    expect(provider.hides[0]?.hash).not.toBe(provider.source.hash)
  })

  it('may build on the template that it hides', async () => {
    const provider = await findProvider('zendesk', sources)
    expect(provider).toMatchObject({
      title: 'Zendesk',
      names: ['zendesk', 'zendesk'],
      template: { default_scopes: ['read'], token_url: 'https://x.com/t' },
      source: { kind: 'person' },
      hides: [{ kind: 'built-in' }],
    })
  })

  it('may be an alias of a template in a later source', async () => {
    expect(await findProvider('mail', sources)).toMatchObject({
      title: 'Mail',
      names: ['mail', 'google'],
      template: { token_url: 'https://x.com/t' },
    })
    expect(await findProvider('up', sources)).toMatchObject({ title: 'Added', source: { kind: 'person' } })
  })

  it('is never an alias of a template in an earlier source', async () => {
    expect(await failure('down')).toMatchObject({
      code: 'TEMPLATE_INVALID',
      problems: [{ message: 'there is no template called "mail"' }],
    })
  })

  it('whose title is nothing but escape sequences is called by its name, with a warning for what is not known', async () => {
    expect(await findProvider('odd', sources)).toMatchObject({
      title: 'odd',
      warnings: [
        { field: 'odd.frobnicate', line: 7, column: 3 },
        { field: 'odd.display_name', line: 2, column: 17 },
      ],
    })
  })

  it('that is broken is refused with every problem', async () => {
    expect(await failure('broken')).toMatchObject({
      code: 'TEMPLATE_INVALID',
      exitCode: 3,
      message: expect.stringContaining('broken.yaml:2:17: broken.display_name: expected text, found 5 (and 1 more)'),
      problems: [
        { field: 'broken.display_name', line: 2, column: 17 },
        { field: 'broken.auth_mode', line: 3, column: 14, fix: 'Did you mean OAUTH2?' },
      ],
    })
    expect(await failure('unparsable')).toMatchObject({ code: 'TEMPLATE_INVALID' })
  })

  it('that nobody knows brings the nearest names', async () => {
    expect(await failure('zendesc')).toMatchObject({
      code: 'UNKNOWN_PROVIDER',
      exitCode: 2,
      message: 'There is no provider called "zendesc". Did you mean zendesk?',
      hint: 'List them with auth-cli providers, or describe yours: auth-cli providers new zendesc',
    })
    expect(await failure('\u001b[31mfrob')).toMatchObject({ message: 'There is no provider called "frob".' })
    expect(await failure('../secret')).toMatchObject({ code: 'UNKNOWN_PROVIDER' })
    const known = await findProvider('zendesk-de', sources, ['zendesk-dev']).catch((error: unknown) => error)
    expect(known).toMatchObject({ message: expect.stringContaining('Did you mean zendesk-dev') })
  })
})

describe('the list of providers', () => {
  it('has each name once, with title, mode and source, broken ones too', async () => {
    const listed = await listProviders(sources)
    expect(listed.map(({ name, title, mode, source }) => [name, title, mode, source.kind])).toEqual([
      ['added-one', 'Added', 'OAUTH2', 'added'],
      ['broken', '5', 'OAUT2', 'built-in'],
      ['down', 'down', undefined, 'added'],
      ['google', 'Other Google', 'OAUTH2', 'added'],
      ['mail', 'Mail', 'OAUTH2', 'person'],
      ['odd', 'odd', 'OAUTH2', 'person'],
      ['unparsable', 'unparsable', undefined, 'built-in'],
      ['up', 'up', undefined, 'person'],
      ['zendesk', 'Zendesk', 'OAUTH2', 'person'],
    ])
  })
})
