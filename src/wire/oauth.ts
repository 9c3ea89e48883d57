import { createHmac, timingSafeEqual } from 'node:crypto'
import * as oauth from 'oauth4webapi'
import { AuthCliError, ProviderError, TemplateError } from '../model/errors.ts'
import type { Header } from '../model/event.ts'
import type { Client } from '../model/integration.ts'
import { headerOf, type Transmit } from './record.ts'
import { type Party, type Refusal, refused, type Stage } from './refusal.ts'
import { assertSecure } from './secure.ts'
import { wordsBesideToken, wordsIn } from './words.ts'

/** The server as far as it is known. */
export interface Server {
  /** The real issuer; without it neither `iss` nor an ID token can be checked. */
  readonly issuer?: string | undefined
  /** Absent where nobody is sent to a browser. */
  readonly authorizationEndpoint?: string | undefined
  readonly tokenEndpoint: string
  /** RFC 8414 metadata, where it could be had. */
  readonly metadata?: Metadata | undefined
}

export type Metadata = oauth.AuthorizationServer

/** A token answer that has been re-worded in standard OAuth, beside what truly came. */
interface Heard {
  readonly status: number
  readonly headers: readonly Header[]
  readonly text: string
  readonly json?: unknown
  readonly beside?: Readonly<Record<string, string>> | undefined
}

/** The line to the token endpoint: dialect outermost, recorder innermost. */
export type Line = (
  url: string,
  request: {
    method: string
    headers: Readonly<Record<string, string>>
    body?: URLSearchParams | string | null | undefined
  },
) => Promise<{ readonly answer: Heard; readonly raw: Heard }>

/** What a token endpoint gave (RFC 6749 §5.1). */
export interface Tokens {
  readonly accessToken: string
  readonly tokenType: string
  readonly refreshToken?: string | undefined
  readonly idToken?: string | undefined
  /** `checked`: claims and signature; `claims`: signature could not be checked; `not checked`: the issuer is unknown. */
  readonly idTokenState?: 'checked' | 'claims' | 'not checked' | undefined
  /** Seconds. */
  readonly expiresIn?: number | undefined
  /** ISO 8601, when the provider said when instead of how long. */
  readonly expiresAt?: string | undefined
  /** Absent when the provider did not say, which means as asked. */
  readonly scopes?: readonly string[] | undefined
  /** Tokens for the provider's other APIs, by the name they are kept under. */
  readonly beside?: Readonly<Record<string, string>> | undefined
  /** The provider's answer, parsed where it could be. */
  readonly raw: unknown
}

export interface Talk {
  readonly server: Server
  readonly client: Client
  /** The client's private key, PEM or JWK, where it proves itself with it. */
  readonly key?: string | undefined
  readonly party: Party
  readonly line: Line
  readonly allowHttp: boolean
}

/**
 * The authorization code grant's token request and its judgement (RFC 6749 §4.1.3). `params` have been judged: they hold
 * our state and one code. Throws ProviderError, TransportError.
 */
export async function exchangeCode(
  talk: Talk,
  visit: {
    readonly params: URLSearchParams
    readonly state: string
    readonly redirectUri: string
    readonly codeVerifier?: string | undefined
    readonly nonce?: string | undefined
    readonly keys?: Transmit | undefined
  },
): Promise<Tokens> {
  const { as, client, heard, options } = settle(talk, 'token')
  const standard = new URLSearchParams()
  for (const name of ['code', 'state', 'iss']) {
    const value = visit.params.get(name)
    if (value !== null && (name !== 'iss' || talk.server.issuer !== undefined)) standard.set(name, value)
  }
  return explained(talk, 'token', async () => {
    const callback = oauth.validateAuthResponse(as, client, standard, visit.state)
    const response = await oauth.authorizationCodeGrantRequest(
      as,
      client,
      authentication(talk.client),
      callback,
      visit.redirectUri,
      visit.codeVerifier ?? oauth.nopkce,
      options,
    )
    const expectsIdToken = talk.server.issuer !== undefined && heard.grantsOpenId
    const answer = await oauth.processAuthorizationCodeResponse(as, client, response, {
      expectedNonce: (expectsIdToken ? visit.nonce : undefined) ?? oauth.expectNoNonce,
    })
    if (talk.server.issuer === undefined) assertNonce(heard.idToken, visit.nonce, talk.party)
    const idTokenState = await idTokenStateOf(talk, as, response, heard.idToken, visit.keys)
    return tokensOf(answer, heard, idTokenState)
  })
}

