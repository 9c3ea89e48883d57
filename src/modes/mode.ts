import type { Connection, Credential } from '../model/connection.ts'
import type { Setting } from '../model/dialect.ts'
import type { Header, Tell } from '../model/event.ts'
import type { Endpoints, Integration } from '../model/integration.ts'
import type { World } from '../model/world.ts'
import type { Line } from '../wire/oauth.ts'
import type { Transmit } from '../wire/record.ts'

/** How this provider is spoken to; strung by the verb, so that no mode knows which dialect it speaks. */
export interface Speech {
  readonly authorize: (url: URL, setting: Setting) => URL
  readonly hear: (params: URLSearchParams, setting: Setting) => URLSearchParams
  readonly line: (purpose: string, setting: Setting) => Line
  /** Without a dialect: metadata, keys. */
  readonly transmit: (purpose: string) => Transmit
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
  readonly endpoints: Endpoints & { readonly token: string }
  /** As it was sent in both requests. */
  readonly redirectUri: string
}

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
  /** A younger credential from what the connection holds; absent where there is no such thing. */
  readonly renew?: (world: World, connection: Connection, attempt: Attempt) => Promise<Obtained>
  /** The headers that carry the credential to the API. */
  readonly carry: (connection: Connection) => readonly Header[]
}
