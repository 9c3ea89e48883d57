import { originsOf } from './endpoints.ts'
import { enquire } from './enquire.ts'
import { runFlow } from './flow.ts'
import { type Connection, isRenewable } from './model/connection.ts'
import { AuthCliError, MachineError, TransportError } from './model/errors.ts'
import type { Tell } from './model/event.ts'
import type { Integration } from './model/integration.ts'
import type { World } from './model/world.ts'
import { modeOf, traitsOf } from './modes/index.ts'
import type { Attempt, Obtained, Speech } from './modes/mode.ts'
import { assertPossible } from './needs.ts'
import { prove } from './prove.ts'
import { speechOf } from './speech.ts'

export interface ConnectOptions {
  /** False: the connection is returned and nothing is written. Default true. */
  readonly save?: boolean | undefined
  readonly tags?: Readonly<Record<string, string>> | undefined
  /** True where a twin in the sandbox stands in for the provider. */
  readonly twin?: boolean | undefined
  /** True: nothing of a connection that had the name before is kept, neither tags nor metadata. */
  readonly replace?: boolean | undefined
}

/** A connection and the flow that made it. */
export interface Connected {
  readonly connection: Connection
  readonly flow: string
}

/**
 * Runs the flow of an integration and saves what it brings home. Until the new credential is in hand nothing saved is
 * touched. Throws any AuthCliError, with the flow's id on it.
 */
export async function connect(
  world: World,
  integration: Integration,
  options: ConnectOptions = {},
): Promise<Connected> {
  const { name, template } = { name: integration.connection, template: integration.provider.template }
  const mode = await modeOf(template.auth_mode, integration.provider.name)
  const lacks = assertPossible(integration.provider)
  return runFlow(world, { deed: 'connect', provider: integration.provider.name, connection: name }, async (flow) => {
    if (options.save !== false) await world.store.connections.ready()
    flow.tell({ type: 'answers.collected', answeredBy: integration.answeredBy })
    for (const message of integration.notes ?? []) flow.tell({ type: 'warning', code: 'ANSWER', message })
    for (const says of lacks) flow.tell({ type: 'warning', code: 'NOT_YET', message: says })
    announceHiding(integration, flow.tell)
    announceMending(integration, flow.tell)
    let made: Connection | undefined
    const speech = speechOf(world, flow.tell, integration.provider.names)
    const keep = async (obtained: Obtained): Promise<void> => {
      const fresh = connectionOf(world, obtained.integration ?? integration, obtained, options)
      await assertProved(world, fresh, flow.tell, speech)
      warn(fresh, flow.tell)
      made = options.save === false ? fresh : await save(world, fresh, options.replace === true)
      if (options.save !== false) flow.tell({ type: 'connection.saved', connection: name })
      made = await completed(world, made, integration, { ...flow, speech }, options)
    }
    await mode.obtain(world, integration, { ...flow, speech }, keep).catch((error: unknown) => {
      throw withAnswers(error, integration)
    })
    if (made === undefined) throw new Error('a mode returned without keeping anything')
    return { connection: made, flow: flow.id }
  })
}

/** With what a look-up finds, saved once more: until it is done there is a connection already. */
async function completed(
  world: World,
  made: Connection,
  integration: Integration,
  { tell, speech }: Attempt,
  { save }: ConnectOptions,
): Promise<Connection> {
  const found = await enquire(world, made, integration, { tell }, speech)
  if (found === undefined || save === false) return found ?? made
  const { params, snapshot } = found
  const saved = await world.store.connections.update(made.name, (current) =>
    current === undefined ? undefined : { ...current, params, snapshot },
  )
  return saved ?? found
}

/**
 * What nobody has said yes to is tried before it is saved; where the template knows no call to try it with, that is told.
 */
async function assertProved(world: World, connection: Connection, tell: Tell, speech: Speech): Promise<void> {
  if (traitsOf(connection.mode).isUnproved !== true) return
  const proof = await prove(world, connection, tell, speech)
  if (proof !== undefined) return
  tell({
    type: 'warning',
    code: 'UNTESTED',
    message: 'Saved untested: the template names no call that would show whether the credentials are good',
    hint: 'Try one: auth-cli request; or name it under proxy.verification in the template.',
  })
}

/** A project's template that stands before another of the same name is never silent. */
function announceHiding({ provider }: Integration, tell: Tell): void {
  if (provider.source.kind !== 'project' || provider.hides.length === 0) return
  tell({
    type: 'template.hides',
    file: provider.source.file,
    hidden: provider.hides.map(({ kind, file }) => `${kind} (${file})`),
  })
}

/** Nor is a catalogue's entry that was given what it lacks. */
function announceMending({ provider: { title, mended } }: Integration, tell: Tell): void {
  if (mended !== undefined) tell({ type: 'warning', code: 'TEMPLATE_MENDED', message: `${title}: ${mended}` })
}

