import { at, isMembers } from '../answers/member.ts'
import type { Remark, TokenAnswer } from '../model/dialect.ts'
import { lifetimeNames, standardLifetime } from './lifetime.ts'
import { standardNames } from './names.ts'

type Members = Record<string, unknown>

/** What a token answer may be beside what RFC 6749 §5.1 says. */
export interface Leeway {
  /** Where the token, or the members around it, may stand instead; the first that has it. */
  readonly places?: readonly string[] | undefined
  /** True where the whole body may be the token. */
  readonly bare?: boolean | undefined
  /** What `expires_in` counts; seconds unless the template says so. */
  readonly unit?: 'milliseconds' | undefined
}

/**
 * A token answer of any shape met in the wild, re-worded as RFC 6749 §5 wants it; each deviation is remarked on. What
 * cannot be understood is returned as it came.
 */
export function normalise(
  answer: TokenAnswer,
  alternatePath: string | undefined,
  scopeSeparator: string,
  remark: Remark,
  { places = [], bare = false, unit }: Leeway = {},
): TokenAnswer {
  const read = readMembers(answer, remark) ?? (bare ? bareToken(answer, remark) : undefined)
  if (read === undefined) return answer
  const all = alternatePath === undefined ? places : [alternatePath, ...places]
  const told = all.reduce((found, path) => (hasToken(found) ? found : withTokenAt(found, path, remark)), read)
  const isGood = answer.status >= 200 && answer.status <= 299
  const isRefusal = !hasToken(told) && refusalIn(told, answer.status) !== undefined
  const members = isGood && !isRefusal ? standardNames(told, remark) : told
  if (!hasToken(members)) {
    const refusal = refusalIn(members, answer.status)
    if (refusal === undefined) return { ...answer, json: members }
    if (answer.status < 400 || answer.status > 499) {
      remark(`an error answered with status ${answer.status}; RFC 6749 §5.2 wants 400`)
    }
    const status = answer.status >= 400 && answer.status <= 499 ? answer.status : 400
    return { status, headers: withoutChallenge(answer), text: answer.text, json: refusal }
  }
  if (!isGood) return { ...answer, json: members }
  if (answer.status !== 200) remark(`tokens answered with status ${answer.status}; RFC 6749 §5.1 wants 200`)
  return { ...answer, status: 200, json: standardTokens(members, scopeSeparator, unit, remark) }
}

function withTokenAt(members: Members, path: string, remark: Remark): Members {
  const nested = at(members, path)
  if ((typeof nested === 'string' && nested !== '') || typeof nested === 'number') {
    remark(`the access token stands under "${path}"`)
    return { ...besideToken(members, path), ...members, access_token: nested }
  }
  if (!isMembers(nested) || !hasToken(nested)) return members
  remark(`the tokens stand under "${path}"`)
  return { ...members, ...nested }
}

/** A body that is nothing but the token: a JSON text, or one word. */
function bareToken({ status, text }: TokenAnswer, remark: Remark): Members | undefined {
  const word = text.trim()
  const json = parseJson(word)
  const token = typeof json === 'string' ? json : json === undefined ? word : ''
  if (status < 200 || status > 299 || !/^[\w.~+/=-]{16,}$/.test(token)) return undefined
  remark('the whole answer is the token')
  return { access_token: token }
}

/** What tells of a nested token stands beside it: without this a refresh token would be lost. */
function besideToken(members: Members, path: string): Members {
  const around = at(members, path.split('.').slice(0, -1).join('.'))
  if (!isMembers(around)) return {}
  const names = ['token_type', 'refresh_token', 'scope', 'id_token', ...lifetimeNames]
  return Object.fromEntries(names.flatMap((name) => (Object.hasOwn(around, name) ? [[name, around[name]]] : [])))
}

