import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { progressLine, waiting } from '../../../src/cli/output/progress.ts'
import { width } from '../../../src/cli/output/style.ts'
import type { Exchange, Happening, LogEvent } from '../../../src/model/event.ts'
import { drawn, event, hostile, isHarmless, pipe } from './samples.ts'

function exchange(change: Partial<Exchange> = {}, status = 200, body = '{"access_token":"…(1234)"}'): Happening {
  return {
    type: 'exchange',
    exchange: {
      purpose: 'token',
      method: 'POST',
      url: 'https://acme.zendesk.com/oauth/tokens?x=1',
      request: { headers: [['accept', 'application/json']], body: 'code=%E2%80%A6(77d0)' },
      response: { status, statusText: 'OK', headers: [], body },
      timing: { total: 312.4 },
      ...change,
    },
  }
}

const stray = (reason: 'other path' | 'state mismatch'): Happening => ({
  type: 'callback.ignored',
  reason,
  method: 'GET',
  path: '/x',
})
const ended: Happening = {
  type: 'flow.ended',
  state: 'failed',
  duration: 1900,
  error: { code: 'INVALID_CLIENT', message: 'Refused.' },
}

describe('while a flow runs', () => {
  it.each<[string, Happening, string[]]>([
    ['the start', { type: 'flow.started', deed: 'connect', provider: 'a', connection: 'a', pid: 1 }, []],
    [
      'who protects an API',
      { type: 'server.discovered', issuer: 'https://as.example', resource: 'https://m.example/mcp' },
      ['✓ Found the authorization server for https://m.example/mcp   https://as.example'],
    ],
    [
      'a client that registers itself',
      { type: 'client.registered', clientId: 'c1', server: 'as.example', isNew: true },
      ['✓ Registered a client at as.example   c1'],
    ],
    [
      'one that has before',
      { type: 'client.registered', clientId: 'c1', server: 'as.example', isNew: false },
      ['✓ Using the client registered there before   c1'],
    ],
    ['a challenge, refused as it is meant to be', exchange({ purpose: 'challenge' }, 401, ''), []],
    ['a trial, of which its status does not tell', exchange({ purpose: 'trial' }, 400, '{}'), []],
    ['a registration that went well', exchange({ purpose: 'registration' }, 201, '{}'), []],
    ['a conversation', { type: 'conversation.begun' }, []],
    ['the answers', { type: 'answers.collected', answeredBy: { subdomain: 'flag' } }, []],
    [
      'a call that is sent again',
      { type: 'request.retried', attempt: 1, wait: 1500, why: 'it answered 429' },
      ['… Once more in 1.5 s: it answered 429'],
    ],
    [
      'a token that was given back',
      { type: 'token.revoked', connection: 'acme', token: 'refresh token' },
      ['✓ Revoked the refresh token of "acme"'],
    ],
    [
      'the listener',
      { type: 'listener.opened', addresses: ['127.0.0.1'], redirectUri: 'http://localhost:8749/oauth/callback' },
      ['✓ Listening on localhost:8749'],
    ],
    [
      'a callback URL elsewhere',
      {
        type: 'listener.opened',
        addresses: ['127.0.0.1'],
        redirectUri: 'https://example.com/oauth-callback',
        forwardTo: 'http://localhost:8749/oauth-callback',
      },
      [
        '✓ Listening on localhost:8749',
        '  Your callback URL must forward each visit (308, every parameter intact):',
        '  from  https://example.com/oauth-callback',
        '  to    http://localhost:8749/oauth-callback',
      ],
    ],
    ['the request', { type: 'authorization.requested', url: 'https://a.example/?state=…(a41f)' }, []],
    ['the browser', { type: 'browser.opened', how: 'firefox' }, ['✓ Opened your browser. If it did not open, visit:']],
    [
      'no browser',
      { type: 'browser.failed', why: 'firefox ended with status 3' },
      ['! No browser was opened: firefox ended with status 3', '  Open this address yourself:'],
    ],
    ['a favicon', stray('other path'), []],
    [
      'a paste that is none',
      {
        type: 'callback.ignored',
        reason: 'body unusable',
        method: 'paste',
        path: '',
        detail: 'That is neither an address nor a code.',
      },
      ['! Ignored what was pasted: That is neither an address nor a code.'],
    ],
    ['a wrong state', stray('state mismatch'), ['! Ignored a visit that is not the answer: state mismatch (GET /x)']],
    [
      'the code',
      { type: 'callback.received', via: 'GET', params: { code: '…(77d0)', state: '…(a41f)' } },
      ['✓ Zendesk sent you back with a code'],
    ],
    [
      'a pasted code',
      { type: 'callback.received', via: 'paste', params: { code: '…(77d0)' } },
      ['✓ Zendesk sent you back with a code, as you pasted it'],
    ],
    [
      'a denial',
      { type: 'callback.received', via: 'GET', params: { error: 'access_denied' } },
      ['✗ Zendesk sent you back with access_denied'],
    ],
    ['the tokens', exchange(), ['✓ Code exchanged for tokens   POST acme.zendesk.com/oauth/tokens 200 in 312 ms']],
    [
      'the token of a client that speaks for itself',
      exchange({ request: { headers: [], body: 'grant_type=client_credentials' } }),
      ['✓ Token granted   POST acme.zendesk.com/oauth/tokens 200 in 312 ms'],
    ],
    [
      'a refusal with status 200',
      exchange({}, 200, '{"ok":false}'),
      ['→ Token request answered   POST acme.zendesk.com/oauth/tokens 200 in 312 ms'],
    ],
    ['a refusal', exchange({}, 401), ['✗ Token request refused   POST acme.zendesk.com/oauth/tokens 401 in 312 ms']],
    [
      'a refresh',
      exchange({ purpose: 'refresh' }),
      ['✓ Token refreshed   POST acme.zendesk.com/oauth/tokens 200 in 312 ms'],
    ],
    ['metadata', exchange({ purpose: 'metadata' }), []],
    [
      'no metadata',
      exchange({ purpose: 'metadata', response: undefined, failure: { code: 'TLS', message: 'x' } }),
      ['✗ No answer   POST acme.zendesk.com/oauth/tokens: TLS after 312 ms'],
    ],
    [
      'a revocation',
      exchange({ purpose: 'revocation' }),
      ['✓ Revocation answered   POST acme.zendesk.com/oauth/tokens 200 in 312 ms'],
    ],
    [
      'no answer',
      exchange({ response: undefined, failure: { code: 'UNREACHABLE', message: 'x' } }),
      ['✗ No answer   POST acme.zendesk.com/oauth/tokens: UNREACHABLE after 312 ms'],
    ],
    ['a quirk', { type: 'quirk', quirk: 'ok:false with status 200' }, ['! Off the standard: ok:false with status 200']],
    [
      'a warning',
      { type: 'warning', code: 'SCOPES', message: 'Zendesk granted read; you asked for read, write', hint: 'Tick it.' },
      ['! Zendesk granted read; you asked for read, write', '  Tick it.'],
    ],
    [
      'a hidden template',
      { type: 'template.hides', file: './auth-cli.yaml', hidden: ['templates/zendesk.yaml'] },
      ['! Using the template in ./auth-cli.yaml; it hides templates/zendesk.yaml'],
    ],
    ['the end', ended, []],
  ])('tells of %s', async (_, happening, lines) => {
    expect(progressLine(event(happening), await drawn(80), { title: 'Zendesk' })).toEqual(lines)
  })

  it('is silent when asked to be, but for warnings', async () => {
    const style = await drawn(80)
    const quiet = (happening: Happening) => progressLine(event(happening), style, { quiet: true })
    expect([quiet(exchange()), quiet(ended), quiet({ type: 'browser.opened', how: 'x' })].flat()).toEqual([])
    expect(quiet({ type: 'warning', code: 'X', message: 'Mind this.' })).toEqual(['! Mind this.'])
    expect(quiet({ type: 'template.hides', file: 'a', hidden: ['b'] })).toHaveLength(1)
  })

  it('shows each exchange whole when verbose', async () => {
    const happening = exchange({ timing: { dns: 3, wait: 240, total: 312 }, peer: '192.0.2.1:443' }, 401)
    expect(progressLine(event(happening), await drawn(80), { verbose: true })).toEqual([
      '→ POST https://acme.zendesk.com/oauth/tokens?x=1',
      '    accept: application/json',
      '',
      '    code=%E2%80%A6(77d0)',
      '',
      '← 401 OK',
      '',
      '    {"access_token":"…(1234)"}',
      '',
      '  dns 3 · wait 240 · total 312 ms',
      '  192.0.2.1:443',
    ])
  })

  it.each([40, 80])('wraps at %i columns below its words', async (columns) => {
    const lines = progressLine(event({ type: 'warning', code: 'X', message: 'word '.repeat(40) }), await drawn(columns))
    expect(lines.length).toBeGreaterThan(1)
    expect(Math.max(...lines.map(width))).toBeLessThanOrEqual(columns)
    expect(lines.slice(1).every((line) => line.startsWith('  word'))).toBe(true)
  })
})

