import { type Piece, parse } from './parse.ts'

/** Every path that the text refers to, alternatives and arguments included, each once, in order. */
export function placeholders(text: string): readonly string[] {
  return [...new Set(placeholdersByAlternative(text).flat())]
}

/** The paths that each alternative of `A || B || C` refers to. */
export function placeholdersByAlternative(text: string): readonly (readonly string[])[] {
  const parsed = parse(text)
  return 'malformed' in parsed ? [] : parsed.alternatives.map((pieces) => [...new Set(pathsIn(pieces))])
}

/** The paths that pieces of a text refer to, in order. */
export function pathsIn(pieces: readonly Piece[]): readonly string[] {
  return pieces.flatMap((piece) => {
    if (typeof piece === 'string') return []
    return piece.call ? pathsIn(piece.call.argument) : [piece.source]
  })
}
