import { type Answer, json } from '../answer.ts'
import { endFamily } from '../provider.ts'
import { textOf } from './fields.ts'
import { refused, tokenOf } from './grants.ts'
import { type Call, headerOf, type Stage } from './stage.ts'

/** How a provider is told that a token is no more, where it has a call of its own beside its API. */
interface Farewell {
  readonly method: string
  /** The whole URL, without its query; what its first group holds is the token. */
  readonly at: RegExp
  /** The header by which the client shows itself; absent where the token is all that is asked for. */
  readonly client?: (id: string, secret: string) => string
  /** The member of the JSON body that holds the token, where the URL does not. */
  readonly member?: string
  readonly status: number
}

const quickbooks: Farewell = {
  method: 'POST',
  at: /^https:\/\/developer\.api\.intuit\.com\/v2\/oauth2\/tokens\/revoke$/,
  client: (id, secret) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
  member: 'token',
  status: 200,
}

const farewells: Readonly<Record<string, Farewell>> = {
  hubspot: {
    method: 'DELETE',
    at: /^https:\/\/api\.hubapi\.com\/oauth\/v1\/refresh-tokens\/([^/]+)$/,
    status: 204,
  },
  onelogin: {
    method: 'POST',
    at: /^https:\/\/[\w-]+\.onelogin\.com\/auth\/oauth2\/revoke$/,
    client: (id, secret) => `client_id:${id}, client_secret:${secret}`,
    member: 'access_token',
    status: 200,
  },
  quickbooks,
  'quickbooks-sandbox': quickbooks,
}

/** The answer to a call by which a token is given back; undefined where it is none. */
export function answerFarewell(stage: Stage, call: Call): Answer | undefined {
  const { name, issued } = stage.part
  const farewell = Object.hasOwn(farewells, name) ? farewells[name] : undefined
  const found = farewell?.at.exec(call.url.origin + call.url.pathname)
  if (farewell === undefined || !found || call.method !== farewell.method) return undefined
  const wanted = farewell.client?.(issued.clientId ?? '', issued.clientSecret ?? '')
  if (wanted !== undefined && headerOf(call, 'authorization') !== wanted)
    return json(401, { error: 'invalid_client', message: 'The client does not show itself as it should.' })
  const token = farewell.member === undefined ? decoded(found[1] ?? '') : memberOf(call, farewell.member)
  if (token === undefined) return refused([`it names no token${farewell.member ? ` as ${farewell.member}` : ''}`])
  const renewing = tokenOf(stage, 'refresh', token)
  const claims = renewing ?? tokenOf(stage, 'access', token)
  if (claims === undefined) return json(404, { error: 'not_found', message: 'There is no such token.' })
  endFamily(stage.provider, claims.family)
  return { status: farewell.status, headers: { 'cache-control': 'no-store' }, body: '' }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function memberOf(call: Call, member: string): string | undefined {
  try {
    const value: unknown = JSON.parse(call.body)
    return typeof value === 'object' && value !== null
      ? textOf((value as Readonly<Record<string, unknown>>)[member])
      : undefined
  } catch {
    return undefined
  }
}
