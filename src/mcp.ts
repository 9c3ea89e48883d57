import { dress } from './dress.ts'
import type { Connection } from './model/connection.ts'
import { ProviderError } from './model/errors.ts'
import type { Header, Tell } from './model/event.ts'
import type { World } from './model/world.ts'
import { modeOf } from './modes/index.ts'
import type { Mode } from './modes/mode.ts'
import type { Proof } from './prove.ts'
import { learnSecrets } from './saved.ts'
import { initializeMessage, type McpAnswer, mcpAnswerIn, mcpHeaders, mcpMessage, mcpVersion } from './wire/mcp.ts'
import { headerOf, type Received, type Transmit } from './wire/record.ts'
import { assertSecure } from './wire/secure.ts'
import { wordsIn } from './wire/words.ts'

/** Sends one message with the connection's credential. */
export type Say = (
  body: string,
  headers: readonly Header[],
  method?: 'POST' | 'DELETE',
) => Promise<Pick<Received, 'status' | 'headers' | 'text'>>

/** A conversation that a server takes part in. */
export interface Session {
  /** What every further message carries: `Mcp-Session-Id` where the server gave one, and the agreed version. */
  readonly headers: readonly Header[]
  readonly end: () => Promise<void>
}

/** What a conversation with an MCP server showed. */
export interface McpProof extends Proof {
  /** Names of the tools that it offers. */
  readonly tools: readonly string[]
}

/** Whether a connection is to an MCP server, so that its API is a conversation. */
export function isMcp({ mode }: Connection): boolean {
  return mode === 'MCP_OAUTH2' || mode === 'MCP_OAUTH2_GENERIC'
}

/** Pages of a list of tools that are read; a list without end is nobody's. */
const mostPages = 50

/**
 * Proves a connection to an MCP server by a conversation: `initialize`, then `tools/list`. Throws ProviderError
 * `VERIFICATION_FAILED`; TransportError.
 */
export async function proveMcp(
  world: World,
  connection: Connection,
  tell: Tell,
  transmit: Transmit,
): Promise<McpProof> {
  learnSecrets(world, connection)
  const mode = await modeOf(connection.mode, connection.provider)
  const places = placesOf(connection)
  let refusal: ProviderError | undefined
  for (const url of places) {
    const say = sayer(world, connection, mode, { url, tell, transmit })
    const greeting = await greet(world, say)
    // Not here: a template tells the host of its server, and not always the path.
    if ('refused' in greeting && (greeting.refused.status === 404 || greeting.refused.status === 405)) {
      refusal ??= refusedBy(world, connection, url, 'initialize', greeting.refused)
      continue
    }
    if ('refused' in greeting) throw refusedBy(world, connection, url, 'initialize', greeting.refused)
    try {
      const { tools, status } = await toolsOf(world, connection, url, say, greeting.session)
      tell({ type: 'credential.verified', url: world.secrets.scrub(`POST ${url}`) })
      return { method: 'POST', url, status, tools }
    } finally {
      await greeting.session.end()
    }
  }
  throw refusal ?? new TypeError('an MCP connection without a URL')
}

/** The server's own URL; of a template that does not tell it, what its resource or its base URL is, or what is usual. */
function placesOf({ snapshot, name }: Connection): readonly string[] {
  const { endpoints, tokenParams, template } = snapshot
  if (endpoints.mcp !== undefined) return [endpoints.mcp]
  const base = endpoints.api
  const resource = tokenParams['resource'] ?? template.authorization_params?.['resource']
  const own = typeof resource === 'string' && URL.canParse(resource) ? resource : undefined
  const isKnown = (url: string): boolean => snapshot.origins.includes(new URL(url).origin)
  const places = [own, base, base === undefined ? undefined : `${base}/mcp`].filter(
    (url): url is string => url !== undefined && isKnown(url),
  )
  if (places.length > 0) return [...new Set(places)]
  throw new ProviderError('VERIFICATION_FAILED', `The template of "${name}" does not say where its server is.`, {
    hint: `Call it by its whole URL: auth-cli request ${name} <url>.`,
  })
}

interface Line {
  readonly url: string
  readonly tell: Tell
  readonly transmit: Transmit
}

