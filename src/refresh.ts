import { type Flow, runFlow } from './flow.ts'
import { type AuthCliError, MachineError, ProviderError, UsageError } from './model/errors.ts'
import { type Connection, isExpired, isStale } from './model/connection.ts'
import type { World } from './model/world.ts'
import { modeOf } from './modes/index.ts'
import { speechOf } from './speech.ts'


export interface RefreshOptions {
  /** Renew it although it is not stale. */
  readonly force?: boolean
  /** Seconds that the token must still live. */
  readonly minValidity?: number
  /** The access token that the API has just refused: renew unless somebody else has since. */
  readonly refused?: string
}

/**
 * The connection with a credential that can be used: as it is while that is fresh, else renewed under its lock, so that
 * however many processes ask at once, one request is made. Throws UsageError `UNKNOWN_CONNECTION`; ProviderError when
 * the provider refuses (`INVALID_GRANT` marks the connection) or nothing can renew it (`EXPIRED`); TransportError.
 */
export async function refresh(world: World, name: string, options: RefreshOptions = {}): Promise<Connection> {
  const found = await savedConnection(world, name)
  if (!mustRenew(found, found, world, options)) return found
  if (found.credential.refreshToken === undefined) return withoutRefreshToken(found, world, options)
  const asked = world.clock.now()
  let issued = false
  const change = async (current: Connection | undefined): Promise<Connection | undefined> => {
    if (current === undefined) throw unknownConnection(name)
    // Whoever held the lock before us may have renewed it: younger than our question is young enough.
    if (Date.parse(current.credential.obtainedAt) >= asked.getTime() || !mustRenew(current, found, world, options)) return undefined
    const renewed = await renew(world, current, options)
    issued = renewed.lastError === null
    return renewed
  }
  const renewed = await world.store.connections.update(name, change, world.signal).catch((error: unknown) => {
    throw issued && error instanceof MachineError ? unsaved(error, name) : error
  })
  const connection = renewed ?? (await savedConnection(world, name))
  if (connection.lastError?.final === true) throw refusedForGood(connection)
  return connection
}

/** Throws UsageError `UNKNOWN_CONNECTION` with the names that come near. */
export async function savedConnection(world: Pick<World, 'store'>, name: string): Promise<Connection> {
  const connection = await world.store.connections.read(name)
  if (connection === undefined) throw unknownConnection(name)
  return connection
}

function unknownConnection(name: string): UsageError {
  return new UsageError('UNKNOWN_CONNECTION', `There is no connection called "${name}".`, {
    hint: `List them with auth-cli connections, or make it: auth-cli connect ${/^[\w.-]+$/.test(name) ? name : '<provider>'}`,
  })
}

function mustRenew(current: Connection, found: Connection, world: World, options: RefreshOptions): boolean {
  if (options.refused !== undefined) return current.credential.accessToken === options.refused
  if (options.force === true) return current.credential.accessToken === found.credential.accessToken
  return isStale(current, world.clock.now(), options.minValidity)
}

function withoutRefreshToken(connection: Connection, world: World, options: RefreshOptions): Connection {
  if (!isExpired(connection, world.clock.now()) && options.force !== true && options.refused === undefined) return connection
  throw new ProviderError('EXPIRED', `The token of "${connection.name}" ${options.force === true ? 'cannot be renewed' : 'has expired'}, and there is no refresh token.`, {
    hint: `Connect again: auth-cli connect ${connection.integration}${asName(connection)}`,
  })
}

async function renew(world: World, connection: Connection, options: RefreshOptions): Promise<Connection> {
  if (connection.lastError?.final === true && options.force !== true) throw refusedForGood(connection)
  try {
    return await runFlow(world, { deed: 'refresh', provider: connection.provider, connection: connection.name }, (flow) =>
      renewedBy(world, connection, flow),
    )
  } catch (error) {
    if (!(error instanceof ProviderError) || !isFinal(error)) throw error
    // Saved with the mark, so that nobody asks in a loop; `refresh` throws it once the lock is free.
    return {
      ...connection,
      updatedAt: world.clock.now().toISOString(),
      lastError: { at: world.clock.now().toISOString(), code: error.code, message: world.secrets.scrub(error.message), flow: error.flow, final: true },
    }
  }
}

async function renewedBy(world: World, connection: Connection, flow: Flow): Promise<Connection> {
  learnSecrets(world, connection)
  const mode = await modeOf(connection.mode, connection.provider)
  if (mode.renew === undefined) {
    throw new ProviderError('EXPIRED', `A connection of ${connection.mode} cannot be renewed.`, { hint: 'Connect again.' })
  }
  const obtained = await mode.renew(world, connection, { ...flow, speech: speechOf(world, flow.tell, connection.provider) })
  const now = world.clock.now().toISOString()
  const rotated = obtained.credential.refreshToken !== connection.credential.refreshToken
  flow.tell({ type: 'token.refreshed', connection: connection.name, rotated, expiresAt: obtained.credential.expiresAt })
  return {
    ...connection,
    credential: obtained.credential,
    scopes: { ...connection.scopes, granted: obtained.granted ?? connection.scopes.granted },
    updatedAt: now,
    refreshedAt: now,
    lastError: null,
  }
}

/** From now on no text of this run shows them. */
export function learnSecrets(world: Pick<World, 'secrets'>, connection: Connection): void {
  const { accessToken, refreshToken, idToken } = connection.credential
  for (const secret of [accessToken, refreshToken, idToken, connection.snapshot.client.secret]) {
    if (secret !== undefined) world.secrets.learn(secret)
  }
}

function isFinal(error: AuthCliError): boolean {
  return error.code === 'INVALID_GRANT'
}

function refusedForGood(connection: Connection): ProviderError {
  const failure = connection.lastError
  const error = new ProviderError(failure?.code ?? 'INVALID_GRANT', failure?.message ?? 'The provider refused the refresh token.', {
    hint: `The refresh token of "${connection.name}" is no longer good. Connect again: auth-cli connect ${connection.integration}${asName(connection)}`,
  })
  error.flow = failure?.flow
  return error
}

function asName({ name, integration }: Connection): string {
  return name === integration ? '' : ` --as ${name}`
}

/** The provider has rotated, the disk has not: the person must know that the saved refresh token may be spent. */
function unsaved(error: MachineError, name: string): MachineError {
  return new MachineError(error.code, `New tokens for "${name}" were issued, but could not be saved: ${error.message}`, {
    hint: `${error.hint ?? ''} Then connect again: the provider may have spent the saved refresh token.`.trim(),
    cause: error,
  })
}
