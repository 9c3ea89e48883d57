import type { Connection } from './model/connection.ts'
import { UsageError } from './model/errors.ts'
import { isTooDeep } from './wire/mask.ts'

/** What a field of a carried record must be, and how one says so. */
interface Kind {
  readonly says: string
  readonly is: (value: unknown) => boolean
}

type Members = Readonly<Record<string, unknown>>

const isText = (value: unknown): value is string => typeof value === 'string'
const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isTime = (value: unknown): boolean =>
  isText(value) && /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value))

const token: Kind = { says: 'a token, in printable ASCII', is: (value) => isText(value) && isToken(value) }
const text: Kind = { says: 'a text', is: isText }
const filled: Kind = { says: 'a text that is not empty', is: (value) => isText(value) && value !== '' }
const time: Kind = { says: 'a time such as 2026-03-01T12:00:00.000Z', is: isTime }
const flag: Kind = { says: 'true or false', is: (value) => typeof value === 'boolean' }
const texts: Kind = { says: 'a list of texts', is: (value) => Array.isArray(value) && value.every(isText) }
const members: Kind = { says: 'an object', is: isMembers }
const textMap: Kind = {
  says: 'an object of texts',
  is: (value) => isMembers(value) && Object.values(value).every(isText),
}
const origins: Kind = {
  says: 'a list of origins such as https://api.example.com',
  is: (value) => Array.isArray(value) && value.every((one) => isText(one) && isOrigin(one)),
}
const url: Kind = { says: 'an http or https URL', is: (value) => isText(value) && isHttp(value) }

/** Whether a text can be sent as a token (RFC 6749 appendix A.12). */
export function isToken(one: string): boolean {
  return /^[\x20-\x7e]+$/.test(one)
}

function isOrigin(one: string): boolean {
  return isHttp(one) && new URL(one).origin === one
}

function isHttp(one: string): boolean {
  return /^https?:\/\/[^\s\\]+$/i.test(one) && URL.canParse(one) && new URL(one).username === ''
}

/** Every part that whoever reads a connection relies on; `?` may be absent, `~` may be null. */
const connectionFields: Readonly<Record<string, Kind>> = {
  name: filled,
  provider: filled,
  integration: filled,
  mode: filled,
  params: textMap,
  credential: members,
  'credential.type': filled,
  'credential.obtainedAt': time,
  'credential.expiresAt?': time,
  'credential.accessToken?': token,
  'credential.refreshToken?': token,
  'credential.idToken?': filled,
  'credential.tokenType?': text,
  'credential.apiKey?': text,
  'credential.username?': text,
  'credential.password?': text,
  'credential.given?': textMap,
  'credential.captured?': textMap,
  scopes: members,
  'scopes.requested': texts,
  'scopes.granted': texts,
  'scopes.overridden': flag,
  metadata: members,
  tags: textMap,
  createdAt: time,
  updatedAt: time,
  'refreshedAt~': time,
  'lastError~': members,
  snapshot: members,
  'snapshot.endpoints': members,
  'snapshot.origins': origins,
  'snapshot.template': members,
  'snapshot.template.auth_mode': filled,
  'snapshot.source': members,
  'snapshot.source.kind': filled,
  'snapshot.source.file': text,
  'snapshot.source.hash': text,
  'snapshot.names?': texts,
  'snapshot.client': members,
  'snapshot.client.id': text,
  'snapshot.client.secret?': text,
  'snapshot.client.authentication': filled,
  'snapshot.redirectUri?': text,
  'snapshot.tokenParams': members,
  'snapshot.allowHttp': flag,
}

/** Characters of a carried record; no connection is larger. */
const largest = 8 * 1024 * 1024

