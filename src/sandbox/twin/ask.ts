import { redirectUriFlaw } from '../authorize.ts'
import { type Demand, flawsOf } from './demand.ts'
import { fieldsOf, scalarText, textOf, textsOf } from './fields.ts'
import { endpointUrl } from './issuer.ts'
import { paramDemands } from './params.ts'
import type { Stage } from './stage.ts'

/** An authorization request, read by the names that the template gives its parameters. */
export interface Asked {
  readonly redirectUri: string
  readonly state: string
  readonly scopes: readonly string[]
  readonly challenge: string | undefined
  /** Every parameter as it was sent, by the name that it was sent under. */
  readonly params: Readonly<Record<string, string>>
}

/** `here`: told to the person, because nobody knows where the client is. `there`: told to the client. */
export type Judged =
  | { readonly asked: Asked }
  | { readonly here: string }
  | { readonly there: string; readonly error: string; readonly redirectUri: string; readonly state: string | undefined }

interface Pair {
  readonly name: string
  readonly value: string
  /** As it was sent, not decoded. */
  readonly raw: string
}

function pairsOf(query: string): readonly Pair[] {
  return query
    .split('&')
    .filter(Boolean)
    .map((part) => {
      const [[name = '', value = ''] = []] = new URLSearchParams(part)
      const equals = part.indexOf('=')
      return { name, value, raw: equals < 0 ? '' : part.slice(equals + 1) }
    })
}

/** Where the browser is sent to ask. */
export const authorizationUrl = (stage: Stage): URL | undefined => endpointUrl(stage, 'authorization_url')

/**
 * What the template's replacements make of the parameters' names: a URL is written as a client would, replaced in, and
 * read again. A parameter whose name is replaced by nothing has the empty name.
 */
export function namesAfterReplacement(stage: Stage): ReadonlyMap<string, string> {
  const { template, issued } = stage.part
  const url = authorizationUrl(stage)
  const standard = ['response_type', 'client_id', 'redirect_uri', 'scope', 'state']
  const extra = Object.keys(fieldsOf(template['authorization_params']))
  const names = [...new Set([...standard, ...extra, 'code_challenge', 'code_challenge_method'])]
  const values: Readonly<Record<string, string>> = { client_id: issued.clientId ?? '' }
  const query = names.map((name) => new URLSearchParams([[name, values[name] ?? 'x']]).toString()).join('&')
  const fragment = textOf(template['authorization_url_fragment'])
  const joint = fragment === undefined ? '?' : `#${fragment}?`
  const replaced = Object.entries(fieldsOf(template['authorization_url_replacements'])).reduce(
    (text, [from, to]) => text.replace(from, () => String(to)),
    `${url?.origin}${url?.pathname}${joint}${query}`,
  )
  const found = pairsOf(replaced.slice(replaced.indexOf('?') + 1))
  return new Map(names.map((name, index) => [name, found[index]?.name ?? name]))
}

/** Judges the query of an authorization request by everything that the template says of it. */
export function judgeRequest(stage: Stage, query: string): Judged {
  const { template, issued } = stage.part
  const names = namesAfterReplacement(stage)
  const pairs = pairsOf(query)
  const called = (name: string): string => names.get(name) ?? name
  const pair = (name: string): Pair | undefined => pairs.find((one) => one.name === called(name))
  const repeated = [...names.values()].filter((name) => pairs.filter((one) => one.name === name).length > 1)
  if (repeated.length > 0) return { here: `It has ${repeated.join(' and ')} more than once.` }
  const client = pair('client_id')?.value
  if (client === undefined) return { here: `It has no ${called('client_id')}.` }
  if (client !== issued.clientId) return { here: `Its ${called('client_id')} is not the client “${issued.clientId}”.` }
  const redirectUri = pair('redirect_uri')?.value
  if (!redirectUri) return { here: `It has no ${called('redirect_uri')}.` }
  const flaw = redirectUriFlaw(redirectUri)
  if (flaw !== undefined) return { here: `${redirectUri}: ${flaw}` }
  const state = pair('state')?.value
  const flaws = [
    ...(state ? [] : [`there is no ${called('state')}`]),
    ...parameterFlaws(stage, pair, called),
    ...pkceFlaws(stage, pair),
    ...(template['authorization_url_skip_empty'] === true
      ? pairs.filter(({ value }) => value === '').map(({ name }) => `${name} is empty, and should not be there`)
      : []),
  ]
  const scope = readScope(stage, pair('scope'))
  if ('flaw' in scope) flaws.push(scope.flaw)
  if (flaws.length > 0 || 'flaw' in scope || !state) {
    const error = flaws.length === 1 && 'flaw' in scope ? 'invalid_scope' : 'invalid_request'
    return { there: `${flaws.join('; ')}.`, error, redirectUri, state }
  }
  const params = Object.fromEntries(pairs.map(({ name, value }) => [name, value]))
  const sent = pair('code_challenge')?.value
  const challenge = sent === undefined ? undefined : inBase64(stage, sent)
  return { asked: { redirectUri, state, scopes: scope.scopes, challenge, params } }
}

