import type { Connection, Credential } from '../model/connection.ts'
import type { Setting } from '../model/dialect.ts'
import { AuthCliError, ProviderError, TransportError } from '../model/errors.ts'
import type { Header } from '../model/event.ts'
import type { Integration } from '../model/integration.ts'
import type { World } from '../model/world.ts'
import { authorizationUrl, challengeOf, unguessable } from '../wire/authorization.ts'
import { judge } from '../wire/callback.ts'
import type { Metadata } from '../wire/oauth.ts'
import { assertSecure } from '../wire/secure.ts'
import type { Attempt, Obtained } from './mode.ts'
import { pushedWhereWanted, withinReason } from './push.ts'
import { credentialOf, redeem } from './redeem.ts'
import { roundTrip } from './round-trip.ts'
import { roadOf, type Settle, settleEndpoints } from './settle.ts'
import { answersOf, known, type Request, settingOf, talkTo, titleOf, unknownEndpoint } from './talk.ts'

export const authMode = 'OAUTH2'

export const settle = settleEndpoints

export function obtain(
  world: World,
  integration: Integration,
  attempt: Attempt,
  keep: (obtained: Obtained) => Promise<void>,
): Promise<void> {
  return grant(world, integration, attempt, keep, settle)
}

/**
 * The authorization code grant with PKCE through the system's browser (RFC 6749 §4.1, RFC 7636, RFC 8252), once it is
 * settled at which endpoints and as which client. The browser is answered only after `keep`, so that its page tells the
 * truth.
 */
export async function grant(
  world: World,
  given: Integration,
  attempt: Attempt,
  keep: (obtained: Obtained) => Promise<void>,
  settle: Settle,
): Promise<void> {
  let integration = given
  let origins: readonly string[] | undefined
  let metadata: Promise<Metadata | undefined> | undefined
  let oauth: Promise<typeof import('../wire/oauth.ts')> | undefined
  let issRequired = false
  const setting = settingOf(integration, 'authorization_code')
  const known = (found: Metadata | undefined): Metadata | undefined => {
    issRequired = found?.authorization_response_iss_parameter_supported === true
    return found
  }
  const journey = roundTrip(world, given, attempt, {
    prepare: async (redirectUri) => {
      const settled = await settle(world, { ...given, redirectUri }, attempt)
      integration = settled.integration
      const asked = settled.metadata ?? metadataOf(integration, attempt, world.signal)
      metadata = Promise.resolve(asked).then(known)
      const early = await withinReason(metadata, world)
      const drawn = authorizationRequest(world, integration, attempt, redirectUri)
      const carried = await pushedWhereWanted(drawn, integration, attempt, early)
      origins = carried.origins
      return carried.request
    },
    judge: (params, { state }) => {
      const { issuer } = integration.endpoints
      const expected = { state, issuer, ...(issRequired ? { issRequired } : {}) }
      return judge(attempt.speech.hear(params, setting), expected)
    },
    // Loaded while the person is away: none of it delays the browser.
    meanwhile: (opened) => {
      oauth = opened.then(() => import('../wire/oauth.ts'))
    },
    finish: async (home, request) => {
      const { exchangeCode } = await (oauth ?? import('../wire/oauth.ts'))
      const server = { metadata: await metadata, exchangeCode }
      const obtained = await redeem(world, integration, attempt, request, home, server)
      await keep({ ...obtained, integration, origins })
    },
  })
  await journey.catch(async (error: unknown) => {
    if (error instanceof ProviderError && error.code === 'INVALID_CLIENT' && integration.client.registration) {
      const { forgetClient } = await import('./enrol.ts')
      await forgetClient(world, integration)
    }
    throw withDoubt(error, integration)
  })
}

/** A client that was registered by an earlier flow may be forgotten by now: the browser then shows it, and nobody comes. */
function withDoubt(error: unknown, { client }: Integration): unknown {
  if (client.registration === undefined || !(error instanceof TransportError) || error.code !== 'TIMEOUT') return error
  return new TransportError(error.code, error.message, {
    facts: error.facts,
    cause: error,
    hint: 'If the browser says that the client is not known, register another: connect again with --replace.',
  })
}

