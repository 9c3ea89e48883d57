import { json } from '../../answer.ts'
import type { Fields } from '../fields.ts'
import { playedIn } from '../manner.ts'
import { secretAsUser } from '../proofs.ts'
import type { Stage } from '../stage.ts'
import type { Accent } from './accent.ts'

/** It does not say that a token ends after an hour. */
const word = (_: Stage, { expires_in: __, ...tokens }: Fields) =>
  json(200, { ...tokens, livemode: false, stripe_user_id: 'acct_twin', stripe_publishable_key: 'pk_test_twin' })

const common = { format: 'form', proof: secretAsUser, word } as const

/** The secret key is the user of the header, as in all calls to Stripe. */
export const stripeApp: Accent = {
  mode: playedIn({
    exchange: { ...common, fixed: { grant_type: ['authorization_code'] }, redirectUri: 'free' },
    renewal: { ...common, fixed: { grant_type: ['refresh_token'] } },
  }),
}
