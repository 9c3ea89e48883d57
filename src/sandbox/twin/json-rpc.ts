import { type Answer, json } from '../answer.ts'
import { type Fields, isFields, listOf, parsedFields, scalarText } from './fields.ts'
import { type Call, headerOf, type Stage } from './stage.ts'

/** Versions of the Model Context Protocol that are spoken, the newest first. */
const versions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']

const tools = [
  {
    name: 'echo',
    description: 'Says again what it was told.',
    inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
  },
]

type Reply = { readonly result: unknown } | { readonly error: { readonly code: number; readonly message: string } }

function replyTo(stage: Stage, method: string, params: Fields): Reply {
  const asked = scalarText(params['protocolVersion'])
  switch (method) {
    case 'initialize':
      return {
        result: {
          protocolVersion: versions.find((one) => one === asked) ?? versions[0],
          capabilities: { tools: {} },
          serverInfo: { name: `twin of ${stage.part.name}`, version: '1.0.0' },
        },
      }
    case 'ping':
      return { result: {} }
    case 'tools/list':
      return { result: { tools } }
    case 'tools/call': {
      const { name, arguments: given } = params
      const text = isFields(given) ? scalarText(given['text']) : undefined
      return name === 'echo' && text !== undefined
        ? { result: { content: [{ type: 'text', text }] } }
        : { error: { code: -32602, message: 'There is no such tool, or it lacks its text.' } }
    }
    default:
      return { error: { code: -32601, message: 'This method is unknown.' } }
  }
}

/**
 * What an MCP server answers a JSON-RPC request over HTTP, or who would have it speak first; undefined for a call that is
 * neither.
 */
export function answerRpc(stage: Stage, call: Call): Answer | undefined {
  if (call.method === 'GET' && headerOf(call, 'accept')?.trim() === 'text/event-stream') {
    return json(405, { error: 'invalid_request', message: 'This server has no stream.' }, { allow: 'POST' })
  }
  const sent = parsedFields(call.body)
  if (call.method !== 'POST' || sent?.['jsonrpc'] !== '2.0') return undefined
  const accepted = headerOf(call, 'accept') ?? ''
  const lacking = ['application/json', 'text/event-stream'].filter((type) => !accepted.includes(type))
  if (lacking.length > 0) return json(406, { error: 'not_acceptable', message: `accept lacks ${lacking.join(', ')}.` })
  const { id, method, params } = sent
  if (typeof method !== 'string') return json(400, failure(null, -32600, 'This is no request.'))
  // A notification has no id, and no answer.
  if (id === undefined) return { status: 202, headers: { 'cache-control': 'no-store' }, body: '' }
  if (listOf(params).length > 0) return json(200, failure(id, -32602, 'The parameters are to be named.'))
  return json(200, { jsonrpc: '2.0', id, ...replyTo(stage, method, isFields(params) ? params : {}) })
}

const failure = (id: unknown, code: number, message: string): Fields => ({
  jsonrpc: '2.0',
  id,
  error: { code, message },
})
