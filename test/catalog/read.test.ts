import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { afterAll, describe, expect, it, test } from 'vitest'
import { glance } from '../../src/catalog/glance.ts'
import { findTemplate, parseYaml } from '../../src/catalog/read.ts'
import { TemplateError } from '../../src/model/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'auth-cli-read-'))
afterAll(() => rmSync(folder, { recursive: true }))
const write = (name: string, content: string | Uint8Array): string => {
  const file = join(folder, name)
  writeFileSync(file, content)
  return file
}
const failure = async (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error)

describe('a broken file', () => {
  test.each([
    ['a duplicate key', 'a:\n  b: 1\n  b: 2\n', 3, 3, 'duplicated mapping key'],
    ['a colon in plain text', 'a:\n  b: c: d\n', 2, 7, 'bad indentation'],
    ['a tab for indentation', 'a:\n\tb: 1\n', 2, 1, ''],
    ['fields of one block indented unalike', 'a:\n  b: 1\n c: 2\n', 3, 2, 'bad indentation'],
    ['an open bracket', 'a:\n  b: [x\nc: 1\n', 3, 1, ''],
    ['an open quote', 'a:\n  b: "x\nc: 1\n', 3, 1, ''],
    ['a tag of its own', 'a:\n  b: !!js/function "x"\n', 2, 6, 'tag'],
    ['an anchor', 'a:\n  b: &x 1\n', 2, 6, 'anchors'],
    ['a reference', 'a: &x 1\nb: *x\n', 1, 4, 'anchors'],
    ['a merge key', 'a:\n  <<: {b: 1}\n', 2, 3, '"<<"'],
    ['a key of the prototype', 'a:\n  __proto__:\n    b: 1\n', 2, 3, '"__proto__"'],
    ['a quoted key of the prototype', 'a: {"constructor": 1}\n', 1, 5, '"constructor"'],
    ['a second document', 'a: 1\n---\nb: 2\n', undefined, undefined, 'several documents'],
    ['a mapping as key', '? {a: 1}\n: 2\n', 1, 1, 'complex keys'],
    ['nesting without end', `a: ${'['.repeat(200)}`, 1, 35, 'nested'],
  ])('with %s is named with its place and a fix', async (_, content, line, column, message) => {
    const error = await failure(parseYaml(content, 'my.yaml'))
    expect(error).toBeInstanceOf(TemplateError)
    const [problem] = (error as TemplateError).problems
    expect(problem).toMatchObject({ file: 'my.yaml', message: expect.stringContaining(message) })
    expect([problem?.line, problem?.column]).toEqual([line, column])
    expect(problem?.fix).toMatch(/\.$/)
  })

  it('counts lines from where its text begins', async () => {
    const error = await failure(parseYaml('a:\n  b: 1\n  b: 2\n', 'my.yaml', 40))
    expect(error).toMatchObject({ problems: [{ line: 42, column: 3 }] })
  })

  it('that references bombs is refused before anything expands', async () => {
    const bomb = [
      'a: &a [x,x]',
      ...'bcdefghij'.split('').map((c, i) => `${c}: &${c} [*${'abcdefghi'[i]},*${'abcdefghi'[i]}]`),
    ]
    expect(await failure(parseYaml(bomb.join('\n'), 'my.yaml'))).toMatchObject({ code: 'TEMPLATE_INVALID' })
  })

  it('that is too large or holds too many values is refused unparsed', async () => {
    const large = write('large.yaml', Buffer.alloc(5 * 1024 * 1024 + 1, 0x61))
    expect(await failure(findTemplate('a', large))).toMatchObject({ problems: [{ message: 'it is larger than 5 MB' }] })
    const many = `a: [${'[],'.repeat(400_000)}]`
    expect(await failure(parseYaml(many, 'm.yaml'))).toMatchObject({
      problems: [{ message: 'it holds too many values' }],
    })
  })

  it('that is empty, or only comments, holds nothing', async () => {
    expect((await parseYaml('', 'my.yaml')).value).toBeUndefined()
    expect((await parseYaml('# nothing\n', 'my.yaml')).value).toBeUndefined()
  })
})

describe('the place of a field', () => {
  const text =
    '\uFEFFzendesk:\n  display_name: "Z"\n  default_scopes:\n    - a\n    - b\n  flow: {x: 1, y: [p, q]}\n  empty:\n'
  test.each([
    [['zendesk'], 'key', 1, 1],
    [['zendesk', 'display_name'], 'key', 2, 3],
    [['zendesk', 'display_name'], 'value', 2, 17],
    [['zendesk', 'default_scopes', 1], 'value', 5, 7],
    [['zendesk', 'flow', 'y', 1], 'value', 6, 23],
    [['zendesk', 'empty'], 'value', 7, 3],
    [['zendesk', 'missing', 'deeper'], 'value', 1, 1],
  ] as const)('%j (%s) is line %i, column %i', async (path, what, line, column) => {
    const { placeOf } = await parseYaml(text, 'my.yaml')
    expect(placeOf(path, what)).toEqual({ file: 'my.yaml', line, column })
  })
})

