import type { FieldPath, FilePlace } from './problem.ts'

/** An event of the YAML parser, as far as places need it: offsets into the text, -1 where there is nothing. */
export interface YamlEvent {
  readonly type: number
  readonly start?: number
  readonly valueStart?: number
  readonly anchorStart?: number
  readonly style?: number
}

/** The parser's event types. */
export const kinds = { document: 1, sequence: 2, mapping: 3, scalar: 4, alias: 5, pop: 6 } as const

export interface KeyAt {
  readonly name: string
  readonly offset: number
}

interface Offsets {
  readonly key: number
  readonly value: number
}

/** Where each key and each value of the first document begins. */
export interface FieldIndex {
  readonly keys: readonly KeyAt[]
  readonly fields: ReadonlyMap<string, Offsets>
}

/** `textOf`: the text of a scalar. */
export function indexFields(events: readonly YamlEvent[], textOf: (event: YamlEvent) => string): FieldIndex {
  const keys: KeyAt[] = []
  const fields = new Map<string, Offsets>()
  let position = events[0]?.type === kinds.document ? 1 : 0
  const isOpen = (): boolean => position < events.length && events[position]?.type !== kinds.pop
  const visit = (path: string, keyOffset: number): void => {
    const event = events[position]
    position += 1
    if (!event) return
    fields.set(path, { key: keyOffset, value: startOf(event, keyOffset) })
    if (event.type !== kinds.mapping && event.type !== kinds.sequence) return
    for (let item = 0; isOpen(); item += 1) {
      const head = events[position]
      const offset = startOf(head, keyOffset)
      let name = String(item)
      if (event.type === kinds.mapping) {
        name = head?.type === kinds.scalar ? textOf(head) : '?'
        keys.push({ name, offset })
        visit(`${path}\0 key`, offset)
      }
      visit(step(path, name), offset)
    }
    position += 1
  }
  visit('', 0)
  return { keys, fields }
}

/** Offset of a field; of its nearest ancestor's key where it does not exist. */
export function offsetIn({ fields }: FieldIndex, path: FieldPath, what: 'key' | 'value'): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const offsets = fields.get(path.slice(0, length).reduce<string>((key, part) => step(key, String(part)), ''))
    if (offsets) return length === path.length ? offsets[what] : offsets.key
  }
  return 0
}

/** Tells line and column of an offset, where the text begins on `firstLine` of the file. The lines are counted once. */
export function placesIn(text: string, file: string, firstLine: number): (offset: number) => FilePlace {
  let starts: number[] | undefined
  return (offset) => {
    starts ??= [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)]
    let [low, high] = [0, starts.length - 1]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return { file, line: firstLine + low, column: Math.max(0, offset) - (starts[low] ?? 0) + 1 }
  }
}

function step(path: string, name: string): string {
  return `${path}\0${name}`
}

const singleQuoted = 2
const doubleQuoted = 3

/** Where a node begins, its opening quote included; `fallback` for a value that is not written at all. */
function startOf(event: YamlEvent | undefined, fallback: number): number {
  if (event?.valueStart === undefined) return event?.start ?? fallback
  if (event.valueStart < 0) return fallback
  return event.valueStart - (event.style === singleQuoted || event.style === doubleQuoted ? 1 : 0)
}
