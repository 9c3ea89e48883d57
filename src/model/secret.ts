/**
 * What a run must keep to itself. Every secret is learned when it is born; from then on `scrub` finds it in any text,
 * raw or encoded, and puts its mask there.
 */
export interface Secrets {
  /** `gho_…(9f2c)`: four hex digits of an HMAC under this home's key; a short prefix only from 24 characters on. */
  mask(value: string): string
  /** Returns the value, so that it can stand where the secret is born. */
  learn(value: string): string
  /** The text with every learned secret masked, however it is spelled there; see `replacer`. */
  scrub(text: string): string
  /**
   * Another such keeper with the same masks, that has learned nothing yet: for one of many things done in a run that have
   * no secret in common, since every text costs as much as there are secrets to look for.
   */
  apart(): Secrets
}

/**
 * Whether a parameter, header or JSON member of that name holds a secret, whatever its spelling: `access_token`,
 * `clientSecret`, `X-Api-Key`, but not `token_type` or `expires_in`.
 */
export function isSecretName(name: string): boolean {
  const judged = verdicts.get(name)
  if (judged !== undefined) return judged
  const verdict = soundsSecret(name)
  verdicts.set(name, verdict)
  return verdict
}

/** A list of a thousand connections asks about the same few names again and again. */
const verdicts = new Map<string, boolean>()

function soundsSecret(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
  const last = words.at(-1) ?? ''
  const lastTwo = words.slice(-2).join('_')
  return (
    secretWords.has(last) ||
    /(?:token|secret|password|passwd|apikey|privatekey|accesskey|secretkey|cookie|assertion)$/.test(last) ||
    secretPairs.has(lastTwo) ||
    (last === 'code' && (words.length === 1 || codeOwners.has(words.at(-2) ?? ''))) ||
    words.includes('webhook')
  )
}

const secretWords = new Set(
  `token tokens accesstoken refreshtoken idtoken authtoken secret secrets clientsecret password passwords passwd pwd passphrase
  passcode pin otp assertion cookie cookies jwt jwts bearer credential credentials verifier signature apikey authorization
  session sid key keys pass sig hmac`.split(/\s+/),
)
const secretPairs = new Set(['session_id', 'token_id', 'token_value', 'secret_value', 'request_uri'])
const codeOwners = new Set([
  'auth',
  'authorization',
  'device',
  'user',
  'access',
  'recovery',
  'backup',
  'security',
  'oauth',
])

/** Below this a value is too common a word to be looked for in text; it is still masked by its place. */
const shortestSearched = 4
/** Below this a value is looked for only where it stands alone. */
const shortestAnywhere = 8
/** From here on a value is looked for in its plain spellings: as a pattern, a few of this length are too large to compile. */
const shortestLong = 512

/** `hmac`: hex digits that tell one value from another, under a key of this home: one secret wears one mask across runs. */
/** From here on a line of a key's body tells something of the key. */
const shortestLine = 24

/**
 * A key in PEM as it may be spelled elsewhere: its line breaks real, spelled `\n`, blanks or none; its body alone, and each
 * line of that.
 */
export function spellingsOfKey(value: string): readonly string[] {
  const text = value.replaceAll('\\r', '').replaceAll('\\n', '\n').replaceAll('\r', '')
  const [, body = ''] = /-----BEGIN [A-Z0-9 ]+-----([A-Za-z0-9+/=\s]+)-----END [A-Z0-9 ]+-----/.exec(text) ?? []
  const letters = body.replace(/\s+/g, '')
  if (letters === '') return []
  const lines = letters.match(/.{1,64}/g) ?? []
  const whole = text.trim()
  return [
    whole,
    ...['\\n', '\r\n', ' ', ''].map((end) => whole.replaceAll('\n', end)),
    letters,
    ...lines.filter((line) => line.length >= shortestLine),
  ]
}

export function secretsUnder(hmac: (value: string) => string): Secrets {
  const known = new Map<string, string>()
  // Letters of base64 have few spellings, and a key has many lines: they are looked for as they are.
  const ofKeys = new Map<string, string>()
  let replace: ((text: string) => string) | undefined
  const mask = (value: string): string => {
    if (value === '') return ''
    const id = hmac(value).slice(0, 4)
    const prefix = value.length >= 24 ? plain(value.slice(0, 4)) : ''
    return `${prefix}…(${id})`
  }
  return {
    mask,
    learn(value) {
      if (value.length >= shortestSearched && !known.has(value)) {
        known.set(value, mask(value))
        for (const spelling of spellingsOfKey(value)) ofKeys.set(spelling, mask(value))
        replace = undefined
      }
      return value
    },
    scrub(text) {
      replace ??= joined(replacer(known), keyReplacer(ofKeys))
      return replace(text)
    },
    apart: () => secretsUnder(hmac),
  }
}

function joined(first: (text: string) => string, then: (text: string) => string): (text: string) => string {
  return (text) => then(first(text))
}

/** As they are, percent-encoded, and as JSON has their slashes and line breaks; the longest first. */
function keyReplacer(shown: ReadonlyMap<string, string>): (text: string) => string {
  const forms = [...shown]
    .flatMap(([value, mask]) => plainSpellings(value).map((form): readonly [string, string] => [form, mask]))
    .sort(([a], [b]) => b.length - a.length)
  return (text) =>
    forms.reduce((rest, [form, mask]) => (rest.includes(form) ? rest.replaceAll(form, () => mask) : rest), text)
}

