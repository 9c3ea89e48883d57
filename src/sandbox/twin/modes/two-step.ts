import { type Answer, json } from '../../answer.ts'
import { type Fields, fieldsOf, scalarText, textOf, textsOf, withPath } from '../fields.ts'
import { fillUrl } from '../fill.ts'
import { checkSealed, refused, renewGrant, tokenOf, type Wording, withMetadata } from '../grants.ts'
import { paramDemands, readParams } from '../params.ts'
import { rerun } from '../rerun.ts'
import { sessionCookies } from '../session-cookies.ts'
import { type Call, type Endpoint, headerOf, type Stage, type TwinMode } from '../stage.ts'
import { type Step, sentFor, stepAnswers, stepFlaws, stepsOf, typeOf } from '../steps.ts'
import { writeXml } from '../xml.ts'

/** How many seconds a token lives by the template's word; zero there is for ever. */
function lifetimeOf(template: Fields): number | undefined {
  const milliseconds = template['token_expires_in_ms']
  if (typeof milliseconds !== 'number') return undefined
  return milliseconds === 0 ? 10 * 365 * 86_400 : Math.max(1, Math.floor(milliseconds / 1000))
}

/** The tokens at the paths where the template reads them. */
function worded(stage: Stage): Wording {
  const { template } = stage.part
  const wish = fieldsOf(template['token_response'])
  const path = textOf(wish['token'])
  return (tokens) => {
    const token = scalarText(tokens['access_token'])
    if (path === undefined) return plain(token ?? '')
    const { access_token: _, expires_in: seconds, refresh_token: renewing, token_type: type, scope, ...rest } = tokens
    const placed: readonly (readonly [string | undefined, unknown])[] = [
      [textOf(wish['refresh_token']), renewing],
      [textOf(wish['token_expiration']), expiry(stage, wish, seconds)],
      [path, token],
    ]
    const looksStandard = path === 'access_token'
    const start: Fields = { ...rest, ...(looksStandard && { token_type: type, scope }) }
    const answer = placed.reduce<Fields>(
      (whole, [at, value]) => (at === undefined || value === undefined ? whole : withPath(whole, at, value)),
      start,
    )
    return dressed(template, withMetadata(stage, answer), token)
  }
}

/** When the token ends: in seconds from now, or as a date, by the template's strategy. */
function expiry(stage: Stage, wish: Fields, seconds: unknown): unknown {
  if (seconds === undefined || wish['token_expiration_strategy'] === 'expireIn') return seconds
  return new Date(stage.provider.now() + Number(seconds) * 1000).toISOString()
}

const plain = (token: string): Answer => ({
  status: 200,
  headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' },
  body: token,
})

/** The answer in the template's format, with the cookies that it reads. */
function dressed(template: Fields, answer: Fields, token: string | undefined): Answer {
  const isXml = template['body_format'] === 'xml'
  const body = isXml ? `<?xml version="1.0" encoding="UTF-8"?>${writeXml(answer)}` : JSON.stringify(answer)
  const setsCookies = textsOf(template['token_response_headers']).some((name) => name.toLowerCase() === 'set-cookie')
  const cookies = setsCookies && token !== undefined ? sessionCookies(token) : []
  return {
    status: 200,
    headers: {
      'content-type': isXml ? 'application/xml' : 'application/json',
      'cache-control': 'no-store',
      ...(cookies.length > 0 && { 'set-cookie': cookies.map((one) => `${one}; Path=/; HttpOnly`) }),
    },
    body,
  }
}

/** A refusal in the format of the template. */
function refusedIn(template: Fields, flaws: readonly string[]): Answer {
  const answer = refused(flaws, 'invalid_request')
  if (template['body_format'] !== 'xml') return answer
  const message = `${flaws.join('; ')}.`
  const body = writeXml({ response: { errormessage: { error: { errorno: 'XL03000006', description2: message } } } })
  return { ...answer, headers: { ...answer.headers, 'content-type': 'application/xml' }, body }
}

