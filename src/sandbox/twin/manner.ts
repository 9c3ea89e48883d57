import type { Answer } from '../answer.ts'
import type { PendingCode } from '../provider.ts'
import { unproven } from './client-proof.ts'
import { type Fields, parsedFields, scalarText } from './fields.ts'
import { bearerAnswer, checkSealed, type Rotation, refused, renewGrant, type Wording } from './grants.ts'
import { urlOf } from './issuer.ts'
import { consentEndpoint } from './modes/oauth2.ts'
import type { BodyFormat } from './params.ts'
import { readParams } from './params.ts'
import { redeemCode } from './redeem.ts'
import type { Call, Endpoint, Stage, TwinMode } from './stage.ts'

type Read = { readonly params: Fields } | { readonly flaw: string }

/** What one request to a token endpoint has to be. */
interface Errand {
  /** Field of the template that says where; `token_url` by default. */
  readonly at?: 'token_url' | 'refresh_url'
  readonly methods?: readonly string[]
  /** How the parameters come; a function for a way of its own. */
  readonly format: BodyFormat | ((call: Call) => Read)
  /** Why the client is not proven. */
  readonly proof: (stage: Stage, call: Call, params: Fields) => string | undefined
  /** Parameters that have to be one of these texts; an empty list: anything, as long as it is there. */
  readonly fixed?: Readonly<Record<string, readonly string[]>>
  /** What else is wrong. */
  readonly flaws?: (stage: Stage, call: Call, params: Fields) => readonly string[]
  /** The answer; that of RFC 6749 §5.1 by default. */
  readonly word?: (stage: Stage, tokens: Fields, asked: Readonly<Record<string, string>>) => Answer
  /** Seconds that access tokens live. */
  readonly lifetime?: number
}

interface Exchange extends Errand {
  /** Parameter that the code comes in. */
  readonly code?: string
  /** Bound to the request by these as by RFC 6749 and RFC 7636; `free`: only if it is sent. */
  readonly redirectUri?: 'free'
  readonly verifier?: 'free'
  readonly isRenewable?: boolean
  /** What is wrong by the authorization request. */
  readonly against?: (params: Fields, pending: PendingCode) => readonly string[]
  /** Instead of redeeming a code. */
  readonly answer?: (stage: Stage, params: Fields) => Answer
}

interface Renewal extends Errand {
  /** Parameter that the refresh token comes in. */
  readonly token?: string
  readonly rotation?: Rotation
  readonly scopes?: (params: Fields) => readonly string[] | undefined
  /** Instead of renewing a grant by its refresh token. */
  readonly answer?: (stage: Stage, params: Fields) => Answer
}

/** How a provider's token endpoint differs from RFC 6749. */
export interface Manner {
  readonly exchange: Exchange
  readonly renewal?: Renewal
  /** Further requests that the template does not tell of. */
  readonly also?: (stage: Stage) => readonly Endpoint[]
  readonly checkToken?: TwinMode['checkToken']
  /** A refusal in the words of this provider. */
  readonly refuse?: (error: string, message: string, status: number) => Answer
  readonly callback?: TwinMode['callback']
}

function readFor(errand: Errand, call: Call): Read {
  return typeof errand.format === 'function' ? errand.format(call) : readParams(call, errand.format)
}

function fixedFlaws(errand: Errand, params: Fields): readonly string[] {
  return Object.entries(errand.fixed ?? {}).flatMap(([name, texts]) => {
    const sent = scalarText(params[name])
    if (sent === undefined || sent === '') return [`${name} is missing`]
    return texts.length === 0 || texts.includes(sent) ? [] : [`${name} is not ${texts.join(' or ')}`]
  })
}

/** What is wrong before code or token are looked at, or the parameters. */
function judged(stage: Stage, errand: Errand, call: Call): { readonly refusal: Answer } | { readonly params: Fields } {
  const read = readFor(errand, call)
  if ('flaw' in read) return { refusal: refused([read.flaw]) }
  const flaw = errand.proof(stage, call, read.params)
  if (flaw !== undefined) return { refusal: unproven(call, flaw) }
  const flaws = [...fixedFlaws(errand, read.params), ...(errand.flaws?.(stage, call, read.params) ?? [])]
  return flaws.length > 0 ? { refusal: refused(flaws) } : read
}

