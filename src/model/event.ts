/** What a flow does. */
export type Deed = 'connect' | 'refresh' | 'request' | 'verify' | 'revoke'

/** How a flow ended. */
export type FlowEnd = 'success' | 'failed' | 'cancelled' | 'timeout'

/** Milliseconds that each leg of an exchange took; absent where the leg did not happen (a reused connection). */
export interface Timing {
  readonly dns?: number | undefined
  readonly connect?: number | undefined
  readonly tls?: number | undefined
  /** From the request's last byte to the answer's first. */
  readonly wait?: number | undefined
  readonly total: number
}

export type Header = readonly [name: string, value: string]

/** One HTTP request and its answer, as they truly crossed, secrets masked at birth, bodies capped at 64 KB. */
export interface Exchange {
  /**
   * What it was for: `token`, `log-in` and, before it, `step 1` and so on, `refresh`, `second token`, `metadata`,
   * `challenge`, `registration`, `par`, `jwks`,
   * `api`, `verification`, `trial` (whose status alone tells neither yes nor no), `sts`, `look-up`, `introspection`, `revocation`.
   */
  readonly purpose: string
  readonly method: string
  readonly url: string
  readonly request: { readonly headers: readonly Header[]; readonly body?: string | undefined }
  readonly response?:
    | {
        readonly status: number
        readonly statusText: string
        readonly headers: readonly Header[]
        readonly body?: string | undefined
        /** Bytes of the decoded body, which may be more than is shown. */
        readonly bytes?: number | undefined
      }
    | undefined
  readonly timing: Timing
  /** Address, and for https the certificate's subject and TLS version. */
  readonly peer?: string | undefined
  /** Set when no answer came. */
  readonly failure?: { readonly code: string; readonly message: string } | undefined
}

/** Why a hit on the callback listener was not the callback. The wait goes on after each. */
export type StrayReason =
  | 'other path'
  | 'foreign host'
  | 'method'
  | 'prefetch'
  | 'no parameters'
  | 'state missing'
  | 'state mismatch'
  | 'state repeated'
  | 'issuer mismatch'
  | 'issuer missing'
  | 'token mismatch'
  | 'already answered'
  | 'body unusable'

/** What happened, before the flow and the time are stamped on it. Every string in it is masked already. */
export type Happening =
  | {
      readonly type: 'flow.started'
      readonly deed: Deed
      readonly provider: string
      readonly connection: string
      readonly pid: number
    }
  | { readonly type: 'answers.collected'; readonly answeredBy: Readonly<Record<string, string>> }
  | { readonly type: 'template.hides'; readonly file: string; readonly hidden: readonly string[] }
  | {
      readonly type: 'listener.opened'
      readonly addresses: readonly string[]
      readonly redirectUri: string
      readonly forwardTo?: string | undefined
      /** Set where we serve https: whose certificate, which, and how it comes to be trusted. */
      readonly certificate?:
        | {
            readonly from: 'given' | 'mkcert' | 'own'
            readonly file: string
            readonly fingerprint: string
            readonly trust?: string | undefined
          }
        | undefined
    }
  /** A server said of itself where its endpoints are; `resource`: the API that named it. */
  | { readonly type: 'server.discovered'; readonly issuer: string; readonly resource?: string | undefined }
  /** A client registered itself at a server, now or before. */
  | {
      readonly type: 'client.registered'
      readonly clientId: string
      readonly server: string
      readonly isNew: boolean
    }
  | { readonly type: 'authorization.requested'; readonly url: string }
  | { readonly type: 'browser.opened'; readonly how: string }
  | { readonly type: 'browser.failed'; readonly why: string }
  | {
      readonly type: 'callback.ignored'
      readonly reason: StrayReason
      readonly method: string
      readonly path: string
      readonly detail?: string | undefined
    }
  | {
      readonly type: 'callback.received'
      readonly via: 'GET' | 'POST' | 'paste'
      readonly params: Readonly<Record<string, string>>
    }
  | { readonly type: 'exchange'; readonly exchange: Exchange }
  | { readonly type: 'quirk'; readonly quirk: string }
  | { readonly type: 'warning'; readonly code: string; readonly message: string; readonly hint?: string | undefined }
  /** A call proved the credential; `url` is what was called. */
  | { readonly type: 'credential.verified'; readonly url: string }
  /** An MCP server refused a message that belonged to no conversation, and has begun one. */
  | { readonly type: 'conversation.begun' }
  | { readonly type: 'connection.saved'; readonly connection: string }
  /** A look-up after connecting found these answers. */
  | { readonly type: 'answers.found'; readonly keys: readonly string[] }
  | {
      readonly type: 'token.refreshed'
      readonly connection: string
      readonly rotated: boolean
      readonly expiresAt?: string | undefined
    }
  /** A refusal that passes: the call is sent again after so many milliseconds. `attempt` counts from 1. */
  | { readonly type: 'request.retried'; readonly attempt: number; readonly wait: number; readonly why: string }
  /** The provider takes this token no longer. */
  | {
      readonly type: 'token.revoked'
      readonly connection: string
      readonly token: 'refresh token' | 'access token'
    }
  | {
      readonly type: 'flow.ended'
      readonly state: FlowEnd
      /** Milliseconds from start to end. */
      readonly duration: number
      readonly error?:
        | { readonly code: string; readonly message: string; readonly hint?: string | undefined }
        | undefined
    }

/** One line of the journal: what happened, in which flow, when. */
export type LogEvent = {
  /** Id of the flow. */
  readonly flow: string
  /** ISO 8601 with milliseconds. */
  readonly at: string
  /** Milliseconds since the flow started, monotonic. */
  readonly ms: number
} & Happening

/** Tells what happened; the flow stamps it and passes it on. */
export type Tell = (happening: Happening) => void

export type Emit = (event: LogEvent) => void
