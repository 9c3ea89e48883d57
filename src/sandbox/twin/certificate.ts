import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'

/** One DER value (X.690): tag, length, content. */
function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  const bytes: number[] = []
  for (let rest = content.length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff)
  const length = content.length < 128 ? [content.length] : [0x80 | bytes.length, ...bytes]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}

const sequence = (...contents: readonly Uint8Array[]): Buffer => der(0x30, ...contents)

const text = (tag: number, value: string): Buffer => der(tag, Buffer.from(value))

/** `2.5.4.3`, common name. */
const commonName = Buffer.from('0603550403', 'hex')

/** `1.2.840.113549.1.1.11`, sha256WithRSAEncryption, with its NULL. */
const sha256WithRsa = Buffer.from('300d06092a864886f70d01010b0500', 'hex')

const nameOf = (name: string): Buffer => sequence(der(0x31, sequence(commonName, text(0x0c, name))))

/**
 * A certificate that an RSA key (PEM) issued to itself (RFC 5280 §4.1), good from 2020 to the end of 2049. The same key
 * and name give the same certificate.
 */
export function selfSigned(privateKey: string, name: string): string {
  const key = createPrivateKey(privateKey)
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' })
  const serial = createHash('sha256').update(publicKey).digest().subarray(0, 8)
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  const validity = sequence(text(0x17, '200101000000Z'), text(0x17, '491231235959Z'))
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    sha256WithRsa,
    nameOf(name),
    validity,
    nameOf(name),
    publicKey,
  )
  const signature = der(0x03, Buffer.from([0]), sign('sha256', body, key))
  const lines =
    sequence(body, sha256WithRsa, signature)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}
