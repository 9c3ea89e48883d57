import type { Scope } from './scope.ts'

/** What `${name(argument)}` means, for each name: the argument comes filled. A further function is one more entry. */
export const functions: Readonly<Record<string, (argument: string) => string>> = {
  base64: (argument) => Buffer.from(argument, 'utf8').toString('base64'),
}

/**
 * What a bare word means whose value is made rather than looked up. `rest` is what follows the word inside the braces
 * (`:FMT` in `${now:FMT}`); undefined says that this form is not understood.
 */
export const words: Readonly<Record<string, (scope: Scope, rest: string) => string | undefined>> = {
  now: (scope, rest) => (rest === '' && scope['now'] instanceof Date ? scope['now'].toISOString() : undefined),
  random: (scope, rest) => (rest === '' && typeof scope['random'] === 'string' ? scope['random'] : undefined),
}
