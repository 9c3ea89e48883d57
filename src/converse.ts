import { type Attempt, peek, sendDressed } from './call.ts'
import { greet, type Say } from './mcp.ts'
import type { Connection } from './model/connection.ts'
import type { Tell } from './model/event.ts'
import type { Answer, World } from './model/world.ts'
import type { Mode } from './modes/mode.ts'
import { mcpHeaders, needsGreeting } from './wire/mcp.ts'

/** A message to an MCP server: read whole, and it says what it is and what it may be answered with, unless it does so. */
export async function asMessage(attempt: Attempt): Promise<Attempt> {
  if (attempt.method !== 'POST') return attempt
  const own = attempt.headers.map(([name]) => name.toLowerCase())
  const headers = [...attempt.headers, ...mcpHeaders.filter(([name]) => !own.includes(name))]
  const body = await textOf(attempt.body)
  return { ...attempt, headers, ...(body === undefined ? {} : { body }) }
}

/** A server that keeps conversations refuses what does not belong to one (MCP, Session Management). */
export function wantsGreeting({ headers, body }: Attempt, { status }: Answer): boolean {
  const isOwn = headers.some(([name]) => name.toLowerCase() === 'mcp-session-id')
  return (status === 400 || status === 404) && !isOwn && typeof body === 'string' && needsGreeting(body)
}

/** Bytes of an answer to a greeting, or of a refusal, that are kept. */
const mostKept = 1024 * 1024

/** Says the same within a conversation of its own; where none comes about, the refusal stands. */
export async function inConversation(
  world: World,
  connection: Connection,
  mode: Mode,
  attempt: Attempt,
  refused: Answer,
  tell: Tell,
): Promise<{ readonly answer: Answer; readonly end: () => Promise<void> }> {
  // Read before anything else is sent, so that the log tells one thing after the other.
  const { answer: kept } = await peek(refused, mostKept)
  const say: Say = async (body, headers, method = 'POST') => {
    const bare = {
      ...attempt,
      method,
      headers: [...attempt.headers, ...headers],
      body: method === 'POST' ? body : undefined,
    }
    const answer = await sendDressed(world, connection, mode, bare, tell)
    const { text } = await peek(answer, mostKept)
    return { status: answer.status, headers: answer.headers, text }
  }
  const greeting = await greet(world, say)
  if ('refused' in greeting) return { answer: kept, end: async () => {} }
  tell({ type: 'conversation.begun' })
  const { headers, end } = greeting.session
  const within = { ...attempt, headers: [...attempt.headers, ...headers] }
  return { answer: await sendDressed(world, connection, mode, within, tell), end }
}

async function textOf(body: Attempt['body']): Promise<string | undefined> {
  if (body === undefined || typeof body === 'string') return body
  if (body instanceof Uint8Array) return Buffer.from(body).toString('utf8')
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
