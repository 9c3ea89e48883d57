import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { freshFolder } from './disk.ts'

/** How a command ended and what it said. */
export interface CliEnd {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CliSurroundings {
  /** On top of PATH, HOME and AUTH_CLI_HOME, the only variables it gets. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** All of stdin; without it stdin is empty. */
  readonly input?: string | Uint8Array | undefined
  /** Default: a new folder. */
  readonly cwd?: string | undefined
  /** AUTH_CLI_HOME, and HOME too unless `env` says otherwise. Default: a new folder. */
  readonly home?: string | undefined
  /** Flags of Node itself. */
  readonly node?: readonly string[] | undefined
}

/** A command that is still at it; killed when the test is over. */
export interface RunningCli {
  readonly child: ChildProcess
  readonly home: string
  readonly cwd: string
  /** Resolves with the match once stdout or stderr holds it; rejects when the command ends without. */
  shows(text: string | RegExp): Promise<RegExpMatchArray>
  /** Everything so far, stdout and stderr. */
  readonly said: () => { readonly stdout: string; readonly stderr: string }
  readonly ended: Promise<CliEnd>
}

const doorstep = fileURLToPath(new URL('../../bin/auth-cli.js', import.meta.url))
const followerFile = fileURLToPath(new URL('./follower.mjs', import.meta.url))

/** Runs `auth-cli` to its end. */
export function runCli(args: readonly string[], surroundings: CliSurroundings = {}): Promise<CliEnd> {
  const { child, ended } = startCli(args, surroundings)
  child.stdin?.end(surroundings.input ?? '')
  return ended
}

/** Starts `auth-cli`; its stdin stays open unless there is input. */
export function startCli(args: readonly string[], surroundings: CliSurroundings = {}): RunningCli {
  const { env = {}, input, node = [] } = surroundings
  const home = surroundings.home ?? freshFolder()
  const cwd = surroundings.cwd ?? freshFolder()
  const child = spawn(process.execPath, [...node, doorstep, ...args], {
    cwd,
    env: { PATH: process.env['PATH'], HOME: home, AUTH_CLI_HOME: home, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let stdout = ''
  let stderr = ''
  const waiting = new Set<() => void>()
  const told = (): void => {
    for (const look of waiting) look()
  }
  child.stdin.on('error', () => {})
  if (input !== undefined) child.stdin.end(input)
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    told()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    told()
  })
  const ended = new Promise<CliEnd>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => resolve({ status, stdout, stderr }))
  })
  const find = (text: string | RegExp): RegExpMatchArray | null => {
    const pattern = typeof text === 'string' ? new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')) : text
    return pattern.exec(stdout) ?? pattern.exec(stderr)
  }
  const shows = (text: string | RegExp): Promise<RegExpMatchArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find(text)
        if (found === null) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
      ended.then(() => {
        if (find(text) === null) reject(new Error(`ended without showing ${text}:\n${stdout}\n${stderr}`))
      }, reject)
    })
  return { child, home, cwd, shows, said: () => ({ stdout, stderr }), ended }
}

/** What the follower does besides following; each ends up in a variable of its environment. */
export interface FollowerErrands {
  /** JSON lines of every page it saw: `{"method","url","status","location"?,"body"}`. */
  readonly log?: string | undefined
  /** Parameters of the callback to set, or to remove (null), before it is delivered. */
  readonly set?: Readonly<Record<string, string | null>> | undefined
  /** Visited at the callback's origin before the callback; `{callback}` stands for its whole URL. */
  readonly strays?:
    | readonly {
        readonly method?: string
        readonly url: string
        readonly headers?: Readonly<Record<string, string>>
        readonly body?: string
      }[]
    | undefined
  /** `post`: as a form; `fragment`: after `#`, reposted as our page's script does; `none`: not at all. Default `get`. */
  readonly deliver?: 'get' | 'post' | 'fragment' | 'none' | 'twice' | undefined
  /** True: follows the link that says no where there is one. */
  readonly deny?: boolean | undefined
}

/** The environment that makes `auth-cli` open our follower instead of a browser. */
export function followerEnv({ log, set, strays, deliver, deny }: FollowerErrands = {}): Record<string, string> {
  const errands: Record<string, string | undefined> = {
    FOLLOWER_LOG: log,
    FOLLOWER_SET: set === undefined ? undefined : JSON.stringify(set),
    FOLLOWER_STRAYS: strays === undefined ? undefined : JSON.stringify(strays),
    FOLLOWER_DELIVER: deliver,
    FOLLOWER_DENY: deny === true ? '1' : undefined,
  }
  const given = Object.entries(errands).filter((errand): errand is [string, string] => errand[1] !== undefined)
  return { BROWSER: `"${process.execPath}" "${followerFile}" %s`, ...Object.fromEntries(given) }
}
