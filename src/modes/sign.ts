import { fill } from '../fill/fill.ts'
import { placeholders } from '../fill/placeholders.ts'
import type { Scope } from '../fill/scope.ts'
import { type AuthCliError, TemplateError, UsageError } from '../model/errors.ts'
import type { Tell } from '../model/event.ts'
import type { World } from '../model/world.ts'
import { signJwt } from '../signing/jwt.ts'
import { type Login, mayBeEmpty, missing, scopeOf } from './login.ts'

/** A token that we signed, and when it is over. */
export interface OwnToken {
  readonly token: string
  readonly expiresAt: Date
}

/** Milliseconds that a token of ours lives where the template does not say: what the strictest take. */
const usualLife = 300_000

const usualAlgorithms: Readonly<Record<string, string>> = { RSA: 'RS256', EC: 'ES256', HMAC: 'HS256' }

/** Signs the template's `token`. Throws UsageError `BAD_FLAG`, `MISSING_INPUT`; TemplateError `TEMPLATE_INVALID`. */
export function signedToken(world: World, login: Login, tell: Tell): OwnToken {
  const { token = {}, signature = {} } = login.template
  const life = typeof token.expires_in_ms === 'number' && token.expires_in_ms > 0 ? token.expires_in_ms : usualLife
  return signedClaims(world, login, tell, {
    field: 'token',
    keyField: 'token.signing_key',
    key: token.signing_key ?? '',
    header: token.header ?? {},
    payload: token.payload ?? {},
    lifetimeInSeconds: Math.floor(life / 1000),
    usual: usualAlgorithms[signature.protocol ?? ''] ?? 'RS256',
    hmacEncoding: signature.hmac_secret_encoding === 'utf8' ? 'utf8' : 'hex',
  })
}

export interface ToSign {
  /** Path in the template. */
  readonly field: string
  readonly keyField: string
  /** As the template writes it. */
  readonly key: string
  readonly header: Readonly<Record<string, unknown>>
  readonly payload: Readonly<Record<string, unknown>>
  readonly lifetimeInSeconds: number
  /** The algorithm where the header names none. */
  readonly usual: string
  readonly hmacEncoding: 'hex' | 'utf8'
}

export function signedClaims(world: World, login: Login, tell: Tell, what: ToSign): OwnToken {
  const now = world.clock.now()
  const issued = Math.floor(now.getTime() / 1000)
  const expires = issued + what.lifetimeInSeconds
  const scope = scopeOf(login, world, halvesOf(login, what))
  const key = keyOf(login, what.keyField, what.key, scope)
  world.secrets.learn(key)
  const named = claims(`${what.field}.header`, what.header, login, scope, tell)
  const { alg, ...header } = named
  const algorithm = typeof alg === 'string' ? alg : what.usual
  const payload = { ...claims(`${what.field}.payload`, what.payload, login, scope, tell), iat: issued, exp: expires }
  const signed = signJwt({ alg: algorithm, typ: 'JWT', ...header }, payload, {
    text: key,
    hmacEncoding: what.hmacEncoding,
  })
  if ('why' in signed) throw badKey(login, what.keyField, what.key, signed.why)
  return { token: world.secrets.learn(signed.token), expiresAt: new Date(expires * 1000) }
}

/** The text of a key. Throws what `missing` throws. */
export function keyOf(login: Login, field: string, text: string, scope: Scope): string {
  const filled = fill(text, scope, 'member', { bars: 'literal' })
  if ('flaw' in filled) throw halfMissing(login, text) ?? missing(filled.flaw, field, text, login, scope)
  return filled.text
}

/** Says which flag's key will not do, in words that do not hold it. */
export function badKey(login: Login, field: string, text: string, why: string): AuthCliError {
  const flag = flagsIn(login, text)[0]
  if (flag === undefined)
    return new TemplateError('TEMPLATE_INVALID', `${field} of the template ${why}.`, { facts: [['Written as', text]] })
  return new UsageError('BAD_FLAG', `${flag} ${why}.`, {
    hint: `Give the whole key from its file: ${flag} file:PATH`,
  })
}

