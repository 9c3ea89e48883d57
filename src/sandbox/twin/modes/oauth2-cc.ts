import { type Answer, json } from '../../answer.ts'
import { type ProofStyle, proofFlaw, unproven } from '../client-proof.ts'
import { flawsOf } from '../demand.ts'
import { type Fields, fieldsOf, scalarText, textOf } from '../fields.ts'
import { fillUrl } from '../fill.ts'
import { checkSealed, refused, withMetadata } from '../grants.ts'
import { readJwt } from '../jwt.ts'
import { jwtFlaws } from '../jwt-check.ts'
import { type BodyFormat, paramDemands, readParams } from '../params.ts'
import { rerun } from '../rerun.ts'
import type { Call, Endpoint, Stage, TwinMode } from '../stage.ts'

const styles: Readonly<Record<string, ProofStyle>> = { basic: 'basic', custom: 'custom' }

const formats: Readonly<Record<string, BodyFormat>> = { json: 'json', query: 'query' }

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** What is wrong with a client assertion (RFC 7523 §2.2, §3). One that was seen before is. */
function assertionFlaws(stage: Stage, url: URL, params: Fields): readonly string[] {
  const { issued, template, variants } = stage.part
  const assertion = scalarText(params['client_assertion'])
  const id = scalarText(params['client_id'])
  const key = issued.params['client_private_key'] ?? ''
  const claims = readJwt(assertion ?? '')?.claims
  const audiences = [url.href, textOf(template['issuer'])]
  const audience = audiences.find((one) => one === claims?.['aud']) ?? url.href
  const subject = issued.clientId ?? ''
  const wish = {
    what: 'client_assertion',
    algorithm: 'RS256',
    key,
    header: { kid: fieldsOf(parsed(key))['kid'] },
    claims: { iss: subject, sub: subject, aud: audience },
    lifetime: undefined,
    needsIssued: true,
    roots: variants[0],
  }
  const flaws = [
    ...(params['client_assertion_type'] === assertionType ? [] : [`client_assertion_type is not ${assertionType}`]),
    ...(id === undefined || id === subject ? [] : ['client_id is not the id of this client']),
    ...(params['client_secret'] === undefined ? [] : ['there is a client_secret, but this client has a key instead']),
    ...jwtFlaws(assertion, wish, stage.provider.now()),
  ]
  if (flaws.length > 0) return flaws
  const jti = scalarText(claims?.['jti'])
  if (!jti) return ['client_assertion has no jti']
  return stage.provider.ledger.claim(`jti:${encodeURIComponent(jti)}`) ? [] : ['client_assertion was used before']
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The scopes that are to be asked for: those that the connection answered, else the integration's. */
function wantedScopes(stage: Stage): readonly string[] {
  const { template, scopes, issued } = stage.part
  if (!('oauth_scopes' in fieldsOf(template['connection_config']))) return scopes ?? []
  const answered = (issued.params['oauth_scopes'] ?? '').split(',').map((one) => one.trim())
  return answered.filter(Boolean)
}

function scopeFlaw(stage: Stage, params: Fields): string | undefined {
  const { template } = stage.part
  const scopes = wantedScopes(stage)
  if (scopes.length === 0 || fieldsOf(template['token_params'])['scope'] !== undefined) return
  const wanted = scopes.join(textOf(template['scope_separator']) ?? ' ')
  return params['scope'] === wanted ? undefined : `scope is not "${wanted}"`
}

function answerToken(stage: Stage, url: URL, call: Call): Answer {
  const { template, variants } = stage.part
  const method = textOf(template['token_request_auth_method']) ?? ''
  const format = formats[textOf(template['body_format']) ?? ''] ?? 'form'
  const read = readParams(call, format)
  if ('flaw' in read) return refused([read.flaw])
  const { params } = read
  if (method === 'private_key_jwt') {
    const flaws = assertionFlaws(stage, url, params)
    if (flaws.length > 0) return refused(flaws, 'invalid_client', 401)
  } else {
    const flaw = proofFlaw(stage, call, params, styles[method] ?? 'body')
    if (flaw !== undefined) return unproven(call, flaw)
  }
  const expected = fieldsOf(template['token_params'])
  const { demands, flaws } = paramDemands(expected, params, { typed: format === 'json', hasAlternatives: true })
  const wrong = [...flaws, ...flawsOf(demands, variants, stage.provider.now())]
  if (wrong.length > 0) return refused(wrong)
  const scope = scopeFlaw(stage, params)
  if (scope !== undefined) return refused([scope], 'invalid_scope')
  const separator = textOf(template['scope_separator']) ?? ' '
  const scopes = (scalarText(params['scope']) ?? '').split(separator).filter(Boolean)
  return rerun(stage, scopes, (tokens) => json(200, withMetadata(stage, inUnit(template, method, tokens))))
}

/** The answer in the unit and under the name that the template lets one expect. */
function inUnit(template: Fields, method: string, tokens: Fields): Fields {
  const { access_token: token, expires_in: seconds, ...rest } = tokens
  const isMilliseconds = template['expires_in_unit'] === 'milliseconds' && typeof seconds === 'number'
  const expires = seconds === undefined ? {} : { expires_in: isMilliseconds ? seconds * 1000 : seconds }
  if (token === undefined) return { ...rest, ...expires }
  return { ...(method === 'custom' ? { jwt: token } : { access_token: token }), ...rest, ...expires }
}

function endpoints(stage: Stage): readonly Endpoint[] {
  const url = fillUrl(textOf(stage.part.template['token_url']) ?? '', { roots: stage.part.variants[0], time: 0 })
  if (url === undefined) return []
  const answer = (call: Call): Answer => answerToken(stage, url, call)
  return [{ what: 'the token endpoint', url, methods: ['POST'], answer }]
}

/** RFC 6749 §4.4 and its neighbours: a client that asks for itself. */
export const oauth2ClientCredentials: TwinMode = { endpoints, checkToken: checkSealed, carrier: 'bearer' }
