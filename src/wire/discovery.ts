import { ProviderError, TransportError } from '../model/errors.ts'
import type { Challenge } from './challenge.ts'
import type { Metadata } from './oauth.ts'
import { headerOf, type Received, type Transmit } from './record.ts'
import { assertSecure, isLoopback } from './secure.ts'

/** How documents are fetched: `remark` is told of each deviation that was understood all the same. */
export interface Road {
  readonly transmit: Transmit
  readonly allowHttp: boolean
  readonly remark: (quirk: string) => void
}

/** What an API says of who protects it (RFC 9728 §2), as far as it is of use. */
export interface ResourceMetadata {
  /** Its resource identifier, to be sent as `resource` (RFC 8707 §2). */
  readonly resource: string
  /** Issuer identifiers; empty where it names none. */
  readonly authorizationServers: readonly string[]
  /** Undefined where it does not say. */
  readonly scopes?: readonly string[] | undefined
  readonly title?: string | undefined
}

type Members = Readonly<Record<string, unknown>>

/** Issuers of one resource that are asked; a list without end is nobody's. */
const mostServers = 5

/**
 * The metadata of an issuer (RFC 8414 §3, OpenID Connect Discovery §4): the document that names exactly this issuer.
 * `first`: whose place is asked first; an issuer with a path has three. Throws ProviderError `ISSUER_MISMATCH`,
 * `METADATA_UNUSABLE` when no place has metadata of this very issuer; TransportError.
 */
export async function discover(issuer: string, road: Road, first: 'oidc' | 'oauth' = 'oidc'): Promise<Metadata> {
  assertSecure(issuer, road.allowHttp, 'issuer')
  const tried: [string, string][] = []
  let failure: ProviderError | undefined
  for (const place of metadataPlaces(issuer, first)) {
    try {
      const document = await documentAt(place, road)
      return ofIssuer(document, issuer, place, road)
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error
      tried.push(['Tried', `${place}: ${error.status ?? error.code}`])
      failure = weightOf(error) >= weightOf(failure) ? error : failure
    }
  }
  throw new ProviderError(
    failure?.code === 'ISSUER_MISMATCH' ? 'ISSUER_MISMATCH' : 'METADATA_UNUSABLE',
    failure !== undefined && weightOf(failure) > 0
      ? failure.message
      : `${hostOf(issuer)} has no usable metadata for the issuer ${issuer}.`,
    {
      cause: failure,
      status: failure?.status,
      facts: tried,
      hint: failure?.hint ?? 'The document must name exactly this issuer (RFC 8414 §3.3): compare it in the log.',
    },
  )
}

/** Whether an error of `discover` says that there is nothing, rather than something that must not be used. */
export function isAbsent(error: unknown): boolean {
  if (!(error instanceof ProviderError)) return false
  return error.code === 'METADATA_UNUSABLE' && error.status !== undefined && error.status >= 400
}

/** The places of an issuer's metadata in the order in which they are asked; an issuer without a path has two. */
export function metadataPlaces(issuer: string, first: 'oidc' | 'oauth'): readonly string[] {
  const url = new URL(issuer)
  const path = url.pathname.replace(/\/+$/, '')
  const oauth = `${url.origin}/.well-known/oauth-authorization-server${path}`
  const inserted = `${url.origin}/.well-known/openid-configuration${path}`
  const appended = `${url.origin}${path}/.well-known/openid-configuration`
  const places = first === 'oauth' ? [oauth, inserted, appended] : [appended, oauth, inserted]
  return [...new Set(places)]
}

/**
 * What a resource says of who protects it (RFC 9728 §3, §5): at the place that its challenge names, else at its
 * well-known places. Undefined where no place has anything. Throws ProviderError `RESOURCE_MISMATCH`,
 * `METADATA_UNUSABLE`, `INSECURE_URL`; TransportError.
 */
export async function discoverResource(
  resource: URL,
  challenge: Challenge | undefined,
  road: Road,
): Promise<ResourceMetadata | undefined> {
  const named = challenge?.params['resource_metadata']
  if (named !== undefined && !URL.canParse(named))
    throw unusable(resource.host, `names "${named.slice(0, 200)}" as its metadata, which is no URL`)
  const places = [...(named === undefined ? [] : [named]), ...resourcePlaces(resource)]
  for (const place of new Set(places)) {
    try {
      assertFrom(resource.href, place, 'resource_metadata', road)
      return ofResource(await documentAt(place, road), resource, place, road)
    } catch (error) {
      if (!(error instanceof ProviderError) || !isAbsent(error)) throw error
      if (place === named) road.remark(`its challenge names metadata at ${place}, which answers ${error.status}`)
    }
  }
  return undefined
}

