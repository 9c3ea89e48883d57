import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** URL of a built file, for a child process that runs it. Node 20 does not read TypeScript. */
export const built = (path: string): string => new URL(`../../dist/${path}`, import.meta.url).href

export interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  /** Resolves once stdout holds `text`. */
  shows(text: string): Promise<void>
  type(text: string): void
  readonly ended: Promise<Ended>
}

/** A module's source run by a Node of its own. */
export function runScript(source: string, env: Record<string, string> = {}): Running {
  return run(process.execPath, ['--input-type=module', '-e', source], env)
}

/** The same on a terminal of its own (util-linux `script`); what it prints is all in stdout. */
export function runOnTerminal(source: string, env: Record<string, string> = {}): Running {
  return run('script', ['-qec', '"$NODE" --input-type=module -e "$SOURCE"', '/dev/null'], {
    ...env,
    NODE: process.execPath,
    SOURCE: source,
    SHELL: '/bin/sh',
    TERM: 'xterm',
  })
}

function run(program: string, words: string[], env: Record<string, string>): Running {
  const cwd = fileURLToPath(new URL('../..', import.meta.url))
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(program, words, { cwd, env: { PATH, HOME, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  let onText = (): void => {}
  child.stdin.on('error', () => {})
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    onText()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => resolve({ status, stdout, stderr }))
  })
  const shows = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      onText = () => {
        if (stdout.includes(text)) resolve()
      }
      onText()
      ended.then(() => reject(new Error(`ended without showing ${text}: ${stdout}${stderr}`)), reject)
    })
  return { child, shows, type: (text) => void child.stdin.write(text), ended }
}
