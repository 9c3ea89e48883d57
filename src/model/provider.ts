import type { Problem } from './errors.ts'

export type Scalar = string | number | boolean

/** A question that a template asks the person; the same rules hold for a flag, the environment and the project file. */
export interface Prompt {
  readonly type?: string | undefined
  readonly title?: string | undefined
  readonly description?: string | undefined
  /** JavaScript regular expression, tested unanchored unless written so. */
  readonly pattern?: string | undefined
  readonly format?: string | undefined
  readonly example?: string | undefined
  /** Shown around the input, never added to the value. */
  readonly prefix?: string | undefined
  readonly suffix?: string | undefined
  readonly default_value?: string | undefined
  readonly optional?: boolean | undefined
  readonly hidden?: boolean | undefined
  /** Never asked: filled from the callback, the token answer or by us. */
  readonly automated?: boolean | undefined
  readonly enum?: readonly string[] | undefined
  readonly secret?: boolean | undefined
  readonly order?: number | undefined
  readonly doc_section?: string | undefined
  /** Asked, and held to its rules, only where the answer to `field` is `equals`, and that question is itself asked. */
  readonly visible_when?: { readonly field: string; readonly equals: unknown } | undefined
  /** A word of warning for each value that deserves one. */
  readonly warnings?: Readonly<Record<string, Scalar>> | undefined
}

/** Questions by the name of their answer, in the order in which they are written. */
export type Prompts = Readonly<Record<string, Prompt>>

/** What a provider asks of the redirect URL (an extension of ours). */
export interface RedirectUriHints {
  /** The host that the provider wants in it, e.g. `127.0.0.1`; default `localhost`. */
  readonly host?: string | undefined
  /** True where the provider refuses `http`, loopback included. */
  readonly https?: boolean | undefined
  /** `any`: the provider accepts any loopback port (RFC 8252 §7.3). Default `exact`. */
  readonly port?: 'any' | 'exact' | undefined
}

/** A call that proves a credential: any one of the endpoints answering 2xx will do. */
export interface Verification {
  readonly method?: string | undefined
  readonly endpoints?: readonly string[] | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Body, as JSON unless the headers say otherwise. */
  readonly data?: unknown
  /** Instead of `base_url`. */
  readonly base_url_override?: string | undefined
}

/** How the API is called once there is a connection. */
export interface ProxySettings {
  readonly base_url?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly query?: Readonly<Record<string, string>> | undefined
  /** Members that every JSON body has. */
  readonly body?: Readonly<Record<string, unknown>> | undefined
  readonly verification?: Verification | undefined
  readonly [field: string]: unknown
}

/** A JWT that we sign: as the credential itself, or for a log-in (`${token}`). */
export interface SignedToken {
  readonly signing_key?: string | undefined
  readonly expires_in_ms?: number | undefined
  readonly header?: Readonly<Record<string, unknown>> | undefined
  /** One whose placeholder nothing fills is left out; a list's texts are split at commas. */
  readonly payload?: Readonly<Record<string, unknown>> | undefined
}

export interface SignatureWords {
  /** `RSA`, `EC`, `HMAC`; `WSSE` for a mode of its own. */
  readonly protocol?: string | undefined
  /** How the secret of an HMAC is written: `hex` unless `utf8`. */
  readonly hmac_secret_encoding?: string | undefined
}

/** Something about the person that we sign for the provider to trust: `${credentials.assertion}` in the log-in. */
export interface AssertionWords {
  /** `jwt` or `saml`. */
  readonly type?: string | undefined
  readonly key?: string | undefined
  /** Seconds; 3600 for a JWT, 300 for SAML, where it is absent. */
  readonly lifetimeInSeconds?: number | string | undefined
  /** True where the provider takes each but once. */
  readonly singleUse?: boolean | undefined
  /** Of a JWT. */
  readonly header?: Readonly<Record<string, unknown>> | undefined
  readonly payload?: Readonly<Record<string, unknown>> | undefined
  /** Of SAML, as the rest. */
  readonly issuer?: string | undefined
  readonly audiences?: string | readonly string[] | undefined
  readonly attributes?: Readonly<Record<string, unknown>> | undefined
  readonly recipient?: string | undefined
  readonly nameIdentifier?: string | undefined
  readonly sessionIndex?: string | undefined
}

/** Where things stand in the answer to a log-in: paths with dots; the whole answer where the token's is empty. */
export interface TokenResponse {
  readonly token?: string | undefined
  readonly token_expiration?: string | undefined
  /** `expireAt`: an instant (the default); `expireIn`: a lifetime. */
  readonly token_expiration_strategy?: string | undefined
  readonly refresh_token?: string | undefined
}

/** One request of a log-in; those after the first may refer to the answers before them (`${step1.path}`). */
export interface LoginStep {
  readonly token_url?: string | undefined
  readonly token_params?: Readonly<Record<string, unknown>> | undefined
  readonly token_headers?: Readonly<Record<string, Scalar>> | undefined
  readonly token_request_method?: string | undefined
  readonly body_format?: string | undefined
}

/**
 * One entry of a template file, aliases resolved, in the file's own vocabulary (snake_case). Fields not yet understood
 * are kept as read, so that a snapshot loses nothing.
 */
