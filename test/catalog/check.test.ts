import { describe, expect, it, test } from 'vitest'
import { check } from '../../src/catalog/check.ts'
import { templateFields } from '../../src/catalog/fields.ts'
import { entryIn, parseYaml } from '../../src/catalog/read.ts'

const sound = `  display_name: X
  docs: https://x.com
  auth_mode: OAUTH2
  authorization_url: https://x.com/a
  token_url: https://x.com/t
`
const problemsOf = async (body: string) => {
  const document = await parseYaml(`x:\n${body}`, 'x.yaml')
  const value = (document.value as { x: Record<string, unknown> }).x
  const { placeOf } = entryIn(document, 'x', ['x'], value)
  return check({ name: 'x', fields: value, placeOf })
}

describe('a template', () => {
  it('that is sound has no problems', async () => {
    expect(await problemsOf(sound)).toEqual([])
  })

  test.each([
    ['default_scopes: read', '7:19 x.default_scopes: expected a list, found "read"', 'Begin each item with "- ".'],
    ['default_scopes: [a, 5]', '7:23 x.default_scopes[1]: expected text, found 5', 'Put it in quotes: "5".'],
    ['disable_pkce: "yes"', '7:17 x.disable_pkce: expected true or false, found "yes"', 'Write true or false.'],
    ['scope_separator: true', '7:20 x.scope_separator: expected text, found true', 'Put it in quotes: "true".'],
    [
      'token_expiration_buffer: "5"',
      '7:28 x.token_expiration_buffer: expected a number, found "5"',
      'Write it without quotes.',
    ],
    [
      'body_format: jsn',
      '7:16 x.body_format: expected one of form, json, query, xml, found "jsn"',
      'Did you mean json?',
    ],
    [
      'authorization_params: [a]',
      '7:25 x.authorization_params: expected fields, found a list',
      'Indent "name: value" lines below it.',
    ],
    [
      'refresh_params: { a: }',
      '7:21 x.refresh_params.a: expected a value, found nothing',
      'Give it a value, or remove it.',
    ],
    [
      'token_params: { a: [{ b: "${c" }] }',
      '7:25 x.token_params.a[0].b: a "${" has no "}"',
      'Close every "${" with "}".',
    ],
    [
      'refresh_url: ftp://x.com',
      '7:16 x.refresh_url: it is not an http or https URL',
      'Give a whole URL, such as https://example.com/oauth/token.',
    ],
    [
      'refresh_url: https://a@x.com',
      '7:16 x.refresh_url: it holds a user name or password',
      'Give a whole URL, such as https://example.com/oauth/token.',
    ],
    [
      'issuer: example',
      '7:11 x.issuer: it is not an http or https URL',
      'Give a whole URL, such as https://example.com/oauth/token.',
    ],
    [
      'redirect_uri: { port: some }',
      '7:25 x.redirect_uri.port: expected one of any, exact, found "some"',
      'Use one of any, exact.',
    ],
    ['proxy: { headers: { a: "${x" } }', '7:26 x.proxy.headers.a: a "${" has no "}"', 'Close every "${" with "}".'],
    [
      'connection_config: { s: hello }',
      '7:27 x.connection_config.s: expected fields, found "hello"',
      'Indent "name: value" lines below it.',
    ],
    [
      'connection_config: { s: { enum: [1] } }',
      '7:36 x.connection_config.s.enum[0]: expected text, found 1',
      'Put it in quotes: "1".',
    ],
    [
      'connection_config: { s: { format: host } }',
      '7:37 x.connection_config.s.format: expected one of hostname, uuid, uri, email, found "host"',
      'Did you mean hostname?',
    ],
  ])('with %s is wrong there', async (line, expected, fix) => {
    const [problem, ...more] = await problemsOf(`${sound}  ${line}\n`)
    expect(more).toEqual([])
    expect(`${problem?.line}:${problem?.column} ${problem?.field}: ${problem?.message}`).toBe(expected)
    expect(problem).toMatchObject({ file: 'x.yaml', severity: 'error', fix })
  })

  test.each([
    ['authorizaton_url: x', '7:3 x.authorizaton_url: this field is not known', 'Did you mean authorization_url?'],
    ['frobnicate: x', '7:3 x.frobnicate: this field is not known', 'It is ignored; remove it.'],
    ['redirect_uri: { hosts: a }', '7:19 x.redirect_uri.hosts: this field is not known', 'Did you mean host?'],
    [
      'connection_config: { s: { titel: a } }',
      '7:29 x.connection_config.s.titel: this field is not known',
      'Did you mean title?',
    ],
    [
      'connection_config: { s: { pattern: "(" } }',
      '7:38 x.connection_config.s.pattern: it is not a regular expression, so nothing is held to it',
      'Correct it (JavaScript syntax).',
    ],
    [
      'refresh_url: "https://${connectionConfig.s}"',
      '7:16 x.refresh_url: nothing asks for ${connectionConfig.s}',
      'Declare s under connection_config.',
    ],
  ])('with %s deserves a warning', async (line, expected, fix) => {
    const [problem, ...more] = await problemsOf(`${sound}  ${line}\n`)
    expect(more).toEqual([])
    expect(`${problem?.line}:${problem?.column} ${problem?.field}: ${problem?.message}`).toBe(expected)
    expect(problem).toMatchObject({ severity: 'warning', fix })
  })

  it('that misses what it needs says each, at its name', async () => {
    const problems = await problemsOf('  auth_mode: OAUTH2\n')
    expect(problems.map(({ field, severity, line, column }) => [field, severity, line, column])).toEqual([
      ['x.display_name', 'error', 1, 1],
      ['x.docs', 'warning', 1, 1],
      ['x.authorization_url', 'error', 1, 1],
      ['x.token_url', 'error', 1, 1],
    ])
  })

  it('with an issuer needs no endpoints', async () => {
    const body = '  display_name: X\n  docs: https://x\n  auth_mode: OAUTH2\n  issuer: https://x.com\n'
    expect(await problemsOf(body)).toEqual([])
  })

  test.each([
    'token_url: { OAUTH2: "https://x.com", APP: "https://x.com" }',
    'token_params: { a: { b: { c: 1 } } }',
    'token: { signing_key: x, expires_in_ms: 5, payload: { a: [b] } }',
    'additional_steps: [{ token_url: "https://x", token_params: { a: b } }]',
    'proxy: { base_url: "https://${connectionConfig.a} || https://b", retry: { after: [a] } }',
  ])('of another mode may hold %s', async (line) => {
    const body = `  display_name: X\n  docs: https://x\n  auth_mode: CUSTOM\n  ${line}\n`
    expect(await problemsOf(body)).toEqual([])
  })

  it.each([
    ['TWO_STEP', 'x.token_url'],
    ['JWT', 'x.token'],
  ])('of the mode %s needs %s', async (mode, field) => {
    const problems = await problemsOf(`  display_name: X\n  docs: https://x\n  auth_mode: ${mode}\n`)
    expect(problems.map((problem) => [problem.field, problem.severity])).toEqual([[field, 'error']])
  })

  test.each([
    'https://${connectionConfig.a}.x.com/t',
    'https://${connectionConfig.a}/t || https://x.com/t',
    '${connectionConfig.a}/t',
    '${connectionConfig.a}://x.com',
    'http://localhost:${connectionConfig.a}/t',
    'https://x.com/${connectionConfig.a}?b=${connectionConfig.a}',
  ])('may have the endpoint %s', async (url) => {
    expect(await problemsOf(`${sound}  refresh_url: "${url}"\n  connection_config: { a: {} }\n`)).toEqual([])
  })

  it('knows every field of the format and our own', () => {
    expect(Object.keys(templateFields).length).toBeGreaterThanOrEqual(68 + 4)
  })

  it('reports a field named like an inherited member as unknown', async () => {
    expect(await problemsOf(`${sound}  toString: x\n`)).toMatchObject([{ severity: 'warning', field: 'x.toString' }])
  })
})
