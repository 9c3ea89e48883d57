import { createHash, createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { atPath, type Fields, fieldsOf, textsWithin } from './fields.ts'
import { formatMoment, movedMoment } from './moment.ts'

/** What placeholders stand for. */
export interface Scope {
  /** `connectionConfig`, `credentials`, … as mappings, and names that stand alone. */
  readonly roots: Fields
  /** Milliseconds since 1970 that `${now}` means. */
  readonly time: number
  /** What `${random}` means here; absent: not known. */
  readonly random?: string | undefined
}

/** Literal text, or a placeholder: what stands between `${` and its own `}`. */
export type Piece = { readonly literal: string } | { readonly expression: string }

export type Filled = { readonly text: string; readonly missing: readonly string[] }

/** Cuts a text into literals and placeholders; one that is never closed is literal. */
export function pieces(text: string): readonly Piece[] {
  const found: Piece[] = []
  let literal = ''
  let at = 0
  while (at < text.length) {
    const end = text.startsWith('${', at) ? closing(text, at + 2) : undefined
    if (end === undefined) {
      literal += text[at]
      at += 1
      continue
    }
    if (literal !== '') found.push({ literal })
    literal = ''
    found.push({ expression: text.slice(at + 2, end) })
    at = end + 1
  }
  if (literal !== '') found.push({ literal })
  return found
}

/** Where the placeholder that began before `from` ends. */
function closing(text: string, from: number): number | undefined {
  let depth = 0
  for (let at = from; at < text.length; at += 1) {
    if (text.startsWith('${', at)) depth += 1
    else if (text[at] === '}') {
      if (depth === 0) return at
      depth -= 1
    }
  }
  return undefined
}

const helper = /^(base64|sha256Hex|sha256Base64|hmacSha1Hex|ed25519Sign|fingerprint|awsSigV4)\(([\s\S]*)\)$/

/** A call of a helper: its name and the text of its arguments, not yet filled. */
export function helperCall(expression: string): { readonly name: string; readonly inner: string } | undefined {
  const [, name, inner] = helper.exec(expression.trim()) ?? []
  return name === undefined || inner === undefined ? undefined : { name, inner }
}

/** Every placeholder in a value, those inside helpers included. */
export function usedNames(value: unknown): readonly string[] {
  return textsWithin(value).flatMap((text) =>
    pieces(text).flatMap((piece) => {
      if ('literal' in piece) return []
      const call = helperCall(piece.expression)
      return call === undefined ? [piece.expression.trim()] : usedNames(call.inner)
    }),
  )
}

/** Fills every placeholder; one without a value stays as it is and is named in `missing`. */
export function fill(text: string, scope: Scope): Filled {
  const missing: string[] = []
  const filled = pieces(text).map((piece) => {
    if ('literal' in piece) return piece.literal
    const value = valueFor(piece.expression, scope, missing)
    return value ?? '${' + piece.expression + '}'
  })
  return { text: filled.join(''), missing }
}

function valueFor(expression: string, scope: Scope, missing: string[]): string | undefined {
  const call = helperCall(expression)
  if (call !== undefined) return helped(call, scope, missing)
  const value = plainValue(expression.trim(), scope)
  if (value === undefined) missing.push(expression.trim())
  return value
}

function plainValue(name: string, scope: Scope): string | undefined {
  if (name === 'random') return scope.random
  if (/^now\b/.test(name)) return nowText(name, scope.time)
  return rootValue(name, scope.roots)
}

/** `connectionConfig.a.b` is the literal key `a.b` of its root, else a walk. */
function rootValue(name: string, roots: Fields): string | undefined {
  const whole = scalar(roots[name])
  if (whole !== undefined) return whole
  const dot = name.indexOf('.')
  if (dot < 0) return undefined
  const root = roots[name.slice(0, dot)]
  const rest = name.slice(dot + 1)
  if (typeof root !== 'object' || root === null) return undefined
  return scalar((root as Fields)[rest]) ?? scalar(atPath(root, rest))
}

const scalar = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined

function nowText(name: string, time: number): string | undefined {
  if (name === 'now') return new Date(time).toISOString()
  const [, sign, amount, unit, rest] = /^now(?:([+-])(\d+):(\w+))?(?::([\s\S]+))?$/.exec(name) ?? []
  if (sign === undefined && rest === undefined) return undefined
  const at = sign === undefined ? time : movedMoment(time, Number(sign + (amount ?? '')), unit ?? '')
  if (at === undefined) return undefined
  return rest === undefined ? new Date(at).toISOString() : formatMoment(at, rest)
}

function helped(
  call: { readonly name: string; readonly inner: string },
  scope: Scope,
  missing: string[],
): string | undefined {
  const inner = fill(call.inner, scope)
  if (inner.missing.length > 0) {
    missing.push(...inner.missing)
    return undefined
  }
  const value = computedSafely(call, inner.text, scope)
  if (value === undefined) missing.push(`${call.name}(…)`)
  return value
}

function computedSafely(
  { name, inner }: { readonly name: string; readonly inner: string },
  text: string,
  scope: Scope,
): string | undefined {
  try {
    return computed(name, text, inner, scope)
  } catch {
    // A key that is none: what was to be computed with it is not there.
    return undefined
  }
}

function computed(name: string, text: string, template: string, scope: Scope): string | undefined {
  const sha256 = () => createHash('sha256').update(text)
  switch (name) {
    case 'base64':
      return Buffer.from(text).toString('base64')
    case 'sha256Hex':
      return sha256().digest('hex')
    case 'sha256Base64':
      return sha256().digest('base64')
    case 'hmacSha1Hex': {
      const [message, key] = lastComma(template, scope)
      return createHmac('sha1', key.trim()).update(message).digest('hex')
    }
    case 'ed25519Sign': {
      const [message, key] = lastComma(template, scope)
      return sign(null, Buffer.from(message), createPrivateKey(unescapedPem(key))).toString('base64')
    }
    case 'fingerprint':
      return fingerprintOf(text)
    default:
      return undefined
  }
}

/** The two arguments around the last comma that the template itself has: one inside a value cuts nothing. */
function lastComma(template: string, scope: Scope): readonly [string, string] {
  const parts = pieces(template)
  const index = parts.findLastIndex((piece) => 'literal' in piece && piece.literal.includes(','))
  const piece = parts[index]
  if (piece === undefined || !('literal' in piece)) return [fill(template, scope).text, '']
  const comma = piece.literal.lastIndexOf(',')
  const textOf = (some: readonly Piece[]): string =>
    some.map((one) => ('literal' in one ? one.literal : fill('${' + one.expression + '}', scope).text)).join('')
  return [
    textOf([...parts.slice(0, index), { literal: piece.literal.slice(0, comma) }]),
    textOf([{ literal: piece.literal.slice(comma + 1) }, ...parts.slice(index + 1)]),
  ]
}

/** A PEM text whose line ends may be written as `\n`. */
export function unescapedPem(text: string): string {
  return text.trim().replace(/\\n/g, '\n')
}

/** `SHA256:` and the digest of the public half (SPKI DER) of a private key. */
function fingerprintOf(pem: string): string {
  const der = createPublicKey(createPrivateKey(unescapedPem(pem))).export({ type: 'spki', format: 'der' })
  return `SHA256:${createHash('sha256').update(der).digest('base64')}`
}

/** The alternatives of `A || B`; a text without a placeholder has only itself. */
export function alternatives(text: string): readonly string[] {
  if (!text.includes('${')) return [text]
  const found: string[] = ['']
  for (const piece of pieces(text)) {
    const parts = 'literal' in piece ? piece.literal.split('||') : ['${' + piece.expression + '}']
    found.push((found.pop() ?? '') + (parts[0] ?? ''), ...parts.slice(1))
  }
  return found.map((one) => one.trim())
}

/**
 * The first alternative that is filled whole and not to nothing. A literal one only counts when no other does: it stands
 * last in every template that has one.
 */
export function fillFirst(text: string, scope: Scope): Filled {
  const all = alternatives(text)
  if (all.length === 1) return fill(text, scope)
  const filled = all.map((one) => ({ ...fill(one, scope), isLiteral: !one.includes('${') }))
  const isGood = ({ text: value, missing }: Filled) => missing.length === 0 && value !== ''
  const best = filled.find((one) => isGood(one) && !one.isLiteral) ?? filled.find(isGood) ?? filled[0]
  return best === undefined ? { text: '', missing: [] } : { text: best.text, missing: best.missing }
}

/**
 * A URL whose values are percent-encoded in their places; one that is a whole URL or host stands as it is. A bare name is
 * an answer of the connection before it is one of the credentials. An empty value is as good as none while another
 * alternative has all of its own.
 */
export function fillUrl(text: string, scope: Scope): URL | undefined {
  const all = alternatives(text.trim())
  const { connectionConfig } = scope.roots
  const bare = { ...scope, roots: { ...scope.roots, ...fieldsOf(connectionConfig) } }
  return firstUrl(all, bare, false) ?? firstUrl(all, bare, true)
}

/** The parts of a URL without its scheme, where the value behind it is a whole URL and all there is of a host. */
function withoutOwnScheme(parts: readonly Piece[], scope: Scope): readonly Piece[] {
  const [lead, value, next] = parts
  if (lead === undefined || !('literal' in lead) || !/^https?:\/\/$/.test(lead.literal)) return parts
  if (value === undefined || !('expression' in value)) return parts
  if (next !== undefined && !('literal' in next && /^[/?#]/.test(next.literal))) return parts
  const { text } = fill('${' + value.expression + '}', scope)
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return parts
  return [{ literal: text.replace(/\/+$/, '') }, ...parts.slice(2)]
}

function firstUrl(texts: readonly string[], scope: Scope, mayBeEmpty: boolean): URL | undefined {
  for (const text of texts) {
    const encoded = withoutOwnScheme(pieces(text), scope).map((piece) => {
      if ('literal' in piece) return piece.literal
      const { text: value, missing } = fill('${' + piece.expression + '}', scope)
      return missing.length > 0 || (value === '' && !mayBeEmpty) ? undefined : encodeURIComponent(value)
    })
    if (encoded.includes(undefined)) continue
    const url = parsedUrl(encoded.join(''))
    if (url !== undefined) return url
  }
  return undefined
}

function parsedUrl(text: string): URL | undefined {
  if (URL.canParse(text)) return new URL(text)
  try {
    const decoded = decodeURIComponent(text)
    return URL.canParse(decoded) ? new URL(decoded) : undefined
  } catch {
    return undefined
  }
}
