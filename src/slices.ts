/** Where a value stands in a JSON text. */
interface Slice {
  readonly start: number
  readonly end: number
}

/**
 * The items of a page as they are written, each on one line: a number keeps every digit that it has, which parsing would
 * not. `json` has been parsed before, so it is well-formed; which items is as `itemsIn` says.
 */
export function sliceItems(json: string, path: string | undefined): readonly string[] {
  const text = json.replace(/^\uFEFF/, '')
  const whole = { start: skip(text, 0), end: text.trimEnd().length }
  if (whole.start >= whole.end) return []
  const found = path === undefined ? whole : reach(text, whole, path)
  if (found === undefined) return []
  const items = (list: Slice): readonly string[] => elements(text, list).map((slice) => oneLine(text, slice))
  if (isList(text, found)) return items(found)
  if (path !== undefined) return text.startsWith('null', found.start) ? [] : [oneLine(text, found)]
  const lists = [...members(text, whole).values()].filter((slice) => isList(text, slice))
  return lists.length === 1 && lists[0] !== undefined ? items(lists[0]) : [oneLine(text, whole)]
}

function isList(text: string, { start }: Slice): boolean {
  return text[start] === '['
}

function reach(text: string, from: Slice, path: string): Slice | undefined {
  const own = members(text, from).get(path)
  if (own !== undefined) return own
  return path.split('.').reduce<Slice | undefined>((at, key) => at && members(text, at).get(key), from)
}

/** The members of an object, the last of a name as every parser has it; none of anything else. */
function members(text: string, { start }: Slice): ReadonlyMap<string, Slice> {
  const found = new Map<string, Slice>()
  if (text[start] !== '{') return found
  for (let at = skip(text, start + 1); text[at] === '"'; at = skip(text, skip(text, at) + 1)) {
    const keyEnd = valueEnd(text, at)
    const valueStart = skip(text, skip(text, keyEnd) + 1)
    const end = valueEnd(text, valueStart)
    found.set(String(JSON.parse(text.slice(at, keyEnd))), { start: valueStart, end })
    at = end
    if (text[skip(text, at)] !== ',') break
  }
  return found
}

function elements(text: string, { start }: Slice): readonly Slice[] {
  const found: Slice[] = []
  for (let at = skip(text, start + 1); text[at] !== ']' && at < text.length; at = skip(text, at)) {
    const end = valueEnd(text, at)
    found.push({ start: at, end })
    at = skip(text, end)
    if (text[at] === ',') at += 1
  }
  return found
}

/** The first position from there on that is no white space. */
function skip(text: string, from: number): number {
  let at = from
  while (at < text.length && ' \t\n\r'.includes(text[at] ?? '')) at += 1
  return at
}

function valueEnd(text: string, start: number): number {
  if (text[start] === '"') return stringEnd(text, start)
  if (text[start] !== '{' && text[start] !== '[') {
    let at = start
    while (at < text.length && !',]} \t\n\r'.includes(text[at] ?? '')) at += 1
    return at
  }
  let depth = 0
  for (let at = start; at < text.length; at += 1) {
    const letter = text[at]
    if (letter === '"') at = stringEnd(text, at) - 1
    else if (letter === '{' || letter === '[') depth += 1
    else if (letter === '}' || letter === ']') {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  return text.length
}

function stringEnd(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

/** The value without the white space between its parts. */
function oneLine(text: string, { start, end }: Slice): string {
  const slice = text.slice(start, end)
  return /[\s]/.test(slice)
    ? slice.replace(/("(?:[^"\\]|\\.)*")|\s+/gs, (_, quoted: string | undefined) => quoted ?? '')
    : slice
}
