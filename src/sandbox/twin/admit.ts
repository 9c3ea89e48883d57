import { isSame } from '../seal.ts'
import { bodyParams, requestNames } from './canonical.ts'
import { basicOf } from './client-proof.ts'
import { capture, type Demand, flawsOf } from './demand.ts'
import { type Fields, fieldsOf, isFields, scalarText } from './fields.ts'
import { fill, fillFirst, usedNames } from './fill.ts'
import { paramDemands } from './params.ts'
import type { Trial } from './place.ts'
import { sessionCookies } from './session-cookies.ts'
import { signatureFlaw, sigV4Wish } from './sigv4.ts'
import { type Admission, type Call, headerOf, type Stage, type TwinMode } from './stage.ts'

/** `refusal`: 401 where the credential is the matter, 400 where the rest is. */
export type Entry = Admission | { readonly misfit: string }

const tokenNames = new Set([
  'accessToken',
  'token',
  'credentials.token',
  'credentials.access_token',
  'credentials._cookies',
])

const isToken = (name: string): boolean => tokenNames.has(name)

const negotiated = new Set(['accept', 'accept-language', 'content-type', 'user-agent'])

interface Carried extends Demand {
  readonly place: 'header' | 'query' | 'body'
  /** In lower case for a header. */
  readonly name: string
}

/** Whether a text speaks of the credential or of what is signed with it, rather than of the connection. */
const isCredential = (text: string): boolean => usedNames(text).some((name) => !name.startsWith('connectionConfig.'))

/** Everything that the template wants in a call to the API. */
function carriedBy(stage: Stage, call: Call, trial: Trial | undefined): readonly Carried[] {
  const proxy = fieldsOf(stage.part.template['proxy'])
  const lower = (fields: Fields): [string, unknown][] =>
    Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value])
  const headers = Object.fromEntries([...lower(fieldsOf(proxy['headers'])), ...lower(trial?.headers ?? {})])
  const inHeaders = Object.entries(headers).flatMap(([name, value]): readonly Carried[] => {
    const text = scalarText(value)
    if (text === undefined || isLeftToCaller(stage, name, text, call)) return []
    const actual = headerOf(call, name)
    return [{ place: 'header', name, what: `the header ${name}`, text, actual, hasAlternatives: true }]
  })
  const inQuery = Object.entries(fieldsOf(proxy['query'])).flatMap(([name, value]): readonly Carried[] => {
    const text = scalarText(value)
    const actual = call.url.searchParams.getAll(name).at(-1)
    return text === undefined
      ? []
      : [{ place: 'query', name, what: `the query parameter ${name}`, text, actual, hasAlternatives: true }]
  })
  return [...inHeaders, ...inQuery]
}

/**
 * What a caller may word in its own way, as long as it is there; a content type needs a body. One that takes a value that
 * nobody is asked for may come from the caller's own library.
 */
function isLeftToCaller(stage: Stage, name: string, text: string, call: Call): boolean {
  if (!negotiated.has(name)) return false
  const roots = { ...stage.part.variants[1], ...requestNames(call) }
  if (text.includes('${')) return !isCredential(text) && fillFirst(text, { roots, time: 0 }).missing.length > 0
  return headerOf(call, name) !== undefined || (name === 'content-type' && call.body === '')
}

const sendsBody = (call: Call): boolean => /^(POST|PUT|PATCH|DELETE)$/.test(call.method)

function bodyDemands(stage: Stage, call: Call): ReturnType<typeof paramDemands> {
  const expected = fieldsOf(fieldsOf(stage.part.template['proxy'])['body'])
  if (!sendsBody(call) || Object.keys(expected).length === 0) return { demands: [], flaws: [] }
  return paramDemands(expected, bodyParams(call) ?? {}, { typed: false, hasAlternatives: true })
}

/** The token of a call, from wherever the template puts it, else from `Authorization: Bearer` (RFC 6750 §2.1). */
function tokenIn(carried: readonly Carried[], stage: Stage, call: Call): string | undefined {
  const scope = { roots: { ...stage.part.variants[0], ...requestNames(call) }, time: stage.provider.now() }
  const carriers = carried.filter(({ text }) => usedNames(text).some(isToken))
  for (const { text, actual } of carriers) {
    const found = actual === undefined ? undefined : capture(text, actual, scope, isToken)
    const [value] = found?.values() ?? []
    if (value === undefined) continue
    const isCookie = [...(found?.keys() ?? [])].includes('credentials._cookies')
    return isCookie ? /=(access_[\w.-]+)/.exec(value)?.[1] : value
  }
  if (carriers.length > 0) return undefined
  return /^bearer +(\S.*?) *$/i.exec(headerOf(call, 'authorization') ?? '')?.[1]
}

/** The mappings with the token in every place where a template looks for it. */
function withToken(roots: Fields, token: string | undefined): Fields {
  if (token === undefined) return roots
  const cookies = sessionCookies(token).join('; ')
  const credentials = { ...fieldsOf(roots['credentials']), token, access_token: token, _cookies: cookies }
  return { ...roots, accessToken: token, token, credentials }
}

