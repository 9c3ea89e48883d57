import { lookUpOf } from './lookups/index.ts'
import { revocationOf } from './lookups/revocations.ts'
import { TemplateError } from './model/errors.ts'
import type { Provider, Template } from './model/provider.ts'
import { isMode, traitsOf } from './modes/index.ts'
import { trialOf } from './proofs/index.ts'

/** Something that a template needs and that cannot be done yet. */
export interface Gap {
  /** A sentence without its full stop. */
  readonly says: string
  /**
   * `stops`: connecting would fail, or bring home something else. `tells`: the connection is good, but lacks something
   * that the person should know of when it is made. `shows`: what comes after connecting is not all there.
   */
  readonly weight: 'stops' | 'tells' | 'shows'
  /** What to do instead, where there is something. */
  readonly instead?: string | undefined
}

/** What a template needs and cannot have yet, in words; `names`: its provider's, and those that its alias stands for. */
export function needsOf(template: Template, names: string | readonly string[]): readonly string[] {
  return gapsOf(template, names).map(({ says }) => says)
}

export function gapsOf(template: Template, names: string | readonly string[]): readonly Gap[] {
  const mode = template.auth_mode
  if (!isMode(mode)) return [{ says: `It authorizes by ${mode}, which cannot be done yet`, weight: 'stops' }]
  const grants = traitsOf(mode).opensBrowser === true ? grantGaps(template) : []
  return [...grants, ...endpointGaps(template), ...signingGaps(template), ...laterGaps(template, [names].flat())]
}

/** The gaps of a provider. */
export function gapsOfProvider({ template, names }: Pick<Provider, 'template' | 'names'>): readonly Gap[] {
  return gapsOf(template, names)
}

/**
 * Refuses what cannot succeed before anything opens, and returns what the person should know of. Throws TemplateError
 * `UNSUPPORTED`.
 */
export function assertPossible(provider: Provider): readonly string[] {
  const gaps = gapsOfProvider(provider)
  const [stop] = gaps.filter(({ weight }) => weight === 'stops')
  if (stop !== undefined) throw impossible(provider, stop)
  return gaps.filter(({ weight }) => weight === 'tells').map(({ says }) => says)
}

/** The same where nothing that somebody could answer would help: before they are asked anything. */
export function assertNoWebhook(provider: Provider): void {
  const stop = gapsOfProvider(provider).find(({ instead }) => instead !== undefined)
  if (stop !== undefined) throw impossible(provider, stop)
}

function impossible({ template, title }: Provider, stop: Gap): TemplateError {
  const docs = template.docs === undefined ? '' : ` What it wants: ${template.docs}`
  const how = stop.instead === undefined ? 'yet' : 'from here'
  return new TemplateError('UNSUPPORTED', `${title} cannot be connected ${how}. ${stop.says}.`, {
    hint: stop.instead ?? `Nothing was opened or sent; --dry-run shows the requests in plain OAuth.${docs}`,
  })
}

const outboundInstead =
  'Nothing was opened or sent. Instead: create an internal integration there, whose token needs no installation, and connect with the provider that takes a token or an API key.'

function grantGaps(template: Template): readonly Gap[] {
  const gaps: Gap[] = []
  const stop = (says: string): void => void gaps.push({ says, weight: 'stops' })
  const { installation, token_url: token, token_params: params } = template
  if (installation === 'outbound') {
    const says = 'Its code comes to a public webhook of yours, after an installation that begins at the provider'
    gaps.push({ says, weight: 'stops', instead: outboundInstead })
  }
  if (typeof token === 'object' && token !== null && template.auth_mode === 'OAUTH2')
    stop('It has a token endpoint for each of several ways')
  const grant = params?.['grant_type']
  if (grant !== undefined && grant !== 'authorization_code') stop(`Its code is exchanged by the grant ${String(grant)}`)
  return gaps
}

/** Endpoints that the mode cannot do without, and that neither the template nor its issuer names. */
function endpointGaps({ auth_mode: mode, issuer, token_url: token }: Template): readonly Gap[] {
  const { endpoints = [], opensBrowser } = traitsOf(mode)
  if (opensBrowser === true || issuer !== undefined || token !== undefined || !endpoints.includes('token')) return []
  return [{ says: 'Its template names no token_url', weight: 'stops' }]
}

/** What is signed for a token or a log-in, in ways that we do not know. */
function signingGaps({ auth_mode: mode, signature, token, assertion }: Template): readonly Gap[] {
  const gaps: Gap[] = []
  const stop = (says: string): void => void gaps.push({ says, weight: 'stops' })
  const signs = mode === 'JWT' || (mode === 'TWO_STEP' && signature !== undefined && token !== undefined)
  const protocol = signature?.protocol
  if (signs && protocol !== undefined && !['RSA', 'EC', 'HMAC'].includes(protocol))
    stop(`Its token is signed by ${String(protocol)}`)
  if (mode === 'JWT' && token?.signing_key === undefined) stop('Its token has no signing_key')
  if (mode === 'TWO_STEP' && assertion?.type !== undefined && !['jwt', 'saml'].includes(assertion.type))
    stop(`Its assertion is of the type ${String(assertion.type)}`)
  return gaps
}

function laterGaps(template: Template, names: readonly string[]): readonly Gap[] {
  const gaps: Gap[] = []
  if (template['post_connection_script'] !== undefined && lookUpOf(names) === undefined) {
    const keys = lookedUp(template)
    const what =
      keys.length === 0
        ? 'A look-up after connecting is not made'
        : `Not looked up after connecting: ${keys.join(', ')}`
    gaps.push({ says: what, weight: 'tells' })
  }
  if (template['pre_connection_deletion_script'] !== undefined && revocationOf(names) === undefined)
    gaps.push({ says: 'Deleting the connection does not tell the provider', weight: 'shows' })
  if (template['require_client_certificate'] === true && template.auth_mode !== 'OAUTH2_CC')
    gaps.push({ says: 'Calls want a client certificate, which cannot be given', weight: 'shows' })
  if (template['credentials_verification_script'] !== undefined && trialOf(template) === undefined)
    gaps.push({
      says: 'Its credentials are saved without being tried: only a call of its own kind shows',
      weight: 'tells',
    })
  return gaps
}

/** Answers that nobody gives, and that no answer of the provider's brings. */
function lookedUp(template: Template): readonly string[] {
  const prompts = Object.entries(template.connection_config ?? {})
  const automated = prompts.flatMap(([key, { automated }]) => (automated === true ? [key] : []))
  const brought = [...(template.redirect_uri_metadata ?? []), ...(template.token_response_metadata ?? [])]
  const keys = new Set([...(template.connection_configuration ?? []), ...automated])
  return [...keys].filter((key) => !brought.includes(key))
}
