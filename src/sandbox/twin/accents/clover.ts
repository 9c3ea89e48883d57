import { json } from '../../answer.ts'
import type { Fields } from '../fields.ts'
import { playedIn } from '../manner.ts'
import { idAlone, inBody } from '../proofs.ts'
import type { Stage } from '../stage.ts'
import type { Accent } from './accent.ts'

/** When the tokens end, in seconds since 1970. */
function word({ provider }: Stage, { access_token, refresh_token, expires_in: seconds }: Fields) {
  const from = Math.floor(provider.now() / 1000)
  const end = typeof seconds === 'number' ? from + seconds : undefined
  return json(200, {
    access_token,
    access_token_expiration: end,
    refresh_token,
    refresh_token_expiration: refresh_token === undefined ? undefined : from + 90 * 86_400,
  })
}

/** JSON without a grant type; the refresh endpoint takes the id alone. */
export const clover: Accent = {
  mode: playedIn({
    exchange: { format: 'json', proof: inBody, redirectUri: 'free', word },
    renewal: { at: 'refresh_url', format: 'json', proof: idAlone, word },
  }),
}
