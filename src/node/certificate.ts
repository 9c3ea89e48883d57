import type { KeyObject, X509Certificate } from 'node:crypto'
import { crypto } from './crypto.ts'

/** A certificate with its private key, both as PEM. */
export interface KeyPair {
  readonly cert: string
  readonly key: string
}

/** An authority that may sign: its certificate and its private key. */
export interface Authority {
  readonly cert: X509Certificate
  readonly key: KeyObject
}

export interface CertificateTerms {
  /** Host names and IP addresses that it is for; the first is its common name. */
  readonly names: readonly string[]
  readonly from: Date
  readonly days: number
  /** Who signs; itself where absent. */
  readonly authority?: Authority | undefined
}

const day = 86_400_000

/**
 * A certificate of a TLS server (X.509 v3, RFC 5280) with a fresh P-256 key, which Node can make but not certify. It can
 * sign no other: who trusts it trusts this server and nobody else.
 */
export function makeCertificate({ names, from, days, authority }: CertificateTerms): KeyPair {
  const { publicKey, privateKey } = crypto().generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const signer = authority?.key ?? privateKey
  const own = nameOf(names[0] ?? 'localhost')
  const algorithm = signer.asymmetricKeyType === 'rsa' ? rsaWithSha256 : ecdsaWithSha256
  const serial = crypto().randomBytes(16)
  // Positive and not empty, whatever was drawn (RFC 5280 §4.1.2.2).
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    algorithm,
    authority === undefined ? own : subjectOf(authority.cert.raw),
    sequence(time(from), time(new Date(from.getTime() + days * day))),
    own,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, extensions(names)),
  )
  const signature = crypto().sign('sha256', body, signer)
  return {
    cert: pem('CERTIFICATE', sequence(body, algorithm, bits(signature, 0))),
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  }
}

/** RFC 5280 §4.2.1: no authority, signatures only, a TLS server, of these names. */
function extensions(names: readonly string[]): Buffer {
  const one = (id: readonly [number, number, ...number[]], critical: boolean, value: Buffer): Buffer =>
    sequence(oid(...id), ...(critical ? [tagged(0x01, Buffer.from([0xff]))] : []), tagged(0x04, value))
  return sequence(
    one([2, 5, 29, 19], true, sequence()),
    one([2, 5, 29, 15], true, bits(Buffer.from([0x80]), 7)),
    one([2, 5, 29, 37], false, sequence(oid(1, 3, 6, 1, 5, 5, 7, 3, 1))),
    one([2, 5, 29, 17], false, sequence(...names.map(generalName))),
  )
}

/** 0 for a host name. */
export function ipVersionOf(name: string): 0 | 4 | 6 {
  if (name.includes(':')) return 6
  return /^\d+(?:\.\d+){3}$/.test(name) ? 4 : 0
}

function generalName(name: string): Buffer {
  const version = ipVersionOf(name)
  return version === 0 ? tagged(0x82, Buffer.from(name, 'latin1')) : tagged(0x87, addressBytes(name, version))
}

function addressBytes(address: string, version: number): Buffer {
  if (version === 4) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail = ''] = address.split('::')
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'))
  const [before, after] = [groups(head), groups(tail)]
  const middle = Array.from({ length: 8 - before.length - after.length }, () => '0')
  return Buffer.from([...before, ...middle, ...after].map((group) => group.padStart(4, '0')).join(''), 'hex')
}

/** A distinguished name with a common name alone. */
function nameOf(commonName: string): Buffer {
  const attribute = sequence(oid(2, 5, 4, 3), tagged(0x0c, Buffer.from(commonName, 'utf8')))
  return sequence(tagged(0x31, attribute))
}

/** The subject of a certificate, byte for byte: what it issued names it by exactly that. */
function subjectOf(certificate: Buffer): Buffer {
  const body = elements(contentOf(certificate))[0] ?? Buffer.alloc(0)
  const members = elements(contentOf(body))
  // The version, which comes first, is left out where it is 1.
  return members[members[0]?.[0] === 0xa0 ? 5 : 4] ?? Buffer.alloc(0)
}

/** The DER elements that stand one after another. */
function elements(bytes: Buffer): Buffer[] {
  const found: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const { start, length } = headOf(bytes.subarray(at))
    found.push(bytes.subarray(at, at + start + length))
    at += start + length
  }
  return found
}

function contentOf(element: Buffer): Buffer {
  const { start, length } = headOf(element)
  return element.subarray(start, start + length)
}

function headOf(element: Buffer): { readonly start: number; readonly length: number } {
  const first = element[1] ?? 0
  if (first < 0x80) return { start: 2, length: first }
  const count = first & 0x7f
  return { start: 2 + count, length: element.readUIntBE(2, count) }
}

/** UTCTime up to 2049, GeneralizedTime after (RFC 5280 §4.1.2.5). */
function time(date: Date): Buffer {
  const digits = `${date.toISOString().replace(/\D/g, '').slice(0, 14)}Z`
  return date.getUTCFullYear() < 2050
    ? tagged(0x17, Buffer.from(digits.slice(2), 'latin1'))
    : tagged(0x18, Buffer.from(digits, 'latin1'))
}

function sequence(...members: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(members))
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes)
}

/** `unused`: bits at the end that do not count. */
function bits(bytes: Buffer, unused: number): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.from([unused]), bytes]))
}

/** Base 128, all but the last byte of a number with the high bit set; the first two numbers share one. */
function oid(first: number, second: number, ...rest: readonly number[]): Buffer {
  const encoded = [first * 40 + second, ...rest].flatMap((number) => {
    const septets = [number & 0x7f]
    for (let left = number >>> 7; left > 0; left >>>= 7) septets.unshift((left & 0x7f) | 0x80)
    return septets
  })
  return tagged(0x06, Buffer.from(encoded))
}

function tagged(tag: number, content: Buffer): Buffer {
  const size = content.length
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}

const ecdsaWithSha256 = sequence(oid(1, 2, 840, 10045, 4, 3, 2))
const rsaWithSha256 = sequence(oid(1, 2, 840, 113549, 1, 1, 11), tagged(0x05, Buffer.alloc(0)))

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}
