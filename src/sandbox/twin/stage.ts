import type { Answer, Visit } from '../answer.ts'
import type { Provider } from '../provider.ts'
import type { Fields } from './fields.ts'
import type { Issued } from './issue.ts'

/** The part that a twin plays: a provider as its template tells, and what it issued to its one customer. */
export interface Part {
  readonly name: string
  /** Whom the consent page speaks for. */
  readonly title: string
  readonly template: Fields
  readonly issued: Issued
  /** As of an accent. */
  readonly pkce?: 'optional' | 'hex' | undefined
  /** What the client asks for, where that is known. */
  readonly scopes: readonly string[] | undefined
  /** What placeholders stand for. The second leaves out what a client can only have looked up at the API. */
  readonly variants: readonly [Fields, Fields]
}

/** All that one running twin knows. */
export interface Stage {
  readonly part: Part
  readonly provider: Provider
  /** Where a browser goes after an installation, whose request cannot say it. */
  readonly callbackUrl: string
  /** Where the twin serves one of the provider's URLs. */
  readonly address: (url: string) => string
}

/** A request as the provider itself would have got it. */
export interface Call {
  readonly method: string
  readonly url: URL
  /** As sent, without its question mark. */
  readonly query: string
  readonly headers: Visit['headers']
  readonly body: string
  readonly bytes: Uint8Array
}

/** Something of the provider's that lives at one URL. */
export interface Endpoint {
  /** In a sentence: `the token endpoint`. */
  readonly what: string
  readonly url: URL
  readonly methods: readonly string[]
  readonly answer: (call: Call) => Answer
}

/** Why the credential of an API call is no good, or nothing. */
export type Admission = { readonly flaw: string } | { readonly fault?: string | undefined; readonly family: string }

/** How one kind of credential is handed out and checked. */
export interface TwinMode {
  /** The template as everybody of this mode reads it. */
  readonly retold?: (template: Fields) => Fields
  /** What there is beside the API. */
  readonly endpoints?: (stage: Stage) => readonly Endpoint[]
  /** Judges the token that a call carries; absent where the credential is no token. */
  readonly checkToken?: (stage: Stage, token: string, call: Call) => Admission
  /** Where a call carries its credential when the template does not say. */
  readonly carrier?: 'bearer' | 'basic'
  /** Re-words what goes back to the client after a consent, before it is put into its URL. */
  readonly callback?: (stage: Stage, params: URLSearchParams) => void
  /** Takes a decision on a consent page of its own. */
  readonly decide?: (stage: Stage, visit: Visit) => Answer
  /** What it says to a good call, where it has something to say. */
  readonly reply?: (stage: Stage, call: Call) => Answer | undefined
  /** What the challenge of a refused call says beside the rest (RFC 9728 §5.1): `name="value"`. */
  readonly challenge?: (stage: Stage, call: Call) => string
  /** Judges the whole call by itself, in place of all that. */
  readonly admit?: (stage: Stage, call: Call) => Admission
}

/** One header, joined where it came twice. */
export function headerOf(call: Call, name: string): string | undefined {
  const value = call.headers[name.toLowerCase()]
  return Array.isArray(value) ? value.join(', ') : value
}

/** The media type of the body in lower case, without its parameters. */
export function mediaType(call: Call): string {
  return (headerOf(call, 'content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}
