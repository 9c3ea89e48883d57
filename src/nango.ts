import { instantOf } from './answers/lifetime.ts'
import { isMembers } from './answers/member.ts'
import { invalid } from './carried.ts'
import { type Connection, type Credential, givenOf } from './model/connection.ts'
import { UsageError } from './model/errors.ts'

/** A credential that exists already, and all that is known beside it, whoever kept it until now. */
export interface Handed {
  /** Name of an integration or a template. */
  readonly provider: string
  /** Name that the connection had there. */
  readonly name?: string | undefined
  /** Its `auth_mode`, where it is said. */
  readonly mode?: string | undefined
  readonly accessToken?: string | undefined
  readonly refreshToken?: string | undefined
  readonly idToken?: string | undefined
  readonly tokenType?: string | undefined
  /** ISO 8601. */
  readonly expiresAt?: string | undefined
  readonly raw?: unknown
  /** What stands beside a token, by the provider's names. */
  readonly captured?: Readonly<Record<string, string>> | undefined
  /** What the person gave, by the template's names. */
  readonly given?: Readonly<Record<string, string>> | undefined
  readonly clientId?: string | undefined
  readonly clientSecret?: string | undefined
  readonly params: Readonly<Record<string, string>>
  readonly scopes?: readonly string[] | undefined
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
  readonly tags?: Readonly<Record<string, string>> | undefined
}

/** The body that Nango's `POST /connections` takes. */
export interface NangoBody {
  readonly provider_config_key: string
  readonly connection_id: string
  readonly connection_config: Readonly<Record<string, unknown>>
  readonly metadata: Readonly<Record<string, unknown>>
  readonly tags: Readonly<Record<string, string>>
  readonly credentials: Readonly<Record<string, unknown>>
}

/** A connection as Nango imports it, by mode. Throws UsageError `FORMAT_UNSUPPORTED` for a mode that it does not. */
export function nangoBodyOf(connection: Connection): NangoBody {
  const { name, integration, params, metadata, tags, scopes } = connection
  return {
    provider_config_key: integration,
    connection_id: name,
    connection_config: {
      ...params,
      ...(scopes.overridden ? { oauth_scopes_override: scopes.requested } : {}),
    },
    metadata,
    tags,
    credentials: credentialsOf(connection),
  }
}

function credentialsOf(connection: Connection): Record<string, unknown> {
  const { mode, credential, snapshot, name } = connection
  const { accessToken, refreshToken, expiresAt } = credential
  const { client } = snapshot
  const known = { ...givenOf(credential), ...credential.captured }
  const override =
    client.id === '' ? {} : { config_override: defined({ client_id: client.id, client_secret: client.secret }) }
  const required = (values: Readonly<Record<string, string | undefined>>): Record<string, unknown> => {
    const missing = Object.keys(values).filter((key) => values[key] === undefined)
    if (missing.length === 0) return { type: mode, ...values }
    throw new UsageError('FORMAT_UNSUPPORTED', `Nango wants ${missing.join(', ')}, which "${name}" does not hold.`, {
      hint: connection.lastError?.code === 'REVOKED' ? 'It was revoked.' : 'Export it as json instead.',
    })
  }
  switch (mode) {
    case 'OAUTH2':
      return {
        ...required({ access_token: accessToken }),
        ...defined({ refresh_token: refreshToken, expires_at: expiresAt }),
        ...override,
      }
    case 'OAUTH2_CC':
      return {
        ...required({
          token: accessToken,
          client_id: client.id || known['client_id'],
          client_secret: client.secret ?? known['client_secret'],
        }),
        ...defined({
          client_certificate: known['client_certificate'],
          client_private_key: known['client_private_key'],
          expires_at: expiresAt,
        }),
      }
    case 'OAUTH1':
      return required({ oauth_token: accessToken, oauth_token_secret: tokenSecretOf(credential) })
    case 'API_KEY':
      return required({ apiKey: credential.apiKey })
    case 'BASIC':
      return required({ username: credential.username ?? '', password: credential.password ?? '' })
    case 'NONE':
      return { type: mode }
    case 'TBA':
      return { ...required({ token_id: known['token_id'], token_secret: known['token_secret'] }), ...override }
    case 'APP':
    case 'CUSTOM':
      return required({
        app_id: client.id || known['app_id'],
        installation_id: connection.params['installation_id'] ?? known['installation_id'],
      })
    default:
      throw new UsageError('FORMAT_UNSUPPORTED', `Nango's import takes no connection of ${mode}.`, {
        hint: `Export it as json, or connect it there anew. auth-cli export ${name} --format json`,
      })
  }
}

function tokenSecretOf({ captured = {}, raw }: Credential): string | undefined {
  const inRaw = isMembers(raw) ? raw['oauth_token_secret'] : undefined
  return captured['oauth_token_secret'] ?? captured['tokenSecret'] ?? (typeof inRaw === 'string' ? inRaw : undefined)
}

