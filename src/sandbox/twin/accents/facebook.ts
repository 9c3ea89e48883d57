import { json } from '../../answer.ts'
import type { Fields } from '../fields.ts'
import { playedIn } from '../manner.ts'
import { inBody, mixed } from '../proofs.ts'
import type { Stage } from '../stage.ts'
import type { Accent } from './accent.ts'
import { bearer, graphError, holderOf, longLived, unknownToken } from './meta.ts'

const grant = 'fb_exchange_token'

/** There is no refresh token: an access token that still lives is exchanged for a younger one. */
function renew(stage: Stage, params: Fields) {
  const holder = holderOf(stage, params[grant])
  return holder === undefined ? unknownToken() : longLived(stage, holder, 'refresh')
}

const common = { format: mixed, proof: inBody, methods: ['POST', 'GET'] } as const

export const facebook: Accent = {
  pkce: 'optional',
  mode: playedIn({
    exchange: {
      ...common,
      verifier: 'free',
      isRenewable: false,
      word: (_, { scope: __, ...tokens }) => json(200, bearer(tokens)),
      flaws: (_, __, params) =>
        [undefined, 'authorization_code'].includes(params['grant_type'] as string | undefined)
          ? []
          : ['this grant_type is not known'],
    },
    renewal: { ...common, fixed: { grant_type: [grant] }, token: grant, answer: renew },
    refuse: graphError,
  }),
}
