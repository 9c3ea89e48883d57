import type { Integration } from '../model/integration.ts'
import type { World } from '../model/world.ts'
import type { Metadata } from '../wire/oauth.ts'
import type { Attempt } from './mode.ts'
import { assertBound } from './settle.ts'
import { known, type Request, talkTo, unknownEndpoint } from './talk.ts'

/** Milliseconds that the browser waits for metadata: as long as one request for it may take. */
const patience = 5_000

/** What a server says of itself in time: it may want the request to be pushed first. */
export async function withinReason(
  metadata: Promise<Metadata | undefined> | Metadata,
  { clock, signal }: Pick<World, 'clock' | 'signal'>,
): Promise<Metadata | undefined> {
  if (!(metadata instanceof Promise)) return metadata
  const enough = new AbortController()
  const nothing = (): undefined => undefined
  const late = clock.sleep(patience, AbortSignal.any([signal, enough.signal])).then(nothing, nothing)
  return Promise.race([metadata, late]).finally(() => enough.abort())
}

/** A request as the browser carries it. */
export interface Carried {
  readonly request: Request
  /** Origins that the client was shown to on the way. */
  readonly origins?: readonly string[] | undefined
}

/** RFC 9126 §5: where the server takes pushed requests only, the browser carries a reference, good for this once. */
export async function pushedWhereWanted(
  request: Request,
  integration: Integration,
  attempt: Attempt,
  metadata: Metadata | undefined,
): Promise<Carried> {
  if (metadata?.require_pushed_authorization_requests !== true) return { request }
  const [{ pushRequest }, { neededEndpoint }] = await Promise.all([
    import('../wire/oauth.ts'),
    import('../wire/discovery.ts'),
  ])
  const place = neededEndpoint(metadata, 'pushed_authorization_request_endpoint', integration.allowHttp)
  assertBound(integration, [place])
  const endpoints = { ...integration.endpoints, token: integration.endpoints.token ?? unknownEndpoint }
  const talk = talkTo(integration, attempt, endpoints, integration.params, request, metadata)
  const params = request.url.searchParams
  const remark = (quirk: string): void => attempt.tell({ type: 'quirk', quirk })
  const reference = await pushRequest(talk, place, params, attempt.speech.transmit('par'), remark)
  const url = new URL(known(integration.endpoints.authorization))
  url.searchParams.set('client_id', integration.client.id)
  url.searchParams.set('request_uri', reference)
  return { request: { ...request, url }, origins: [new URL(place).origin] }
}
