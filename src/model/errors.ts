/**
 * Every failure we foresee says who must act, carries a stable code, a hint written where it is thrown, and its exit
 * status. Anything else that is thrown is a bug of ours and exits 1 with its whole stack.
 */
export interface ErrorDetails {
  /** What to do about it, in one or two short sentences or lines; written where the error is thrown. */
  readonly hint?: string | undefined
  /** What led here; never shown to the person, never serialised (it may hold secrets). */
  readonly cause?: unknown
  /** Label/value lines shown between message and hint, secrets already masked. */
  readonly facts?: readonly (readonly [label: string, value: string])[] | undefined
}

export abstract class AuthCliError extends Error {
  /** Exit status of the process, as in the README. */
  abstract readonly exitCode: number
  /** Stable upper-case identifier that scripts may rely on. */
  readonly code: string
  readonly hint: string | undefined
  readonly facts: readonly (readonly [string, string])[]
  /** Id of the flow that failed; set by the verb that ran it. */
  flow: string | undefined

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = new.target.name
    this.code = code
    this.hint = details.hint
    this.facts = details.facts ?? []
  }
}

/** You, at the keyboard: a wrong flag, a missing answer, an unknown name. */
export class UsageError extends AuthCliError {
  readonly exitCode = 2
}

/** One thing wrong with a template or a project file, at its place. */
export interface Problem {
  readonly file: string
  /** 1-based; absent when the file as a whole is meant. */
  readonly line?: number | undefined
  /** 1-based. */
  readonly column?: number | undefined
  /** Path of the field, e.g. `zendesk.connection_config.subdomain.pattern`. */
  readonly field?: string | undefined
  readonly message: string
  readonly fix?: string | undefined
  /** A `note` is for who looks after the template: it changes nothing, so nobody else is told. */
  readonly severity: 'error' | 'warning' | 'note'
}

/** The template's author must act. */
export class TemplateError extends AuthCliError {
  readonly exitCode = 3
  readonly problems: readonly Problem[]

  constructor(code: string, message: string, details: ErrorDetails & { readonly problems?: readonly Problem[] } = {}) {
    super(code, message, details)
    this.problems = details.problems ?? []
  }
}

/** The provider said no, or its answer cannot be used; or your app's settings there must change. */
export class ProviderError extends AuthCliError {
  readonly exitCode = 4
  /** The provider's own words, whole, as it sent them (still to be stripped of control sequences by whoever shows them). */
  readonly words: string | undefined
  /** HTTP status of the answer that said so. */
  readonly status: number | undefined

  constructor(
    code: string,
    message: string,
    details: ErrorDetails & { readonly words?: string | undefined; readonly status?: number | undefined } = {},
  ) {
    super(code, message, details)
    this.words = details.words
    this.status = details.status
  }
}

/** The road: network, TLS, a port in use, time. */
export class TransportError extends AuthCliError {
  readonly exitCode = 5
}

/** This machine: disk, permissions, a corrupt file, the keychain. */
export class MachineError extends AuthCliError {
  readonly exitCode = 6
}

/** Nobody's fault: you stopped. */
export class Cancelled extends AuthCliError {
  readonly exitCode = 130

  constructor(message = 'Cancelled.') {
    super('CANCELLED', message)
  }
}
