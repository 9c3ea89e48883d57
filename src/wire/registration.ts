import { createHash } from 'node:crypto'
import { ProviderError } from '../model/errors.ts'
import type { Client, ClientAuthentication, Registration } from '../model/integration.ts'
import type { Metadata } from './oauth.ts'
import { headerOf, type Received, type Transmit } from './record.ts'
import { assertSecure } from './secure.ts'
import { wordsIn } from './words.ts'

/** A client about to register itself (RFC 7591 §2). */
export interface Application {
  readonly redirectUri: string
  readonly scopes: readonly string[]
  /** What the server says of itself, where it does. */
  readonly metadata?: Metadata | undefined
  /** The template's own, which win. */
  readonly more?: Readonly<Record<string, unknown>> | undefined
  /** Which server it is for; see `Registration.server`. */
  readonly server: string
}

export interface Registrar {
  readonly title: string
  readonly endpoint: string
  readonly allowHttp: boolean
  readonly transmit: Transmit
  readonly remark: (quirk: string) => void
}

/** A client as the server has registered it: its values hold, whatever was asked for (RFC 7591 §3.2.1). */
export interface Registered {
  readonly client: Client & { readonly registration: Registration }
  /** The scopes that it may ask for, where the server says so. */
  readonly scopes?: readonly string[] | undefined
}

type Members = Readonly<Record<string, unknown>>

/** Name under which a client is kept: one for each server and redirect URL, so that no other is ever sent it. */
export function registrationKey(server: string, redirectUri: string): string {
  return createHash('sha256').update(`${server}\n${redirectUri}`).digest('hex')
}

/** Registers a client (RFC 7591 §3). Throws ProviderError `REGISTRATION_REFUSED`, `REGISTRATION_UNUSABLE`; TransportError. */
export async function register(registrar: Registrar, application: Application): Promise<Registered> {
  const { endpoint, transmit, allowHttp, remark } = registrar
  assertSecure(endpoint, allowHttp, 'registration_url')
  const asked = wishesOf(application)
  const answer = await transmit({
    method: 'POST',
    url: endpoint,
    headers: [
      ['content-type', 'application/json'],
      ['accept', 'application/json'],
      ['user-agent', 'auth-cli'],
    ],
    body: JSON.stringify(asked),
  })
  const members = membersOf(answer.text)
  if (answer.status !== 201 && answer.status !== 200) throw refusedBy(registrar, answer, members)
  if (members === undefined || typeof members['client_id'] !== 'string' || members['client_id'] === '') {
    if (members !== undefined && typeof members['error'] === 'string') throw refusedBy(registrar, answer, members)
    throw unusable(registrar, 'without a client_id in it', answer.status)
  }
  if (answer.status === 200) remark('a registration answered with status 200; RFC 7591 §3.2.1 wants 201')
  return registeredBy(registrar, application, asked, { ...members, client_id: members['client_id'] })
}

/** The metadata of our client: a native app (RFC 8252 §8.4), unless it is sent back by way of a web server. */
function wishesOf({ redirectUri, scopes, metadata, more }: Application): Members {
  const grants = metadata?.grant_types_supported
  const renews = grants === undefined || grants.includes('refresh_token')
  return {
    client_name: 'auth-cli',
    application_type: redirectUri.startsWith('https:') ? 'web' : 'native',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', ...(renews ? ['refresh_token'] : [])],
    response_types: ['code'],
    token_endpoint_auth_method: methodFor(metadata),
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    ...more,
  }
}

/** A program that anybody can read keeps no secret, so none where that is allowed. */
function methodFor(metadata: Metadata | undefined): string {
  const supported = metadata?.token_endpoint_auth_methods_supported ?? ['none']
  return ['none', 'client_secret_post', 'client_secret_basic'].find((method) => supported.includes(method)) ?? 'none'
}

