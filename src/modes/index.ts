import { TemplateError } from '../model/errors.ts'
import type { Prompt } from '../model/provider.ts'
import type { Mode, Traits } from './mode.ts'

interface Registered extends Traits {
  readonly load: () => Promise<Mode>
}

const secret = (title: string): Prompt => ({ type: 'string', title, secret: true })
const plain = (title: string): Prompt => ({ type: 'string', title })
const username: Prompt = { ...plain('Username'), optional: true }
const password: Prompt = { ...secret('Password'), optional: true }
const serverUrl: Prompt = {
  ...plain('MCP server URL'),
  description: 'The whole URL of its endpoint',
  example: 'https://mcp.example.com/mcp',
  format: 'uri',
}

/** One entry per mode. */
const modes: Readonly<Record<string, Registered>> = {
  OAUTH2: {
    load: () => import('./authorization-code.ts'),
    opensBrowser: true,
    client: 'maybe public',
    endpoints: ['authorization', 'token'],
  },
  MCP_OAUTH2: {
    load: () => import('./mcp.ts'),
    opensBrowser: true,
    client: 'may register',
    endpoints: ['authorization', 'token'],
    wantsPkce: true,
  },
  MCP_OAUTH2_GENERIC: {
    load: () => import('./mcp-generic.ts'),
    opensBrowser: true,
    client: 'may register',
    asksFirst: { mcp_server_url: serverUrl },
    wantsPkce: true,
  },
  API_KEY: { load: () => import('./api-key.ts'), asks: { apiKey: secret('API key') }, isUnproved: true },
  BASIC: { load: () => import('./basic.ts'), asks: { username, password }, isUnproved: true },
  NONE: { load: () => import('./none.ts') },
}

export function isMode(authMode: string): boolean {
  return Object.hasOwn(modes, authMode)
}

/** What is known of a mode without loading it; nothing of one that cannot be done. */
export function traitsOf(authMode: string): Traits {
  return (isMode(authMode) ? modes[authMode] : undefined) ?? {}
}

/** Throws TemplateError `MODE_UNSUPPORTED`, before anything opens. */
export async function modeOf(authMode: string, provider: string): Promise<Mode> {
  assertMode(authMode, provider)
  const registered = modes[authMode]
  if (registered === undefined) throw new TypeError(`the mode ${authMode} is named and absent`)
  return registered.load()
}

/** The same refusal, without loading anything. */
export function assertMode(authMode: string, provider: string): void {
  if (!isMode(authMode)) {
    throw new TemplateError(
      'MODE_UNSUPPORTED',
      `${provider} authorizes by ${authMode}, which auth-cli cannot do yet.`,
      {
        hint: `What it can do now: ${Object.keys(modes).join(', ')}.`,
      },
    )
  }
}