/** RFC 9728 §3.1: between the host and the path, the query kept; then at the root, as servers of one API keep it. */
function resourcePlaces({ origin, pathname, search }: URL): readonly string[] {
  const root = `${origin}/.well-known/oauth-protected-resource`
  const path = pathname === '/' ? '' : pathname
  return [`${root}${path}${search}`, `${root}${path.replace(/\/+$/, '')}${search}`, root]
}

/** The identifier without what changes nothing: `HTTPS://H:443/mcp/` is `https://h/mcp` (RFC 8707 §2, MCP). */
export function canonicalResource(url: string): string {
  const { origin, pathname, search } = new URL(url)
  return `${origin}${pathname.replace(/\/+$/, '')}${search}`
}

/**
 * An endpoint of a metadata document, judged: http(s), secure, and not on this machine where the document is not.
 * Throws ProviderError `METADATA_UNUSABLE`, `INSECURE_URL`.
 */
export function endpointIn(metadata: Metadata, name: string, allowHttp: boolean): string | undefined {
  const value = (metadata as Members)[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string' || !URL.canParse(value))
    throw unusable(hostOf(metadata.issuer), `names a ${name} that is no URL`)
  const url = new URL(value)
  if (url.username !== '' || url.password !== '' || url.hash !== '')
    throw unusable(hostOf(metadata.issuer), `names a ${name} with a user name or a fragment in it`)
  assertFrom(metadata.issuer, value, name, { allowHttp })
  return value
}

/** The same where the flow cannot do without. */
export function neededEndpoint(metadata: Metadata, name: string, allowHttp: boolean): string {
  const endpoint = endpointIn(metadata, name, allowHttp)
  if (endpoint !== undefined) return endpoint
  throw unusable(hostOf(metadata.issuer), `names no ${name}`)
}

/** A stranger's document may not send us, or the browser, to this machine, nor anywhere over plain http. */
function assertFrom(source: string, target: string, name: string, { allowHttp }: Pick<Road, 'allowHttp'>): void {
  const { protocol, hostname, host } = new URL(target)
  if (protocol !== 'http:' && protocol !== 'https:')
    throw unusable(hostOf(source), `names a ${name} that is neither http nor https`)
  if (protocol === 'http:' && !allowHttp && !isLoopback(hostname)) {
    throw new ProviderError(
      'INSECURE_URL',
      `${hostOf(source)} names ${target.slice(0, 200)}, over plain http, as its ${name}.`,
      {
        hint: 'Nothing was sent there. If this is a network of your own, allow it for this run with --allow-http.',
      },
    )
  }
  if (isLoopback(hostname) && !isLoopback(new URL(source).hostname))
    throw unusable(hostOf(source), `names ${host}, on this machine, as its ${name}`)
}

async function documentAt(place: string, road: Road, isFollowed = false): Promise<Members> {
  assertSecure(place, road.allowHttp, 'the metadata URL')
  const answer = await road.transmit({
    method: 'GET',
    url: place,
    headers: [
      ['accept', 'application/json'],
      ['user-agent', 'auth-cli'],
    ],
  })
  if (answer.status >= 300 && answer.status <= 399) return documentAt(next(answer, place, isFollowed, road), road, true)
  if (answer.status !== 200) {
    throw new ProviderError(
      'METADATA_UNUSABLE',
      `${hostOf(place)} has no metadata there: it answered ${answer.status}.`,
      {
        status: answer.status,
      },
    )
  }
  const document = membersOf(answer.text)
  if (document !== undefined) return document
  const type = headerOf(answer.headers, 'content-type')
  const what = /html/i.test(type) || /^\s*</.test(answer.text) ? 'a page' : 'something'
  throw unusable(hostOf(place), `answers ${what} that is no JSON object where its metadata should be`, answer.status)
}

/** Where a redirect leads: followed once, within one origin; what is found there is judged as if it had stood here. */
function next(answer: Received, place: string, isFollowed: boolean, road: Road): string {
  const location = headerOf(answer.headers, 'location')
  const target = URL.canParse(location, place) ? new URL(location, place) : undefined
  if (target === undefined || isFollowed || target.origin !== new URL(place).origin) {
    const where = target === undefined ? 'nowhere' : isFollowed ? 'on and on' : `to ${target.host}`
    throw new ProviderError(
      'METADATA_UNUSABLE',
      `${hostOf(place)} redirects its metadata ${where} (${answer.status}).`,
      {
        status: answer.status,
        hint: 'Metadata is taken from its own place only (RFC 8414 §3); a redirect is followed once, and not to another origin.',
      },
    )
  }
  target.hash = ''
  road.remark(`its metadata has moved: ${place} redirects within ${target.host}`)
  return target.href
}

function ofIssuer(document: Members, issuer: string, place: string, road: Road): Metadata {
  const { issuer: named } = document
  if (typeof named !== 'string' || !URL.canParse(named)) throw unusable(hostOf(place), 'names no issuer', 200)
  if (new URL(named).href !== new URL(issuer).href) {
    throw new ProviderError(
      'ISSUER_MISMATCH',
      `The metadata of ${hostOf(place)} is of another issuer: ${named.slice(0, 300)}.`,
      {
        status: 200,
        hint: `It must name exactly ${issuer} (RFC 8414 §3.3), or tokens of one could be had by another. Nothing was sent to it.`,
      },
    )
  }
  if (named !== issuer) road.remark(`its metadata spells the issuer ${named}`)
  return document as unknown as Metadata
}

function ofResource(document: Members, resource: URL, place: string, road: Road): ResourceMetadata {
  const { resource: named } = document
  if (typeof named !== 'string' || !URL.canParse(named)) throw unusable(hostOf(place), 'names no resource', 200)
  const { authorization_servers: servers = [], scopes_supported: scopes, resource_name: title } = document
  if (!isTexts(servers)) throw unusable(hostOf(place), 'names authorization_servers that are no list of URLs', 200)
  return {
    resource: identifierOf(named, resource, place, road),
    authorizationServers: servers.slice(0, mostServers).map((server) => checkedServer(server, resource, road)),
    scopes: isTexts(scopes) ? scopes : undefined,
    title: typeof title === 'string' ? title : undefined,
  }
}

function checkedServer(server: string, resource: URL, road: Road): string {
  if (!URL.canParse(server)) throw unusable(resource.host, 'names an authorization server that is no URL', 200)
  assertFrom(resource.href, server, 'authorization server', road)
  return server
}

/** RFC 9728 §3.3: the document must be about what was asked for; one about all that stands below it is met too. */
function identifierOf(named: string, resource: URL, place: string, road: Road): string {
  const url = new URL(named)
  const [own, asked] = [canonicalResource(named), canonicalResource(resource.href)]
  if (own === asked && url.hash === '') {
    const isMeant = url.pathname !== '/' && url.pathname.endsWith('/') && resource.pathname.endsWith('/')
    return isMeant ? named : own
  }
  const isAbove = url.origin === resource.origin && url.hash === '' && url.search === ''
  if (isAbove && resource.pathname.startsWith(`${url.pathname.replace(/\/+$/, '')}/`)) {
    road.remark(`its metadata is about ${own}, of which ${asked} is a part; RFC 9728 §3.3 wants the same`)
    return own
  }
  throw new ProviderError(
    'RESOURCE_MISMATCH',
    `The metadata of ${hostOf(place)} is about another resource: ${named.slice(0, 300)}.`,
    {
      status: 200,
      hint: `It must be about ${asked} (RFC 9728 §3.3): a token for one server must not be had for another. Connect the URL that it names, if it is the one you mean.`,
    },
  )
}

function unusable(host: string, why: string, status?: number): ProviderError {
  return new ProviderError('METADATA_UNUSABLE', `${host} ${why}.`, {
    status,
    hint: 'Its metadata must be mended by whoever runs it; the document is in the log.',
  })
}

/** What tells more of what is wrong: a document that must not be used, rather than none. */
function weightOf(error: ProviderError | undefined): number {
  if (error === undefined) return -1
  if (error.code === 'ISSUER_MISMATCH') return 3
  if (error.code !== 'METADATA_UNUSABLE') return 2
  return error.status === 200 || (error.status ?? 0) < 400 ? 1 : 0
}

function membersOf(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : undefined
  } catch {
    return undefined
  }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'The server'
}

/** Whether what went wrong is one server's fault, so that another may be asked. */
export function isOfServer(error: unknown): error is ProviderError | TransportError {
  return error instanceof ProviderError || error instanceof TransportError
}
