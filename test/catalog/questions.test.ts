import { describe, expect, it, test } from 'vitest'
import { everyQuestion, hiddenAnswers, questions, withSecretsMarked } from '../../src/catalog/questions.ts'
import type { Prompt, Template } from '../../src/model/provider.ts'

const template = (connection_config: Record<string, Prompt>): Template => ({ auth_mode: 'OAUTH2', connection_config })
const answer = (prompt: Prompt, typed: string, key = 'subdomain') =>
  questions(template({ [key]: prompt }))[0]?.accept(typed)

const zendesk: Prompt = { prefix: 'https://', suffix: '.zendesk.com', pattern: '^[a-z0-9_-]+$', example: 'acme' }

describe('the questions of a template', () => {
  it('come in their order, then as written, without hidden and automated ones', () => {
    const asked = questions(
      template({
        last: {},
        secret: { hidden: true, default_value: 'x' },
        second: { order: 2 },
        realm: { automated: true },
        first: { order: 1 },
        later: {},
      }),
    )
    expect(asked.map(({ key }) => key)).toEqual(['first', 'second', 'last', 'later'])
    expect(questions({ auth_mode: 'OAUTH2' })).toEqual([])
  })

  it('answer hidden ones with their defaults', () => {
    expect(
      hiddenAnswers(everyQuestion(template({ a: { hidden: true, default_value: 'x' }, b: { hidden: true }, c: {} }))),
    ).toEqual({
      a: 'x',
    })
  })

  it('have a flag in kebab case and one as written', () => {
    const [question] = questions(template({ accountId: { title: '\u001b[31mAccount', description: 'The\nnumber' } }))
    expect(question).toMatchObject({
      flag: '--account-id',
      flags: ['--account-id', '--accountId'],
      isParam: false,
      label: 'Account',
      description: 'The number',
    })
  })

  it('are reached by --param where the flag means something else', () => {
    const asked = questions(template({ scope: {}, accountId: {}, account_id: {}, noReply: {} }), ['--scope'])
    expect(asked.map(({ flag, isParam }) => [flag, isParam])).toEqual([
      ['--param scope=<value>', true],
      ['--account-id', false],
      ['--param account_id=<value>', true],
      ['--param noReply=<value>', true],
    ])
    expect(asked[0]?.accept('')).toEqual({ problem: '--param scope needs a value.' })
  })
})

describe('a question with a condition', () => {
  const aws = template({
    key: { visible_when: { field: 'auth', equals: 'key' } },
    auth: { enum: ['none', 'key'], default_value: 'none', visible_when: { field: 'mode', equals: 'custom' } },
    mode: { enum: ['builtin', 'custom'], default_value: 'builtin' },
    region: { visible_when: { field: 'fixed', equals: true } },
    fixed: { hidden: true, default_value: 'true' },
    lost: { visible_when: { field: 'nowhere', equals: 'x' } },
  })
  const there = (answers: Record<string, string>): string[] =>
    questions(aws)
      .filter(({ appliesTo }) => appliesTo(answers))
      .map(({ key }) => key)

  it('comes after the one that it hangs on', () => {
    expect(questions(aws).map(({ key }) => key)).toEqual(['mode', 'auth', 'key', 'region', 'lost'])
  })

  it('is there where its condition is met, and that of the other', () => {
    expect(there({})).toEqual(['mode', 'region', 'lost'])
    expect(there({ mode: 'custom' })).toEqual(['mode', 'auth', 'region', 'lost'])
    expect(there({ mode: 'custom', auth: 'key' })).toEqual(['mode', 'auth', 'key', 'region', 'lost'])
    expect(there({ mode: 'builtin', auth: 'key', fixed: 'no' })).toEqual(['mode', 'lost'])
  })

  it('that goes in a circle is there', () => {
    const circle = template({ a: { visible_when: { field: 'a', equals: 'x' } } })
    expect(questions(circle).map(({ key, appliesTo }) => [key, appliesTo({ a: 'x' })])).toEqual([['a', true]])
  })
})

