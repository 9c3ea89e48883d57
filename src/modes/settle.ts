import { AuthCliError, UsageError } from '../model/errors.ts'
import type { Integration } from '../model/integration.ts'
import type { World } from '../model/world.ts'
import { discover, endpointIn, neededEndpoint, type Road } from '../wire/discovery.ts'
import type { Metadata } from '../wire/oauth.ts'
import type { Attempt } from './mode.ts'

/** A flow with everything in hand that the browser's journey needs. */
export interface Settled {
  /** Its endpoints and its client known. */
  readonly integration: Integration
  /** What the server says of itself, where that had to be known beforehand. */
  readonly metadata?: Metadata | undefined
}

/** Finds out before the browser opens what no template says. */
export type Settle = (world: World, integration: Integration, attempt: Attempt) => Promise<Settled>

export function roadOf(integration: Integration, { speech, tell }: Attempt): Road {
  return {
    transmit: speech.transmit('metadata'),
    allowHttp: integration.allowHttp,
    remark: (quirk) => tell({ type: 'quirk', quirk }),
  }
}

/** Where a template names its issuer and leaves the endpoints to it (RFC 8414), they are looked up there. */
export const settleEndpoints: Settle = async (_world, integration, attempt) => {
  const { endpoints, provider } = integration
  const hasToken = endpoints.token !== undefined || provider.template.token_url !== undefined
  if (endpoints.issuer === undefined || (endpoints.authorization !== undefined && hasToken)) return { integration }
  const metadata = await discover(endpoints.issuer, roadOf(integration, attempt))
  attempt.tell({ type: 'server.discovered', issuer: metadata.issuer })
  return { integration: withAuthentication(withServer(integration, metadata), metadata), metadata }
}

/** The integration at the endpoints that a server names; what the template says itself stands. */
export function withServer(integration: Integration, metadata: Metadata): Integration {
  const { endpoints, allowHttp, provider } = integration
  const isLater = endpoints.token === undefined && provider.template.token_url !== undefined
  const settled = {
    ...endpoints,
    issuer: metadata.issuer,
    authorization: endpoints.authorization ?? neededEndpoint(metadata, 'authorization_endpoint', allowHttp),
    token: isLater ? undefined : (endpoints.token ?? neededEndpoint(metadata, 'token_endpoint', allowHttp)),
  }
  assertBound(integration, [settled.authorization, settled.token])
  return { ...integration, endpoints: settled }
}

/** A client that was saved goes only to the server that it was saved with. Throws UsageError `ORIGIN_CHANGED`. */
export function assertBound(
  { clientOrigins: bound, client, connection }: Integration,
  urls: readonly (string | undefined)[],
): void {
  if (bound === undefined || client.id === '') return
  const origins = urls.flatMap((url) => (url === undefined ? [] : [new URL(url).origin]))
  const other = origins.filter((origin) => !bound.includes(origin))
  if (other.length === 0) return
  throw new UsageError(
    'ORIGIN_CHANGED',
    `The client of "${connection}" belongs to ${bound.join(', ')}, but the server now names ${[...new Set(other)].join(', ')}.`,
    { hint: 'If that is right, name the client of the new server with --client-id, or start anew with --replace.' },
  )
}

/** How the client proves itself, by what the server takes (RFC 8414 §2), where nobody has said so. */
export function withAuthentication(integration: Integration, metadata: Metadata | undefined): Integration {
  const { client, authenticationFrom } = integration
  if (client.secret === undefined || authenticationFrom !== 'default' || metadata === undefined) return integration
  const takes = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
  const authentication = takes.includes('client_secret_post')
    ? 'post'
    : takes.includes('client_secret_basic')
      ? 'basic'
      : undefined
  return authentication === undefined ? integration : { ...integration, client: { ...client, authentication } }
}

/** Endpoints beside those of the grant, by the template's words for them; one that cannot be used is left out. */
export function besideEndpoints(metadata: Metadata, allowHttp: boolean): Readonly<Record<string, string>> {
  const names = {
    revocation_url: 'revocation_endpoint',
    introspection_url: 'introspection_endpoint',
    userinfo_url: 'userinfo_endpoint',
    device_authorization_url: 'device_authorization_endpoint',
    registration_url: 'registration_endpoint',
  }
  return Object.fromEntries(
    Object.entries(names).flatMap(([field, name]) => {
      const url = usableOrNone(() => endpointIn(metadata, name, allowHttp))
      return url === undefined ? [] : [[field, url]]
    }),
  )
}

function usableOrNone(find: () => string | undefined): string | undefined {
  try {
    return find()
  } catch (error) {
    if (error instanceof AuthCliError) return undefined
    throw error
  }
}
