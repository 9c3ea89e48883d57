import type { Fields } from '../fields.ts'
import { scalarText } from '../fields.ts'
import { bearerAnswer } from '../grants.ts'
import { playedIn } from '../manner.ts'
import { inBody } from '../proofs.ts'
import { rerun } from '../rerun.ts'
import type { Stage } from '../stage.ts'
import type { Accent } from './accent.ts'

/** The consent of an administrator brings no code but the tenant's id; tokens are for the application itself. */
export const microsoftAdmin: Accent = {
  pkce: 'optional',
  mode: playedIn({
    exchange: {
      format: 'form',
      proof: inBody,
      fixed: { grant_type: ['client_credentials'], scope: [] },
      answer: (stage: Stage, params: Fields) => {
        const scopes = (scalarText(params['scope']) ?? '').split(' ')
        return rerun(stage, scopes, (tokens) => bearerAnswer(stage, tokens))
      },
    },
    callback: ({ part }, params) => {
      params.set('tenant', part.issued.params['tenantId'] ?? '')
      params.set('admin_consent', 'True')
    },
  }),
}