/** A JSON text as the object that it holds. Throws UsageError `IMPORT_INVALID`, which quotes none of it. */
export function carriedObject(json: string): Members {
  const bare = json.replace(/^\uFEFF/, '')
  if (bare.trim() === '') throw invalid('', 'there is nothing in it', 'Give a file, or pipe an export in.')
  if (bare.length > largest) throw invalid('', 'it is larger than 8 MB', 'Give the export of one connection.')
  if (isTooDeep(bare)) throw invalid('', 'it is nested without end', 'Give the export of one connection.')
  let value: unknown
  try {
    value = JSON.parse(bare)
  } catch {
    throw invalid('', 'it is no JSON', 'Give what auth-cli export --format json or nango prints, whole.')
  }
  if (Array.isArray(value) && value.length === 1 && isMembers(value[0])) value = value[0]
  if (!isMembers(value)) throw invalid('', 'it is no JSON object', 'Give the export of one connection.')
  const odd = keyLike(value, '__proto__')
  if (odd !== undefined) throw invalid(odd, 'no field may be called so', 'Take it out.')
  return value
}

/** Whether an object claims to be a connection of ours, rather than one of Nango's. */
export function isOurs(value: Members): boolean {
  return value['version'] !== undefined || value['snapshot'] !== undefined || value['credential'] !== undefined
}

/**
 * A connection out of an object that came from elsewhere: every part that is relied on is there and of its kind, its
 * endpoints lie at its origins, and nothing in it is masked. Throws UsageError `IMPORT_INVALID` naming each field.
 */
export function carriedConnection(value: Members): Connection {
  if (value['version'] !== 1) {
    const isNewer = typeof value['version'] === 'number' && value['version'] > 1
    const why = isNewer ? 'it was written by a newer auth-cli' : 'it must be 1'
    throw invalid('version', why, isNewer ? 'Update auth-cli.' : 'Give what auth-cli export --format json prints.')
  }
  if (at(value, 'credential.masked') === true) {
    throw invalid('credential', 'its secrets are masked', 'Export it anew: auth-cli export <name> --format json')
  }
  const problems = Object.entries(connectionFields).flatMap(([field, kind]) => problemOf(value, field, kind))
  const endpoints = at(value, 'snapshot.endpoints')
  for (const [name, one] of Object.entries(isMembers(endpoints) ? endpoints : {})) {
    const field = `snapshot.endpoints.${name}`
    if (!url.is(one)) problems.push([field, `must be ${url.says}`])
    else if (!isListed(one as string, at(value, 'snapshot.origins')))
      problems.push([field, 'must lie at one of snapshot.origins'])
  }
  const mode = at(value, 'snapshot.template.auth_mode')
  if (problems.length === 0 && mode !== value['mode'])
    problems.push(['mode', `must be ${String(mode)}, as in its template`])
  const [first] = problems
  if (first === undefined) return value as unknown as Connection
  throw new UsageError('IMPORT_INVALID', `This is no connection that can be used: ${first[0]} ${first[1]}.`, {
    facts: problems.slice(1, 20),
    hint: 'Give what auth-cli export --format json prints, as it is.',
  })
}

function isListed(one: string, list: unknown): boolean {
  return Array.isArray(list) && list.includes(new URL(one).origin)
}

function problemOf(value: Members, written: string, kind: Kind): [string, string][] {
  const field = written.replace(/[?~]$/, '')
  const found = at(value, field)
  if (found === undefined && written.endsWith('?')) return []
  if (found === null && written.endsWith('~')) return []
  if (kind.is(found)) return []
  return [[field, found === undefined ? `is missing: it must be ${kind.says}` : `must be ${kind.says}`]]
}

/** A field by its path; what is not there, or inherited, is undefined. */
function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((found, key) => (isMembers(found) && Object.hasOwn(found, key) ? found[key] : undefined), value)
}

function keyLike(value: unknown, name: string, path = ''): string | undefined {
  if (Array.isArray(value)) {
    return value.map((item, index) => keyLike(item, name, `${path}[${index}]`)).find((found) => found !== undefined)
  }
  if (!isMembers(value)) return undefined
  if (Object.hasOwn(value, name)) return `${path}${path === '' ? '' : '.'}${name}`
  return Object.entries(value)
    .map(([key, inner]) => keyLike(inner, name, `${path}${path === '' ? '' : '.'}${key}`))
    .find((found) => found !== undefined)
}

/** A refusal of what was to be imported: the field, what is wrong with it, and what to do. */
export function invalid(field: string, why: string, fix: string): UsageError {
  const where = field === '' ? '' : ` ${field.slice(0, 100)}:`
  return new UsageError('IMPORT_INVALID', `This cannot be imported:${where} ${why}.`, { hint: fix })
}