function exchangeCode(stage: Stage, exchange: Exchange, call: Call): Answer {
  const found = judged(stage, exchange, call)
  if ('refusal' in found) return found.refusal
  const { params } = found
  if (exchange.answer) return exchange.answer(stage, params)
  const name = exchange.code ?? 'code'
  const code = scalarText(params[name])
  if (!code) return refused([`there is no ${name}`])
  const asked = stage.provider.codes.get(code)?.asked ?? {}
  const brought = {
    code,
    redirectUri: scalarText(params['redirect_uri']),
    verifier: scalarText(params['code_verifier']),
  }
  return redeemCode(stage, brought, {
    word: wording(stage, exchange, asked),
    takesNoRedirectUri: exchange.redirectUri === 'free',
    takesNoVerifier: exchange.verifier === 'free',
    isRenewable: exchange.isRenewable,
    lifetime: exchange.lifetime,
    flaws: (pending) => exchange.against?.(params, pending) ?? [],
  })
}

const wording =
  (stage: Stage, { word }: Errand, asked: Readonly<Record<string, string>>): Wording =>
  (tokens) =>
    word?.(stage, tokens, asked) ?? bearerAnswer(stage, tokens)

function renew(stage: Stage, renewal: Renewal, call: Call): Answer {
  const found = judged(stage, renewal, call)
  if ('refusal' in found) return found.refusal
  const { params } = found
  if (renewal.answer) return renewal.answer(stage, params)
  const name = renewal.token ?? 'refresh_token'
  const token = scalarText(params[name])
  if (!token) return refused([`there is no ${name}`])
  const { rotation, lifetime } = renewal
  return renewGrant(stage, token, wording(stage, renewal, {}), { rotation, lifetime, scopes: renewal.scopes?.(params) })
}

/** A refusal of RFC 6749 §5.2 as this provider would put it; trouble of another kind goes as it is. */
function reworded(manner: Manner, answer: Answer): Answer {
  if (manner.refuse === undefined || answer.status < 400 || answer.status > 401) return answer
  const said = parsedFields(answer.body)
  const [error, message] = [scalarText(said?.['error']), scalarText(said?.['error_description'])]
  return error === undefined || message === undefined ? answer : manner.refuse(error, message, answer.status)
}

/** Whether a request at a URL that serves both is for renewing. */
function isRenewal(renewal: Renewal, call: Call): boolean {
  const read = readFor(renewal, call)
  if ('flaw' in read) return false
  const grant = scalarText(read.params['grant_type'])
  return grant === undefined
    ? read.params[renewal.token ?? 'refresh_token'] !== undefined
    : (renewal.fixed?.['grant_type'] ?? ['refresh_token']).includes(grant)
}

function endpoints(stage: Stage, manner: Manner): readonly Endpoint[] {
  const { exchange, renewal } = manner
  const url = urlOf(stage, exchange.at ?? 'token_url')
  const renewing = renewal === undefined ? undefined : urlOf(stage, renewal.at ?? 'token_url')
  const isShared = renewing !== undefined && renewing.href === url?.href
  const token = (call: Call): Answer =>
    isShared && renewal && isRenewal(renewal, call) ? renew(stage, renewal, call) : exchangeCode(stage, exchange, call)
  const at = (what: string, where: URL | undefined, methods: readonly string[], answer: (call: Call) => Answer) =>
    where === undefined ? [] : [{ what, url: where, methods, answer: (call: Call) => reworded(manner, answer(call)) }]
  const methods = [...new Set([...(exchange.methods ?? ['POST']), ...(isShared ? (renewal?.methods ?? []) : [])])]
  return [
    ...consentEndpoint(stage),
    ...at('the token endpoint', url, methods, token),
    ...(renewal === undefined || isShared
      ? []
      : at('the refresh endpoint', renewing, renewal.methods ?? ['POST'], (call) => renew(stage, renewal, call))),
    ...(manner.also?.(stage) ?? []),
  ]
}

/** An authorization code flow in the manner of one provider. */
export function playedIn(manner: Manner): TwinMode {
  return {
    endpoints: (stage) => endpoints(stage, manner),
    checkToken: manner.checkToken ?? checkSealed,
    carrier: 'bearer',
    ...(manner.callback && { callback: manner.callback }),
  }
}
