import { flagOf } from '../fill/flag.ts'
import type { Prompt, Prompts, Template } from '../model/provider.ts'
import { isSecretName } from '../model/secret.ts'
import type { Answers, Need } from '../model/world.ts'
import { type Accepted, accept } from './rules.ts'
import { plainTitle } from './title.ts'

/** Where a template keeps its questions, by what becomes of the answers. */
export type Section = 'connection_config' | 'credentials' | 'integration_config' | 'assertion_option'

export const sections: readonly Section[] = [
  'connection_config',
  'integration_config',
  'credentials',
  'assertion_option',
]

/**
 * A question of a template, ready to be a flag and a prompt. `key` is one of a kind: the name in the template, or
 * `credentials.apiKey` where another section asks for an answer of that name too.
 */
export interface Question extends Need {
  readonly section: Section
  /** Its name within its section. */
  readonly name: string
  /** Spellings of the flag, ours first: `--account-id`, `--accountId`. Empty where it is reached by `--param` only. */
  readonly flags: readonly string[]
  /** Set where the flag would be one of ours, or another question's: it is then `--param key=<value>`. */
  readonly isParam: boolean
  readonly description: string
  /** True where leaving it empty is an answer. */
  readonly isOptional: boolean
  /** False where nobody is asked: it is hidden, or automated; an answer that is given all the same is held to its rules. */
  readonly isAsked: boolean
  /** Whether the question is there at all, given the other answers of its section. */
  readonly appliesTo: (answers: Answers) => boolean
}

/**
 * The questions of a template in the order in which they are asked: those of `connection_config` with an `order`, then
 * the other sections, then the rest as written; one that depends on another comes after it. Hidden and automated ones are
 * not among them. `taken`: flags that mean something else already (`--scope`).
 */
export function questions(
  template: Template,
  taken: readonly string[] = [],
  sections: readonly Section[] = ['connection_config'],
): readonly Question[] {
  return everyQuestion(template, taken, sections).filter(({ isAsked }) => isAsked)
}

/** The same with those that nobody is asked, at the end: the rules of whatever may be answered. */
export function everyQuestion(
  template: Template,
  taken: readonly string[] = [],
  sections: readonly Section[] = ['connection_config'],
): readonly Question[] {
  const used = new Set(taken)
  const written = withKeys(sections.flatMap((section) => writtenIn(template, section)))
  const asked = dependentLast(written.filter(asksSomebody).sort((a, b) => rank(a) - rank(b)))
  return [...asked, ...written.filter((one) => !asksSomebody(one))].map((one) => questionFor(one, used))
}

/** Answers that nobody is asked for: the defaults of hidden questions. */
export function hiddenAnswers(every: readonly Question[]): Readonly<Record<string, string>> {
  const hidden = every.filter(
    ({ prompt }) => prompt.hidden === true && prompt.automated !== true && prompt.default_value !== undefined,
  )
  return Object.fromEntries(hidden.map(({ key, prompt }) => [key, prompt.default_value ?? '']))
}

/** Names that are secrets in any section, whether or not the template says so. */
const wellKnownSecrets = new Set(
  'apiKey api_key password client_secret clientSecret token_id token_secret dev_key privateKey private_key'.split(' '),
)

/** The template with `secret: true` on the questions that ask for one without saying so. */
export function withSecretsMarked(template: Template): Template {
  const marked = (section: Section, isSecret: (key: string) => boolean) => {
    const prompts = template[section]
    if (prompts === undefined) return {}
    const entries = Object.entries(prompts).map(([key, prompt]) => [
      key,
      prompt.secret === undefined && isSecret(key) ? { ...prompt, secret: true } : prompt,
    ])
    return { [section]: Object.fromEntries(entries) as Prompts }
  }
  const isKnown = (key: string): boolean => wellKnownSecrets.has(key)
  return {
    ...template,
    ...marked('connection_config', isKnown),
    ...marked('integration_config', isKnown),
    ...marked('credentials', isSecretName),
    ...marked('assertion_option', isSecretName),
  }
}

