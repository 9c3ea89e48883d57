import type { Connection } from '../../model/connection.ts'
import { accountText } from './connection.ts'
import type { Style } from './style.ts'
import { table } from './table.ts'
import { relative } from './time.ts'

/** `expired`: the token is, but a refresh token may renew it. `no refresh`: works until it expires, then never again. */
export type ConnectionState = 'ok' | 'expired' | 'refresh refused' | 'no refresh'

/** What a person may expect of a connection; nothing is asked of the provider. */
export function connectionState({ credential, lastError }: Connection, now: Date): ConnectionState {
  if (lastError?.final) return 'refresh refused'
  if (credential.expiresAt === undefined) return 'ok'
  if (new Date(credential.expiresAt) <= now) return 'expired'
  return credential.refreshToken === undefined ? 'no refresh' : 'ok'
}

/** One line per connection. With none, a terminal is told how to make one and a pipe gets nothing. */
export function connectionsTable(connections: readonly Connection[], style: Style, now: Date): string {
  if (connections.length === 0) {
    return style.terminal ? 'No connections yet. To make one:\n\n  auth-cli connect sandbox\n' : ''
  }
  const paints = { ok: style.good, expired: style.warn, 'refresh refused': style.bad, 'no refresh': style.warn }
  return table(
    connections,
    [
      { title: 'name', cell: ({ name }) => name, paint: style.bold, kept: true },
      { title: 'provider', cell: ({ provider }) => provider },
      ...(connections.some((connection) => accountText(connection) !== '')
        ? [{ title: 'account', cell: accountText }]
        : []),
      {
        title: 'expires',
        kept: true,
        cell: ({ credential }) => (credential.expiresAt ? relative(credential.expiresAt, now) : 'not said'),
      },
      {
        title: 'state',
        cell: (connection) => connectionState(connection, now),
        kept: true,
        paint: (text, connection) => paints[connectionState(connection, now)](text),
      },
      ...(connections.some(({ tags }) => Object.keys(tags).length > 0) ? [{ title: 'tags', cell: tagsText }] : []),
    ],
    style,
  )
}

function tagsText({ tags }: Connection): string {
  return Object.entries(tags)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ')
}
