import { type ChildProcess, spawn } from 'node:child_process'
import { MachineError, UsageError } from '../model/errors.ts'

export type NoBrowser = '--no-browser' | 'CI' | 'no terminal' | 'SSH' | 'no display'

/** What decides whether and how a browser is opened; all of it values, so that the decision is pure. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly platform: NodeJS.Platform
  /** Whether stdin is a terminal. */
  readonly isTerminal: boolean
  /** `--browser <command>`, or false for `--no-browser`. */
  readonly flagBrowser?: string | false | undefined
  /** `browser` of the settings. */
  readonly settingsBrowser?: string | undefined
}

export type BrowserPlan =
  | { readonly plan: 'command'; readonly command: string; readonly from: '--browser' | '$BROWSER' | 'config' }
  | { readonly plan: 'system' }
  | { readonly plan: 'none'; readonly reason: NoBrowser }

export type Browse = BrowserPlan & {
  /**
   * Opens `url`; resolves with how (`$BROWSER`, `the system's browser`) as soon as the browser runs, because some end
   * only once we have answered them. Throws MachineError `BROWSER_FAILED`, its message the plain reason; UsageError
   * `BAD_BROWSER` for a command that cannot be read or a URL that is not http(s).
   */
  browse(url: string): Promise<string>
}

/** Milliseconds that the system's launcher has to say that it found no browser. */
const launcherPatience = 1_000

/** `onLateFailure`: told when a browser that had started ends with a failure after all. */
export function makeBrowse(surroundings: Surroundings & { onLateFailure?: (why: string) => void }): Browse {
  const decided = planBrowser(surroundings)
  const { env, platform, onLateFailure = () => {} } = surroundings
  return {
    ...decided,
    async browse(url) {
      if (!isWebUrl(url)) throw new UsageError('BAD_BROWSER', 'Only http:// and https:// URLs are opened in a browser.')
      if (decided.plan === 'none') throw failed(`No browser is opened here (${decided.reason}).`)
      if (decided.plan === 'system') return openSystem(url, onLateFailure)
      await openCommand(commandLine(decided.command, url, platform), env, onLateFailure)
      return decided.from
    },
  }
}

export function planBrowser({ env, platform, isTerminal, flagBrowser, settingsBrowser }: Surroundings): BrowserPlan {
  if (flagBrowser === false) return { plan: 'none', reason: '--no-browser' }
  if (flagBrowser) return { plan: 'command', command: flagBrowser, from: '--browser' }
  if (env['BROWSER']?.trim()) return { plan: 'command', command: env['BROWSER'], from: '$BROWSER' }
  if (!['', '0', 'false'].includes(env['CI'] ?? '')) return { plan: 'none', reason: 'CI' }
  if (settingsBrowser) return { plan: 'command', command: settingsBrowser, from: 'config' }
  if (!isTerminal) return { plan: 'none', reason: 'no terminal' }
  if (env['SSH_CONNECTION'] || env['SSH_CLIENT'] || env['SSH_TTY']) return { plan: 'none', reason: 'SSH' }
  const isWsl = Boolean(env['WSL_DISTRO_NAME'] || env['WSL_INTEROP'])
  const hasDisplay = platform !== 'linux' || isWsl || env['DISPLAY'] || env['WAYLAND_DISPLAY']
  return hasDisplay ? { plan: 'system' } : { plan: 'none', reason: 'no display' }
}

/**
 * The command's words as a shell would split them (quotes, backslashes), with nothing expanded, and the URL in place of
 * each `%s`, or as the last word where there is none. `%%` is a percent sign.
 */
export function commandLine(command: string, url: string, platform: NodeJS.Platform): [string, ...string[]] {
  const [program, ...words] = splitWords(command, platform !== 'win32')
  if (program === undefined) throw new UsageError('BAD_BROWSER', 'The browser command is empty.')
  const isPlaced = words.some((word) => /%s/.test(word.replaceAll('%%', '')))
  const filled = words.map((word) => word.replace(/%([s%])/g, (_, sign) => (sign === 's' ? url : '%')))
  return isPlaced ? [program, ...filled] : [program, ...filled, url]
}

/** Windows paths are full of backslashes, so there they are letters. */
function splitWords(command: string, hasEscapes: boolean): string[] {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let at = 0; at < command.length; at++) {
    const letter = command.charAt(at)
    const next = command.charAt(at + 1)
    if (hasEscapes && letter === '\\' && next !== '' && isEscaped(next, quote)) {
      word = (word ?? '') + next
      at++
    } else if (letter === quote) quote = ''
    else if (quote === '' && (letter === '"' || letter === "'")) {
      quote = letter
      word ??= ''
    } else if (quote === '' && /\s/.test(letter)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + letter
  }
  if (quote !== '') throw new UsageError('BAD_BROWSER', `The browser command has a ${quote} that is never closed.`)
  return word === undefined ? words : [...words, word]
}

/** Inside single quotes a backslash is a letter; inside double quotes it only spares what would mean something there. */
function isEscaped(letter: string, quote: string): boolean {
  return quote === '' || (quote === '"' && /["\\$`]/.test(letter))
}

function isWebUrl(url: string): boolean {
  return /^https?:\/\/[^\s\p{Cc}]+$/iu.test(url) && URL.canParse(url)
}

function openCommand(
  [program, ...words]: [string, ...string[]],
  env: Surroundings['env'],
  onLateFailure: (why: string) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { detached: true, stdio: 'ignore', env: { ...env } })
    child.once('error', (error) => reject(failed(whyNotStarted(program, error), error)))
    child.once('spawn', () => {
      child.unref()
      watchEnd(child, program, onLateFailure)
      resolve()
    })
  })
}

function watchEnd(child: ChildProcess, program: string, onFailure: (why: string) => void): void {
  child.once('exit', (status, signal) => {
    if (status !== 0) onFailure(`${program} ended with ${signal ?? `status ${status}`}.`)
  })
}

/** The launcher knows within moments that there is no browser; that it ends well does not mean that one opened. */
async function openSystem(url: string, onLateFailure: (why: string) => void): Promise<string> {
  const { default: open } = await import('open')
  const child = await open(url).catch((error) => {
    throw failed(whyNotStarted("the system's launcher", error), error)
  })
  // On Windows `open` itself waits for the launcher's end.
  if (child.exitCode !== null) return "the system's browser"
  await new Promise<void>((resolve, reject) => {
    let report = (why: string): void => reject(failed(why))
    const enough = setTimeout(() => {
      report = onLateFailure
      resolve()
    }, launcherPatience)
    watchEnd(child, "The system's launcher", (why) => report(why))
    child.once('exit', () => {
      clearTimeout(enough)
      resolve()
    })
  })
  return "the system's browser"
}

function whyNotStarted(program: string, error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return `There is no command called ${program}.`
  if (error.code === 'EACCES') return `${program} may not be executed.`
  return `${program} did not start (${error.code ?? error.name}).`
}

function failed(why: string, cause?: unknown): MachineError {
  return new MachineError('BROWSER_FAILED', why, { hint: 'Open the URL above by hand.', cause })
}
