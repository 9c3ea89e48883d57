import { asksOf } from '../asks.ts'
import type { Located } from '../locate.ts'
import type { Preset, Given as Wishes } from '../look-up.ts'
import { type Connection, givenOf } from '../model/connection.ts'
import type { Store } from '../model/world.ts'
import { openTwin, type Twin } from '../sandbox/index.ts'
import { assertFault, sandboxTrouble } from './sandbox.ts'

/** A twin that this command plays a provider with, as long as it runs. */
export interface TwinAt {
  /** What it issued, for everything that nobody has given. */
  readonly preset: Preset
  /** Where a URL of the provider is found instead. */
  readonly address: (url: string) => string
  readonly close: () => Promise<void>
}

/** The provider with no wishes about the redirect URL: a twin takes any on this machine. */
export function twinned(located: Located): Located {
  const { redirect_uri: _, ...template } = located.provider.template
  return { ...located, provider: { ...located.provider, template } }
}

/** Opens the twin of a provider; what was given it takes as good. Throws UsageError `BAD_FLAG` for an unknown fault. */
export async function twinFor(
  { provider }: Located,
  wishes: Wishes,
  home: string,
  fault: string | undefined,
): Promise<TwinAt> {
  assertFault(fault)
  const { name, names, template } = provider
  const twin = await opened({
    name,
    names,
    template,
    answers: wishes.params,
    clientId: wishes.clientId,
    clientSecret: wishes.clientSecret,
    scopes: wishes.scopes,
    home,
    fault,
  })
  const asked = asksOf(template).filter(({ isAsked }) => isAsked)
  const { issued } = twin
  const params = Object.fromEntries(
    asked.flatMap(({ key, name: field }) => {
      const value = issued.params[key] ?? issued.params[field]
      return value === undefined ? [] : [[key, value]]
    }),
  )
  return {
    preset: { clientId: issued.clientId, clientSecret: issued.clientSecret, params },
    address: twin.address,
    close: twin.close,
  }
}

/** Plays the twin that a connection was made with again, before the first request to it. */
export function twinWaker(home: string, store: Store, name: string) {
  let woken: Promise<Twin | undefined> | undefined
  const wake = async (): Promise<Twin | undefined> => {
    const connection = await store.connections.read(name)
    return connection?.snapshot.twin === true ? opened(partsOf(connection, home)) : undefined
  }
  return {
    reach: async (url: string): Promise<string | undefined> => {
      woken ??= wake()
      return (await woken)?.address(url)
    },
    close: async (): Promise<void> => {
      await (await woken?.catch(() => undefined))?.close()
    },
  }
}

function partsOf({ provider, params, credential, snapshot, scopes }: Connection, home: string) {
  const { client, template, names } = snapshot
  return {
    name: provider,
    names,
    template,
    answers: { ...params, ...givenOf(credential) },
    clientId: client.id === '' ? undefined : client.id,
    clientSecret: client.secret,
    scopes: scopes.requested,
    home,
  }
}

type Parts = {
  readonly [Name in keyof Parameters<typeof openTwin>[0]]: Parameters<typeof openTwin>[0][Name] | undefined
} & {
  readonly name: string
  readonly template: Readonly<Record<string, unknown>>
  readonly home: string
}

function opened(parts: Parts): Promise<Twin> {
  const said = Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined))
  return openTwin(said as unknown as Parameters<typeof openTwin>[0]).catch((error: unknown) => {
    throw sandboxTrouble(error, parts.home)
  })
}
