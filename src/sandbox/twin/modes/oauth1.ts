import { createHmac } from 'node:crypto'
import { type Answer, redirect, type Visit } from '../../answer.ts'
import { callbackUrl, isOwnForm, redirectUriFlaw } from '../../authorize.ts'
import { faultNamed, faults } from '../../faults.ts'
import { consentPage, noticePage } from '../../page.ts'
import { type Grant, isExpired, person } from '../../provider.ts'
import { seal, unseal } from '../../seal.ts'
import { chosenFault } from '../consent.ts'
import { type Fields, fieldsOf, scalarText, textOf } from '../fields.ts'
import { checkSealed, clientOf, grantTokens, newGrant, tokenOf } from '../grants.ts'
import { urlOf } from '../issuer.ts'
import { type OAuth1Wish, oauth1Flaw, protocolParam } from '../oauth1.ts'
import { paramDemands } from '../params.ts'
import type { Admission, Call, Endpoint, Stage, TwinMode } from '../stage.ts'

/** Temporary credentials (RFC 5849 §2.1), sealed into their own token. Times are seconds since 1970. */
interface Temporary {
  readonly twin: string
  readonly callback: string
  readonly expires: number
}

/** What the person decided on, sealed into the verifier and the consent form. */
interface Decided {
  readonly token: string
  readonly scopes: readonly string[]
  readonly fault: string | undefined
  /** Whether the person has said yes. */
  readonly isApproved: boolean
}

const patience = 600

/** The secret beside a token: whoever sealed the one knows the other. */
const secretOf = ({ provider }: Stage, token: string): string =>
  createHmac('sha256', provider.key).update(`secret\n${token}`).digest('base64url')

const formAnswer = (status: number, fields: Fields): Answer => ({
  status,
  headers: { 'content-type': 'application/x-www-form-urlencoded', 'cache-control': 'no-store' },
  body: new URLSearchParams(
    Object.entries(fields).flatMap(([name, value]): [string, string][] => {
      const text = scalarText(value)
      return text === undefined ? [] : [[name, text]]
    }),
  ).toString(),
})

const refusedAs = (problem: string, flaw: string): Answer =>
  formAnswer(401, { oauth_problem: problem, oauth_problem_advice: `${flaw}.` })

function flawOf(stage: Stage, call: Call, token: string | undefined): string | undefined {
  const { part, provider } = stage
  const wish: OAuth1Wish = {
    consumerKey: part.issued.clientId ?? '',
    consumerSecret: part.issued.clientSecret ?? '',
    token,
    tokenSecret: token === undefined ? '' : secretOf(stage, token),
    method: textOf(part.template['signature_method']) ?? 'HMAC-SHA1',
  }
  return oauth1Flaw(call, wish, provider.now(), (mark) => provider.ledger.claim(mark))
}

/** What the template wants in the body of the first request. */
function paramFlaws(stage: Stage, call: Call, field: string): readonly string[] {
  const sent = Object.fromEntries([...call.url.searchParams, ...new URLSearchParams(call.body)])
  const expected = fieldsOf(stage.part.template[field])
  const { demands, flaws } = paramDemands(expected, sent, { typed: false, hasAlternatives: false })
  return [
    ...flaws,
    ...demands.flatMap(({ what, text, actual }) => (actual === text ? [] : [`${what} is not "${text}"`])),
  ]
}

/** Temporary credentials for a signed request that says where to go back (§2.1). */
function begin(stage: Stage, call: Call): Answer {
  const flaw = flawOf(stage, call, undefined)
  if (flaw !== undefined) return refusedAs('signature_invalid', flaw)
  const callback = protocolParam(call, 'oauth_callback')
  if (!callback) return refusedAs('parameter_absent', 'oauth_callback is missing')
  const unfit = redirectUriFlaw(callback)
  if (unfit !== undefined) return refusedAs('parameter_rejected', `oauth_callback: ${unfit.replace(/\.$/, '')}`)
  const [wrong] = paramFlaws(stage, call, 'request_params')
  if (wrong !== undefined) return refusedAs('parameter_rejected', wrong)
  const expires = Math.floor(stage.provider.now() / 1000) + patience
  const token = seal(stage.provider.key, 'temporary', { twin: stage.part.name, callback, expires })
  return formAnswer(200, {
    oauth_token: token,
    oauth_token_secret: secretOf(stage, token),
    oauth_callback_confirmed: 'true',
  })
}

function temporaryOf({ part, provider }: Stage, token: string): Temporary | undefined {
  const found = unseal<Temporary>(provider.key, 'temporary', token)
  const isGood = found?.twin === part.name && !isExpired(provider, found.expires)
  return isGood ? found : undefined
}