async function save(world: World, fresh: Connection, anew: boolean): Promise<Connection> {
  if (anew) await forgetBroken(world, fresh.name)
  const saved = await world.store.connections.update(fresh.name, (current) =>
    current === undefined || anew
      ? fresh
      : {
          ...fresh,
          createdAt: current.createdAt,
          metadata: current.metadata,
          tags: { ...current.tags, ...fresh.tags },
        },
  )
  return saved ?? fresh
}

/** A file that cannot be read would stand in the way of what replaces it. */
async function forgetBroken(world: World, name: string): Promise<void> {
  try {
    await world.store.connections.read(name)
  } catch (error) {
    if (!(error instanceof MachineError) || error.code !== 'STORE_CORRUPT') throw error
    await world.store.connections.remove(name)
  }
}

/** What comes home, as a connection that stands on its own. */
export function connectionOf(
  world: Pick<World, 'clock'>,
  integration: Integration,
  obtained: Obtained,
  options: ConnectOptions = {},
): Connection {
  const now = world.clock.now().toISOString()
  const { template, source, name } = integration.provider
  const { endpoints } = obtained
  return {
    version: 1,
    name: integration.connection,
    provider: name,
    integration: integration.name,
    mode: template.auth_mode,
    params: obtained.params,
    credential: obtained.credential,
    scopes: {
      requested: integration.scopes,
      granted: obtained.granted ?? integration.scopes,
      overridden: integration.scopesFrom !== 'template' && integration.scopesFrom !== 'default',
    },
    metadata: {},
    tags: options.tags ?? {},
    createdAt: now,
    updatedAt: now,
    refreshedAt: null,
    lastError: null,
    snapshot: {
      endpoints,
      origins: [...new Set([...originsOf(endpoints), ...(obtained.origins ?? [])])],
      template,
      source,
      names: integration.provider.names,
      client: integration.client,
      ...(obtained.redirectUri === undefined ? {} : { redirectUri: obtained.redirectUri }),
      ...(obtained.renewal === undefined ? {} : { renewal: obtained.renewal }),
      ...(options.twin === true ? { twin: true as const } : {}),
      tokenParams: integration.tokenParams,
      refreshMargin: template.token_expiration_buffer,
      allowHttp: integration.allowHttp,
    },
  }
}

/** What was asked for and did not come: each worth a word before it bites. */
function warn(connection: Connection, tell: Tell): void {
  const { credential, scopes, snapshot } = connection
  const title = snapshot.template.display_name ?? connection.provider
  const missing = scopes.requested.filter((scope) => !scopes.granted.includes(scope))
  if (missing.length > 0) {
    const message = `${title} granted ${scopes.granted.join(', ') || 'no scope'}; you asked for ${scopes.requested.join(', ')}`
    tell({ type: 'warning', code: 'SCOPES_MISSING', message, hint: `missing: ${missing.join(', ')}` })
  }
  if (credential.accessToken === undefined || traitsOf(connection.mode).isLasting === true) return
  if (!isRenewable(connection)) {
    const message = `${title} sent no refresh token: when this one expires you connect again`
    tell({
      type: 'warning',
      code: 'NO_REFRESH_TOKEN',
      message,
      hint: 'Some providers want a scope for it (offline_access) or a parameter (access_type=offline).',
    })
  }
  if (credential.expiresAt === undefined && snapshot.template.token_expires_in_ms !== 0) {
    const how = saysLifetime(credential.raw) ? 'said in words not understood' : 'did not say'
    const message = `${title} ${how} when the token expires: it is never renewed by itself`
    tell({ type: 'warning', code: 'NO_EXPIRY', message })
  }
}

function saysLifetime(raw: unknown): boolean {
  if (typeof raw !== 'object' || raw === null) return false
  return ['expires_in', 'expires_at'].some(
    (name) => Object.hasOwn(raw, name) && (raw as Record<string, unknown>)[name] !== null,
  )
}

/** A host that cannot be found is most often a mistyped answer: name the answer that made it. */
function withAnswers(error: unknown, { params, provider }: Integration): unknown {
  if (!(error instanceof TransportError) || error.code !== 'UNREACHABLE') return error
  const asked = Object.keys(provider.template.connection_config ?? {})
  const suspects = asked.filter(
    (key) => params[key] !== undefined && params[key] !== '' && error.message.includes(params[key]),
  )
  if (suspects.length === 0) return error
  const named = suspects.map((key) => `${key} "${params[key]}"`).join(' and ')
  return new TransportError(error.code, error.message, {
    hint: `The host comes from your answer ${named}: is it spelled right?`,
    facts: error.facts,
    cause: error instanceof AuthCliError ? error.cause : error,
  })
}
