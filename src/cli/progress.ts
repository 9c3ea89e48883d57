import type { Emit, LogEvent } from '../model/event.ts'
import { progressLine, type Waiting, waiting } from './output/progress.ts'
import { type Style, wrap } from './output/style.ts'
import type { Given } from './session.ts'

/** The person's view of a flow on stderr, line by line as it happens. */
export interface Progress {
  readonly emit: Emit
  /** Lines that are not events: never hidden by -q. */
  readonly say: (lines: readonly string[]) => void
  /** Lines that -q hides. */
  readonly mention: (lines: readonly string[]) => void
  /** A line that shows that we wait, below everything else, until `rest`. */
  readonly wait: (words: string, note?: string) => void
  readonly rest: () => void
  /** Until then events are kept; the style decides how they are drawn. */
  readonly start: (style: () => Promise<Style>, options?: ProgressTerms) => Promise<void>
}

export interface ProgressTerms {
  readonly title?: string | undefined
  /** Events that this screen tells in its own way. */
  readonly skip?: ((event: LogEvent) => boolean) | undefined
}

export function progressFor(given: Given): Progress {
  const { quiet = false, verbose = false } = given.options as Partial<Record<string, boolean>>
  const early: LogEvent[] = []
  let style: Style | undefined
  let terms: ProgressTerms = {}
  let line: Waiting | undefined
  const say = (lines: readonly string[]): void => {
    if (lines.length === 0) return
    if (line !== undefined) line.above(lines)
    else process.stderr.write(`${lines.join('\n')}\n`)
  }
  const emit = (event: LogEvent): void => {
    if (style === undefined) return void early.push(event)
    if (event.type === 'callback.received' || event.type === 'flow.ended') rest()
    if (terms.skip?.(event) === true) return
    say(progressLine(event, style, { quiet, verbose, title: terms.title }))
  }
  const rest = (): void => {
    line?.stop()
    line = undefined
  }
  return {
    emit,
    say,
    mention: (lines) =>
      quiet ? undefined : say(lines.flatMap((line) => wrap(line, style?.columns ?? Infinity, '  '))),
    wait(words, note) {
      if (!quiet && style !== undefined && line === undefined) line = waiting(process.stderr, style, words, note)
    },
    rest,
    async start(make, options = {}) {
      style = await make()
      terms = options
      for (const event of early.splice(0)) emit(event)
    },
  }
}
