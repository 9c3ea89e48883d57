import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { glancesIn } from '../../src/catalog/glance.ts'
import { findTemplate, parseYaml } from '../../src/catalog/read.ts'
import { splitCatalogue } from '../../src/catalog/split.ts'
import { plainTitle } from '../../src/catalog/title.ts'
import { freshFolder } from '../support/disk.ts'
import { bigCatalogue, templateText } from '../support/templates.ts'

const split = (text: string) => splitCatalogue([{ file: 'all.yaml', text }])

describe('a catalogue taken apart', () => {
  it('keeps the words of each author, without what belongs to the next template', async () => {
    const text = `# all of them\n${templateText('one', '  # its own remark\n  disable_pkce: true\n')}\n# about two\n${templateText('two')}`
    const { templates, problems } = await split(text)
    expect(problems).toEqual([])
    expect(templates).toEqual([
      { name: 'one', text: templateText('one', '  # its own remark\n  disable_pkce: true\n') },
      { name: 'two', text: templateText('two') },
    ])
  })

  it.each([
    ['flow style', '{ one: { display_name: One, docs: "a: b #c" } }'],
    ['quoted names', '"one": { display_name: One, docs: "a: b #c" }\n'],
    ['a name that also stands in a text', 'two:\n  a: |\n    x\none:\n  display_name: One\n  docs: "a: b #c"\n'],
  ])('says of each what the whole said: %s', async (_, text) => {
    const { templates } = await split(text)
    const one = templates.find(({ name }) => name === 'one')
    const { value } = await parseYaml(one?.text ?? '', 'one.yaml')
    expect(value).toEqual({ one: { display_name: 'One', docs: 'a: b #c' } })
  })

  it('keeps blank lines that belong to a text', async () => {
    const { templates } = await split('one:\n  a: |+\n    x\n\n\n# about two\ntwo:\n  b: c\n')
    expect((await parseYaml(templates[0]?.text ?? '', 'one.yaml')).value).toEqual({ one: { a: 'x\n\n\n' } })
  })

  it('goes on without what cannot be a template, and says why', async () => {
    const { templates, problems } = await splitCatalogue([
      { file: 'broken.yaml', text: 'broken: [\n' },
      { file: 'list.yaml', text: '- a\n' },
      { file: 'good.yaml', text: `${templateText('good')}scopes: [a]\n"../evil":\n  a: b\nGood:\n  a: b\n` },
    ])
    expect(templates.map(({ name }) => name)).toEqual(['good'])
    expect(problems.map(({ file, field, message }) => [file, field, message])).toEqual([
      ['broken.yaml', undefined, expect.any(String)],
      ['list.yaml', undefined, 'it is not a mapping'],
      ['good.yaml', 'scopes', 'it is not a template'],
      ['good.yaml', '../evil', 'this cannot be the name of a template'],
      ['good.yaml', 'Good', 'this name is there already'],
    ])
  })

  it('finds every one of a thousand as a whole parse does, and sees the same at a glance', async () => {
    const { file, text } = bigCatalogue()
    const whole = (await parseYaml(text, file)).value as Record<string, Record<string, unknown>>
    const { templates, problems } = await split(text)
    expect(problems).toEqual([])
    expect(templates.length).toBeGreaterThan(1000)
    expect(templates.map(({ name }) => name)).toEqual(Object.keys(whole))
    const folder = freshFolder()
    for (const one of templates) {
      writeFileSync(join(folder, `${one.name}.yaml`), one.text)
      const found = await findTemplate(one.name, folder)
      expect(found?.value).toEqual(whole[one.name])
      const { display_name, auth_mode: mode, alias, categories } = whole[one.name] ?? {}
      const title = typeof display_name === 'string' ? plainTitle(display_name) : undefined
      expect(glancesIn(one.text, 'f')).toEqual([{ name: one.name, file: 'f', title, mode, alias, categories }])
    }
  })
})
