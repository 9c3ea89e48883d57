/**
 * What a run must keep to itself. Every secret is learned when it is born; from then on `scrub` finds it in any text,
 * raw or encoded, and puts its mask there.
 */
export interface Secrets {
  /** `gho_…(9f2c)`: four hex digits of an HMAC under this home's key; a short prefix only from 24 characters on. */
  mask(value: string): string
  /** Returns the value, so that it can stand where the secret is born. */
  learn(value: string): string
  /** The text with every learned secret masked: raw, percent-encoded, form-encoded, base64, base64url, JSON-escaped. */
  scrub(text: string): string
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
const secretPairs = new Set(['session_id', 'token_value', 'secret_value'])
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

/** `hmac`: hex digits that tell one value from another, under a key of this home: one secret wears one mask across runs. */
export function secretsUnder(hmac: (value: string) => string): Secrets {
  const known = new Map<string, string>()
  let finder: RegExp | undefined
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
        const shown = mask(value)
        for (const form of spellings(value)) if (!known.has(form)) known.set(form, shown)
        finder = undefined
      }
      return value
    },
    scrub(text) {
      if (known.size === 0) return text
      finder ??= new RegExp(
        [...known.keys()]
          .sort((a, b) => b.length - a.length)
          .map((form) =>
            form.length < shortestAnywhere ? `(?<![\\w-])${escapeRegExp(form)}(?![\\w-])` : escapeRegExp(form),
          )
          .join('|'),
        'g',
      )
      return text.replace(finder, (found) => known.get(found) ?? '…')
    },
  }
}

/** How a value may be spelled by the time it stands in a URL, a header, a form or a JSON text. */
export function spellings(value: string): Set<string> {
  const bytes = Buffer.from(value, 'utf8')
  if (bytes.toString('utf8') !== value) return new Set([value])
  const percent = encodeURIComponent(value)
  const strict = percent.replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
  const json = JSON.stringify(value).slice(1, -1)
  const lower = (text: string) => text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())
  const forms = new Set([value, percent, strict, lower(percent), lower(strict), json])
  forms.add(strict.replace(/%20/g, '+'))
  forms.add(percent.replace(/%20/g, '+'))
  forms.add(new URLSearchParams({ v: value }).toString().slice(2))
  forms.add(encodeURIComponent(percent))
  forms.add(bytes.toString('base64'))
  forms.add(bytes.toString('base64').replace(/=+$/, ''))
  forms.add(bytes.toString('base64url'))
  forms.add(encodeURIComponent(bytes.toString('base64')))
  forms.add(json.replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`))
  forms.add(json.replaceAll('/', '\\/'))
  forms.add(escapeHtml(value))
  return forms
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/** A prefix is shown only where it is plain ASCII, so that it can stand in a terminal line. */
function plain(prefix: string): string {
  return /^[\x21-\x7e]+$/.test(prefix) ? prefix : ''
}
