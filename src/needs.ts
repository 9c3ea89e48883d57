import { isPlain } from './dialects/index.ts'
import { type WantedAccent, wantedAccents } from './dialects/wanted.ts'
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
}

/** What a template needs and cannot have yet, in words; `names`: its provider's, and those that its alias stands for. */
export function needsOf(template: Template, names: string | readonly string[]): readonly string[] {
  return gapsOf(template, names).map(({ says }) => says)
}

export function gapsOf(template: Template, names: string | readonly string[]): readonly Gap[] {
  const mode = template.auth_mode
  if (!isMode(mode)) return [{ says: `It authorizes by ${mode}, which cannot be done yet`, weight: 'stops' }]
  const grants = traitsOf(mode).opensBrowser === true ? grantGaps(template) : []
  return [...grants, ...signingGaps(template), ...accentGaps([names].flat()), ...laterGaps(template)]
}

/** The gaps of a provider; one that somebody described for themselves is taken at its word, as below. */
export function gapsOfProvider({
  template,
  names,
  source,
}: Pick<Provider, 'template' | 'names' | 'source'>): readonly Gap[] {
  const isOwn = source.kind === 'project' || source.kind === 'person'
  return gapsOf(template, isOwn ? names.slice(1) : names)
}

/**
 * Refuses what cannot succeed before anything opens, and returns what the person should know of. A template that somebody
 * wrote for themselves is taken at its word: its name alone says nothing of how its provider speaks. Throws TemplateError
 * `UNSUPPORTED`.
 */
export function assertPossible(provider: Provider): readonly string[] {
  const { template, title } = provider
  const gaps = gapsOfProvider(provider)
  const [stop] = gaps.filter(({ weight }) => weight === 'stops')
  if (stop !== undefined) {
    const docs = template.docs === undefined ? '' : ` What it wants: ${template.docs}`
    throw new TemplateError('UNSUPPORTED', `${title} cannot be connected yet. ${stop.says}.`, {
      hint: `Nothing was opened or sent; --dry-run shows the requests in plain OAuth.${docs}`,
    })
  }
  return gaps.filter(({ weight }) => weight === 'tells').map(({ says }) => says)
}

function grantGaps(template: Template): readonly Gap[] {
  const gaps: Gap[] = []
  const stop = (says: string): void => void gaps.push({ says, weight: 'stops' })
  const { installation, token_url: token, token_params: params } = template
  if (installation === 'outbound') stop('Its code comes to a public webhook instead of the browser')
  if (typeof token === 'object' && token !== null) stop('It has a token endpoint for each of several ways')
  const grant = params?.['grant_type']
  if (grant !== undefined && grant !== 'authorization_code') stop(`Its code is exchanged by the grant ${String(grant)}`)
  return gaps
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

function accentGaps(names: readonly string[]): readonly Gap[] {
  const name = names.find((one) => Object.hasOwn(wantedAccents, one))
  const wanted: WantedAccent | undefined = name === undefined ? undefined : wantedAccents[name]
  if (wanted === undefined || !isPlain(names)) return []
  return [
    { says: `One habit of its own is not understood yet: ${wanted.says}`, weight: wanted.stops ? 'stops' : 'tells' },
  ]
}

function laterGaps(template: Template): readonly Gap[] {
  const gaps: Gap[] = []
  if (template['post_connection_script'] !== undefined) {
    const keys = lookedUp(template)
    const what =
      keys.length === 0
        ? 'A look-up after connecting is not made'
        : `Not looked up after connecting: ${keys.join(', ')}`
    gaps.push({ says: what, weight: 'tells' })
  }
  if (template['pre_connection_deletion_script'] !== undefined)
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