/** Asks the person (§2.2). */
function ask(stage: Stage, call: Call): Answer {
  const { part, provider } = stage
  const query = call.url.searchParams
  const token = query.get('oauth_token') ?? ''
  const temporary = temporaryOf(stage, token)
  if (temporary === undefined) {
    return noticePage(400, 'This request cannot be answered', 'Its oauth_token is unknown or too old.')
  }
  const [wrong] = paramFlaws(stage, { ...call, body: '' }, 'authorization_params')
  if (wrong !== undefined) return noticePage(400, 'This request cannot be answered', `${wrong}.`)
  const said = query.get('oauth_callback')
  if (said !== null && said !== temporary.callback) {
    return noticePage(400, 'This request cannot be answered', 'Its oauth_callback is not the one that was signed.')
  }
  const fault = chosenFault(stage, call.query)
  if (typeof fault === 'object') return fault
  const separator = textOf(part.template['scope_separator']) ?? ' '
  const scopes = (query.get('scope') ?? '').split(separator).filter(Boolean)
  const decided: Decided = { token, scopes, fault, isApproved: false }
  return consentPage({
    provider: part.title,
    client: part.issued.clientId ?? '',
    back: new URL(temporary.callback).host,
    scopes,
    fault: faultNamed(fault),
    faults: faults.filter(({ at, name }) => at === 'token' || at === 'api' || name === 'denial'),
    request: seal(provider.key, 'request', decided),
  })
}

/** What the person pressed: back with a verifier, or with the token that was denied. */
function decide(stage: Stage, visit: Visit): Answer {
  const { provider } = stage
  if (!isOwnForm(visit)) return noticePage(403, 'Not from here', 'This form was submitted by another site.')
  const form = new URLSearchParams(visit.body)
  const decided = unseal<Decided>(provider.key, 'request', form.get('request') ?? '')
  const temporary = decided && temporaryOf(stage, decided.token)
  if (!decided || !temporary) {
    return noticePage(400, 'This page is too old', 'Start again from the application that sent you here.')
  }
  const fault = form.getAll('fault').at(-1) || decided.fault
  const isDenied = form.get('decision') === 'deny' || fault === 'denial'
  if (isDenied) return redirect(callbackUrl(temporary.callback, new URLSearchParams({ denied: decided.token })))
  const scopes = decided.scopes.filter((scope) => form.getAll('scope').includes(scope))
  const verifier = seal(provider.key, 'request', {
    ...decided,
    scopes,
    fault: faultNamed(fault)?.name,
    isApproved: true,
  })
  const params = new URLSearchParams({ oauth_token: decided.token, oauth_verifier: verifier })
  return redirect(callbackUrl(temporary.callback, params))
}

/** Token credentials for temporary ones and the verifier (§2.3). */
function exchange(stage: Stage, call: Call): Answer {
  const { provider } = stage
  const token = protocolParam(call, 'oauth_token') ?? ''
  if (temporaryOf(stage, token) === undefined) return refusedAs('token_rejected', 'oauth_token is unknown or too old')
  const flaw = flawOf(stage, call, token)
  if (flaw !== undefined) return refusedAs('signature_invalid', flaw)
  const decided = unseal<Decided>(provider.key, 'request', protocolParam(call, 'oauth_verifier') ?? '')
  if (decided?.token !== token || !decided.isApproved)
    return refusedAs('verifier_invalid', 'oauth_verifier is not the one of this token')
  const grant: Grant = newGrant(stage, decided.scopes, decided.fault)
  return grantTokens(stage, grant, {
    at: 'token',
    isRenewable: false,
    lifetime: 3650 * 86_400,
    word: (tokens) => wordTokens(stage, tokens),
    done: () =>
      provider.ledger.claim(`used:${secretOf(stage, token)}`)
        ? undefined
        : refusedAs('token_used', 'these temporary credentials were used before'),
  })
}

function wordTokens(stage: Stage, tokens: Fields): Answer {
  const { access_token: token, token_type: _, expires_in: __, scope: ___, ...rest } = tokens
  const text = scalarText(token)
  if (text === undefined) return formAnswer(200, rest)
  const owner = { user_id: person.id, screen_name: person.name }
  return formAnswer(200, { oauth_token: text, oauth_token_secret: secretOf(stage, text), ...owner, ...rest })
}

function admit(stage: Stage, call: Call): Admission {
  const token = protocolParam(call, 'oauth_token') ?? ''
  if (tokenOf(stage, 'access', token)?.client !== clientOf(stage)) return checkSealed(stage, token)
  const flaw = flawOf(stage, call, token)
  return flaw === undefined ? checkSealed(stage, token) : { flaw }
}

function endpoints(stage: Stage): readonly Endpoint[] {
  const at = (what: string, field: string, method: string, answer: (stage: Stage, call: Call) => Answer) => {
    const url = urlOf(stage, field)
    return url === undefined ? [] : [{ what, url, methods: [method], answer: (call: Call) => answer(stage, call) }]
  }
  return [
    ...at('where temporary credentials are had', 'request_url', 'POST', begin),
    ...at('the authorization endpoint', 'authorization_url', 'GET', ask),
    ...at('the token endpoint', 'token_url', 'POST', exchange),
  ]
}

/** RFC 5849 in its three legs: temporary credentials, the person's word, token credentials; every call is signed. */
export const oauth1: TwinMode = { endpoints, decide, admit }
