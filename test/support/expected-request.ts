import type { Fields } from './catalogue.ts'

/**
 * The authorization URL as the format's description has it (`response_type`, `client_id`, `redirect_uri`, `scope`,
 * `state`, the template's, the challenge, the nonce; first place, last value; then scope as written, fragment,
 * replacements, empty ones), written by hand from text to text. It shares nothing with the client.
 */
export interface Facts {
  readonly answers: Readonly<Record<string, string>>
  readonly clientId: string
  readonly redirectUri: string
  readonly scopes: readonly string[]
  readonly state: string
  readonly challenge: string
  readonly nonce: string
  readonly random: string
}

export function expectedAuthorization(fields: Fields, facts: Facts): string {
  const endpoint = filledUrl(text(fields['authorization_url']), facts.answers)
  const params: [string, string][] = []
  const put = (name: string, value: string): void => {
    const found = params.find(([known]) => known === name)
    if (found === undefined) params.push([name, value])
    else found[1] = value
  }
  const scope = facts.scopes.join(text(fields['scope_separator'] ?? ' '))
  put('response_type', 'code')
  put('client_id', facts.clientId)
  put('redirect_uri', facts.redirectUri)
  put('scope', scope)
  put('state', facts.state)
  for (const [name, value] of Object.entries(map(fields['authorization_params'])))
    put(name, filledText(String(value), facts))
  if (fields['disable_pkce'] !== true) {
    put('code_challenge', facts.challenge)
    put('code_challenge_method', 'S256')
  }
  if (facts.scopes.includes('openid')) put('nonce', facts.nonce)
  const asWritten = Array.isArray(fields['authorization_url_skip_encode'])
    ? fields['authorization_url_skip_encode'].includes('scopes')
    : false
  const pairs = params
    .filter(([name]) => !(asWritten && name === 'scope'))
    .map(([name, value]) => `${form(name)}=${form(value)}`)
  if (asWritten) pairs.push(`scope=${scope.replaceAll('&', '%26').replaceAll('#', '%23').replaceAll(' ', '%20')}`)
  const fragment = fields['authorization_url_fragment']
  let url = `${endpoint}${fragment === undefined ? '' : `#${text(fragment)}`}?${pairs.join('&')}`
  for (const [from, to] of Object.entries(map(fields['authorization_url_replacements']))) {
    const at = url.indexOf(from)
    if (at !== -1) url = url.slice(0, at) + String(to) + url.slice(at + from.length)
  }
  if (fields['authorization_url_skip_empty'] === true) {
    const [before = '', query = ''] = url.split('?')
    url = `${before}?${query
      .split('&')
      .filter((pair) => !pair.endsWith('='))
      .join('&')}`
  }
  return url
}

/** Undefined where the callback must bring something first. */
export function expectedTokenUrl(fields: Fields, answers: Facts['answers']): string | undefined {
  try {
    return filledUrl(text(fields['token_url']), answers)
  } catch {
    return undefined
  }
}

/** A whole URL: the first alternative that has all it needs; values encoded but for those in the host. */
function filledUrl(written: string, answers: Facts['answers']): string {
  const alternatives = written.split('||').map((part) => part.trim())
  for (const alternative of alternatives) {
    let isWhole = true
    const url = alternative.replace(/\$\{connectionConfig\.([^}]+)\}/g, (_, key: string, at: number) => {
      const value = answers[key] ?? ''
      if (value === '') isWhole = false
      const isInHost = !/^https?:\/\/[^/]*\//.test(alternative.slice(0, at))
      return isInHost ? value : encodeURIComponent(value)
    })
    if (isWhole) return /^https?:\/\/[^/?]+$/.test(url) ? `${url}/`.replace(/^(https?:\/\/[^/]+)\/$/, '$1/') : url
  }
  throw new Error(`nothing fills ${written}`)
}

function filledText(written: string, { answers, random }: Facts): string {
  return written
    .replace(/\$\{connectionConfig\.([^}]+)\}/g, (_, key: string) => answers[key] ?? '')
    .replace(/\$\{random\}/g, random)
}

/** application/x-www-form-urlencoded, byte by byte. */
function form(value: string): string {
  return [...Buffer.from(value, 'utf8')]
    .map((byte) => {
      const sign = String.fromCharCode(byte)
      if (/[A-Za-z0-9*._-]/.test(sign)) return sign
      return sign === ' ' ? '+' : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    })
    .join('')
}

interface Prompt {
  readonly enum?: readonly string[]
  readonly default_value?: string
  readonly example?: string
  readonly pattern?: string
  readonly format?: string
  readonly optional?: boolean
  readonly hidden?: boolean
  readonly automated?: boolean
  readonly suffix?: string
}

/** An answer to each question as somebody would give it; without `optional`, only to those that must be answered. */
export function exampleAnswers(name: string, fields: Fields, optional: boolean): Record<string, string> {
  const answers: Record<string, string> = {}
  const needed = JSON.stringify([fields['authorization_url'], fields['authorization_params'], fields['token_url']])
  for (const [key, value] of Object.entries(map(fields['connection_config']))) {
    const prompt = value as Prompt
    const isNeeded = needed.includes(`connectionConfig.${key}}`)
    const brought = JSON.stringify(fields['redirect_uri_metadata'] ?? []).includes(`"${key}"`)
    if (prompt.hidden === true) {
      if (prompt.default_value !== undefined) answers[key] = prompt.default_value
    } else if (prompt.automated === true) {
      if (isNeeded && !brought && !needed.includes('||')) answers[key] = exampleOf(name, key, prompt)
    } else if (optional || (prompt.optional !== true && prompt.default_value === undefined)) {
      answers[key] = exampleOf(name, key, prompt)
    } else if (prompt.default_value !== undefined) answers[key] = prompt.default_value
  }
  return answers
}

const byFormat: Readonly<Record<string, string>> = {
  uuid: '123e4567-e89b-42d3-a456-426614174000',
  hostname: 'login.acme.example',
  uri: 'https://acme.example/base',
  email: 'ada@acme.example',
}

/** The template's own example where it keeps its own rules, else the first of these that does. */
function exampleOf(name: string, key: string, prompt: Prompt): string {
  const { pattern, example = '', format = '', default_value: usual = '', enum: choices = [] } = prompt
  const [choice] = choices
  if (choice !== undefined) return choice
  const rules = [pattern ?? '', (pattern ?? '').replaceAll('\\\\', '\\')].flatMap((source) => {
    try {
      return [new RegExp(source)]
    } catch {
      return []
    }
  })
  const guesses = [
    example,
    usual,
    byFormat[format] ?? '',
    'acme',
    '12345',
    '1234567890',
    byFormat['uuid'] ?? '',
    byFormat['hostname'] ?? '',
    byFormat['uri'] ?? '',
  ]
  const isHost = format === 'hostname'
  for (const rule of rules) {
    const fit = guesses.find(
      (guess) =>
        guess !== '' &&
        rule.test(guess) &&
        (!isHost || /^[a-zA-Z0-9.-]+$/.test(guess)) &&
        (format !== 'uuid' || /^[0-9a-f-]{36}$/i.test(guess)),
    )
    if (fit !== undefined) return fit
  }
  throw new Error(`${name}.${key} wants an example that keeps ${pattern}`)
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`expected text, found ${typeof value}`)
  return value
}

function map(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