/** The refresh grant (RFC 6749 §6). Throws ProviderError, TransportError. */
export async function refreshTokens(talk: Talk, refreshToken: string): Promise<Tokens> {
  const { as, client, heard, options } = settle(talk, 'refresh')
  return explained(talk, 'refresh', async () => {
    const response = await oauth.refreshTokenGrantRequest(
      as,
      client,
      authentication(talk.client),
      refreshToken,
      options,
    )
    const answer = await oauth.processRefreshTokenResponse(as, client, response)
    return tokensOf(
      answer,
      heard,
      heard.idToken === undefined ? undefined : talk.server.issuer === undefined ? 'not checked' : 'claims',
    )
  })
}

/**
 * A token for the client itself (RFC 6749 §4.4), or by whatever grant the template writes in its place. Throws
 * ProviderError, TransportError; UsageError `BAD_KEY`.
 */
export async function grantClient(talk: Talk, stage: 'token' | 'refresh', scope: string): Promise<Tokens> {
  const { as, client, heard, options } = settle(talk, stage)
  const prove = talk.client.authentication === 'private_key_jwt' ? await byAssertion(talk) : authentication(talk.client)
  return explained(talk, stage, async () => {
    const params = new URLSearchParams(scope === '' ? {} : { scope })
    const response = await oauth.clientCredentialsGrantRequest(as, client, prove, params, options)
    return tokensOf(await oauth.processClientCredentialsResponse(as, client, response), heard, undefined)
  })
}

/** Seconds that an assertion of the client is good for. */
const assertionLife = 300

/** RFC 7523 §2.2, the token endpoint as its audience. */
async function byAssertion({ server, key = '' }: Talk): Promise<oauth.ClientAuth> {
  const { assertionKey } = await import('./assertion-key.ts')
  return oauth.PrivateKeyJwt(await assertionKey(key), {
    [oauth.modifyAssertion]: (_header, payload) => {
      payload['aud'] = server.tokenEndpoint
      payload['exp'] = Number(payload['iat']) + assertionLife
      // Some servers' clocks are behind ours.
      delete payload['nbf']
    },
  })
}

/**
 * Pushes an authorization request to the server (RFC 9126 §2), so that the browser carries only a reference to it. Returns
 * the `request_uri`, good for one use. Throws ProviderError, TransportError.
 */
export async function pushRequest(
  talk: Talk,
  endpoint: string,
  params: URLSearchParams,
  transmit: Transmit,
  remark: (quirk: string) => void,
): Promise<string> {
  assertSecure(endpoint, talk.allowHttp, 'pushed_authorization_request_endpoint')
  const issuer = talk.server.issuer ?? new URL(endpoint).origin
  const as: oauth.AuthorizationServer = { issuer, pushed_authorization_request_endpoint: endpoint }
  const client = { client_id: talk.client.id }
  return explained(talk, 'authorization', async () => {
    const response = await oauth.pushedAuthorizationRequest(as, client, authentication(talk.client), params, {
      [oauth.allowInsecureRequests]: true,
      headers: { 'user-agent': 'auth-cli' },
      [oauth.customFetch]: async (url, { method, headers, body }) => {
        const answer = await transmit({ method, url, headers: Object.entries(headers), body: String(body) })
        return pushed(answer, talk, remark)
      },
    })
    const { request_uri: uri } = await oauth.processPushedAuthorizationResponse(as, client, response)
    return uri
  })
}

/** The answer as the library wants it, or the refusal that it would hide. */
function pushed({ status, headers, text: body }: Heard, { party }: Talk, remark: (quirk: string) => void): Response {
  const members = parsed(body)
  if (status >= 400 && isMembers(members) && typeof members['error'] === 'string') {
    const { error, error_description: description, error_uri: uri } = members
    throw refused({ error, description: text(description), uri: text(uri), status }, 'authorization', party)
  }
  if (status !== 200 && status !== 201) {
    const what = describeBody(body, headerOf(headers, 'content-type'))
    throw new ProviderError(
      `HTTP_${status}`,
      `${party.title} answered the pushed authorization request with status ${status} and ${what}.`,
      { status, hint: 'Nothing was opened. The whole answer is in the log.' },
    )
  }
  if (status === 200) remark('a pushed authorization request answered with status 200; RFC 9126 §2.2 wants 201')
  return new Response(body, { status: 201, headers: { 'content-type': 'application/json' } })
}

