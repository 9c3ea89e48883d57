import { at, captured } from '../answers/member.ts'
import { fillText } from '../fill/fill.ts'
import { contextOf } from '../fill/flaw.ts'
import type { Connection } from '../model/connection.ts'
import { ProviderError } from '../model/errors.ts'
import type { Header } from '../model/event.ts'
import type { Integration } from '../model/integration.ts'
import type { World } from '../model/world.ts'
import { unguessable } from '../wire/authorization.ts'
import { judge, sameText, type Verdict } from '../wire/callback.ts'
import { refused } from '../wire/refusal.ts'
import type { Homecoming } from './homecoming.ts'
import { lateEndpoint } from './late.ts'
import type { Attempt, Moment, Obtained, Unsigned } from './mode.ts'
import { askForCredentials, type Party1, type TokenPair } from './oauth1-exchange.ts'
import { oauth1Header } from './oauth1-header.ts'
import { shown } from './redeem.ts'
import { roundTrip, type Sent } from './round-trip.ts'
import { known, partyOf } from './talk.ts'

export const authMode = 'OAUTH1'

/** Every request is signed. */
export const signs = true

/** The three legs of OAuth 1.0a (RFC 5849 §2): temporary credentials, the person's yes, token credentials. */
export async function obtain(
  world: World,
  integration: Integration,
  attempt: Attempt,
  keep: (obtained: Obtained) => Promise<void>,
): Promise<void> {
  await roundTrip(world, integration, attempt, {
    prepare: (redirectUri) => prepare(world, integration, attempt, redirectUri),
    judge: judgeAnswer,
    answers: ['oauth_verifier', 'denied', 'oauth_problem'],
    finish: async (home, sent) => keep(await redeem1(world, integration, attempt, home, sent)),
  })
}

/** The request for temporary credentials is all that can be told beforehand. */
export async function rehearse(world: World, integration: Integration, attempt: Attempt): Promise<void> {
  await prepare(world, integration, attempt, integration.redirectUri)
}

/** A signature over the request as it will be sent (§3). */
export function carry({ credential, snapshot }: Connection, request: Unsigned, moment: Moment): readonly Header[] {
  const { accessToken, captured: beside = {} } = credential
  const { client, template } = snapshot
  return [
    [
      'authorization',
      oauth1Header(request, moment, {
        consumerKey: client.id,
        consumerSecret: client.secret ?? '',
        token: accessToken,
        tokenSecret: beside['oauth_token_secret'],
        method: template['signature_method'],
      }),
    ],
  ]
}

/** A person on their way with a request token. */
interface Bearer extends Sent {
  readonly temporary: TokenPair
}

/** §2.1 and §2.2. The protocol has no state: ours travels in the callback URL. */
async function prepare(world: World, integration: Integration, attempt: Attempt, redirectUri: string): Promise<Bearer> {
  const { endpoints, provider, templateParams, authorizationParams, scopes } = integration
  const { template } = provider
  const state = world.secrets.learn(unguessable(world.random))
  const callback = `${redirectUri}${redirectUri.includes('?') ? '&' : '?'}state=${state}`
  const asked = await askForCredentials(world, attempt, partyIn(integration, redirectUri), {
    purpose: 'request token',
    url: known(endpoints.request),
    method: methodOf(template['request_http_method']),
    form: requestParams(integration),
    protocol: { oauth_callback: callback },
  })
  assertConfirmed(asked.raw, provider.title)
  const url = new URL(known(endpoints.authorization))
  const set = (name: string, value: string): void => url.searchParams.set(name, value)
  set('oauth_token', asked.token)
  const scope = scopes.join(template.scope_separator ?? ' ')
  if (scope !== '') set('scope', scope)
  for (const [name, value] of Object.entries(templateParams)) set(name, String(value))
  set('oauth_callback', callback)
  for (const [name, value] of Object.entries(authorizationParams)) {
    if (value === null) url.searchParams.delete(name)
    else if (name !== 'oauth_token') set(name, value)
  }
  return { url, redirectUri, state, temporary: asked }
}

function requestParams({ provider, params }: Integration): Readonly<Record<string, string>> {
  const { name, template } = provider
  const context = contextOf(name, template)
  return Object.fromEntries(
    Object.entries((template['request_params'] ?? {}) as Readonly<Record<string, unknown>>).map(([key, value]) => [
      key,
      fillText(`request_params.${key}`, String(value), { ...params, connectionConfig: params }, context),
    ]),
  )
}

