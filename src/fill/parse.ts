/** A function and all that stands between its parentheses. */
export interface Call {
  readonly name: string
  readonly argument: readonly Piece[]
}

/** One `${…}`: a path or word, or a function with its argument. */
export interface Placeholder {
  /** As written between the braces. */
  readonly source: string
  readonly call?: Call | undefined
}

/** A text is literal pieces and placeholders in turn. */
export type Piece = string | Placeholder

/** A text that cannot be read: a `${` without its end. */
export interface Malformed {
  readonly malformed: string
}

/** The alternatives of `A || B || C`, each trimmed; a text without placeholders is one alternative, bars and all. */
export type Parsed = { readonly alternatives: readonly (readonly Piece[])[] } | Malformed

const deepestNesting = 16

/** `bars`: where `literal`, `||` parts nothing. */
export function parse(text: string, bars?: 'literal'): Parsed {
  if (!text.includes('${')) return { alternatives: [[text]] }
  const whole = parsePieces(text, 0, undefined, 0)
  if ('malformed' in whole) return whole
  if (bars === 'literal') return { alternatives: [whole.pieces] }
  return { alternatives: splitAtBars(whole.pieces) }
}

type Read<T> = (T & { readonly end: number }) | Malformed

function parsePieces(
  text: string,
  start: number,
  closing: string | undefined,
  depth: number,
): Read<{ pieces: readonly Piece[] }> {
  if (depth > deepestNesting) return { malformed: 'it is nested too deeply' }
  const pieces: Piece[] = []
  let literalFrom = start
  let at = start
  while (at < text.length) {
    if (closing !== undefined && text.startsWith(closing, at)) break
    if (!text.startsWith('${', at)) {
      at += 1
      continue
    }
    if (at > literalFrom) pieces.push(text.slice(literalFrom, at))
    const placeholder = parsePlaceholder(text, at, depth)
    if ('malformed' in placeholder) return placeholder
    pieces.push(placeholder.placeholder)
    at = literalFrom = placeholder.end
  }
  if (closing !== undefined && at >= text.length) return { malformed: `a "${closing}" is missing` }
  if (at > literalFrom) pieces.push(text.slice(literalFrom, at))
  return { pieces, end: at }
}

function parsePlaceholder(text: string, start: number, depth: number): Read<{ placeholder: Placeholder }> {
  const inside = start + 2
  const call = /^\s*([A-Za-z][A-Za-z0-9]*)\(/.exec(text.slice(inside, inside + 64))
  if (call?.[1] !== undefined) {
    const argument = parsePieces(text, inside + call[0].length, ')}', depth + 1)
    if ('malformed' in argument) return argument
    const source = text.slice(inside, argument.end + 1).trim()
    return { placeholder: { source, call: { name: call[1], argument: argument.pieces } }, end: argument.end + 2 }
  }
  const close = text.indexOf('}', inside)
  const source = close === -1 ? '' : text.slice(inside, close).trim()
  if (close === -1 || source.includes('${')) return { malformed: 'a "${" has no "}"' }
  if (source === '') return { malformed: '"${}" names nothing' }
  return { placeholder: { source }, end: close + 1 }
}

function splitAtBars(pieces: readonly Piece[]): readonly (readonly Piece[])[] {
  const alternatives = splitAt(pieces, '||')
  return alternatives.length === 1 ? alternatives : alternatives.map(trim).filter((pieces) => pieces.length > 0)
}

/** The pieces parted at a sign in their literal text; what a placeholder holds is never looked into. */
export function splitAt(pieces: readonly Piece[], sign: string): readonly (readonly Piece[])[] {
  const parts: Piece[][] = [[]]
  for (const piece of pieces) {
    if (typeof piece !== 'string') {
      parts.at(-1)?.push(piece)
      continue
    }
    piece.split(sign).forEach((part, index) => {
      if (index > 0) parts.push([])
      if (part !== '') parts.at(-1)?.push(part)
    })
  }
  return parts
}

/** The pieces without the blanks at either end. */
export function trim(pieces: readonly Piece[]): readonly Piece[] {
  return pieces
    .map((piece, index) => {
      if (typeof piece !== 'string') return piece
      const started = index === 0 ? piece.trimStart() : piece
      return index === pieces.length - 1 ? started.trimEnd() : started
    })
    .filter((piece) => piece !== '')
}
