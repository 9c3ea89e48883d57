import type { Connection, ConnectionLine } from './connection.ts'
import type { Emit, Header, Timing } from './event.ts'
import type { RegisteredClient, SavedIntegration } from './integration.ts'
import type { Prompt } from './provider.ts'
import type { Secrets } from './secret.ts'

/** A client certificate (RFC 8705) and its key, PEM; the certificate may have its chain behind it. */
export interface ClientCertificate {
  readonly cert: string
  readonly key: string
}

/** A request about to leave. */
export interface Outgoing {
  readonly method: string
  readonly url: string
  /** Sent as they are, in this order; nothing is added but what HTTP itself needs (Host, Content-Length, Connection). */
  readonly headers: readonly Header[]
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array> | undefined
  /** Shown to a server that asks for one; the server's own is verified all the same. */
  readonly certificate?: ClientCertificate | undefined
  readonly signal: AbortSignal
}

/** The far end's answer; redirects are never followed. */
export interface Answer {
  readonly status: number
  readonly statusText: string
  /** Raw: order, case and duplicates as they came. */
  readonly headers: readonly Header[]
  /** Decoded (gzip, deflate, br). Throws a TransportError when the road breaks in the middle. */
  readonly body: AsyncIterable<Uint8Array>
  /** Complete once the body has been read; `total` counts up to then. */
  readonly timing: () => Timing
  readonly peer?: string | undefined
}

/** One question that is still open: how it is asked, and which flag would have answered it. */
export interface Need {
  /** Key of the answer. */
  readonly key: string
  /** The flag that answers it, e.g. `--subdomain`. */
  readonly flag: string
  /** The environment variable that answers it, where there is one. */
  readonly environment?: string | undefined
  readonly label: string
  readonly prompt: Prompt
  /** Whether it is asked at all, given the answers so far; always where absent. */
  readonly appliesTo?: ((answers: Answers) => boolean) | undefined
  /** Checks and reduces what was typed: the value to keep, or what is wrong with it. */
  readonly accept: (typed: string) => { readonly value: string; readonly note?: string } | { readonly problem: string }
}

export type Answers = Readonly<Record<string, string>>

/** Named records on disk, one file each. Names compare without regard to case. */
export interface Shelf<T> {
  /** Undefined when there is none. Throws MachineError `STORE_CORRUPT`; `KEYCHAIN_UNAVAILABLE` where it is sealed. */
  read(name: string): Promise<T | undefined>
  /** All that can be read, by name; `onBroken` is told of each that cannot, and the rest goes on. */
  list(onBroken?: (file: string, why: string) => void): Promise<T[]>
  /**
   * Reads, lets `change` decide, writes: under this record's lock, which outlives a killed holder. Returning undefined
   * leaves the record as it is. The old file stays whole until the new one is on disk (fsync, rename); `kept` is called
   * once it is, still under the lock.
   * Throws MachineError `DISK_FULL`, `NOT_WRITABLE`; `KEYCHAIN_UNAVAILABLE` before `change` is called; TransportError
   * `TIMEOUT` when the lock is not had in time.
   */
  update(
    name: string,
    change: (current: T | undefined) => Promise<T | undefined> | T | undefined,
    signal?: AbortSignal,
    kept?: () => Promise<void>,
  ): Promise<T | undefined>
  /** Throws MachineError `NOT_WRITABLE`, `DISK_FULL`, `KEYCHAIN_UNAVAILABLE` where it is plain already that nothing could be saved. */
  ready(): Promise<void>
  /** True when there was one. */
  remove(name: string): Promise<boolean>
}

export interface Store {
  readonly connections: Shelf<Connection>
  /** A line for each connection, by name, without reading those that have not changed since the last list. */
  lines(onBroken?: (file: string, why: string) => void): Promise<ConnectionLine[]>
  /** What is about to be asked of a provider that may not be asked twice. Every call under the connection's own lock. */
  readonly intents: Intents
  readonly integrations: Shelf<SavedIntegration>
  /** Clients that registered themselves, by their key. */
  readonly clients: Shelf<RegisteredClient>
  /** Project files that the person trusts, by SHA-256 of their content. */
  readonly trust: Shelf<TrustedFile>
}