/** Whether a question is there: its condition holds, and the question that it hangs on is there itself. */
export function isVisible(prompts: Prompts, key: string, answers: Answers, passed: readonly string[] = []): boolean {
  const condition = promptOf(prompts, key)?.visible_when
  if (condition === undefined || passed.includes(key)) return true
  const { field, equals } = condition
  const other = promptOf(prompts, field)
  // A condition on nothing can never be met; asking is the smaller harm.
  if (other === undefined) return true
  const answer = answers[field] ?? other.default_value ?? ''
  return answer === String(equals) && isVisible(prompts, field, answers, [...passed, key])
}

interface Written {
  readonly section: Section
  readonly name: string
  readonly key: string
  readonly prompt: Prompt
  readonly prompts: Prompts
}

function writtenIn(template: Template, section: Section): Written[] {
  const prompts = template[section] ?? {}
  return Object.entries(prompts).map(([name, prompt]) => ({ section, name, key: name, prompt, prompts }))
}

/**
 * A name that stands in several sections is several answers: the first that anybody is asked for has the name, the others
 * carry their section; but what the owner of the integration gives stands for the credential of the same name, and is asked
 * for once.
 */
function withKeys(written: readonly Written[]): readonly Written[] {
  const first = new Map<string, Written>()
  for (const one of [...written.filter(asksSomebody), ...written]) if (!first.has(one.name)) first.set(one.name, one)
  return written.flatMap((one) => {
    const named = first.get(one.name)
    if (one !== named && named?.section === 'integration_config' && one.section === 'credentials') return []
    return [one === named ? one : { ...one, key: `${one.section}.${one.name}` }]
  })
}

function asksSomebody({ prompt }: Written): boolean {
  return prompt.hidden !== true && prompt.automated !== true
}

const last = Number.MAX_SAFE_INTEGER

function rank({ section, prompt }: Written): number {
  if (section === 'connection_config') return prompt.order ?? last
  const place = ['integration_config', 'credentials', 'assertion_option'].indexOf(section)
  return last / 2 + place * 1_000_000 + (prompt.order ?? 500_000)
}

/** Each after the one that its `visible_when` names; a circle is left as it stands. */
function dependentLast(written: readonly Written[]): readonly Written[] {
  const placed: Written[] = []
  const place = (one: Written, passed: readonly Written[]): void => {
    if (placed.includes(one) || passed.includes(one)) return
    const field = one.prompt.visible_when?.field
    const before = written.find(({ section, name }) => section === one.section && name === field)
    if (before !== undefined) place(before, [...passed, one])
    placed.push(one)
  }
  for (const one of written) place(one, [])
  return placed
}

function questionFor({ section, name, key, prompt, prompts }: Written, used: Set<string>): Question {
  const isAsked = prompt.hidden !== true && prompt.automated !== true
  const flags = isAsked ? freeFlags(key, used) : []
  for (const flag of flags) used.add(flag)
  const held = isAsked ? prompt : { ...prompt, optional: true }
  return {
    key,
    name,
    section,
    flag: flags[0] ?? `--param ${key}=<value>`,
    flags,
    isParam: flags.length === 0,
    isAsked,
    label: plainTitle(prompt.title ?? '') || name,
    description: plainTitle(prompt.description ?? ''),
    isOptional: held.optional === true || prompt.default_value !== undefined,
    prompt,
    accept: (typed): Accepted => accept(typed, held, flags[0] ?? `--param ${key}`),
    appliesTo: (answers) => isVisible(prompts, name, key === name ? answers : within(section, prompts, answers)),
  }
}

/** The answers of a section by their names in it. */
function within(section: Section, prompts: Prompts, answers: Answers): Answers {
  const names = Object.keys(prompts)
  return { ...answers, ...Object.fromEntries(names.flatMap((name) => named(name, answers[`${section}.${name}`]))) }
}

function named(name: string, value: string | undefined): readonly (readonly [string, string])[] {
  return value === undefined ? [] : [[name, value]]
}

function freeFlags(key: string, used: ReadonlySet<string>): readonly string[] {
  const spellings = [...new Set([flagOf(key), `--${key}`])].filter((flag) => /^--[A-Za-z0-9][\w-]*$/.test(flag))
  // `--no-x` would be the negation of `--x`.
  const isTaken = used.has(spellings[0] ?? '') || spellings[0]?.startsWith('--no-') === true
  return isTaken ? [] : spellings.filter((flag) => !used.has(flag))
}

function promptOf(prompts: Prompts, key: string): Prompt | undefined {
  return Object.hasOwn(prompts, key) ? prompts[key] : undefined
}
