import { runInNewContext } from 'node:vm'
import type { Prompt } from '../model/provider.ts'
import type { Need } from '../model/world.ts'
import { isPattern } from './pattern.ts'
import { plainTitle } from './title.ts'

/** What to make of an answer: the value to keep, with a word where it deserves one; or what is wrong with it. */
export type Accepted = ReturnType<Need['accept']>

const longestAnswer = 65_536
/** A template's pattern sees at most this many characters; of a key, which is longer, as many as that. */
const longestMatched = 1_024
const longestKey = 16_384
/** Milliseconds that a template's pattern may take; generous, since a busy machine is nobody's fault. */
const patternTime = 2_000

/** Trims and reduces what was typed, then holds it to the question's rules. Nothing typed means the default. */
export function accept(typed: string, prompt: Prompt, flag: string): Accepted {
  const trimmed = typed.trim()
  if (trimmed === '') {
    if (prompt.default_value !== undefined) return { value: prompt.default_value }
    return prompt.optional === true ? { value: '' } : { problem: `${flag} needs a value${exampleOf(prompt)}.` }
  }
  if (trimmed.length > longestAnswer) return { problem: `${flag} is longer than ${longestAnswer} characters.` }
  const isKey = looksLikeKey(trimmed, prompt)
  if (isCut(trimmed))
    return {
      problem: `${flag} is only the first line of a key: give its file, ${flag} file:PATH, or the key on one line.`,
    }
  if (hasControls(trimmed, isKey)) return { problem: `${flag} may not contain control characters.` }
  const reduced = reduce(trimmed, prompt)
  if (reduced === undefined)
    return {
      problem: `${flag} belongs between ${prompt.prefix ?? ''}… and …${prompt.suffix ?? ''}${exampleOf(prompt)}.`,
    }
  if (reduced === '') return { problem: `${flag} needs a value${exampleOf(prompt)}.` }
  const rule = brokenRule(reduced, prompt)
  if (rule !== undefined) return { problem: `${flag} ${rule}${exampleOf(prompt)}.` }
  const shortened = prompt.secret === true ? `${flag} was shortened.` : `Took "${reduced}" from "${trimmed}".`
  const notes = [...(reduced === trimmed ? [] : [shortened]), ...warningFor(reduced, prompt)]
  return notes.length === 0 ? { value: reduced } : { value: reduced, note: notes.join(' ') }
}

/** A key or certificate in PEM; and where a secret is asked for, a JWK, or the base64 of a key on several lines. */
function looksLikeKey(text: string, { secret }: Prompt): boolean {
  if (/-----BEGIN [A-Z0-9 ]+-----[\s\S]*-----END [A-Z0-9 ]+-----/.test(text)) return true
  if (secret !== true) return false
  return /^\{[\s\S]*"kty"[\s\S]*\}$/.test(text) || /^(?:[A-Za-z0-9+/]{20,76}\r?\n)+[A-Za-z0-9+/]+={0,2}$/.test(text)
}

/** What a one-line prompt leaves of a key that was pasted with its lines. */
function isCut(text: string): boolean {
  return /^-----BEGIN [A-Z0-9 ]+-----$/.test(text)
}

function hasControls(text: string, isKey: boolean): boolean {
  return /[\u0000-\u001f\u007f]/.test(isKey ? text.replace(/[\t\r\n]/g, '') : text)
}

/** The key as it was given, and as patterns may want it: its line breaks real, or spelled `\n`, with or without a last one. */
function spellingsOf(key: string): readonly string[] {
  const real = key.replaceAll('\\r', '').replaceAll('\\n', '\n').replaceAll('\r', '').trim()
  const broken = real.includes('\n')
    ? real
    : real.replace(/(-----BEGIN [A-Z0-9 ]+-----)\s*|\s*(-----END)/g, '$1\n$2').trim()
  return [key, ...[real, broken].flatMap((one) => [one, one.replaceAll('\n', '\\n')])].flatMap((one) => [
    one,
    `${one}\n`,
    `${one}\\n`,
  ])
}

function warningFor(value: string, { warnings = {} }: Prompt): readonly string[] {
  const words = Object.hasOwn(warnings, value) ? plainTitle(String(warnings[value])) : ''
  return words === '' ? [] : [words]
}

function exampleOf(prompt: Prompt): string {
  const example = plainTitle(prompt.example ?? '')
  return example === '' ? '' : `, for example ${example}`
}

