import { json } from '../../answer.ts'
import type { Fields } from '../fields.ts'
import { playedIn } from '../manner.ts'
import { inHeader } from '../proofs.ts'
import { type Call, headerOf, type Stage } from '../stage.ts'
import type { Accent } from './accent.ts'

/** Who calls, for which seller, and under which number. */
function ownFlaws({ part }: Stage, call: Call): readonly string[] {
  const { params, brought } = part.issued
  const seller = params['sellerId'] ?? brought['sellerId']
  return [
    ...['wm_svc.name', 'wm_qos.correlation_id'].flatMap((name) =>
      headerOf(call, name) ? [] : [`the header ${name} is missing`],
    ),
    ...(headerOf(call, 'wm_partner.id') === seller ? [] : ['the header wm_partner.id is not the sellerId']),
  ]
}

const common = { format: 'form', proof: inHeader, flaws: ownFlaws, lifetime: 900 } as const

export const walmart: Accent = {
  mode: playedIn({
    exchange: {
      ...common,
      fixed: { grant_type: ['authorization_code'] },
      word: (_, tokens: Fields) => json(200, tokens),
    },
    renewal: { ...common, fixed: { grant_type: ['refresh_token'] }, rotation: 'kept' },
    callback: ({ part }, params) => {
      params.set('clientId', part.issued.clientId ?? '')
      params.set('type', 'auth')
    },
  }),
}
