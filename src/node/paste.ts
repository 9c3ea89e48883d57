import type { ReadStream } from 'node:tty'
import type { World } from '../model/world.ts'

/** Characters; whatever a line has beyond them is dropped. */
const longestLine = 64 * 1024

/**
 * The lines that a person pastes. Only a terminal is read, and letter by letter: its own line editor would cut a URL
 * after 4,095 bytes. Nothing is echoed, because what is pasted holds a code. The terminal is as before once the signal
 * aborts or the loop is left; listening alone keeps no process alive. Ctrl-C interrupts, as it does everywhere.
 */
export function makePaste(stdin: ReadStream, isTerminal: boolean): World['paste'] {
  return (signal) => (isTerminal && !signal.aborted ? readLines(stdin, signal) : nothing())
}

async function* nothing(): AsyncGenerator<string> {}

async function* readLines(stdin: ReadStream, signal: AbortSignal): AsyncGenerator<string> {
  const lines: string[] = []
  let isOver = false
  let wake = (): void => {}
  const decoder = new TextDecoder()
  const type = makeEditor(
    (line) => lines.push(line),
    (signal) => raise(signal, stdin),
  )
  const read = (chunk: Buffer | string): void => {
    if (type(typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })) === 'end') isOver = true
    wake()
  }
  const stop = (): void => {
    isOver = true
    wake()
  }
  const restore = seize(stdin)
  stdin.on('data', read).on('end', stop).on('error', stop)
  signal.addEventListener('abort', stop)
  try {
    while (true) {
      for (let line = lines.shift(); line !== undefined; line = lines.shift()) yield line
      if (isOver) return
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  } finally {
    signal.removeEventListener('abort', stop)
    stdin.off('data', read).off('end', stop).off('error', stop)
    restore()
  }
}

/** Takes the terminal out of its line mode without holding the process; the result gives it back. */
function seize(stdin: ReadStream): () => void {
  const wasRaw = stdin.isRaw
  const takeBack = (): void => void stdin.setRawMode(true)
  stdin.setRawMode(true)
  stdin.resume()
  stdin.unref()
  process.on('SIGCONT', takeBack)
  return () => {
    process.off('SIGCONT', takeBack)
    stdin.setRawMode(wasRaw)
    stdin.pause()
    stdin.ref()
  }
}

const enter = /^[\r\n]$/
const backspace = /^[\x7f\b]$/

/** A line editor without a display: gives whole lines to `take`, and 'end' for Ctrl-D on an empty line. */
function makeEditor(
  take: (line: string) => void,
  interrupt: (signal: 'SIGINT' | 'SIGTSTP') => void,
): (typed: string) => 'end' | undefined {
  let line = ''
  let sequence = ''
  return (typed) => {
    for (const letter of typed) {
      if (sequence !== '' || letter === '\x1b') {
        sequence = continueSequence(sequence, letter)
      } else if (letter === '\x03' || letter === '\x1a') {
        interrupt(letter === '\x03' ? 'SIGINT' : 'SIGTSTP')
      } else if (letter === '\x04' && line === '') {
        return 'end'
      } else if (enter.test(letter)) {
        if (line !== '') take(line)
        line = ''
      } else if (backspace.test(letter)) {
        line = [...line].slice(0, -1).join('')
      } else if (letter === '\x15') {
        line = ''
      } else if (letter >= ' ' && line.length < longestLine) {
        line += letter
      }
    }
    return undefined
  }
}

/** Cursor keys and the marks around a paste (ESC [ … letter or ~) are swallowed; empty once the sequence is whole. */
function continueSequence(begun: string, letter: string): string {
  const sequence = begun + letter
  if (sequence.length <= 2) return ['\x1b', '\x1b[', '\x1bO'].includes(sequence) ? sequence : ''
  return letter >= '@' || sequence.length > 16 ? '' : sequence
}

/** In raw mode the terminal does not do so itself. */
function raise(signal: 'SIGINT' | 'SIGTSTP', stdin: ReadStream): void {
  if (signal === 'SIGTSTP') stdin.setRawMode(false)
  process.kill(process.pid, signal)
}
