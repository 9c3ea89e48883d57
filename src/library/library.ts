import { carriedConnection, carriedObject, isOurs } from '../carried.ts'
import { connect as connectVerb } from '../connect.ts'
import { type ExportFormat, exported } from '../export.ts'
import { type ImportTerms, importConnection, importCredential } from '../import.ts'
import { integrate } from '../integrate.ts'
import { locate } from '../locate.ts'
import type { Connection } from '../model/connection.ts'
import { type AuthCliError, Cancelled, TransportError, UsageError } from '../model/errors.ts'
import type { World } from '../model/world.ts'
import { handedByNango } from '../nango.ts'
import { refresh as refreshVerb } from '../refresh.ts'
import { rename as renameVerb } from '../rename.ts'
import { type Revoked, revoke as revokeVerb } from '../revoke.ts'
import { savedConnection } from '../saved.ts'
import { headersOf, token as tokenVerb } from '../token.ts'
import { type Verified, verify as verifyVerb } from '../verify.ts'
import { type ItemsOptions, itemsOf } from './items.ts'
import { type CallOptions, type ConnectOptions, givenBy, locatedBy, nameOf } from './options.ts'
import { type RequestOptions, responseOf } from './response.ts'
import { withParts } from './world.ts'

export interface FreshOptions extends CallOptions {
  /** Seconds that the token must still live. */
  readonly minValidity?: number | undefined
}

/** A connection by its name, or as it was returned. */
export type Which = string | Connection

/** The verbs, on one World. Each rejects with an `AuthCliError`: its `code` is stable, its `hint` says what to do. */
export interface Library {
  /** Runs the provider's flow and resolves with the connection, secrets included. */
  readonly connect: (provider: string, options?: ConnectOptions) => Promise<Connection>
  /** A usable access token (an API key, what stands behind Basic), renewed first when it must be. */
  readonly token: (which: Which, options?: FreshOptions) => Promise<string>
  /** The headers that carry the credential, ready for a client of your own; renewed first when it must be. */
  readonly headers: (which: Which, options?: FreshOptions) => Promise<Record<string, string>>
  /** Calls the API; any status resolves. The body of the answer is streamed. */
  readonly request: (which: Which, pathOrUrl: string, options?: RequestOptions) => Promise<Response>
  /** The items of a list over all its pages, as the template's `proxy.paginate` or the `Link` headers lead. */
  readonly items: (which: Which, pathOrUrl: string, options?: ItemsOptions) => AsyncGenerator<unknown, void, undefined>
  /** The connection with a usable credential; with `force` a new one in any case. */
  readonly refresh: (
    which: Which,
    options?: FreshOptions & { readonly force?: boolean | undefined },
  ) => Promise<Connection>
  /** Tries the credential by the call that the template names for this. */
  readonly verify: (which: Which, options?: CallOptions) => Promise<Verified>
  /** Gives the tokens back to the provider (RFC 7009). */
  readonly revoke: (which: Which, options?: CallOptions) => Promise<Revoked>
  /** As it is kept. */
  readonly connection: (name: string) => Promise<Connection>
  readonly connections: () => Promise<readonly Connection[]>
  readonly rename: (which: Which, name: string) => Promise<Connection>
  /** Forgets it here; true when there was one. */
  readonly forget: (which: Which) => Promise<boolean>
  readonly exportConnection: (which: Which, format?: ExportFormat) => Promise<string>
  /** What `exportConnection` gave as `json`, or the body of Nango's import, as a text or parsed. */
  readonly importConnection: (exported: string | object, terms?: ImportTerms & CallOptions) => Promise<Connection>
}

/** Seconds. */
const usualTimeout = 300

