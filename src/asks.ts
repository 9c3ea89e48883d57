import { everyQuestion, type Question, sections } from './catalog/questions.ts'
import type { Prompts, Template } from './model/provider.ts'
import { traitsOf } from './modes/index.ts'

const clientFlags = ['--client-id', '--client-secret']

/**
 * Every question of a provider: the template's own, and those of its mode that the template does not put itself, the ones
 * that nobody is asked at the end. `taken`: flags that mean something else. Where the mode has no client of its own,
 * `--client-id` and `--client-secret` are for whatever the template calls so.
 */
export function asksOf(template: Template, taken: readonly string[] = []): readonly Question[] {
  const { client } = traitsOf(template.auth_mode)
  const free = client === undefined ? taken.filter((flag) => !clientFlags.includes(flag)) : taken
  const held = client === undefined ? template : withoutClient(template)
  return everyQuestion(
    { ...held, connection_config: firstPrompts(held), credentials: credentialPrompts(held), ...unfilled(template) },
    free,
    sections,
  )
}

/**
 * Answers that are said to come by themselves come from a callback, a token answer or the owner of the integration; where
 * there is none of these, only the person can give them, if anybody.
 */
function unfilled(template: Template): { readonly connection_config?: Prompts } {
  const { opensBrowser, endpoints = [] } = traitsOf(template.auth_mode)
  const { connection_config: prompts, integration_config: owned = {} } = template
  if (opensBrowser === true || endpoints.length > 0 || prompts === undefined) return {}
  const brought = new Set([...Object.keys(owned), ...(template.connection_configuration ?? [])])
  return {
    connection_config: Object.fromEntries(
      Object.entries(prompts).map(([name, prompt]) => {
        const { automated, ...rest } = prompt
        return [name, automated === true && !brought.has(name) ? { ...rest, optional: true } : prompt]
      }),
    ),
  }
}

/** Whether a provider's mode sends somebody to a browser, and whether it has a client of its own. */
export function usesOf({ auth_mode: mode }: Template): { readonly browser: boolean; readonly client: boolean } {
  const { opensBrowser, client } = traitsOf(mode)
  return { browser: opensBrowser === true, client: client !== undefined }
}

/** The prompts of a template's client, where it words them itself. */
export function clientPrompts({ credentials = {}, auth_mode: mode }: Template): Prompts {
  const { client, clientAsks = {} } = traitsOf(mode)
  if (client === undefined) return {}
  return { ...clientAsks, ...Object.fromEntries(Object.entries(credentials).filter(([name]) => isClientField(name))) }
}

/** What the mode cannot do without, where the template does not ask for it itself. */
function firstPrompts({ auth_mode: mode, connection_config: own = {} }: Template): Prompts {
  const wanted = { ...traitsOf(mode).asksFirst, ...own }
  const { mcp_server_url: url } = wanted
  if (url?.pattern === undefined || mode !== 'MCP_OAUTH2_GENERIC') return wanted
  return { ...wanted, mcp_server_url: { ...url, pattern: `(?:${url.pattern})|${loopbackPattern}` } }
}

/** A server under one's own hands may be spoken to over plain http, whatever a catalogue wants of the others. */
const loopbackPattern = '^http://(?:localhost|127(?:\\.[0-9]{1,3}){3}|\\[::1\\])(?::[0-9]{1,5})?(?:[/?].*)?$'

function credentialPrompts(template: Template): Prompts {
  const { asks = {} } = traitsOf(template.auth_mode)
  const own = typeof asks === 'function' ? asks(template) : asks
  return { ...own, ...template.credentials }
}

function withoutClient(template: Template): Template {
  const rest = Object.entries(template.credentials ?? {}).filter(([name]) => !isClientField(name))
  return { ...template, credentials: Object.fromEntries(rest) }
}

function isClientField(name: string): boolean {
  return name === 'client_id' || name === 'client_secret'
}
