import type { Connection } from './model/connection.ts'
import { UsageError } from './model/errors.ts'
import type { Header } from './model/event.ts'
import type { World } from './model/world.ts'
import { type RefreshOptions, refresh } from './refresh.ts'

/** A credential ready to be used elsewhere. */
export interface Token {
  readonly connection: Connection
  /** The access token; of `API_KEY` the key; of `BASIC` what stands behind the word Basic. */
  readonly value: string
}

/**
 * The usable token of a connection, renewed first when it must be. Throws UsageError `NO_TOKEN` where each request is
 * signed instead; what `refresh` throws.
 */
export async function token(world: World, name: string, options: RefreshOptions = {}): Promise<Token> {
  const connection = await refresh(world, name, options)
  const { accessToken, apiKey, username, password } = connection.credential
  if (connection.mode !== 'OAUTH2' && accessToken !== undefined) {
    const { modeOf } = await import('./modes/index.ts')
    // Half of what signs is nothing that anybody could use.
    if ((await modeOf(connection.mode, connection.provider)).signs === true) throw noToken(connection)
  }
  const basic = connection.mode === 'BASIC' ? base64(`${username ?? ''}:${password ?? ''}`) : undefined
  const value = accessToken ?? apiKey ?? basic
  if (value === undefined || value === '') throw noToken(connection)
  return { connection, value }
}

/** The headers that carry a connection's credential, as the API wants them. Throws UsageError `NO_TOKEN`. */
export async function headersOf(world: World, connection: Connection): Promise<readonly Header[]> {
  const { type, accessToken } = connection.credential
  const spelled = Object.values(connection.snapshot.template.proxy?.headers ?? {}).some((text) =>
    String(text).includes('${'),
  )
  if (type === 'OAUTH2' && accessToken !== undefined && !spelled) return [['Authorization', `Bearer ${accessToken}`]]
  const [{ credentialHeaders }, { modeOf }] = await Promise.all([import('./dress.ts'), import('./modes/index.ts')])
  const mode = await modeOf(connection.mode, connection.provider)
  if (mode.signs === true) throw noToken(connection)
  const headers = credentialHeaders(connection, mode, { now: world.clock.now(), random: world.random })
  if (headers.length === 0) throw noToken(connection)
  return headers
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64')
}

function noToken({ name, mode }: Connection): UsageError {
  return new UsageError('NO_TOKEN', `"${name}" has no token to hand out: it is ${mode}.`, {
    hint: `auth-cli request ${name} <path> calls its API as it must be called. Look at it: auth-cli inspect ${name}`,
  })
}
