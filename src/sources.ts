import { addedCatalogues } from './catalog/added.ts'
import type { Project } from './catalog/project.ts'
import { nearestProjectFile } from './catalog/project-file.ts'
import { orderedSources, type Source } from './catalog/sources.ts'
import type { World } from './model/world.ts'

/** The project file and every source of templates, in the order in which they win. */
export async function catalogOf({
  cwd,
  folders,
}: Pick<World, 'cwd' | 'folders'>): Promise<{ project: Project | undefined; sources: readonly Source[] }> {
  const search = { cwd, home: folders.home }
  const hasProject = nearestProjectFile(search) !== undefined
  const project = hasProject ? await (await import('./catalog/project.ts')).readProject(search) : undefined
  const { person, builtIn, builtInIndex } = folders
  const added = addedCatalogues(folders.added)
  return { project, sources: orderedSources({ project, person, added, builtIn, builtInIndex }) }
}
