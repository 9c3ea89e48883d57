import { fill } from '../fill/fill.ts'
import type { Remark, Setting, TokenRequest } from '../model/dialect.ts'
import type { Template } from '../model/provider.ts'
import type { Leeway } from './answer.ts'
import { filled, setParam } from './params.ts'

/** What proves the client where it stands in the body, in the order in which it is written there. */
const proofs = ['client_id', 'client_secret', 'username', 'password', 'client_assertion_type', 'client_assertion']

/** Where providers put the token of a client. */
const places = [
  'data.access_token',
  'data.token',
  'jwt',
  'token',
  'accessToken',
  'data.accessToken',
  'data',
  'result.access_token',
  'result.token',
  'result',
]

/**
 * The token request of a client that stands for itself, in the template's words: its proof, the template's parameters with
 * the grant that they write, the scope, what was given for this integration; as a form, as JSON, or in the URL.
 */
export function requestAlone(request: TokenRequest, setting: Setting, remark: Remark): TokenRequest {
  const { template } = setting
  const members = new Map<string, unknown>()
  for (const name of proofs) if (request.params.has(name)) members.set(name, request.params.get(name))
  const own = ownParams(setting)
  if (needsGrant(request, template, own)) members.set('grant_type', 'client_credentials')
  for (const [name, value] of own) members.set(name, value)
  const scope = request.params.get('scope')
  if (scope !== null && scope !== '') members.set('scope', scope)
  for (const [name, value] of Object.entries(setting.tokenParams)) {
    if (value === null) members.delete(name)
    else members.set(name, value)
  }
  tellGrant(request, members, remark)
  return written(request, members, template.body_format, remark)
}

/** The answer that such a request may bring. */
export function leewayAlone(template: Template): Leeway {
  const unit = template['expires_in_unit'] === 'milliseconds' ? 'milliseconds' : undefined
  return { places, bare: true, unit }
}

/** The template's `token_params`; one about an answer that was left empty is left out with it. */
function ownParams(setting: Setting): readonly (readonly [string, unknown])[] {
  const entries = Object.entries(setting.template.token_params ?? {})
  return entries.flatMap(([name, value]): (readonly [string, unknown])[] => {
    if (value === null || value === undefined || isAboutNothing(value, setting)) return []
    const text = filled(value, `token_params.${name}`, setting)
    return text === '' && value !== '' ? [] : [[name, text]]
  })
}

function isAboutNothing(value: unknown, { params, given = {}, template, now, random }: Setting): boolean {
  if (typeof value !== 'string' || !value.includes('${')) return false
  const found = fill(value, { ...given, connectionConfig: params, credentials: given, now, random }, 'text')
  if (!('flaw' in found) || found.flaw.kind !== 'missing') return false
  return found.flaw.paths.every((path) => {
    const [, section, name = ''] = /^(connectionConfig|credentials)\.(.+)$/s.exec(path) ?? []
    const prompts = section === 'credentials' ? template.credentials : template.connection_config
    return prompts?.[name]?.optional === true
  })
}

/** A JSON log-in without a grant is no OAuth, and is left as the template writes it; so is a URL that names the grant. */
function needsGrant(
  { url }: TokenRequest,
  { body_format: format }: Template,
  own: readonly (readonly [string, unknown])[],
) {
  return (
    format !== 'json' && !own.some(([name]) => name === 'grant_type') && !new URL(url).searchParams.has('grant_type')
  )
}

function tellGrant({ url }: TokenRequest, members: ReadonlyMap<string, unknown>, remark: Remark): void {
  const grant = members.get('grant_type') ?? new URL(url).searchParams.get('grant_type')
  if (grant === null || grant === undefined) remark('the token request names no grant; RFC 6749 §4.4.2 wants one')
  else if (grant !== 'client_credentials') remark(`the grant is "${String(grant)}"`)
}

function written(
  request: TokenRequest,
  members: ReadonlyMap<string, unknown>,
  format: string | undefined,
  remark: Remark,
): TokenRequest {
  const params = new URLSearchParams()
  for (const [name, value] of members) setParam(params, name, value)
  const headers = request.headers.filter(([name]) => name.toLowerCase() !== 'content-type')
  if (format === 'json') {
    remark('the token request is JSON')
    const body = JSON.stringify(Object.fromEntries(members))
    return { ...request, params, headers: [...headers, ['content-type', 'application/json']], body }
  }
  if (format !== 'query')
    return { ...request, params, headers: [...headers, ['content-type', 'application/x-www-form-urlencoded']] }
  const isOpen = ['client_secret', 'password', 'client_assertion'].some((name) => params.has(name))
  remark(`the token request stands in the URL${isOpen ? ', the secret with it; logs on the way may keep it' : ''}`)
  const url = new URL(request.url)
  for (const name of new Set(params.keys())) url.searchParams.delete(name)
  for (const [name, value] of params) url.searchParams.append(name, value)
  return { ...request, url: url.href, params, headers, body: '' }
}
