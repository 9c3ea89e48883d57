import { playedIn } from '../manner.ts'
import { inHeader } from '../proofs.ts'
import type { Accent } from './accent.ts'

/** Takes the client in the header and nowhere else. */
export const fanvue: Accent = {
  mode: playedIn({
    exchange: { format: 'form', proof: inHeader, fixed: { grant_type: ['authorization_code'] } },
    renewal: { format: 'form', proof: inHeader, fixed: { grant_type: ['refresh_token'] } },
  }),
}
