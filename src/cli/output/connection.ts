import { type Connection, isRenewable } from '../../model/connection.ts'
import type { ClientAuthentication } from '../../model/integration.ts'
import { type DecodedJwt, decodeJwt } from './jwt.ts'
import { maskedConnection, maskFields } from './masked-connection.ts'
import { answersText } from './progress.ts'
import type { Style } from './style.ts'
import { type Labelled, labelled } from './table.ts'
import { dayAndTime, relative, type Watch } from './time.ts'

/** What both screens need beside the connection; `connection` is given as saved and masked here. */
export interface ConnectionView extends Watch {
  readonly mask: (value: string) => string
  readonly reveal?: boolean | undefined
  /** What the provider is called. */
  readonly title?: string | undefined
}

export interface CardView extends ConnectionView {
  readonly flow?: string | undefined
  /** Where each answer came from. */
  readonly answeredBy?: Readonly<Record<string, string>> | undefined
}

export interface InspectView extends ConnectionView {
  /** Whether the template reads otherwise now than it did then; undefined: not known, `gone`: there is none any more. */
  readonly template?: 'same' | 'changed' | 'gone' | undefined
}

const authentications: Readonly<Record<ClientAuthentication, string>> = {
  post: 'secret in the body (client_secret_post)',
  basic: 'secret in the Authorization header (client_secret_basic)',
  'basic-raw': 'secret in the Authorization header, not form-encoded (basic-raw)',
  'basic+post': 'secret in the header and in the body (basic+post)',
  custom: 'id and secret in the body, as username and password (custom)',
  signature: 'each request signed with its secret',
  private_key_jwt: 'an assertion signed with its private key (private_key_jwt)',
  none: 'no secret: a public client (none)',
}

/** How the client proves itself, in words. */
export function authenticationText(authentication: ClientAuthentication): string {
  return authentications[authentication] ?? authentication
}

/** The card at the end of `connect`: who, where, scopes, expiry, whether it can be renewed, what to type next. */
export function connectionCard(connection: Connection, style: Style, view: CardView): string {
  const shown = maskedConnection(connection, view.mask, view)
  const who = accountOf(connection)
  const pairs: Labelled[] = [
    [style.text(shown.provider), style.bold(style.text(`saved as "${shown.name}"`))],
    ...twinPairs(shown, style),
    ...paramPairs(shown, style),
    ...(who ? [['who', style.text(who)] as const] : []),
    ...(shown.snapshot.endpoints.api ? [['API', style.text(shown.snapshot.endpoints.api)] as const] : []),
    ...secretPairs(shown, style, view),
    ...(hasScopes(shown) ? [['scopes', scopesText(shown, style)] as const] : []),
    ...(view.answeredBy && Object.keys(view.answeredBy).length > 0
      ? [['answers', style.dim(style.text(answersText(view.answeredBy).replace(/^Answers /, '')))] as const]
      : []),
  ]
  const next = nextCommands(shown, style, view.flow)
  return ended(['', ...labelled(pairs, style, { at: 21 }), '', ...labelled([['Next', next]], style)])
}

/** Everything that is known of a connection, secrets masked unless revealed. */
export function connectionScreen(connection: Connection, style: Style, view: InspectView): string {
  const shown = maskedConnection(connection, view.mask, view)
  const who = accountOf(connection)
  const about: Labelled[] = [
    ['name', style.bold(style.text(shown.name))],
    [
      'provider',
      style.text(view.title && view.title !== shown.provider ? `${shown.provider} (${view.title})` : shown.provider),
    ],
    ['integration', style.text(shown.integration)],
    ['mode', style.text(shown.mode)],
    ...twinPairs(shown, style),
    ...(who ? [['who', style.text(who)] as const] : []),
    ...paramPairs(shown, style),
    ...fieldPairs('tags', shown.tags, style),
    ...fieldPairs('metadata', shown.metadata, style),
    ['created', moment(shown.createdAt, style, view)],
    ...(shown.updatedAt === shown.createdAt ? [] : [['updated', moment(shown.updatedAt, style, view)] as const]),
    ['refreshed', shown.refreshedAt === null ? 'never' : moment(shown.refreshedAt, style, view)],
    ...failurePairs(shown, style, view),
  ]
  const sections = [
    about,
    [...secretPairs(shown, style, view, true), ...(hasScopes(shown) ? scopePairs(shown, style) : [])],
    clientPairs(shown, style),
    [...endpointPairs(shown, style), ...templatePairs(shown, style, view)],
    ...jwtSections(connection, style, view),
  ].filter((pairs) => pairs.length > 0)
  return ended(sections.flatMap((pairs, n) => [...(n === 0 ? [] : ['']), ...labelled(pairs, style, { at: 23 })]))
}

/** Nobody should take a twin's connection for one to the real provider. */
function twinPairs({ snapshot }: Connection, style: Style): Labelled[] {
  return snapshot.twin === true ? [['twin', style.warn('played by the sandbox; nothing reaches the provider')]] : []
}

