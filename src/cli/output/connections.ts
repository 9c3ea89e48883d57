import type { ConnectionLine } from '../../model/connection.ts'
import type { Style } from './style.ts'
import { table } from './table.ts'
import { relative } from './time.ts'

/** `expired`: the token is, but a refresh token may renew it. `no refresh`: works until it expires, then never again. */
export type ConnectionState = 'ok' | 'expired' | 'refresh refused' | 'no refresh' | 'revoked'

/** What a person may expect of a connection; nothing is asked of the provider. */
export function connectionState(
  { expiresAt, isRenewable, isRefused, isRevoked }: ConnectionLine,
  now: Date,
): ConnectionState {
  if (isRevoked === true) return 'revoked'
  if (isRefused) return 'refresh refused'
  if (expiresAt === undefined) return 'ok'
  if (Date.parse(expiresAt) <= now.getTime()) return 'expired'
  return isRenewable ? 'ok' : 'no refresh'
}

/** One line per connection. With none, a terminal is told how to make one and a pipe gets nothing. */
export function connectionsTable(lines: readonly ConnectionLine[], style: Style, now: Date): string {
  if (lines.length === 0) {
    return style.terminal ? 'No connections yet. To make one:\n\n  auth-cli connect sandbox\n' : ''
  }
  const paints = {
    ok: style.good,
    expired: style.warn,
    'refresh refused': style.bad,
    'no refresh': style.warn,
    revoked: style.dim,
  }
  return table(
    lines,
    [
      { title: 'name', cell: ({ name }) => name, paint: style.bold, kept: true },
      { title: 'provider', cell: ({ provider }) => provider },
      ...(lines.some(({ account }) => account !== '')
        ? [{ title: 'account', cell: ({ account }: ConnectionLine) => account }]
        : []),
      {
        title: 'expires',
        kept: true,
        cell: ({ expiresAt, hasToken, isRevoked }) => {
          if (isRevoked) return ''
          if (expiresAt === undefined) return hasToken === false ? '-' : 'not said'
          return relative(expiresAt, now)
        },
      },
      {
        title: 'state',
        cell: (line) => connectionState(line, now),
        kept: true,
        paint: (text, line) => paints[connectionState(line, now)](text),
      },
      ...(lines.some(({ tags }) => Object.keys(tags).length > 0) ? [{ title: 'tags', cell: tagsText }] : []),
    ],
    style,
  )
}

function tagsText({ tags }: ConnectionLine): string {
  return Object.entries(tags)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ')
}
