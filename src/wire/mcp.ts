import type { Header } from '../model/event.ts'

/** The revision of the Model Context Protocol that we begin with; the server may answer with another. */
export const mcpVersion = '2025-06-18'

/** What every message of ours may be answered with (MCP, Streamable HTTP). */
export const mcpHeaders: readonly Header[] = [
  ['content-type', 'application/json'],
  ['accept', 'application/json, text/event-stream'],
]

/** What a server answered to one message (JSON-RPC 2.0 §5). */
export interface McpAnswer {
  readonly result?: Readonly<Record<string, unknown>> | undefined
  readonly error?: { readonly code?: number | undefined; readonly message: string } | undefined
}

/** A JSON-RPC request, or a notification where there is no id. */
export function mcpMessage(method: string, params?: Readonly<Record<string, unknown>>, id?: number): string {
  return JSON.stringify({
    jsonrpc: '2.0',
    ...(id === undefined ? {} : { id }),
    method,
    ...(params === undefined ? {} : { params }),
  })
}

/** The first message of a conversation: who we are. */
export const initializeMessage = mcpMessage(
  'initialize',
  { protocolVersion: mcpVersion, capabilities: {}, clientInfo: { name: 'auth-cli', version: '1' } },
  0,
)

/** The answer in a body, be it JSON or a stream of server-sent events; undefined where there is none. */
export function mcpAnswerIn(body: string): McpAnswer | undefined {
  const text = body.replace(/^\uFEFF/, '')
  const whole = answerOf(text)
  if (whole !== undefined) return whole
  for (const block of text.split(/\r?\n\r?\n/)) {
    const data = block
      .split(/\r?\n/)
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(5).replace(/^ /, ''))
      .join('\n')
    const answer = answerOf(data)
    if (answer !== undefined) return answer
  }
  return undefined
}

/** Whether a body is one JSON-RPC message that is not the first of a conversation. */
export function needsGreeting(body: string): boolean {
  const message = members(body)
  return message?.['jsonrpc'] === '2.0' && typeof message['method'] === 'string' && message['method'] !== 'initialize'
}

function answerOf(text: string): McpAnswer | undefined {
  const message = members(text)
  if (message === undefined) return undefined
  const { result, error } = message
  if (isMembers(result)) return { result }
  if (!isMembers(error)) return undefined
  const { code, message: said } = error
  return {
    error: {
      code: typeof code === 'number' ? code : undefined,
      message: typeof said === 'string' ? said : 'an error that says nothing',
    },
  }
}

function members(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isMembers(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isMembers(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
