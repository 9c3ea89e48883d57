import { fill } from './fill/fill.ts'
import { placeholders } from './fill/placeholders.ts'
import type { Scope } from './fill/scope.ts'
import { type Connection, givenOf } from './model/connection.ts'
import type { Header, Tell } from './model/event.ts'
import type { Outgoing } from './model/world.ts'
import type { Mode, Moment, Unsigned } from './modes/mode.ts'
import { randomUuid } from './wire/authorization.ts'
import { headerOf } from './wire/record.ts'

/** A call to the API before the template and the mode have added what is theirs. */
export interface Bare {
  readonly method: string
  readonly url: string
  /** The caller's own: each wins over the template's of the same name; one without a value takes that away. */
  readonly headers: readonly Header[]
  /** The template's, beside those of `proxy.headers`. */
  readonly more?: Readonly<Record<string, unknown>> | undefined
  readonly body?: Outgoing['body']
}

/** A call as it is sent. */
export interface Dressed {
  readonly method: string
  readonly url: string
  readonly headers: readonly Header[]
  readonly body?: Outgoing['body']
  readonly certificate?: Outgoing['certificate']
}

/**
 * Dresses a call for the connection's API: the headers, query and body that the template's `proxy` spells out, filled;
 * then what the mode carries, unless the template carries the token itself (RFC 6750 §2 allows one way); a signature comes
 * last, over the request as it will be sent.
 */
export function dress(connection: Connection, mode: Mode, bare: Bare, moment: Moment, tell: Tell): Dressed {
  const { proxy = {} } = connection.snapshot.template
  const random = randomUuid(moment.random)
  const body = withBody(connection, bare, { now: moment.now, random })
  const typed: Bare = { ...bare, ...(body.type === undefined ? {} : { headers: [...bare.headers, body.type] }) }
  const about = { now: moment.now, random }
  const url = withQuery(connection, typed, about, tell)
  const said = { ...typed, url, body: body.body }
  const scope = scopeOf(connection, said, about)
  const spelled = filledHeaders({ ...proxy.headers, ...bare.more }, scope, tell)
  const own = bare.headers.map(([name]) => name.toLowerCase())
  const isFree = ([name]: Header): boolean => !own.includes(name.toLowerCase())
  const sent = [...typed.headers.filter(([, value]) => value !== '')]
  const before = [...spelled.filter(isFree), ...sent]
  const isCarried = mode.signs !== true && carriesItself(connection, before)
  const looked = typeof said.body === 'string' || said.body instanceof Uint8Array ? said.body : undefined
  const unsigned: Unsigned = { method: bare.method, url, headers: before, body: looked }
  const carried = isCarried ? [] : mode.carry(connection, unsigned, moment)
  const names = new Set([...own, ...before.map(([name]) => name.toLowerCase())])
  const standard = standardHeaders.filter(([name]) => !names.has(name))
  const certificate = mode.certificate?.(connection)
  return {
    method: bare.method,
    url,
    headers: [...carried.filter(isFree), ...standard, ...before],
    ...(said.body === undefined ? {} : { body: said.body }),
    ...(certificate === undefined ? {} : { certificate }),
  }
}

const standardHeaders: readonly Header[] = [
  ['accept', '*/*'],
  ['user-agent', 'auth-cli'],
]

/** Whether a signature needs the body as a text, so that a stream has to be read before it is sent. */
export function signsBody({ snapshot }: Connection, mode: Mode): boolean {
  const texts = Object.values(snapshot.template.proxy?.headers ?? {})
  return mode.signs === true || texts.some((text) => /bodyCanonicalParams|\bparams\b|awsSigV4/.test(String(text)))
}

/** The values that texts of the template may ask for when the API is called. */
export function scopeOf(
  connection: Connection,
  request: {
    readonly method: string
    readonly url: string
    readonly headers: readonly Header[]
    readonly body?: unknown
  },
  { now, random }: { readonly now: Date; readonly random: string },
): Scope {
  const { credential, params, snapshot } = connection
  const { client } = snapshot
  const given = givenOf(credential)
  const { accessToken: token, refreshToken, idToken, raw } = credential
  const url = new URL(request.url)
  const body = typeof request.body === 'string' ? request.body : ''
  const type = headerOf(request.headers, 'content-type')
  const isForm = /x-www-form-urlencoded/i.test(type)
  const tokens = { accessToken: token, access_token: token, token, refresh_token: refreshToken, id_token: idToken }
  return {
    ...given,
    accessToken: token,
    ...(client.id === '' ? {} : { clientId: client.id, clientSecret: client.secret }),
    connectionConfig: params,
    credentials: { ...given, ...credential.captured, ...defined(tokens), raw },
    endpoint: `${url.pathname}${url.search}`,
    host: url.host,
    path: url.pathname,
    method: request.method.toUpperCase(),
    params: sorted(isForm && body !== '' ? body : url.search.slice(1)),
    urlCanonicalParams: url.search.slice(1),
    bodyCanonicalParams: body,
    contentType: type,
    now,
    random,
  }
}

