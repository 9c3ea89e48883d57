import { type Answer, json, type Visit } from '../../answer.ts'
import { noticePage } from '../../page.ts'
import { readToken } from '../../provider.ts'
import { takeDecision } from '../consent.ts'
import { type Fields, fieldsOf, scalarText } from '../fields.ts'
import { checkSealed, refused } from '../grants.ts'
import { urlOf } from '../issuer.ts'
import { answerRpc } from '../json-rpc.ts'
import { formParams } from '../params.ts'
import { apiBases } from '../place.ts'
import { register, stageFor } from '../registered.ts'
import type { Admission, Call, Endpoint, Part, Stage, TwinMode } from '../stage.ts'
import { proofStyle } from '../with-client.ts'
import { oauth2 } from './oauth2.ts'

/** The MCP server that tokens are for: what an answer names, else where the API is. */
function resourceOf(stage: Stage): URL | undefined {
  const named = scalarText(stage.part.issued.params['mcp_server_url'])
  if (named !== undefined && URL.canParse(named)) return new URL(named)
  const own = scalarText(fieldsOf(stage.part.template['authorization_params'])['resource'])
  return own !== undefined && URL.canParse(own) ? new URL(own) : apiBases(stage.part)[0]
}

const withoutSlash = (url: URL): string => url.href.replace(/\/+$/, '')

/** Whether the template leaves it to its servers to tell where their issuer is. */
const isGeneric = ({ template }: Part): boolean => template['authorization_url'] === undefined

/** Whose metadata tell of the endpoints. An issuer with a path shows who looks in the wrong place (RFC 8414 §3.1). */
function issuerOf(stage: Stage): URL | undefined {
  const asking = urlOf(stage, 'authorization_url')
  if (asking !== undefined) return new URL(asking.origin)
  const resource = resourceOf(stage)
  return resource && new URL(`https://auth.${resource.hostname}/mcp`)
}

/** The stage with the endpoints that only discovery tells of. */
function discovered(stage: Stage): Stage {
  const issuer = issuerOf(stage)
  if (issuer === undefined || !isGeneric(stage.part)) return stage
  const base = withoutSlash(issuer)
  const found = {
    authorization_url: `${base}/authorize`,
    token_url: `${base}/token`,
    registration_url: `${base}/register`,
  }
  return { ...stage, part: { ...stage.part, template: { ...stage.part.template, ...found } } }
}

/** The protected resource's metadata: at its own path, and at the root (RFC 9728 §3.1). */
function resourceUrls(resource: URL): readonly URL[] {
  const path = resource.pathname.replace(/\/+$/, '')
  const root = `${resource.origin}/.well-known/oauth-protected-resource`
  return [...new Set([`${root}${path}`, ...(path === '' ? [root] : [])])].map((url) => new URL(url))
}

/** The server's metadata, with the path of its issuer inserted as OAuth and OpenID have it, and appended. */
function serverUrls(issuer: URL): readonly URL[] {
  const path = issuer.pathname.replace(/\/+$/, '')
  const { origin } = issuer
  const urls = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ]
  return [...new Set(urls)].map((url) => new URL(url))
}

function serverMetadata(stage: Stage, issuer: URL): Answer {
  const { template, issued, scopes } = stage.part
  const isStatic = template['client_registration'] === 'static'
  const style = proofStyle(template) === 'body' ? 'client_secret_post' : 'client_secret_basic'
  return json(200, {
    issuer: withoutSlash(issuer),
    authorization_endpoint: urlOf(stage, 'authorization_url')?.href,
    token_endpoint: urlOf(stage, 'token_url')?.href,
    registration_endpoint: urlOf(stage, 'registration_url')?.href,
    scopes_supported: scopes,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_methods_supported: [isStatic && issued.clientSecret !== undefined ? style : 'none'],
    code_challenge_methods_supported: ['S256'],
  })
}

/** Which client a request is from. */
function clientIn(call: Call): { readonly id: string | undefined; readonly redirectUri: string | undefined } {
  const sent = call.method === 'GET' ? formParams(call.query, 'the query') : formParams(call.body, 'the body')
  const params = 'flaw' in sent ? {} : sent.params
  return { id: scalarText(params['client_id']), redirectUri: scalarText(params['redirect_uri']) }
}

