import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { freshFolder } from './disk.ts'

/** A keychain of the test's own: gnome-keyring on a D-Bus of its own, unlocked, empty. */
export interface Keychain {
  /** With these a process finds it. */
  readonly env: Readonly<Record<string, string>>
  /** Takes it away; what it holds comes back with `start`. */
  stop(): Promise<void>
  start(): Promise<void>
  /** What it holds for auth-cli, by account. */
  readonly entries: () => ReadonlyMap<string, string>
  /** Puts another secret in the place of one. */
  readonly replace: (account: string, secret: string) => void
  readonly forget: (account: string) => void
}

const isCi = !['', '0', 'false'].includes(process.env['CI'] ?? '')

/** Where everything must be tested, a missing keychain is a failure; elsewhere those tests are skipped and counted. */
export const hasKeychain = isCi || ['gnome-keyring-daemon', 'dbus-daemon', 'secret-tool'].every(isInstalled)

function isInstalled(command: string): boolean {
  try {
    execFileSync('which', [command], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

export async function openKeychain(): Promise<Keychain> {
  const home = freshFolder()
  const runtime = path.join(home, 'run')
  mkdirSync(runtime)
  chmodSync(runtime, 0o700)
  const own = { PATH: process.env['PATH'] ?? '', HOME: home, XDG_RUNTIME_DIR: runtime, XDG_DATA_HOME: `${home}/data` }
  // Nothing is started on demand: a second daemon, locked, would take the name before ours has it.
  const config = path.join(home, 'bus.conf')
  writeFileSync(config, busConfig(runtime))
  const bus = spawn('dbus-daemon', [`--config-file=${config}`, '--nofork', '--print-address'], {
    env: own,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  onTestFinished(() => void bus.kill('SIGKILL'))
  const env = { ...own, DBUS_SESSION_BUS_ADDRESS: await firstLineOf(bus) }
  const tool = (args: readonly string[], input = ''): string =>
    execFileSync('secret-tool', args, { env, input, encoding: 'utf8', stdio: 'pipe', timeout: 5000 })
  let daemon: ChildProcess | undefined
  const stop = async (): Promise<void> => {
    if (daemon === undefined) return
    const ended = once(daemon, 'exit')
    daemon.kill('SIGKILL')
    await ended
    daemon = undefined
  }
  const start = async (): Promise<void> => {
    const args = ['--foreground', '--unlock', '--components=secrets', `--control-directory=${runtime}`]
    daemon = spawn('gnome-keyring-daemon', args, { env, stdio: ['pipe', 'ignore', 'ignore'] })
    daemon.stdin?.end('password')
    for (let tries = 0; ; tries++) {
      try {
        tool(['store', '--label=ready', 'test', 'ready'], 'ready')
        return
      } catch (error) {
        if (tries === 100) throw error
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }
  onTestFinished(stop)
  await start()
  const attributes = (account: string): string[] => ['service', 'auth-cli', 'username', account]
  /** It ends with 1 where there was nothing to clear. */
  const clear = (account: string): void =>
    void spawnSync('secret-tool', ['clear', ...attributes(account)], { env, timeout: 5000 })
  return {
    env: { DBUS_SESSION_BUS_ADDRESS: env.DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR: runtime },
    stop,
    start,
    entries: () =>
      entriesIn(
        execFileSync('sh', ['-c', 'secret-tool search --all --unlock service auth-cli 2>&1'], {
          env,
          encoding: 'utf8',
        }),
      ),
    replace: (account, secret) => {
      clear(account)
      tool(['store', '--label=replaced', ...attributes(account)], secret)
    },
    forget: clear,
  }
}

function busConfig(folder: string): string {
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir=${folder}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
`
}

function entriesIn(found: string): ReadonlyMap<string, string> {
  const secrets = [...found.matchAll(/^secret = (.*)$/gm)].map(([, secret = '']) => secret)
  const accounts = [...found.matchAll(/^attribute\.username = (.*)$/gm)].map(([, account = '']) => account)
  return new Map(accounts.map((account, at) => [account, secrets[at] ?? '']))
}

async function firstLineOf(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('its stdout is not a pipe')
  for await (const line of createInterface({ input: child.stdout })) return line
  throw new Error('it ended without a word')
}