function registeredBy(
  registrar: Registrar,
  application: Application,
  asked: Members,
  members: Members & { readonly client_id: string },
): Registered {
  const { client_secret: secret, redirect_uris: uris, scope, token_endpoint_auth_method: method } = members
  if (Array.isArray(uris) && uris.length > 0 && !uris.includes(application.redirectUri)) {
    throw new ProviderError(
      'REGISTRATION_UNUSABLE',
      `${registrar.title} registered another redirect URL than ${application.redirectUri}: ${String(uris[0]).slice(0, 300)}.`,
      { hint: 'Nobody would be sent back here. Give one that it takes with --callback-url.' },
    )
  }
  const hasSecret = typeof secret === 'string' && secret !== ''
  const named = typeof method === 'string' ? method : undefined
  const authentication = authenticationOf(named ?? (hasSecret ? 'client_secret_basic' : 'none'), registrar)
  if (named !== undefined && named !== asked['token_endpoint_auth_method'])
    registrar.remark(`it registered ${named} where ${String(asked['token_endpoint_auth_method'])} was asked for`)
  if (authentication !== 'none' && !hasSecret) throw unusable(registrar, `for ${named}, but without a client_secret`)
  return {
    client: {
      id: members.client_id,
      ...(authentication === 'none' ? {} : { secret: String(secret) }),
      authentication,
      registration: registrationOf(application.server, members, hasSecret, registrar),
    },
    scopes: typeof scope === 'string' && scope !== '' ? scope.split(' ').filter((one) => one !== '') : undefined,
  }
}

function authenticationOf(method: string, registrar: Registrar): ClientAuthentication {
  const known: Readonly<Record<string, ClientAuthentication>> = {
    none: 'none',
    client_secret_post: 'post',
    client_secret_basic: 'basic',
  }
  const authentication = Object.hasOwn(known, method) ? known[method] : undefined
  if (authentication !== undefined) return authentication
  throw unusable(registrar, `for ${method.slice(0, 60)}, which auth-cli cannot do with a client that registers itself`)
}

function registrationOf(server: string, members: Members, hasSecret: boolean, registrar: Registrar): Registration {
  const { registration_access_token: token, registration_client_uri: uri, client_secret_expires_at: ends } = members
  const seconds = typeof ends === 'string' && /^\d+$/.test(ends) ? Number(ends) : ends
  if (hasSecret && (typeof seconds !== 'number' || !Number.isFinite(seconds)))
    registrar.remark('a client_secret without client_secret_expires_at; RFC 7591 §3.2.1 wants both')
  const isDated = typeof seconds === 'number' && seconds > 0 && seconds < 8_640_000_000_000
  return {
    server,
    ...(typeof uri === 'string' && uri !== '' ? { url: uri } : {}),
    ...(typeof token === 'string' && token !== '' ? { accessToken: token } : {}),
    ...(isDated ? { secretExpiresAt: new Date(seconds * 1000).toISOString() } : {}),
  }
}

/** RFC 7591 §3.2.2, or whatever it said instead. */
function refusedBy({ title, endpoint }: Registrar, answer: Received, members: Members | undefined): ProviderError {
  const code = typeof members?.['error'] === 'string' ? `: ${members['error'].slice(0, 100)}` : ''
  const moved = answer.status >= 300 && answer.status <= 399
  const said = `${code} ${wordsIn(answer.text) ?? ''}`
  return new ProviderError(
    'REGISTRATION_REFUSED',
    `${title} did not register a client: it answered ${answer.status}${code}.`,
    {
      status: answer.status,
      words: wordsIn(answer.text),
      facts: [['Asked', endpoint]],
      hint: moved
        ? `A registration is not sent along a redirect; it points to ${headerOf(answer.headers, 'location').slice(0, 200) || 'nowhere'}.`
        : /redirect/i.test(said)
          ? 'Give a redirect URL that it takes with --callback-url, or register an app there yourself and give its --client-id.'
          : answer.status === 429
            ? 'Too many have registered: wait, or give the --client-id of an app that is registered.'
            : answer.status === 401 || answer.status === 403
              ? 'It registers no strangers: register an app there yourself and give its --client-id.'
              : 'What was asked for is in the log. Or register an app there yourself and give its --client-id.',
    },
  )
}

function unusable({ title }: Registrar, why: string, status?: number): ProviderError {
  return new ProviderError('REGISTRATION_UNUSABLE', `${title} registered a client ${why}.`, {
    status,
    hint: 'Register an app there yourself and give its --client-id; the answer is in the log.',
  })
}

function membersOf(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : undefined
  } catch {
    return undefined
  }
}
