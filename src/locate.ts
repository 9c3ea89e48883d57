import { isAddress, providerAt } from './address.ts'
import { findProvider } from './catalog/find.ts'
import type { Project, ProjectIntegration } from './catalog/project.ts'
import type { Source } from './catalog/sources.ts'
import { mended } from './mend.ts'
import type { Connection } from './model/connection.ts'
import { UsageError } from './model/errors.ts'
import type { SavedIntegration } from './model/integration.ts'
import type { Provider } from './model/provider.ts'
import type { World } from './model/world.ts'
import { catalogOf } from './sources.ts'

type Place = Pick<World, 'cwd' | 'folders' | 'store'>

/** What a name on the command line turned out to mean. */
export interface Located {
  /** The integration's name: as it was typed, or the host of the URL that was. */
  readonly name: string
  readonly provider: Provider
  /** The nearest `auth-cli.yaml`, read, not trusted. */
  readonly project?: Project | undefined
  /** Its entry of that name. */
  readonly entry?: ProjectIntegration | undefined
  readonly saved?: SavedIntegration | undefined
}

/**
 * An integration's name, the project's before the saved ones, else a template's; or the URL of an MCP server or an issuer,
 * whose integration goes by the name of its host. Throws UsageError `UNKNOWN_PROVIDER`, `BAD_ARGUMENT`, `PROJECT_REFUSED`, `NAME_TAKEN` where an integration would silently stand before another provider's template;
 * TemplateError.
 */
export async function locate(world: Place, name: string): Promise<Located> {
  const { project, sources } = await catalogOf(world)
  if (isAddress(name)) {
    const provider = providerAt(name)
    return { name: provider.name, provider, project }
  }
  const entry = project?.integration(name)
  const saved = entry === undefined ? await world.store.integrations.read(name) : undefined
  const wanted = entry?.provider ?? saved?.provider ?? name
  const known = project?.integrations ?? []
  const provider = isAddress(wanted) ? providerAt(wanted) : mended(await findProvider(wanted, sources, known))
  if (wanted !== name) await assertHidesNone(name, wanted, sources)
  return { name, provider, project, entry, saved }
}

/** Throws UsageError `NAME_TAKEN` where a name that is to mean one provider is another's. */
export async function assertHidesNone(name: string, wanted: string, sources: readonly Source[]): Promise<void> {
  for (const source of sources) {
    if ((await source.find(name).catch(() => undefined)) === undefined) continue
    throw new UsageError('NAME_TAKEN', `The integration "${name}" is of ${wanted}, but ${name} is a provider itself.`, {
      hint: `Give the integration a name of its own, for example ${wanted}-${name}.`,
    })
  }
}

/** Whether the template has changed since the connection was made, or is gone. */
export async function templateChange(world: Place, connection: Connection): Promise<'same' | 'changed' | 'gone'> {
  // What was made on the spot from a URL is made so again.
  if (connection.snapshot.source.kind === 'address') return 'same'
  try {
    const { sources } = await catalogOf(world)
    const provider = await findProvider(connection.provider, sources)
    return provider.source.hash === connection.snapshot.source.hash ? 'same' : 'changed'
  } catch {
    return 'gone'
  }
}
