/** A mapping, as JSON has them. */
export type Members = Readonly<Record<string, unknown>>

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * What stands at a path, `data.tokens[0].value` or `data.tokens.0.value`; a member whose name holds dots itself is found
 * before the members that it might spell. Inherited members are never found.
 */
export function at(value: unknown, path: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  const members = value as Members
  if (Object.hasOwn(members, path)) return members[path]
  const plain = path.replace(/\[(?:(\d+)|["']([^"'\]]*)["'])\]/g, (_, index, name) => `.${index ?? name}`)
  if (plain !== path) return at(value, plain.replace(/^\./, ''))
  for (let dot = path.indexOf('.'); dot > 0; dot = path.indexOf('.', dot + 1)) {
    const head = path.slice(0, dot)
    const found = Object.hasOwn(members, head) ? at(members[head], path.slice(dot + 1)) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

/** A scalar as text; the text of an XML element that has attributes too. Undefined for anything else. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return isMembers(value) && typeof value['#text'] === 'string' ? value['#text'] : undefined
}

/** The members that a template lists, as texts by the names that it has for them; an object or a list is no answer. */
export function captured(
  names: readonly string[] | undefined,
  read: (name: string) => unknown,
): Readonly<Record<string, string>> {
  const found = (names ?? []).flatMap((name): [string, string][] => {
    const text = textOf(read(name))
    return text === undefined ? [] : [[name, text]]
  })
  return Object.fromEntries(found)
}