function sayer(world: World, connection: Connection, mode: Mode, { url, tell, transmit }: Line): Say {
  assertSecure(url, connection.snapshot.allowHttp, 'the MCP URL')
  return async (body, headers, method = 'POST') => {
    const bare = { method, url, headers: [...mcpHeaders, ...headers], ...(method === 'POST' ? { body } : {}) }
    const dressed = dress(connection, mode, bare, { now: world.clock.now(), random: world.random }, tell)
    return transmit(dressed)
  }
}

/**
 * Begins a conversation (MCP, Lifecycle): `initialize`, and the word that we are ready. A server that knows no such message
 * is spoken to without.
 */
export async function greet(
  { secrets }: Pick<World, 'secrets'>,
  say: Say,
): Promise<{ readonly session: Session } | { readonly refused: Pick<Received, 'status' | 'text'> }> {
  const answer = await say(initializeMessage, [])
  const { result, error } = heard(answer)
  if (error?.code === methodUnknown) return { session: { headers: [], end: async () => {} } }
  if (result === undefined) return { refused: answer }
  const id = headerOf(answer.headers, 'mcp-session-id')
  const agreed = result['protocolVersion']
  const version = typeof agreed === 'string' && /^[\w.-]{1,40}$/.test(agreed) ? agreed : mcpVersion
  const headers: Header[] = [['mcp-protocol-version', version]]
  // Whoever has it may go on with the conversation.
  if (id !== '') headers.push(['mcp-session-id', secrets.learn(id)])
  await say(mcpMessage('notifications/initialized'), headers)
  const end = async (): Promise<void> => {
    // A server may refuse to be told (MCP, Session Management); that the conversation is over is true all the same.
    if (id !== '') await say('', headers, 'DELETE').catch(() => {})
  }
  return { session: { headers, end } }
}

/** JSON-RPC 2.0 §5.1: method not found. */
const methodUnknown = -32601

async function toolsOf(
  world: World,
  connection: Connection,
  url: string,
  say: Say,
  session: Session,
): Promise<{ readonly tools: readonly string[]; readonly status: number }> {
  const tools: string[] = []
  let cursor: string | undefined
  let status = 0
  for (let page = 1; page <= mostPages; page += 1) {
    const answer = await say(mcpMessage('tools/list', cursor === undefined ? {} : { cursor }, page), session.headers)
    const { result, error } = heard(answer)
    status = answer.status
    // A server without tools is a server all the same.
    if (error?.code === methodUnknown) break
    const { tools: listed, nextCursor } = result ?? {}
    if (!Array.isArray(listed)) throw refusedBy(world, connection, url, 'tools/list', answer)
    tools.push(...listed.map((tool: { readonly name?: unknown } | null) => String(tool?.name ?? '')))
    if (typeof nextCursor !== 'string' || nextCursor === '') break
    cursor = nextCursor
  }
  return { tools, status }
}

function heard({ status, text }: Pick<Received, 'status' | 'text'>): McpAnswer {
  return status >= 200 && status <= 299 ? (mcpAnswerIn(text) ?? {}) : {}
}

function refusedBy(
  world: World,
  { snapshot, provider, name }: Connection,
  url: string,
  method: string,
  answer: Pick<Received, 'status' | 'text'>,
): ProviderError {
  const { status, text } = answer
  const title = snapshot.template.display_name ?? provider
  const said = mcpAnswerIn(text)?.error?.message
  const isOdd = status >= 200 && status <= 299 && said === undefined
  return new ProviderError(
    'VERIFICATION_FAILED',
    isOdd
      ? `${title} answered ${method} with something that is no answer of an MCP server.`
      : `${title} does not take this credential for ${method}: it answered ${status}.`,
    {
      status,
      words: said ?? wordsIn(text),
      facts: [['Tried', `${world.secrets.scrub(`POST ${url}`)} → ${status}`]],
      hint:
        status === 401 || status === 403
          ? 'The token is not taken, or not for this server: renew it with auth-cli refresh --force, or connect again.'
          : `The whole conversation is in the log. By hand: auth-cli request ${name} / -d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'`,
    },
  )
}
