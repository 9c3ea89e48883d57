import type { Integration } from '../model/integration.ts'
import type { Scalar } from '../model/provider.ts'
import type { World } from '../model/world.ts'
import { grant, renew as renewGrant } from './authorization-code.ts'
import { withClient } from './enrol.ts'
import type { Attempt, Obtained } from './mode.ts'
import { type Settle, settleEndpoints } from './settle.ts'

export { carry, rehearse } from './authorization-code.ts'

export const authMode = 'MCP_OAUTH2'

/** Parameters of the authorization request in which a template of an MCP server has no say. */
const reserved = new Set([
  'response_type',
  'code_challenge',
  'code_challenge_method',
  'state',
  'redirect_uri',
  'scope',
  'client_id',
])

/** An MCP server whose template names its endpoints; the client is given, or registers itself (MCP, Authorization). */
export function obtain(
  world: World,
  integration: Integration,
  attempt: Attempt,
  keep: (obtained: Obtained) => Promise<void>,
): Promise<void> {
  return grant(world, integration, attempt, keep, settle)
}

export const settle: Settle = async (world, integration, attempt) => {
  const found = await settleEndpoints(world, integration, attempt)
  const { template, title } = integration.provider
  const { metadata } = found
  const url = template.registration_url ?? metadata?.registration_endpoint
  const registry = { title, metadata, ...(typeof url === 'string' ? { url } : {}) }
  const settled = await withClient(world, withResource(found.integration), attempt, registry)
  return { integration: settled, metadata }
}

export const renew = renewGrant

/** The template's parameters without the reserved ones; its `resource` goes into every request (RFC 8707 §2). */
function withResource(integration: Integration): Integration {
  const written = Object.entries(integration.templateParams).filter(([name]) => !reserved.has(name))
  const templateParams: Readonly<Record<string, Scalar>> = Object.fromEntries(written)
  const { resource } = templateParams
  return resource === undefined
    ? { ...integration, templateParams }
    : bindTo({ ...integration, templateParams }, String(resource))
}

/** The same resource in the authorization, token and refresh requests, unless the person has chosen otherwise. */
export function bindTo(integration: Integration, resource: string): Integration {
  const chosen = integration.authorizationParams['resource']
  const bound = chosen === undefined ? resource : chosen
  return {
    ...integration,
    templateParams: { ...integration.templateParams, resource },
    tokenParams: { ...(bound === null ? {} : { resource: bound }), ...integration.tokenParams },
  }
}
