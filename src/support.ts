import type { Provider } from './model/provider.ts'
import { gapsOfProvider } from './needs.ts'
import { type Level, type Trials, trialOf } from './trials.ts'

/** What is known of a provider's support, and how. */
export interface Support {
  readonly level: Level
  /** What is missing, a sentence each without its full stop. */
  readonly says: readonly string[]
  /** True where a test ran this very template against its twin: connected, called, verified and renewed. */
  readonly isTried: boolean
}

/** Of a provider that was read: by its trial where that was of this very text, else by what its words need. */
export function supportOf(provider: Provider, trials: Trials): Support {
  const { name, source } = provider
  const trial = trialOf(trials, source.kind, name)
  if (trial !== undefined && source.hash.startsWith(trial.hash))
    return { level: trial.level, says: trial.says ?? [], isTried: true }
  const gaps = gapsOfProvider(provider)
  const level = gaps.some(({ weight }) => weight === 'stops') ? 'not yet' : gaps.length === 0 ? 'whole' : 'in part'
  return { level, says: gaps.map(({ says }) => says), isTried: false }
}
