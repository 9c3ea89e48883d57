/** A mapping as a parser of YAML or JSON gives it; nothing in it is trusted to be of any type. */
export type Fields = Readonly<Record<string, unknown>>

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value as a mapping; an empty one where it is something else. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {}
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function textsOf(value: unknown): readonly string[] {
  return listOf(value).filter((one) => typeof one === 'string')
}

/** A scalar as a provider reads it off the wire; undefined for null, lists and mappings. */
export function scalarText(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined
}

/** Every text anywhere in a value, mappings and lists included. */
export function textsWithin(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  if (Array.isArray(value)) return value.flatMap(textsWithin)
  return isFields(value) ? Object.values(value).flatMap(textsWithin) : []
}

/** What stands at a dotted path. */
export function atPath(value: unknown, path: string): unknown {
  let found = value
  for (const step of path.split('.')) {
    if (Array.isArray(found) && /^\d+$/.test(step)) found = found[Number(step)]
    else if (isFields(found) && Object.hasOwn(found, step)) found = found[step]
    else return undefined
  }
  return found
}

/** The mapping with a value put at a dotted path; mappings on the way are made. */
export function withPath(fields: Fields, path: string, value: unknown): Fields {
  const [step = '', ...rest] = path.split('.')
  const inner = rest.length === 0 ? value : withPath(fieldsOf(fields[step]), rest.join('.'), value)
  return Object.fromEntries([...Object.entries(fields).filter(([name]) => name !== step), [step, inner]])
}

/** JSON as a mapping, or undefined. */
export function parsedFields(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isFields(value) ? value : undefined
  } catch {
    return undefined
  }
}