/** Judges the credential of an API call, and then everything else that the template wants in it. */
export function admitCall(stage: Stage, mode: TwinMode, call: Call, trial?: Trial): Entry {
  if (mode.admit) return mode.admit(stage, call)
  const all = carriedBy(stage, call, trial)
  const signature = signatureIn(stage, call, all)
  if (signature !== undefined) return { flaw: signature }
  const carried = all.filter(({ text }) => !text.includes('${awsSigV4('))
  const token = mode.checkToken ? tokenIn(carried, stage, call) : undefined
  if (mode.checkToken && token === undefined) return { flaw: noToken(carried) }
  const admission = token === undefined ? { family: 'key' } : mode.checkToken?.(stage, token, call)
  if (admission === undefined || 'flaw' in admission) return admission ?? { flaw: 'there is no token' }
  const variants = stage.part.variants.map((roots) => withToken({ ...roots, ...requestNames(call) }, token))
  const body = bodyDemands(stage, call)
  const demands = [...carried, ...body.demands]
  const now = stage.provider.now()
  const flaws = flawsOf(
    demands.filter(({ text }) => isCredential(text)),
    variants,
    now,
  )
  const basic = defaultFlaw(stage, mode, call, all, token)
  if (flaws.length > 0 || basic !== undefined) return { flaw: [...flaws, ...(basic ? [basic] : [])].join('; ') }
  const rest = demands.filter(({ text }) => !isCredential(text))
  const misfits = [...body.flaws, ...flawsOf(rest, variants, now), ...dataFlaws(trial, call)]
  return misfits.length > 0 ? { misfit: misfits.join('; ') } : admission
}

function noToken(carried: readonly Carried[]): string {
  const [carrier] = carried.filter(({ text }) => usedNames(text).some(isToken))
  return carrier === undefined
    ? 'there is no Authorization: Bearer header'
    : `${carrier.what} ${carrier.actual === undefined ? 'is missing' : 'is not what the template makes of it'}`
}

/** What a call carries where the template does not say; where it says, the default may come along if it is right. */
function defaultFlaw(
  stage: Stage,
  mode: TwinMode,
  call: Call,
  carried: readonly Carried[],
  token: string | undefined,
): string | undefined {
  const [roots] = stage.part.variants
  const scope = { roots: withToken(roots, token), time: 0, random: '' }
  const own = carried.find(({ place, name }) => place === 'header' && name === 'authorization')
  const isComputed = /\$\{(?:now\b|awsSigV4\()/.test(own?.text ?? '')
  const isSpelledOut = own !== undefined && (isComputed || fill(own.text, scope).missing.length === 0)
  if (isSpelledOut || mode.carrier === undefined) return undefined
  const inBody = fieldsOf(fieldsOf(stage.part.template['proxy'])['body'])
  const elsewhere = carried.some(({ text }) => isCredential(text)) || usedNames(inBody).length > 0
  const isThere = headerOf(call, 'authorization') !== undefined
  if (!isThere && (elsewhere || own !== undefined)) return undefined
  return mode.carrier === 'basic' ? basicFlaw(stage, call) : bearerFlaw(call, token)
}

function bearerFlaw(call: Call, token: string | undefined): string | undefined {
  const [, sent] = /^bearer +(\S.*?) *$/i.exec(headerOf(call, 'authorization') ?? '') ?? []
  return sent !== undefined && isSame(sent, token ?? '')
    ? undefined
    : 'the Authorization header is not Bearer with the token'
}

function basicFlaw(stage: Stage, call: Call): string | undefined {
  const { params } = stage.part.issued
  const basic = basicOf(call)
  if (basic === undefined) return 'there is no Authorization: Basic header'
  if (!isSame(basic.user, params['username'] ?? '')) return 'the user of the Basic header is not the username'
  return isSame(basic.password, params['password'] ?? '')
    ? undefined
    : 'the password of the Basic header is not the password'
}

/** The signature of a call whose template has it signed for AWS. */
function signatureIn(stage: Stage, call: Call, carried: readonly Carried[]): string | undefined {
  const signed = carried.find(({ text }) => text.includes('${awsSigV4('))
  if (signed === undefined) return undefined
  const wish = sigV4Wish(signed.text, stage.part.variants[0])
  return wish === undefined ? undefined : signatureFlaw(call, wish, stage.provider.now())
}

/** The members of the trial's body that were not sent. */
function dataFlaws(trial: Trial | undefined, call: Call): readonly string[] {
  const names = Object.keys(trial?.data ?? {})
  const sent = bodyParams(call)
  if (names.length === 0) return []
  if (!isFields(sent)) return [`the body has to be JSON with ${names.join(', ')}`]
  return names.filter((name) => !(name in sent)).map((name) => `the body has no ${name}`)
}
