import { contextOf } from '../fill/flaw.ts'
import { fillUrl } from '../fill/url.ts'
import type { Connection, Credential } from '../model/connection.ts'
import type { Setting } from '../model/dialect.ts'
import { AuthCliError, ProviderError, TransportError } from '../model/errors.ts'
import type { Header, Tell } from '../model/event.ts'
import type { Endpoints, Integration } from '../model/integration.ts'
import type { Template } from '../model/provider.ts'
import type { World } from '../model/world.ts'
import { authorizationUrl, challengeOf, unguessable } from '../wire/authorization.ts'
import { type Expectation, judge, readPaste, type Verdict } from '../wire/callback.ts'
import { type Loopback, openLoopback } from '../wire/loopback.ts'
import { maskUrl } from '../wire/mask.ts'
import type { Metadata, Server, Talk, Tokens } from '../wire/oauth.ts'
import { bugPage, failurePage } from '../wire/page.ts'
import { type Party, refused } from '../wire/refusal.ts'
import { assertSecure } from '../wire/secure.ts'
import type { Attempt, Obtained } from './mode.ts'

export const authMode = 'OAUTH2'

/** One authorization request and what only we know about it. */
interface Request {
  readonly url: URL
  readonly state: string
  readonly codeVerifier?: string | undefined
  readonly nonce?: string | undefined
  readonly redirectUri: string
}

/** What came back: from a browser, which is held, or from a paste. */
interface Homecoming {
  readonly via: 'GET' | 'POST' | 'paste'
  readonly verdict: Exclude<Verdict, { readonly kind: 'stray' }>
  /** As they came, before any dialect. */
  readonly params: URLSearchParams
}

/**
 * The authorization code grant with PKCE through the system's browser (RFC 6749 §4.1, RFC 7636, RFC 8252). The browser
 * is answered only after `keep`, so that its page tells the truth.
 */
export async function obtain(
  world: World,
  integration: Integration,
  attempt: Attempt,
  keep: (obtained: Obtained) => Promise<void>,
): Promise<void> {
  const { tell } = attempt
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
    const request = authorizationRequest(world, integration, attempt, withPort(integration.redirectUri, loopback.port))
    expected = { state: request.state, issuer: integration.endpoints.issuer }
    announce(integration, loopback, request, world, tell)
    // Loaded and fetched while the person is away: none of it delays the browser.
    const opened = openBrowser(world, request.url.href, tell)
    const oauth = opened.then(() => import('../wire/oauth.ts'))
    const metadata = opened
      .then(() => metadataOf(integration, attempt, world.signal))
      .then((found) => {
        if (expected !== undefined && found?.authorization_response_iss_parameter_supported === true) {
          expected = { ...expected, issRequired: true }
        }
        return found
      })
    const home = await firstAnswer(world, loopback, request, judged, tell)
    await answered(loopback, integration, attempt, async () => {
      const server = { metadata: await metadata, ...(await oauth) }
      await keep(await redeem(world, integration, attempt, request, home, server))
    })
  } catch (error) {
    throw withIgnored(error, ignored)
  } finally {
    await loopback.close()
  }
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
    endpoint: endpoints.authorization,
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

/** Stands for a token endpoint that only the callback will tell. */
const unknownEndpoint = 'https://unknown.invalid/'

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
    const { discover } = await import('../wire/oauth.ts')
    return await discover(issuer, attempt.speech.transmit('metadata'), integration.allowHttp)
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

async function firstAnswer(
  world: World,
  loopback: Loopback,
  request: Request,
  judged: (params: URLSearchParams) => Verdict,
  tell: Tell,
): Promise<Homecoming> {
  const enough = new AbortController()
  try {
    return await Promise.race([
      loopback.visit,
      pasted(world, request, judged, tell, AbortSignal.any([world.signal, enough.signal])),
    ])
  } finally {
    enough.abort()
    loopback.settle()
  }
}

/** Resolves with the first paste that answers the request; never, when there is none. */
async function pasted(
  world: World,
  request: Request,
  judged: (params: URLSearchParams) => Verdict,
  tell: Tell,
  signal: AbortSignal,
): Promise<Homecoming> {
  for await (const line of world.paste(signal)) {
    const paste = readPaste(line)
    const ignored = (reason: 'body unusable', detail: string) =>
      tell({ type: 'callback.ignored', reason, method: 'paste', path: '', detail })
    if (paste.kind === 'junk') {
      ignored('body unusable', paste.why)
    } else if (paste.kind === 'bare code' && request.codeVerifier === undefined) {
      ignored('body unusable', 'A bare code is taken only with PKCE; paste the whole address you landed on.')
    } else {
      const bare = paste.kind === 'bare code'
      const params = bare ? new URLSearchParams({ code: paste.code, state: request.state }) : paste.params
      const verdict: Verdict = bare ? { kind: 'code', code: paste.code } : judged(params)
      if (verdict.kind !== 'stray') {
        if (bare) {
          const message = 'A bare code does not show that it answers this very request; only PKCE ties it to us.'
          tell({ type: 'warning', code: 'BARE_CODE', message })
        }
        return { via: 'paste', verdict, params }
      }
      tell({ type: 'callback.ignored', reason: verdict.reason, method: 'paste', path: '', detail: verdict.detail })
    }
  }
  return new Promise<never>(() => {})
}