describe('from the journal', () => {
  it('puts time and flow in front and asks for nothing', async () => {
    const style = await drawn(pipe)
    const told = (happening: Happening) => progressLine(event(happening), style, { journal: true, utc: true })
    expect(told({ type: 'flow.started', deed: 'connect', provider: 'zendesk', connection: 'work', pid: 1 })).toEqual([
      '12:04:31  7k2m9q  → connect zendesk as "work"',
    ])
    expect(told({ type: 'browser.opened', how: 'firefox' })).toEqual([
      '12:04:31  7k2m9q  ✓ Opened the browser (firefox)',
    ])
    expect(told({ type: 'authorization.requested', url: 'https://a.example/?state=%E2%80%A6(a41f)' })).toEqual([
      '12:04:31  7k2m9q  → Authorization request',
      '                    https://a.example/?state=…(a41f)',
    ])
    expect(
      told({ type: 'token.refreshed', connection: 'work', rotated: true, expiresAt: '2026-11-23T12:34:31Z' }),
    ).toEqual(['12:04:31  7k2m9q  ✓ Refreshed "work", with a new refresh token; it expires in 30 min'])
    expect(told(ended)).toEqual(['12:04:31  7k2m9q  ✗ Failed after 1.9 s   INVALID_CLIENT  Refused.'])
  })

  it('names an event that it does not know', async () => {
    const unknown = { ...event(ended), type: 'moon.rose' } as unknown as LogEvent
    expect(progressLine(unknown, await drawn(pipe), { journal: true, utc: true })).toEqual([
      '12:04:31  7k2m9q  → moon.rose',
    ])
  })
})

