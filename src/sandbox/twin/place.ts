import { type Fields, fieldsOf, textOf, textsOf } from './fields.ts'
import { alternatives, fill, fillUrl } from './fill.ts'
import type { Call, Endpoint, Part } from './stage.ts'

/** The segments of a path, decoded, so that two spellings of one path are one. */
function segmentsOf(path: string): readonly string[] {
  return path.split('/').map((segment) => {
    try {
      return decodeURIComponent(segment)
    } catch {
      return segment
    }
  })
}

const isSamePath = (one: string, other: string): boolean => {
  const others = segmentsOf(other)
  const segments = segmentsOf(one)
  return segments.length === others.length && segments.every((segment, index) => segment === others[index])
}

function isWithin(base: string, path: string): boolean {
  const lead = segmentsOf(base.replace(/\/+$/, ''))
  const segments = segmentsOf(path)
  return lead.every((segment, index) => segment === segments[index])
}

/** What the URL's own query demands of a call that it lacks. */
function lackingQuery(url: URL, call: Call): readonly string[] {
  return [...url.searchParams].flatMap(([name, value]) =>
    call.url.searchParams.getAll(name).includes(value) ? [] : [name],
  )
}

const isAt = (url: URL, call: Call): boolean =>
  url.origin === call.url.origin && isSamePath(url.pathname, call.url.pathname)

/**
 * Of several endpoints at one path, the one whose query fits and says most. `lacking`: what the best one's query
 * demands that the call has not.
 */
export function endpointAt(
  endpoints: readonly Endpoint[],
  call: Call,
): { readonly endpoint: Endpoint; readonly lacking: readonly string[] } | undefined {
  const here = endpoints
    .filter(({ url }) => isAt(url, call))
    .map((endpoint) => ({ endpoint, lacking: lackingQuery(endpoint.url, call), says: endpoint.url.searchParams.size }))
    .sort((a, b) => a.lacking.length - b.lacking.length || b.says - a.says)
  const fitting = here.filter(({ endpoint }) => endpoint.methods.includes(call.method))
  return fitting[0] ?? here[0]
}

/** Where the API may be: by each way in which a client may fill the address. */
export function apiBases(part: Part): readonly URL[] {
  const text = textOf(fieldsOf(part.template['proxy'])['base_url'])
  if (text === undefined) return []
  return part.variants.flatMap((roots) => fillUrl(text, { roots, time: 0 }) ?? [])
}

export function isApi(part: Part, call: Call): boolean {
  return apiBases(part).some((base) => base.origin === call.url.origin && isWithin(base.pathname, call.url.pathname))
}

/** A request by which a credential is tried. */
export interface Trial {
  readonly url: URL
  readonly methods: readonly string[]
  readonly headers: Fields
  readonly data: Fields
}

/** The requests that the template tries a credential with. */
export function trialsOf(part: Part): readonly Trial[] {
  const proxy = fieldsOf(part.template['proxy'])
  const trial = fieldsOf(proxy['verification'])
  const override = textOf(trial['base_url_override'])
  const [roots] = part.variants
  const bases = override === undefined ? apiBases(part) : [fillUrl(override, { roots, time: 0 })]
  return bases.flatMap((base) =>
    textsOf(trial['endpoints']).flatMap((endpoint) => {
      const filled = fillEncoded(endpoint, roots)
      const url = base === undefined ? '' : `${base.href.replace(/\/+$/, '')}/${filled.replace(/^\/+/, '')}`
      if (!URL.canParse(url)) return []
      const methods = [textOf(trial['method']) ?? 'GET']
      return [{ url: new URL(url), methods, headers: fieldsOf(trial['headers']), data: fieldsOf(trial['data']) }]
    }),
  )
}

/** The values of a path, encoded in their places. */
function fillEncoded(text: string, roots: Fields): string {
  const [first = ''] = alternatives(text)
  const url = fillUrl(`https://path.example/${first.replace(/^\/+/, '')}`, { roots, time: 0 })
  return url === undefined ? fill(first, { roots, time: 0 }).text : url.pathname + url.search
}

export function trialAt(part: Part, call: Call): Trial | undefined {
  return trialsOf(part).find(
    ({ url, methods }) => isAt(url, call) && methods.includes(call.method) && lackingQuery(url, call).length === 0,
  )
}
