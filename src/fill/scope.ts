/**
 * The values that a text may refer to, by path: `{ connectionConfig: {…}, credentials: {…}, clientId, accessToken, … }`.
 * `now` (a Date) and `random` (a string, one for a whole set of headers) serve the words of the same name.
 */
export type Scope = Readonly<Record<string, unknown>>

/**
 * The value at a path as text; undefined where there is none or where it is an object. A key that holds dots itself
 * (`installation.uuid`) is found before the objects that it might spell; the items of a list are `items.0` or `items[0]`.
 * Inherited members are never found.
 */
export function valueAt(scope: Scope, path: string): string | undefined {
  const found = reach(scope, path) ?? reach(scope, path.replace(/\[(\d+)\]/g, '.$1'))
  if (typeof found === 'string') return found
  return typeof found === 'number' || typeof found === 'boolean' ? String(found) : undefined
}

function reach(from: unknown, path: string): unknown {
  if (typeof from !== 'object' || from === null) return undefined
  const members = from as Record<string, unknown>
  if (Object.hasOwn(members, path)) return members[path]
  for (let dot = path.lastIndexOf('.'); dot > 0; dot = path.lastIndexOf('.', dot - 1)) {
    const head = path.slice(0, dot)
    if (!Object.hasOwn(members, head)) continue
    const found = reach(members[head], path.slice(dot + 1))
    if (found !== undefined) return found
  }
  return undefined
}
