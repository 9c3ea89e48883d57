import { describe, expect, it, test } from 'vitest'
import { resolveAlias } from '../../src/catalog/alias.ts'
import { entryIn, parseYaml } from '../../src/catalog/read.ts'

const yaml = `
late: { alias: base, extra: 1 }
base:
  display_name: Base
  auth_mode: OAUTH2
  proxy: { base_url: https://x, headers: { a: b } }
mail: { alias: base, display_name: Mail, proxy: { base_url: https://y } }
mail-mcp: { alias: mail, auth_mode: MCP_OAUTH2 }
a: { alias: b }
b: { alias: c }
c: { alias: a }
self: { alias: self }
lost: { alias: nowhere }
odd: { alias: 5 }
text: hello
`
const resolve = async (name: string) => {
  const document = await parseYaml(yaml, 'p.yaml')
  const all = document.value as Record<string, unknown>
  const entry = (wanted: string) => entryIn(document, wanted, [wanted], all[wanted])
  return resolveAlias(entry(name), async (target) => (Object.hasOwn(all, target) ? entry(target) : undefined))
}

describe('an alias', () => {
  test.each([
    [
      'none',
      'base',
      { display_name: 'Base', auth_mode: 'OAUTH2', proxy: { base_url: 'https://x', headers: { a: 'b' } } },
    ],
    [
      'of what comes later',
      'late',
      { display_name: 'Base', auth_mode: 'OAUTH2', proxy: { base_url: 'https://x', headers: { a: 'b' } }, extra: 1 },
    ],
    ['replaces whole fields', 'mail', { display_name: 'Mail', auth_mode: 'OAUTH2', proxy: { base_url: 'https://y' } }],
    ['of an alias', 'mail-mcp', { display_name: 'Mail', auth_mode: 'MCP_OAUTH2', proxy: { base_url: 'https://y' } }],
  ])('%s', async (_, name, fields) => {
    expect((await resolve(name)).fields).toEqual(fields)
  })

  it('keeps the place of each field, its own or inherited', async () => {
    const { placeOf } = await resolve('mail-mcp')
    expect(placeOf(['auth_mode'])).toMatchObject({ line: 8 })
    expect(placeOf(['display_name'])).toMatchObject({ line: 7 })
    expect((await resolve('late')).placeOf(['proxy', 'headers', 'a'])).toMatchObject({ line: 6, column: 44 })
    expect(placeOf(['missing'])).toMatchObject({ line: 8 })
  })

  test.each([
    ['a', 'it goes in a circle: a → b → c → a', 9],
    ['self', 'it goes in a circle: self → self', 12],
    ['lost', 'there is no template called "nowhere"', 13],
    ['odd', 'it must be the name of a template', 14],
    ['text', 'it is not a mapping of fields', 15],
  ])('of %s is refused: %s', async (name, message, line) => {
    const error = await resolve(name).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'TEMPLATE_INVALID', problems: [{ message, file: 'p.yaml' }] })
    if (name !== 'a') expect(error).toMatchObject({ problems: [{ line }] })
  })
})
