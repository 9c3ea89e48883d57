import { type FillContext, type Flaw, flawError } from './flaw.ts'
import { type Form, functions, words } from './forms.ts'
import { type Call, type Piece, type Placeholder, parse, splitAt, trim } from './parse.ts'
import { pathsIn } from './placeholders.ts'
import { type Scope, valueAt } from './scope.ts'

/**
 * Where a text will stand. `url`: every value is percent-encoded (encodeURIComponent) and an empty one counts as
 * missing. `text` (a header, a parameter): values stand as they are, and CR, LF and NUL are refused. `member` (a member of
 * a body, a claim, a key), which whoever writes it encodes: values stand as they are, whatever they hold; one that the
 * template puts between double quotes (a query language inside of JSON) is escaped as JSON's strings are.
 */
export type Place = 'url' | 'text' | 'member'

/** How a template's text is read. `bars`: where `literal`, `A || B` is a text with two bars and no alternatives. */
export interface Reading {
  readonly bars?: 'literal' | undefined
}

export type Filled = { readonly text: string } | { readonly flaw: Flaw }

/** A value in its place: `path` says where it came from; a literal of the template has none. */
export interface Resolved {
  readonly value: string
  readonly path?: string | undefined
}

/**
 * Fills every `${…}` of a template's text. Of `A || B || C` the first alternative wins whose placeholders all have
 * values; a purely literal one is a fallback wherever it stands. A value is never itself evaluated.
 */
export function fill(text: string, scope: Scope, place: Place, reading: Reading = {}): Filled {
  const chosen = choose(text, scope, place === 'url', reading)
  if ('flaw' in chosen) return chosen
  let filled = ''
  for (const [index, { value, path }] of chosen.pieces.entries()) {
    const isQuoted = filled.endsWith('"') && chosen.pieces[index + 1]?.value.startsWith('"') === true
    const placed = path === undefined ? { text: value } : placedIn[place](value, isQuoted)
    if ('why' in placed) return { flaw: { kind: 'refused', path: path ?? '', why: placed.why } }
    filled += placed.text
  }
  return { text: filled }
}

type Placed = { readonly text: string } | { readonly why: string }

const placedIn: Readonly<Record<Place, (value: string, isQuoted: boolean) => Placed>> = {
  url: encode,
  text: plain,
  member: (value, isQuoted) => ({ text: isQuoted ? JSON.stringify(value).slice(1, -1) : value }),
}

/**
 * Fills a header or parameter. Throws UsageError `MISSING_INPUT` naming the flag that would supply what is missing,
 * UsageError `BAD_FLAG` for a value that may not stand there, TemplateError `TEMPLATE_INVALID` for what nobody can supply.
 */
export function fillText(
  field: string,
  text: string,
  scope: Scope,
  context: FillContext,
  place: Place = 'text',
  reading: Reading = {},
): string {
  const filled = fill(text, scope, place, reading)
  if ('flaw' in filled) throw flawError(filled.flaw, field, text, context)
  return filled.text
}

/** Picks the alternative that stands, its values looked up but not yet encoded. */
export function choose(
  text: string,
  scope: Scope,
  emptyIsMissing: boolean,
  { bars }: Reading = {},
): { readonly pieces: readonly Resolved[] } | { readonly flaw: Flaw } {
  const parsed = parse(text, bars)
  if ('malformed' in parsed) return { flaw: { kind: 'malformed', why: parsed.malformed } }
  const { alternatives } = parsed
  const strict = emptyIsMissing || alternatives.length > 1
  const spoken = alternatives.filter((pieces) => pieces.some((piece) => typeof piece !== 'string'))
  const literal = alternatives.find((pieces) => pieces.every((piece) => typeof piece === 'string'))
  const missing = new Set<string>()
  for (const pieces of spoken) {
    const resolved = resolveAll(pieces, scope, strict)
    if ('pieces' in resolved) return resolved
    if (resolved.flaw.kind !== 'missing') return resolved
    for (const path of resolved.flaw.paths) missing.add(path)
  }
  if (literal) return { pieces: [{ value: literal.join('') }] }
  return { flaw: { kind: 'missing', paths: [...missing] } }
}

