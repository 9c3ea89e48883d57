import { type Answer, redirect, type Visit } from '../answer.ts'
import { callbackUrl, isOwnForm } from '../authorize.ts'
import { type Fault, faultNamed, faults } from '../faults.ts'
import { consentPage, forwardingPage, noticePage } from '../page.ts'
import { isExpired, mintCode } from '../provider.ts'
import { seal, unseal } from '../seal.ts'
import { type Asked, judgeRequest, namesAfterReplacement } from './ask.ts'
import { textOf, textsOf } from './fields.ts'
import { clientNamed, newGrant } from './grants.ts'
import type { Call, Stage, TwinMode } from './stage.ts'

/** A request that was judged good, as the consent form carries it. Times are seconds since 1970. */
interface Pending extends Asked {
  readonly twin: string
  /** Who asks. */
  readonly client: string
  readonly fault: string | undefined
  readonly expires: number
}

const patience = 600

/** Where the consent form of every twin goes. */
export const decisionPath = '/authorize/decision'

/** The ways to go wrong that mean something for this provider. */
function faultsFor(stage: Stage): readonly Fault[] {
  const hasIssuer = textOf(stage.part.template['issuer']) !== undefined
  // Without metadata nobody was promised an issuer; one that is another's is noticed where the template names it.
  return faults.filter(({ name }) => name !== 'missing-iss' && (name !== 'iss-mismatch' || hasIssuer))
}

/** `GET` of the authorization URL: judges the request and asks the person. */
export function askConsent(stage: Stage, call: Call): Answer {
  const { part } = stage
  const fragment = textOf(part.template['authorization_url_fragment'])
  const query = fragment === undefined ? call.query : behindFragment(call, fragment)
  if (query === undefined) return forwardingPage()
  if (typeof query === 'object') return noticePage(400, 'This request is not for here', query.here)
  const chosen = chosenFault(stage, query)
  if (typeof chosen === 'object') return chosen
  const judged = judgeRequest(stage, query)
  if ('here' in judged) return noticePage(400, 'This request cannot be answered', judged.here)
  if ('there' in judged) return sendError(stage, judged, judged.error, judged.there)
  return showConsent(stage, judged.asked, chosen)
}

/** The fault that a request chooses, else the twin's own; a page for one that is none. */
export function chosenFault(stage: Stage, query: string): string | undefined | Answer {
  const chosen = new URLSearchParams(query).get('fault') || stage.provider.fault?.name
  if (chosen === undefined || faultNamed(chosen)) return chosen
  return noticePage(400, 'This fault is unknown', `The sandbox has no fault called “${chosen}”.`)
}

/** The page that asks the person, with the fault that is chosen already. */
export function showConsent(stage: Stage, asked: Asked, chosen: string | undefined): Answer {
  const { part, provider } = stage
  const client = part.issued.clientId ?? ''
  const expires = Math.floor(provider.now() / 1000) + patience
  const pending: Pending = { ...asked, twin: part.name, client, fault: chosen, expires }
  return consentPage({
    provider: part.title,
    client: client || 'this application',
    back: new URL(pending.redirectUri).host,
    scopes: pending.scopes,
    fault: faultNamed(chosen),
    faults: faultsFor(stage),
    request: seal(provider.key, 'request', pending),
  })
}

/** The query behind `#fragment?`, which only a page's script sees; undefined before it has spoken. */
function behindFragment(call: Call, fragment: string): string | { readonly here: string } | undefined {
  if (call.query === '') return undefined
  const sent = new URLSearchParams(call.query).get('fragment')
  if (sent === null) return { here: `The parameters belong behind #${fragment}?, not into the query.` }
  const lead = `${fragment}?`
  if (sent === '') return { here: `There is nothing behind the #, where #${lead}… should be.` }
  return sent.startsWith(lead) ? sent.slice(lead.length) : { here: `What is behind the # does not begin with ${lead}` }
}

function sendError(
  stage: Stage,
  to: { readonly redirectUri: string; readonly state: string | undefined },
  error: string,
  description: string,
): Answer {
  const params = new URLSearchParams({ error, error_description: description })
  if (to.state !== undefined) params.set('state', to.state)
  return redirect(callbackUrl(to.redirectUri, inDialect(stage, params)))
}

/** The callback's parameters by the names that this provider gives them. */
function inDialect(stage: Stage, params: URLSearchParams): URLSearchParams {
  const state = namesAfterReplacement(stage).get('state') ?? 'state'
  const code = textOf(stage.part.template['authorization_code_param_in_callback']) ?? 'code'
  const name = (one: string): string => (one === 'state' ? state : one === 'code' ? code : one)
  return new URLSearchParams([...params].map(([one, value]): [string, string] => [name(one), value]))
}

/** `POST` of the consent form: what the person pressed. */
export function takeDecision(stage: Stage, mode: TwinMode, visit: Visit): Answer {
  const { part, provider } = stage
  if (!isOwnForm(visit)) return noticePage(403, 'Not from here', 'This form was submitted by another site.')
  const form = new URLSearchParams(visit.body)
  const pending = unseal<Pending>(provider.key, 'request', form.get('request') ?? '')
  if (!pending || pending.twin !== part.name || isExpired(provider, pending.expires)) {
    return noticePage(400, 'This page is too old', 'Start again from the application that sent you here.')
  }
  if (form.get('decision') === 'deny') return sendError(stage, pending, 'access_denied', 'You said no.')
  // The button pressed comes after the hidden field that carries the fault chosen beforehand.
  const fault = faultNamed(form.getAll('fault').at(-1))
  const ticked = pending.scopes.filter((scope) => form.getAll('scope').includes(scope))
  if (ticked.length === 0 && pending.scopes.length > 0) {
    return sendError(stage, pending, 'access_denied', 'No scope was granted.')
  }
  const code = mintCode(provider, {
    grant: {
      ...newGrant(stage, fault?.grants?.(ticked) ?? ticked, fault?.name),
      client: clientNamed(stage, pending.client),
    },
    redirectUri: pending.redirectUri,
    challenge: pending.challenge,
    challengeMethod: 'S256',
    asked: pending.params,
  })
  const params = new URLSearchParams({ code, state: pending.state })
  fault?.callback?.(params)
  const dialect = inDialect(stage, params)
  // Who refuses tells nothing about the customer.
  if (params.get('error') === null) {
    for (const [name, value] of told(stage)) dialect.set(name, value)
    mode.callback?.(stage, dialect)
  }
  return redirect(callbackUrl(pending.redirectUri, dialect, fault?.fragment ? '#' : '?'))
}

/** What the callback tells about the customer. */
function told(stage: Stage): readonly (readonly [string, string])[] {
  const { issued, template } = stage.part
  return textsOf(template['redirect_uri_metadata']).flatMap((name) => {
    const value = issued.brought[name] ?? issued.params[name]
    return value === undefined ? [] : [[name, value] as const]
  })
}
