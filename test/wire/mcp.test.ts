import { expect, it, test } from 'vitest'
import { initializeMessage, mcpAnswerIn, mcpMessage, needsGreeting } from '../../src/wire/mcp.ts'

const answer = '{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}'

test.each([
  ['JSON', answer],
  ['JSON behind a byte order mark', `\uFEFF${answer}`],
  ['an event', `event: message\ndata: ${answer}\n\n`],
  ['an event without the blank, with CRLF', `id: 1\r\ndata:${answer}\r\n\r\n`],
  ['an event after a notification', `data: {"jsonrpc":"2.0","method":"notifications/message"}\n\ndata: ${answer}\n\n`],
  ['an event of several lines', `data: {"jsonrpc":"2.0","id":1,\ndata: "result":{"tools":[]}}\n\n`],
  ['a stream that begins with comments', `: ping\n\n: ping\n\ndata: ${answer}\n\n`],
])('an answer is found in %s', (_, body) => {
  expect(mcpAnswerIn(body)).toEqual({ result: { tools: [] } })
})

test.each(['', '[]', '<html>', 'data: {"jsonrpc"', '{"jsonrpc":"2.0","id":1}', '{"result":7}'])(
  'none is found in %j',
  (body) => {
    expect(mcpAnswerIn(body)).toBeUndefined()
  },
)

it('an error says which, and in words', () => {
  const body = '{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}'
  expect(mcpAnswerIn(body)).toEqual({ error: { code: -32601, message: 'Method not found' } })
})

test.each([
  [mcpMessage('tools/list', {}, 1), true],
  [mcpMessage('notifications/initialized'), true],
  [initializeMessage, false],
  ['{"method":"tools/list"}', false],
  ['not JSON', false],
  ['[]', false],
])('%s belongs into a conversation: %s', (body, belongs) => {
  expect(needsGreeting(body)).toBe(belongs)
})