/** Why the resource indicators of a request are no good (RFC 8707 §2). */
function resourceFlaw(stage: Stage, text: string): string | undefined {
  const resource = resourceOf(stage)
  const sent = new URLSearchParams(text).getAll('resource')
  if (sent.length === 0) return isGeneric(stage.part) ? 'there is no resource' : undefined
  const isOwn = (one: string): boolean =>
    URL.canParse(one) && !one.includes('#') && (resource === undefined || isWithin(new URL(one), resource))
  return sent.every(isOwn)
    ? undefined
    : `resource is not ${resource ? withoutSlash(resource) : 'a URL without a fragment'}`
}

const isWithin = (one: URL, other: URL): boolean =>
  one.origin === other.origin &&
  (withoutSlash(one) === withoutSlash(other) || one.pathname === '/' || other.pathname === '/')

function judge(stage: Stage, base: Stage, endpoint: Endpoint, call: Call): Answer {
  const { id, redirectUri } = clientIn(call)
  const isPage = call.method === 'GET'
  const known = stageFor(stage, id, isPage ? redirectUri : undefined)
  const isRefresh = !isPage && new URLSearchParams(call.body).get('grant_type') === 'refresh_token'
  const flaw = isRefresh ? undefined : resourceFlaw(base, isPage ? call.query : call.body)
  if (isPage) {
    const unknown = 'The client is not registered here, or not with this redirect URI.'
    if (known === undefined) return noticePage(400, 'This request cannot be answered', unknown)
    if (flaw !== undefined) return noticePage(400, 'This request cannot be answered', `invalid_target: ${flaw}.`)
  } else {
    if (flaw !== undefined) return refused([flaw], 'invalid_target')
    // A client that is in no parameter is in the header, where the endpoint looks itself.
    if (known === undefined && id !== undefined)
      return refused(['this client is not registered'], 'invalid_client', 401)
  }
  return same(known ?? stage, endpoint, call)
}

/** The same endpoint as it is for this client. */
function same(stage: Stage, endpoint: Endpoint, call: Call): Answer {
  const found = oauth2.endpoints?.(stage).find(({ what }) => what === endpoint.what)
  return (found ?? endpoint).answer(call)
}

function endpoints(base: Stage): readonly Endpoint[] {
  const stage = discovered(base)
  const issuer = issuerOf(base)
  const resource = resourceOf(base)
  const shown = (what: string, urls: readonly URL[], answer: () => Answer) =>
    urls.map((url) => ({ what, url, methods: ['GET'], answer }))
  const registration = urlOf(stage, 'registration_url')
  const own = (oauth2.endpoints?.(stage) ?? []).map((endpoint) => ({
    ...endpoint,
    answer: (call: Call) => judge(stage, base, endpoint, call),
  }))
  return [
    ...own,
    ...(registration === undefined
      ? []
      : [
          {
            what: 'the registration endpoint',
            url: registration,
            methods: ['POST'],
            answer: (call: Call) => register(stage, call),
          },
        ]),
    ...(issuer === undefined ? [] : shown('the metadata', serverUrls(issuer), () => serverMetadata(stage, issuer))),
    ...(resource === undefined || issuer === undefined
      ? []
      : shown('the metadata of the resource', resourceUrls(resource), () =>
          json(200, {
            resource: withoutSlash(resource),
            authorization_servers: [withoutSlash(issuer)],
            bearer_methods_supported: ['header'],
            scopes_supported: stage.part.scopes,
          }),
        )),
  ]
}

/** Any client's token, as long as it is of this twin. */
function checkToken(stage: Stage, token: string): Admission {
  const claims = readToken(stage.provider, 'access', token)
  return claims?.client.startsWith(`${stage.part.name}:`)
    ? { fault: claims.fault, family: claims.family }
    : checkSealed(stage, token)
}

/** RFC 9728 §5.1: where the resource tells who its issuer is. */
function challenge(stage: Stage): string {
  const [url] = resourceOf(stage) === undefined ? [] : resourceUrls(resourceOf(stage) as URL)
  return url === undefined ? '' : `resource_metadata="${url.href}"`
}

function decide(base: Stage, visit: Visit): Answer {
  return takeDecision(discovered(base), mcp, visit)
}

/** The server is its own API, where the template names no other. */
function retold(template: Fields): Fields {
  const proxy = fieldsOf(template['proxy'])
  if (template['auth_mode'] !== 'MCP_OAUTH2_GENERIC' || proxy['base_url'] !== undefined) return template
  return { ...template, proxy: { ...proxy, base_url: '${connectionConfig.mcp_server_url}' } }
}

/** An MCP server behind OAuth: clients may register themselves, PKCE is a must, tokens are for one resource. */
export const mcp: TwinMode = {
  retold,
  endpoints,
  checkToken,
  carrier: 'bearer',
  decide,
  challenge,
  reply: answerRpc,
}