it('lets nothing through that acts on a terminal', async () => {
  const style = await drawn(80)
  const response = { status: 200, statusText: hostile, headers: [[hostile, hostile] as const], body: hostile }
  const happenings: Happening[] = [
    { type: 'flow.started', deed: 'connect', provider: hostile, connection: 'x', pid: 1 },
    { type: 'answers.collected', answeredBy: { [hostile]: hostile } },
    { type: 'template.hides', file: hostile, hidden: [hostile] },
    { type: 'listener.opened', addresses: [hostile], redirectUri: hostile, forwardTo: hostile },
    { type: 'authorization.requested', url: hostile },
    { type: 'browser.opened', how: hostile },
    { type: 'browser.failed', why: hostile },
    { type: 'callback.ignored', reason: 'method', method: hostile, path: hostile, detail: hostile },
    { type: 'callback.received', via: 'GET', params: { error: hostile, [hostile]: hostile } },
    {
      type: 'exchange',
      exchange: {
        ...({ purpose: hostile, method: hostile, url: hostile } as const),
        request: { headers: [[hostile, hostile]], body: hostile },
        response,
        timing: { total: 1 },
        peer: hostile,
        failure: { code: hostile, message: hostile },
      },
    },
    { type: 'quirk', quirk: hostile },
    { type: 'server.discovered', issuer: hostile, resource: hostile },
    { type: 'client.registered', clientId: hostile, server: hostile, isNew: true },
    { type: 'client.registered', clientId: hostile, server: hostile, isNew: false },
    { type: 'warning', code: 'X', message: hostile, hint: hostile },
    { type: 'connection.saved', connection: hostile },
    { type: 'token.refreshed', connection: hostile, rotated: true, expiresAt: hostile },
    { type: 'flow.ended', state: 'failed', duration: 1, error: { code: hostile, message: hostile } },
  ]
  for (const happening of happenings) {
    for (const options of [{}, { verbose: true }, { journal: true }, { title: hostile }]) {
      expect(isHarmless(progressLine(event(happening), style, options).join('\n')), happening.type).toBe(true)
    }
  }
})

