import { awsAuthorization } from '../signing/aws.ts'
import { hmacSha1Hex, sha256Base64, sha256Hex } from '../signing/digest.ts'
import { ed25519Signature, keyFingerprint } from '../signing/key.ts'
import { formatInstant, shift } from './instant.ts'
import { type Scope, valueAt } from './scope.ts'

/** What a function makes of its arguments: a text; why one of them will not do; or which words its scope lacks. */
export type Computed =
  | string
  | { readonly why: string; readonly argument: number }
  | { readonly missing: readonly string[] }

/** A function of `${name(…)}`: its arguments come filled. A further function is one more entry. */
export interface Form {
  /**
   * Where commas part arguments: nowhere, at the last one (a message may hold commas), or at each. Only the template's own
   * commas count; one within a value parts nothing.
   */
  readonly parted: 'nowhere' | 'at the last' | 'at each'
  /** Fewest and most arguments. */
  readonly count: readonly [fewest: number, most: number]
  readonly compute: (args: readonly string[], scope: Scope) => Computed
}

export const functions: Readonly<Record<string, Form>> = {
  base64: whole((text) => Buffer.from(text, 'utf8').toString('base64')),
  sha256Hex: whole(sha256Hex),
  sha256Base64: whole(sha256Base64),
  hmacSha1Hex: { parted: 'at the last', count: [2, 2], compute: ([text = '', key = '']) => hmacSha1Hex(text, key) },
  ed25519Sign: {
    parted: 'at the last',
    count: [2, 2],
    compute: ([text = '', pem = '']) =>
      ed25519Signature(text, pem) ?? { why: 'it must be an Ed25519 private key (PEM)', argument: 1 },
  },
  fingerprint: {
    parted: 'nowhere',
    count: [1, 1],
    compute: ([pem = '']) => keyFingerprint(pem) ?? { why: 'it must be a key (PEM)', argument: 0 },
  },
  awsSigV4: { parted: 'at each', count: [4, 5], compute: awsSigV4 },
}

function whole(compute: (text: string) => string): Form {
  return { parted: 'nowhere', count: [1, 1], compute: ([text = '']) => compute(text) }
}

/** Signs the request that the scope tells of; the host is the service's own where none is given. */
function awsSigV4(args: readonly string[], scope: Scope): Computed {
  const [keyId = '', secret = '', region = '', service = '', host] = args
  const now = scope['now']
  const missing = ['method', 'path'].filter((name) => valueAt(scope, name) === undefined)
  if (!(now instanceof Date)) return { missing: ['now'] }
  if (missing.length > 0) return { missing }
  const bad = [keyId, secret, region, service].findIndex((argument) => argument === '' || /[\s,]/.test(argument))
  if (bad !== -1) return { why: 'it may not be empty, nor hold blanks or commas', argument: bad }
  return awsAuthorization({
    keyId,
    secret,
    region,
    service,
    host: host ?? `${service}.amazonaws.com`,
    method: valueAt(scope, 'method') ?? '',
    path: valueAt(scope, 'path') ?? '',
    query: valueAt(scope, 'urlCanonicalParams') ?? '',
    body: valueAt(scope, 'bodyCanonicalParams') ?? '',
    contentType: valueAt(scope, 'contentType') ?? '',
    now,
  })
}

/**
 * What a bare word means whose value is made rather than looked up. `rest` is what follows the word inside the braces
 * (`:FMT` in `${now:FMT}`).
 */
export type Word = (
  scope: Scope,
  rest: string,
) => string | { readonly unknown: true } | { readonly missing: readonly string[] }

export const words: Readonly<Record<string, Word>> = { now, random }

/** `${now}`, `${now:FMT}`, `${now+7:days}`, `${now-1:hours:FMT}`; without a format ISO 8601 with milliseconds. */
function now(scope: Scope, rest: string): ReturnType<Word> {
  const [all, sign, amount = '', unit = '', format] = /^(?:([+-])(\d{1,9}):([A-Za-z]+))?(?::(.+))?$/s.exec(rest) ?? []
  if (all === undefined) return { unknown: true }
  const start = scope['now']
  if (!(start instanceof Date)) return { missing: ['now'] }
  const instant = sign === undefined ? start : shift(start, Number(`${sign}${amount}`), unit)
  if (instant === undefined) return { unknown: true }
  return format === undefined ? instant.toISOString() : formatInstant(instant, format)
}

/** One value for as long as its scope lives: the same in every header of a set. */
function random(scope: Scope, rest: string): ReturnType<Word> {
  if (rest !== '') return { unknown: true }
  return typeof scope['random'] === 'string' ? scope['random'] : { missing: ['random'] }
}
