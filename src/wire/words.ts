/** Characters of a provider's own words that are quoted; the log has more of them. */
const longest = 4096
const shortestPage = 600
/** Characters of a word that stands alone and is still a word. */
const longestWord = 24

/** Members in which a provider says why, the most telling first. */
const tellers = [
  'error_description',
  'error_message',
  'errorMessage',
  'message',
  'Message',
  'msg',
  'detail',
  'details',
  'description',
  'reason',
  'title',
  'error_summary',
  'errorSummary',
  'error_reason',
  'error',
  'errors',
  'faultstring',
  'fault',
  'code',
]

/**
 * What a provider says in an answer of no agreed form: the telling members of JSON, the message of an XML fault, the title
 * of a page, a short text as it is. Undefined where it says nothing.
 */
export function wordsIn(body: string): string | undefined {
  const text = body.replace(/^\uFEFF/, '').trim()
  if (text === '') return undefined
  const json = parsed(text)
  if (json !== undefined) return short(fromJson(json, 0))
  if (/^</.test(text)) return short(fromMarkup(text))
  return text.length <= shortestPage && isProse(text) ? short(text) : undefined
}

/** The same of an answer that should have brought a token: what is neither JSON nor markup may be the token. */
export function wordsBesideToken(body: string): string | undefined {
  return /^[<{[]/.test(body.replace(/^\uFEFF/, '').trim()) ? wordsIn(body) : undefined
}

/** Half a JSON text, a form, or one long word says nothing, and may hold a token. */
function isProse(text: string): boolean {
  if (/^[[{"]/.test(text) || /^[\w.~%+-]+=\S*$/.test(text)) return false
  return /\s/.test(text) || text.length <= longestWord
}

function fromJson(value: unknown, depth: number): string | undefined {
  if (depth > 4) return undefined
  if (typeof value === 'string') return value.trim() === '' ? undefined : value.trim()
  if (typeof value === 'number' && depth > 0) return String(value)
  if (Array.isArray(value)) {
    const said = value.slice(0, 5).map((item) => fromJson(item, depth + 1))
    return joined(said)
  }
  if (typeof value !== 'object' || value === null) return undefined
  const members = value as Record<string, unknown>
  const said = tellers.filter((name) => Object.hasOwn(members, name)).map((name) => fromJson(members[name], depth + 1))
  return joined(said)
}

/** The first two that say something, each once. */
function joined(said: readonly (string | undefined)[]): string | undefined {
  const words = [...new Set(said.filter((one) => one !== undefined))]
  return words.length === 0 ? undefined : words.slice(0, 2).join('; ')
}

function fromMarkup(text: string): string | undefined {
  const names = [
    'error_description',
    'errorMessage',
    'Message',
    'message',
    'faultstring',
    'description2',
    'description',
  ]
  for (const name of [...names, 'error', 'title', 'h1']) {
    const found = new RegExp(`<(?:\\w+:)?${name}(?:\\s[^>]*)?>([^<]{1,2000})<`).exec(text)?.[1]?.trim()
    if (found !== undefined && found !== '') return found.replace(/\s+/g, ' ')
  }
  return undefined
}

function short(text: string | undefined): string | undefined {
  if (text === undefined || text.length <= longest) return text
  return `${text.slice(0, longest)}… (${text.length} characters)`
}

function parsed(text: string): unknown {
  if (!/^[[{"]/.test(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
