import { dress } from './dress.ts'
import { originsOf } from './endpoints.ts'
import { contextOf } from './fill/flaw.ts'
import { placeholders } from './fill/placeholders.ts'
import { fillUrl } from './fill/url.ts'
import type { Flow } from './flow.ts'
import { lookUpOf } from './lookups/index.ts'
import type { Findings, LookUp, Step } from './lookups/look-up.ts'
import type { Connection } from './model/connection.ts'
import { AuthCliError } from './model/errors.ts'
import type { Integration } from './model/integration.ts'
import type { World } from './model/world.ts'
import { modeOf } from './modes/index.ts'
import type { Speech } from './modes/mode.ts'
import { connectAgain } from './saved.ts'
import { assertSecure } from './wire/secure.ts'

/**
 * Asks the provider's API what the template leaves to be looked up (tenant ids, hosts), once there is a connection to ask
 * with; returns the connection with what was found, and with the base URL that waited for it. What cannot be found leaves
 * the connection as good as it was and is told. Undefined where nothing is to be looked up.
 */
export async function enquire(
  world: World,
  connection: Connection,
  integration: Integration,
  { tell }: Pick<Flow, 'tell'>,
  speech: Speech,
): Promise<Connection | undefined> {
  const lookUp = lookUpOf(namesOf(integration))
  if (lookUp === undefined) return undefined
  const { found, failures } = await findings(world, forgotten(connection, integration, lookUp), lookUp, tell, speech)
  const given = Object.entries(integration.params).filter(([key, value]) => value !== '' && !isStale(key, integration))
  const params = { ...connection.params, ...found, ...Object.fromEntries(given) }
  const keys = Object.keys(found).filter((key) => params[key] === found[key])
  if (keys.length > 0) tell({ type: 'answers.found', keys })
  const missing = lookUp.keys.filter((key) => params[key] === undefined || params[key] === '')
  if (missing.length > 0) tellMissing(connection, missing, failures, tell)
  return keys.length === 0 ? undefined : withBase({ ...connection, params }, keys, tell)
}

/** Somebody's own template is taken at its word: its name alone says nothing, unless it asks for the look-up. */
function namesOf({ provider }: Integration): readonly string[] {
  const isOwn = provider.source.kind === 'project' || provider.source.kind === 'person'
  const asks = provider.template['post_connection_script'] !== undefined
  return isOwn && !asks ? provider.names.slice(1) : provider.names
}

/** What an earlier look-up found is looked up again: another account may have been chosen. */
function isStale(key: string, { answeredBy, provider }: Integration): boolean {
  const prompt = provider.template.connection_config?.[key]
  return answeredBy[key] === 'saved connection' && (prompt === undefined || prompt.automated === true)
}

function forgotten(connection: Connection, integration: Integration, lookUp: LookUp): Connection {
  const kept = Object.entries(connection.params).filter(
    ([key]) => !lookUp.keys.includes(key) || !isStale(key, integration),
  )
  return { ...connection, params: Object.fromEntries(kept) }
}

interface Found {
  readonly found: Readonly<Record<string, string>>
  /** What went wrong, as `GET https://… answered 403`. */
  readonly failures: readonly string[]
}

async function findings(
  world: World,
  connection: Connection,
  { read, steps = [] }: LookUp,
  tell: Flow['tell'],
  speech: Speech,
): Promise<Found> {
  let found = defined(read?.(connection) ?? {})
  const failures: string[] = []
  for (const step of steps) {
    const soFar = { ...connection, params: { ...connection.params, ...found } }
    const answer = await asked(world, soFar, step, tell, speech)
    if (typeof answer === 'string') failures.push(answer)
    else found = { ...found, ...defined(answer) }
  }
  return { found, failures }
}

/** What one step found, or what went wrong. */
async function asked(
  world: World,
  connection: Connection,
  step: Step,
  tell: Flow['tell'],
  speech: Speech,
): Promise<Findings | string> {
  const url = step.url(connection)
  if (url === undefined) return {}
  const method = step.method ?? 'GET'
  try {
    assertSecure(url, connection.snapshot.allowHttp, 'the look-up')
    const mode = await modeOf(connection.mode, connection.provider)
    const moment = { now: world.clock.now(), random: world.random }
    const json = step.body === undefined ? undefined : JSON.stringify(step.body)
    const headers = [
      ...(step.headers?.(connection) ?? []),
      ...(json === undefined ? [] : [['content-type', 'application/json'] as const]),
    ]
    const bare = { method, url, headers, ...(json === undefined ? {} : { body: json }) }
    // Where a refusal tells something too, its status alone is no failure.
    const transmit = speech.transmit(step.refused === undefined ? 'look-up' : 'trial')
    const answer = await transmit(dress(connection, mode, bare, moment, () => {}))
    if (answer.status >= 200 && answer.status <= 299) return step.take(parsed(answer.text), connection)
    return step.refused?.(answer.status) ?? `${method} ${bareOf(url)} answered ${answer.status}`
  } catch (error) {
    if (!(error instanceof AuthCliError) || world.signal.aborted) throw error
    tell({ type: 'warning', code: error.code, message: `A look-up failed: ${error.message}` })
    return `${method} ${bareOf(url)} did not answer`
  }
}

function bareOf(url: string): string {
  return url.split(/[?#]/)[0] ?? url
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function defined(findings: Findings): Record<string, string> {
  const found = Object.entries(findings).filter((pair): pair is [string, string] => (pair[1] ?? '') !== '')
  return Object.fromEntries(found)
}

function tellMissing(
  connection: Connection,
  missing: readonly string[],
  failures: readonly string[],
  tell: Flow['tell'],
): void {
  const why = failures.length === 0 ? '' : ` (${failures.join('; ')})`
  const flags = missing.map((key) => `--param ${key}=…`).join(' ')
  tell({
    type: 'warning',
    code: 'LOOK_UP_INCOMPLETE',
    message: `The connection is good, but this could not be looked up: ${missing.join(', ')}${why}`,
    hint: `${connectAgain(connection)}; or give it yourself: ${flags}`,
  })
}

/** The base URL that waited for what was found, or was made of something else before. */
function withBase(connection: Connection, keys: readonly string[], tell: Flow['tell']): Connection {
  const { snapshot, provider, params } = connection
  const text = snapshot.template.proxy?.base_url
  const isMadeOf = placeholders(text ?? '').some((path) => keys.includes(path.replace(/^connectionConfig\./, '')))
  if (text === undefined || !isMadeOf) return connection
  try {
    const context = contextOf(provider, snapshot.template)
    const api = fillUrl('proxy.base_url', text, { ...params, connectionConfig: params }, context).replace(/\/+$/, '')
    assertSecure(api, snapshot.allowHttp, 'proxy.base_url')
    const endpoints = { ...snapshot.endpoints, api }
    const origins = [...new Set([...snapshot.origins, ...originsOf(endpoints)])]
    return { ...connection, snapshot: { ...snapshot, endpoints, origins } }
  } catch (error) {
    if (!(error instanceof AuthCliError)) throw error
    tell({ type: 'warning', code: error.code, message: `proxy.base_url stays unknown: ${error.message}` })
    return connection
  }
}
