import { createHmac, createPrivateKey, sign } from 'node:crypto'

export type SignatureMethod = 'HMAC-SHA1' | 'HMAC-SHA256' | 'RSA-SHA1' | 'PLAINTEXT'

/** A request as OAuth 1.0a signs it (RFC 5849 §3). */
export interface OAuth1Request {
  readonly method: string
  /** Its query is signed too; a fragment is not. */
  readonly url: string
  /** A form-encoded body, where the request has one: its parameters are signed. Any other body is not (§3.4.1.3.1). */
  readonly form?: string | undefined
  readonly consumerKey: string
  /** For `RSA-SHA1` a private key, PEM. */
  readonly consumerSecret: string
  readonly token?: string | undefined
  readonly tokenSecret?: string | undefined
  readonly signatureMethod: SignatureMethod
  /** Seconds since the epoch. */
  readonly timestamp: number
  readonly nonce: string
  /** Further protocol parameters: `oauth_callback`, `oauth_verifier`. */
  readonly protocol?: Readonly<Record<string, string>> | undefined
  readonly realm?: string | undefined
  /** False leaves `oauth_version` out, as §3.1 allows. */
  readonly isVersioned?: boolean | undefined
}

/** The `Authorization` header (§3.5.1). Throws TypeError where an RSA key cannot be read. */
export function oauth1Authorization(request: OAuth1Request): string {
  const params = protocolParams(request)
  const signed: readonly Pair[] = [...params, ['oauth_signature', signatureOf(request)]]
  const realm = request.realm === undefined ? [] : [`realm="${request.realm.replace(/["\\]/g, '\\$&')}"`]
  return `OAuth ${[...realm, ...signed.map(([name, value]) => `${encoded(name)}="${encoded(value)}"`)].join(', ')}`
}

/** The signature, not yet encoded (§3.4). */
export function signatureOf(request: OAuth1Request): string {
  const { signatureMethod, consumerSecret, tokenSecret = '' } = request
  const key = `${encoded(consumerSecret)}&${encoded(tokenSecret)}`
  if (signatureMethod === 'PLAINTEXT') return key
  const text = baseString(request)
  if (signatureMethod === 'RSA-SHA1')
    return sign('sha1', Buffer.from(text), createPrivateKey(consumerSecret)).toString('base64')
  return createHmac(signatureMethod === 'HMAC-SHA256' ? 'sha256' : 'sha1', key)
    .update(text)
    .digest('base64')
}

/** The signature base string (§3.4.1). */
export function baseString(request: OAuth1Request): string {
  const url = new URL(request.url)
  const own = [...url.searchParams, ...new URLSearchParams(request.form ?? '')]
  const normal = [...own, ...protocolParams(request)]
    .map(([name, value]) => [encoded(name), encoded(value)] as const)
    .sort(byNameThenValue)
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
  return [request.method.toUpperCase(), `${url.origin}${url.pathname}`, normal].map(encoded).join('&')
}

type Pair = readonly [name: string, value: string]

function protocolParams(request: OAuth1Request): readonly Pair[] {
  const { consumerKey, token, signatureMethod, timestamp, nonce, protocol = {}, isVersioned = true } = request
  return [
    ['oauth_consumer_key', consumerKey],
    ...(token === undefined ? [] : [['oauth_token', token] as const]),
    ['oauth_signature_method', signatureMethod],
    ['oauth_timestamp', String(timestamp)],
    ['oauth_nonce', nonce],
    ...(isVersioned ? [['oauth_version', '1.0'] as const] : []),
    ...Object.entries(protocol),
  ]
}

/** By what they are once encoded: all of it is ASCII (§3.4.1.3.2). */
function byNameThenValue([a, x]: Pair, [b, y]: Pair): number {
  if (a !== b) return a < b ? -1 : 1
  return x === y ? 0 : x < y ? -1 : 1
}

/** §3.6: all but the unreserved characters of RFC 3986, in upper-case hex. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}
