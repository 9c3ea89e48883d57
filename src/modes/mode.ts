import type { Connection, Credential } from '../model/connection.ts'
import type { Setting } from '../model/dialect.ts'
import type { Header, Tell } from '../model/event.ts'
import type { ClientAuthentication, Endpoints, Integration } from '../model/integration.ts'
import type { Prompts, Template } from '../model/provider.ts'
import type { ClientCertificate, World } from '../model/world.ts'
import type { Line } from '../wire/oauth.ts'
import type { SecretsIn, Transmit } from '../wire/record.ts'
import type { Settle } from './settle.ts'

/** How this provider is spoken to; strung by the verb, so that no mode knows which dialect it speaks. */
export interface Speech {
  readonly authorize: (url: URL, setting: Setting) => URL
  readonly hear: (params: URLSearchParams, setting: Setting) => URLSearchParams
  readonly line: (purpose: string, setting: Setting, certificate?: ClientCertificate) => Line
  /** True where the provider renews by something else than a refresh token. */
  readonly renewsWithoutToken?: boolean
  /** Answers that are good for the log-in only, and are not kept. */
  readonly forgets?: readonly string[]
  /** Without a dialect: metadata, keys, log-ins that are no OAuth. `secretsIn` finds secrets that no name gives away. */
  readonly transmit: (purpose: string, secretsIn?: SecretsIn) => Transmit
}

/** What a mode needs to do its work. */
export interface Attempt {
  readonly id: string
  readonly tell: Tell
  readonly speech: Speech
}

/** What came home, before it is a connection. */
export interface Obtained {
  readonly credential: Credential
  /** Absent when the provider did not say, which means as asked (RFC 6749 §5.1). */
  readonly granted?: readonly string[] | undefined
  /** The answers, those that the callback and the token answer brought included. */
  readonly params: Readonly<Record<string, string>>
  readonly endpoints: Endpoints
  /** Origins of calls that no endpoint names: a step that the answer to another one led to. */
  readonly origins?: readonly string[] | undefined
  /** As it was sent in both requests; absent where no browser was sent anywhere. */
  readonly redirectUri?: string | undefined
  /** The integration as it was settled, where its endpoints or its client were found out on the way. */
  readonly integration?: Integration | undefined
  /** See `Snapshot.renewal`. */
  readonly renewal?: 'again' | undefined
}

/** What must be known of a mode before it is loaded: who is asked for what, and what it opens. */
export interface Traits {
  /** True where a person must come by in a browser. */
  readonly opensBrowser?: true
  /** Whether there is a client that names itself: with a secret it must have, without one if it likes, or none yet. */
  readonly client?: 'confidential' | 'maybe public' | 'may register'
  /** How the client's id and secret are called, where they are something else (`client_id`, `client_secret`). */
  readonly clientAsks?: Prompts
  /** The endpoints that it cannot do without. */
  readonly endpoints?: readonly ('authorization' | 'request' | 'token')[]
  /** How the client may prove itself, where that is more than the ways of an app with a secret. */
  readonly authentications?: readonly ClientAuthentication[]
  /** Answers that the trip through the browser brings, although no template says so. */
  readonly brings?: readonly string[]
  /** What it asks for where the template's `credentials` do not say so themselves. */
  readonly asks?: Prompts | ((template: Template) => Prompts)
  /** The same of `connection_config`. */
  readonly asksFirst?: Prompts
  /** True where PKCE is no choice. */
  readonly wantsPkce?: true
  /** True where what it obtains stays good until somebody takes it back: nobody waits for its expiry. */
  readonly isLasting?: true
  /** True where nobody has said yet that the credential is good when it is obtained: it is proved before it is saved. */
  readonly isUnproved?: true
}

/** An API request, complete but for what the mode adds to it. */
export interface Unsigned {
  readonly method: string
  readonly url: string
  readonly headers: readonly Header[]
  /** Undefined where there is none, or it is streamed and cannot be looked at. Bytes are no text in UTF-8. */
  readonly body?: string | Uint8Array | undefined
}

/** The instant, and random bytes, for signatures. */
export type Moment = Pick<World, 'random'> & { readonly now: Date }

/** How one kind of credential is obtained, renewed and carried. A module that has these is a mode. */
export interface Mode {
  /** The `auth_mode` that a template names it by. */
  readonly authMode: string
  /** `keep` makes it lasting before anybody is told that it worked. Throws any AuthCliError. */
  readonly obtain: (
    world: World,
    integration: Integration,
    attempt: Attempt,
    keep: (obtained: Obtained) => Promise<void>,
  ) => Promise<void>
  /** What has to be found out before the browser opens, where something may have to. */
  readonly settle?: Settle
  /**
   * Where `obtain` would send somebody to a browser: the work up to the first request, with nobody sent anywhere. `show`
   * is told the URL that the browser would be sent to, where it is known that early.
   */
  readonly rehearse?: (
    world: World,
    integration: Integration,
    attempt: Attempt,
    show: (url: URL) => void,
  ) => Promise<void>
  /** A younger credential from what the connection holds; absent where there is no such thing. */
  readonly renew?: (world: World, connection: Connection, attempt: Attempt) => Promise<Obtained>
  /**
   * The headers that carry the credential to the API, unless the template's own words carry it: a token, or a
   * signature over the request as it will be sent.
   */
  readonly carry: (connection: Connection, request: Unsigned, moment: Moment) => readonly Header[]
  /** True where `carry` signs each request: then it does so whatever the template's words say. */
  readonly signs?: true
  /** The certificate that calls show (RFC 8705), where the connection has one. */
  readonly certificate?: (connection: Connection) => ClientCertificate | undefined
}
