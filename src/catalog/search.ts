import { isNear } from './nearest.ts'
import type { ListedProvider } from './sources.ts'

/** What a search found, best first; `isGuess` where nothing holds the words and these only come near them. */
export interface Hits {
  readonly providers: readonly ListedProvider[]
  readonly isGuess: boolean
}

/**
 * Forgiving: each word of the search has to stand in a provider's name, title or categories; where no provider has them
 * all, misspelt ones count (`gogle` finds Google).
 */
export function searchProviders(all: readonly ListedProvider[], search: string): Hits {
  const wanted = search === '' ? [] : wordsOf(search)
  if (wanted.length === 0) return { providers: all, isGuess: false }
  const exact = ranked(all, wanted, (text, words, word) => {
    if (words.includes(word)) return 0
    if (words.some((one) => one.startsWith(word))) return 1
    return text.includes(word) ? 2 : undefined
  })
  if (exact.length > 0) return { providers: exact, isGuess: false }
  const near = ranked(all, wanted, (text, words, word) => {
    if (text.includes(word)) return 0
    return words.some((one) => isNear(word, one)) ? 1 : undefined
  })
  return { providers: near, isGuess: near.length > 0 }
}

type Judge = (text: string, words: readonly string[], word: string) => number | undefined

function ranked(all: readonly ListedProvider[], wanted: readonly string[], judge: Judge): readonly ListedProvider[] {
  const typed = wanted.join('-')
  return all
    .flatMap((provider) => {
      const text = `${provider.name} ${provider.title} ${(provider.categories ?? []).join(' ')}`.toLowerCase()
      const words = wordsOf(text)
      const marks = wanted.map((word) => judge(text, words, word))
      if (marks.some((mark) => mark === undefined)) return []
      const isNamed = provider.name.toLowerCase() === typed || provider.title.toLowerCase() === wanted.join(' ')
      const sum = isNamed ? -1 : marks.reduce<number>((total, mark) => total + (mark ?? 0), 0)
      return [{ provider, sum }]
    })
    .sort((a, b) => a.sum - b.sum || (a.provider.name < b.provider.name ? -1 : 1))
    .map(({ provider }) => provider)
}

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
}
