import { createHash, timingSafeEqual } from 'node:crypto'
import type { StrayReason } from '../model/event.ts'

/** What the answer to our authorization request must carry to be ours. */
export interface Expectation {
  readonly state: string
  /** The issuer identifier, only where it is the provider's real one: `iss` is compared with it (RFC 9207 §2.4). */
  readonly issuer?: string | undefined
  /** True where the provider's metadata promises `iss` in every answer: an answer without one is not theirs. */
  readonly issRequired?: boolean | undefined
  /** Name of the parameter that brings the code; `code` unless the template says otherwise. */
  readonly codeParam?: string | undefined
}

/** What a callback turned out to be. Only `stray` leaves the wait going. */
export type Verdict =
  | { readonly kind: 'code'; readonly code: string }
  | Denial
  /** Our state, yet nothing to go on with. */
  | { readonly kind: 'unusable'; readonly why: 'no code' | 'code repeated'; readonly detail: string }
  | Stray

/** The provider's own words, under our state (RFC 6749 §4.1.2.1). All of it is text from outside. */
export interface Denial {
  readonly kind: 'denial'
  readonly error: string
  readonly description?: string | undefined
  readonly uri?: string | undefined
  /** `error_reason` and `error_message`, which some providers send besides or instead. */
  readonly reason?: string | undefined
  readonly message?: string | undefined
}

export interface Stray {
  readonly kind: 'stray'
  readonly reason: StrayReason
  /** What exactly is wrong; never the state that we expect, outside text in it quoted as JSON. */
  readonly detail?: string | undefined
}

/** Longest piece of outside text that a detail quotes, in UTF-16 units. */
const longestQuote = 200

/**
 * Decides whether parameters, brought by a browser or pasted by a person, answer our request. The state is compared
 * first and in constant time, then the issuer by simple string comparison (RFC 9207 §2.4), and only then is anything
 * else believed, a denial included.
 */
export function judge(params: URLSearchParams, expected: Expectation): Verdict {
  return strayState(params, expected.state) ?? strayIssuer(params, expected) ?? outcome(params, expected)
}

function strayState(params: URLSearchParams, expected: string): Stray | undefined {
  const states = params.getAll('state')
  if ([...params.keys()].length === 0) return stray('no parameters')
  if (states.length > 1) return stray('state repeated')
  const [state] = states
  // RFC 6749 §3.1: a parameter without a value counts as left out.
  if (state === undefined || state === '') return stray('state missing', claimedError(params))
  if (!sameText(state, expected)) return stray('state mismatch', claimedError(params))
  return undefined
}

function strayIssuer(params: URLSearchParams, { issuer, issRequired }: Expectation): Stray | undefined {
  const issuers = params.getAll('iss')
  const [iss] = issuers
  if (issuers.length > 1) return stray('issuer mismatch', 'iss is there more than once')
  if (iss === undefined) return issRequired ? stray('issuer missing') : undefined
  if (issuer === undefined || iss === issuer) return undefined
  return stray('issuer mismatch', `iss is ${quote(iss)}, not ${quote(issuer)}`)
}

function outcome(params: URLSearchParams, { codeParam = 'code' }: Expectation): Verdict {
  const value = (name: string) => params.get(name) || undefined
  const error = params.getAll('error').find((candidate) => candidate !== '')
  if (error !== undefined) {
    return {
      kind: 'denial',
      error,
      description: value('error_description'),
      uri: value('error_uri'),
      reason: value('error_reason'),
      message: value('error_message'),
    }
  }
  const [code, ...more] = params.getAll(codeParam)
  if (more.length > 0) return { kind: 'unusable', why: 'code repeated', detail: `${codeParam} is there more than once` }
  if (code) return { kind: 'code', code }
  const detail = code === '' ? `${codeParam} is empty` : `neither ${codeParam} nor error is there`
  return { kind: 'unusable', why: 'no code', detail }
}

/** Some servers drop the state when they refuse: worth telling, though nothing proves that it is theirs. */
function claimedError(params: URLSearchParams): string | undefined {
  const error = params.get('error')
  if (!error) return installationWithoutUs(params)
  const description = params.get('error_description')
  return `it claims the error ${quote(error)}` + (description ? `: ${quote(description)}` : '')
}