function ended(lines: readonly string[]): string {
  return lines.map((line) => `${line.trimEnd()}\n`).join('')
}

function moment(iso: string, style: Style, watch: Watch): string {
  return `${style.text(relative(iso, watch.now))}   ${style.dim(dayAndTime(iso, watch.utc))}`
}

/** Who the person is at the provider, where the ID token says so. */
function accountOf(connection: Connection): string | undefined {
  const claims = decodeJwt(connection.credential.idToken ?? '')?.claims
  const named = ['email', 'preferred_username', 'name', 'sub'].map((claim) => claims?.[claim])
  return named.find((value): value is string => typeof value === 'string' && value !== '')
}

function paramPairs(shown: Connection, style: Style): Labelled[] {
  return Object.entries(shown.params).map(([key, value]) => [style.text(key), style.text(value)])
}

function fieldPairs(label: string, fields: Readonly<Record<string, unknown>>, style: Style): Labelled[] {
  const lines = Object.entries(fields).map(([key, value]) => style.text(`${key}=${scalarText(value)}`))
  return lines.length === 0 ? [] : [[label, lines]]
}

function scalarText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const shownByName = new Set([
  'type',
  'accessToken',
  'refreshToken',
  'idToken',
  'tokenType',
  'expiresAt',
  'obtainedAt',
  'raw',
  'masked',
])

/** The credential's members; `full` adds what the card has no room for. */
function secretPairs(shown: Connection, style: Style, view: ConnectionView, full = false): Labelled[] {
  const { accessToken, refreshToken, idToken, tokenType, expiresAt, given, captured, ...others } = shown.credential
  const rest = Object.entries(others).filter(([key, value]) => !shownByName.has(key) && typeof value === 'string')
  const named = Object.entries({ ...Object.fromEntries(rest), ...given, ...(full ? captured : {}) })
  const more: Labelled[] = named.map(([key, value]) => [
    style.text(spaced(key)),
    value === '' ? style.dim('empty') : style.text(String(value)),
  ])
  if (accessToken === undefined) return more
  const exact = full && expiresAt ? `   ${style.dim(dayAndTime(expiresAt, view.utc))}` : ''
  const kind = tokenType ? `   ${style.text(tokenType)}` : ''
  const expiry = `${expiryText(expiresAt, style, view)}${exact}`
  const token = style.text(accessToken)
  const again = refreshToken === undefined && isRenewable(shown)
  return [
    ['access token', full || view.reveal ? [token + kind, expiry] : `${token}   ${expiry}`],
    again
      ? ['renewed', expiresAt === undefined ? 'from what you gave, when you say so' : 'by itself, from what you gave']
      : [
          'refresh token',
          refreshToken === undefined
            ? noRefreshText(expiresAt, style)
            : full || view.reveal
              ? style.text(refreshToken)
              : 'yes',
        ],
    ...(idToken !== undefined && (full || view.reveal) ? [['ID token', style.text(idToken)] as const] : []),
    ...more,
  ]
}

function spaced(key: string): string {
  return key.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase()
}

function expiryText(expiresAt: string | undefined, style: Style, { now }: Watch): string {
  if (expiresAt === undefined) return style.warn('expiry not said by the provider')
  const isExpired = new Date(expiresAt) <= now
  const when = style.text(relative(expiresAt, now))
  return isExpired ? style.bad(`expired ${when}`) : `expires ${when}`
}

function noRefreshText(expiresAt: string | undefined, style: Style): string {
  return expiresAt === undefined
    ? style.warn('none')
    : style.warn('none: connect again when the access token has expired')
}

/** Only a client asks for scopes. */
function hasScopes({ snapshot, scopes }: Connection): boolean {
  return snapshot.client.id !== '' || scopes.requested.length > 0
}

function missingScopes({ scopes }: Connection): string[] {
  return scopes.requested.filter((scope) => !scopes.granted.includes(scope))
}

function scopesText(shown: Connection, style: Style): string {
  const { requested, granted } = shown.scopes
  if (requested.length === 0 && granted.length === 0) return 'none asked for'
  const missing = missingScopes(shown)
  const warning = missing.length > 0 ? `   ${style.warn(`(missing: ${style.text(missing.join(', '))})`)}` : ''
  return `${granted.length > 0 ? style.text(granted.join(', ')) : 'none granted'}${warning}`
}

function scopePairs(shown: Connection, style: Style): Labelled[] {
  const { requested, granted, overridden } = shown.scopes
  const missing = missingScopes(shown)
  const origin = overridden ? '' : style.dim("   (the template's own)")
  return [
    ['scopes asked for', requested.length > 0 ? style.text(requested.join(', ')) + origin : 'none'],
    ['scopes granted', granted.length > 0 ? style.text(granted.join(', ')) : 'none'],
    ...(missing.length > 0 ? [['scopes missing', style.warn(style.text(missing.join(', ')))] as const] : []),
  ]
}