/** The request as it would be sent, for `--dry-run`: nothing is opened, nothing is sent. */
export function authorizationRequest(
  world: Pick<World, 'random' | 'secrets'>,
  integration: Integration,
  attempt: Pick<Attempt, 'speech'>,
  redirectUri: string,
): Request {
  const { client, endpoints, pkce, provider, scopes } = integration
  const { template } = provider
  const state = world.secrets.learn(unguessable(world.random))
  const codeVerifier = pkce ? world.secrets.learn(unguessable(world.random)) : undefined
  const setting = settingOf(integration, 'authorization_code')
  const standard = authorizationUrl({
    endpoint: known(endpoints.authorization),
    clientId: client.id,
    redirectUri,
    scope: scopes.join(template.scope_separator ?? ' '),
    state,
    templateParams: integration.templateParams,
    codeChallenge: codeVerifier === undefined ? undefined : challengeOf(codeVerifier),
    nonce: scopes.includes('openid') ? unguessable(world.random) : undefined,
    overrides: integration.authorizationParams,
  })
  // The person may have put another in its place, or none: that is what will come back.
  const nonce = standard.searchParams.get('nonce') ?? undefined
  return { url: attempt.speech.authorize(standard, setting), state, codeVerifier, nonce, redirectUri }
}

/** The browser's URL, then what the token request would be, shown to `line` and never answered. Rejects as `line` does. */
export async function rehearse(
  world: Pick<World, 'random' | 'secrets'>,
  integration: Integration,
  attempt: Attempt,
  show: (url: URL) => void,
): Promise<void> {
  const request = authorizationRequest(world, integration, attempt, integration.redirectUri)
  show(request.url)
  const { exchangeCode } = await import('../wire/oauth.ts')
  const params = new URLSearchParams({ code: 'CODE', state: request.state })
  const token = integration.endpoints.token ?? unknownEndpoint
  await exchangeCode(
    talkTo(integration, attempt, { ...integration.endpoints, token }, integration.params, request, undefined),
    {
      ...request,
      params,
    },
  )
}

/** Metadata is a help, not a need: without it `iss` is still compared and the ID token's claims are still checked. */
async function metadataOf(
  integration: Integration,
  attempt: Attempt,
  gone: AbortSignal,
): Promise<Metadata | undefined> {
  const { issuer } = integration.endpoints
  if (issuer === undefined) return undefined
  try {
    const { discover } = await import('../wire/discovery.ts')
    return await discover(issuer, roadOf(integration, attempt))
  } catch (error) {
    if (!(error instanceof AuthCliError)) throw error
    if (gone.aborted) return undefined
    attempt.tell({
      type: 'warning',
      code: error.code,
      message: `The issuer's metadata cannot be had: ${error.message}`,
    })
    return undefined
  }
}

/** A younger access token for the refresh token (RFC 6749 §6), from the connection's own snapshot. */
export async function renew(world: World, connection: Connection, attempt: Attempt): Promise<Obtained> {
  const { snapshot, credential, params, scopes } = connection
  const { refreshTokens } = await import('../wire/oauth.ts')
  const tokenUrl = known(snapshot.endpoints.refresh ?? snapshot.endpoints.token)
  assertSecure(tokenUrl, snapshot.allowHttp, 'token_url')
  const setting: Setting = {
    template: snapshot.template,
    endpoints: snapshot.endpoints,
    params,
    scopes: scopes.requested,
    grant: 'refresh_token',
    tokenParams: snapshot.tokenParams,
    client: snapshot.client,
    redirectUri: snapshot.redirectUri,
    held: credential,
  }
  const tokens = await refreshTokens(
    {
      server: {
        issuer: snapshot.endpoints.issuer,
        authorizationEndpoint: known(snapshot.endpoints.authorization),
        tokenEndpoint: tokenUrl,
      },
      client: snapshot.client,
      party: {
        title: titleOf(snapshot.template, connection.provider),
        clientId: snapshot.client.id,
        clientSecret: snapshot.client.secret,
        authentication: snapshot.client.authentication,
        redirectUri: snapshot.redirectUri ?? '',
        answers: answersOf(snapshot.template, params),
      },
      line: attempt.speech.line('refresh', setting),
      allowHttp: snapshot.allowHttp,
    },
    // Where the provider renews without one, the dialect puts in its place what it wants.
    credential.refreshToken ?? credential.accessToken ?? '',
  )
  const fresh = credentialOf(tokens, world)
  return {
    // RFC 6749 §6: without a new refresh token the old one stays good.
    credential: {
      ...fresh,
      refreshToken: fresh.refreshToken ?? credential.refreshToken,
      idToken: fresh.idToken ?? credential.idToken,
      ...withCaptured(credential.captured, fresh.captured),
    },
    granted: tokens.scopes,
    params,
    endpoints: snapshot.endpoints,
    redirectUri: snapshot.redirectUri,
  }
}

/** What came beside the token before, and what came now in its place. */
function withCaptured(
  before: Credential['captured'],
  now: Credential['captured'],
): { readonly captured?: Credential['captured'] } {
  return before === undefined && now === undefined ? {} : { captured: { ...before, ...now } }
}

/** RFC 6750 §2.1: in the header, nowhere else. */
export function carry({ credential }: Connection): readonly Header[] {
  return credential.accessToken === undefined ? [] : [['authorization', `Bearer ${credential.accessToken}`]]
}
