import { type Expiry, expiryAt, expiryIn } from '../answers/lifetime.ts'
import { at, isMembers, textOf } from '../answers/member.ts'
import type { Read } from '../answers/read.ts'
import type { Template } from '../model/provider.ts'
import { claimsIn } from '../signing/jwt.ts'

/** What an answer to a log-in grants. */
export interface Grant {
  readonly token: string
  readonly refreshToken?: string | undefined
  /** ISO 8601. */
  readonly expiresAt?: string | undefined
  /** How it departs from what the template says. */
  readonly quirks: readonly string[]
}

/** Undefined where no token can be found in it. */
export function grantIn(read: Read, template: Template, now: Date): Grant | undefined {
  const { token_response: paths = {} } = template
  const found = tokenIn(read, paths.token)
  if (found === undefined) return undefined
  const expiry = expiryOf(read.value, template, found.token, now)
  const refreshToken = paths.refresh_token === undefined ? undefined : textOf(at(read.value, paths.refresh_token))
  return {
    token: found.token,
    ...(refreshToken === undefined || refreshToken === '' ? {} : { refreshToken }),
    ...(expiry.at === undefined ? {} : { expiresAt: new Date(expiry.at).toISOString() }),
    quirks: [...read.quirks, ...found.quirks, ...expiry.quirks],
  }
}

interface Found {
  readonly token: string
  readonly quirks: readonly string[]
}

/** What may stand in a header, and is no sentence. */
const bare = /^[A-Za-z0-9._~+/=|:@-]{8,}$/

function tokenIn({ value, kind }: Read, path = ''): Found | undefined {
  const whole = kind === 'text' || typeof value === 'string' || typeof value === 'number' ? textOf(value) : undefined
  if (path === '') {
    if (whole !== undefined) return whole === '' || /\s/.test(whole) ? undefined : { token: whole, quirks: [] }
    return isRefusal(value) ? undefined : searched(value, 'the whole answer')
  }
  const told = at(value, path)
  const exact = typeof told === 'boolean' ? undefined : textOf(told)
  if (exact !== undefined && exact !== '')
    return { token: exact, quirks: typeof told === 'number' ? ['the token is a number'] : [] }
  if (isRefusal(value)) return undefined
  if (whole !== undefined)
    return bare.test(whole) ? { token: whole, quirks: [`the whole answer is the token, not its "${path}"`] } : undefined
  return loosely(value, path) ?? searched(value, `"${path}"`)
}

/** Whether an answer says no, whatever its status. */
export function isRefusal(value: unknown): boolean {
  if (!isMembers(value)) return false
  const said = value['error'] ?? value['errors'] ?? value['errorCode'] ?? value['error_code'] ?? value['errorMessage']
  const isSaid = said !== undefined && said !== null && said !== '' && said !== false && said !== 0
  const isEmptyList = Array.isArray(said) && said.length === 0
  return (isSaid && !isEmptyList) || value['ok'] === false || value['success'] === false
}

/** The path in other capitals. */
function loosely(value: unknown, path: string): Found | undefined {
  let found: unknown = value
  const way: string[] = []
  for (const part of path.split('.')) {
    const name = isMembers(found)
      ? Object.keys(found).find((key) => key.toLowerCase() === part.toLowerCase())
      : undefined
    if (name === undefined) return undefined
    way.push(name)
    found = at(found, name)
  }
  const token = typeof found === 'boolean' ? undefined : textOf(found)
  if (token === undefined || token === '') return undefined
  return { token, quirks: [`the token stands under "${way.join('.')}", not under "${path}"`] }
}

/** What tokens are called, the most telling first, without signs and capitals. */
const names = [
  'accesstoken',
  'authtoken',
  'bearertoken',
  'jwttoken',
  'jwt',
  'token',
  'idtoken',
  'sessiontoken',
  'sessionid',
]

/** A member that is called as tokens are, the outermost first. */
function searched(value: unknown, instead: string): Found | undefined {
  let level: (readonly [way: string, members: unknown])[] = [['', value]]
  for (let depth = 0; depth < 4 && level.length > 0; depth++) {
    const all = level.flatMap(([way, members]) =>
      isMembers(members) ? Object.entries(members).map(([name, one]) => [`${way}${name}`, name, one] as const) : [],
    )
    for (const wanted of names) {
      const hit = all.find(([, name, one]) => name.toLowerCase().replace(/[^a-z]/g, '') === wanted && isTokenLike(one))
      if (hit !== undefined)
        return { token: textOf(hit[2]) ?? '', quirks: [`the token stands under "${hit[0]}", not under ${instead}`] }
    }
    level = all.map(([way, , one]) => [`${way}.`, one] as const)
  }
  return undefined
}

function isTokenLike(value: unknown): boolean {
  return typeof value !== 'boolean' && !/^\s*$/.test(textOf(value) ?? '')
}

interface Told {
  readonly at?: number | undefined
  readonly quirks: readonly string[]
}

/** As the answer says; else as long as the template says; never longer than the token says of itself. */
function expiryOf(value: unknown, template: Template, token: string, now: Date): Told {
  const { token_response: paths = {}, token_expires_in_ms: life } = template
  const { token_expiration: path, token_expiration_strategy: strategy } = paths
  const said = path === undefined ? undefined : at(value, path)
  const isSaid = said !== undefined && said !== null && said !== ''
  const scalar = typeof said === 'number' ? said : textOf(said)
  if (isSaid) {
    const expiry = strategy === 'expireIn' ? expiryIn(scalar, now) : expiryAt(scalar, now)
    if (expiry !== undefined) return { at: expiry.at, quirks: quirksOf(expiry, path ?? '') }
  }
  const quirks = isSaid ? [`the expiry under "${path}" is not understood`] : []
  const own = claimsIn(token)?.['exp']
  const ends = [
    ...(typeof life === 'number' && life > 0 ? [now.getTime() + life] : []),
    ...(typeof own === 'number' && Number.isFinite(own) ? [own * 1000] : []),
  ]
  if (ends.length > 0) return { at: Math.min(...ends), quirks }
  return life === 0 || isSaid ? { quirks } : unasked(value, now, quirks)
}

/** What the template does not speak of, and the answer says all the same. */
function unasked(value: unknown, now: Date, quirks: readonly string[]): Told {
  for (const [name, read] of [
    ['expires_in', expiryIn],
    ['expires_at', expiryAt],
  ] as const) {
    const expiry = read(at(value, name), now)
    if (expiry !== undefined) return { at: expiry.at, quirks: [...quirks, `the answer says "${name}" unasked`] }
  }
  return { quirks }
}

function quirksOf({ quirk }: Expiry, path: string): readonly string[] {
  return quirk === undefined ? [] : [`the expiry under "${path}" is ${quirk}`]
}