/** §2.1: without this the provider speaks the older protocol, in which an attacker's answer looks like ours. */
function assertConfirmed(raw: Readonly<Record<string, unknown>>, title: string): void {
  if (/^true$/i.test(String(raw['oauth_callback_confirmed'] ?? ''))) return
  throw new ProviderError('CALLBACK_NOT_CONFIRMED', `${title} did not confirm the callback URL.`, {
    status: 200,
    hint: 'It must say oauth_callback_confirmed=true (RFC 5849 §2.1): OAuth 1.0 without the "a" cannot be trusted. Check request_url, and the callback URL of your app there.',
  })
}

/** §2.2: the answer names the token that was sent; some say no by `denied` or `oauth_problem` instead of an error. */
function judgeAnswer(params: URLSearchParams, { state, temporary }: Bearer): Verdict {
  const standard = new URLSearchParams(params)
  const problem = params.get('oauth_problem') ?? (params.has('denied') ? 'access_denied' : null)
  if (problem !== null && !params.has('error')) standard.set('error', problem)
  const verdict = judge(standard, { state, codeParam: 'oauth_verifier' })
  if (verdict.kind === 'stray') return verdict
  const named = [...params.getAll('oauth_token'), ...params.getAll('denied')].filter((token) => token !== '')
  const isOurs = named.every((token) => sameText(token, temporary.token))
  if (!isOurs || named.length > 1) {
    return { kind: 'stray', reason: 'token mismatch', detail: 'it names another request token than the one sent' }
  }
  if (verdict.kind === 'code' && named.length === 0)
    return { kind: 'unusable', why: 'no code', detail: 'oauth_token is not there' }
  return verdict
}

/** §2.3: the verifier for token credentials. */
async function redeem1(
  world: World,
  integration: Integration,
  attempt: Attempt,
  home: Homecoming,
  { temporary, redirectUri }: Bearer,
): Promise<Obtained> {
  const { endpoints, params, provider, tokenParams } = integration
  const { template } = provider
  const { verdict } = home
  if (verdict.kind === 'code') world.secrets.learn(verdict.code)
  attempt.tell({ type: 'callback.received', via: home.via, params: shown(home.params, world) })
  if (verdict.kind === 'denial')
    throw refused(
      { error: verdict.error, description: verdict.description, uri: verdict.uri },
      'authorization',
      partyOf(integration, redirectUri),
    )
  if (verdict.kind === 'unusable') {
    throw new ProviderError(
      'CALLBACK_UNUSABLE',
      `${provider.title} sent you back without a usable verifier: ${verdict.detail}.`,
      {
        hint: 'Its parameters are in the log. oauth_token and oauth_verifier must both come back (RFC 5849 §2.2).',
      },
    )
  }
  const extra = Object.entries(tokenParams).filter((pair): pair is [string, string] => pair[1] !== null)
  const issued = await askForCredentials(world, attempt, partyIn(integration, redirectUri), {
    purpose: 'token',
    url: known(endpoints.token),
    method: methodOf(template['token_http_method']),
    form: Object.fromEntries(extra),
    protocol: { oauth_verifier: verdict.code },
    ...temporary,
  })
  const fromCallback = captured(template.redirect_uri_metadata, (name) => home.params.get(name))
  const fromAnswer = captured(template.token_response_metadata, (path) => at(issued.raw, path))
  const given = Object.fromEntries(Object.entries(params).filter(([, value]) => value !== ''))
  const answers = { ...fromAnswer, ...fromCallback, ...given }
  return {
    credential: {
      type: authMode,
      accessToken: issued.token,
      captured: { oauth_token: issued.token, oauth_token_secret: issued.tokenSecret },
      obtainedAt: world.clock.now().toISOString(),
      raw: issued.raw,
    },
    params: answers,
    endpoints: {
      ...endpoints,
      api:
        endpoints.api ?? lateEndpoint(integration, 'proxy.base_url', template.proxy?.base_url, answers, attempt.tell),
    },
    redirectUri,
  }
}

function partyIn(integration: Integration, redirectUri: string): Party1 {
  const { client, provider, allowHttp } = integration
  return {
    title: provider.title,
    consumerKey: client.id,
    consumerSecret: client.secret ?? '',
    method: provider.template['signature_method'],
    allowHttp,
    redirectUri,
    registerUrl: integration.registerUrl,
  }
}

function methodOf(written: unknown): 'GET' | 'POST' {
  return typeof written === 'string' && written.toUpperCase() === 'GET' ? 'GET' : 'POST'
}
