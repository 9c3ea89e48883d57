import type { Remark } from '../model/dialect.ts'

type Members = Readonly<Record<string, unknown>>

/** What the members of a token answer are called elsewhere, by their letters alone; the standard's own name first. */
const spellings: Readonly<Record<string, readonly string[]>> = {
  access_token: ['accesstoken', 'authtoken', 'bearertoken', 'apitoken', 'sessiontoken', 'jwttoken', 'jwt', 'token'],
  refresh_token: ['refreshtoken'],
  id_token: ['idtoken'],
  token_type: ['tokentype'],
  expires_in: [
    'expiresin',
    'expirein',
    'expiresinseconds',
    'accesstokenexpiresin',
    'tokenexpiresin',
    'lifetime',
    'ttl',
  ],
  expires_at: [
    'expiresat',
    'expireson',
    'expirationtime',
    'expireat',
    'expiry',
    'expirydate',
    'expiration',
    'expirationdate',
    'accesstokenexpiresat',
  ],
  scope: ['scope', 'scopes'],
}

/** Levels of an answer that are looked into. */
const deepest = 3

/**
 * An answer with its members under the names of RFC 6749 §5.1, wherever they stand and whatever they are called:
 * `{"data":{"accessToken":…,"expiresIn":…}}`. A member that has its standard name already stays; each other one that is
 * understood is remarked on. An answer without anything like a token is returned as it came.
 */
export function standardNames(members: Members, remark: Remark): Record<string, unknown> {
  const home = hasOwnToken(members) ? { holder: members, path: '' } : holderOf(members)
  if (home === undefined) return { ...members }
  const { holder, path } = home
  const standard: Record<string, unknown> = { ...members }
  for (const [name, others] of Object.entries(spellings)) {
    if (isSaid(members[name])) continue
    const found = others.map((other) => keyLike(holder, other, name)).find((key) => key !== undefined)
    const value = found === undefined ? undefined : holder[found]
    if (found === undefined || !isSaid(value)) continue
    if (name === 'expires_in' && 'expires_at' in standard) continue
    standard[name] = value
    if (path !== '' || found !== name) remark(`"${name}" stands as "${path}${found}"`)
  }
  return withExpires(standard, holder, remark)
}

/** `expires` may be either: a number too large for a lifetime, or a date, is an instant. */
function withExpires(standard: Record<string, unknown>, holder: Members, remark: Remark): Record<string, unknown> {
  const { expires } = holder
  const isOpen = standard['expires_in'] === undefined && standard['expires_at'] === undefined
  if (!isOpen || (typeof expires !== 'number' && typeof expires !== 'string') || expires === '') return standard
  const isLifetime = /^\d{1,9}$/.test(String(expires))
  const name = isLifetime ? 'expires_in' : 'expires_at'
  remark(`"${name}" stands as "expires"`)
  return { ...standard, [name]: expires }
}

function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null && value !== ''
}

function hasOwnToken(members: Members): boolean {
  return isToken(members['access_token'])
}

function isToken(value: unknown): boolean {
  return (typeof value === 'string' && value !== '') || typeof value === 'number'
}

/** The shallowest object with something called an access token; `token` and the like only where no better name is found. */
function holderOf(members: Members): { readonly holder: Members; readonly path: string } | undefined {
  for (const names of [spellings['access_token']?.slice(0, 1) ?? [], spellings['access_token'] ?? []]) {
    let level: readonly { readonly holder: Members; readonly path: string }[] = [{ holder: members, path: '' }]
    for (let depth = 0; depth <= deepest; depth++) {
      const found = level.find(({ holder }) => names.some((name) => isText(holder, name)))
      if (found !== undefined) return found
      level = level.flatMap(({ holder, path }) =>
        Object.entries(holder).flatMap(([key, value]) =>
          isMembers(value) ? [{ holder: value, path: `${path}${key}.` }] : [],
        ),
      )
    }
  }
  return undefined
}

function isText(holder: Members, like: string): boolean {
  const key = keyLike(holder, like, 'access_token')
  const value = key === undefined ? undefined : holder[key]
  // A short text under such a name is more likely a word than a token.
  return typeof value === 'string' && value.length >= 8 && !/\s/.test(value)
}

/** The key that has these letters and no others; the standard name wins. */
function keyLike(holder: Members, letters: string, standard: string): string | undefined {
  if (Object.hasOwn(holder, standard) && isSaid(holder[standard])) return standard
  return Object.keys(holder).find((key) => key.replace(/[^a-z]/gi, '').toLowerCase() === letters)
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
