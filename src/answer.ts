import { everyQuestion, type Question } from './catalog/questions.ts'
import { fill } from './fill/fill.ts'
import { UsageError } from './model/errors.ts'
import type { AnswerSource } from './model/integration.ts'
import type { Template } from './model/provider.ts'
import type { Answers, Need } from './model/world.ts'
import { traitsOf } from './modes/index.ts'

export { declaredKeys } from './fill/flaw.ts'

/** What somebody has said already, before it is held to any rule. */
export interface Said {
  readonly text: string
  readonly from: AnswerSource
}

/** Answers that keep the template's rules. */
export interface Kept {
  readonly params: Readonly<Record<string, string>>
  readonly answeredBy: Readonly<Record<string, AnswerSource>>
  /** Words about answers that were reduced, left out, or that the template warns of; no secret stands in them. */
  readonly notes: readonly string[]
}

/**
 * Holds what was said to the template's rules, whoever said it; what belongs to a question that is not there, since its
 * condition is not met, is left out. Throws UsageError `BAD_FLAG`.
 */
export function holdToRules(every: readonly Question[], said: ReadonlyMap<string, Said>): Kept {
  const texts = Object.fromEntries([...said].map(([key, { text }]) => [key, text]))
  const params: Record<string, string> = {}
  const answeredBy: Record<string, AnswerSource> = {}
  const notes: string[] = []
  for (const [key, { text, from }] of said) {
    const question = every.find((one) => one.key === key)
    if (question?.appliesTo(texts) === false) {
      if (from === 'flag') notes.push(`${question.flag} does not apply to the other answers and is left out.`)
      continue
    }
    const kept = question === undefined || from === 'template' ? { value: text } : accepted(question, text, from)
    if (kept.note !== undefined) notes.push(kept.note)
    params[key] = kept.value
    answeredBy[key] = from
  }
  return { params, answeredBy, notes }
}

/**
 * What is still to be asked. Where nothing must be, nothing is: questions that may stay empty, or have a default, are put
 * only to somebody who is being asked anyway. `others`: needs of the client, which count as a reason to ask too.
 */
export function openNeeds(
  template: Template,
  every: readonly Question[],
  params: Answers,
  others: readonly Need[],
  environmentOf: (key: string) => string,
): readonly Need[] {
  const open = every.filter(({ key, isAsked }) => isAsked && params[key] === undefined)
  const required = open.filter(({ isOptional, appliesTo }) => !isOptional && appliesTo(params))
  const beforehand = neededBeforehand(template, every, params)
  if (required.length + beforehand.length + others.length === 0) return []
  const need = (question: Question): Need => ({
    ...question,
    environment: environmentOf(question.key),
    appliesTo: (typed) => question.appliesTo({ ...params, ...typed }),
  })
  return [...open.map(need), ...beforehand.map((question) => need(askedAfterAll(question))), ...others]
}

/** The answers with what was typed, and with the defaults of what was not. */
export function withTyped(kept: Kept, every: readonly Question[], typed: Answers): Kept {
  const params = { ...kept.params }
  const answeredBy = { ...kept.answeredBy }
  for (const { key, prompt, isAsked, appliesTo } of every) {
    if (params[key] !== undefined) continue
    const answer = typed[key]
    if (answer !== undefined) {
      params[key] = answer
      answeredBy[key] = 'prompt'
    } else if (isAsked && prompt.default_value !== undefined && appliesTo(params)) {
      params[key] = prompt.default_value
      answeredBy[key] = 'template'
    }
  }
  return { ...kept, params, answeredBy }
}

/** Automated questions that nothing answers in time: the browser cannot be sent anywhere without them. */
export function neededBeforehand(template: Template, every: readonly Question[], params: Answers): readonly Question[] {
  const asked = every.filter(({ isAsked, isOptional, appliesTo }) => isAsked && !isOptional && appliesTo(params))
  const known = { ...Object.fromEntries(asked.map(({ key }) => [key, 'x'])), ...params }
  const scope = { connectionConfig: known, now: new Date(0), random: 'x' }
  const lacking = (text: unknown, place: 'url' | 'text'): readonly string[] => {
    const filled = typeof text === 'string' ? fill(text, scope, place) : { text: '' }
    return 'flaw' in filled && filled.flaw.kind === 'missing' ? filled.flaw.paths : []
  }
  const missing = [
    ...[template.authorization_url, template.token_url].flatMap((text) => lacking(text, 'url')),
    ...Object.values(template.authorization_params ?? {}).flatMap((text) => lacking(text, 'text')),
  ]
  const later = [...(template.redirect_uri_metadata ?? []), ...(traitsOf(template.auth_mode).brings ?? [])]
  return every.filter(
    ({ key, isAsked, appliesTo }) =>
      !isAsked && missing.includes(`connectionConfig.${key}`) && !later.includes(key) && appliesTo(params),
  )
}

function askedAfterAll(question: Question): Question {
  const { hidden: _, automated: __, ...prompt } = question.prompt
  const [held] = everyQuestion({ auth_mode: '', connection_config: { [question.key]: prompt } })
  return held === undefined ? question : { ...question, prompt, accept: held.accept }
}

function accepted(
  question: Question,
  text: string,
  from: AnswerSource,
): { readonly value: string; readonly note?: string } {
  const judged = question.accept(text)
  if (!('problem' in judged)) return judged
  const message = from === 'flag' ? judged.problem : `${judged.problem} It comes from the ${from}.`
  throw new UsageError('BAD_FLAG', message, {
    hint: question.description === '' ? undefined : question.description,
  })
}
