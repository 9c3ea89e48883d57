/** What a list shows of a template, read without parsing its file. */
export interface Glance {
  readonly name: string
  readonly file: string
  readonly title?: string | undefined
  readonly mode?: string | undefined
  readonly alias?: string | undefined
}

/** The templates of one file's text, in its order. */
export function glancesIn(text: string, file: string): readonly Glance[] {
  const seen: { name: string; file: string; title?: string; mode?: string; alias?: string }[] = []
  let current = seen[0]
  const lines =
    /^(?:(["']?)([A-Za-z0-9][\w.-]*)\1[ \t]*:|([ \t]+)(display_name|auth_mode|alias):[ \t]*(.*?)[ \t]*\r?$)/gm
  let indent = Number.POSITIVE_INFINITY
  for (const [, , name, blank = '', field, written = ''] of text.matchAll(lines)) {
    if (name !== undefined) {
      current = { name, file }
      seen.push(current)
      indent = Number.POSITIVE_INFINITY
    } else if (current && field !== undefined && blank.length <= indent) {
      // A deeper field of the same name (a question called alias) is not the template's.
      if (blank.length < indent) {
        current = { name: current.name, file }
        seen[seen.length - 1] = current
      }
      indent = blank.length
      current[memberFor(field)] ??= scalarText(written)
    }
  }
  return seen
}

function memberFor(field: string): 'title' | 'mode' | 'alias' {
  return field === 'display_name' ? 'title' : field === 'auth_mode' ? 'mode' : 'alias'
}

/** A scalar on one line, unquoted; enough for a list. */
function scalarText(written: string): string {
  const single = /^'((?:[^']|'')*)'/.exec(written)?.[1]
  if (single !== undefined) return single.replaceAll("''", "'")
  const double = /^"((?:[^"\\]|\\.)*)"/.exec(written)?.[1]
  if (double !== undefined) return double.replace(/\\(?:u([\da-f]{4})|x([\da-f]{2})|(.))/gi, unescaped)
  return written.replace(/(^|\s+)#.*$/, '')
}

function unescaped(_: string, wide?: string, narrow?: string, letter = ''): string {
  const code = wide ?? narrow
  if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16))
  return letter === 'e' ? '\u001b' : letter === 'n' || letter === 't' ? ' ' : letter
}