function defined(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== ''),
  )
}

/**
 * What a body of Nango's import hands over, or a connection as its API tells it, which has the same fields. Throws
 * UsageError `IMPORT_INVALID` with the field.
 */
export function handedByNango(value: Readonly<Record<string, unknown>>): Handed {
  const credentials = value['credentials']
  if (!isMembers(credentials)) {
    throw invalid(
      'credentials',
      'it is missing',
      'Give an export of auth-cli, or the body of Nango’s POST /connections.',
    )
  }
  const text = (from: Readonly<Record<string, unknown>>, field: string, path = field): string | undefined => {
    const found = from[field]
    if (found === undefined || found === null || found === '') return undefined
    if (typeof found === 'string') return found
    throw invalid(path, 'it must be a text', 'Correct it.')
  }
  const credential = (field: string): string | undefined => text(credentials, field, `credentials.${field}`)
  const provider = text(value, 'provider_config_key') ?? text(value, 'provider')
  if (provider === undefined) throw invalid('provider_config_key', 'it is missing', 'Add it, or give --provider.')
  const type = credential('type')
  if (type === undefined) throw invalid('credentials.type', 'it is missing', 'Add it, for example "OAUTH2".')
  const { raw } = credentials
  const inRaw = (field: string): string | undefined =>
    isMembers(raw) ? text(raw, field, `credentials.raw.${field}`) : undefined
  const override = credentials['config_override']
  const client = isMembers(override) ? override : credentials
  const own = isMembers(override) ? 'credentials.config_override' : 'credentials'
  const { params, scopes } = configOf(value['connection_config'])
  const tokenSecret = credential('oauth_token_secret')
  return {
    provider,
    name: text(value, 'connection_id'),
    mode: type,
    accessToken: credential('access_token') ?? credential('token') ?? credential('oauth_token'),
    refreshToken: credential('refresh_token'),
    idToken: inRaw('id_token'),
    tokenType: inRaw('token_type'),
    expiresAt: timeOf(credentials['expires_at'], 'credentials.expires_at'),
    ...(raw === undefined ? {} : { raw }),
    ...(tokenSecret === undefined ? {} : { captured: { oauth_token_secret: tokenSecret } }),
    given: givenIn(credentials),
    clientId: text(client, 'client_id', `${own}.client_id`),
    clientSecret: text(client, 'client_secret', `${own}.client_secret`),
    params,
    scopes,
    metadata: membersOf(value['metadata'], 'metadata'),
    tags: tagsOf(value['tags']),
  }
}

const spokenFor = new Set(
  `type access_token refresh_token token oauth_token oauth_token_secret expires_at raw config_override client_id
  client_secret`.split(/\s+/),
)

/** What is left of the credentials is what the person gave: a key, a password, an account. */
function givenIn(credentials: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(credentials).flatMap(([name, value]): [string, string][] => {
      if (spokenFor.has(name) || value === null || value === undefined) return []
      if (typeof value === 'string') return [[name, value]]
      if (typeof value === 'number' || typeof value === 'boolean') return [[name, String(value)]]
      return []
    }),
  )
}

/** Texts only, as Nango keeps them; a chosen list of scopes stands among them. */
function configOf(written: unknown): Pick<Handed, 'params' | 'scopes'> {
  const config = membersOf(written, 'connection_config') ?? {}
  const { oauth_scopes_override: override, ...rest } = config
  const scopes = Array.isArray(override)
    ? override.map(String)
    : typeof override === 'string'
      ? override.split(',')
      : []
  const params = Object.entries(rest).flatMap(([key, value]): [string, string][] =>
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? [[key, String(value)]] : [],
  )
  return { params: Object.fromEntries(params), scopes: scopes.length === 0 ? undefined : scopes }
}

function membersOf(value: unknown, field: string): Record<string, unknown> | undefined {
  if (value === undefined || value === null) return undefined
  if (isMembers(value)) return value
  throw invalid(field, 'it must be an object', 'Correct it, or take it out.')
}

function tagsOf(value: unknown): Record<string, string> | undefined {
  const tags = membersOf(value, 'tags')
  if (tags === undefined) return undefined
  const odd = Object.keys(tags).find((key) => typeof tags[key] !== 'string')
  if (odd !== undefined) throw invalid(`tags.${odd}`, 'it must be a text', 'Correct it, or take it out.')
  return tags as Record<string, string>
}

/** ISO 8601 from a time in any of its spellings. Throws UsageError `IMPORT_INVALID`. */
export function timeOf(value: unknown, field: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  const instant = instantOf(value)
  if (instant === undefined)
    throw invalid(field, 'it is no time', 'Write it as 2026-03-01T12:00:00Z, or in seconds since 1970.')
  return new Date(instant).toISOString()
}
