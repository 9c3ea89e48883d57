import { createHash, createHmac } from 'node:crypto'

/** SHA-256 of UTF-8 text, lower-case hex. */
export function sha256Hex(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}

/** SHA-256 of UTF-8 text, base64. */
export function sha256Base64(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('base64')
}

/** HMAC-SHA1 (RFC 2104) of UTF-8 text, lower-case hex. */
export function hmacSha1Hex(text: string, key: string): string {
  return createHmac('sha1', key).update(text, 'utf8').digest('hex')
}
