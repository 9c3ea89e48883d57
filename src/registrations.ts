import { contextOf } from './fill/flaw.ts'
import { fillUrl } from './fill/url.ts'
import { locate } from './locate.ts'
import type { Connection } from './model/connection.ts'
import type { Template } from './model/provider.ts'
import type { World } from './model/world.ts'
import { catalogOf } from './sources.ts'
import { defaultPath, defaultPort } from './wire/redirect.ts'

/** What providers are told where nobody has chosen another redirect URL. */
export const loopbackRedirectUri = `http://localhost:${defaultPort}${defaultPath}`

/** An app at a provider that another redirect URL has to be registered with before it can be used. */
export interface Registration {
  readonly integration: string
  readonly provider: string
  readonly title: string
  readonly clientId?: string | undefined
  /** Where its settings are, where the template knows. */
  readonly registerUrl?: string | undefined
  /** Redirect URL that its connections were made with; absent where there is none yet. */
  readonly registered?: string | undefined
  readonly connections: readonly string[]
}

/**
 * The integrations whose provider does not know a redirect URL yet: those of saved connections that were made with another
 * one, saved ones, and the project's that have no redirect URL of their own.
 */
export async function registrationsFor(
  world: Pick<World, 'store' | 'cwd' | 'folders'>,
  redirectUri: string,
): Promise<readonly Registration[]> {
  const apps = new Map<string, Registration>()
  for (const connection of await world.store.connections.list(() => {})) {
    const key = `${connection.integration}\0${connection.snapshot.client.id}`
    const known = apps.get(key)
    const isRegistered = connection.snapshot.redirectUri === redirectUri || known?.registered === redirectUri
    apps.set(key, {
      ...ofConnection(connection),
      ...(isRegistered ? { registered: redirectUri } : {}),
      connections: [...(known?.connections ?? []), connection.name],
    })
  }
  const seen = new Set([...apps.values()].map(({ integration }) => integration))
  for (const name of await integrationNames(world)) {
    if (seen.has(name)) continue
    const found = await ofIntegration(world, name)
    if (found !== undefined) apps.set(name, found)
  }
  return [...apps.values()]
    .filter(({ registered, provider }) => registered !== redirectUri && provider !== 'sandbox')
    .sort((a, b) => (a.integration < b.integration ? -1 : 1))
}

function ofConnection({ integration, provider, params, snapshot, name }: Connection): Registration {
  const { template, client, redirectUri } = snapshot
  return {
    integration,
    provider,
    title: template.display_name ?? provider,
    clientId: client.id,
    registerUrl: filledOrNone(provider, template, params),
    registered: redirectUri,
    connections: [name],
  }
}

/** A help only: one that needs an answer which is not there is left out. */
function filledOrNone(name: string, template: Template, params: Readonly<Record<string, string>>): string | undefined {
  const { register_url: url } = template
  try {
    return url && fillUrl('register_url', url, { connectionConfig: params }, contextOf(name, template))
  } catch {
    return undefined
  }
}

async function integrationNames(world: Pick<World, 'store' | 'cwd' | 'folders'>): Promise<readonly string[]> {
  const saved = await world.store.integrations.list(() => {})
  const { project } = await catalogOf(world).catch(() => ({ project: undefined }))
  return [...new Set([...saved.map(({ name }) => name), ...(project?.integrations ?? [])])]
}

/** Undefined where the integration brings a redirect URL of its own, or its provider cannot be read. */
async function ofIntegration(
  world: Pick<World, 'store' | 'cwd' | 'folders'>,
  name: string,
): Promise<Registration | undefined> {
  const located = await locate(world, name).catch(() => undefined)
  if (located === undefined || located.entry?.callbackUrl !== undefined) return undefined
  const { provider, entry, saved } = located
  const written = entry?.clientId?.text
  return {
    integration: name,
    provider: provider.name,
    title: provider.title,
    clientId: written?.includes('${') === true ? undefined : (written ?? saved?.clientId),
    registerUrl: filledOrNone(provider.name, provider.template, saved?.params ?? {}),
    connections: [],
  }
}
