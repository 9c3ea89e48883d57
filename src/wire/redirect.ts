import { UsageError } from '../model/errors.ts'
import type { AnswerSource, Listening } from '../model/integration.ts'
import type { RedirectUriHints } from '../model/provider.ts'

/** A setting and who decided it. */
export interface Decided<T> {
  readonly value: T
  readonly from: AnswerSource
}

export interface RedirectWish {
  /** The provider's title, for messages. */
  readonly title: string
  readonly hints?: RedirectUriHints | undefined
  readonly callbackUrl?: Decided<string> | undefined
  readonly port?: Decided<number> | undefined
}

/** What the provider is told, and where we listen for what comes of it. */
export interface Redirection {
  /** With port 0 where any free port serves; the listener's number takes its place. */
  readonly redirectUri: string
  readonly listening: Listening
}

export const defaultPort = 8749
export const defaultPath = '/oauth/callback'

/**
 * The redirect URI (RFC 8252 §7.3, RFC 6749 §3.1.2) and the listener that belongs to it. A URL that is not ours is sent
 * as it stands, and we listen where it must forward to.
 * Throws UsageError `BAD_FLAG`, and `REDIRECT_URI_UNSUITABLE` where the template says that the provider wants another.
 */
export function redirection(wish: RedirectWish): Redirection {
  const { hints = {}, callbackUrl, port } = wish
  if (callbackUrl === undefined) {
    if (hints.https === true) throw unsuitable(wish, `http://localhost:${defaultPort}${defaultPath}`)
    const host = hints.host ?? 'localhost'
    const number = port?.value ?? (hints.port === 'any' ? 0 : defaultPort)
    const addresses = addressesOf(host)
    if (addresses === undefined) throw unsuitable(wish, `http://localhost:${number}${defaultPath}`)
    return {
      redirectUri: `http://${host}:${number}${defaultPath}`,
      listening: { port: number, addresses, paths: [defaultPath] },
    }
  }
  const url = parsed(callbackUrl)
  if (!suits(url, hints)) throw unsuitable(wish, callbackUrl.value)
  const own = addressesOf(url.hostname)
  if (own !== undefined) {
    const usual = url.protocol === 'https:' ? 443 : 80
    const stated = url.port === '' ? (/:0(?=[/?#]|$)/.test(callbackUrl.value) ? 0 : usual) : Number(url.port)
    // A port that was set for good gives way to a callback URL that was given for this run.
    const number = port !== undefined && rank(port.from) <= rank(callbackUrl.from) ? port.value : stated
    // At another port than the browser goes to, something of the person's stands in front: it brings the TLS as well.
    const isBehind = number !== stated && url.protocol === 'https:'
    // What stands in front may pass the path on, or send everything where a URL of somebody's own does.
    const both = isBehind ? [defaultPath, url.pathname] : [url.pathname, defaultPath]
    const paths = number === stated ? [url.pathname] : [...new Set(both)]
    const elsewhere = number === stated ? {} : { foreignHost: url.host }
    const secure = number === stated && url.protocol === 'https:' ? { secureHost: bare(url.hostname) } : {}
    return {
      redirectUri: callbackUrl.value,
      listening: { port: number, addresses: own, paths, ...elsewhere, ...secure },
    }
  }
  return {
    redirectUri: callbackUrl.value,
    listening: {
      port: port?.value ?? defaultPort,
      addresses: ['127.0.0.1', '::1'],
      paths: [...new Set([defaultPath, url.pathname])],
      foreignHost: url.host,
    },
  }
}

function parsed({ value, from }: Decided<string>): URL {
  const bad = (why: string) =>
    new UsageError('BAD_FLAG', `The callback URL "${value}" (${from}) ${why}.`, {
      hint: 'It looks like http://localhost:8749/oauth/callback, or https://your-domain/oauth-callback.',
    })
  if (!URL.canParse(value)) throw bad('is not a URL')
  // It is sent and shown as it stands; a parsed URL would hide what is in it.
  if (/[\s\p{Cc}]/u.test(value)) throw bad('holds blanks or control characters')
  const url = new URL(value)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw bad('is neither http nor https')
  if (value.includes('#')) throw bad('has a fragment (RFC 6749 §3.1.2 allows none)')
  if (url.username !== '' || url.password !== '') throw bad('has a user name in it')
  return url
}

function suits(url: URL, hints: RedirectUriHints): boolean {
  if (hints.https === true && url.protocol !== 'https:') return false
  const isLoopback = addressesOf(url.hostname) !== undefined
  return hints.host === undefined || !isLoopback || url.hostname === hints.host || url.hostname === `[${hints.host}]`
}

function unsuitable({ title, hints = {} }: RedirectWish, refusedUrl: string): UsageError {
  const wants =
    hints.https === true ? 'wants an https redirect URL' : `wants the host ${hints.host} in the redirect URL`
  const ways =
    hints.https === true
      ? [
          'Use one of this machine, served with a certificate of its own, if the provider takes it:',
          `  --callback-url https://localhost:${defaultPort}${defaultPath}`,
          'or an https URL of yours that answers 308 and passes every parameter on:',
          '  --callback-url https://your-domain/oauth-callback',
          `  forwarding to http://localhost:${defaultPort}${defaultPath}`,
          'Set it once with: auth-cli config set callback-url <url>',
        ]
      : [`Use it: --callback-url http://${hints.host}:${defaultPort}${defaultPath}`]
  return new UsageError('REDIRECT_URI_UNSUITABLE', `${title} ${wants}; ${refusedUrl} would be refused.`, {
    hint: ways.join('\n'),
  })
}

/** The literal loopback addresses that a host resolves to; undefined for any other host. */
function addressesOf(hostname: string): Listening['addresses'] | undefined {
  const host = hostname.toLowerCase()
  if (host === 'localhost' || host.endsWith('.localhost')) return ['127.0.0.1', '::1']
  if (host === '127.0.0.1') return ['127.0.0.1']
  return host === '[::1]' || host === '::1' ? ['::1'] : undefined
}

/** Without the brackets of an IPv6 address. */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '').toLowerCase()
}

function rank(from: AnswerSource): number {
  return ['flag', 'environment', 'project file', 'config', 'default'].indexOf(from)
}
