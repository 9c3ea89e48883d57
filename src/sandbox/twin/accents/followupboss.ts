import { playedIn } from '../manner.ts'
import { inHeader } from '../proofs.ts'
import type { Accent } from './accent.ts'

/** Wants the state again with the code. */
export const followUpBoss: Accent = {
  mode: playedIn({
    exchange: {
      format: 'form',
      proof: inHeader,
      fixed: { grant_type: ['auth_code', 'authorization_code'], state: [] },
      against: (params, { asked }) =>
        params['state'] === asked?.['state'] ? [] : ['state is not the one of the authorization request'],
    },
    renewal: { format: 'form', proof: inHeader, fixed: { grant_type: ['refresh_token'] } },
  }),
}
