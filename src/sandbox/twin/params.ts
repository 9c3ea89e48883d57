import type { Demand } from './demand.ts'
import { type Fields, fieldsOf, isFields, listOf, parsedFields } from './fields.ts'
import { type Call, mediaType } from './stage.ts'
import { xmlFields } from './xml.ts'

export type BodyFormat = 'form' | 'json' | 'xml' | 'query'

type Read = { readonly params: Fields } | { readonly flaw: string }

const types: Readonly<Record<Exclude<BodyFormat, 'query'>, RegExp>> = {
  form: /^application\/x-www-form-urlencoded$/,
  json: /^application\/(?:[\w.-]+\+)?json$/,
  xml: /^(?:application|text)\/(?:[\w.-]+\+)?xml$/,
}

/** The parameters of a form or a query. One that is there twice is a flaw (RFC 6749 §3.2). */
export function formParams(text: string, where: string): Read {
  const found = new URLSearchParams(text)
  const names = [...found.keys()]
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  return twice === undefined ? { params: Object.fromEntries(found) } : { flaw: `${where} has ${twice} more than once` }
}

/** The parameters of a request in the format that the provider wants; `type` where the template names the media type itself. */
export function readParams(call: Call, format: BodyFormat, type?: string): Read {
  if (format === 'query') {
    return call.body === ''
      ? formParams(call.query, 'the query')
      : { flaw: 'the parameters belong in the query; there must be no body' }
  }
  const sent = mediaType(call)
  const wanted = type?.split(';')[0]?.trim().toLowerCase()
  const isRight = wanted === undefined ? types[format].test(sent) : sent === wanted
  if (call.body === '' && (sent === '' || isRight)) return { params: {} }
  if (!isRight) {
    return {
      flaw: `the content type is ${sent || 'not given'}, not ${wanted ?? types[format].source.replace(/[\\^$]|\(.*?\)\??/g, '')}`,
    }
  }
  if (format === 'form') return formParams(call.body, 'the body')
  const params = format === 'json' ? parsedFields(call.body) : xmlFields(call.body)
  return params === undefined ? { flaw: `the body is no ${format === 'json' ? 'JSON object' : 'XML'}` } : { params }
}

/**
 * What the template's parameters demand of those that were sent, nested ones by their path. `typed`: the format tells
 * numbers and truth values from texts, so they are to be what they are in the template.
 */
export function paramDemands(
  expected: Fields,
  sent: Fields,
  options: { readonly typed: boolean; readonly hasAlternatives: boolean; readonly within?: string },
): { readonly demands: readonly Demand[]; readonly flaws: readonly string[] } {
  const demands: Demand[] = []
  const flaws: string[] = []
  const { typed, hasAlternatives, within = '' } = options
  for (const [name, value] of Object.entries(expected)) {
    const actual = sent[name]
    const what = `the parameter ${within}${name}`
    if (isFields(value) || Array.isArray(value)) {
      const nested = paramDemands(asFields(value), asFields(actual), { ...options, within: `${within}${name}.` })
      demands.push(...nested.demands)
      flaws.push(...nested.flaws)
    } else if (typeof value === 'string') {
      const isText = actual === undefined || actual === null || typeof actual === 'string'
      if (isText) demands.push({ what, text: value, actual: actual ?? undefined, hasAlternatives })
      else flaws.push(`${what} is not a text`)
    } else if (value !== null && value !== undefined) {
      const isSame = typed ? actual === value : String(actual) === String(value)
      if (!isSame) flaws.push(actual === undefined ? `${what} is missing` : `${what} is not ${JSON.stringify(value)}`)
    }
  }
  return { demands, flaws }
}

const asFields = (value: unknown): Fields =>
  Array.isArray(value) ? Object.fromEntries(listOf(value).map((one, index) => [String(index), one])) : fieldsOf(value)
