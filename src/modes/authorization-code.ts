import type { Connection } from '../model/connection.ts'
import type { Setting } from '../model/dialect.ts'
import { AuthCliError, ProviderError, TransportError } from '../model/errors.ts'
import type { Header, Tell } from '../model/event.ts'
import type { Integration } from '../model/integration.ts'
import type { World } from '../model/world.ts'
import { authorizationUrl, challengeOf, unguessable } from '../wire/authorization.ts'
import { type Expectation, judge, type Verdict } from '../wire/callback.ts'
import { type Loopback, openLoopback } from '../wire/loopback.ts'
import { maskUrl } from '../wire/mask.ts'
import type { Metadata } from '../wire/oauth.ts'
import { bugPage, failurePage } from '../wire/page.ts'
import { assertSecure } from '../wire/secure.ts'
import { firstAnswer } from './homecoming.ts'
import type { Attempt, Obtained } from './mode.ts'
import { pushedWhereWanted, withinReason } from './push.ts'
import { credentialOf, redeem } from './redeem.ts'
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
  const { tell } = attempt
  let integration = given
  let expected: Expectation | undefined
  const ignored = new Map<string, number>()
  const setting = settingOf(integration, 'authorization_code')
  const judged = (params: URLSearchParams): Verdict =>
    expected === undefined
      ? { kind: 'stray', reason: 'state mismatch' }
      : judge(attempt.speech.hear(params, setting), expected)
  const loopback = await openLoopback(integration.listening, {
    judge: judged,
    onStray: (hit) => {
      ignored.set(hit.reason, (ignored.get(hit.reason) ?? 0) + 1)
      tell({ type: 'callback.ignored', ...hit })
    },
    signal: world.signal,
    scrub: world.secrets.scrub,
  })
  try {
    const redirectUri = withPort(given.redirectUri, loopback.port)
    const settled = await settle(world, { ...given, redirectUri }, attempt)
    integration = settled.integration
    const metadata = settled.metadata === undefined ? metadataOf(integration, attempt, world.signal) : settled.metadata
    const early = await withinReason(metadata, world)
    const drawn = authorizationRequest(world, integration, attempt, redirectUri)
    const { request, origins } = await pushedWhereWanted(drawn, integration, attempt, early)
    const { issuer } = integration.endpoints
    expected = { state: request.state, issuer, ...wantsIssuer(early) }
    announce(integration, loopback, request, world, tell)
    // Loaded and fetched while the person is away: none of it delays the browser.
    const opened = openBrowser(world, request.url.href, tell)
    const oauth = opened.then(() => import('../wire/oauth.ts'))
    const late = Promise.resolve(metadata).then((found) => {
      if (expected !== undefined) expected = { ...expected, ...wantsIssuer(found) }
      return found
    })
    const home = await firstAnswer(world, loopback, request, judged, tell)
    await answered(loopback, integration, attempt, async () => {
      const server = { metadata: await late, ...(await oauth) }
      const obtained = await redeem(world, integration, attempt, request, home, server)
      await keep({ ...obtained, integration, origins })
    })
  } catch (error) {
    if (error instanceof ProviderError && error.code === 'INVALID_CLIENT' && integration.client.registration) {
      const { forgetClient } = await import('./enrol.ts')
      await forgetClient(world, integration)
    }
    throw withDoubt(withIgnored(error, ignored), integration)
  } finally {
    await loopback.close()
  }
}

function wantsIssuer(metadata: Metadata | undefined): Pick<Expectation, 'issRequired'> {
  return metadata?.authorization_response_iss_parameter_supported === true ? { issRequired: true } : {}
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

/** Whoever waited in vain learns which visits were not the answer. */
function withIgnored(error: unknown, ignored: ReadonlyMap<string, number>): unknown {
  if (!(error instanceof TransportError) || error.code !== 'TIMEOUT' || ignored.size === 0) return error
  const visits = [...ignored].map(([reason, count]) => `${reason}${count === 1 ? '' : ` (${count} times)`}`).join(', ')
  const details = { hint: error.hint, cause: error, facts: [...error.facts, ['Ignored visits', visits] as const] }
  return new TransportError(error.code, error.message, details)
}

/** The browser learns how it ended, whatever the end was. */
async function answered(
  loopback: Loopback,
  integration: Integration,
  attempt: Attempt,
  act: () => Promise<void>,
): Promise<void> {
  const about = { provider: integration.provider.title, connection: integration.connection, flow: attempt.id }
  try {
    await act()
  } catch (error) {
    await loopback.answer(error instanceof AuthCliError ? failurePage(error, about) : bugPage(about))
    throw error
  }
  await loopback.answer({ kind: 'success', attempt: about })
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

/** What the token request would be, shown to `line` and never answered. Rejects as `line` does. */
export async function rehearseExchange(integration: Integration, attempt: Attempt, request: Request): Promise<void> {
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

function announce(
  integration: Integration,
  loopback: Loopback,
  request: Request,
  { secrets }: Pick<World, 'secrets'>,
  tell: Tell,
): void {
  const { foreignHost, paths } = integration.listening
  tell({
    type: 'listener.opened',
    addresses: loopback.addresses.map(
      (address) => `${address.includes(':') ? `[${address}]` : address}:${loopback.port}`,
    ),
    redirectUri: request.redirectUri,
    ...(foreignHost === undefined ? {} : { forwardTo: `http://localhost:${loopback.port}${paths[0]}` }),
  })
  tell({ type: 'authorization.requested', url: maskUrl(request.url.href, secrets) })
}

async function openBrowser(world: World, url: string, tell: Tell): Promise<void> {
  try {
    tell({ type: 'browser.opened', how: await world.browse(url) })
  } catch (error) {
    tell({ type: 'browser.failed', why: error instanceof Error ? error.message : String(error) })
  }
  world.show(url)
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
    credential.refreshToken ?? '',
  )
  const fresh = credentialOf(tokens, world)
  return {
    // RFC 6749 §6: without a new refresh token the old one stays good.
    credential: {
      ...fresh,
      refreshToken: fresh.refreshToken ?? credential.refreshToken,
      idToken: fresh.idToken ?? credential.idToken,
    },
    granted: tokens.scopes,
    params,
    endpoints: snapshot.endpoints,
    redirectUri: snapshot.redirectUri,
  }
}

/** RFC 6750 §2.1: in the header, nowhere else. */
export function carry({ credential }: Connection): readonly Header[] {
  return credential.accessToken === undefined ? [] : [['authorization', `Bearer ${credential.accessToken}`]]
}

/** Puts the real port where the redirect URI asked for any. */
function withPort(redirectUri: string, port: number): string {
  return redirectUri.replace(/^(https?:\/\/[^/?#]*):0(?=[/?#]|$)/, `$1:${port}`)
}
