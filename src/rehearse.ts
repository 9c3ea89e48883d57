import { Cancelled } from './model/errors.ts'
import type { Header } from './model/event.ts'
import type { Integration } from './model/integration.ts'
import type { Outgoing, World } from './model/world.ts'
import { authorizationRequest, rehearseExchange } from './modes/authorization-code.ts'
import { speechOf } from './speech.ts'
import { maskBody, maskHeaders, maskUrl } from './wire/mask.ts'
import { headerOf } from './wire/record.ts'

/** What a flow would do, told instead of done. */
export interface Rehearsal {
  /** Whole, its state included: it can be opened, though nobody listens. */
  readonly authorizationUrl: string
  /** Client secret, Authorization header and verifier masked; `CODE` stands for the code. */
  readonly tokenRequest: {
    readonly method: string
    readonly url: string
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
  }
  readonly redirectUri: string
}

/** The authorization URL and the token request that would follow; opens nothing, sends nothing. */
export async function rehearse(world: World, integration: Integration): Promise<Rehearsal> {
  let caught: Outgoing | undefined
  const end = new Cancelled()
  const stage: World = {
    ...world,
    store: world.store,
    secrets: world.secrets,
    send: (request) => {
      caught = request
      return Promise.reject(end)
    },
  }
  const attempt = { id: '', tell: () => {}, speech: speechOf(stage, () => {}, integration.provider.names) }
  const request = authorizationRequest(world, integration, attempt, integration.redirectUri)
  await rehearseExchange(integration, attempt, request).catch((error: unknown) => {
    if (error !== end) throw error
  })
  if (caught === undefined) throw new Error('the rehearsal sent nothing')
  const { endpoints, provider } = integration
  // What only the callback brings is still to be filled: then the URL is told as the template writes it.
  const written = endpoints.token === undefined ? provider.template.token_url : undefined
  const tokenRequest = shown(caught, world)
  return {
    authorizationUrl: request.url.href,
    tokenRequest: { ...tokenRequest, url: written ?? tokenRequest.url },
    redirectUri: request.redirectUri,
  }
}

function shown(request: Outgoing, { secrets }: Pick<World, 'secrets'>): Rehearsal['tokenRequest'] {
  const headers: readonly Header[] = maskHeaders(request.headers, secrets)
  const body = typeof request.body === 'string' ? request.body : ''
  const masked = maskBody(body, headerOf(request.headers, 'content-type'), secrets)
  const placeholder = secrets.mask('CODE')
  return {
    method: request.method,
    url: maskUrl(request.url, secrets),
    headers: Object.fromEntries(headers),
    body: masked.replaceAll(placeholder, 'CODE'),
  }
}
