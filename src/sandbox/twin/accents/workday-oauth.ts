import { json } from '../../answer.ts'
import type { Fields } from '../fields.ts'
import { playedIn } from '../manner.ts'
import { inHeader } from '../proofs.ts'
import type { Stage } from '../stage.ts'
import type { Accent } from './accent.ts'

/** It does not say that a token ends after an hour. */
const word = (_: Stage, { expires_in: __, ...tokens }: Fields) => json(200, tokens)

const common = { format: 'form', proof: inHeader, word } as const

/** Takes the client in the header alone, and keeps the refresh token. */
export const workdayOAuth: Accent = {
  mode: playedIn({
    exchange: { ...common, fixed: { grant_type: ['authorization_code'] } },
    renewal: { ...common, fixed: { grant_type: ['refresh_token'] }, rotation: 'kept' },
  }),
}
