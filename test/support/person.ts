import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, vi } from 'vitest'

const bin = fileURLToPath(new URL('../../bin/auth-cli.js', import.meta.url))

export interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Invocation {
  /** The whole environment but for PATH, HOME and AUTH_CLI_HOME. */
  readonly env?: Readonly<Record<string, string>>
  /** All of stdin; without it stdin is empty. */
  readonly input?: string
  readonly cwd?: string
}

/** A command that runs. */
export interface Running {
  readonly child: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  /** Resolves with the match once stdout or stderr (on a terminal: the screen) holds it; rejects where it ends without. */
  readonly shows: (pattern: RegExp) => Promise<RegExpExecArray>
  /** The URL that a person must open, which stands alone on its line. */
  readonly url: () => Promise<URL>
  readonly type: (text: string) => void
  readonly ended: Promise<Ended>
}

/** Somebody with a home and a working folder of their own, both empty. */
export interface Person {
  readonly home: string
  readonly cwd: string
  /** Runs `auth-cli` with these words to its end. */
  readonly run: (words: readonly string[], how?: Invocation) => Promise<Ended>
  /** Starts it; killed when the tests of the file are over. */
  readonly start: (words: readonly string[], how?: Invocation) => Running
  /** Starts it on a terminal of its own (util-linux `script`); all that it shows is in stdout. */
  readonly startOnTerminal: (words: readonly string[], how?: Invocation) => Running
  /** Writes a file below the working folder; resolves with its path. */
  readonly write: (name: string, text: string) => string
}

// Whole processes, many at once, on a machine that may be busy with others.
vi.setConfig({ testTimeout: 120_000 })

const folders: string[] = []
const children: ChildProcess[] = []

afterAll(() => {
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

export function newPerson(): Person {
  const root = mkdtempSync(join(tmpdir(), 'auth-cli-person-'))
  folders.push(root)
  const [home, cwd] = [join(root, 'auth-cli'), join(root, 'work')]
  mkdirSync(cwd)
  const environment = (how: Invocation): Record<string, string> => ({
    PATH: process.env['PATH'] ?? '',
    HOME: root,
    AUTH_CLI_HOME: home,
    ...how.env,
  })
  const start: Person['start'] = (words, how = {}) =>
    watch(
      spawn(process.execPath, [bin, ...words], { cwd: how.cwd ?? cwd, env: environment(how) }),
      how.input === undefined ? '' : how.input,
    )
  return {
    home,
    cwd,
    start,
    run: (words, how) => start(words, how).ended,
    startOnTerminal(words, how = {}) {
      const command = [process.execPath, bin, ...words].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
      const env = { SHELL: '/bin/sh', TERM: 'xterm', LANG: 'C.UTF-8', ...environment(how) }
      return watch(spawn('script', ['-qec', `stty cols 200; ${command}`, '/dev/null'], { cwd: how.cwd ?? cwd, env }))
    },
    write(name, text) {
      const file = join(cwd, name)
      mkdirSync(join(file, '..'), { recursive: true })
      writeFileSync(file, text)
      return file
    },
  }
}

function watch(child: ChildProcess, input?: string): Running {
  children.push(child)
  let [stdout, stderr] = ['', '']
  const listeners = new Set<() => void>()
  const tell = (): void => {
    for (const listener of listeners) listener()
  }
  child.stdin?.on('error', () => {})
  if (input !== undefined) child.stdin?.end(input)
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    tell()
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    tell()
  })
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => resolve({ status, stdout, stderr }))
  })
  const shows = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(stderr) ?? pattern.exec(stdout)
        if (match === null) return
        listeners.delete(look)
        resolve(match)
      }
      listeners.add(look)
      look()
      ended.then(() => reject(new Error(`ended without showing ${pattern}:\n${stdout}\n${stderr}`)), reject)
    })
  return {
    child,
    shows,
    ended,
    stdout: () => stdout,
    stderr: () => stderr,
    type: (text) => void child.stdin?.write(text),
    url: async () => new URL((await shows(/^(https?:\/\/\S+response_type=\S+)\r?$/m))[1] ?? ''),
  }
}

/** A port that nothing listens on just now, on neither loopback family. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** The failure that `--json` puts on the last line of stderr. */
export function failureOf({ stderr }: Pick<Ended, 'stderr'>): {
  code: string
  message: string
  hint: string | null
  flow?: string
} {
  return JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '').error
}
