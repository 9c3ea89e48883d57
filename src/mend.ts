import { dialectOf } from './dialects/index.ts'
import type { Provider } from './model/provider.ts'

/**
 * The provider with what its entry in a catalogue lacks, where its dialect knows it. Somebody's own template is taken at
 * its word.
 */
export function mended(provider: Provider): Provider {
  const { kind } = provider.source
  if (kind !== 'added' && kind !== 'built-in') return provider
  const mend = dialectOf(provider.names).mends?.(provider.template)
  return mend === undefined ? provider : { ...provider, template: mend.template, mended: mend.says }
}