function defined(values: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

/** Pairs by name and value, strictly percent-encoded. */
function sorted(query: string): string {
  const strict = (text: string): string =>
    encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
  return [...new URLSearchParams(query)]
    .map(([name, value]) => `${strict(name)}=${strict(value)}`)
    .sort()
    .join('&')
}

function filledHeaders(texts: Readonly<Record<string, unknown>>, scope: Scope, tell: Tell): Header[] {
  return Object.entries(texts).flatMap(([name, value]): Header[] => {
    const text = String(value).trim()
    const filled = fill(text, scope, 'text')
    if ('text' in filled) return [[name.toLowerCase(), filled.text]]
    // A header about an answer that may be left empty is left out with it; any other is missed.
    if (!placeholders(text).some((path) => path.startsWith('connectionConfig.')))
      tell({
        type: 'warning',
        code: 'HEADER_LEFT_OUT',
        message: `The header ${name} of the template is left out: nothing fills ${placeholders(text).join(', ')}`,
      })
    return []
  })
}

function withQuery(
  connection: Connection,
  bare: Bare,
  about: { readonly now: Date; readonly random: string },
  tell: Tell,
): string {
  const query = connection.snapshot.template.proxy?.query
  if (query === undefined) return bare.url
  const url = new URL(bare.url)
  const scope = scopeOf(connection, bare, about)
  const known = new Set(url.searchParams.keys())
  for (const [name, text] of Object.entries(query)) {
    const filled = fill(String(text), scope, 'text')
    if (known.has(name) || !('text' in filled)) continue
    const pair = `${encodeURIComponent(name)}=${encodeURIComponent(filled.text)}`
    // The rest of the query stays as it was written.
    url.search = url.search === '' ? pair : `${url.search.slice(1)}&${pair}`
    if (placeholders(String(text)).some((path) => !path.startsWith('connectionConfig.')))
      tell({ type: 'quirk', quirk: `the credential goes in the query, as "${name}"; logs on the way may keep it` })
  }
  return url.href
}

interface WithBody {
  readonly body: Outgoing['body']
  readonly type?: Header | undefined
}

const bodied = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/** Members that the template adds to every JSON or form body. */
function withBody(
  connection: Connection,
  bare: Bare,
  about: { readonly now: Date; readonly random: string },
): WithBody {
  const own = connection.snapshot.template.proxy?.body
  const { body } = bare
  if (own === undefined || !bodied.has(bare.method.toUpperCase())) return { body }
  if (body !== undefined && typeof body !== 'string') return { body }
  const added = filledMembers(own, scopeOf(connection, bare, about))
  if (Object.keys(added).length === 0) return { body }
  const type = headerOf(bare.headers, 'content-type')
  if (body !== undefined && /x-www-form-urlencoded/i.test(type)) {
    const form = new URLSearchParams(body)
    for (const [name, value] of Object.entries(added)) {
      if (!form.has(name)) form.set(name, typeof value === 'object' ? JSON.stringify(value) : String(value))
    }
    return { body: form.toString() }
  }
  const given = body === undefined || body.trim() === '' ? {} : members(body)
  if (given === undefined) return { body }
  const text = JSON.stringify({ ...added, ...given })
  return type === '' ? { body: text, type: ['content-type', 'application/json'] } : { body: text }
}

/** A value with its texts filled, however deep; members that nothing fills are left out. */
export function filledMembers(value: Readonly<Record<string, unknown>>, scope: Scope): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      const filled = filledMember(inner, scope)
      return filled === undefined ? [] : [[name, filled]]
    }),
  )
}

function filledMember(value: unknown, scope: Scope): unknown {
  if (typeof value === 'string') {
    const filled = fill(value, scope, 'text')
    return 'text' in filled ? filled.text : undefined
  }
  if (Array.isArray(value)) return value.map((item) => filledMember(item, scope)).filter((item) => item !== undefined)
  if (typeof value === 'object' && value !== null) return filledMembers(value as Record<string, unknown>, scope)
  return value
}

function members(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** Whether the template's own words put the token, or the whole Authorization header, into the request. */
function carriesItself({ snapshot }: Connection, headers: readonly Header[]): boolean {
  const { proxy = {} } = snapshot.template
  if (headers.some(([name]) => name === 'authorization')) return true
  const names = new Set(headers.map(([name]) => name))
  const spelled = [
    ...Object.entries(proxy.headers ?? {}).flatMap(([name, text]) => (names.has(name.toLowerCase()) ? [text] : [])),
    ...Object.values(proxy.query ?? {}),
  ]
  return spelled.some((text) => placeholders(String(text)).some((path) => tokenPaths.has(path)))
}

const tokenPaths = new Set([
  'accessToken',
  'token',
  'credentials.token',
  'credentials.access_token',
  'credentials.accessToken',
  'credentials._cookies',
])

/** The headers that carry the credential on any call to the API: the template's that are made of it, and the mode's. */
export function credentialHeaders(connection: Connection, mode: Mode, moment: Moment): readonly Header[] {
  const base = connection.snapshot.endpoints.api ?? connection.snapshot.origins[0]
  if (base === undefined) return []
  const bare: Bare = { method: 'GET', url: base, headers: [] }
  const { headers } = dress(connection, mode, bare, moment, () => {})
  const texts = connection.snapshot.template.proxy?.headers ?? {}
  const carried = mode.carry(connection, { ...bare, body: undefined }, moment).map(([name]) => name.toLowerCase())
  const isOwn = (name: string): boolean =>
    name === 'authorization' ||
    carried.includes(name.toLowerCase()) ||
    Object.entries(texts).some(([key, text]) => key.toLowerCase() === name && /\$\{/.test(String(text)))
  return headers.filter(([name]) => isOwn(name)).map(([name, value]) => [properName(name), value])
}

/** `authorization` → `Authorization`, `x-api-key` → `X-Api-Key`. */
function properName(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (_, lead: string, letter: string) => lead + letter.toUpperCase())
}
