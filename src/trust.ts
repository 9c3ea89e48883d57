import type { Project } from './catalog/project.ts'
import { UsageError } from './model/errors.ts'
import type { World } from './model/world.ts'

/** Secrets of the person's that a project file would send somewhere. */
export interface Exposure {
  /** Variables of the environment, or the saved secret in words. */
  readonly what: readonly string[]
  /** Hosts that would receive them. */
  readonly to: readonly string[]
}

/**
 * Asks once per content whether a project file may have what it wants; a cloned repository is a stranger. Throws
 * UsageError `PROJECT_UNTRUSTED` where the answer is no, or nobody can be asked.
 */
export async function assertTrusted(
  world: World,
  project: Project,
  exposures: readonly Exposure[],
  isGiven: boolean,
): Promise<void> {
  if (project.hash !== '' && (await world.store.trust.read(project.hash)) !== undefined) return
  const lines = exposures.map(({ what, to }) => `${what.join(', ')} would go to ${to.join(', ')}`)
  if (!isGiven) {
    const question = `${project.file} wants secrets of yours: ${lines.join('; ')}. Trust this file?`
    if ((await world.confirm(question, world.signal)) !== true) {
      throw new UsageError(
        'PROJECT_UNTRUSTED',
        `${project.file} is not trusted with secrets of yours: ${lines.join('; ')}.`,
        {
          hint: 'Read the file. If it is yours, say so with --trust-project; it is remembered until the file changes.',
        },
      )
    }
  }
  const at = world.clock.now().toISOString()
  await world.store.trust.update(project.hash, () => ({ hash: project.hash, file: project.file, at }))
}
