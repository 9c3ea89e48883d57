import { closeSync, openSync, readSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import { type AuthCliError, Cancelled, TransportError, UsageError } from '../model/errors.ts'
import type { Emit, LogEvent } from '../model/event.ts'
import type { Settings, World } from '../model/world.ts'
import type { Journal } from '../node/journal.ts'
import { type Paths, workingFolder } from '../node/paths.ts'
import { realPaths, realWorld } from '../node/world.ts'
import { makePrint, onBrokenPipe, type Print } from './output/print.ts'
import { looks, makeStyle, type Style } from './output/style.ts'
import { rememberSecrets } from './run.ts'

/** What commander understood: arguments, own and global options, the command itself. */
export interface Given {
  readonly arguments: readonly string[]
  readonly options: Readonly<Record<string, unknown>>
  readonly command: Command
}

/** What every command starts with. */
export interface Session {
  readonly world: World
  readonly paths: Paths
  readonly print: Print
  readonly json: boolean
  readonly reveal: boolean
  readonly quiet: boolean
  /** False with `--no-input`, with `CI`, or where stdin is no terminal. */
  readonly interactive: boolean
  /** How stderr is drawn on; loads chalk only where there is colour. */
  readonly style: () => Promise<Style>
  /**
   * From now on the flow may take this many seconds: then it ends with TransportError `TIMEOUT`. `missed` says what did
   * not happen in time, as of then.
   */
  readonly limit: (seconds: number, missed: () => string) => void
  /** Ends whatever is under way, with this as the reason. */
  readonly stop: (reason: AuthCliError) => void
}

/** The parts of a World that `connect` alone has real ones of; elsewhere nobody waits at a browser. */
export interface Presence {
  readonly browse: World['browse']
  readonly show: World['show']
  readonly paste: World['paste']
}

export interface SessionParts {
  readonly presence?: Presence | undefined
  /** Told every event, after the journal. */
  readonly onEvent?: Emit | undefined
  /** True where a flow is certain: the journal is open before it starts. */
  readonly flows?: boolean | undefined
  /** False where the preferences themselves may be what is broken. Default true. */
  readonly settings?: boolean | undefined
  /** Whether `reach` finds a twin for a twin's connection. */
  readonly reachesTwins?: boolean | undefined
  /** Awaited before each request leaves; says where the URL is found, if elsewhere. */
  readonly reach?: ((url: string) => Promise<string | undefined>) | undefined
}

const absent: Presence = {
  browse: () => Promise.reject(new Error('nothing to browse')),
  show: () => {},
  async *paste() {},
}

/** Flags → a World and a printer. Reads no more than the command will need. */
export async function openSession(given: Given, parts: SessionParts = {}): Promise<Session> {
  const { env, stderr, stdout } = process
  const {
    json = false,
    reveal = false,
    quiet = false,
    color,
    input,
  } = given.options as Partial<Record<string, boolean>>
  const cwd = workingFolder()
  const paths = realPaths(env, cwd)
  const { settings: kept, from } = parts.settings === false ? { settings: {}, from: {} } : await settingsOf(paths)
  const settings = withCertificate(kept, given.options, cwd)
  const style = once(() => makeStyle(looks(stderr, env, { color })))
  // Only who asks opens stdin, which takes time.
  const isInteractive = (): boolean => input !== false && process.stdin.isTTY === true && !isSet(env['CI'])
  const { signal, limit, stop } = interruption()
  const journal = journalIn(paths, settings)
  if (parts.flows === true) await journal()
  onBrokenPipe(stdout)
  onBrokenPipe(stderr, () => {})
  const presence = parts.presence ?? absent
  const world = realWorld({
    env: given.options['envFile'] === undefined ? env : await withEnvFiles(env, given.options['envFile']),
    cwd,
    settings,
    settingsFrom: from,
    emit: emitter(journal, parts.onEvent),
    signal,
    ...lazyAsk(isInteractive, color),
    browse: presence.browse,
    show: presence.show,
    paste: presence.paste,
    reach: parts.reach,
    reachesTwins: parts.reachesTwins,
    ...(stderr.isTTY === true && !quiet ? { onNotice: (notice) => void stderr.write(`! ${notice}\n`) } : {}),
  })
  rememberSecrets(() => world.secrets)
  return {
    world,
    paths,
    print: makePrint({ stdout, json, style: once(() => makeStyle(looks(stdout, env, { color }))) }),
    json,
    reveal,
    quiet,
    get interactive() {
      return isInteractive()
    },
    style,
    limit,
    stop,
  }
}

/** Whether a variable of the environment says yes: set, and not to `0` or `false`. */
export function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false'
}

