/** In CI everything is tried; before a commit, what is likely to have broken, so that nobody waits for the rest. */
export const isThorough = !['', '0', 'false'].includes(process.env['CI'] ?? '')

/** One of every `step`, spread evenly, so that another change is met by the same ones. All of them in CI. */
export function sampleOf<T>(
  all: readonly T[],
  step: number,
  isChosen: (one: T) => boolean = () => false,
): readonly T[] {
  return isThorough ? all : all.filter((one, at) => at % step === 0 || isChosen(one))
}