describe('a folder of templates', () => {
  const templates = join(folder, 'templates')
  mkdirSync(templates)
  writeFileSync(join(templates, 'acme.yaml'), 'acme:\n  display_name: Acme\n  auth_mode: OAUTH2\n')
  writeFileSync(join(templates, 'other.yml'), 'other: {display_name: Other}\n')
  writeFileSync(join(templates, 'wrong.yaml'), '\n\nright:\n  display_name: R\n')
  writeFileSync(join(templates, 'two.yaml'), 'two:\n  display_name: Two\nthree:\n  display_name: Three\n')
  writeFileSync(join(templates, 'list.yaml'), '- a\n')
  writeFileSync(join(templates, 'notes.txt'), 'x')
  writeFileSync(join(folder, 'secret.yaml'), 'secret: {display_name: No}\n')

  it('gives the one that is asked for', async () => {
    const entry = await findTemplate('acme', templates)
    expect(entry).toMatchObject({ name: 'acme', value: { display_name: 'Acme', auth_mode: 'OAUTH2' }, warnings: [] })
    expect(entry?.placeOf(['auth_mode'], 'value')).toMatchObject({ line: 3, column: 14 })
    expect(await findTemplate('other', templates)).toMatchObject({ value: { display_name: 'Other' } })
  })

  test.each(['nothing', '../secret', 'a/b', '', '.', '__proto__', 'constructor', 'a\0b', 'x'.repeat(101)])(
    'does not have %j',
    async (name) => {
      expect(await findTemplate(name, templates)).toBeUndefined()
    },
  )

  it('says which name a file should have', async () => {
    expect(await failure(findTemplate('wrong', templates))).toMatchObject({
      problems: [{ line: 3, column: 1, message: 'its template is called "right", not "wrong"' }],
    })
    expect(await failure(findTemplate('list', templates))).toMatchObject({
      problems: [{ message: 'it is not a mapping' }],
    })
  })

  it('warns of further templates in a file', async () => {
    expect(await findTemplate('two', templates)).toMatchObject({
      value: { display_name: 'Two' },
      warnings: [{ severity: 'warning', line: 3, column: 1, field: 'three' }],
    })
  })

  it('refuses what is no regular file', async () => {
    mkdirSync(join(templates, 'dir.yaml'))
    expect(await failure(findTemplate('dir', templates))).toMatchObject({ code: 'NOT_READABLE', exitCode: 6 })
  })

  it('is listed by name, broken ones too', () => {
    expect(glance(templates).map(({ name, title, mode }) => [name, title, mode])).toEqual([
      ['acme', 'Acme', 'OAUTH2'],
      ['dir', undefined, undefined],
      ['list', undefined, undefined],
      ['other', undefined, undefined],
      ['two', 'Two', undefined],
      ['wrong', undefined, undefined],
    ])
    expect(glance(join(folder, 'absent'))).toEqual([])
  })
})

describe('one file with a thousand templates', () => {
  const entries = Array.from({ length: 1_000 }, (_, index) => {
    const quirk = [
      '  note: "a: b"\n',
      '  text: |\n    one:\n    two\n',
      '# a comment at the margin\n  late: 1\n',
      '  list:\n  - a\n  - b\n',
      '\n\n  spaced: ü\n',
      '  folded: >-\n    a\n\n    b\n',
      '  quoted: "x\n    y"\n',
      '  alias: p-1\n',
    ][index % 8]
    return `p-${index}:\n  display_name: 'P''${index}'\n  auth_mode: OAUTH2 # why\n${quirk}`
  })
  const content = `# schema\n\n${entries.join('')}p-1000: {display_name: Flow, auth_mode: BASIC}\n"quoted-name":\n  auth_mode: NONE\nspaced-name :\n  auth_mode: NONE\n`
  const file = write('many.yaml', content)
  const crlf = write('crlf.yaml', content.replaceAll('\n', '\r\n'))

  it('gives each entry as a whole parse would', async () => {
    const whole = load(content) as Record<string, unknown>
    expect(Object.keys(whole)).toHaveLength(1_003)
    for (const [name, value] of Object.entries(whole))
      expect((await findTemplate(name, file))?.value, name).toEqual(value)
  })

  it('gives each entry of a file with CRLF too', async () => {
    for (const name of ['p-0', 'p-1', 'p-2', 'p-3', 'p-6', 'p-999', 'p-1000', 'quoted-name'])
      expect((await findTemplate(name, crlf))?.value, name).toEqual((await findTemplate(name, file))?.value)
  })

  it('knows the lines of the whole file', async () => {
    const line = content.split('\n').indexOf('p-500:') + 1
    expect((await findTemplate('p-500', file))?.placeOf(['auth_mode'], 'value')).toEqual({
      file,
      line: line + 2,
      column: 14,
    })
  })

  it('does not have a name that is only part of one, or a field', async () => {
    for (const name of ['p', 'p-', 'P-1', 'display_name', 'one', 'note', 'p-1001'])
      expect(await findTemplate(name, file), name).toBeUndefined()
  })

  it('goes on working where another entry is broken', async () => {
    const broken = write('broken.yaml', `bad: [\n${content}worse:\n  a: b: c\n`)
    expect((await findTemplate('p-7', broken))?.value).toEqual((await findTemplate('p-7', file))?.value)
    const line = content.split('\n').length + 2
    expect(await failure(findTemplate('worse', broken))).toMatchObject({ problems: [{ file: broken, line }] })
  })

  it('that has a name twice says so', async () => {
    const twice = write('twice.yaml', 'a:\n  x: 1\nb:\n  x: 1\na:\n  x: 2\n')
    expect(await failure(findTemplate('a', twice))).toMatchObject({
      problems: [{ line: 5, message: 'duplicated mapping key' }],
    })
  })

  it('may be one flow mapping', async () => {
    const flow = write('flow.yaml', '# c\n{a: {x: 1}, b: {x: 2}}\n')
    expect((await findTemplate('b', flow))?.value).toEqual({ x: 2 })
  })

  it('is listed with titles, modes and aliases', () => {
    const listed = glance(file)
    expect(listed).toHaveLength(1_003)
    expect(listed[7]).toEqual({ name: 'p-7', file, title: "P'7", mode: 'OAUTH2', alias: 'p-1' })
  })
})
