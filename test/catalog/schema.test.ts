import { readdirSync, readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { check } from '../../src/catalog/check.ts'
import { promptFields, templateFields } from '../../src/catalog/fields.ts'
import { meanings, promptMeanings } from '../../src/catalog/meanings.ts'
import { entryIn, parseYaml } from '../../src/catalog/read.ts'
import { providerSchema } from '../../src/catalog/schema.ts'
import { bigCatalogue, templateText } from '../support/templates.ts'

const published = new URL('../../schema/provider.schema.json', import.meta.url)
const builtIn = new URL('../../templates/', import.meta.url)
const validates = new Ajv({ allErrors: true, allowUnionTypes: true, formats: { regex: true } }).compile(
  providerSchema(),
)

/** Whether the check has nothing to say about the form of a template: no error, no unknown field. */
async function passesCheck(text: string): Promise<boolean> {
  const document = await parseYaml(text, 'f')
  return Object.entries(document.value as Record<string, Record<string, unknown>>).every(([name, fields]) => {
    const { placeOf } = entryIn(document, name, [name], fields)
    return check({ name, fields, placeOf }).every(
      ({ severity, message }) => severity === 'warning' && !message.includes('not known'),
    )
  })
}

describe('the JSON Schema of the format', () => {
  it('is published as the table of fields makes it (npm run schema writes it)', () => {
    expect(JSON.parse(readFileSync(published, 'utf8'))).toEqual(JSON.parse(JSON.stringify(providerSchema())))
  })

  it('says what every field means, and of no other', () => {
    expect(Object.keys(meanings).sort()).toEqual(Object.keys(templateFields).sort())
    expect(Object.keys(promptMeanings).sort()).toEqual(Object.keys(promptFields).sort())
  })

  it('asks an alias for no more than its own fields, which must be right', () => {
    expect(validates({ a: { alias: 'b', disable_pkce: true } })).toBe(true)
    expect(validates({ a: { alias: 'b', disable_pcke: true } })).toBe(false)
  })

  it('takes every built-in template', async () => {
    for (const name of readdirSync(builtIn)) {
      const { value } = await parseYaml(readFileSync(new URL(name, builtIn), 'utf8'), name)
      expect(validates(value), `${name}: ${JSON.stringify(validates.errors)}`).toBe(true)
    }
  })

  it('takes a catalogue of a thousand that others keep, but for what the check finds in it too', async () => {
    const { text, file } = bigCatalogue()
    const value = (await parseYaml(text, file)).value as Record<string, unknown>
    for (const [name, fields] of Object.entries(value)) {
      expect(validates({ [name]: fields }), `${name}: ${JSON.stringify(validates.errors?.slice(0, 2))}`).toBe(true)
    }
  })

  it.each([
    ['a whole template', templateText('a')],
    [
      'an issuer without endpoints',
      'a:\n  display_name: A\n  docs: d\n  auth_mode: OAUTH2\n  issuer: https://a.example\n',
    ],
    ['another mode without endpoints', 'a:\n  display_name: A\n  docs: d\n  auth_mode: API_KEY\n'],
    ['a placeholder for a whole URL', templateText('a', '', { token_url: '${connectionConfig.x}' })],
    ['a misspelt field', templateText('a', '  scope_seperator: x\n')],
    ['a wrong mode', templateText('a', '', { auth_mode: 'OAUTH3' })],
    ['a missing endpoint', 'a:\n  display_name: A\n  docs: d\n  auth_mode: OAUTH2\n  token_url: https://a.example\n'],
    ['a missing title', 'a:\n  docs: d\n  auth_mode: API_KEY\n'],
    ['a text for a flag', templateText('a', '  disable_pkce: "yes"\n')],
    ['a text for a list', templateText('a', '  default_scopes: read\n')],
    ['a number for a text', templateText('a', '', { display_name: '5' })],
    ['an endpoint that is no http', templateText('a', '', { token_url: 'ftp://a.example/' })],
    ['a misspelt attribute of a question', templateText('a', '  connection_config:\n    x:\n      tittle: X\n')],
    ['a wrong format of a question', templateText('a', '  connection_config:\n    x:\n      format: host\n')],
    ['a list for the proxy', templateText('a', '  proxy: []\n')],
    ['a nested misspelling', templateText('a', '  proxy:\n    base_uri: https://a.example\n')],
  ])('agrees with the check about %s', async (_, text) => {
    const { value } = await parseYaml(text, 'f')
    expect(validates(value)).toBe(await passesCheck(text))
  })
})
