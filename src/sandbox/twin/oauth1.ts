import { createHmac, verify } from 'node:crypto'
import { isSame } from '../seal.ts'
import { canonicalParams, strictlyEncoded } from './canonical.ts'
import { publicHalf } from './jwt.ts'
import { type Call, headerOf, mediaType } from './stage.ts'

/** The credentials that sign (RFC 5849 §1.1), and what else a provider wants of a signature. */
export interface OAuth1Wish {
  readonly consumerKey: string
  /** For RSA-SHA1 the private key whose public half judges. */
  readonly consumerSecret: string
  /** Undefined: before there is one. */
  readonly token: string | undefined
  readonly tokenSecret: string
  readonly method: string
  /** Exactly this one; absent: any. */
  readonly realm?: string | undefined
}

const skew = 300

/** The protocol parameters of an `Authorization: OAuth` header (§3.5.1), decoded; undefined where it is none. */
function readHeader(call: Call): ReadonlyMap<string, string> | undefined {
  const [, list] = /^oauth\s+(.*)$/is.exec(headerOf(call, 'authorization') ?? '') ?? []
  if (list === undefined) return undefined
  const found = new Map<string, string>()
  for (const part of list.split(',')) {
    const [, name, value] = /^\s*([\w%.~-]+)="([^"]*)"\s*$/.exec(part) ?? []
    if (name === undefined || value === undefined || found.has(name)) return undefined
    try {
      found.set(decodeURIComponent(name), decodeURIComponent(value))
    } catch {
      return undefined
    }
  }
  return found
}

/** The signature base string (§3.4.1). */
function baseString(call: Call, protocol: ReadonlyMap<string, string>): string {
  const own = [...protocol].filter(([name]) => name !== 'realm' && name !== 'oauth_signature')
  const isForm = mediaType(call) === 'application/x-www-form-urlencoded'
  const params = [...call.url.searchParams, ...own, ...(isForm ? new URLSearchParams(call.body) : [])]
  const address = call.url.origin + call.url.pathname
  return [call.method.toUpperCase(), address, canonicalParams(params)].map(strictlyEncoded).join('&')
}

/** The value of a protocol parameter of a call, not yet believed. */
export const protocolParam = (call: Call, name: string): string | undefined => readHeader(call)?.get(name)

/** Whether the signature (§3.4.2 to §3.4.4, and HMAC-SHA256 like HMAC-SHA1) is that of the request. */
function fits(call: Call, read: ReadonlyMap<string, string>, wish: OAuth1Wish): boolean {
  const sent = read.get('oauth_signature') ?? ''
  const key = `${strictlyEncoded(wish.consumerSecret)}&${strictlyEncoded(wish.tokenSecret)}`
  if (wish.method === 'PLAINTEXT') return isSame(sent, key)
  const text = baseString(call, read)
  if (wish.method === 'RSA-SHA1') {
    const half = publicHalf(wish.consumerSecret)
    return half !== undefined && verify('sha1', Buffer.from(text), half, Buffer.from(sent, 'base64'))
  }
  const hash = wish.method === 'HMAC-SHA256' ? 'sha256' : 'sha1'
  return isSame(createHmac(hash, key).update(text).digest('base64'), sent)
}

/** What is wrong with the time and the nonce (§3.3), which PLAINTEXT need not have. */
function freshnessFlaw(read: ReadonlyMap<string, string>, wish: OAuth1Wish, now: number): string | undefined {
  const time = read.get('oauth_timestamp')
  const nonce = read.get('oauth_nonce')
  if (wish.method === 'PLAINTEXT' && time === undefined && nonce === undefined) return undefined
  if (!/^[1-9]\d*$/.test(time ?? '')) return 'oauth_timestamp is no positive number'
  if (Math.abs(Number(time) - now / 1000) > skew) return 'oauth_timestamp is more than five minutes off'
  return nonce ? undefined : 'oauth_nonce is missing'
}

/**
 * Why the OAuth 1.0a signature of a call is no good, or undefined when it is. `isNew` is asked once about nonce and
 * timestamp (§3.3); `now` is in milliseconds.
 */
export function oauth1Flaw(
  call: Call,
  wish: OAuth1Wish,
  now: number,
  isNew: (mark: string) => boolean,
): string | undefined {
  const read = readHeader(call)
  if (read === undefined) return 'there is no proper Authorization: OAuth header'
  const wanted: readonly (readonly [string, string | undefined])[] = [
    ['realm', wish.realm],
    ['oauth_consumer_key', wish.consumerKey],
    ['oauth_token', wish.token],
    ['oauth_signature_method', wish.method],
  ]
  for (const [name, value] of wanted) {
    if (value !== undefined && read.get(name) === undefined) return `${name} is missing`
    if (value !== undefined && !isSame(read.get(name) ?? '', value)) return `${name} is another`
  }
  if (wish.token === undefined && read.get('oauth_token')) return 'there is an oauth_token already'
  const version = read.get('oauth_version')
  if (version !== undefined && version !== '1.0') return 'oauth_version is not 1.0'
  const stale = freshnessFlaw(read, wish, now)
  if (stale !== undefined) return stale
  if (!fits(call, read, wish)) return 'oauth_signature does not fit the request'
  const [time, nonce] = [read.get('oauth_timestamp') ?? '', read.get('oauth_nonce') ?? '']
  const isUnmarked = time === '' && nonce === ''
  return isUnmarked || isNew(`nonce:${time}:${encodeURIComponent(nonce)}`) ? undefined : 'oauth_nonce was used before'
}