/** A certificate that is given for this run takes the place of the whole pair that is kept. */
function withCertificate(kept: Settings, options: Given['options'], cwd: string): Settings {
  const { callbackCert: cert, callbackKey: key } = options
  if (cert === undefined && key === undefined) return kept
  const whole = (file: unknown): string | undefined => (typeof file === 'string' ? path.resolve(cwd, file) : undefined)
  return { ...kept, 'callback-cert': whole(cert), 'callback-key': whole(key) }
}

async function settingsOf(paths: Paths): Promise<{ settings: Settings; from: World['settingsFrom'] }> {
  const { readSettings } = await import('../node/settings.ts')
  return readSettings(paths, process.env)
}

async function withEnvFiles(env: NodeJS.ProcessEnv, files: unknown): Promise<NodeJS.ProcessEnv> {
  const { readEnvFiles } = await import('../node/env-file.ts')
  return { ...readEnvFiles(Array.isArray(files) ? files : []), ...env }
}

/** Ctrl-C ends the flow in order; a second one ends the process at once. */
function interruption(): Pick<Session, 'limit' | 'stop'> & { readonly signal: AbortSignal } {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130)
      controller.abort(new Cancelled())
    })
  }
  return {
    signal: controller.signal,
    stop: (reason) => controller.abort(reason),
    limit(seconds, missed) {
      const give = (): void =>
        controller.abort(
          new TransportError('TIMEOUT', `Gave up after ${seconds} s: ${missed()}.`, {
            hint: 'Nothing was saved. Take longer with --timeout <seconds>.',
          }),
        )
      setTimeout(give, seconds * 1000).unref()
    },
  }
}

function journalIn(paths: Paths, settings: Settings): () => Promise<Journal> {
  return once(async () => {
    const { openJournal } = await import('../node/journal.ts')
    return openJournal(paths.logs, {
      env: process.env,
      days: settings['log-days'],
      now: Date.now,
      onTrouble: (why) => process.stderr.write(`! The log cannot be written: ${why}\n`),
    })
  })
}

/** Every event goes to the journal first; what the journal cannot take stops nothing. */
function emitter(open: () => Promise<Journal>, onEvent: Emit | undefined): Emit {
  let journal: Journal | undefined
  let waiting: LogEvent[] = []
  const drain = async (): Promise<void> => {
    const opened = await open()
    for (const event of waiting) opened.write(event)
    waiting = []
    journal = opened
  }
  return (event) => {
    if (journal !== undefined) journal.write(event)
    else if (waiting.push(event) === 1) void drain()
    onEvent?.(event)
  }
}

function lazyAsk(isInteractive: () => boolean, color: boolean | undefined): Pick<World, 'ask' | 'confirm'> {
  const person = once(async () => {
    const { makeAsk } = await import('../node/ask.ts')
    return makeAsk({
      stdin: process.stdin,
      stderr: process.stderr,
      interactive: isInteractive(),
      color: looks(process.stderr, process.env, { color }).color,
    })
  })
  return {
    ask: async (needs, signal) => (await person()).ask(needs, signal),
    confirm: async (question, signal) => (await person()).confirm(question, signal),
  }
}

