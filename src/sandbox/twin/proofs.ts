import { isSame } from '../seal.ts'
import { basicOf, proofFlaw } from './client-proof.ts'
import { type Fields, scalarText } from './fields.ts'
import { formParams, readParams } from './params.ts'
import { type Call, headerOf, mediaType, type Stage } from './stage.ts'

type Proof = (stage: Stage, call: Call, params: Fields) => string | undefined

/** Id and secret in the body. */
export const inBody: Proof = (stage, call, params) => proofFlaw(stage, call, params, 'body')

/** HTTP Basic alone, form-encoded or as it is: for most ids and secrets they are one. */
export const inHeader: Proof = (stage, call, params) => {
  if (params['client_secret'] !== undefined) return 'there is a client_secret, which belongs in the header alone'
  const raw = proofFlaw(stage, call, params, 'basic')
  return raw === undefined ? undefined : proofFlaw(stage, call, params, 'header')
}

/** Either way. */
export const anywhere: Proof = (stage, call, params) =>
  headerOf(call, 'authorization') === undefined ? inBody(stage, call, params) : inHeader(stage, call, params)

/** The id alone. */
export const idAlone: Proof = (stage, _, params) =>
  isSame(scalarText(params['client_id']) ?? '', stage.part.issued.clientId ?? '')
    ? undefined
    : 'client_id is not the id of this client'

/** The id and the secret under names of the provider's own. */
export const inBodyAs =
  (idName: string, secretName: string): Proof =>
  (stage, _, params) => {
    const { clientId = '', clientSecret = '' } = stage.part.issued
    const isOwn = (name: string, own: string): boolean => isSame(scalarText(params[name]) ?? '', own)
    if (!isOwn(idName, clientId)) return `${idName} is not the id of this client`
    return isOwn(secretName, clientSecret) ? undefined : `${secretName} is not the secret of this client`
  }

/** The secret as the user of HTTP Basic, without a password. */
export const secretAsUser: Proof = (stage, call) => {
  const basic = basicOf(call)
  if (basic === undefined) return 'there is no Authorization: Basic header with the secret key as its user'
  if (basic.password !== '') return 'the Basic header has a password, and should have none'
  return isSame(basic.user, stage.part.issued.clientSecret ?? '')
    ? undefined
    : 'the user of the Basic header is not the secret key'
}

export const nothing: Proof = () => undefined

/** Query and body together, the body in either format. */
export function mixed(call: Call): { readonly params: Fields } | { readonly flaw: string } {
  const inQuery = formParams(call.query, 'the query')
  if ('flaw' in inQuery || call.body === '') return inQuery
  const inBody = readParams(call, /json$/.test(mediaType(call)) ? 'json' : 'form')
  return 'flaw' in inBody ? inBody : { params: { ...inQuery.params, ...inBody.params } }
}
