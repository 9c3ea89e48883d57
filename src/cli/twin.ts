import { neededBeforehand } from '../answer.ts'
import { asksOf } from '../asks.ts'
import type { Question } from '../catalog/questions.ts'
import type { Located } from '../locate.ts'
import type { Preset, Given as Wishes } from '../look-up.ts'
import { type Connection, givenOf } from '../model/connection.ts'
import { UsageError } from '../model/errors.ts'
import type { Template } from '../model/provider.ts'
import type { Store } from '../model/world.ts'
import { openTwin, type Twin, type TwinOptions } from '../sandbox/index.ts'
import { assertFault, sandboxTrouble } from './sandbox.ts'

/** A twin that this command plays a provider with, as long as it runs. */
export interface TwinAt {
  /** What it issued, for everything that nobody has given. */
  readonly preset: Preset
  /** Where a URL of the provider is found instead. */
  readonly address: (url: string) => string
  readonly close: () => Promise<void>
}

/** The provider as its twin has it: any redirect URL on this machine will do, and there is no issuer to ask. */
export function twinned(located: Located): Located {
  const { redirect_uri: _, issuer: __, register_url: ___, ...template } = located.provider.template
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
    callbackUrl: wishes.callbackUrl ?? (wishes.port ? `http://localhost:${wishes.port}/oauth/callback` : undefined),
    home,
    fault,
  })
  return {
    preset: presetOf(template, twin.issued),
    address: twin.address,
    close: twin.close,
  }
}

/** What the twin issued, for whatever must be known before a flow begins. */
export function presetOf(template: Template, issued: Twin['issued']): Preset {
  const every = asksOf(template)
  const said = (questions: readonly Question[]): Record<string, string> =>
    Object.fromEntries(
      questions.flatMap(({ key, name }) => {
        const value = issued.params[key] ?? issued.params[name]
        return value === undefined ? [] : [[key, value]]
      }),
    )
  const params = said(every.filter(({ isAsked }) => isAsked))
  const { clientId, clientSecret } = issued
  return { clientId, clientSecret, params: { ...params, ...said(neededBeforehand(template, every, params)) } }
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

function partsOf({ provider, params, credential, snapshot, scopes }: Connection, home: string): TwinOptions {
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

/** Throws UsageError `TWIN_UNSUPPORTED` for a provider that no twin can play yet. */
function opened(options: TwinOptions): Promise<Twin> {
  return openTwin(options).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'TWIN_UNSUPPORTED')
      throw new UsageError('TWIN_UNSUPPORTED', error.message, { cause: error })
    throw sandboxTrouble(error, options.home ?? '')
  })
}
