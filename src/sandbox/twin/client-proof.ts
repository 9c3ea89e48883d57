import { type Answer, oauthError } from '../answer.ts'
import { isSame } from '../seal.ts'
import { type Fields, scalarText } from './fields.ts'
import { type Call, headerOf, type Stage } from './stage.ts'

/**
 * How a client proves itself. `header`: form-encoded Basic (RFC 6749 §2.3.1). `basic`: Basic as it is. `both`: as
 * `basic`, and the body may say it again. `custom`: as username and password in the body. `none`: its id alone.
 */
export type ProofStyle = 'header' | 'basic' | 'both' | 'body' | 'custom' | 'none'

const formDecoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

/** User and password of HTTP Basic (RFC 7617), as sent. */
export function basicOf(call: Call): { readonly user: string; readonly password: string } | undefined {
  const [, encoded] = /^basic +([\w+/=-]+) *$/i.exec(headerOf(call, 'authorization') ?? '') ?? []
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString()
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) }
}

/** Why the client of a token request is not proven, or undefined when it is. */
export function proofFlaw(stage: Stage, call: Call, params: Fields, style: ProofStyle): string | undefined {
  const { clientId = '', clientSecret } = stage.part.issued
  const isInHeader = style === 'header' || style === 'basic' || style === 'both'
  if (isInHeader && clientSecret !== undefined) return headerFlaw(stage, call, params, style)
  if (headerOf(call, 'authorization') !== undefined) {
    return 'there is an Authorization header, but this provider wants the client in the body'
  }
  const [idName, secretName] = style === 'custom' ? ['username', 'password'] : ['client_id', 'client_secret']
  const id = scalarText(params[idName])
  const secret = scalarText(params[secretName])
  if (id === undefined) return `${idName} is missing`
  if (!isSame(id, clientId)) return `${idName} is not the id of this client`
  if (style === 'none' || clientSecret === undefined) {
    return secret === undefined ? undefined : `there is a ${secretName}, but this client has none`
  }
  if (secret === undefined) return `${secretName} is missing`
  return isSame(secret, clientSecret) ? undefined : `${secretName} is not the secret of this client`
}

function headerFlaw(stage: Stage, call: Call, params: Fields, style: ProofStyle): string | undefined {
  const { clientId = '', clientSecret = '' } = stage.part.issued
  const basic = basicOf(call)
  if (basic === undefined) return 'there is no Authorization: Basic header with the client id and secret'
  const decoded = style === 'header' ? formDecoded : (text: string) => text
  const how = style === 'header' ? 'form-encoded' : 'as they are'
  if (!isSame(decoded(basic.user) ?? '', clientId)) return `the user of the Basic header is not the client id (${how})`
  if (!isSame(decoded(basic.password) ?? '', clientSecret)) {
    return `the password of the Basic header is not the client secret (${how})`
  }
  const id = scalarText(params['client_id'])
  const secret = scalarText(params['client_secret'])
  if (id !== undefined && !isSame(id, clientId)) return 'client_id is not the client of the Basic header'
  if (secret === undefined) return undefined
  if (style !== 'both') return 'the client secret is in the header and in the body (RFC 6749 §2.3 wants one)'
  return isSame(secret, clientSecret) ? undefined : 'client_secret is not the secret of this client'
}

/** The refusal of RFC 6749 §5.2 for a client that is not proven. */
export function unproven(call: Call, flaw: string): Answer {
  const challenge = headerOf(call, 'authorization') === undefined ? {} : { 'www-authenticate': 'Basic realm="twin"' }
  return oauthError(401, 'invalid_client', `${flaw}.`, challenge)
}