function answerStep(stage: Stage, steps: readonly Step[], index: number, call: Call): Answer {
  const { template } = stage.part
  const step = steps[index]
  const flaws = step === undefined ? ['there is no such step'] : stepFlaws(stage, step, call)
  if (flaws.length > 0) return refusedIn(template, flaws)
  if (index < steps.length - 1) return json(200, withMetadata(stage, stepAnswers(stage)[`step${index + 1}`] ?? {}))
  const isRenewable = textOf(fieldsOf(template['token_response'])['refresh_token']) !== undefined
  return rerun(stage, [], worded(stage), { isRenewable, lifetime: lifetimeOf(template) })
}

/** The refresh request, where the template has one of its own. */
function renewalOf(stage: Stage): Step | undefined {
  const { template, variants } = stage.part
  const [login] = stepsOf(stage)
  const { refresh_token_params: params, refresh_token_headers: headers } = template
  if (login === undefined || (params === undefined && headers === undefined)) return undefined
  const url = fillUrl(textOf(template['refresh_url']) ?? '', { roots: variants[0], time: 0 }) ?? login.url
  const type = typeOf(login)
  const own = headers === undefined ? login.headers : { ...(type && { 'content-type': type }), ...fieldsOf(headers) }
  return { ...login, url, params: fieldsOf(params), headers: own }
}

/** The refresh token that a request carries, where the template's texts put it. */
function renewingToken(stage: Stage, renewal: Step, call: Call): string | undefined {
  const read = readParams(call, renewal.format, typeOf(renewal))
  const sent = 'flaw' in read ? {} : read.params
  const { demands } = paramDemands(renewal.params, sent, { typed: false, hasAlternatives: false })
  const headers = Object.entries(renewal.headers).map(([name, value]) => ({
    what: name,
    text: scalarText(value) ?? '',
    actual: headerOf(call, name),
    hasAlternatives: false,
  }))
  return sentFor('refresh_token', [...headers, ...demands], stage.part.variants[0], stage.provider.now())
}

function answerRenewal(stage: Stage, renewal: Step, token: string | undefined, call: Call): Answer {
  const { template } = stage.part
  const flaws = stepFlaws(stage, renewal, call, { refresh_token: token })
  if (flaws.length > 0) return refusedIn(template, flaws)
  const word = worded(stage)
  const wish = fieldsOf(template['token_response'])
  // Where the access token renews itself, it is not used up by that.
  const renewsItself = wish['token'] === wish['refresh_token']
  if (!renewsItself) return renewGrant(stage, token ?? '', word, { lifetime: lifetimeOf(template) })
  return tokenOf(stage, 'access', token ?? '')
    ? rerun(stage, [], word, { lifetime: lifetimeOf(template) })
    : refusedIn(template, ['this token is unknown, expired or revoked'])
}

function endpoints(stage: Stage): readonly Endpoint[] {
  const steps = stepsOf(stage)
  const renewal = renewalOf(stage)
  const [login] = steps
  const isShared = renewal !== undefined && renewal.url.href === login?.url.href
  const own = steps.map((step, index): Endpoint => {
    const answer = (call: Call): Answer => {
      const token = isShared && index === 0 ? renewingToken(stage, renewal, call) : undefined
      const isRenewal = token !== undefined && (tokenOf(stage, 'refresh', token) ?? tokenOf(stage, 'access', token))
      return isRenewal && renewal ? answerRenewal(stage, renewal, token, call) : answerStep(stage, steps, index, call)
    }
    const what = index === 0 ? 'the token endpoint' : `step ${index + 1} of the login`
    return { what, url: step.url, methods: [step.method], answer }
  })
  if (renewal === undefined || isShared) return own
  const answer = (call: Call): Answer => answerRenewal(stage, renewal, renewingToken(stage, renewal, call), call)
  return [...own, { what: 'the refresh endpoint', url: renewal.url, methods: [renewal.method], answer }]
}

/** A login of one request or more that the template spells out. */
export const twoStep: TwinMode = { endpoints, checkToken: checkSealed, carrier: 'bearer' }
