import type { Header } from './event.ts'
import type { Endpoints } from './integration.ts'
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
}

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
  /** The instant, and the one random value, that texts of the template may ask for. */
  readonly now?: Date | undefined
  readonly random?: string | undefined
}

/** Told each time something deviates from the standard: for a testing tool the deviation is a finding. */
export type Remark = (quirk: string) => void

/**
 * How one provider's speech differs from standard OAuth: pure functions, each from one value to its re-wording. A quirk
 * that many share is a word in the template (`dialects/words.ts`); a quirk of one is a file in `dialects/`.
 */
export interface Dialect {
  /** The authorization request, as the browser will be sent there. */
  readonly authorize?: (url: URL, setting: Setting, remark: Remark) => URL
  /** The callback's parameters, before they are judged. */
  readonly callback?: (params: URLSearchParams, setting: Setting, remark: Remark) => URLSearchParams
  readonly request?: (request: TokenRequest, setting: Setting, remark: Remark) => TokenRequest
  readonly response?: (answer: TokenAnswer, setting: Setting, remark: Remark) => TokenAnswer
}
