import { join } from 'node:path'
import { namesIn, readBytes, statOf } from './files.ts'
import { isTemplateName, isYaml, stem } from './names.ts'
import { plainTitle } from './title.ts'

/** What a list shows of a template, read without parsing its file; every text safe in a terminal. */
export interface Glance {
  readonly name: string
  readonly file: string
  readonly title?: string | undefined
  readonly mode?: string | undefined
  readonly alias?: string | undefined
  readonly categories?: readonly string[] | undefined
}

type Seen = { -readonly [member in keyof Glance]: Glance[member] }

/**
 * Every template in a folder or file, at a glance: names, titles, modes. A file of a folder that cannot be read is there
 * with its name alone.
 */
export function glance(path: string): readonly Glance[] {
  const stats = statOf(path)
  if (!stats) return []
  if (!stats.isFolder) return glancesIn(readBytes(path)?.toString('utf8') ?? '', path)
  return namesIn(path)
    .filter((name) => isYaml(name) && isTemplateName(stem(name)))
    .map((name) => glanceAt(stem(name), join(path, name)))
}

/** The templates of one file's text, in its order. */
export function glancesIn(text: string, file: string): readonly Glance[] {
  const seen: Seen[] = []
  let current = seen[0]
  const lines =
    /^(?:(["']?)([A-Za-z0-9][\w.-]*)\1[ \t]*:|([ \t]+)(display_name|auth_mode|alias|categories):[ \t]*(.*?)[ \t]*\r?$)/gm
  let indent = Number.POSITIVE_INFINITY
  for (const match of text.matchAll(lines)) {
    const [line, , name, blank = '', field, written = ''] = match
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
      if (field === 'categories') current.categories ??= listText(written, text, match.index + line.length)
      else current[memberFor(field)] ??= plainTitle(scalarText(written))
    }
  }
  return seen
}

function glanceAt(name: string, file: string): Glance {
  try {
    const bytes = readBytes(file)
    return glancesIn(bytes?.toString('utf8') ?? '', file).find((one) => one.name === name) ?? { name, file }
  } catch {
    return { name, file }
  }
}

function memberFor(field: string): 'title' | 'mode' | 'alias' {
  return field === 'display_name' ? 'title' : field === 'auth_mode' ? 'mode' : 'alias'
}

/** A list of plain words, `[a, b]` on its line or an item to each of the lines that follow from `end` on. */
function listText(written: string, text: string, end: number): readonly string[] {
  const inline = /^\[(.*)\]/.exec(written)?.[1]
  if (inline !== undefined) return inline.split(',').map((item) => plainTitle(scalarText(item.trim())))
  const items = /(?:\r?\n[ \t]*-[ \t]+[^\r\n]*)*/y
  items.lastIndex = end
  const [block = ''] = items.exec(text) ?? []
  return [...block.matchAll(/-[ \t]+([^\r\n]*?)[ \t]*(?=\r?\n|$)/g)].map(([, item = '']) =>
    plainTitle(scalarText(item)),
  )
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
