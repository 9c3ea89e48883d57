import type { Connection, Credential } from './connection.ts'
import type { Header } from './event.ts'
import type { Client, Endpoints } from './integration.ts'
import type { Template } from './provider.ts'

/** A request to the token endpoint while dialects may still re-word it. */
export interface TokenRequest {
  readonly method: string
  readonly url: string
  readonly headers: readonly Header[]
  /** The parameters, still parsed. The body is written from them last, unless `body` is set. */
  readonly params: URLSearchParams
  /** Set to send something else than the form-encoded parameters. */
  readonly body?: string | undefined
}

/** The token endpoint's answer, body read and decoded as text. */
export interface TokenAnswer {
  readonly status: number
  readonly headers: readonly Header[]
  readonly text: string
  /** The body as a value, once somebody made sense of it; undefined while nobody has. */
  readonly json?: unknown
  /** Tokens for the provider's other APIs that came with it, by the name they are kept under. */
  readonly beside?: Readonly<Record<string, string>> | undefined
}

/** A request of a dialect's own, beside the one that was asked for. */
export interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: readonly Header[]
  readonly body?: string | undefined
}

/** Sends a request of a dialect's own; `purpose` says in the log what it is for. Rejects as the line does. */
export type Send = (purpose: string, request: Sent) => Promise<TokenAnswer>

/** What a dialect may know about the flow that it re-words. */
export interface Setting {
  readonly template: Template
  readonly endpoints: Endpoints
  readonly params: Readonly<Record<string, string>>
  readonly scopes: readonly string[]
  /** What the person gave beside the parameters, by the template's names, for texts that ask for it. */
  readonly given?: Readonly<Record<string, string>> | undefined
  readonly grant: 'authorization_code' | 'refresh_token' | 'client_credentials'
  readonly tokenParams: Readonly<Record<string, string | null>>
  readonly client?: Client | undefined
  /** As it was sent with the authorization request; absent where it is not known any more. */
  readonly redirectUri?: string | undefined
  readonly state?: string | undefined
  /** What the connection holds, when it is renewed. */
  readonly held?: Credential | undefined
  /** The instant, and the one random value, that texts of the template may ask for. */
  readonly now?: Date | undefined
  readonly random?: string | undefined
}

/** A template with what its entry lacks, as the provider's own documentation has it. */
export interface Mended {
  readonly template: Template
  /** What was changed and why, as a clause. */
  readonly says: string
}

/** Told each time something deviates from the standard: for a testing tool the deviation is a finding. */
export type Remark = (quirk: string) => void

/**
 * How one provider's speech differs from standard OAuth: pure functions, each from one value to its re-wording, and only
 * where one request is not enough an `exchange` of several. A quirk
 * that many share is a word in the template (`dialects/words.ts`); a quirk of one is a file in `dialects/`.
 */
export interface Dialect {
  /** The authorization request, as the browser will be sent there. */
  readonly authorize?: (url: URL, setting: Setting, remark: Remark) => URL
  /** The callback's parameters, before they are judged. */
  readonly callback?: (params: URLSearchParams, setting: Setting, remark: Remark) => URLSearchParams
  readonly request?: (request: TokenRequest, setting: Setting, remark: Remark) => TokenRequest
  readonly response?: (answer: TokenAnswer, setting: Setting, remark: Remark) => TokenAnswer
  /** Where one request is not enough: asks on with the tokens of the first, and returns the answer that counts. */
  readonly exchange?: (first: TokenAnswer, setting: Setting, send: Send, remark: Remark) => Promise<TokenAnswer>
  /** Whether a token that says nothing of its expiry must be renewed: by asking the provider. */
  readonly isStale?: (connection: Connection, now: Date, send: Send) => Promise<boolean>
  /** True where the provider renews by something else than a refresh token. */
  readonly renewsWithoutToken?: true
  /** True where the provider refuses PKCE, or must not be sent it. */
  readonly refusesPkce?: true
  /** Answers that are good for the log-in only, and are not kept. */
  readonly forgets?: readonly string[]
  /** What a catalogue's entry lacks so that nobody could connect by it; undefined where this one lacks nothing. */
  readonly mends?: (template: Template) => Mended | undefined
  /** What it does otherwise, as a clause: for the provider's page. */
  readonly says?: string
}
