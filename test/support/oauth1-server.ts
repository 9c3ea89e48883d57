import { createHmac, createPublicKey, randomBytes, timingSafeEqual, verify } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** One request as the server judged it. */
export interface Judged {
  readonly method: string
  readonly path: string
  readonly body: string
  /** The protocol parameters of the Authorization header, decoded. */
  readonly oauth: Readonly<Record<string, string>>
  /** Why it was refused; undefined where it was not. */
  readonly problem?: string | undefined
}

export interface OAuth1Terms {
  readonly consumerSecret?: string
  /** PEM; for RSA-SHA1. */
  readonly publicKey?: string
  /** What the first leg says about the callback; `true` unless told otherwise, `undefined` leaves it out. */
  readonly confirmed?: string | undefined
  /** Where the browser is sent instead of home with a verifier. */
  readonly onAuthorize?: (callback: URL, token: string) => URL
  /** Members of the third leg's answer beside the credentials. */
  readonly extra?: Readonly<Record<string, string>>
}

export interface OAuth1Server {
  readonly origin: string
  readonly judged: readonly Judged[]
  /** Every token and secret that it made. */
  readonly secrets: readonly string[]
  /** Queries of the visits to `/authorize`. */
  readonly visits: readonly URLSearchParams[]
}

export const consumerKey = 'consumer-key-1'
export const consumerSecret = 'Consum3r&secret/of this+test'

/**
 * An OAuth 1.0a provider (RFC 5849) on loopback that checks every signature, nonce and timestamp for itself, from the bytes
 * of the request. It shares no code with the client.
 */
export async function openOAuth1Server(terms: OAuth1Terms = {}): Promise<OAuth1Server> {
  const { consumerSecret: secret = consumerSecret, publicKey, extra = {} } = terms
  const confirmed = 'confirmed' in terms ? terms.confirmed : 'true'
  const judged: Judged[] = []
  const visits: URLSearchParams[] = []
  const secrets: string[] = []
  const nonces = new Set<string>()
  const temporary = new Map<string, { secret: string; callback: string; verifier?: string }>()
  const lasting = new Map<string, string>()
  const mint = (what: string): string => {
    const made = `${what}${randomBytes(12).toString('hex')}`
    secrets.push(made)
    return made
  }

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString('utf8')
    const url = new URL(request.url ?? '/', 'http://unused')
    if (url.pathname === '/authorize') {
      visits.push(url.searchParams)
      const token = url.searchParams.get('oauth_token') ?? ''
      const known = temporary.get(token)
      if (known === undefined) return void response.writeHead(400).end('no such request token')
      known.verifier = mint('verifier')
      const callback = new URL(known.callback)
      callback.searchParams.set('oauth_token', token)
      callback.searchParams.set('oauth_verifier', known.verifier)
      const home = terms.onAuthorize?.(callback, token) ?? callback
      return void response.writeHead(302, { location: home.href }).end()
    }
    const oauth = protocolOf(request.headers.authorization ?? '')
    const token = oauth['oauth_token'] ?? ''
    const tokenSecret = url.pathname === '/access' ? temporary.get(token)?.secret : lasting.get(token)
    const isFirst = url.pathname === '/request'
    const problem = problemOf(request, body, oauth, secret, isFirst ? '' : tokenSecret, publicKey, nonces)
    judged.push({ method: request.method ?? '', path: url.pathname, body, oauth, problem })
    const form = (members: Record<string, string>): void => {
      response.writeHead(200, { 'content-type': 'application/x-www-form-urlencoded' })
      response.end(new URLSearchParams(members).toString())
    }
    if (problem !== undefined)
      return void response.writeHead(401, { 'content-type': 'text/plain' }).end(`oauth_problem=${problem}`)
    if (isFirst) {
      const [made, own] = [mint('temporary'), mint('temporarysecret')]
      temporary.set(made, { secret: own, callback: oauth['oauth_callback'] ?? '' })
      const confirmation: Record<string, string> =
        confirmed === undefined ? {} : { oauth_callback_confirmed: confirmed }
      return form({ oauth_token: made, oauth_token_secret: own, ...confirmation })
    }
    if (url.pathname === '/access') {
      const known = temporary.get(token)
      temporary.delete(token)
      if (known?.verifier === undefined || known.verifier !== oauth['oauth_verifier'])
        return void response.writeHead(401).end('oauth_problem=verifier_invalid')
      const [made, own] = [mint('lasting'), mint('lastingsecret')]
      lasting.set(made, own)
      return form({ oauth_token: made, oauth_token_secret: own, ...extra })
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"signed":true}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, judged, visits, secrets }
}

