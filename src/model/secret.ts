import { createHmac } from 'node:crypto'

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
 * Whether a parameter, header or JSON member of this name holds a secret, whatever its spelling (`access_token`,
 * `accessToken`, `X-Api-Key`). Words about tokens that are not tokens (`token_type`, `expires_in`) are not.
 */
export function isSecretName(name: string): boolean {
  const word = name.toLowerCase().replace(/[^a-z0-9]/g, '')
  if (
    /(type|endpoint|expires?|expiresin|expiresat|expiration|supported|(?<!request)uri|url|method|hint|name)$/.test(word)
  )
    return false
  return (
    /^(code|state|authorization|proxyauthorization|signature|sig|sid|session|sessionid|jwt|key|apikey|cookie|setcookie|pin|otp|pass|pwd|hmac)$/.test(
      word,
    ) ||
    /(token|tokens|secret|password|passwd|passphrase|assertion|apikey|privatekey|accesskey|secretkey|cookie|credential|credentials|verifier|authcode|authorizationcode|oauthcode|devicecode|requesturi)$/.test(
      word,
    ) ||
    /(secret|password)/.test(word)
  )
}

/** Below this a value is too common a word to be looked for in text; it is still masked by its place. */
const shortestSearched = 4
/** Below this a value is looked for only where it stands alone. */
const shortestAnywhere = 8

/** From here on a value is looked for as it is: as an expression, a few of this length would be too large to compile. */
const shortestLong = 256

/** `key`: at least 16 random bytes, kept with this home, so that one secret wears one mask across runs. */
export function secretsUnder(key: Uint8Array): Secrets {
  const known = new Map<string, string>()
  let finder: RegExp | undefined
  let long: [form: string, mask: string][] = []
  const mask = (value: string): string => {
    if (value === '') return ''
    const id = createHmac('sha256', key).update(value).digest('hex').slice(0, 4)
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
      if (finder === undefined) {
        const forms = [...known].sort(([a], [b]) => b.length - a.length)
        long = forms.filter(([form]) => form.length >= shortestLong)
        finder = finderOf(forms.slice(long.length).map(([form]) => form))
      }
      const rest = long.reduce((scrubbed, [form, mask]) => scrubbed.replaceAll(form, () => mask), text)
      return rest.replace(finder, (found) => known.get(found) ?? '…')
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

/** Any of these, the longest first; of none, what never matches. */
function finderOf(forms: readonly string[]): RegExp {
  if (forms.length === 0) return /(?!)/g
  const alternatives = forms.map((form) =>
    form.length < shortestAnywhere ? `(?<![\\w-])${escapeRegExp(form)}(?![\\w-])` : escapeRegExp(form),
  )
  return new RegExp(alternatives.join('|'), 'g')
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