export interface Intents {
  /** On disk when it returns. Throws MachineError `DISK_FULL`, `NOT_WRITABLE`. */
  declare(connection: Connection): Promise<void>
  /** When somebody who did not live to tell how it ended declared it about this very credential: ISO 8601. */
  left(connection: Connection): Promise<string | undefined>
  /** How it ended is known, and on disk. */
  settle(name: string): Promise<void>
}

export interface TrustedFile {
  /** `<sha256 of the content, hex>`. */
  readonly hash: string
  readonly file: string
  /** ISO 8601. */
  readonly at: string
}

/** Where secrets are kept: `off`, files; `auto`, sealed where a keychain works; `required`, sealed or not at all. */
export type KeyringWish = 'off' | 'auto' | 'required'

/** Preferences as given by the environment and kept by `config`; the project file is merged by whoever reads it. */
export interface Settings {
  readonly 'callback-url'?: string | undefined
  readonly port?: number | undefined
  readonly browser?: string | undefined
  /** Seconds. */
  readonly timeout?: number | undefined
  readonly 'log-days'?: number | undefined
  /** Absent: as this home has kept them so far, which is in files unless they were moved. */
  readonly keyring?: KeyringWish | undefined
  /** PEM files of the certificate, and its key, that an https callback on this machine is served with. */
  readonly 'callback-cert'?: string | undefined
  readonly 'callback-key'?: string | undefined
}

/** What an https callback on this machine is served with. */
export interface ServerCertificate {
  /** PEM, as is the key. */
  readonly cert: string
  readonly key: string
  /** Given by the person, signed by their mkcert authority, or by itself. */
  readonly from: 'given' | 'mkcert' | 'own'
  readonly file: string
  /** SHA-256, hex with colons. */
  readonly fingerprint: string
  /** How browsers come to trust it, where they do not yet; lines. */
  readonly trust?: string | undefined
}

/** Only what a test cannot have for real: the browser, the person, the clock, the disk, the far end of the network. */
export interface World {
  /** Throws TransportError. */
  send(request: Outgoing): Promise<Answer>
  /** Prints the one URL that a person must open, whole, on a line of its own; never an event, never hidden by -q. */
  show(url: string): void
  /** Opens it; resolves with how, rejects when it is known not to have opened. */
  browse(url: string): Promise<string>
  /** Asks all at once; where nobody can be asked: one UsageError `MISSING_INPUT` that names every flag. */
  ask(needs: readonly Need[], signal: AbortSignal): Promise<Answers>
  /** Yes or no; where nobody can be asked: undefined. */
  confirm(question: string, signal: AbortSignal): Promise<boolean | undefined>
  /** Lines that the person pastes while we listen; ends at once where stdin is no terminal. */
  paste(signal: AbortSignal): AsyncIterable<string>
  readonly clock: {
    now(): Date
    /** Milliseconds. */
    monotonic(): number
    sleep(ms: number, signal: AbortSignal): Promise<void>
  }
  /** True where a twin's connection reaches its twin; elsewhere nothing of it is sent, least of all to the real provider. */
  readonly reachesTwins?: boolean | undefined
  random(bytes: number): Uint8Array
  /** For a loopback host. Throws UsageError `BAD_CERTIFICATE`; MachineError. */
  certificate(host: string): Promise<ServerCertificate>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Folder of the built-in templates, of the person's own, and of the catalogues that were added. */
  readonly folders: {
    readonly builtIn: string
    /** File of what the build saw in it; without one it is read. */
    readonly builtInIndex?: string | undefined
    readonly person: string
    readonly added?: string | undefined
    /** File of what came of trying every provider against its twin. */
    readonly trials?: string | undefined
    readonly home: string
  }
  readonly settings: Settings
  readonly settingsFrom: Readonly<Record<string, 'environment' | 'config'>>
  readonly store: Store
  readonly secrets: Secrets
  readonly pid: number
  readonly emit: Emit
  /** Aborted by Ctrl-C and by `--timeout`; its reason is always an AuthCliError. */
  readonly signal: AbortSignal
}