interface Knowledge {
  readonly metadata: Metadata | undefined
  readonly exchangeCode: typeof import('../wire/oauth.ts').exchangeCode
}

/** The code for tokens, or the provider's refusal as an error. */
async function redeem(
  world: World,
  integration: Integration,
  attempt: Attempt,
  request: Request,
  home: Homecoming,
  { metadata, exchangeCode }: Knowledge,
): Promise<Obtained> {
  const { template } = integration.provider
  const params = attempt.speech.hear(home.params, settingOf(integration, 'authorization_code'))
  if (home.verdict.kind === 'code') world.secrets.learn(home.verdict.code)
  attempt.tell({ type: 'callback.received', via: home.via, params: shown(params, world) })
  if (home.verdict.kind === 'denial') throw denied(home.verdict, partyOf(integration, request.redirectUri))
  if (home.verdict.kind === 'unusable') {
    throw new ProviderError(
      'CALLBACK_UNUSABLE',
      `${integration.provider.title} sent you back without a usable code: ${home.verdict.detail}.`,
      {
        hint: 'Its parameters are in the log. Where the code has another name, the template says so: authorization_code_param_in_callback.',
      },
    )
  }
  if (metadata?.authorization_response_iss_parameter_supported === true && !params.has('iss') && home.via !== 'paste') {
    throw new ProviderError(
      'ISSUER_MISSING',
      `${integration.provider.title} promises "iss" in every callback, and this one has none.`,
      {
        hint: 'It may come from somebody else (RFC 9207 §2.4). Connect again.',
      },
    )
  }
  const fromCallback = captured(template.redirect_uri_metadata, (name) => params.get(name))
  const given = Object.entries(integration.params).filter(([, value]) => value !== '')
  const answers = { ...fromCallback, ...Object.fromEntries(given) }
  const endpoints = { ...integration.endpoints, token: tokenEndpoint(integration, answers) }
  assertSecure(endpoints.token, integration.allowHttp, 'token_url')
  const talk = talkTo(integration, attempt, endpoints, answers, request, metadata)
  const tokens = await exchangeCode(talk, { ...request, params, keys: attempt.speech.transmit('jwks') })
  tellIdTokenState(tokens, attempt.tell)
  const fromAnswer = captured(template.token_response_metadata, (path) => memberAt(tokens.raw, path))
  const known = { ...fromAnswer, ...answers }
  return {
    credential: credentialOf(tokens, world),
    granted: tokens.scopes,
    params: known,
    endpoints: {
      ...endpoints,
      refresh: endpoints.refresh ?? lateEndpoint(integration, 'refresh_url', template.refresh_url, known, attempt.tell),
      api: endpoints.api ?? lateEndpoint(integration, 'proxy.base_url', template.proxy?.base_url, known, attempt.tell),
    },
    redirectUri: request.redirectUri,
  }
}

/** A URL that waited for what the callback or the token answer brings; without it the connection is good all the same. */
function lateEndpoint(
  { provider, allowHttp }: Integration,
  field: string,
  text: string | undefined,
  answers: Readonly<Record<string, string>>,
  tell: Tell,
): string | undefined {
  if (text === undefined) return undefined
  try {
    const context = contextOf(provider.name, provider.template)
    const url = fillUrl(field, text, { ...answers, connectionConfig: answers }, context).replace(/\/+$/, '')
    assertSecure(url, allowHttp, field)
    return url
  } catch (error) {
    if (!(error instanceof AuthCliError)) throw error
    tell({ type: 'warning', code: error.code, message: `${field} stays unknown: ${error.message}`, hint: error.hint })
    return undefined
  }
}

function denied(denial: Extract<Verdict, { kind: 'denial' }>, party: Party): ProviderError {
  const description = [denial.description, denial.message, denial.reason]
    .filter((text) => text !== undefined)
    .join('; ')
  return refused(
    { error: denial.error, description: description === '' ? undefined : description, uri: denial.uri },
    'authorization',
    party,
  )
}

function tellIdTokenState(tokens: Tokens, tell: Tell): void {
  const message = {
    checked: undefined,
    claims: "The ID token's claims are right; its signature could not be checked.",
    'not checked': 'The ID token was not checked: the template names no issuer.',
  }[tokens.idTokenState ?? 'checked']
  if (message !== undefined) tell({ type: 'warning', code: 'ID_TOKEN_NOT_CHECKED', message })
}