type Find = (name: string) => Pair | undefined

/** `response_type` and the template's own parameters. */
function parameterFlaws(stage: Stage, pair: Find, called: (name: string) => string): readonly string[] {
  const { template, variants } = stage.part
  // Who asks for an ID token brings a nonce of their own (OpenID Connect Core §3.1.2.1).
  const isOpenId = (pair('scope')?.value ?? '').split(/[ ,+]/).includes('openid')
  const isFresh = isOpenId && Boolean(pair('nonce')?.value)
  const { nonce: _, ...less } = fieldsOf(template['authorization_params'])
  const own = isFresh ? less : fieldsOf(template['authorization_params'])
  const expected = Object.fromEntries(
    Object.entries({ response_type: 'code', ...own }).filter(([name]) => called(name) !== ''),
  )
  const sent = Object.fromEntries(
    Object.keys(expected).flatMap((name) => {
      const found = pair(name)
      return found === undefined ? [] : [[name, found.value]]
    }),
  )
  const { demands, flaws } = paramDemands(expected, sent, { typed: false, hasAlternatives: true })
  const renamed = demands.map((demand): Demand => {
    const name = demand.what.replace('the parameter ', '')
    return { ...demand, what: `the parameter ${called(name)}` }
  })
  return [...flaws, ...flawsOf(renamed, variants, stage.provider.now())]
}

/** RFC 7636 §4.3, which a template can turn off. */
function pkceFlaws(stage: Stage, pair: Find): readonly string[] {
  const challenge = pair('code_challenge')?.value
  const method = pair('code_challenge_method')?.value
  if (challenge === undefined) {
    if (method !== undefined) return ['there is a code_challenge_method but no code_challenge']
    const isFree = stage.part.template['disable_pkce'] === true || stage.part.pkce !== undefined
    return isFree ? [] : ['there is no code_challenge']
  }
  return [
    ...(method === 'S256' ? [] : ['code_challenge_method is not S256']),
    ...(/^[\w-]{43}$/.test(inBase64(stage, challenge)) ? [] : ['code_challenge is no SHA-256 digest in base64url']),
  ]
}

/** A challenge as RFC 7636 writes it. */
function inBase64({ part }: Stage, challenge: string): string {
  const isHex = part.pkce === 'hex' && /^[0-9a-f]{64}$/.test(challenge)
  return isHex ? Buffer.from(challenge, 'hex').toString('base64url') : challenge
}

/** The scopes asked for, cut where this provider cuts them. */
function readScope(
  stage: Stage,
  pair: Pair | undefined,
): { readonly scopes: readonly string[] } | { readonly flaw: string } {
  const { template, scopes } = stage.part
  const separator = textOf(template['scope_separator']) ?? ' '
  const isFixed = scalarText(fieldsOf(template['authorization_params'])['scope']) !== undefined
  const isRaw = textsOf(template['authorization_url_skip_encode']).includes('scopes')
  if (isRaw && pair !== undefined && /%/.test(pair.raw)) return { flaw: 'scope is encoded, and should stand as it is' }
  const text = (isRaw ? pair?.raw : pair?.value) ?? ''
  if (!isFixed && scopes !== undefined && text !== scopes.join(separator)) {
    return { flaw: `scope is not "${scopes.join(separator)}"` }
  }
  return { scopes: [...new Set(text.split(separator).map((one) => one.trim()))].filter(Boolean) }
}
