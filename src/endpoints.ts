import type { Question } from './catalog/questions.ts'
import { plainTitle } from './catalog/title.ts'
import { fillText } from './fill/fill.ts'
import { contextOf, type FillContext } from './fill/flaw.ts'
import { placeholdersByAlternative } from './fill/placeholders.ts'
import { fillUrl } from './fill/url.ts'
import type { Located } from './locate.ts'
import { TemplateError, UsageError } from './model/errors.ts'
import type { Endpoints } from './model/integration.ts'
import type { Scalar, Template } from './model/provider.ts'
import type { World } from './model/world.ts'
import { traitsOf } from './modes/index.ts'
import { randomUuid } from './wire/authorization.ts'

/** The origins that secrets of these endpoints may be sent to. */
export function originsOf(endpoints: Endpoints): string[] {
  const origins = Object.values(endpoints).flatMap((url: string | undefined) =>
    url !== undefined && URL.canParse(url) ? [new URL(url).origin] : [],
  )
  return [...new Set(origins)]
}

/** The answers that a URL may be made of. */
export interface UrlAnswers {
  readonly params: Readonly<Record<string, string>>
  readonly credentials?: Readonly<Record<string, string>> | undefined
}

/** The endpoints that the provider's mode calls, filled. Throws TemplateError `ENDPOINT_MISSING`; what `fillUrl` throws. */
export function endpointsOf(
  { provider }: Located,
  { params, credentials = {} }: UrlAnswers,
  asked: readonly Question[],
): Endpoints {
  const { template } = provider
  // In URLs a question goes by its bare name too.
  const scope = { ...credentials, ...params, connectionConfig: params, credentials }
  const context = fillContext(provider.name, template, asked)
  const url = (field: string, text: string, asWritten?: readonly string[]): string =>
    fillUrl(field, text, scope, context, asWritten?.includes('base_url') === true)
  const { endpoints: needed = [], isUnproved } = traitsOf(template.auth_mode)
  const { authorization_url: authorization, token_url: token, refresh_url: refresh, issuer } = template
  const { revocation_url: revocation } = template
  const request = typeof template['request_url'] === 'string' ? template['request_url'] : undefined
  const missing = needed.find((one) => ({ authorization, request, token })[one] === undefined)
  // An issuer publishes its own.
  if (missing !== undefined && issuer === undefined) throw endpointMissing(provider.name, `${missing}_url`)
  const later = (text: string, optional = false): boolean => isDeferred(text, template, params, optional)
  const mcp = template.auth_mode === 'MCP_OAUTH2_GENERIC' ? mcpEndpoint(params['mcp_server_url']) : undefined
  const api = template.proxy?.base_url ?? mcp
  const proving = isUnproved === true ? template.proxy?.verification?.base_url_override : undefined
  const isToken = needed.includes('token') && typeof token === 'string'
  const { app, user } = needed.includes('token') ? waysOf(token) : {}
  return {
    ...(needed.includes('request') && request !== undefined ? { request: url('request_url', request) } : {}),
    authorization:
      needed.includes('authorization') && authorization !== undefined
        ? url('authorization_url', authorization, template.authorization_url_skip_encode)
        : undefined,
    token:
      isToken && !later(token)
        ? url('token_url', token, template.token_url_skip_encode)
        : app !== undefined && !later(app)
          ? url('token_url.APP', app)
          : undefined,
    ...(user === undefined ? {} : { user: url('token_url.OAUTH2', user) }),
    refresh: isToken && refresh !== undefined && !later(refresh) ? url('refresh_url', refresh) : undefined,
    ...(revocation === undefined || later(revocation) ? {} : { revocation: url('revocation_url', revocation) }),
    api: api === undefined || later(api, true) ? undefined : url('proxy.base_url', api).replace(/\/+$/, ''),
    verification:
      proving === undefined ? undefined : url('proxy.verification.base_url_override', proving).replace(/\/+$/, ''),
    issuer: issuer === undefined ? undefined : url('issuer', issuer),
    ...(mcp === undefined ? {} : { mcp }),
  }
}

