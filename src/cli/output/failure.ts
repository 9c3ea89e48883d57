import { AuthCliError, type Problem, ProviderError, TemplateError } from '../../model/errors.ts'
import { jsonText, type Style, wrap } from './style.ts'
import { type Labelled, labelled } from './table.ts'

export interface FailureOptions {
  /** Id of the flow, where the error does not carry it itself. */
  readonly flow?: string | undefined
  /** Masks every secret of this run; a bug's stack goes through it as well. */
  readonly scrub?: ((text: string) => string) | undefined
}

/** Exit status that a thrown value ends the process with; 1 for anything that is not ours, which is a bug. */
export function exitCodeOf(error: unknown): number {
  return error instanceof AuthCliError ? error.exitCode : 1
}

/** What a failure says on stderr, each line ended. */
export function failureScreen(error: unknown, style: Style, options: FailureOptions = {}): string {
  const scrub = options.scrub ?? ((text: string) => text)
  // Stripping may join what a control character kept apart, so secrets are looked for on both sides of it.
  const safe: Style = {
    ...style,
    text: (text) => scrub(style.text(scrub(text))),
    lines: (text) => scrub(style.lines(scrub(text))),
  }
  const lines = error instanceof AuthCliError ? foreseen(error, safe, options.flow) : bug(error, safe, options.flow)
  return lines.map((line) => `${line}\n`).join('')
}

function foreseen(error: AuthCliError, style: Style, given: string | undefined): string[] {
  const flow = error.flow ?? given
  const words = error instanceof ProviderError ? error.words : undefined
  const hint = error.hint === undefined ? [] : style.lines(error.hint).split('\n')
  const sign = error.exitCode === 130 ? style.warn(style.symbols.warning) : style.bad(style.symbols.failed)
  const head = [
    ...wrap(`${sign} ${style.lines(error.message)}`, style.columns, '  '),
    ...(words ? wrap(`  "${style.lines(words)}"`, style.columns, '  ') : []),
    ...(error instanceof TemplateError ? error.problems.flatMap((problem) => problemLines(problem, style)) : []),
  ]
  if (error.facts.length === 0 && !words && flow === undefined) {
    return [...head, ...hint.flatMap((line) => wrap(`  ${line}`, style.columns, '  '))]
  }
  const rows: Labelled[] = [
    ...error.facts.map(([label, value]): Labelled => [style.text(label), style.lines(value).split('\n')]),
    ...(hint.length > 0 ? [['Try', hint] as const] : []),
    ...look(flow, style),
  ]
  return rows.length === 0 ? head : [...head, '', ...labelled(rows, style)]
}

function look(flow: string | undefined, style: Style): Labelled[] {
  return flow === undefined ? [] : [['Look', style.bold(`auth-cli logs show ${style.text(flow)}`)]]
}

/** `file:line:column  field`, then what is wrong there, then the fix. */
export function problemLines(problem: Problem, style: Style): string[] {
  const place = [problem.file, problem.line, problem.line === undefined ? undefined : problem.column]
    .filter((part) => part !== undefined)
    .join(':')
  const signs = {
    error: style.bad(style.symbols.failed),
    warning: style.warn(style.symbols.warning),
    note: style.dim(style.symbols.dot),
  }
  const sign = signs[problem.severity]
  const field = problem.field ? `  ${style.text(problem.field)}` : ''
  return [
    '',
    `  ${sign} ${style.bold(style.text(place))}${field}`,
    ...wrap(`    ${style.lines(problem.message)}`, style.columns, '    '),
    ...(problem.fix ? wrap(`    Fix: ${style.lines(problem.fix)}`, style.columns, '    ') : []),
  ]
}

/** The whole stack, what caused it, and where to report it. */
function bug(error: unknown, style: Style, flow: string | undefined): string[] {
  const stack = causes(error).map((cause, n) => (n === 0 ? '' : 'Caused by: ') + stackOf(cause))
  return [
    `${style.bad(style.symbols.failed)} This is a bug in auth-cli, not something you did.`,
    '',
    ...style
      .lines(stack.join('\n'))
      .split('\n')
      .map((line) => `  ${line}`),
    '',
    ...wrap(
      '  Please report it with the lines above (they hold no secrets that we know of): npm bugs auth-cli',
      style.columns,
      '  ',
    ),
    ...labelled(look(flow, style), style),
  ]
}

function stackOf(error: unknown): string {
  return error instanceof Error
    ? (error.stack ?? `${error.name}: ${error.message}`)
    : `${typeof error} was thrown: ${String(error)}`
}

/** The error and what caused it, outermost first; a circle ends it. */
function causes(error: unknown): unknown[] {
  const chain: unknown[] = []
  let next: unknown = error
  while (next !== undefined && !chain.includes(next) && chain.length < 8) {
    chain.push(next)
    next = next instanceof Error ? next.cause : undefined
  }
  return chain
}

/** `{"error":{"code","message","hint","flow"?}}`, one line, without its line break. A bug has the code `BUG`. */
export function failureJson(error: unknown, options: FailureOptions = {}): string {
  const scrub = options.scrub ?? ((text: string) => text)
  const foreseenError = error instanceof AuthCliError ? error : undefined
  const flow = foreseenError?.flow ?? options.flow
  const words = error instanceof ProviderError && error.words !== undefined ? `: ${error.words}` : ''
  const message = foreseenError?.message ?? (error instanceof Error ? `${error.name}: ${error.message}` : String(error))
  const hint = foreseenError
    ? foreseenError.hint
    : 'This is a bug in auth-cli. Run it again without --json for the whole stack, and report it: npm bugs auth-cli'
  return jsonText({
    error: {
      code: foreseenError?.code ?? 'BUG',
      message: scrub(message + words),
      hint: hint === undefined ? null : scrub(hint),
      ...(flow === undefined ? {} : { flow }),
    },
  })
}
