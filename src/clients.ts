import type { Located } from './locate.ts'
import type { Given } from './look-up.ts'
import type { Connection } from './model/connection.ts'
import { UsageError } from './model/errors.ts'
import type { AnswerSource } from './model/integration.ts'
import type { Template } from './model/provider.ts'
import { traitsOf } from './modes/index.ts'

/** Whether nobody need bring a client along: one registers itself where none is given (RFC 7591). */
export function registersItself(template: Template): boolean {
  const { auth_mode: mode, client_registration: how, registration_url: url, issuer } = template
  if (traitsOf(mode).client !== 'may register') return false
  if (mode === 'MCP_OAUTH2_GENERIC') return true
  return how !== 'static' && how !== 'cimd' && (url !== undefined || issuer !== undefined)
}

/** Who decided how the client proves itself; `default`: nobody, so that the server's own word counts. */
export function authenticationFrom(template: Template, given: Given, before: Connection | undefined): AnswerSource {
  if (given.clientAuth !== undefined) return 'flag'
  const { authentication = 'none', registration } = before?.snapshot.client ?? {}
  if (authentication !== 'none' && registration === undefined) return 'saved connection'
  const isSaid = template.authorization_method !== undefined || template.token_request_auth_method !== undefined
  return isSaid ? 'template' : 'default'
}

/** Origins that a client which was saved belongs to: where it was used then. */
export function clientOriginsOf(
  { saved }: Located,
  before: Connection | undefined,
  answeredBy: Readonly<Record<string, AnswerSource>>,
): readonly string[] | undefined {
  const sources = [answeredBy['client-id'], answeredBy['client-secret']]
  if (sources.includes('saved connection')) return before?.snapshot.origins
  return sources.includes('saved integration') ? saved?.origins : undefined
}

/** Whether a connection is to the same place as what was made from a URL: two servers on one host are two providers. */
export function isSameAddress({ snapshot }: Connection, { provider }: Located): boolean {
  const [then, now] = [snapshot.source, provider.source].map(({ kind, file }) => (kind === 'address' ? file : ''))
  return then === now
}

/** RFC 8707 §2: a resource has no fragment. Throws UsageError `BAD_FLAG`. */
export function assertResource({ authorizationParams, tokenParams }: Given): void {
  const named = [authorizationParams?.['resource'], tokenParams?.['resource']]
  const wrong = named.find((one) => typeof one === 'string' && one.includes('#'))
  if (wrong === undefined) return
  throw new UsageError('BAD_FLAG', `The resource "${wrong}" has a fragment, which none may have (RFC 8707 §2).`, {
    hint: 'Leave out the # and what stands behind it.',
  })
}
