import { type Connection, isExpired, isRenewable, isStale } from './model/connection.ts'
import { MachineError, ProviderError } from './model/errors.ts'
import type { World } from './model/world.ts'
import { connectAgain, refusedForGood, revokedHere, savedConnection, unknownConnection } from './saved.ts'

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
 * the provider refuses (`INVALID_GRANT` marks the connection) or nothing can renew it (`EXPIRED`); MachineError
 * `REFRESH_INTERRUPTED` where a process that was killed may have used the refresh token up; TransportError.
 */
export async function refresh(world: World, name: string, asked: RefreshOptions = {}): Promise<Connection> {
  const found = await savedConnection(world, name)
  if (found.lastError?.code === 'REVOKED') throw revokedHere(found)
  const isStale = mustRenew(found, found, world, asked)
  if (!isStale && !(await isKnownDead(world, found))) return found
  const options = isStale ? asked : { ...asked, refused: found.credential.accessToken ?? '' }
  if (!isRenewable(found)) return asItIs(found, world, options)
  let issued = false
  const change = async (current: Connection | undefined): Promise<Connection | undefined> => {
    if (current === undefined) throw unknownConnection(name)
    if (isRenewedSince(found, current, world) || !mustRenew(current, found, world, options)) return undefined
    const { renew } = await import('./renew.ts')
    const renewed = await renew(world, current, options)
    issued = renewed !== undefined && renewed.lastError === null
    return renewed
  }
  const settle = (): Promise<void> => world.store.intents.settle(name)
  const renewed = await world.store.connections.update(name, change, world.signal, settle).catch((error: unknown) => {
    throw issued && error instanceof MachineError ? unsaved(error, name) : error
  })
  const connection = renewed ?? (await savedConnection(world, name))
  if (connection.lastError?.final === true) throw refusedForGood(connection)
  if (!livesLongEnough(connection, world, options)) await tellShortLife(world, connection, options)
  return connection
}

/** Of a token that does not say when it ends: some providers have to be asked. */
async function isKnownDead(world: World, connection: Connection): Promise<boolean> {
  const { expiresAt, accessToken } = connection.credential
  if (expiresAt !== undefined || accessToken === undefined || !isRenewable(connection)) return false
  const { isDead } = await import('./introspect.ts')
  return isDead(world, connection)
}

/**
 * Whether whoever held the lock before us has renewed it: younger than our question is young enough, however short the
 * tokens live. Told by what changed, since clocks may be set back.
 */
function isRenewedSince(found: Connection, current: Connection, world: World): boolean {
  return !isSame(found, current) && !isExpired(current, world.clock.now())
}

/** Some providers renew a token and keep its text. */
function isSame({ credential: one }: Connection, { credential: other }: Connection): boolean {
  return one.accessToken === other.accessToken && one.obtainedAt === other.obtainedAt
}

function mustRenew(current: Connection, found: Connection, world: World, options: RefreshOptions): boolean {
  if (options.refused !== undefined) return current.credential.accessToken === options.refused
  if (options.force === true) return isSame(current, found)
  return isStale(current, world.clock.now(), options.minValidity)
}

function livesLongEnough({ credential }: Connection, world: World, { minValidity = 0 }: RefreshOptions): boolean {
  const { expiresAt } = credential
  return expiresAt === undefined || Date.parse(expiresAt) - world.clock.now().getTime() >= minValidity * 1000
}

/** A token just renewed is the best there is: renewing it again and again would not make it live longer. */
async function tellShortLife(world: World, connection: Connection, { minValidity = 0 }: RefreshOptions): Promise<void> {
  const { warn } = await import('./renew.ts')
  const left = Math.max(
    0,
    Math.floor((Date.parse(connection.credential.expiresAt ?? '') - world.clock.now().getTime()) / 1000),
  )
  await warn(world, connection, {
    code: 'SHORT_LIVED',
    message: `The token of "${connection.name}" was renewed just now and lives ${left} s, less than the ${minValidity} s asked for.`,
  })
}

function asItIs(connection: Connection, world: World, options: RefreshOptions): Connection {
  if (!isExpired(connection, world.clock.now()) && options.force !== true && options.refused === undefined)
    return connection
  const why = connection.credential.accessToken === undefined ? lasting(connection) : 'there is no refresh token'
  const noun = connection.credential.accessToken === undefined ? 'credential' : 'token'
  const what = isExpired(connection, world.clock.now()) ? 'has expired' : 'cannot be renewed'
  throw new ProviderError('EXPIRED', `The ${noun} of "${connection.name}" ${what}: ${why}.`, {
    hint: connectAgain(connection),
  })
}

function lasting({ mode }: Connection): string {
  return `a connection of ${mode} stays as it was given`
}

/** The provider has rotated, the disk has not: the person must know that the saved refresh token may be spent. */
function unsaved(error: MachineError, name: string): MachineError {
  return new MachineError(
    error.code,
    `New tokens for "${name}" were issued, but could not be saved: ${error.message}`,
    {
      hint: `${error.hint ?? ''} Then connect again: the provider may have spent the saved refresh token.`.trim(),
      cause: error,
    },
  )
}