export interface Template {
  readonly display_name?: string | undefined
  readonly docs?: string | undefined
  readonly categories?: readonly string[] | undefined
  readonly auth_mode: string
  readonly authorization_url?: string | undefined
  readonly authorization_params?: Readonly<Record<string, Scalar>> | undefined
  /** `header`: client id and secret as form-encoded Basic (RFC 6749 §2.3.1) instead of in the body. */
  readonly authorization_method?: string | undefined
  /** `scopes`: the scope stands as written at the end of the URL; `base_url`: answers stand as written in its path. */
  readonly authorization_url_skip_encode?: readonly string[] | undefined
  /** True: a parameter without a value is left out of the URL. */
  readonly authorization_url_skip_empty?: boolean | undefined
  /** Text → text, each replaced once in the finished URL, in this order. */
  readonly authorization_url_replacements?: Readonly<Record<string, Scalar>> | undefined
  /** Stands behind a `#` before the query: `origin/path#fragment?query`. */
  readonly authorization_url_fragment?: string | undefined
  readonly authorization_code_param_in_callback?: string | undefined
  readonly disable_pkce?: boolean | undefined
  readonly scope_separator?: string | undefined
  readonly default_scopes?: readonly string[] | undefined
  readonly token_url?: string | undefined
  readonly token_url_skip_encode?: readonly string[] | undefined
  /** Texts, numbers, true, false; where the body is JSON, lists and fields too. */
  readonly token_params?: Readonly<Record<string, unknown>> | undefined
  /** Of a log-in. */
  readonly token_headers?: Readonly<Record<string, Scalar>> | undefined
  readonly token_request_method?: string | undefined
  readonly token_response?: TokenResponse | undefined
  /** Headers of its answer that are kept; `set-cookie` is kept as cookies. */
  readonly token_response_headers?: readonly string[] | undefined
  readonly additional_steps?: readonly LoginStep[] | undefined
  /** Milliseconds that its token lives where the answer does not say; 0: for ever. */
  readonly token_expires_in_ms?: number | undefined
  readonly refresh_token_params?: Readonly<Record<string, unknown>> | undefined
  readonly refresh_token_headers?: Readonly<Record<string, Scalar>> | undefined
  readonly token?: SignedToken | undefined
  readonly signature?: SignatureWords | undefined
  readonly assertion?: AssertionWords | undefined
  /** `basic`: raw (not form-encoded) Basic. */
  readonly token_request_auth_method?: string | undefined
  readonly token_response_metadata?: readonly string[] | undefined
  readonly redirect_uri_metadata?: readonly string[] | undefined
  /** Answers that a look-up after the connection fills in, so that nobody is asked for them. */
  readonly connection_configuration?: readonly string[] | undefined
  readonly alternate_access_token_response_path?: string | undefined
  readonly body_format?: string | undefined
  readonly refresh_url?: string | undefined
  readonly refresh_params?: Readonly<Record<string, unknown>> | undefined
  /** Seconds before expiry at which a token counts as stale. */
  readonly token_expiration_buffer?: number | undefined
  readonly connection_config?: Prompts | undefined
  /** Secrets that some modes ask for. */
  readonly credentials?: Prompts | undefined
  /** What is kept with the integration rather than the connection. */
  readonly integration_config?: Prompts | undefined
  /** Asked each time and never kept. */
  readonly assertion_option?: Prompts | undefined
  readonly proxy?: ProxySettings | undefined
  /** How a client of an MCP server becomes known to it (RFC 7591, or by a document that its id is the URL of). */
  readonly client_registration?: string | undefined
  readonly registration_url?: string | undefined
  /** Sent with a registration, on top of what we say of ourselves. */
  readonly registration_params?: Readonly<Record<string, unknown>> | undefined
  /** Ours: the issuer identifier (RFC 8414, RFC 9207); lets `iss` and the ID token be checked. */
  readonly issuer?: string | undefined
  /** Ours: what the provider asks of the redirect URL. */
  readonly redirect_uri?: RedirectUriHints | undefined
  /** Ours: true where the provider has no public clients. */
  readonly client_secret_required?: boolean | undefined
  /** Ours: where the person creates the app and registers the redirect URL. */
  readonly register_url?: string | undefined
  /** Ours: what to do there, one short sentence a step. */
  readonly register_steps?: readonly string[] | undefined
  /** Ours: RFC 8628 §3.1, RFC 7009, RFC 7662, OpenID Connect Core §5.3. */
  readonly device_authorization_url?: string | undefined
  readonly revocation_url?: string | undefined
  readonly introspection_url?: string | undefined
  readonly userinfo_url?: string | undefined
  readonly [field: string]: unknown
}

/** `address`: no template at all; the provider was made on the spot from a URL, which stands in place of the file. */
export type SourceKind = 'project' | 'person' | 'added' | 'built-in' | 'address'

/** Where a template was read. */
export interface TemplateSource {
  readonly kind: SourceKind
  /** Absolute path of the file it stands in; of an `address` the URL. */
  readonly file: string
  /** SHA-256 of the resolved template's JSON, hex: tells whether it changed since a connection was made. */
  readonly hash: string
}

/** A place that issues credentials: a template read, resolved and checked. */
export interface Provider {
  readonly name: string
  /** The name, then those that its alias stands for: it shares their accents. */
  readonly names: readonly string[]
  /** `display_name`, stripped of control and escape sequences; the name where there is none. */
  readonly title: string
  readonly template: Template
  readonly source: TemplateSource
  /** Sources that also have this name and lost to this one. */
  readonly hides: readonly TemplateSource[]
  /** What deserves a word but stops nothing: unknown fields and the like. */
  readonly warnings: readonly Problem[]
  /** What its entry lacked and the template was given, and why, as a clause; absent where nothing was. */
  readonly mended?: string | undefined
}
