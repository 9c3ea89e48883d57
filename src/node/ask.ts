import type { Readable, Writable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { Cancelled, UsageError } from '../model/errors.ts'
import type { Answers, Need, World } from '../model/world.ts'

export interface Person {
  readonly stdin: Readable
  /** Where the questions stand: never stdout. */
  readonly stderr: Writable
  /** False with `--no-input`, with `CI`, or where stdin is no terminal. */
  readonly interactive: boolean
  /** Default true. */
  readonly color?: boolean | undefined
}

type Question = Readonly<Record<string, unknown>>

/** Asks through inquirer, one question after the other. Throws Cancelled on Ctrl-C and Ctrl-D, the signal's reason on abort. */
export function makeAsk(person: Person): Pick<World, 'ask' | 'confirm'> {
  return {
    async ask(needs, signal) {
      signal.throwIfAborted()
      const answers: Record<string, string> = {}
      if (!person.interactive) return { ...answers, ...answerWithout(needs) }
      for (const need of needs) {
        if (need.appliesTo?.(answers) === false) continue
        const value = await answerTo(need, person, signal)
        if (value !== undefined) answers[need.key] = value
      }
      return answers
    },
    async confirm(question, signal) {
      signal.throwIfAborted()
      if (!person.interactive) return undefined
      const answer = await prompt({ type: 'confirm', message: plain(question), default: false }, person, signal)
      return answer === true
    },
  }
}

/** Nobody is there: defaults answer what they can, and one error names the rest. */
function answerWithout(needs: readonly Need[]): Answers {
  const there = needs.filter(({ appliesTo }) => appliesTo?.({}) !== false)
  const missing = there.filter(({ prompt }) => prompt.default_value === undefined && prompt.optional !== true)
  if (missing.length > 0) throw missingInput(missing)
  const answered = there.flatMap((need) => {
    const judged = need.prompt.default_value === undefined ? undefined : need.accept(need.prompt.default_value)
    return judged && 'value' in judged ? [[need.key, judged.value] as const] : []
  })
  return Object.fromEntries(answered)
}

function missingInput(missing: readonly Need[]): UsageError {
  const flags = missing.map(({ flag }) => flag).join(', ')
  const variables = missing.flatMap(({ environment }) => environment ?? [])
  const ways = variables.length === 0 ? '' : `, or set ${variables.join(', ')}`
  const them = missing.length === 1 ? 'it' : 'them'
  const hint = `Give ${them} as ${missing.length === 1 ? 'a flag' : 'flags'}${ways}. To be asked instead, run this in a terminal.`
  return new UsageError('MISSING_INPUT', `Missing: ${flags}`, { hint })
}

/** Undefined where an optional question was answered with Enter. */
async function answerTo(need: Need, person: Person, signal: AbortSignal): Promise<string | undefined> {
  const { description } = need.prompt
  if (description) person.stderr.write(`  ${plain(description)}\n`)
  const typed = String(await prompt(questionFor(need), person, signal))
  const answer = typed === '' ? (need.prompt.default_value ?? '') : typed
  if (answer === '' && need.prompt.optional === true) return undefined
  const judged = need.accept(answer)
  if ('problem' in judged) throw new UsageError('MISSING_INPUT', `${need.flag}: ${plain(judged.problem)}`)
  if (judged.note !== undefined) person.stderr.write(`  ${plain(judged.note)}\n`)
  return judged.value
}

function questionFor(need: Need): Question {
  const { prompt } = need
  const message = messageFor(need)
  const validate = (typed: string): true | string => judge(need, typed)
  if (prompt.enum !== undefined) {
    const choices = prompt.enum.map((value) => ({ name: plain(value), value }))
    const none = prompt.optional === true ? [{ name: '(none)', value: '' }] : []
    return { type: 'select', message, choices: [...choices, ...none], default: prompt.default_value }
  }
  if (prompt.secret === true) return { type: 'password', message, mask: '*', toggleMask: false, validate }
  return { type: 'input', message, validate, ...(prompt.default_value && { default: plain(prompt.default_value) }) }
}

/** `Subdomain  https://[…].zendesk.com`: prefix and suffix are shown around the answer's place, never added to it. */
function messageFor({ label, prompt }: Need): string {
  const { prefix = '', suffix = '', example } = prompt
  const around = prefix === '' && suffix === '' ? '' : `  ${prefix}[…]${suffix}`
  const sample = example === undefined ? '' : `  e.g. ${example}`
  const optional = prompt.optional === true ? '  (Enter for none)' : ''
  return plain(`${label}${around}${sample}${optional}`)
}

function judge(need: Need, typed: string): true | string {
  const answer = typed === '' ? (need.prompt.default_value ?? '') : typed
  if (answer === '') return need.prompt.optional === true || `${plain(need.label)} is needed.`
  const judged = need.accept(answer)
  return 'problem' in judged ? plain(judged.problem) : true
}

async function prompt(question: Question, person: Person, signal: AbortSignal): Promise<unknown> {
  const { createPromptModule } = await import('inquirer')
  const ended = new AbortController()
  const { stdin, stderr, color = true } = person
  const ask = createPromptModule({
    input: stdin as NodeJS.ReadStream,
    output: stderr as NodeJS.WriteStream,
    signal: AbortSignal.any([signal, ended.signal]),
  })
  // Ctrl-D closes inquirer's reader without a word, and the question would wait for ever.
  const onPause = (): void => void setImmediate(() => ended.abort())
  stdin.on('pause', onPause)
  try {
    const { answer } = await ask([{ ...question, name: 'answer', theme: color ? {} : colourless } as never])
    return answer
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (error instanceof Error && /^(Exit|Abort|Cancel)PromptError$/.test(error.name)) throw new Cancelled()
    throw error
  } finally {
    stdin.off('pause', onPause)
  }
}

const same = (text: string): string => text
const colourless = {
  prefix: { idle: '?', done: '?' },
  style: {
    answer: same,
    message: same,
    error: (text: string): string => `> ${text}`,
    defaultAnswer: (text: string): string => `(${text})`,
    help: same,
    highlight: same,
    key: (text: string): string => `<${text}>`,
    description: same,
    keysHelpTip: (keys: readonly (readonly [string, string])[]): string =>
      keys.map((pair) => pair.join(' ')).join(', '),
  },
}

/** A template's words come from outside: no control character or reordering mark of theirs reaches the terminal. */
function plain(text: string): string {
  return stripVTControlCharacters(text).replace(
    /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    '',
  )
}
