import type { Provider, Scalar } from './provider.ts'

/** Where an answer came from, in the order they are looked up. */
export type AnswerSource =
  | 'flag'
  | 'environment'
  | 'project file'
  | 'saved integration'
  | 'saved connection'
  | 'prompt'
  | 'template'
  | 'config'
  | 'default'

/**
 * How the client proves itself at the token endpoint: `post` (client_secret_post), `basic` (RFC 6749 §2.3.1 with only
 * what must be encoded encoded), `basic-raw` (not encoded at all), `basic+post` (both, for providers that insist),
 * `custom` (in the body as `username` and `password`), `private_key_jwt` (RFC 7523 §2.2), `signature`
 * (the secret is never sent: each request is signed with it, RFC 5849), `none` (a public client).
 */
export type ClientAuthentication =
  | 'post'
  | 'basic'
  | 'basic-raw'
  | 'basic+post'
  | 'custom'
  | 'private_key_jwt'
  | 'signature'
  | 'none'

export interface Client {
  readonly id: string
  readonly secret?: string | undefined
  readonly authentication: ClientAuthentication
  /** Set where it registered itself. */
  readonly registration?: Registration | undefined
}

/** What a server gave to a client that registered itself, beside its id and secret (RFC 7591 §3.2.1, RFC 7592 §3). */
export interface Registration {
  /** The authorization server that knows the client: its issuer and endpoints in one text. No other is ever sent it. */
  readonly server: string
  /** `registration_client_uri`: where it can be read, changed and deleted. */
  readonly url?: string | undefined
  /** `registration_access_token`, which is good for that. */
  readonly accessToken?: string | undefined
  /** ISO 8601; absent where the secret does not expire. */
  readonly secretExpiresAt?: string | undefined
}

/** A client that registered itself, kept so that the next flow need not register another. */
export interface RegisteredClient {
  /** One for each server and redirect URL. */
  readonly name: string
  readonly redirectUri: string
  readonly client: Client
  /** The scopes that the server lets it ask for, where it says so. */
  readonly scopes?: readonly string[] | undefined
  /** ISO 8601. */
  readonly at: string
}

/** The endpoints as they will be called, placeholders filled. */
export interface Endpoints {
  /** Where OAuth 1.0a gives temporary credentials (RFC 5849 §2.1). */
  readonly request?: string | undefined
  /** Absent where the mode sends nobody to a browser. */
  readonly authorization?: string | undefined
  /** Absent while it depends on something that only the callback brings, and where the mode asks for no token. */
  readonly token?: string | undefined
  /** Absent where refreshing goes to the token endpoint. */
  readonly refresh?: string | undefined
  /** Where the person's own tokens are had, where those of the app come from elsewhere. */
  readonly user?: string | undefined
  /** Where a token is given back (RFC 7009), where the template says so itself. */
  readonly revocation?: string | undefined
  /** Base URL of the API, without a trailing slash. */
  readonly api?: string | undefined
  /** Base URL of the calls that prove a credential, where it is not the API's. */
  readonly verification?: string | undefined
  /** Where temporary keys are had (AWS Security Token Service). */
  readonly sts?: string | undefined
  /** Issuer identifier, where the template knows it (RFC 8414, RFC 9207). */
  readonly issuer?: string | undefined
  /** The MCP server itself, as its URL was given. */
  readonly mcp?: string | undefined
}

/** Where we listen for the callback, as distinct from the redirect URI that the provider is told. */
export interface Listening {
  /** 0: any free port. */
  readonly port: number
  /** The loopback families that the redirect URI's host resolves to. */
  readonly addresses: readonly ('127.0.0.1' | '::1')[]
  /** Exact paths that count as the callback. */
  readonly paths: readonly string[]
  /** `Host` of a redirect URI that is not ours (a tunnel keeps it); loopback names at the port always pass. */
  readonly foreignHost?: string | undefined
  /** The host that we serve over TLS ourselves; absent where we speak plain http. */
  readonly secureHost?: string | undefined
}

/** You at a provider: everything that a flow needs, decided, before anything opens. */
export interface Integration {
  readonly name: string
  /** Name that the connection will have. */
  readonly connection: string
  readonly provider: Provider
  readonly client: Client
  /** `default` where nobody has said how it proves itself, so that the server's own word counts. */
  readonly authenticationFrom?: AnswerSource | undefined
  /** Origins that the client is bound to, where it was saved with them: it goes nowhere else. */
  readonly clientOrigins?: readonly string[] | undefined
  /** True where nothing that was kept from before is to be used again. */
  readonly startsAnew?: boolean | undefined
  /** True where a client that registers itself is kept for the next flow. */
  readonly savesClient?: boolean | undefined
  readonly endpoints: Endpoints
  readonly scopes: readonly string[]
  /** Whether the scopes are somebody's choice or the template's defaults. */
  readonly scopesFrom: AnswerSource
  /** The answers to the questions of `connection_config`. */
  readonly params: Readonly<Record<string, string>>
  /** Those to `credentials`, and to `integration_config`, which win. */
  readonly credentials: Readonly<Record<string, string>>
  /** Those to `assertion_option`: used once and never kept. */
  readonly assertionOption: Readonly<Record<string, string>>
  /** Sent in both requests, byte for byte; port 0 stands in it until the listener knows. Unused without a browser. */
  readonly redirectUri: string
  readonly listening: Listening
  readonly pkce: boolean
  /** The template's `authorization_params`, placeholders filled, in their order. */
  readonly templateParams: Readonly<Record<string, Scalar>>
  /** From `--auth-param`: added or overridden (value), or removed (null). */
  readonly authorizationParams: Readonly<Record<string, string | null>>
  readonly tokenParams: Readonly<Record<string, string | null>>
  /** True where plain http to a host that is not loopback was allowed by flag. */
  readonly allowHttp: boolean
  /** Where the person creates the app and registers the redirect URL, where the template knows. */
  readonly registerUrl?: string | undefined
  /** Where each answer came from, by its flag's name without dashes: `client-id`, `subdomain`, `scope`. */
  readonly answeredBy: Readonly<Record<string, AnswerSource>>
  /** Words about answers that were reduced or left out, or that the template warns of; no secret stands in them. */
  readonly notes?: readonly string[] | undefined
  /** The only origins that may be asked, where a secret among the answers is one that was saved. */
  readonly boundTo?: readonly string[] | undefined
}

/** What `integrations add` keeps on disk. */
export interface SavedIntegration {
  readonly name: string
  readonly provider: string
  readonly clientId?: string | undefined
  readonly clientSecret?: string | undefined
  readonly scopes?: readonly string[] | undefined
  readonly params?: Readonly<Record<string, string>> | undefined
  /** Origins that the secret may be sent to, fixed when it was first used. */
  readonly origins?: readonly string[] | undefined
  /** ISO 8601. */
  readonly createdAt: string
  readonly updatedAt: string
}