const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'HS256',
  'HS384',
  'HS512',
]

interface Overheard {
  raw: unknown
  beside: Readonly<Record<string, string>> | undefined
  idToken: string | undefined
  /** False where the provider says which scopes it granted and `openid` is not one: then no ID token is owed. */
  grantsOpenId: boolean
}

/** The server, the client and the line as the protocol library wants them, and a place for what it does not return. */
function settle(talk: Talk, stage: Stage) {
  const { server } = talk
  const listed = server.metadata?.id_token_signing_alg_values_supported?.filter((alg) => alg !== 'none')
  const as: oauth.AuthorizationServer = {
    ...server.metadata,
    issuer: server.issuer ?? new URL(server.tokenEndpoint).origin,
    ...(server.authorizationEndpoint === undefined ? {} : { authorization_endpoint: server.authorizationEndpoint }),
    token_endpoint: server.tokenEndpoint,
    id_token_signing_alg_values_supported: listed ?? algorithms,
    // Judged already, where it is known; the library would refuse what the provider only sometimes sends.
    authorization_response_iss_parameter_supported: false,
  }
  const heard: Overheard = { raw: undefined, beside: undefined, idToken: undefined, grantsOpenId: true }
  const options: oauth.TokenEndpointRequestOptions = {
    // Plain http was judged by assertSecure before.
    [oauth.allowInsecureRequests]: true,
    headers: { 'user-agent': 'auth-cli' },
    [oauth.customFetch]: async (url, { method, headers, body }) => {
      assertSecure(url, talk.allowHttp, 'token_url')
      const { answer, raw } = await talk.line(url, { method, headers, body: body as URLSearchParams })
      heard.raw = parsed(raw.text)
      heard.beside = answer.beside
      return judged(answer, stage, talk, heard)
    },
  }
  return { as, client: { client_id: talk.client.id }, heard, options }
}

/** A `Response` that the library can read, or the refusal it would hide. */
function judged(answer: Heard, stage: Stage, talk: Talk, heard: Overheard): Response {
  const { party } = talk
  const members = answer.json
  const retryAfter = headerOf(answer.headers, 'retry-after')
  if (isMembers(members) && typeof members['error'] === 'string' && answer.status >= 400) {
    const refusal: Refusal = {
      error: members['error'],
      // An error of no agreed form has been named after its status: its words are in the answer as it came.
      description:
        text(members['error_description']) ?? (/^http_/.test(members['error']) ? wordsIn(answer.text) : undefined),
      uri: text(members['error_uri']),
      status: answer.status,
      retryAfter: retryAfter === '' ? undefined : retryAfter,
    }
    throw refused(refusal, stage, party)
  }
  if (answer.status !== 200) throw wrongStatus(answer, stage, party, retryAfter)
  if (!isMembers(members) || text(members['access_token']) === undefined) {
    const type = headerOf(answer.headers, 'content-type')
    throw new ProviderError(
      isMembers(members) ? 'NO_ACCESS_TOKEN' : 'ANSWER_UNUSABLE',
      isMembers(members)
        ? `${party.title} answered 200, but there is no access_token in it.`
        : `${party.title} answered 200 with ${describeBody(answer.text, type)} instead of tokens.`,
      {
        status: 200,
        words: wordsBesideToken(answer.text),
        hint: isMembers(members)
          ? `Its members are: ${Object.keys(members).slice(0, 20).join(', ')}. A nested token is found with alternate_access_token_response_path in the template.`
          : 'Check the token URL in the template; the whole answer is in the log.',
      },
    )
  }
  if (typeof members['access_token'] === 'string' && /[\x00-\x1f\x7f]/.test(members['access_token'])) {
    throw new ProviderError('ANSWER_INVALID', `${party.title} issued an access token with control characters in it.`, {
      status: 200,
      hint: 'It cannot be sent in a header and must not be printed (RFC 6749 appendix A.12). The answer is in the log.',
    })
  }
  const { id_token: idToken, ...tokens } = members
  heard.idToken = text(idToken)
  const { scope } = members
  heard.grantsOpenId = idToken !== undefined || typeof scope !== 'string' || scope.split(' ').includes('openid')
  const body = talk.server.issuer === undefined ? tokens : members
  return new Response(JSON.stringify(body), { status: 200, headers: { 'content-type': 'application/json' } })
}