/** A secret as it may be given: as it is (with a word about the shell's history), `-`, `env:NAME`, `file:PATH`. */
export async function readSecret(
  flag: string,
  value: string,
  session: Pick<Session, 'world' | 'interactive'>,
  seen: Set<string>,
): Promise<string> {
  const bad = (why: string, hint: string) => new UsageError('BAD_FLAG', `${flag} ${why}.`, { hint })
  if (value === '-') {
    if (seen.has('-'))
      throw bad(
        'asks for stdin a second time',
        'Only one secret can come from stdin; give the other as env:NAME or file:PATH.',
      )
    seen.add('-')
    if (process.stdin.isTTY) {
      const label = flag.replace(/^--/, '')
      const need = { key: flag, flag, label, prompt: { secret: true }, accept: (typed: string) => ({ value: typed }) }
      return (await session.world.ask([need], session.world.signal))[flag] ?? ''
    }
    const given = firstLine(await readStdin())
    // A command in front of the pipe that failed must not turn a confidential client into a public one.
    if (given === '') throw bad('reads stdin, which is empty', 'Pipe the secret in; without one, leave the flag out.')
    return given
  }
  if (value.startsWith('env:')) {
    const found = session.world.env[value.slice(4)]
    if (found === undefined || found === '')
      throw value === 'env:'
        ? bad('names no variable', 'Write its name after env: as in env:MY_SECRET.')
        : bad(`names the variable ${value.slice(4)}, which is not set`, `Set it: export ${value.slice(4)}=…`)
    return found
  }
  if (value.startsWith('file:')) {
    try {
      const kept = firstLine(readBounded(value.slice(5)))
      if (kept !== '') return kept
    } catch (cause) {
      throw new UsageError('BAD_FLAG', `${flag} names the file ${value.slice(5)}, which cannot be read.`, {
        cause,
        hint: 'Give the path of a file that holds the secret and nothing else.',
      })
    }
    throw bad(`names the file ${value.slice(5)}, which is empty`, 'Give the path of a file that holds the secret.')
  }
  return value
}

/** A file, a pipe or a device, as long as it ends: no secret is larger than a megabyte. */
function readBounded(file: string): string {
  const fd = openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(1_000_001)
    let filled = 0
    for (let count = 1; count > 0 && filled < bytes.length; filled += count) {
      count = readSync(fd, bytes, filled, bytes.length - filled, null)
    }
    if (filled === bytes.length) throw new Error('larger than a megabyte')
    return bytes.toString('utf8', 0, filled)
  } finally {
    closeSync(fd)
  }
}

/** All of stdin, as UTF-8. Not read at once as a file is: a pipe that is still empty would be an error. */
export async function readStdin(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}

/** A file or a pipe ends in a line break that is not part of the secret; inner ones (a PEM key) are. */
function firstLine(text: string): string {
  return text.replace(/^\uFEFF/, '').replace(/\r?\n$/, '')
}

/** `key=value`, the value possibly empty. Throws UsageError `BAD_FLAG`. */
export function readPairs(flag: string, values: unknown): Record<string, string> {
  const pairs = Array.isArray(values) ? values : []
  return Object.fromEntries(
    pairs.map((pair: string) => {
      const at = pair.indexOf('=')
      if (at < 1)
        throw new UsageError('BAD_FLAG', `${flag} wants key=value; what was given has no key and equals sign.`, {
          hint: `For example ${flag} key=value`,
        })
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}

/** A whole number within bounds. Throws UsageError `BAD_FLAG`. */
export function readNumber(flag: string, value: unknown, least: number, most: number): number | undefined {
  if (value === undefined) return undefined
  const number = Number(value)
  if (!/^\d+$/.test(String(value)) || number < least || number > most) {
    throw new UsageError('BAD_FLAG', `${flag} wants a whole number from ${least} to ${most}, not "${value}".`)
  }
  return number
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
