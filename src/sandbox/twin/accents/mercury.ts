import type { Fields } from '../fields.ts'
import { playedIn } from '../manner.ts'
import { inHeader } from '../proofs.ts'
import { type Call, headerOf, type Stage } from '../stage.ts'
import type { Accent } from './accent.ts'

/** The verifier is proof enough, and later the refresh token; a client that names itself has to be right. */
function proof(stage: Stage, call: Call, params: Fields): string | undefined {
  if (headerOf(call, 'authorization') !== undefined) return inHeader(stage, call, params)
  return params['client_id'] === undefined ? undefined : 'there is a client_id, which belongs in the header'
}

export const mercury: Accent = {
  mode: playedIn({
    exchange: { format: 'form', proof, fixed: { grant_type: ['authorization_code'], code_verifier: [] } },
    renewal: { format: 'form', proof, fixed: { grant_type: ['refresh_token'] } },
  }),
}
