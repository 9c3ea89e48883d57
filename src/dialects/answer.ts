import type { Remark, TokenAnswer } from '../model/dialect.ts'
import { standardNames } from './names.ts'

type Members = Record<string, unknown>

/**
 * A token answer of any shape met in the wild, re-worded as RFC 6749 §5 wants it; each deviation is remarked on. What
 * cannot be understood is returned as it came.
 */
export function normalise(
  answer: TokenAnswer,
  alternatePath: string | undefined,
  scopeSeparator: string,
  remark: Remark,
): TokenAnswer {
  const read = readMembers(answer, remark)
  if (read === undefined) return answer
  let members = read
  if (!hasToken(members) && alternatePath !== undefined) {
    const nested = at(members, alternatePath)
    if (typeof nested === 'string' && nested !== '') {
      remark(`the access token stands under "${alternatePath}"`)
      members = { ...besideToken(members, alternatePath), ...members, access_token: nested }
    } else if (isMembers(nested) && hasToken(nested)) {
      remark(`the tokens stand under "${alternatePath}"`)
      members = { ...members, ...nested }
    }
  }
  if (!hasToken(members) && answer.status >= 200 && answer.status <= 299) {
    members = refusalIn(members, answer.status) === undefined ? standardNames(members, remark) : members
  }
  if (!hasToken(members)) {
    const refusal = refusalIn(members, answer.status)
    if (refusal === undefined) return { ...answer, json: members }
    if (answer.status < 400 || answer.status > 499) {
      remark(`an error answered with status ${answer.status}; RFC 6749 §5.2 wants 400`)
    }
    const status = answer.status >= 400 && answer.status <= 499 ? answer.status : 400
    return { status, headers: withoutChallenge(answer), text: answer.text, json: refusal }
  }
  if (answer.status < 200 || answer.status > 299) return { ...answer, json: members }
  if (answer.status !== 200) remark(`tokens answered with status ${answer.status}; RFC 6749 §5.1 wants 200`)
  return { ...answer, status: 200, json: standardTokens(standardNames(members, remark), scopeSeparator, remark) }
}

/** What tells of a nested token stands beside it: without this a refresh token would be lost. */
function besideToken(members: Members, path: string): Members {
  const around = at(members, path.split('.').slice(0, -1).join('.'))
  if (!isMembers(around)) return {}
  const names = ['token_type', 'refresh_token', 'expires_in', 'expires_at', 'scope', 'id_token']
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
  const looksLikeForm = /^[\w.~%+-]+=[^<>{}"\s]*$/.test(text) && /(^|&)(access_token|error|oauth_token)=/.test(text)
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
function standardTokens(members: Members, scopeSeparator: string, remark: Remark): Members {
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
  standardLifetime(tokens, remark)
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

/** Seconds; a hundred years. What is said to live longer has no expiry that anybody knows. */
const longestLife = 3_155_760_000
/** The last instant of the year 9999, in milliseconds since the epoch: ISO 8601 has four digits for a year. */
const lastInstant = 253_402_300_799_999

/** `expires_in` in seconds, from `expires_in` or `expires_at` in any of their spellings; dropped when not understood. */
function standardLifetime(tokens: Members, remark: Remark): void {
  const given = tokens['expires_in']
  if (given !== undefined) {
    const seconds = typeof given === 'string' ? secondsIn(given) : given
    if (typeof seconds === 'number' && seconds >= 0 && seconds <= longestLife) {
      if (typeof given === 'string') remark('"expires_in" is a text')
      tokens['expires_in'] = seconds
    } else {
      remark(`"expires_in" is not a number of seconds`)
      delete tokens['expires_in']
      if (typeof given === 'string' && isDate(given)) tokens['expires_at'] ??= given
    }
  }
  const until = tokens['expires_at']
  if (tokens['expires_in'] !== undefined || until === undefined) return
  remark('"expires_at" instead of "expires_in"')
  const left = typeof until === 'string' ? daysHoursMinutes(until) : undefined
  const instant = left === undefined ? instantOf(until) : undefined
  if (left !== undefined) {
    remark('"expires_at" tells how long, in days, hours and minutes')
    tokens['expires_in'] = left
  }
  if (instant === undefined) delete tokens['expires_at']
  else tokens['expires_at'] = new Date(instant).toISOString()
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** `3600`, `3600 seconds`, `60 min`, `1h`, `7 days`; undefined for anything else. */
function secondsIn(text: string): number | undefined {
  const [, amount, unit = 's'] =
    /^\s*(\d+(?:\.\d+)?)\s*(s|m|h|d)?(?:ec(?:ond)?s?|in(?:ute)?s?|(?:ou)?rs?|ays?)?\s*$/i.exec(text) ?? []
  return amount === undefined ? undefined : Number(amount) * (unitSeconds[unit.toLowerCase()] ?? 1)
}

function isDate(text: string): boolean {
  return /^\d{4}-\d\d-\d\d/.test(text.trim())
}

/** `D:HH:MM` in seconds. */
function daysHoursMinutes(text: string): number | undefined {
  const [, days, hours, minutes] = /^\s*(\d{1,5}):(\d{1,2}):(\d{2})\s*$/.exec(text) ?? []
  if (days === undefined || hours === undefined || minutes === undefined) return undefined
  return Number(days) * 86_400 + Number(hours) * 3600 + Number(minutes) * 60
}

/** Milliseconds since the epoch from `expires_at` as seconds, milliseconds, ISO 8601 or a numeric text. */
export function instantOf(value: unknown): number | undefined {
  if (typeof value === 'number') {
    const instant = value > 100_000_000_000 ? value : value * 1000
    return instant > 0 && instant <= lastInstant ? instant : undefined
  }
  if (typeof value !== 'string' || value.trim() === '') return undefined
  if (/^\d+(\.\d+)?$/.test(value.trim())) return instantOf(Number(value))
  const parsed = Date.parse(value)
  return Number.isNaN(parsed) ? undefined : parsed
}

/** A challenge beside an OAuth error would hide the error from the protocol library. */
function withoutChallenge(answer: TokenAnswer): TokenAnswer['headers'] {
  return answer.headers.filter(
    ([name, value]) => name.toLowerCase() !== 'www-authenticate' || /use_dpop_nonce/.test(value),
  )
}

export function at(value: unknown, path: string): unknown {
  if (isMembers(value) && Object.hasOwn(value, path)) return value[path]
  return path
    .split('.')
    .reduce<unknown>((found, key) => (isMembers(found) && Object.hasOwn(found, key) ? found[key] : undefined), value)
}

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
