import { dress } from './dress.ts'
import { environmentName } from './look-up.ts'
import { type Connection, givenOf } from './model/connection.ts'
import { UsageError } from './model/errors.ts'
import type { World } from './model/world.ts'
import { modeOf } from './modes/index.ts'
import { nangoBodyOf } from './nango.ts'
import { headersOf } from './token.ts'

export const exportFormats = ['json', 'env', 'header', 'curl', 'nango'] as const
export type ExportFormat = (typeof exportFormats)[number]

/** Whether a format is for using the credential now, so that it should be fresh. */
export function isForUse(format: ExportFormat): boolean {
  return format === 'header' || format === 'curl' || format === 'env'
}

/**
 * A connection with its secrets as a text that another program takes: `json` for `auth-cli import`, `nango` for Nango's,
 * `env` for a POSIX shell, `header` and `curl` for a call. No line break at the end. Throws UsageError `NO_TOKEN`,
 * `FORMAT_UNSUPPORTED`.
 */
export async function exported(world: World, connection: Connection, format: ExportFormat): Promise<string> {
  switch (format) {
    case 'json':
      return JSON.stringify(connection, null, 2)
    case 'nango':
      return JSON.stringify(nangoBodyOf(connection), null, 2)
    case 'header':
      return (await headersOf(world, connection)).map(([name, value]) => `${name}: ${value}`).join('\n')
    case 'env':
      return Object.entries(variablesOf(connection))
        .map(([name, value]) => `export ${name}=${shellQuoted(value)}`)
        .join('\n')
    case 'curl':
      return curlOf(world, connection)
  }
}

/** A word as POSIX sh takes it literally, whatever is in it. */
export function shellQuoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}

/** Everything that one needs to use a connection, by the names of the environment: `ZENDESK_ACCESS_TOKEN`. */
export function variablesOf(connection: Connection): Readonly<Record<string, string>> {
  const { name, credential, params, snapshot } = connection
  const { accessToken, refreshToken, idToken, tokenType, expiresAt, captured = {} } = credential
  const { client, endpoints } = snapshot
  const values: Readonly<Record<string, string | undefined>> = {
    ...params,
    ...captured,
    ...givenOf(credential),
    accessToken,
    refreshToken,
    idToken,
    tokenType,
    expiresAt,
    clientId: client.id === '' ? undefined : client.id,
    clientSecret: client.secret,
    baseUrl: endpoints.api,
  }
  const prefix = environmentName(name)
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) =>
      value === undefined || value === '' ? [] : [[`${prefix}_${environmentName(key)}`.replace(/_+/g, '_'), value]],
    ),
  )
}

/** A call to the base URL, ready to be pasted into a shell; what is signed afresh for each call cannot be. */
async function curlOf(world: World, connection: Connection): Promise<string> {
  const { snapshot, mode: authMode, provider, name } = connection
  const base = snapshot.endpoints.api
  const mode = await modeOf(authMode, provider)
  if (base === undefined || mode.signs === true) {
    const why = base === undefined ? 'its API has no base URL' : 'each of its calls is signed by itself'
    throw new UsageError('FORMAT_UNSUPPORTED', `There is no curl command for "${name}": ${why}.`, {
      hint: `auth-cli request ${name} <path or url> calls its API.`,
    })
  }
  const moment = { now: world.clock.now(), random: world.random }
  const { url, headers } = dress(connection, mode, { method: 'GET', url: `${base}/`, headers: [] }, moment, () => {})
  const own = headers.filter(([header, value]) => !isCurls(header, value))
  return ['curl', ...own.map(([header, value]) => `-H ${shellQuoted(`${header}: ${value}`)}`), shellQuoted(url)].join(
    ' ',
  )
}

function isCurls(header: string, value: string): boolean {
  return (header === 'accept' && value === '*/*') || (header === 'user-agent' && value === 'auth-cli')
}
