import type { Question } from './catalog/questions.ts'
import { fillText, placeholdersByAlternative } from './fill/fill.ts'
import { contextOf, type FillContext } from './fill/flaw.ts'
import { fillUrl } from './fill/url.ts'
import type { Located } from './locate.ts'
import { TemplateError } from './model/errors.ts'
import type { Endpoints } from './model/integration.ts'
import type { Scalar, Template } from './model/provider.ts'
import type { World } from './model/world.ts'
import { randomUuid } from './wire/authorization.ts'

/** The origins that secrets of these endpoints may be sent to. */
export function originsOf(endpoints: Endpoints): string[] {
  const origins = Object.values(endpoints).flatMap((url: string | undefined) =>
    url !== undefined && URL.canParse(url) ? [new URL(url).origin] : [],
  )
  return [...new Set(origins)]
}

export function endpointsOf(
  { provider }: Located,
  params: Readonly<Record<string, string>>,
  asked: readonly Question[],
): Endpoints {
  const { template } = provider
  // In URLs a question goes by its bare name too.
  const scope = { ...params, connectionConfig: params }
  const context = fillContext(provider.name, template, asked)
  const url = (field: string, text: string, asWritten?: readonly string[]): string =>
    fillUrl(field, text, scope, context, asWritten?.includes('base_url') === true)
  if (template.authorization_url === undefined || template.token_url === undefined) {
    throw new TemplateError(
      'ENDPOINT_MISSING',
      `The template "${provider.name}" names no ${template.authorization_url === undefined ? 'authorization_url' : 'token_url'}.`,
      {
        hint: 'Write it into the template; the issuer publishes it under /.well-known/openid-configuration.',
      },
    )
  }
  const api = template.proxy?.base_url
  return {
    authorization: url('authorization_url', template.authorization_url, template.authorization_url_skip_encode),
    token: isDeferred(template.token_url, template, params)
      ? undefined
      : url('token_url', template.token_url, template.token_url_skip_encode),
    refresh:
      template.refresh_url === undefined || isDeferred(template.refresh_url, template, params)
        ? undefined
        : url('refresh_url', template.refresh_url),
    api:
      api === undefined || isDeferred(api, template, params, true)
        ? undefined
        : url('proxy.base_url', api).replace(/\/+$/, ''),
    issuer: template.issuer === undefined ? undefined : url('issuer', template.issuer),
  }
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