/** The URL of an MCP server as it was given, less what is never sent. Throws UsageError `BAD_FLAG`. */
function mcpEndpoint(given: string | undefined): string | undefined {
  if (given === undefined || given === '') return undefined
  const url = URL.canParse(given) ? new URL(given) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    throw new UsageError('BAD_FLAG', `"${plainTitle(given).slice(0, 200)}" is not the URL of an MCP server.`, {
      hint: 'It looks like https://mcp.example.com/mcp, without a user name in it.',
    })
  if (url.hash !== '')
    throw new UsageError('BAD_FLAG', 'The URL of an MCP server has no fragment (RFC 8707 §2).', {
      hint: 'Leave out the # and what stands behind it.',
    })
  return url.href
}

/** The token endpoints of an app that also acts as a person. */
function waysOf(token: unknown): { readonly app?: string; readonly user?: string } {
  if (typeof token !== 'object' || token === null) return {}
  const { APP: app, OAUTH2: user } = token as Readonly<Record<string, unknown>>
  return { ...(typeof app === 'string' ? { app } : {}), ...(typeof user === 'string' ? { user } : {}) }
}

function endpointMissing(name: string, field: string): TemplateError {
  return new TemplateError('ENDPOINT_MISSING', `The template "${name}" names no ${field}.`, {
    hint: 'Write it into the template; an issuer publishes its own under /.well-known/openid-configuration.',
  })
}

/**
 * Whether a URL waits for what only the callback, the token answer or a look-up brings: the first alternative that lacks
 * nothing else. `optional`: whether answers that may stay empty count as such too.
 */
function isDeferred(
  text: string,
  template: Template,
  params: Readonly<Record<string, string>>,
  optional = false,
): boolean {
  const prompts = Object.entries(template.connection_config ?? {})
  const later = [
    ...prompts.flatMap(([key, prompt]) => (prompt.automated || (optional && prompt.optional) ? [key] : [])),
    ...(template.redirect_uri_metadata ?? []),
    ...(template.token_response_metadata ?? []),
    ...(template.connection_configuration ?? []),
  ]
  for (const paths of placeholdersByAlternative(text)) {
    const keys = paths.map((path) => path.replace(/^connectionConfig\./, ''))
    const missing = keys.filter((key) => params[key] === undefined || params[key] === '')
    if (missing.length === 0 && paths.length > 0) return false
    if (missing.length > 0 && missing.every((key) => later.includes(key))) return true
  }
  return false
}

/** Placeholders filled; a template has no say in the state, which ties the answer to this run. */
export function templateParams(
  world: Pick<World, 'clock' | 'random'>,
  located: Located,
  params: Readonly<Record<string, string>>,
  asked: readonly Question[],
): Record<string, Scalar> {
  const { template, name } = located.provider
  const context = fillContext(name, template, asked)
  const scope = { connectionConfig: params, now: world.clock.now(), random: randomUuid(world.random) }
  const written = Object.entries(template.authorization_params ?? {}).filter(([key]) => key !== 'state')
  return Object.fromEntries(
    written.map(([key, value]) => [
      key,
      typeof value === 'string' ? fillText(`authorization_params.${key}`, value, scope, context) : value,
    ]),
  )
}

/** A help only: one that needs an answer which is not there yet is left out. */
export function registerUrlOf(
  { provider }: Located,
  params: Readonly<Record<string, string>>,
  asked: readonly Question[],
): string | undefined {
  const { name, template } = provider
  if (template.register_url === undefined) return undefined
  try {
    return fillUrl(
      'register_url',
      template.register_url,
      { connectionConfig: params },
      fillContext(name, template, asked),
    )
  } catch {
    return undefined
  }
}

function fillContext(name: string, template: Template, asked: readonly Question[]): FillContext {
  return contextOf(name, template, new Map(asked.map(({ key, flag }) => [key, flag])))
}
