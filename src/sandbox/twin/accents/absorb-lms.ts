import { type Fields, fieldsOf, scalarText } from '../fields.ts'
import { playedIn } from '../manner.ts'
import { inBody } from '../proofs.ts'
import { type Call, headerOf, type Stage } from '../stage.ts'
import type { Accent } from './accent.ts'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** The version and the key of the API come along to the token endpoint too. */
function ownFlaws({ part }: Stage, call: Call, params: Fields): readonly string[] {
  const { apiVersion, restApiKey } = fieldsOf(part.variants[0]['connectionConfig'])
  return [
    ...(uuid.test(scalarText(params['nonce']) ?? '') ? [] : ['nonce is no UUID']),
    ...(headerOf(call, 'x-api-version') === apiVersion ? [] : ['the header x-api-version is not the version']),
    ...(headerOf(call, 'x-api-key') === restApiKey ? [] : ['the header x-api-key is not the key']),
  ]
}

const common = { format: 'form', proof: inBody, flaws: ownFlaws } as const

export const absorbLms: Accent = {
  mode: playedIn({
    exchange: { ...common, fixed: { grant_type: ['authorization_code'] }, redirectUri: 'free' },
    renewal: { ...common, fixed: { grant_type: ['refresh_token'] } },
  }),
}