const percent = (text: string): string =>
  [...Buffer.from(text, 'utf8')]
    .map((byte) =>
      /[A-Za-z0-9._~-]/.test(String.fromCharCode(byte))
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('')

const unpercent = (text: string): string => decodeURIComponent(text.replaceAll('+', '%20'))

function protocolOf(header: string): Record<string, string> {
  const pairs = [...header.replace(/^OAuth\s+/i, '').matchAll(/([\w%]+)="([^"]*)"/g)]
  return Object.fromEntries(
    pairs.map(([, name = '', value = '']) => [decodeURIComponent(name), decodeURIComponent(value)]),
  )
}

function problemOf(
  request: IncomingMessage,
  body: string,
  oauth: Readonly<Record<string, string>>,
  secret: string,
  tokenSecret: string | undefined,
  publicKey: string | undefined,
  nonces: Set<string>,
): string | undefined {
  const { oauth_nonce: nonce = '', oauth_timestamp: time = '', oauth_signature: signature = '' } = oauth
  if (oauth['oauth_consumer_key'] !== consumerKey) return 'consumer_key_unknown'
  if (tokenSecret === undefined) return 'token_rejected'
  if (oauth['oauth_version'] !== undefined && oauth['oauth_version'] !== '1.0') return 'version_rejected'
  if (!/^\d+$/.test(time) || Math.abs(Number(time) - Date.now() / 1000) > 300) return 'timestamp_refused'
  if (nonce === '' || nonces.has(`${time} ${nonce}`)) return 'nonce_used'
  nonces.add(`${time} ${nonce}`)
  const [path = '', query = ''] = (request.url ?? '').split('?')
  const isForm = (request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded')
  const pairs = [query, isForm ? body : '']
    .flatMap((text) => text.split('&').filter((pair) => pair !== ''))
    .map((pair) => {
      const at = pair.indexOf('=')
      return at < 0 ? [unpercent(pair), ''] : [unpercent(pair.slice(0, at)), unpercent(pair.slice(at + 1))]
    })
  const own = Object.entries(oauth).filter(([name]) => name !== 'oauth_signature' && name !== 'realm')
  const sorted = [...pairs, ...own]
    .map(([name = '', value = '']) => `${percent(name)}\u0000${percent(value)}`)
    .sort()
    .map((pair) => pair.replace('\u0000', '='))
  const base = [request.method ?? '', `http://${request.headers.host}${path}`, sorted.join('&')].map(percent).join('&')
  const key = `${percent(secret)}&${percent(tokenSecret)}`
  const given = Buffer.from(signature, 'base64')
  switch (oauth['oauth_signature_method']) {
    case 'PLAINTEXT':
      return signature === key ? undefined : 'signature_invalid'
    case 'RSA-SHA1':
      return verify('sha1', Buffer.from(base), createPublicKey(publicKey ?? ''), given)
        ? undefined
        : 'signature_invalid'
    case 'HMAC-SHA1':
    case 'HMAC-SHA256': {
      const hash = oauth['oauth_signature_method'] === 'HMAC-SHA1' ? 'sha1' : 'sha256'
      const expected = createHmac(hash, key).update(base).digest()
      return expected.length === given.length && timingSafeEqual(expected, given) ? undefined : 'signature_invalid'
    }
    default:
      return 'signature_method_rejected'
  }
}
