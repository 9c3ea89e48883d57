/** The candidates a person may have meant by a misspelt word, best first: few edits, swapped neighbours counted once. */
export function nearest(word: string, candidates: Iterable<string>, limit = 3): readonly string[] {
  const typed = word.toLowerCase().slice(0, 64)
  const allowed = allowedFor(typed)
  const near: { readonly name: string; readonly edits: number }[] = []
  for (const name of new Set(candidates)) {
    const other = name.toLowerCase()
    if (Math.abs(other.length - typed.length) <= allowed) {
      const edits = distance(typed, other)
      if (edits <= allowed) near.push({ name, edits })
    } else if (typed.length >= 3 && other.startsWith(typed)) near.push({ name, edits: allowed + 1 })
  }
  return near
    .sort((a, b) => a.edits - b.edits || (a.name < b.name ? -1 : 1))
    .slice(0, limit)
    .map(({ name }) => name)
}

/** Whether a word may be a slip of the hand for another one; short words allow fewer slips. */
export function isNear(word: string, other: string): boolean {
  const allowed = Math.min(allowedFor(word), Math.floor(Math.min(word.length, other.length) / 3))
  return Math.abs(word.length - other.length) <= allowed && distance(word, other) <= allowed
}

function allowedFor(word: string): number {
  return word.length <= 3 ? 1 : word.length <= 7 ? 2 : 3
}

/** Damerau-Levenshtein distance (optimal string alignment). */
function distance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1]
      let edits = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      )
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1])
        edits = Math.min(edits, (beforeLast[column - 2] ?? 0) + 1)
      current.push(edits)
    }
    beforeLast = last
    last = current
  }
  return last[b.length] ?? 0
}