/** The verbs on a World of the caller's, made on first use. */
export function libraryOn(make: () => World): Library {
  let made: World | undefined
  const base = (): World => {
    made ??= make()
    return made
  }
  const acting = async <T>(options: CallOptions | undefined, act: (world: World) => Promise<T>): Promise<T> => {
    const { world, done } = within(base(), options)
    return act(world).finally(done)
  }
  const on = <T>(which: Which, options: CallOptions | undefined, act: (world: World, name: string) => Promise<T>) =>
    acting(options, async (world) => act(world, await nameOf(world, which)))
  return {
    connect: (provider, options = {}) => acting(options, (world) => connected(world, provider, options)),
    token: (which, options) =>
      on(which, options, async (world, name) => (await tokenVerb(world, name, fresh(options))).value),
    headers: (which, options) =>
      on(which, options, async (world, name) =>
        Object.fromEntries(await headersOf(world, await refreshVerb(world, name, fresh(options)))),
      ),
    // The answer outlives the call: what ends it is over once its body is.
    async request(which, pathOrUrl, options = {}) {
      const { world, done } = within(base(), options)
      return responseOf(world, await nameOf(world, which), pathOrUrl, options, done)
    },
    async *items(which, pathOrUrl, options = {}) {
      const { world, done } = within(base(), options)
      try {
        yield* itemsOf(world, await nameOf(world, which), pathOrUrl, options)
      } finally {
        done()
      }
    },
    refresh: (which, options = {}) =>
      on(which, options, (world, name) =>
        refreshVerb(world, name, { ...fresh(options), force: options.force === true }),
      ),
    verify: (which, options) => on(which, options, verifyVerb),
    revoke: (which, options) => on(which, options, revokeVerb),
    connection: (name) => savedConnection(base(), name),
    connections: () => base().store.connections.list(),
    rename: (which, name) => on(which, undefined, (world, from) => renameVerb(world, from, name)),
    forget: (which) => base().store.connections.remove(typeof which === 'string' ? which : which.name),
    exportConnection: (which, format = 'json') =>
      on(which, undefined, async (world, name) => exported(world, await savedConnection(world, name), format)),
    importConnection: (text, terms = {}) => acting(terms, (world) => imported(world, text, terms)),
  }
}

function fresh(options: FreshOptions | undefined): { readonly minValidity?: number } {
  return options?.minValidity === undefined ? {} : { minValidity: options.minValidity }
}

/** The World of one call: its listener and its signal come on top. */
function within(
  base: World,
  { onEvent, signal }: CallOptions = {},
): { world: World; stop: (why: AuthCliError) => void; done: () => void } {
  const controller = new AbortController()
  const stop = (why: AuthCliError): void => controller.abort(why)
  const cancel = (): void => stop(new Cancelled())
  const endBase = (): void => controller.abort(base.signal.reason)
  if (signal?.aborted === true) cancel()
  if (base.signal.aborted) endBase()
  signal?.addEventListener('abort', cancel, { once: true })
  base.signal.addEventListener('abort', endBase, { once: true })
  const parts: Partial<World> = {
    signal: controller.signal,
    ...(onEvent === undefined
      ? {}
      : {
          emit: (event) => {
            base.emit(event)
            onEvent(event)
          },
        }),
  }
  const done = (): void => {
    signal?.removeEventListener('abort', cancel)
    base.signal.removeEventListener('abort', endBase)
  }
  return { world: withParts(base, parts), stop, done }
}

async function connected(world: World, provider: string, options: ConnectOptions): Promise<Connection> {
  const { tags, save, replace, metadata, timeout = usualTimeout, browse, template } = options
  const located = await locatedBy(world, provider, template)
  const inner = within(world)
  const limit = setTimeout(() => inner.stop(tooLate(timeout, located.provider.title)), timeout * 1000)
  try {
    const seated = withParts(inner.world, { browse: seatOf(browse ?? world.browse, inner.stop) })
    const integration = await integrate(seated, located, givenBy(located, options))
    const { connection } = await connectVerb(seated, integration, { tags, save, replace })
    if (metadata === undefined) return connection
    const described = { ...connection, metadata: { ...connection.metadata, ...metadata } }
    if (save === false) return described
    return (await world.store.connections.update(connection.name, () => described)) ?? described
  } finally {
    clearTimeout(limit)
    inner.done()
  }
}

/** It is not waited for: a browser may end only once we have answered it. One that fails ends the wait. */
function seatOf(browse: (url: string) => unknown, stop: (why: AuthCliError) => void): World['browse'] {
  return async (url) => {
    const gone = Promise.resolve().then(() => browse(url))
    gone.catch((cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause)
      stop(
        new UsageError('BROWSE_FAILED', `Nobody was sent to the provider: ${why}`, {
          hint: 'Give connect a browse function that opens, or visits, the URL that it is called with.',
          cause,
        }),
      )
    })
    return 'the caller'
  }
}

function tooLate(seconds: number, title: string): TransportError {
  return new TransportError('TIMEOUT', `Gave up after ${seconds} s: nobody came back from ${title}.`, {
    hint: 'Nothing was saved. Give it longer with the option timeout.',
  })
}

async function imported(world: World, given: string | object, terms: ImportTerms): Promise<Connection> {
  const value = carriedObject(typeof given === 'string' ? given : JSON.stringify(given))
  if (isOurs(value)) return importConnection(world, carriedConnection(value), terms)
  const handed = handedByNango(value)
  return importCredential(world, await locate(world, handed.provider), handed, { allowHttp: terms.allowHttp }, terms)
}
