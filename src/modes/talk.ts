import { contextOf } from '../fill/flaw.ts'
import { fillUrl } from '../fill/url.ts'
import type { Setting } from '../model/dialect.ts'
import type { Endpoints, Integration } from '../model/integration.ts'
import type { Template } from '../model/provider.ts'
import type { Metadata, Server, Talk } from '../wire/oauth.ts'
import type { Party } from '../wire/refusal.ts'
import type { Attempt } from './mode.ts'

/** One authorization request and what only we know about it. */
export interface Request {
  readonly url: URL
  readonly state: string
  readonly codeVerifier?: string | undefined
  readonly nonce?: string | undefined
  readonly redirectUri: string
}

export function settingOf(integration: Integration, grant: Setting['grant']): Setting {
  return {
    template: integration.provider.template,
    endpoints: integration.endpoints,
    params: integration.params,
    scopes: integration.scopes,
    grant,
    tokenParams: integration.tokenParams,
    client: integration.client,
  }
}

export function talkTo(
  integration: Integration,
  attempt: Attempt,
  endpoints: Endpoints & { readonly token: string },
  params: Readonly<Record<string, string>>,
  request: Request,
  metadata: Metadata | undefined,
): Talk {
  const setting: Setting = {
    ...settingOf(integration, 'authorization_code'),
    endpoints,
    params,
    redirectUri: request.redirectUri,
    state: request.state,
  }
  const server: Server = {
    issuer: endpoints.issuer,
    authorizationEndpoint: known(endpoints.authorization),
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

/** Stands for a token endpoint that only the callback will tell. */
export const unknownEndpoint = 'https://unknown.invalid/'

/** An endpoint that was made sure of before the mode began. */
export function known(endpoint: string | undefined): string {
  if (endpoint === undefined) throw new TypeError('an endpoint of this mode is missing')
  return endpoint
}

export function partyOf(integration: Integration, redirectUri: string): Party {
  const { client, provider, params } = integration
  return {
    title: provider.title,
    clientId: client.id,
    clientSecret: client.secret,
    authentication: client.authentication,
    redirectUri,
    registerUrl: integration.registerUrl,
    isRegistered: client.registration !== undefined,
    answers: answersOf(provider.template, params),
  }
}

export function answersOf(template: Template, params: Readonly<Record<string, string>>): string[] {
  const asked = Object.entries(template.connection_config ?? {}).filter(
    ([, prompt]) => prompt.automated !== true && prompt.secret !== true,
  )
  return asked.flatMap(([key]) => (params[key] === undefined || params[key] === '' ? [] : [`${key} ${params[key]}`]))
}

export function titleOf(template: Template, name: string): string {
  return template.display_name ?? name
}

/** The token URL may need what only the callback brings (Zoho's `accounts-server`). */
export function tokenEndpoint(integration: Integration, answers: Readonly<Record<string, string>>): string {
  const { endpoints, provider } = integration
  const { name, template } = provider
  return (
    endpoints.token ??
    fillUrl('token_url', template.token_url ?? '', { ...answers, connectionConfig: answers }, contextOf(name, template))
  )
}