describe('the sections of questions', () => {
  const all: Template = {
    auth_mode: 'TWO_STEP',
    connection_config: { late: {}, early: { order: 1 }, hush: { automated: true }, apiKey: {}, clientKey: {} },
    credentials: { username: {}, password: {}, signing_key: {}, shown_token: { secret: false } },
    integration_config: { mode: {} },
    assertion_option: { privateKey: {} },
  }

  it('are asked in one order', () => {
    const sections = ['connection_config', 'credentials', 'integration_config', 'assertion_option'] as const
    const asked = questions(all, [], sections)
    expect(asked.map(({ key }) => key)).toEqual([
      'early',
      'mode',
      'username',
      'password',
      'signing_key',
      'shown_token',
      'privateKey',
      'late',
      'apiKey',
      'clientKey',
    ])
    expect(asked[1]?.section).toBe('integration_config')
    expect(questions(all).map(({ key }) => key)).toEqual(['early', 'late', 'apiKey', 'clientKey'])
  })

  it('know the secrets that a template does not mark', () => {
    const { credentials, connection_config, assertion_option } = withSecretsMarked(all)
    const secretsOf = (prompts: Template['credentials'] = {}) =>
      Object.keys(prompts).filter((key) => prompts[key]?.secret === true)
    expect(secretsOf(credentials)).toEqual(['password', 'signing_key'])
    expect(secretsOf(connection_config)).toEqual(['apiKey'])
    expect(secretsOf(assertion_option)).toEqual(['privateKey'])
  })

  it('hold to their rules what nobody is asked', () => {
    const [realm] = everyQuestion(template({ realm: { automated: true, pattern: '^[0-9]+$' } }))
    expect(realm).toMatchObject({ isAsked: false, isParam: true, flag: '--param realm=<value>', isOptional: true })
    expect(realm?.accept('x')).toMatchObject({ problem: expect.stringContaining('must match') })
    expect(realm?.accept('')).toEqual({ value: '' })
  })
})

describe('an answer that its template warns of', () => {
  it('is taken with a word', () => {
    const prompt: Prompt = { enum: ['header', 'query'], warnings: { query: 'It ends up in logs.' } }
    expect(answer(prompt, 'query')).toEqual({ value: 'query', note: 'It ends up in logs.' })
    expect(answer(prompt, 'header')).toEqual({ value: 'header' })
    expect(answer({ ...zendesk, warnings: { acme: 'Careful.' } }, 'https://acme.zendesk.com')).toMatchObject({
      value: 'acme',
      note: expect.stringMatching(/^Took .* Careful\.$/),
    })
  })
})

describe('a pattern that was escaped once too often', () => {
  it('is read as it was meant, where its example shows that', () => {
    const twice = { pattern: '^[a-z]+\\\\.[a-z]+$', example: 'x.y' }
    expect(answer(twice, 'acme.com')).toEqual({ value: 'acme.com' })
    expect(answer(twice, 'acme_com')).toMatchObject({ problem: expect.any(String) })
    expect(answer({ pattern: '^[!\\\\-+=]+$' }, '+-')).toEqual({ value: '+-' })
    expect(answer({ pattern: '^a\\\\b$', example: 'a\\b' }, 'a\\b')).toEqual({ value: 'a\\b' })
  })
})