/**
 * `https://acme.zendesk.com/agent` is `acme` where the template supplies `https://` and `.zendesk.com` around it.
 * Undefined where a whole URL was given that is not one of this provider's.
 */
function reduce(typed: string, { prefix = '', suffix = '', format, example = '' }: Prompt): string | undefined {
  if (format === 'uri') return typed
  const isHostPart = prefix.includes('://') || suffix.startsWith('.') || format === 'hostname'
  if (!isHostPart) return typed
  const scheme = /^https?:\/\//i.exec(typed)?.[0]
  const isUrl = scheme !== undefined
  let rest = typed.slice(scheme?.length ?? 0)
  const lead = prefix.replace(/^[a-z]+:\/\//i, '')
  if (lead !== '' && rest.toLowerCase().startsWith(lead.toLowerCase())) rest = rest.slice(lead.length)
  const tail = suffix.split('/')[0] ?? ''
  const keepsPath = tail === '' && example.replace(/^[a-z]+:\/\//i, '').includes('/')
  const path = rest.search(keepsPath ? /[?#]/ : /[/?#]/)
  // Without a scheme a slash is no URL's; the rules judge it as it is.
  const whole = isUrl && path !== -1 ? rest.slice(0, path) : rest
  const host = example.endsWith('/') ? whole : whole.replace(/\/$/, '')
  if (tail === '') return host
  if (host.toLowerCase().endsWith(tail.toLowerCase()) && host.length > tail.length) return host.slice(0, -tail.length)
  return isUrl ? undefined : host
}

const formats: Readonly<Record<string, readonly [rule: RegExp | ((value: string) => boolean), words: string]>> = {
  hostname: [/^[a-zA-Z0-9.-]+$/, 'must be a host name'],
  uuid: [/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'must be a UUID'],
  uri: [(value) => URL.canParse(value), 'must be a whole URL'],
  email: [/^[^\s@]+@[^\s@]+\.[^\s@]+$/, 'must be an e-mail address'],
}

/** The rule that a value breaks, as the end of a sentence; undefined where it keeps them all. */
function brokenRule(value: string, prompt: Prompt): string | undefined {
  if (prompt.enum && !prompt.enum.includes(value)) return `must be one of ${prompt.enum.map(plainTitle).join(', ')}`
  const format =
    prompt.format !== undefined && Object.hasOwn(formats, prompt.format) ? formats[prompt.format] : undefined
  if (format) {
    const [rule, words] = format
    if (!(rule instanceof RegExp ? rule.test(value) : rule(value))) return words
  }
  const pattern = meantPattern(prompt)
  if (pattern === undefined) return undefined
  if (!looksLikeKey(value, prompt)) return brokenPattern(value, pattern)
  const broken = spellingsOf(value).map((spelling) => brokenPattern(spelling, pattern, longestKey))
  return broken.includes(undefined) ? undefined : broken[0]
}

/**
 * The pattern that an answer is held to. Some are escaped once too often (`\\\\.` for `\\.`): where it refuses its own
 * example, or is no regular expression, and the plainer spelling is and accepts it, that is the one that was meant. One
 * that is none either way is the template's fault, which its check warns of.
 */
export function meantPattern({ pattern, example }: Pick<Prompt, 'pattern' | 'example'>): string | undefined {
  if (pattern === undefined) return undefined
  const spellings = [pattern, pattern.replaceAll('\\\\', '\\')].filter(isPattern)
  const [first] = spellings
  if (example === undefined || spellings.length < 2 || pattern === spellings[1]) return first
  return spellings.find((one) => brokenPattern(example, one) === undefined) ?? first
}

/** Without groups and with one repetition at most, a pattern cannot run away: most are of this kind. */
function isPlain(pattern: string): boolean {
  return !/[(]|\\\d/.test(pattern) && (pattern.match(/[*+?{]/g) ?? []).length <= 1
}

/** A pattern comes from a stranger: unless it is plain, it runs in a context of its own, for a bounded time. */
function brokenPattern(value: string, pattern: string, longest = longestMatched): string | undefined {
  if (value.length > longest) return `may have at most ${longest} characters`
  const shown = plainTitle(pattern)
  if (isPlain(pattern)) return new RegExp(pattern).test(value) ? undefined : `must match ${shown}`
  try {
    const matches: unknown = runInNewContext(
      'new RegExp(pattern).test(value)',
      { pattern, value },
      { timeout: patternTime },
    )
    return matches === true ? undefined : `must match ${shown}`
  } catch {
    return `cannot be checked: the template's pattern ${shown} takes too long`
  }
}
