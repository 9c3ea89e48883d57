import type { Accent } from './accent.ts'

/** Each edition has an API of its own; the customer has one of them. */
export const sage200: Accent = { brings: { edition: 'sage200extra' } }