describe('an answer', () => {
  test.each([
    ['as it is', zendesk, 'acme', 'acme', undefined],
    ['trimmed', zendesk, '  acme \n', 'acme', undefined],
    ['a whole URL', zendesk, 'https://acme.zendesk.com', 'acme', 'Took "acme" from "https://acme.zendesk.com".'],
    ['a deep URL', zendesk, 'https://acme.zendesk.com/agent/x?y#z', 'acme', expect.any(String)],
    ['a host', zendesk, 'acme.Zendesk.com', 'acme', expect.any(String)],
    ['a host with a slash', zendesk, 'acme.zendesk.com/', 'acme', expect.any(String)],
    ['http for https', zendesk, 'http://acme.zendesk.com', 'acme', expect.any(String)],
    [
      'a prefix with a host in it',
      { prefix: 'https://api.', suffix: '.x.com' },
      'https://api.eu.x.com/v1',
      'eu',
      expect.any(String),
    ],
    [
      'a suffix with a path',
      { prefix: 'https://', suffix: '.x.com/api' },
      'https://eu.x.com/api',
      'eu',
      expect.any(String),
    ],
    ['a host name', { format: 'hostname' }, 'https://login.x.com/a', 'login.x.com', expect.any(String)],
    [
      'a host whose example has a path',
      { prefix: 'https://', example: 'a.x.com/main' },
      'https://b.x.com/main/',
      'b.x.com/main',
      expect.any(String),
    ],
    ['a URL that is asked for', { format: 'uri', prefix: 'https://' }, 'https://x.com/a', 'https://x.com/a', undefined],
    ['nothing, where there is a default', { default_value: 'eu' }, ' ', 'eu', undefined],
    ['nothing, where it is optional', { optional: true, pattern: '^a$' }, '', '', undefined],
    ['a choice', { enum: ['eu', 'us'] }, 'us', 'us', undefined],
    [
      'a UUID',
      { format: 'uuid' },
      '7D444840-9DC0-11D1-B245-5FFDCE74FAD2',
      '7D444840-9DC0-11D1-B245-5FFDCE74FAD2',
      undefined,
    ],
    ['an address', { format: 'email' }, 'a@b.co', 'a@b.co', undefined],
    ['an unanchored pattern', { pattern: '\\d' }, 'a1b', 'a1b', undefined],
    ['anything, where the pattern is none', { pattern: '(' }, 'a', 'a', undefined],
    ['text around which nothing is a host', { prefix: 'key-' }, 'key-1', 'key-1', undefined],
  ] as const)('is taken: %s', (_, prompt, typed, value, note) => {
    expect(answer(prompt as Prompt, typed)).toEqual(note === undefined ? { value } : { value, note })
  })

  test.each([
    ['nothing', zendesk, '', '--subdomain needs a value, for example acme.'],
    ['what the pattern forbids', zendesk, 'Acme!', '--subdomain must match ^[a-z0-9_-]+$, for example acme.'],
    [
      "another site's URL",
      zendesk,
      'https://acme.evil.com',
      '--subdomain belongs between https://… and ….zendesk.com, for example acme.',
    ],
    ['only a scheme', { prefix: 'https://' }, 'https://', '--subdomain needs a value.'],
    ['no choice', { enum: ['eu', 'us'] }, 'de', '--subdomain must be one of eu, us.'],
    ['no host name', { format: 'hostname' }, 'a b', '--subdomain must be a host name.'],
    ['no UUID', { format: 'uuid' }, '7D44', '--subdomain must be a UUID.'],
    ['no URL', { format: 'uri' }, 'x.com', '--subdomain must be a whole URL.'],
    ['no address', { format: 'email' }, 'a@b', '--subdomain must be an e-mail address.'],
    ['a control character', {}, 'a\u001b[31m', '--subdomain may not contain control characters.'],
    ['a line break', {}, 'a\r\nb', '--subdomain may not contain control characters.'],
    [
      'more than a pattern may see',
      { pattern: '^a+$' },
      'a'.repeat(1_025),
      '--subdomain may have at most 1024 characters.',
    ],
    ['more than anybody types', {}, 'a'.repeat(70_000), '--subdomain is longer than 65536 characters.'],
  ] as const)('is refused: %s', (_, prompt, typed, problem) => {
    expect(answer(prompt as Prompt, typed)).toEqual({ problem })
  })

  test.each(['^(a+)+$', '^a*a*a*a*a*a*a*a*a*a*b$'])(
    'is refused where the pattern %s of a template would run on without end',
    (pattern) => {
      expect(answer({ pattern }, `${'a'.repeat(60)}!`)).toEqual({
        problem: `--subdomain cannot be checked: the template's pattern ${pattern} takes too long.`,
      })
    },
  )

  test.each([
    ['^[a-z]+-(?:eu|us)$', 'acme-eu', 'acme-de'],
    ['^[0-9]{10}$', '0123456789', '123'],
  ])('is held to the pattern %s', (pattern, good, bad) => {
    expect(answer({ pattern }, good)).toEqual({ value: good })
    expect(answer({ pattern }, bad)).toEqual({ problem: `--subdomain must match ${pattern}.` })
  })

  it('that is secret is not repeated in the note', () => {
    const accepted = answer({ ...zendesk, secret: true }, 'https://hush.zendesk.com')
    expect(accepted).toEqual({ value: 'hush', note: '--subdomain was shortened.' })
  })
})