function wrongStatus(answer: Heard, stage: Stage, party: Party, retryAfter: string): ProviderError {
  const what = stage === 'refresh' ? 'refresh' : 'token request'
  const redirected = answer.status >= 300 && answer.status <= 399
  return new ProviderError(
    `HTTP_${answer.status}`,
    redirected
      ? `${party.title} answered the ${what} with a redirect (${answer.status}).`
      : `${party.title} answered the ${what} with status ${answer.status} and ${describeBody(answer.text, headerOf(answer.headers, 'content-type'))}.`,
    {
      status: answer.status,
      words: redirected ? undefined : wordsIn(answer.text),
      hint: redirected
        ? `Secrets are never sent along a redirect: correct token_url in the template. It points to ${hostOf(headerOf(answer.headers, 'location'))}.`
        : answer.status === 429 || answer.status === 503
          ? `The provider is busy${retryAfter === '' ? '' : ` and asks to wait: Retry-After ${retryAfter}`}. ${stage === 'refresh' ? 'Nothing was renewed: try' : party.isAlone === true ? 'Try' : 'The code is not sent twice: connect'} again later.`
          : 'Check the token URL in the template; the whole answer is in the log.',
    },
  )
}

function describeBody(body: string, type: string): string {
  if (body.trim() === '') return 'an empty body'
  if (/html/i.test(type) || /^\s*<(!doctype|html)/i.test(body)) return 'an HTML page'
  if (/json/i.test(type) || /^\s*[{[]/.test(body)) return parsed(body) === undefined ? 'broken JSON' : 'JSON'
  return type === '' ? 'a body of no stated type' : `a body of type ${type.slice(0, 80)}`
}

function hostOf(location: string): string {
  return URL.canParse(location) ? new URL(location).host : 'another path of the same host'
}

/** Own Basic (RFC 6749 §2.3.1): only what must be encoded is, since many servers do not decode the rest. */
function authentication(client: Client): oauth.ClientAuth {
  const { secret = '', authentication: how } = client
  if (how === 'none') return oauth.None()
  return (_as, { client_id }, body, headers) => {
    if (how === 'custom') {
      body.set('username', client_id)
      body.set('password', secret)
      return
    }
    if (how !== 'post') {
      const encode =
        how === 'basic-raw' ? (part: string) => part : (part: string) => encodeURIComponent(part).replace(/%20/g, '+')
      headers.set('authorization', `Basic ${Buffer.from(`${encode(client_id)}:${encode(secret)}`).toString('base64')}`)
    }
    if (how === 'post' || how === 'basic+post') {
      body.set('client_id', client_id)
      body.set('client_secret', secret)
    }
  }
}

function tokensOf(answer: oauth.TokenEndpointResponse, heard: Overheard, idTokenState: Tokens['idTokenState']): Tokens {
  const at = answer['expires_at']
  return {
    accessToken: answer.access_token,
    tokenType: answer.token_type,
    refreshToken: answer.refresh_token,
    idToken: heard.idToken,
    idTokenState,
    expiresIn: answer.expires_in,
    expiresAt: answer.expires_in === undefined && typeof at === 'string' ? at : undefined,
    scopes: typeof answer.scope === 'string' ? answer.scope.split(' ').filter((scope) => scope !== '') : undefined,
    beside: heard.beside,
    raw: heard.raw,
  }
}

/** The library checks an ID token's claims; its signature is ours to ask for (OpenID Connect Core §3.1.3.7). */
async function idTokenStateOf(
  talk: Talk,
  as: oauth.AuthorizationServer,
  response: Response,
  idToken: string | undefined,
  keys: Transmit | undefined,
): Promise<Tokens['idTokenState']> {
  if (idToken === undefined) return undefined
  if (talk.server.issuer === undefined) return 'not checked'
  const header = parsed(Buffer.from(idToken.split('.')[0] ?? '', 'base64url').toString('utf8'))
  const alg = isMembers(header) ? header['alg'] : undefined
  if (typeof alg === 'string' && /^HS(256|384|512)$/.test(alg)) {
    assertHmac(idToken, alg, talk)
    return 'checked'
  }
  if (as.jwks_uri === undefined || keys === undefined) return 'claims'
  assertSecure(as.jwks_uri, talk.allowHttp, 'jwks_uri')
  await oauth.validateApplicationLevelSignature(as, response, {
    [oauth.allowInsecureRequests]: true,
    [oauth.customFetch]: (url, { method, headers }) => plainFetch(keys, url, method, headers),
  })
  return 'checked'
}

function assertHmac(idToken: string, alg: string, talk: Talk): void {
  const [header, payload, signature = ''] = idToken.split('.')
  const expected = createHmac(`sha${alg.slice(2)}`, talk.client.secret ?? '')
    .update(`${header}.${payload}`)
    .digest()
  const given = Buffer.from(signature, 'base64url')
  if (talk.client.secret === undefined || given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw idTokenRefused(talk.party, `its ${alg} signature is not made with this client's secret`)
  }
}

/** Where the issuer is unknown the nonce still ties an ID token to this request. */
function assertNonce(idToken: string | undefined, nonce: string | undefined, party: Party): void {
  if (idToken === undefined || nonce === undefined) return
  const claims = parsed(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString('utf8'))
  if (isMembers(claims) && claims['nonce'] !== undefined && claims['nonce'] !== nonce) {
    throw idTokenRefused(party, 'its nonce is not the one that was sent')
  }
}

function idTokenRefused(party: Party, why: string, cause?: unknown): ProviderError {
  return new ProviderError('ID_TOKEN_INVALID', `${party.title} sent an ID token that must not be believed: ${why}.`, {
    hint: 'Nothing was saved. Check the issuer in the template; the claims are in the log.',
    cause,
  })
}

async function plainFetch(
  transmit: Transmit,
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  const answer = await transmit({ method, url, headers: Object.entries({ ...headers, 'user-agent': 'auth-cli' }) })
  const type = headerOf(answer.headers, 'content-type')
  const empty = [204, 205, 304].includes(answer.status)
  return new Response(empty ? null : answer.text, {
    status: answer.status,
    headers: type === '' ? {} : { 'content-type': type },
  })
}

/** Runs a library call; what it throws becomes an error of ours that quotes no token. */
async function explained<T>(talk: Talk, stage: Stage, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw explain(error, stage, talk)
  }
}

function explain(error: unknown, stage: Stage, { party }: Talk): unknown {
  if (error instanceof AuthCliError) return error
  if (error instanceof oauth.ResponseBodyError) {
    return refused({ error: error.error, description: error.error_description, status: error.status }, stage, party)
  }
  if (error instanceof oauth.UnsupportedOperationError && /token_type/.test(error.message)) {
    return new ProviderError(
      'TOKEN_TYPE_UNSUPPORTED',
      `${party.title} issued a token of ${typeNamed(error.cause)} that cannot be sent as Bearer.`,
      {
        hint: 'A token of an unknown type must not be used (RFC 6749 §7.1). The answer is in the log.',
        cause: error,
      },
    )
  }
  if (error instanceof oauth.OperationProcessingError || error instanceof oauth.UnsupportedOperationError) {
    const aboutIdToken = /JWT|ID Token|id_token|JWS|jwks|nonce|claim/i.test(error.message)
    if (aboutIdToken) return idTokenRefused(party, error.message, error)
    return new ProviderError(
      'ANSWER_INVALID',
      `${party.title} answered something that OAuth does not allow: ${error.message}.`,
      {
        hint: 'The whole exchange is in the log.',
        cause: error,
      },
    )
  }
  if (error instanceof TypeError && (error as { code?: string }).code === 'ERR_INVALID_ARG_VALUE') {
    return new TemplateError('TEMPLATE_INVALID', `The protocol library refuses these settings: ${error.message}.`, {
      cause: error,
    })
  }
  return error
}

/** The odd type by name, where it is one: anything else could be a secret in the wrong place. */
function typeNamed(cause: unknown): string {
  const body = isMembers(cause) ? cause['body'] : undefined
  const type = isMembers(body) ? body['token_type'] : undefined
  return typeof type === 'string' && /^[a-z_]{1,20}$/i.test(type) ? `the type "${type}"` : 'a type'
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body.replace(/^\uFEFF/, ''))
  } catch {
    return undefined
  }
}

function isMembers(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Adds what proves the client at any endpoint of its server (RFC 6749 §2.3.1, RFC 7009 §2.1). */
export async function proveClient(
  client: Client,
  issuer: string,
  body: URLSearchParams,
  headers: Headers,
): Promise<void> {
  await authentication(client)({ issuer }, { client_id: client.id }, body, headers)
}
