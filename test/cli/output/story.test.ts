import { expect, it } from 'vitest'
import { storyScreen } from '../../../src/cli/output/story.ts'
import { width } from '../../../src/cli/output/style.ts'
import type { Exchange } from '../../../src/model/event.ts'
import { drawn, event, hostile, isHarmless, pipe } from './samples.ts'

const exchange: Exchange = {
  purpose: 'token',
  method: 'POST',
  url: 'https://acme.zendesk.com/oauth/tokens',
  request: {
    headers: [['content-type', 'application/x-www-form-urlencoded']],
    body: 'grant_type=authorization_code&code=%E2%80%A6(77d0)&client_id=demo_app&client_secret=%E2%80%A6(12ab)',
  },
  response: {
    status: 401,
    statusText: 'Unauthorized',
    headers: [['Content-Type', 'application/json']],
    body: '{"error":"invalid_client"}',
  },
  timing: { dns: 3.2, connect: 21, tls: 44, wait: 240, total: 312 },
  peer: '192.0.2.1:443 TLSv1.3 CN=*.zendesk.com',
}

const error = {
  code: 'INVALID_CLIENT',
  message: 'Zendesk refused it.',
  hint: 'auth-cli connect zendesk --client-secret -',
}
const events = [
  event({ type: 'flow.started', deed: 'connect', provider: 'zendesk', connection: 'zendesk', pid: 1 }, 0),
  event(
    {
      type: 'authorization.requested',
      url: 'https://acme.zendesk.com/oauth/authorizations/new?response_type=code&client_id=demo_app&scope=read%20write&state=%E2%80%A6(a41f)&code_challenge_method=S256',
    },
    0,
  ),
  event({ type: 'browser.opened', how: 'firefox' }, 4),
  event({ type: 'callback.received', via: 'GET', params: { code: '…(77d0)', state: '…(a41f)' } }, 1402),
  event({ type: 'exchange', exchange }, 1723),
  event({ type: 'flow.ended', state: 'failed', duration: 1900, error }, 1724),
]

it('tells a flow from start to end', async () => {
  expect(storyScreen(events, await drawn(80), { utc: true })).toBe(`\
  connect zendesk · failed after 1.9 s · 2026-11-23 12:04:31

  0.000  →  authorization request   acme.zendesk.com/oauth/authorizations/new
            response_type=code  client_id=demo_app  scope="read write"
            state=…(a41f)  code_challenge_method=S256
  0.004  ✓  Opened the browser (firefox)
  1.402  ←  callback   ✓ state
            code=…(77d0)  state=…(a41f)
  1.411  →  POST acme.zendesk.com/oauth/tokens
            dns 3 · connect 21 · tls 44 · wait 240 · total 312 ms
            grant_type=authorization_code  code=…(77d0)  client_id=demo_app
            client_secret=…(12ab)
  1.723  ←  401 Unauthorized   application/json
            {"error":"invalid_client"}
  1.724  ✗  INVALID_CLIENT
            Zendesk refused it.
            auth-cli connect zendesk --client-secret -
`)
})

it('adds headers, peer and the whole URL when verbose', async () => {
  const lines = storyScreen(events, await drawn(80), { utc: true, verbose: true }).split('\n')
  expect(lines).toContain('  1.411  →  POST https://acme.zendesk.com/oauth/tokens')
  expect(lines).toContain('            192.0.2.1:443 TLSv1.3 CN=*.zendesk.com')
  expect(lines).toContain('            Content-Type: application/json')
})

it('lays JSON out where one line does not hold it, and counts what it leaves out', async () => {
  const body = JSON.stringify(Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`field${n}`, 'value'])))
  const long = event(
    { type: 'exchange', exchange: { ...exchange, response: { status: 200, statusText: 'OK', headers: [], body } } },
    1723,
  )
  const style = await drawn(80)
  expect(storyScreen([long], style)).toContain('              "field1": "value",\n')
  expect(storyScreen([long], style)).toContain('            … 16 more lines (-v shows them)\n')
  expect(storyScreen([long], style, { verbose: true })).toContain('"field29": "value"')
})

it('puts what happened during an exchange between its request and its answer', async () => {
  const between = event({ type: 'callback.ignored', reason: 'already answered', method: 'GET', path: '/x' }, 1500)
  const [, , , , answered] = events
  const signs = storyScreen(answered ? [between, answered] : [], await drawn(pipe)).match(/^ {2}1\.\d+ {2}./gm)
  expect(signs).toEqual(['  1.411  →', '  1.500  !', '  1.723  ←'])
})

it('says when no answer came', async () => {
  const { response: _, ...request } = exchange
  const failed = event(
    { type: 'exchange', exchange: { ...request, failure: { code: 'UNREACHABLE', message: 'no such host' } } },
    400,
  )
  expect(storyScreen([failed], await drawn(80))).toContain('  0.400  ✗  UNREACHABLE  no such host\n')
})

it('says how a flow stands that did not end itself', async () => {
  const [started] = events
  const style = await drawn(80)
  expect(storyScreen(started ? [started] : [], style, { utc: true })).toMatch(/^ {2}connect zendesk · running · 2026/)
  expect(storyScreen(started ? [started] : [], style, { state: 'cancelled' })).toContain('· cancelled ·')
})

it.each([40, 80])('fits into %i columns but for commands and addresses', async (columns) => {
  for (const verbose of [false, true]) {
    const wide = storyScreen(events, await drawn(columns), { utc: true, verbose })
      .split('\n')
      .filter((line) => width(line) > columns && !/^\s+(?:auth-cli .*|\S+)$/.test(line))
    expect(wide).toEqual([])
  }
})

it('lets nothing through that acts on a terminal', async () => {
  const response = { status: 200, statusText: hostile, headers: [['content-type', hostile] as const], body: hostile }
  const evil = {
    ...exchange,
    url: hostile,
    method: hostile,
    request: { headers: [], body: hostile },
    response,
    peer: hostile,
  }
  const story = [
    event({ type: 'flow.started', deed: 'connect', provider: hostile, connection: 'x', pid: 1 }),
    event({
      type: 'authorization.requested',
      url: `https://a.example/?${encodeURIComponent(hostile)}=${encodeURIComponent(hostile)}`,
    }),
    event({ type: 'authorization.requested', url: hostile }),
    event({ type: 'callback.received', via: 'GET', params: { [hostile]: hostile } }),
    event({ type: 'exchange', exchange: evil }, 1),
    event(
      { type: 'flow.ended', state: 'failed', duration: 1, error: { code: hostile, message: hostile, hint: hostile } },
      2,
    ),
  ]
  for (const columns of [80, pipe])
    expect(isHarmless(storyScreen(story, await drawn(columns), { verbose: true }))).toBe(true)
})
