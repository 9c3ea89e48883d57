import { describe, expect, it } from 'vitest'
import { exitCodeOf, failureJson, failureScreen } from '../../../src/cli/output/failure.ts'
import { width } from '../../../src/cli/output/style.ts'
import {
  Cancelled,
  MachineError,
  ProviderError,
  TemplateError,
  TransportError,
  UsageError,
} from '../../../src/model/errors.ts'
import { drawn, hostile, isHarmless, pipe } from './samples.ts'

function refused() {
  return new ProviderError('INVALID_CLIENT', 'Zendesk refused the token request: invalid_client', {
    words: 'Client authentication failed due to unknown client, no client authentication included, or worse.',
    facts: [
      ['What was sent', 'client_id demo_app, client secret in the body (client_secret_post)'],
      ['Likely', 'the client secret is wrong, or it belongs to another subdomain than acme'],
    ],
    hint: 'auth-cli connect zendesk --subdomain acme --client-secret -',
  })
}

describe('a failure on the screen', () => {
  it('quotes the provider, says what was sent, what to try and where to look', async () => {
    expect(failureScreen(refused(), await drawn(80), { flow: '7k2m9q' })).toBe(`\
✗ Zendesk refused the token request: invalid_client
  "Client authentication failed due to unknown client, no client authentication
  included, or worse."

  What was sent   client_id demo_app, client secret in the body
                  (client_secret_post)
  Likely          the client secret is wrong, or it belongs to another subdomain
                  than acme
  Try             auth-cli connect zendesk --subdomain acme --client-secret -
  Look            auth-cli logs show 7k2m9q
`)
  })

  it('reads the same in ASCII at 40 columns', async () => {
    expect(failureScreen(refused(), await drawn(40, { unicode: false }), { flow: '7k2m9q' })).toBe(`\
x Zendesk refused the token request:
  invalid_client
  "Client authentication failed due to
  unknown client, no client
  authentication included, or worse."

  What was sent   client_id demo_app,
                  client secret in the
                  body
                  (client_secret_post)
  Likely          the client secret is
                  wrong, or it belongs
                  to another subdomain
                  than acme
  Try             auth-cli connect zendesk --subdomain acme --client-secret -
  Look            auth-cli logs show 7k2m9q
`)
  })

  it('is two lines where there is no flow and nothing more to say', async () => {
    const error = new UsageError('UNKNOWN_PROVIDER', 'There is no provider called "zendesc". Did you mean zendesk?', {
      hint: 'List them with auth-cli providers, or describe yours: auth-cli providers new zendesc',
    })
    expect(failureScreen(error, await drawn(pipe))).toBe(`\
✗ There is no provider called "zendesc". Did you mean zendesk?
  List them with auth-cli providers, or describe yours: auth-cli providers new zendesc
`)
  })

  it('names every problem of a template at its place, with the fix', async () => {
    const error = new TemplateError('TEMPLATE_INVALID', 'auth-cli.yaml has 2 problems.', {
      problems: [
        {
          file: 'auth-cli.yaml',
          line: 3,
          column: 5,
          field: 'templates.my-idp.token_url',
          message: '"htp://x" is not a URL',
          fix: 'write https://x',
          severity: 'error',
        },
        { file: 'auth-cli.yaml', line: 9, field: 'templates.my-idp.x', message: 'unknown field', severity: 'warning' },
      ],
    })
    expect(failureScreen(error, await drawn(80))).toBe(`\
✗ auth-cli.yaml has 2 problems.

  ✗ auth-cli.yaml:3:5  templates.my-idp.token_url
    "htp://x" is not a URL
    Fix: write https://x

  ! auth-cli.yaml:9  templates.my-idp.x
    unknown field
`)
  })

  it('shows the whole stack of a bug, what caused it, and where to report it', async () => {
    const bug = new TypeError('x is not a function', { cause: new Error('deeper') })
    const lines = failureScreen(bug, await drawn(80), { flow: '7k2m9q' }).split('\n')
    expect(lines[0]).toBe('✗ This is a bug in auth-cli, not something you did.')
    expect(lines[2]).toBe('  TypeError: x is not a function')
    expect(lines.filter((line) => line.includes('failure.test.ts')).length).toBeGreaterThanOrEqual(2)
    expect(lines).toContain('  Caused by: Error: deeper')
    expect(lines.slice(-3)).toEqual(['  npm bugs auth-cli', '  Look   auth-cli logs show 7k2m9q', ''])
  })

  it('never shows the cause of a foreseen failure', async () => {
    const error = new TransportError('UNREACHABLE', 'No answer.', { cause: new Error('holds a secret') })
    expect(failureScreen(error, await drawn(80)) + failureJson(error)).not.toContain('secret')
  })

  it('lets no secret through, not even of a bug, not even where control characters cut it', async () => {
    const scrub = (text: string) => text.replaceAll('hunter2', '…(1234)')
    const bug = new Error('password hunt\x1b[0mer2 or hunter2')
    const refusal = new ProviderError('X', 'hunter2', {
      words: 'hun\x00ter2',
      hint: 'hunter2',
      facts: [['hun\x00ter2', 'hunter2']],
    })
    for (const error of [bug, refusal]) {
      expect(failureScreen(error, await drawn(80), { scrub })).not.toContain('hunter2')
      expect(failureJson(error, { scrub })).not.toContain('hunter2')
    }
  })

  it('lets nothing through that acts on a terminal', async () => {
    const style = await drawn(80)
    const details = { words: hostile, hint: hostile, facts: [[hostile, hostile] as const] }
    const problems = [{ file: hostile, field: hostile, message: hostile, fix: hostile, severity: 'error' as const }]
    for (const error of [
      new ProviderError('X', hostile, details),
      new TemplateError('X', hostile, { problems }),
      new Error(hostile),
      hostile,
    ]) {
      expect(isHarmless(failureScreen(error, style, { flow: hostile }))).toBe(true)
      expect(isHarmless(failureJson(error, { flow: hostile }))).toBe(true)
    }
  })

  it.each([80, 60])('has no line wider than %i columns but what is to be copied', async (columns) => {
    const wide = failureScreen(refused(), await drawn(columns), { flow: '7k2m9q' })
      .split('\n')
      .filter((line) => width(line) > columns && !line.includes('auth-cli'))
    expect(wide).toEqual([])
  })
})

it("is one line of JSON with code, message and the provider's words, hint and flow", () => {
  const error = refused()
  error.flow = '7k2m9q'
  expect(failureJson(error)).toBe(
    '{"error":{"code":"INVALID_CLIENT","message":"Zendesk refused the token request: invalid_client: Client authentication failed due to unknown client, no client authentication included, or worse.","hint":"auth-cli connect zendesk --subdomain acme --client-secret -","flow":"7k2m9q"}}',
  )
  expect(JSON.parse(failureJson(new UsageError('BAD_FLAG', 'no')))).toEqual({
    error: { code: 'BAD_FLAG', message: 'no', hint: null },
  })
  expect(JSON.parse(failureJson(new TypeError('x'))).error).toMatchObject({ code: 'BUG', message: 'TypeError: x' })
})

it.each([
  [new UsageError('X', ''), 2],
  [new TemplateError('X', ''), 3],
  [new ProviderError('X', ''), 4],
  [new TransportError('X', ''), 5],
  [new MachineError('X', ''), 6],
  [new Cancelled(), 130],
  [new Error(''), 1],
  ['thrown text', 1],
])('ends the process as the README says: %s → %i', (error, code) => {
  expect(exitCodeOf(error)).toBe(code)
})