/** A younger access token for the refresh token (RFC 6749 §6), from the connection's own snapshot. */
export async function renew(world: World, connection: Connection, attempt: Attempt): Promise<Obtained> {
  const { snapshot, credential, params, scopes } = connection
  const { refreshTokens } = await import('../wire/oauth.ts')
  const tokenUrl = snapshot.endpoints.refresh ?? snapshot.endpoints.token
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
        authorizationEndpoint: snapshot.endpoints.authorization,
        tokenEndpoint: tokenUrl,
      },
      client: snapshot.client,
      party: {
        title: titleOf(snapshot.template, connection.provider),
        clientId: snapshot.client.id,
        clientSecret: snapshot.client.secret,
        authentication: snapshot.client.authentication,
        redirectUri: snapshot.redirectUri,
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

function credentialOf(tokens: Tokens, world: Pick<World, 'clock' | 'secrets'>): Credential {
  const now = world.clock.now()
  for (const secret of [tokens.accessToken, tokens.refreshToken, tokens.idToken]) {
    if (secret !== undefined) world.secrets.learn(secret)
  }
  const expiresAt =
    tokens.expiresIn === undefined ? tokens.expiresAt : new Date(now.getTime() + tokens.expiresIn * 1000).toISOString()
  return {
    type: authMode,
    accessToken: tokens.accessToken,
    refreshToken: tokens.refreshToken,
    idToken: tokens.idToken,
    tokenType: tokens.tokenType,
    expiresAt,
    obtainedAt: now.toISOString(),
    raw: tokens.raw,
  }
}

function talkTo(
  integration: Integration,
  attempt: Attempt,
  endpoints: Endpoints & { readonly token: string },
  params: Readonly<Record<string, string>>,
  request: Request,
  metadata: Metadata | undefined,
): Talk {
  const setting: Setting = { ...settingOf(integration, 'authorization_code'), endpoints, params }
  const server: Server = {
    issuer: endpoints.issuer,
    authorizationEndpoint: endpoints.authorization,
    tokenEndpoint: endpoints.token,
    metadata,
  }
  return {
    server,
    client: integration.client,
    party: partyOf(integration, request.redirectUri),
    line: attempt.speech.line('token', setting),
    allowHttp: integration.allowHttp,
  }
}

function settingOf(integration: Integration, grant: Setting['grant']): Setting {
  return {
    template: integration.provider.template,
    endpoints: integration.endpoints,
    params: integration.params,
    scopes: integration.scopes,
    grant,
    tokenParams: integration.tokenParams,
  }
}

function partyOf(integration: Integration, redirectUri: string): Party {
  const { client, provider, params } = integration
  return {
    title: provider.title,
    clientId: client.id,
    clientSecret: client.secret,
    authentication: client.authentication,
    redirectUri,
    registerUrl: integration.registerUrl,
    answers: answersOf(provider.template, params),
  }
}

function answersOf(template: Template, params: Readonly<Record<string, string>>): string[] {
  const asked = Object.entries(template.connection_config ?? {}).filter(
    ([, prompt]) => prompt.automated !== true && prompt.secret !== true,
  )
  return asked.flatMap(([key]) => (params[key] === undefined || params[key] === '' ? [] : [`${key} ${params[key]}`]))
}

function titleOf(template: Template, name: string): string {
  return template.display_name ?? name
}

/** The token URL may need what only the callback brings (Zoho's `accounts-server`). */
function tokenEndpoint(integration: Integration, answers: Readonly<Record<string, string>>): string {
  const { endpoints, provider } = integration
  const { name, template } = provider
  return (
    endpoints.token ??
    fillUrl('token_url', template.token_url ?? '', { ...answers, connectionConfig: answers }, contextOf(name, template))
  )
}

/** The members that a template lists, texts and booleans only. */
function captured(names: readonly string[] | undefined, read: (name: string) => unknown): Record<string, string> {
  const found = (names ?? []).flatMap((name): [string, string][] => {
    const value = read(name)
    return typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number'
      ? [[name, String(value)]]
      : []
  })
  return Object.fromEntries(found)
}

function memberAt(value: unknown, path: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  if (Object.hasOwn(value, path)) return (value as Record<string, unknown>)[path]
  const [first = '', ...rest] = path.split('.')
  if (rest.length === 0 || !Object.hasOwn(value, first)) return undefined
  return memberAt((value as Record<string, unknown>)[first], rest.join('.'))
}

function shown(params: URLSearchParams, world: Pick<World, 'secrets'>): Record<string, string> {
  return Object.fromEntries(
    [...params].map(([name, value]) => [
      world.secrets.scrub(name),
      isPublic(name) ? world.secrets.scrub(value) : world.secrets.mask(value),
    ]),
  )
}

/** Names whose values may stand in a log; anything else that a callback brings is masked. */
function isPublic(name: string): boolean {
  return /^(error(_\w+)?|iss|scope|session_state|locale|realmId|accounts-server|location|shop|subdomain|installation_id|setup_action|instance_url|region|hd|authuser|prompt|timestamp)$/.test(
    name,
  )
}

/** Puts the real port where the redirect URI asked for any. */
function withPort(redirectUri: string, port: number): string {
  return redirectUri.replace(/^(https?:\/\/[^/?#]*):0(?=[/?#]|$)/, `$1:${port}`)
}
