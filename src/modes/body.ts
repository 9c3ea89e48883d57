import { TemplateError } from '../model/errors.ts'
import { writeXml } from '../signing/xml.ts'

/** How the parameters of a log-in are sent. */
export type BodyFormat = 'json' | 'form' | 'xml' | 'query'

/** JSON unless the template says otherwise. */
export function formatOf(written: string | undefined): BodyFormat {
  return written === 'form' || written === 'xml' || written === 'query' ? written : 'json'
}

export const contentTypes: Readonly<Record<Exclude<BodyFormat, 'query'>, string>> = {
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
  xml: 'application/xml',
}

/** Parameters as a body; a value that is no scalar is JSON within a form. Throws TemplateError `TEMPLATE_INVALID`. */
export async function bodyOf(
  params: Readonly<Record<string, unknown>>,
  format: Exclude<BodyFormat, 'query'>,
  field: string,
): Promise<string> {
  if (format === 'json') return JSON.stringify(params)
  if (format === 'form') return pairsOf(params).toString()
  try {
    return `<?xml version="1.0" encoding="UTF-8"?>${await writeXml(params)}`
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause
    throw new TemplateError('TEMPLATE_INVALID', `${field} cannot be written as XML: ${cause.message}.`, {
      cause,
      hint: 'XML has one root element, names that begin with a letter, and no control characters.',
    })
  }
}

/** The URL with the parameters behind its own. */
export function withQuery(url: string, params: Readonly<Record<string, unknown>>): string {
  const pairs = pairsOf(params).toString()
  if (pairs === '') return url
  return `${url}${url.includes('?') ? (/[?&]$/.test(url) ? '' : '&') : '?'}${pairs}`
}

function pairsOf(params: Readonly<Record<string, unknown>>): URLSearchParams {
  const pairs = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined || value === null) continue
    pairs.append(name, typeof value === 'object' ? JSON.stringify(value) : String(value))
  }
  return pairs
}