function flagsIn({ context }: Login, text: string): readonly string[] {
  return placeholders(text).flatMap((path) => {
    const [, section, key = ''] = /^(credentials|connectionConfig|assertionOption)\.([^.]+)/.exec(path) ?? []
    return (section === undefined ? undefined : context.flagFor(key, section as 'credentials')) ?? []
  })
}

/**
 * Where a template asks for `${credentials.key.id}` and `.secret`, the one answer `id:secret` is both of them, parted at
 * its first colon.
 */
function halvesOf({ credentials }: Login, what: ToSign): Scope {
  const texts = [what.key, JSON.stringify(what.header), JSON.stringify(what.payload)]
  const halves = texts
    .flatMap((text) => placeholders(text))
    .flatMap((path): [string, string][] => {
      const [, key = '', half] = /^credentials\.([^.]+)\.(id|secret)$/.exec(path) ?? []
      const value = Object.hasOwn(credentials, key) ? credentials[key] : undefined
      const at = value?.indexOf(':') ?? -1
      if (value === undefined || at <= 0) return []
      return [[`${key}.${half}`, half === 'id' ? value.slice(0, at) : value.slice(at + 1)]]
    })
  return { credentials: Object.fromEntries(halves) }
}

function halfMissing(login: Login, text: string): UsageError | undefined {
  if (!placeholders(text).some((path) => /^credentials\.[^.]+\.(id|secret)$/.test(path))) return undefined
  const [flag] = flagsIn(login, text)
  if (flag === undefined) return undefined
  return new UsageError('BAD_FLAG', `${flag} must be an id and a secret with a colon between them (id:secret).`)
}

/** RFC 7519 §2: seconds since the epoch, and no text. */
const instants = new Set(['nbf', 'iat', 'exp', 'auth_time', 'updated_at'])

/**
 * Claims filled, or the members of a header. One whose placeholder nothing fills is left out, and told of unless the
 * answer was free to stay empty; a list's texts are split at commas, and one that holds nothing is left out.
 */
function claims(
  field: string,
  written: Readonly<Record<string, unknown>>,
  login: Login,
  scope: Scope,
  tell: Tell,
): Readonly<Record<string, unknown>> {
  const entries = Object.entries(written).flatMap(([name, value]): [string, unknown][] => {
    const filled = claim(`${field}.${name}`, value, login, scope, tell)
    if (filled === undefined) return []
    return [[name, instants.has(name) && /^\d+$/.test(String(filled)) ? Number(filled) : filled]]
  })
  return Object.fromEntries(entries)
}

function claim(field: string, value: unknown, login: Login, scope: Scope, tell: Tell): unknown {
  if (Array.isArray(value)) {
    const items = value.flatMap((item: unknown): readonly unknown[] => {
      const filled = claim(field, item, login, scope, tell)
      return typeof filled === 'string' ? parts(filled) : filled === undefined ? [] : [filled]
    })
    return items.length === 0 ? undefined : items
  }
  if (typeof value === 'object' && value !== null)
    return claims(field, value as Readonly<Record<string, unknown>>, login, scope, tell)
  if (typeof value !== 'string') return value ?? undefined
  const filled = fill(value, scope, 'member', { bars: 'literal' })
  if ('text' in filled) return filled.text === '' && placeholders(value).length > 0 ? undefined : filled.text
  if (filled.flaw.kind !== 'missing') throw missing(filled.flaw, field, value, login, scope)
  if (!filled.flaw.paths.every((path) => mayBeEmpty(login.template, path)))
    tell({
      type: 'warning',
      code: 'CLAIM_LEFT_OUT',
      message: `${field} of the template is left out: nothing fills ${filled.flaw.paths.join(', ')}`,
    })
  return undefined
}

function parts(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

/** Whether any text of a template's value refers to what is given once and not kept. */
export function isOneShot(value: unknown): boolean {
  const text = JSON.stringify(value ?? '')
  return /\$\{[^}]*\bassertionOption\./.test(text)
}
