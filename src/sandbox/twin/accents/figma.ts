import { playedIn } from '../manner.ts'
import { anywhere, mixed } from '../proofs.ts'
import type { Accent } from './accent.ts'

/**
 * Renews at an address of its own, and keeps the refresh token; besides that as by the standard:
 * https://developers.figma.com/docs/rest-api/authentication.
 */
export const figma: Accent = {
  mode: playedIn({
    exchange: { format: mixed, proof: anywhere, fixed: { grant_type: ['authorization_code'] } },
    renewal: { at: 'refresh_url', format: mixed, proof: anywhere, rotation: 'kept' },
  }),
}
