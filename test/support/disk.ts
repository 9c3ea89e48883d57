import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const worker = fileURLToPath(new URL('../fixtures/disk-worker.mjs', import.meta.url))

/** A new folder, gone when the test is over. */
export function freshFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'auth-cli-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Another process at one of the worker's tasks; killed when the test is over. */
export function startWorker(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [worker, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** What the worker said, once it has ended well. */
export async function runWorker(...args: string[]): Promise<string> {
  const child = startWorker(...args)
  let said = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const [status, signal] = await once(child, 'close')
  if (status !== 0) throw new Error(`worker ${args.join(' ')} ended with ${status ?? signal}`)
  return said.trim()
}

/** The first line that the worker says. */
export async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('its stdout is not a pipe')
  for await (const line of createInterface({ input: child.stdout })) return line
  throw new Error('it ended without a word')
}

export async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

/** Runs a worker's task on a tmpfs of 256 KiB of its own; undefined where the system does not let us mount one. */
export function runOnSmallDisk(task: string, folder: string): string | undefined {
  const unshare = process.getuid?.() === 0 ? ['--mount'] : ['--mount', '--map-root-user']
  const script = 'mount -t tmpfs -o size=256k tmpfs "$1" || exit 77; exec "$2" "$3" "$4" "$1"'
  const args = [...unshare, 'sh', '-c', script, 'sh', folder, process.execPath, worker, task]
  const { status, stdout, stderr, error } = spawnSync('unshare', args, { encoding: 'utf8' })
  if (error || status === 77 || /unshare/.test(stderr)) return undefined
  if (status !== 0) throw new Error(`worker ${task} ended with ${status}: ${stderr}`)
  return stdout
}

/** Runs a worker's task where no file may grow beyond so many KiB. */
export function runWithFileLimit(kibibytes: number, task: string, folder: string): string {
  const script = `ulimit -f ${kibibytes * 2}; exec "$@"`
  const args = ['-c', script, 'sh', process.execPath, worker, task, folder]
  const { status, stdout, stderr } = spawnSync('sh', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`worker ${task} ended with ${status}: ${stderr}`)
  return stdout
}
