import { connectionOf } from './connect.ts'
import { Cancelled } from './model/errors.ts'
import type { Integration } from './model/integration.ts'
import type { Outgoing, World } from './model/world.ts'
import { modeOf, traitsOf } from './modes/index.ts'
import type { Attempt } from './modes/mode.ts'
import { prove } from './prove.ts'
import { speechOf } from './speech.ts'
import { maskBody, maskHeaders, maskUrl } from './wire/mask.ts'
import { headerOf } from './wire/record.ts'

/** A request as it would be sent; client secret, Authorization header, verifier and the like masked. */
export interface RehearsedRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What a flow would do, told instead of done. */
export interface Rehearsal {
  /** The request that would find out, before any browser opens, where and as whom; then nothing more can be told. */
  readonly discovery?: RehearsedRequest | undefined
  /** Whole, its state included: it can be opened, though nobody listens. Absent where the mode opens no browser. */
  readonly authorizationUrl?: string | undefined
  /** What comes before the browser: temporary credentials (RFC 5849 §2.1). The browser's URL is known only after it. */
  readonly temporaryRequest?: RehearsedRequest | undefined
  /** `CODE` stands for the code. Absent where no token is asked for. */
  readonly tokenRequest?: RehearsedRequest | undefined
  /** The call that would prove the credential before it is saved. */
  readonly verification?: RehearsedRequest | undefined
  readonly redirectUri?: string | undefined
}

/** The requests of a flow up to the first answer that it would need; opens nothing, sends nothing. */
export async function rehearse(world: World, integration: Integration): Promise<Rehearsal> {
  const stage = stageOf(world)
  const attempt = { id: '', tell: () => {}, speech: speechOf(stage.world, () => {}, integration.provider.names) }
  if (traitsOf(integration.provider.template.auth_mode).opensBrowser === true)
    return rehearseBrowser(stage, integration, attempt)
  const kind = await rehearseAlone(stage, integration, attempt)
  const caught = stage.caught()
  return caught === undefined ? {} : { [kind]: shown(caught, world) }
}

interface Stage {
  readonly world: World
  /** Runs until the first request would leave. */
  readonly run: (act: () => Promise<unknown>) => Promise<void>
  readonly caught: () => Outgoing | undefined
}

/** A World whose far end is never reached. */
function stageOf(world: World): Stage {
  let caught: Outgoing | undefined
  const end = new Cancelled()
  return {
    world: {
      ...world,
      store: world.store,
      secrets: world.secrets,
      send: (request) => {
        caught = request
        return Promise.reject(end)
      },
    },
    run: async (act) => {
      await act().catch((error: unknown) => {
        if (error !== end) throw error
      })
    },
    caught: () => caught,
  }
}

async function rehearseBrowser(stage: Stage, found: Integration, attempt: Attempt): Promise<Rehearsal> {
  const { world } = stage
  const { provider } = found
  const mode = await modeOf(provider.template.auth_mode, provider.name)
  let integration = found
  await stage.run(async () => {
    if (mode.settle !== undefined) integration = (await mode.settle(world, found, attempt)).integration
  })
  const asked = stage.caught()
  if (asked !== undefined) return { discovery: shown(asked, world), redirectUri: integration.redirectUri }
  const { endpoints, redirectUri } = integration
  let sent: URL | undefined
  await stage.run(async () => {
    await mode.rehearse?.(world, integration, attempt, (url) => {
      sent = url
    })
  })
  const caught = stage.caught()
  if (caught === undefined) {
    if (sent === undefined) throw new Error('the rehearsal sent nothing')
    return { authorizationUrl: sent.href, redirectUri }
  }
  if (sent === undefined) return { temporaryRequest: shown(caught, world), redirectUri }
  // What only the callback brings is still to be filled: then the URL is told as the template writes it.
  const { token_url: template } = provider.template
  const written = endpoints.token === undefined && typeof template === 'string' ? template : undefined
  const tokenRequest = shown(caught, world)
  return {
    authorizationUrl: sent.href,
    tokenRequest: { ...tokenRequest, url: written ?? tokenRequest.url },
    redirectUri,
  }
}

/** Without a browser: the mode does its work until it would ask somebody. */
async function rehearseAlone(
  stage: Stage,
  integration: Integration,
  attempt: Attempt,
): Promise<'tokenRequest' | 'verification'> {
  const { world } = stage
  const { template, name } = integration.provider
  const mode = await modeOf(template.auth_mode, name)
  let isObtained = false
  await stage.run(() =>
    mode.obtain(world, integration, attempt, async (obtained) => {
      isObtained = true
      await prove(world, connectionOf(world, integration, obtained), attempt.tell, attempt.speech)
    }),
  )
  return isObtained ? 'verification' : 'tokenRequest'
}

function shown(request: Outgoing, { secrets }: Pick<World, 'secrets'>): RehearsedRequest {
  const body = typeof request.body === 'string' ? request.body : ''
  const masked = maskBody(body, headerOf(request.headers, 'content-type'), secrets)
  const placeholder = secrets.mask('CODE')
  return {
    method: request.method,
    url: maskUrl(request.url, secrets),
    headers: Object.fromEntries(maskHeaders(request.headers, secrets)),
    body: masked.replaceAll(placeholder, 'CODE'),
  }
}
