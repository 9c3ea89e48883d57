import { type Answer, json } from '../../answer.ts'
import { authorizationUrl } from '../ask.ts'
import { askConsent } from '../consent.ts'
import { flawsOf } from '../demand.ts'
import { type Fields, fieldsOf, scalarText, textOf } from '../fields.ts'
import { bearerAnswer, checkSealed, refused, renewGrant, tokenOf, type Wording } from '../grants.ts'
import { endpointUrl, idTokenFor, issuerEndpoints, urlOf } from '../issuer.ts'
import { paramDemands } from '../params.ts'
import { redeemCode } from '../redeem.ts'
import type { Call, Endpoint, Stage, TwinMode } from '../stage.ts'
import { withClient } from '../with-client.ts'

/** What is wrong with the template's own parameters; the grant type is judged elsewhere. */
function ownFlaws(stage: Stage, expected: Fields, sent: Fields): readonly string[] {
  const { template, variants } = stage.part
  const own = Object.fromEntries(Object.entries(expected).filter(([name]) => name !== 'grant_type'))
  const typed = template['body_format'] === 'json'
  const { demands, flaws } = paramDemands(own, sent, { typed, hasAlternatives: true })
  return [...flaws, ...flawsOf(demands, variants, stage.provider.now())]
}

/** An access token and its like where the template looks for them: at the top, or under a member of the answer. */
function worded(stage: Stage, nonce?: string): Wording {
  const path = textOf(stage.part.template['alternate_access_token_response_path'])
  if (path === undefined) return (tokens) => bearerAnswer(stage, { ...tokens, ...idTokenFor(stage, tokens, nonce) })
  return (tokens) => {
    const answer = bearerAnswer(stage, {})
    return json(answer.status, { ...fieldsOf(JSON.parse(answer.body)), ok: true, [path]: tokens })
  }
}

/** `grant_type=authorization_code` (RFC 6749 §4.1.3). */
function exchangeCode(stage: Stage, params: Fields): Answer {
  const { part } = stage
  const code = scalarText(params['code'])
  const flaws = ownFlaws(stage, fieldsOf(part.template['token_params']), params)
  if (!code) return refused(['there is no code', ...flaws])
  if (flaws.length > 0) return refused(flaws)
  const redirectUri = scalarText(params['redirect_uri'])
  const verifier = scalarText(params['code_verifier'])
  return redeemCode(
    stage,
    { code, redirectUri, verifier },
    {
      word: worded(stage, stage.provider.codes.get(code)?.asked?.['nonce'] || undefined),
    },
  )
}

/** `grant_type=refresh_token` (RFC 6749 §6). */
function refresh(stage: Stage, params: Fields): Answer {
  const { template } = stage.part
  const expected = fieldsOf(template['refresh_params'] ?? template['token_params'])
  const flaws = ownFlaws(stage, expected, params)
  if (flaws.length > 0) return refused(flaws)
  const token = scalarText(params['refresh_token'])
  if (!token) return refused(['there is no refresh_token'])
  const scope = scalarText(params['scope'])
  if (scope !== undefined && expected['scope'] === undefined) {
    const granted = tokenOf(stage, 'refresh', token)?.scopes ?? []
    const asked = scope.split(textOf(template['scope_separator']) ?? ' ').filter(Boolean)
    if (asked.some((one) => !granted.includes(one))) {
      return refused(['more was asked for than was granted'], 'invalid_scope')
    }
  }
  return renewGrant(stage, token, worded(stage))
}

function answerGrant(
  stage: Stage,
  call: Call,
  grants: Readonly<Record<string, (stage: Stage, params: Fields) => Answer>>,
): Answer {
  const format = stage.part.template['body_format'] === 'json' ? 'json' : 'form'
  return withClient(stage, call, format, (params) => {
    const grant = scalarText(params['grant_type'])
    if (!grant) return refused(['there is no grant_type'])
    const answer = Object.hasOwn(grants, grant) ? grants[grant] : undefined
    const known = Object.keys(grants).join(' and ')
    return answer?.(stage, params) ?? refused([`this endpoint knows ${known}`], 'unsupported_grant_type')
  })
}

/** Where the browser goes to ask. */
export function consentEndpoint(stage: Stage): readonly Endpoint[] {
  const url = authorizationUrl(stage)
  if (url === undefined) return []
  // What a template's own query says is dropped by everybody: the parameters take its place.
  const page = new URL(url.origin + url.pathname)
  return [
    { what: 'the authorization endpoint', url: page, methods: ['GET'], answer: (call) => askConsent(stage, call) },
  ]
}

function endpoints(stage: Stage): readonly Endpoint[] {
  const token = endpointUrl(stage, 'token_url')
  const renewing = urlOf(stage, 'refresh_url')
  const grants = { authorization_code: exchangeCode, ...(renewing === undefined && { refresh_token: refresh }) }
  const at = (what: string, url: URL | undefined, method: string, answer: (call: Call) => Answer) =>
    url === undefined ? [] : [{ what, url, methods: [method], answer }]
  return [
    ...consentEndpoint(stage),
    ...at('the token endpoint', token, 'POST', (call) => answerGrant(stage, call, grants)),
    ...at('the refresh endpoint', renewing, 'POST', (call) => answerGrant(stage, call, { refresh_token: refresh })),
    ...issuerEndpoints(stage),
  ]
}

/** RFC 6749 §4.1 in the dialect of the template. */
export const oauth2: TwinMode = { endpoints, checkToken: checkSealed, carrier: 'bearer' }