/**
 * Puts what is to be shown in the place of each value, however it is spelled there: percent-encoded, form-encoded,
 * JSON-escaped, escaped for HTML, each also twice over and mixed as every language does it, base64 and base64url, alone
 * or in the middle of something longer (a Basic header).
 */
export function replacer(shown: ReadonlyMap<string, string>): (text: string) => string {
  const all = [...shown.keys()].sort((a, b) => b.length - a.length)
  const long = all.filter((value) => value.length >= shortestLong)
  const values = all.slice(long.length)
  const plainly = long.flatMap((value) => plainSpellings(value).map((form) => [form, shown.get(value) ?? '…'] as const))
  const withoutLong = (text: string) => plainly.reduce((rest, [form, mask]) => rest.replaceAll(form, () => mask), text)
  if (values.length === 0) return withoutLong
  const finder = new RegExp(values.map((value) => `(${spellings(value).join('|')})`).join('|'), 'g')
  return (text) =>
    withoutLong(text).replace(finder, (_, ...groups: unknown[]) => {
      const value = values[groups.findIndex((group) => group !== undefined)]
      return shown.get(value ?? '') ?? '…'
    })
}

/** How a long value is most likely spelled: as it is, percent- and form-encoded, JSON-escaped, in base64. */
function plainSpellings(value: string): string[] {
  const bytes = Buffer.from(value, 'utf8')
  if (bytes.toString('utf8') !== value) return [value]
  const percent = encodeURIComponent(value)
  const form = new URLSearchParams({ v: value }).toString().slice(2)
  const json = JSON.stringify(value).slice(1, -1)
  const padded = bytes.toString('base64')
  const base64 = [padded, padded.replace(/=+$/, ''), bytes.toString('base64url')]
  return [...new Set([value, percent, form, json, json.replaceAll('/', '\\/'), ...base64])]
}

/** Quick, and wrong on one side only: false where no spelling of the value can stand in the text. */
export function mayHold(text: string, value: string): boolean {
  const bytes = Buffer.from(value, 'utf8')
  return [value, bytes.toString('base64url'), ...inLongerBase64(bytes)].some((form) => {
    const longest = form.split(/[^A-Za-z0-9]+/).reduce((best, run) => (run.length > best.length ? run : best))
    return longest.length < shortestSearched || text.includes(longest)
  })
}

/** Patterns of a value as it may stand in a URL, a header, a form, a JSON text or a page. */
function spellings(value: string): string[] {
  const bytes = Buffer.from(value, 'utf8')
  if (bytes.toString('utf8') !== value) return [escapeRegExp(value)]
  const whole = { text: bytes.toString('base64url'), end: '(?:=|%(?:25)*3[dD]){0,2}' }
  const forms = [{ text: value, end: '' }, whole, ...inLongerBase64(bytes).map((text) => ({ text, end: '' }))]
  return forms.map(({ text, end }, index) => {
    const pattern = [...text].map(index === 0 ? spelled : spelledBase64).join('') + end
    return text.length < shortestAnywhere ? `(?<![\\w-])${pattern}(?![\\w-])` : pattern
  })
}

/** The letters of base64url that these bytes alone decide, wherever they begin in a longer text. */
function inLongerBase64(bytes: Buffer): string[] {
  return [0, 1, 2]
    .map((before) => {
      const length = before + bytes.length
      const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64url')
      return text.slice(Math.ceil((before * 8) / 6), Math.floor((length * 8) / 6))
    })
    .filter((text) => text.length >= shortestAnywhere)
}

function spelledBase64(letter: string): string {
  if (letter === '-') return `(?:-|${spelled('+')})`
  return letter === '_' ? `(?:_|${spelled('/')})` : letter
}

/** A pattern for one character: letters and digits as they are, anything else in all its escapes. */
function spelled(character: string): string {
  if (/[A-Za-z0-9_.-]/.test(character)) return escapeRegExp(character)
  const utf8 = Buffer.from(character, 'utf8')
  const percent = [...utf8].map((byte) => `%(?:25)*${anyCase(byte.toString(16).padStart(2, '0'))}`).join('')
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at).toString(16))
  const escapes = units.map(
    (unit) => `\\\\{1,8}(?:u${anyCase(unit.padStart(4, '0'))}|x${anyCase(unit.padStart(2, '0'))})`,
  )
  const raw = character === '\\' ? '\\\\{1,8}' : `\\\\{0,8}${escapeRegExp(character)}`
  // A header is read as Latin-1, whatever was meant.
  const misread = utf8.length > 1 ? [escapeRegExp(utf8.toString('latin1'))] : []
  const space = character === ' ' ? ['\\+'] : []
  const entity = '&(?:amp;){0,3}#?\\w{1,32};'
  return `(?:${[percent, escapes.join(''), entity, ...misread, ...space, raw].join('|')})`
}

function anyCase(hex: string): string {
  return hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`)
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
}

/** A prefix is shown only where it is plain ASCII, so that it can stand in a terminal line. */
function plain(prefix: string): string {
  return /^[\x21-\x7e]+$/.test(prefix) ? prefix : ''
}
