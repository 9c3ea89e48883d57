/** A JSON Web Token (RFC 7519) taken apart for reading; its signature is not checked. */
export interface DecodedJwt {
  readonly header: Readonly<Record<string, unknown>>
  /** Absent where they are encrypted (RFC 7516: five parts). */
  readonly claims?: Readonly<Record<string, unknown>> | undefined
}

/** Undefined where the token is no JWT. */
export function decodeJwt(token: string): DecodedJwt | undefined {
  const parts = token.split('.')
  if (parts.length !== 3 && parts.length !== 5) return undefined
  const header = decodePart(parts[0])
  if (header === undefined || !('alg' in header)) return undefined
  if (parts.length === 5) return { header }
  const claims = decodePart(parts[1])
  return claims && { header, claims }
}

function decodePart(part: string | undefined): Record<string, unknown> | undefined {
  if (!part || !/^[\w-]+$/.test(part)) return undefined
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** Whether a text is shaped like a signed JWT, wherever it stands. */
export function isJwtShaped(text: string): boolean {
  return /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/.test(text)
}