describe('waiting', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  /** What a terminal shows of what was written to it: only carriage returns and cleared lines matter here. */
  function screen() {
    let written = ''
    return {
      write: (text: string) => (written += text),
      shown: () =>
        written
          .split('\n')
          .map((line) => line.slice(line.lastIndexOf('\x1b[2K') + 4 * Number(line.includes('\x1b[2K')))),
      written: () => written,
    }
  }

  it('counts the time on one line that others are printed above', async () => {
    const stream = screen()
    const wait = waiting(stream, await drawn(80, { animated: true }), 'Waiting for you at Zendesk', 'or Ctrl-C')
    vi.advanceTimersByTime(12_000)
    expect(stream.shown()).toEqual(['… Waiting for you at Zendesk   0:12   (or Ctrl-C)'])
    wait.above(['! Something else'])
    vi.advanceTimersByTime(61_000)
    expect(stream.shown()).toEqual(['! Something else', '… Waiting for you at Zendesk   1:13   (or Ctrl-C)'])
    wait.stop()
    const { length } = stream.written()
    wait.stop()
    expect(stream.written()).toHaveLength(length)
    vi.advanceTimersByTime(5000)
    wait.above(['done'])
    expect(stream.shown()).toEqual(['! Something else', 'done', ''])
  })

  it('never reaches the last cell of the line', async () => {
    const stream = screen()
    waiting(stream, await drawn(30, { animated: true }), 'Waiting for you at a long name', 'or Ctrl-C').stop()
    expect(stream.written()).toContain('… Waiting for you at a long …')
  })

  it('is one plain line where nothing may be redrawn', async () => {
    const stream = screen()
    const wait = waiting(stream, await drawn(pipe), `Waiting for you at ${hostile}`, 'or Ctrl-C')
    vi.advanceTimersByTime(5000)
    wait.above(['more'])
    wait.stop()
    expect(stream.written()).toBe('… Waiting for you at abcd efghijkl m   (or Ctrl-C)\nmore\n')
  })
})

it('does not keep the process alive by waiting', async () => {
  const module = (name: string) => JSON.stringify(new URL(`../../../dist/cli/output/${name}.js`, import.meta.url).href)
  const program = `import { waiting } from ${module('progress')}; import { makeStyle } from ${module('style')}
    const style = await makeStyle({ terminal: true, color: false, animated: true, unicode: true, columns: 80 })
    waiting(process.stderr, style, 'Waiting')`
  const { stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    timeout: 20_000,
  })
  expect(stderr).toBe('\r\x1b[2K… Waiting   0:00')
})
