import type { Header } from '../model/event.ts'
import { isSecretName, type Secrets } from '../model/secret.ts'

/** Characters of a body that an event keeps. */
export const bodyCap = 64 * 1024

/** The URL with secret query parameters and fragments masked, and every learned secret scrubbed from the rest. */
export function maskUrl(url: string, secrets: Secrets): string {
  const at = url.search(/[?#]/)
  if (at < 0) return secrets.scrub(url)
  return secrets.scrub(url.slice(0, at)) + url.slice(at).replace(/([?&#])([^=&#]*)=([^&#]*)/g, maskPair(secrets))
}

/** A form-encoded text (`a=b&c=d`), secret members masked. */
export function maskForm(text: string, secrets: Secrets): string {
  return text.replace(/(^|&)([^=&]*)=([^&]*)/g, maskPair(secrets))
}

function maskPair(secrets: Secrets) {
  return (_: string, lead: string, name: string, value: string): string => {
    const plain = decode(value)
    if (isSecretParameter(decode(name))) {
      learn(plain, secrets)
      return `${lead}${name}=${secrets.mask(plain)}`
    }
    return `${lead}${name}=${secrets.scrub(value)}`
  }
}

/** In a URL or a form `state` is a secret too, while its flow lives; in an API's JSON it is a word like any other. */
function isSecretParameter(name: string): boolean {
  return name === 'state' || isSecretName(name)
}

/** Headers with credentials masked; an authentication scheme stays readable. */
export function maskHeaders(headers: readonly Header[], secrets: Secrets): Header[] {
  return headers.map(([name, value]) => [name, maskHeader(name, value, secrets)])
}

function maskHeader(name: string, value: string, secrets: Secrets): string {
  const lower = name.toLowerCase()
  if (lower === 'authorization' || lower === 'proxy-authorization') {
    const [, scheme = '', rest = ''] = /^(\S+\s+)?(.*)$/s.exec(value) ?? []
    return scheme + secrets.mask(learn(rest, secrets))
  }
  if (lower === 'set-cookie') return value.replace(/^([^=;]*)=([^;]*)/, (_, key, v) => `${key}=${secrets.mask(v)}`)
  if (lower === 'cookie') return value.replace(/([^=;\s]+)=([^;]*)/g, (_, key, v) => `${key}=${secrets.mask(v)}`)
  if (lower === 'location') return maskUrl(value, secrets)
  if (lower !== 'www-authenticate' && isSecretName(name)) return secrets.mask(value)
  return secrets.scrub(value)
}

/**
 * A body for showing: JSON and forms by their members' names, anything else by what looks like a secret; learned
 * secrets everywhere. Secrets found by name are learned on the way, so that later texts are scrubbed of them.
 */
export function maskBody(text: string, contentType: string, secrets: Secrets): string {
  const json = parsed(text)
  if (json !== undefined && typeof json === 'object' && json !== null) {
    return cap(JSON.stringify(maskValue(json, secrets)))
  }
  if (/x-www-form-urlencoded/i.test(contentType) || /^[\w.%+~-]+=[^<>\s]*$/.test(text))
    return cap(maskForm(text, secrets))
  return cap(secrets.scrub(maskLookalikes(text, secrets)))
}

/** A JSON value with the members of secret name masked, at any depth; an object under such a name member by member. */
export function maskValue(value: unknown, secrets: Secrets, secret = false): unknown {
  if (typeof value === 'string') {
    if (!secret) return secrets.scrub(value)
    learn(value, secrets)
    return secrets.mask(value)
  }
  if (typeof value === 'number' && secret) return secrets.mask(learn(String(value), secrets))
  if (Array.isArray(value)) return value.map((item) => maskValue(item, secrets, secret))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [
        secrets.scrub(key),
        maskValue(member, secrets, isSecretName(key) || (secret && typeof member !== 'object')),
      ]),
    )
  }
  return value
}

/** A cut-off JSON or HTML text cannot be parsed, yet may hold a token: mask what stands where one would. */
function maskLookalikes(text: string, secrets: Secrets): string {
  return text
    .replace(
      /(["']?)([\w-]{2,60})\1(\s*[:=]\s*)(["'])((?:\\.|(?!\4)[^\\])*)(\4|$)/gs,
      (all, q, name, colon, quote, value, end) =>
        isSecretName(name) ? `${q}${name}${q}${colon}${quote}${secrets.mask(learn(value, secrets))}${end}` : all,
    )
    .replace(/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, (jwt) => secrets.mask(learn(jwt, secrets)))
}

/** What is a secret by its name only may be a common word (`"state":"open"`): too short, it is masked but not searched for. */
function learn(value: string, secrets: Secrets): string {
  return value.length >= 8 ? secrets.learn(value) : value
}

/** Levels of a JSON text that we walk; no answer means more, and more would overflow whoever walks it. */
const deepest = 100

/** Whether a JSON text's brackets stand deeper in each other than we walk; those inside of strings do not count. */
export function isTooDeep(text: string): boolean {
  if (!/^\s*[[{]/.test(text.replace(/^\uFEFF/, ''))) return false
  let depth = 0
  let isQuoted = false
  for (let at = 0; at < text.length && depth <= deepest; at++) {
    const letter = text[at]
    if (letter === '"') isQuoted = !isQuoted
    else if (isQuoted) at += letter === '\\' ? 1 : 0
    else if (letter === '[' || letter === '{') depth += 1
    else if (letter === ']' || letter === '}') depth -= 1
  }
  return depth > deepest
}

function parsed(text: string): unknown {
  if (isTooDeep(text)) return undefined
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch {
    return undefined
  }
}

function cap(text: string): string {
  return text.length > bodyCap ? `${text.slice(0, bodyCap)}…` : text
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}