function readMembers(answer: TokenAnswer, remark: Remark): Members | undefined {
  if (isMembers(answer.json)) return answer.json
  // A byte order mark counts as white space.
  const text = answer.text.trim()
  const type = answer.headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? ''
  const json = parseJson(text)
  if (isMembers(json)) {
    if (answer.text.startsWith('\uFEFF')) remark('a byte order mark before the JSON')
    if (!/^application\/([\w.+-]+\+)?json\b/i.test(type)) remark(`JSON labelled "${type === '' ? 'nothing' : type}"`)
    return json
  }
  const looksLikeForm =
    /^[\w.~%+-]+=[^<>{}"\s]*$/.test(text) && /(^|&)(access_token|token|jwt|error|oauth_token)=/.test(text)
  if (!looksLikeForm) return undefined
  remark('a form-encoded answer; RFC 6749 §5.1 wants JSON')
  return Object.fromEntries(new URLSearchParams(text))
}

function hasToken(members: Members): boolean {
  const token = members['access_token']
  return (typeof token === 'string' && token !== '') || typeof token === 'number'
}

/** RFC 6749 §5.2 from whatever a provider calls its refusal; undefined when the answer is no refusal. */
function refusalIn(members: Members, status: number): Members | undefined {
  const error = members['error'] ?? members['error_code'] ?? members['errorCode']
  const nested = isMembers(error) ? error : undefined
  const failed = status >= 400 || members['ok'] === false || members['success'] === false
  const code = nested === undefined ? error : (nested['code'] ?? nested['type'] ?? nested['error'] ?? nested['status'])
  if ((error === undefined || error === null || error === '' || error === false) && !failed) return undefined
  const source = nested ?? members
  const words = [
    'error_description',
    'message',
    'error_message',
    'detail',
    'details',
    'reason',
    'description',
    'error_reason',
    'errorMessage',
  ]
    .map((name) => source[name] ?? members[name])
    .find((value) => typeof value === 'string' && value !== '')
  const name =
    typeof code === 'string' && code !== '' ? code : typeof code === 'number' ? String(code) : `http_${status}`
  const uri = source['error_uri'] ?? members['error_uri']
  return {
    error: name,
    ...(typeof words === 'string' ? { error_description: words } : {}),
    ...(typeof uri === 'string' ? { error_uri: uri } : {}),
  }
}

/** RFC 6749 §5.1, types put right and empty members dropped. */
function standardTokens(members: Members, scopeSeparator: string, unit: Leeway['unit'], remark: Remark): Members {
  const tokens: Members = { ...members }
  for (const name of ['refresh_token', 'id_token', 'scope', 'expires_in', 'token_type']) {
    const value = tokens[name]
    if (value === null || (value === '' && name !== 'scope')) {
      remark(`an empty "${name}"`)
      delete tokens[name]
    }
  }
  for (const name of ['access_token', 'refresh_token']) {
    if (typeof tokens[name] === 'number') {
      remark(`"${name}" is a number`)
      tokens[name] = String(tokens[name])
    }
  }
  if (tokens['token_type'] === undefined) {
    remark('no "token_type"; taken as Bearer')
    tokens['token_type'] = 'bearer'
  } else if (typeof tokens['token_type'] === 'string' && bearerByAnotherName.test(tokens['token_type'])) {
    remark(`a Bearer token is called "${tokens['token_type']}"`)
    tokens['token_type'] = 'bearer'
  }
  standardScope(tokens, scopeSeparator, remark)
  standardLifetime(tokens, unit, remark)
  return tokens
}

/** What providers say who mean Bearer. Any other type stays what it is, and is refused (RFC 6749 §7.1). */
const bearerByAnotherName = /^(user|bot|bearer[ _-]?token)$/i

function standardScope(tokens: Members, separator: string, remark: Remark): void {
  const scope = tokens['scope']
  if (Array.isArray(scope)) {
    remark('"scope" is a list')
    tokens['scope'] = scope.map(String).join(' ')
  } else if (typeof scope === 'string' && separator.trim() === ',' && scope.includes(',')) {
    tokens['scope'] = scope
      .split(',')
      .map((part) => part.trim())
      .join(' ')
  } else if (typeof scope === 'string' && scope.includes(',') && !scope.includes(' ')) {
    remark('"scope" is separated by commas')
    tokens['scope'] = scope.split(',').join(' ')
  } else if (scope !== undefined && typeof scope !== 'string') {
    remark('"scope" is neither a text nor a list')
    delete tokens['scope']
  }
}

/** A challenge beside an OAuth error would hide the error from the protocol library. */
function withoutChallenge(answer: TokenAnswer): TokenAnswer['headers'] {
  return answer.headers.filter(
    ([name, value]) => name.toLowerCase() !== 'www-authenticate' || /use_dpop_nonce/.test(value),
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
