import type { Accent } from './accent.ts'

/** A provider whose clients have no secret (RFC 6749 §2.1); the rest is as its template tells. */
export const publicClient: Accent = { secret: 'none' }
