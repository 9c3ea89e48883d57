import { json } from '../../answer.ts'
import type { Fields } from '../fields.ts'
import { fieldsOf, isFields, parsedFields } from '../fields.ts'
import { playedIn } from '../manner.ts'
import { readParams } from '../params.ts'
import { inHeader } from '../proofs.ts'
import type { Call, Stage } from '../stage.ts'
import type { Accent } from './accent.ts'

/** The parameters, on their own or under `credentials`. */
function read(call: Call): { readonly params: Fields } | { readonly flaw: string } {
  const body = parsedFields(call.body)
  const found = readParams(call, body === undefined ? 'form' : 'json')
  if ('flaw' in found) return found
  const inner = found.params['credentials']
  return { params: isFields(inner) ? fieldsOf(inner) : found.params }
}

/** When the token ends is a date, and all is under `credentials`. */
function word({ provider }: Stage, tokens: Fields) {
  const { expires_in: seconds, ...rest } = tokens
  const end = typeof seconds === 'number' ? new Date(provider.now() + seconds * 1000).toISOString() : undefined
  return json(200, { credentials: { ...rest, ...(end !== undefined && { expires_at: end }) } })
}

const common = { format: read, proof: inHeader, word } as const

export const braintree: Accent = {
  pkce: 'optional',
  mode: playedIn({
    exchange: {
      ...common,
      fixed: { grant_type: ['authorization_code'] },
      redirectUri: 'free',
      verifier: 'free',
    },
    renewal: { ...common, fixed: { grant_type: ['refresh_token'] } },
  }),
}
