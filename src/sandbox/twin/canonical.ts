import { type Fields, parsedFields } from './fields.ts'
import { type Call, headerOf, mediaType } from './stage.ts'

/** Percent-encoded as RFC 3986 §2.3 has it: everything but letters, digits and `-._~`. */
export function strictlyEncoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)
}

const byCode = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Parameters encoded, then sorted by name and value. */
export function canonicalParams(params: Iterable<readonly [string, string]>): string {
  return [...params]
    .map(([name, value]) => [strictlyEncoded(name), strictlyEncoded(value)] as const)
    .sort(([a, x], [b, y]) => byCode(a, b) || byCode(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

/** What `${method}`, `${path}` and their like mean for one call. */
export function requestNames(call: Call): Fields {
  const { url, method, body } = call
  const inUrl = canonicalParams(url.searchParams)
  const isForm = mediaType(call) === 'application/x-www-form-urlencoded'
  const inBody = isForm ? canonicalParams(new URLSearchParams(body)) : body
  return {
    method,
    host: url.host,
    path: url.pathname,
    endpoint: url.pathname + url.search,
    urlCanonicalParams: inUrl,
    bodyCanonicalParams: inBody,
    params: isForm && body !== '' ? inBody : inUrl,
    contentType: headerOf(call, 'content-type') ?? '',
  }
}

/** The body of an API call as parameters; undefined where it is neither a form nor a JSON object. */
export function bodyParams(call: Call): Fields | undefined {
  if (mediaType(call) === 'application/x-www-form-urlencoded') return Object.fromEntries(new URLSearchParams(call.body))
  return parsedFields(call.body)
}