/** GitHub sends whoever installs an app on its own pages to the same address, without a state of ours. */
function installationWithoutUs(params: URLSearchParams): string | undefined {
  if (!params.has('installation_id') || !params.has('setup_action')) return undefined
  return 'an installation that was begun on the provider’s own page, not from here'
}

function stray(reason: StrayReason, detail?: string): Stray {
  return { kind: 'stray', reason, detail }
}

/** Equal without telling by its duration how much was; the hashes make the lengths equal. */
export function sameText(one: string, other: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(one), hash(other))
}

function quote(text: string): string {
  return JSON.stringify(text.length > longestQuote ? `${text.slice(0, longestQuote)}…` : text)
}

/** What a person pasted while we listen. */
export type Pasted =
  /** A callback URL or its parameters: judge them like those of a visit. */
  | { readonly kind: 'params'; readonly params: URLSearchParams }
  /** Proves nothing about whose it is: acceptable only where PKCE ties it to this attempt. */
  | { readonly kind: 'bare code'; readonly code: string }
  /** `why`: a sentence for the person that quotes nothing of what was pasted. */
  | { readonly kind: 'junk'; readonly why: string }

/** Longest paste that is looked at, in UTF-16 units. */
const longestPaste = 65_536

/**
 * Reads a paste: a callback URL (with or without its scheme, answer in the query or in the fragment), only its
 * parameters (known by one of `answers`), or a bare code (percent-decoded, because it was most likely cut out of an address).
 */
export function readPaste(text: string, answers: string | readonly string[] = 'code'): Pasted {
  const paste = unwrap(text)
  if (paste === '') return junk('Nothing was pasted.')
  if (paste.length > longestPaste) return junk('That is too long to be an address or a code.')
  const answer = parametersOf(paste, [answers].flat())
  if (answer !== undefined) return { kind: 'params', params: answer }
  if (looksLikeAddress(paste)) return junk(missingAnswer(paste))
  if (!/^[\x21-\x7e]+$/.test(paste)) return junk('That is neither an address nor a code.')
  return { kind: 'bare code', code: decoded(paste) }
}

function junk(why: string): Pasted {
  return { kind: 'junk', why }
}

/** With a scheme, with a host and port, or with parameters that stand in callbacks. */
function looksLikeAddress(paste: string): boolean {
  return (
    /^([a-z][a-z0-9+.-]*:\/\/|[?#])/i.test(paste) ||
    /^(localhost|[\w.-]+:\d+|\[[0-9a-f:]+\](:\d+)?)(\/|$)/i.test(paste) ||
    /(^|[?&#])(state|iss)=/.test(paste)
  )
}

function missingAnswer(paste: string): string {
  return /[?&](response_type|code_challenge|request_uri)=/.test(paste)
    ? 'That is the address you were sent to; the one you land on afterwards is needed.'
    : 'That address brings neither a code nor an error.'
}

/** Takes off what terminals, chats and shells put around a paste: escape sequences, white space, quotes, brackets. */
function unwrap(text: string): string {
  let inner = text
    .replace(/\x1b\[[0-?]*[ -/]*[@-~]/g, '')
    .replace(/[\x00-\x09\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u2060\ufeff]/g, '')
    .trim()
  // A terminal that wraps a long address puts line breaks into it when it is copied.
  if (!/ /.test(inner)) inner = inner.replace(/[\r\n]+/g, '')
  const pairs = /^(?:"(.*)"|'(.*)'|`(.*)`|<(.*)>|\((.*)\)|“(.*)”|‘(.*)’|«(.*)»)$/s.exec(inner)
  const bare = pairs?.slice(1).find((group) => group !== undefined)
  return bare === undefined ? inner : unwrap(bare)
}

/** The first part of the paste, query before fragment, that holds a code or an error. */
function parametersOf(paste: string, answers: readonly string[]): URLSearchParams | undefined {
  const hash = paste.indexOf('#')
  const beforeHash = hash < 0 ? paste : paste.slice(0, hash)
  const question = beforeHash.indexOf('?')
  const query = question < 0 ? beforeHash : beforeHash.slice(question + 1)
  return [query, hash < 0 ? '' : paste.slice(hash + 1)]
    .map((part) => new URLSearchParams(part))
    .find((params) => [...answers, 'error'].some((name) => params.has(name)))
}

function decoded(code: string): string {
  try {
    return decodeURIComponent(code)
  } catch {
    return code
  }
}
