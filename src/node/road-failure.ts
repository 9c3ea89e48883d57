import type { PeerCertificate } from 'node:tls'
import { AuthCliError, Cancelled, ProviderError, TransportError, UsageError } from '../model/errors.ts'
import { issuerOf, plain, subjectOf } from './legs.ts'

/** Where a request was going, as far as a message may tell: never its path or query. */
export interface Target {
  readonly protocol: 'http:' | 'https:'
  readonly hostname: string
  /** With the port where it is not the protocol's own. */
  readonly host: string
  /** True where it is the proxy that we are talking about, on the way to somewhere else. */
  readonly isProxy?: boolean | undefined
}

export interface Circumstances {
  /** True once the answer's headers are in. */
  readonly hasAnswered: boolean
  /** What the far end showed in the handshake. */
  readonly certificate?: PeerCertificate | undefined
}

/**
 * Turns what Node, undici and zlib throw into a failure that says what went wrong on the road and what helps. A failure
 * that is ours already, or that no part of the road throws, comes back as it is.
 */
export function explainFailure(error: unknown, target: Target, circumstances: Circumstances): unknown {
  if (error instanceof AuthCliError || !(error instanceof Error)) return error
  const root = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error
  const code = codeOf(error) ?? codeOf(root) ?? (error.name === 'HTTPParserError' ? 'HPE_INVALID' : undefined)
  if (code === undefined) return error
  return (
    explainRequest(code, error) ??
    explainEncoding(code, error, target) ??
    explainCertificate(code, error, target, circumstances) ??
    explainProtocol(code, error, target) ??
    explainTime(code, error, target) ??
    explainReach(code, error, target, circumstances)
  )
}

/** What an aborted signal's reason means to whoever waited. */
export function explainAbort(reason: unknown, target: Target): unknown {
  if (reason instanceof AuthCliError) return reason
  if (reason instanceof Error && reason.name === 'TimeoutError') {
    return late(`${placeOf(target)} did not answer in time.`, 'TIMEOUT', reason)
  }
  return new Cancelled()
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' && code !== '' ? code : undefined
}

/** The answer of the proxy `via` (`host:port`) to CONNECT was not 200. */
export function refusedByProxy(status: number, via: string, target: Target, cause: unknown): TransportError {
  const proxy = `The proxy ${via}`
  const facts = [['cause', `PROXY_${status}`]] as const
  if (status === 407) {
    const hint = 'Put its user name and password into HTTPS_PROXY, percent-encoded: http://user:password@proxy:port'
    return new TransportError('PROXY', `${proxy} asks for a user name and a password (407).`, { hint, cause, facts })
  }
  return new TransportError('PROXY', `${proxy} would not connect us to ${target.host} (${status}).`, {
    hint: `If ${target.hostname} is reached directly, name it in NO_PROXY.`,
    cause,
    facts,
  })
}

/** Something in the request cannot be written as HTTP: undici's word names the part, never its value. */
function explainRequest(code: string, cause: Error): UsageError | undefined {
  if (!/^UND_ERR_(INVALID_ARG|NOT_SUPPORTED|REQ_CONTENT_LENGTH_MISMATCH)$/.test(code)) return undefined
  const facts = [['cause', code]] as const
  return new UsageError('BAD_REQUEST', `This request cannot be sent: ${plain(cause.message)}.`, { cause, facts })
}

function explainEncoding(code: string, cause: Error, target: Target): ProviderError | undefined {
  if (!/^(Z_|ERR__ERROR_|ERR_BROTLI|ERR_ENCODING_LAYERS)/.test(code)) {
    return undefined
  }
  return new ProviderError(
    'BAD_ENCODING',
    `${placeOf(target)} sent a body that is not in the encoding its header names.`,
    {
      hint: 'Ask without Accept-Encoding, or tell the provider.',
      cause,
      facts: [['cause', code]],
    },
  )
}

const certificateFaults: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'comes from a private certificate authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'comes without the certificates that link it to a known authority',
  UNABLE_TO_GET_ISSUER_CERT: 'comes from an authority that is not known here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'comes from an authority that is not known here',
  CERT_HAS_EXPIRED: 'has expired',
  CERT_NOT_YET_VALID: 'is not valid yet',
  CERT_REVOKED: 'was revoked',
  CERT_UNTRUSTED: 'is not trusted',
  ERR_TLS_CERT_ALTNAME_INVALID: 'is for another host',
}

function explainCertificate(
  code: string,
  cause: Error,
  target: Target,
  circumstances: Circumstances,
): TransportError | undefined {
  const isCertificate =
    Object.hasOwn(certificateFaults, code) || /^(CERT|CRL|UNABLE_TO|ERROR_IN_CERT|HOSTNAME_MISMATCH)/.test(code)
  if (!isCertificate) return undefined
  const shown = circumstances.certificate ?? (cause as { cert?: PeerCertificate }).cert
  const fault = certificateFaults[code] ?? `cannot be verified (${code})`
  return new TransportError('TLS', `The certificate of ${placeOf(target)} ${fault}.`, {
    hint: hintForCertificate(code, target),
    cause,
    facts: [['cause', code], ...(shown?.subject ? factsOf(shown) : [])],
  })
}

