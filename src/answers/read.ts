import { readXml } from '../signing/xml.ts'

/** An answer whose body has been read. */
export interface Answered {
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly text: string
}

/** A body as a value, and what is odd about how it came. */
export interface Read {
  /** JSON, a form's fields, XML's elements; the text itself, trimmed, where it is none of these. */
  readonly value: unknown
  readonly kind: 'json' | 'form' | 'xml' | 'text' | 'page' | 'nothing'
  readonly quirks: readonly string[]
}

/** Makes sense of a body by what it is, whatever it is called. */
export async function readAnswer({ headers, text: body }: Answered): Promise<Read> {
  const type = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? ''
  const text = body.replace(/^\uFEFF/, '').trim()
  const quirks = body.startsWith('\uFEFF') ? ['a byte order mark before the answer'] : []
  if (text === '') return { value: undefined, kind: 'nothing', quirks }
  const json = parsed(text)
  if (json !== undefined) {
    const isCalledSo = /^application\/([\w.+-]+\+)?json\b/i.test(type)
    const label =
      isCalledSo || typeof json.value !== 'object' ? [] : [`JSON labelled "${type === '' ? 'nothing' : type}"`]
    return { value: json.value, kind: 'json', quirks: [...quirks, ...label] }
  }
  if (text.startsWith('<')) {
    const isPage = /^<(!doctype html|html)\b/i.test(text) || /^text\/html/i.test(type)
    const value = isPage ? undefined : await readXml(text)
    return value === undefined ? { value: text, kind: 'page', quirks } : { value, kind: 'xml', quirks }
  }
  if (/^[\w.~%+-]+=[^<>{}"\s]*$/.test(text) && isForm(text, type)) {
    const value = Object.fromEntries(new URLSearchParams(text))
    return { value, kind: 'form', quirks: [...quirks, 'a form-encoded answer'] }
  }
  return { value: text, kind: 'text', quirks }
}

/** A token that ends in `=` looks like a form of one empty field. */
function isForm(text: string, type: string): boolean {
  return /x-www-form-urlencoded/i.test(type) || /^[\w.~%+-]+=[^&=]+&|(^|&)(access_token|token|error)=[^=]/.test(text)
}

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}