type ResolvedAll = { readonly pieces: readonly Resolved[] } | { readonly flaw: Flaw }

function resolveAll(pieces: readonly Piece[], scope: Scope, emptyIsMissing: boolean): ResolvedAll {
  const resolved: Resolved[] = []
  const missing: string[] = []
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      resolved.push({ value: piece })
      continue
    }
    const one = resolve(piece, scope)
    if ('flaw' in one) {
      if (one.flaw.kind !== 'missing') return one
      missing.push(...one.flaw.paths)
    } else if (one.value === '' && emptyIsMissing) missing.push(piece.source)
    else resolved.push(one)
  }
  return missing.length > 0 ? { flaw: { kind: 'missing', paths: missing } } : { pieces: resolved }
}

function resolve(placeholder: Placeholder, scope: Scope): Resolved | { readonly flaw: Flaw } {
  const { source, call } = placeholder
  if (call) return computed(source, call, scope)
  const word = /^([a-z]+)([:+-].*)?$/s.exec(source)
  const make = word?.[1] !== undefined && Object.hasOwn(words, word[1]) ? words[word[1]] : undefined
  if (make) {
    const value = make(scope, word?.[2] ?? '')
    if (typeof value === 'string') return { value, path: source }
    return { flaw: 'missing' in value ? { kind: 'missing', paths: value.missing } : { kind: 'unknown', form: source } }
  }
  const value = valueAt(scope, source)
  return value === undefined ? { flaw: { kind: 'missing', paths: [source] } } : { value, path: source }
}

function computed(source: string, call: Call, scope: Scope): Resolved | { readonly flaw: Flaw } {
  const form = Object.hasOwn(functions, call.name) ? functions[call.name] : undefined
  if (!form) return { flaw: { kind: 'unknown', form: `${call.name}(…)` } }
  const written = argumentsOf(call.argument, form.parted)
  const [fewest, most] = form.count
  if (written.length < fewest || written.length > most) {
    const wanted = fewest === most ? String(fewest) : `${fewest} to ${most}`
    return { flaw: { kind: 'malformed', why: `${call.name}(…) takes ${wanted} arguments, not ${written.length}` } }
  }
  const filled = written.map((pieces) => resolveAll(pieces, scope, false))
  const flaws = filled.flatMap((one) => ('flaw' in one ? [one.flaw] : []))
  const other = flaws.find(({ kind }) => kind !== 'missing')
  if (other !== undefined) return { flaw: other }
  const missing = flaws.flatMap((flaw) => (flaw.kind === 'missing' ? flaw.paths : []))
  if (missing.length > 0) return { flaw: { kind: 'missing', paths: missing } }
  const args = filled.map((one) => ('pieces' in one ? one.pieces.map(({ value }) => value).join('') : ''))
  const made = form.compute(args, scope)
  if (typeof made === 'string') return { value: made, path: source }
  if ('missing' in made) return { flaw: { kind: 'missing', paths: made.missing } }
  const [path = source] = pathsIn(written[made.argument] ?? [])
  return { flaw: { kind: 'refused', path, why: made.why } }
}

/** The arguments, parted at the template's own commas; blanks around one are the template's too. */
function argumentsOf(pieces: readonly Piece[], parted: Form['parted']): readonly (readonly Piece[])[] {
  if (parted === 'nowhere') return [pieces]
  const all = splitAt(pieces, ',')
  const [last] = all.slice(-1)
  if (parted === 'at each' || last === undefined || all.length < 2) return all.map(trim)
  const lead = all.slice(0, -1).flatMap((part, index) => (index === 0 ? part : [',', ...part]))
  return [lead, trim(last)]
}

/** A value as one component of a URL. `.` and `..` are refused: they would walk the path, however they are encoded. */
export function encode(value: string): Placed {
  if (value === '.' || value === '..') return { why: 'it may not be "." or ".."' }
  try {
    return { text: encodeURIComponent(value) }
  } catch {
    return { why: 'it is not well-formed Unicode' }
  }
}

function plain(value: string): Placed {
  return /[\r\n\0]/.test(value) ? { why: 'it may not contain line breaks or NUL' } : { text: value }
}