function hintForCertificate(code: string, target: Target): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'Check the host name, and whether something answers in its place.'
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return `Check this machine's clock; if it is right, whoever runs ${target.hostname} must renew the certificate.`
  }
  return 'If you trust its authority, save that certificate as PEM and name the file in NODE_EXTRA_CA_CERTS.'
}

function factsOf(shown: PeerCertificate): (readonly [string, string])[] {
  return [
    ['certificate', subjectOf(shown)],
    ...(shown.subjectaltname ? [['for', plain(shown.subjectaltname)] as const] : []),
    ['issued by', issuerOf(shown)],
    ['valid', `${plain(shown.valid_from)} to ${plain(shown.valid_to)}`],
  ]
}

function explainProtocol(code: string, cause: Error, target: Target): TransportError | undefined {
  const facts = [['cause', code]] as const
  if (/^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)$/.test(code) || isPlainReply(code, cause)) {
    const hint = 'Use http:// in its URL, or the port that speaks https.'
    return new TransportError('TLS', `${placeOf(target)} speaks plain HTTP, not https.`, { hint, cause, facts })
  }
  if (/^(ERR_SSL_|ERR_TLS_|EPROTO$)/.test(code)) {
    const message = `${placeOf(target)} and this machine did not agree on TLS (${code}).`
    const wantsCertificate = /CERTIFICATE_REQUIRED|ALERT_(BAD|UNKNOWN|NO|UNSUPPORTED)_(CERTIFICATE|CA)/.test(code)
    const hint = wantsCertificate
      ? 'It wants a client certificate that it knows.'
      : `See what it offers: openssl s_client -connect ${target.hostname}:${portOf(target)}`
    return new TransportError('TLS', message, { hint, cause, facts })
  }
  if (/^(UND_ERR_HEADERS_OVERFLOW|HPE_HEADER_OVERFLOW)$/.test(code)) {
    return new TransportError('UNREACHABLE', `${placeOf(target)} answered with more headers than we take.`, {
      cause,
      facts,
    })
  }
  if (!code.startsWith('HPE_')) return undefined
  // The first byte of a TLS alert record.
  const isTls = String((cause as { data?: unknown }).data ?? '').charCodeAt(0) === 0x15
  const message = isTls
    ? `${placeOf(target)} speaks https, not plain HTTP.`
    : `${placeOf(target)} does not answer in HTTP.`
  const hint = isTls ? 'Use https:// in its URL.' : 'Check the port: another kind of server seems to listen there.'
  return new TransportError('UNREACHABLE', message, { hint, cause, facts })
}

/** Older OpenSSL says EPROTO and puts its own word into the text. */
function isPlainReply(code: string, cause: Error): boolean {
  return code === 'EPROTO' && /wrong version number|packet length too long/i.test(cause.message)
}

function explainTime(code: string, cause: Error, target: Target): TransportError | undefined {
  if (code === 'ETIMEDOUT' || code === 'UND_ERR_CONNECT_TIMEOUT') {
    return late(`${placeOf(target)} did not take our connection in time.`, code, cause)
  }
  if (!/^UND_ERR_(HEADERS|BODY)_TIMEOUT$/.test(code)) return undefined
  return late(`${placeOf(target)} took our request but did not answer in time.`, code, cause)
}

function late(message: string, code: string, cause: unknown): TransportError {
  const hint = 'Try again; a firewall that drops packets looks the same.'
  return new TransportError('TIMEOUT', message, { hint, cause, facts: [['cause', code]] })
}

function explainReach(code: string, cause: Error, target: Target, circumstances: Circumstances): TransportError {
  const [message, hint] = wordsForReach(code, target, circumstances)
  return new TransportError('UNREACHABLE', message, { hint, cause, facts: [['cause', code]] })
}

function wordsForReach(code: string, target: Target, { hasAnswered }: Circumstances): [string, string | undefined] {
  const place = placeOf(target)
  if (code === 'ENOTFOUND') return [`There is no host called ${target.hostname}.`, 'Check its spelling.']
  if (code.startsWith('EAI_')) {
    return [`The name ${target.hostname} could not be looked up.`, 'Check the network, the VPN and the name server.']
  }
  if (code === 'ECONNREFUSED') return [`Nothing listens at ${place}.`, 'Check host and port, and that the server runs.']
  if (/^E(HOST|NET)(UNREACH|DOWN)$|^EADDRNOTAVAIL$/.test(code)) {
    return [`There is no road to ${place}.`, 'Check the network and the VPN.']
  }
  if (hasAnswered) return [`${place} broke off in the middle of its answer.`, 'Try again.']
  if (/^(ECONNRESET|ECONNABORTED|EPIPE|UND_ERR_SOCKET)$/.test(code)) {
    const hint = target.protocol === 'http:' ? 'If this port speaks https, use https:// in its URL.' : 'Try again.'
    return [`${place} closed the connection before it answered.`, hint]
  }
  return [`${place} could not be reached (${code}).`, undefined]
}

function placeOf({ host, isProxy }: Target): string {
  return isProxy ? `${host} (the proxy)` : host
}

function portOf({ host, hostname, protocol }: Target): string {
  return host.slice(hostname.length + 1) || (protocol === 'https:' ? '443' : '80')
}
