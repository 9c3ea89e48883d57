import { json } from '../../answer.ts'
import type { Fields } from '../fields.ts'
import { playedIn } from '../manner.ts'
import { inBody } from '../proofs.ts'
import type { Stage } from '../stage.ts'
import type { Accent } from './accent.ts'

/** It does not say that a token ends after an hour. */
const word = (_: Stage, { expires_in: __, token_type: ___, scope: ____, ...tokens }: Fields) => json(200, tokens)

const common = { format: 'form', proof: inBody, word } as const

export const jobber: Accent = {
  mode: playedIn({
    exchange: { ...common, fixed: { grant_type: ['authorization_code'] }, redirectUri: 'free' },
    renewal: { ...common, fixed: { grant_type: ['refresh_token'] } },
  }),
}
