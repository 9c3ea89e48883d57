import { at, captured } from '../answers/member.ts'
import type { Credential } from '../model/connection.ts'
import { ProviderError } from '../model/errors.ts'
import type { Tell } from '../model/event.ts'
import type { Integration } from '../model/integration.ts'
import type { World } from '../model/world.ts'
import type { Verdict } from '../wire/callback.ts'
import type { Metadata, Tokens } from '../wire/oauth.ts'
import { type Party, refused } from '../wire/refusal.ts'
import { assertSecure } from '../wire/secure.ts'
import type { Homecoming } from './homecoming.ts'
import { lateEndpoint } from './late.ts'
import type { Attempt, Obtained } from './mode.ts'
import { partyOf, type Request, settingOf, talkTo, tokenEndpoint } from './talk.ts'

interface Knowledge {
  readonly metadata: Metadata | undefined
  readonly exchangeCode: typeof import('../wire/oauth.ts').exchangeCode
}

/** The code for tokens, or the provider's refusal as an error. */
export async function redeem(
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
  const fromAnswer = captured(template.token_response_metadata, (path) => at(tokens.raw, path))
  const known = { ...fromAnswer, ...answers }
  return {
    credential: credentialOf(tokens, world),
    granted: tokens.scopes,
    params: withoutAnswers(known, attempt.speech.forgets ?? []),
    endpoints: {
      ...endpoints,
      refresh: endpoints.refresh ?? lateEndpoint(integration, 'refresh_url', template.refresh_url, known, attempt.tell),
      api: endpoints.api ?? lateEndpoint(integration, 'proxy.base_url', template.proxy?.base_url, known, attempt.tell),
    },
    redirectUri: request.redirectUri,
    ...(attempt.speech.renewsWithoutToken === true ? { renewal: 'again' as const } : {}),
  }
}

function withoutAnswers(
  answers: Readonly<Record<string, string>>,
  forgotten: readonly string[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(answers).filter(([key]) => !forgotten.includes(key)))
}

/** The provider's no, as an error in its own words. */
export function denied(denial: Extract<Verdict, { kind: 'denial' }>, party: Party): ProviderError {
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

export function credentialOf(tokens: Tokens, world: Pick<World, 'clock' | 'secrets'>): Credential {
  const now = world.clock.now()
  const beside = Object.values(tokens.beside ?? {})
  for (const secret of [tokens.accessToken, tokens.refreshToken, tokens.idToken, ...beside]) {
    if (secret !== undefined) world.secrets.learn(secret)
  }
  const expiresAt =
    tokens.expiresIn === undefined ? tokens.expiresAt : new Date(now.getTime() + tokens.expiresIn * 1000).toISOString()
  return {
    type: 'OAUTH2',
    accessToken: tokens.accessToken,
    refreshToken: tokens.refreshToken,
    idToken: tokens.idToken,
    tokenType: tokens.tokenType,
    ...(tokens.beside === undefined ? {} : { captured: tokens.beside }),
    expiresAt,
    obtainedAt: now.toISOString(),
    raw: tokens.raw,
  }
}

/** The parameters of a callback for an event: what is no public word is masked. */
export function shown(params: URLSearchParams, world: Pick<World, 'secrets'>): Record<string, string> {
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
