import { readBytes } from './catalog/files.ts'
import type { SourceKind } from './model/provider.ts'
import type { World } from './model/world.ts'

/** How much of what a template needs can be done. */
export type Level = 'whole' | 'in part' | 'not yet'

/** One line of `docs/support.json`: what came of the trial, of which text (the beginning of its hash). */
interface Trial {
  readonly level: Level
  readonly hash: string
  readonly says?: readonly string[] | undefined
}

/** By where templates come from, then by name. The test that tries every provider against its twin writes it. */
export interface Trials {
  readonly 'built-in': Readonly<Record<string, Trial>>
  readonly added: Readonly<Record<string, Trial>>
}

/** Letters of a template's hash that are kept. */
export const hashLength = 12

const untried: Trials = { 'built-in': {}, added: {} }

/** What came of the trials, as this version of auth-cli was tested; nothing where the file is not there. */
export function readTrials({ folders }: Pick<World, 'folders'>): Trials {
  const bytes = folders.trials === undefined ? undefined : readBytes(folders.trials)
  if (bytes === undefined) return untried
  try {
    return { ...untried, ...(JSON.parse(bytes.toString('utf8')) as Partial<Trials>) }
  } catch {
    return untried
  }
}

/** Of a line in a list, by its name alone; undefined where nothing was tried under it. */
export function levelOf(kind: SourceKind, name: string, trials: Trials): Level | undefined {
  return trialOf(trials, kind, name)?.level
}

/** What came of trying the template of this name, if it was tried. */
export function trialOf(trials: Trials, kind: SourceKind, name: string): Trial | undefined {
  if (kind !== 'built-in' && kind !== 'added') return undefined
  return Object.hasOwn(trials[kind], name) ? trials[kind][name] : undefined
}
