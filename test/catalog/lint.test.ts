import { describe, expect, it, test } from 'vitest'
import { check } from '../../src/catalog/check.ts'
import { entryIn, parseYaml } from '../../src/catalog/read.ts'

const sound = `  display_name: X
  docs: https://x.com
  authorization_url: https://x.com/a
  token_url: https://x.com/t
`
const problemsOf = async (body: string, mode = 'OAUTH2'): Promise<string[]> => {
  const document = await parseYaml(`x:\n${sound}  auth_mode: ${mode}\n${body}`, 'x.yaml')
  const value = (document.value as { x: Record<string, unknown> }).x
  const { placeOf } = entryIn(document, 'x', ['x'], value)
  const problems = check({ name: 'x', fields: value, placeOf })
  return problems.map(({ severity, field, message }) => `${severity} ${field}: ${message}`)
}

describe('what a template says to no effect', () => {
  test.each([
    ['  decode_url: true\n', 'decode_url'],
    ['  auth: { response_type: code }\n', 'auth.response_type'],
    ['  refresh_token_response_metadata: [a]\n', 'refresh_token_response_metadata'],
    ['  proxy: { base_url: "https://x", connection_config: { a: b } }\n', 'proxy.connection_config'],
    ['  token_headers: { a: b }\n', 'token_headers'],
  ])('is noted: %s', async (line, field) => {
    expect(await problemsOf(line)).toEqual([`note x.${field}: this field has no effect`])
  })

  it('is noted of a step, too', async () => {
    expect(await problemsOf('  additional_steps: [{ body_format: form }]\n', 'TWO_STEP')).toContain(
      'note x.additional_steps[0].body_format: this field has no effect',
    )
    expect(await problemsOf('  token_headers: { a: b }\n', 'TWO_STEP')).toEqual([])
  })
})

describe('parameters within parameters', () => {
  it('have no place in a form', async () => {
    expect(await problemsOf('  token_params: { a: { b: 1 } }\n')).toEqual([
      'warning x.token_params.a: a form has no fields within fields; it is sent as JSON text',
    ])
    expect(await problemsOf('  token_params: { a: { b: 1 }, c: [1, "x"] }\n  body_format: json\n')).toEqual([])
  })
})

describe('questions', () => {
  const asked = (prompts: string) => problemsOf(`  connection_config: ${prompts}\n`)

  it('may hang on each other', async () => {
    expect(await asked('{ a: { enum: [x, y] }, b: { visible_when: { field: a, equals: x } } }')).toEqual([])
  })

  it('cannot hang on nothing, nor on themselves', async () => {
    expect(await asked('{ area: {}, b: { visible_when: { field: aera, equals: x } } }')).toEqual([
      'warning x.connection_config.b.visible_when.field: there is no question called "aera", so this one is always asked',
    ])
    const circle =
      '{ a: { visible_when: { field: b, equals: x } }, b: { visible_when: { field: a, equals: x } }, c: { visible_when: { field: a, equals: x } } }'
    expect(await asked(circle)).toEqual([
      'warning x.connection_config.a.visible_when: it goes in a circle: a → b → a',
      'warning x.connection_config.b.visible_when: it goes in a circle: b → a → b',
    ])
  })

  test.each([
    [
      '{ a: { enum: [x, y], default_value: z } }',
      'warning x.connection_config.a.default_value: the default is none of x, y',
    ],
    [
      '{ a: { pattern: "^[0-9]+$", example: abc } }',
      'note x.connection_config.a.example: the example does not match the pattern',
    ],
    [
      '{ a: { pattern: "^[a-z]+\\\\\\\\.[a-z]+$", example: x.y } }',
      'note x.connection_config.a.example: the pattern is escaped once too often; the plainer spelling is used',
    ],
  ])('that contradict themselves are told: %s', async (prompts, problem) => {
    expect(await asked(prompts)).toEqual([problem])
  })

  it('may have an example that is masked, a default that is empty', async () => {
    expect(
      await asked('{ a: { pattern: "^[0-9]+$", example: "12***" }, b: { enum: [x], default_value: "" } }'),
    ).toEqual([])
  })
})
