import { scalarText } from '../fields.ts'
import { playedIn } from '../manner.ts'
import { inHeader } from '../proofs.ts'
import type { Accent } from './accent.ts'

/** Renews by a piece of the secret instead of the client's id, and keeps the refresh token. */
export const agiloft: Accent = {
  pkce: 'optional',
  mode: playedIn({
    exchange: { format: 'form', proof: inHeader, fixed: { grant_type: ['authorization_code'] }, verifier: 'free' },
    renewal: {
      format: 'form',
      proof: ({ part }, _, params) =>
        params['client_id'] === undefined && scalarText(params['md5_secret']) === part.issued.clientSecret?.slice(0, 20)
          ? undefined
          : 'there is a client_id, or md5_secret is not the beginning of the secret',
      fixed: { grant_type: ['refresh_token'] },
      rotation: 'kept',
    },
  }),
}