function clientPairs({ snapshot }: Connection, style: Style): Labelled[] {
  const { client } = snapshot
  const params = Object.entries(snapshot.tokenParams)
  if (client.id === '') return []
  return [
    ['client id', style.text(client.id) + (client.registration === undefined ? '' : '   (it registered itself)')],
    ...(client.secret ? [['client secret', style.text(client.secret)] as const] : []),
    ['authentication', authenticationText(client.authentication)],
    ...(snapshot.redirectUri === undefined ? [] : [['redirect URL', style.text(snapshot.redirectUri)] as const]),
    ...(params.length > 0
      ? [
          [
            'token parameters',
            params.map(([key, value]) => style.text(value === null ? `${key} (left out)` : `${key}=${value}`)),
          ] as const,
        ]
      : []),
  ]
}

function endpointPairs({ snapshot }: Connection, style: Style): Labelled[] {
  const { endpoints } = snapshot
  const urls: readonly (readonly [string, string | undefined])[] = [
    ['authorize', endpoints.authorization],
    ['token', endpoints.token],
    ['refresh', endpoints.refresh],
    ['API', endpoints.api],
    ['issuer', snapshot.endpoints.issuer],
  ]
  return [
    ...urls.flatMap(([label, url]): Labelled[] => (url ? [[label, style.text(url)]] : [])),
    ['secrets may go to', snapshot.origins.map((origin) => style.text(origin))],
    ...(snapshot.allowHttp ? [['plain http', style.warn('allowed by --allow-http when it was made')] as const] : []),
  ]
}

function templatePairs({ snapshot }: Connection, style: Style, view: InspectView): Labelled[] {
  const { kind, file } = snapshot.source
  const since = {
    same: style.dim('unchanged since'),
    changed: style.warn('changed since: connect again to use it as it is now'),
    gone: style.warn('no longer there'),
  }
  const note = view.template ? [since[view.template]] : []
  return [['template', [`${kind.replace('-', ' ')}: ${style.text(file)}`, ...note]]]
}

function failurePairs({ lastError }: Connection, style: Style, view: Watch): Labelled[] {
  if (lastError === null) return []
  const { at, code, message, words, flow, final } = lastError
  return [
    [
      'last error',
      [
        `${style.bad(style.text(code))}   ${style.text(relative(at, view.now))}`,
        style.text(message),
        ...(words ? [`"${style.text(words)}"`] : []),
        ...(final && code !== 'REVOKED' ? [style.warn('The provider refused for good: connect again.')] : []),
        ...(flow ? [`auth-cli logs show ${style.text(flow)}`] : []),
      ],
    ],
  ]
}

function jwtSections(connection: Connection, style: Style, view: ConnectionView): Labelled[][] {
  const { accessToken, idToken } = connection.credential
  return [['access token', accessToken] as const, ['ID token', idToken] as const].flatMap(([label, token]) => {
    const decoded = decodeJwt(token ?? '')
    return decoded ? [jwtPairs(label, decoded, style, view)] : []
  })
}

const times = new Set(['exp', 'iat', 'nbf', 'auth_time', 'updated_at'])

function jwtPairs(label: string, { header, claims }: DecodedJwt, style: Style, view: ConnectionView): Labelled[] {
  const member = (name: string, value: unknown): Labelled => {
    const date = typeof value === 'number' && times.has(name) ? new Date(value * 1000) : undefined
    if (!date || Number.isNaN(date.getTime())) return [style.text(`  ${name}`), style.text(scalarText(value))]
    return [
      `  ${name}`,
      `${date.toISOString().replace('.000Z', 'Z')}   ${relative(date.getTime(), view.now)}   ${style.dim(String(value))}`,
    ]
  }
  const readable = (part: object) => Object.entries((view.reveal ? part : maskFields(part, view.mask)) as object)
  return [
    [`${label}, decoded`, style.dim('a JWT; its signature is not checked here')],
    ...readable(header).map(([name, value]) => member(name, value)),
    ...(claims ? readable(claims).map(([name, value]) => member(name, value)) : [['  claims', 'encrypted'] as const]),
  ]
}

function nextCommands(shown: Connection, style: Style, flow: string | undefined): string[] {
  const name = shellWord(style.text(shown.name))
  const { api, mcp } = shown.snapshot.endpoints
  const use = mcp
    ? `auth-cli verify ${name}`
    : api
      ? `auth-cli request ${name} ${examplePath(shown)}`
      : `auth-cli token ${name}`
  const look = flow ? [`auth-cli logs show ${style.text(flow)}`] : []
  return [use, ...look].map((command) => style.bold(style.text(command)))
}

/** A path worth a try: what the template verifies a connection with, where it says so and needs no filling. */
function examplePath({ snapshot }: Connection): string {
  const verification = snapshot.template.proxy?.['verification']
  const { endpoints } = (typeof verification === 'object' && verification !== null ? verification : {}) as {
    endpoints?: unknown
  }
  const first: unknown = Array.isArray(endpoints) ? endpoints[0] : undefined
  return typeof first === 'string' && /^\/[\w./?=&~-]*$/.test(first) ? shellWord(first) : '/'
}

/** A word as POSIX sh takes it literally. */
function shellWord(word: string): string {
  return /^[\w./:@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
