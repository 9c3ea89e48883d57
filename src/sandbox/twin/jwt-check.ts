import { type Demand, flawsOf } from './demand.ts'
import { type Fields, fieldsOf, scalarText } from './fields.ts'
import { fill } from './fill.ts'
import { isSigned, type Jwt, readJwt } from './jwt.ts'

/** What a JWT has to be. */
export interface JwtWish {
  /** In a refusal: `the assertion`. */
  readonly what: string
  readonly algorithm: string
  /** A private key, or the secret of an HMAC. */
  readonly key: string | Buffer
  /** As the template writes them: texts with placeholders, in lists too. */
  readonly header: Fields
  readonly claims: Fields
  /** Seconds from `iat` to `exp`; undefined where any will do that ends within a day. */
  readonly lifetime: number | undefined
  /** Whether `iat` has to be there. */
  readonly needsIssued: boolean
  readonly roots: Fields
}

const clockSkew = 60

/** Everything that is wrong with a JWT at this moment (milliseconds since 1970); nothing where it is good. */
export function jwtFlaws(text: string | undefined, wish: JwtWish, now: number): readonly string[] {
  const { what } = wish
  const jwt = readJwt(text ?? '')
  if (jwt === undefined) return [text === undefined ? `${what} is missing` : `${what} is no JWT in compact form`]
  if (jwt.header['alg'] !== wish.algorithm) return [`the alg of ${what} is not ${wish.algorithm}`]
  const flaws = [
    ...(isSigned(jwt, wish.algorithm, wish.key) ? [] : [`the signature of ${what} was not made with the issued key`]),
    ...memberFlaws(jwt.header, wish.header, ['alg', 'typ'], 'header', wish, now),
    ...memberFlaws(jwt.claims, wish.claims, ['iat', 'exp', 'nbf', 'jti'], 'claim', wish, now),
  ]
  return [...flaws, ...timeFlaws(jwt, wish, Math.floor(now / 1000))]
}

function memberFlaws(
  actual: Fields,
  expected: Fields,
  free: readonly string[],
  kind: 'header' | 'claim',
  wish: JwtWish,
  now: number,
): readonly string[] {
  const label = (name: string): string => `the ${kind} ${name} of ${wish.what}`
  const demands: Demand[] = []
  const flaws: string[] = []
  for (const [name, value] of Object.entries(expected)) {
    if (Array.isArray(value)) flaws.push(...listFlaws(actual[name], value, label(name), wish.roots))
    else if (typeof value !== 'string') {
      if (actual[name] !== value) flaws.push(`${label(name)} is not ${JSON.stringify(value)}`)
    } else if (fill(value, { roots: wish.roots, time: 0, random: '' }).missing.length > 0) {
      if (actual[name] !== undefined) flaws.push(`${label(name)} is there, though nothing fills it`)
    } else demands.push({ what: label(name), text: value, actual: scalarText(actual[name]), hasAlternatives: false })
  }
  for (const name of Object.keys(actual)) {
    if (!(name in expected) && !free.includes(name)) flaws.push(`${label(name)} is not of this template`)
  }
  return [...flaws, ...flawsOf(demands, [wish.roots], now)]
}

/** A claim that the template writes as a list: its values are cut at commas, and an empty list is no claim. */
function listFlaws(actual: unknown, expected: readonly unknown[], label: string, roots: Fields): readonly string[] {
  const wanted = expected
    .map((one) => fill(String(one), { roots, time: 0 }))
    .flatMap(({ text, missing }) => (missing.length > 0 ? [] : text.split(',')))
    .map((one) => one.trim())
    .filter(Boolean)
  if (wanted.length === 0) return actual === undefined ? [] : [`${label} is there, though nothing fills it`]
  const isSame = Array.isArray(actual) && JSON.stringify(actual) === JSON.stringify(wanted)
  return isSame ? [] : [`${label} is not the list ${JSON.stringify(wanted)}`]
}

function timeFlaws({ claims }: Jwt, { what, lifetime, needsIssued }: JwtWish, now: number): readonly string[] {
  const { iat, exp, nbf } = fieldsOf(claims)
  const flaws: string[] = []
  if (typeof exp !== 'number') return [`${what} has no exp`]
  if (exp <= now) flaws.push(`${what} has expired`)
  if (typeof iat !== 'number') {
    if (needsIssued || iat !== undefined) flaws.push(`${what} has no iat`)
    if (exp > now + (lifetime ?? 86_400) + clockSkew) flaws.push(`${what} lives too long`)
  } else {
    if (iat > now + clockSkew) flaws.push(`${what} was issued in the future`)
    if (lifetime !== undefined && exp - iat !== lifetime) flaws.push(`${what} does not live for ${lifetime} seconds`)
    if (lifetime === undefined && exp - iat > 86_400) flaws.push(`${what} lives too long`)
  }
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= now + clockSkew)) flaws.push(`${what} is not good yet`)
  return flaws
}
