import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { AuthCliError, MachineError } from '../model/errors.ts'
import { errnoOf, readTrouble } from './disk.ts'
import type { Paths } from './paths.ts'
import { openStore } from './store.ts'
import { checkKeychain, type Keeping, keyFor, readMarker, writeMarker } from './vault.ts'

type Home = Pick<Paths, 'connections' | 'integrations' | 'clients' | 'trust' | 'cache' | 'secrets'>

/** What a move did. */
export interface Moved {
  readonly to: Keeping
  /** Name of this home's key, where there is one. */
  readonly key?: string | undefined
  /** Records that it laid down anew. */
  readonly moved: { readonly connections: number; readonly integrations: number; readonly clients: number }
  /** Records that cannot be read, and so were left as they are. */
  readonly broken: readonly { readonly file: string; readonly why: string }[]
}

/** How the records of one kind lie on disk. */
export interface Laid {
  readonly sealed: number
  readonly plain: number
  readonly broken: number
}

export interface SecretsStatus {
  readonly kept: Keeping
  /** Name of this home's key, where there is one. */
  readonly key?: string | undefined
  /** Whether the keychain works now; tried only where it was asked for. */
  readonly keychain?: { readonly works: boolean; readonly why?: string | undefined } | undefined
  readonly connections: Laid
  readonly integrations: Laid
}

/**
 * Lays every record down anew, sealed or in clear, each under its lock and whole at once; from the first moment on, what
 * others save goes there too. Killed at any point it leaves every record readable, and runs on when it is run again. The
 * key stays in the keychain: copies of this home may still need it.
 * Throws MachineError `KEYCHAIN_UNAVAILABLE`, `DISK_FULL`, `NOT_WRITABLE`, and then what was not moved is as it was.
 */
export async function moveSecrets(home: Home, to: Keeping): Promise<Moved> {
  const before = readMarker(home.secrets)
  const key = to === 'keychain' ? (await keyFor(home.secrets)).id : before?.key
  writeMarker(home.secrets, { version: 1, kept: to, chosen: true, ...(key === undefined ? {} : { key }) })
  const store = openStore(home)
  const broken = new Map<string, string>()
  const moved = {
    connections: await layAnew(home.connections, to, store.connections, broken),
    integrations: await layAnew(home.integrations, to, store.integrations, broken),
    clients: await layAnew(home.clients, to, store.clients, broken),
  }
  return { to, ...(key === undefined ? {} : { key }), moved, broken: [...broken].map(([file, why]) => ({ file, why })) }
}

interface Rewriting<T> {
  update(name: string, change: (current: T | undefined) => T | undefined): Promise<unknown>
}

async function layAnew<T>(
  folder: string,
  to: Keeping,
  shelf: Rewriting<T>,
  broken: Map<string, string>,
): Promise<number> {
  let count = 0
  for (;;) {
    // Looked at again until nothing is left: others may have saved what they had begun before the move.
    const left = recordsIn(folder).filter(({ file, form }) => form !== to && !broken.has(file))
    if (left.length === 0) return count
    for (const { file, name } of left) {
      try {
        if (name === undefined) throw new MachineError('STORE_CORRUPT', `${file} does not say whose record it is.`)
        await shelf.update(name, (current) => current)
        count++
      } catch (error) {
        if (!(error instanceof AuthCliError) || error.code !== 'STORE_CORRUPT') throw error
        broken.set(file, error.message)
      }
    }
  }
}

export async function secretsStatus(home: Home, { check }: { readonly check: boolean }): Promise<SecretsStatus> {
  const marker = readMarker(home.secrets)
  return {
    kept: marker?.kept ?? 'files',
    ...(marker?.key === undefined ? {} : { key: marker.key }),
    ...(check ? { keychain: await keychainState() } : {}),
    connections: laidIn(home.connections),
    integrations: laidIn(home.integrations),
  }
}

async function keychainState(): Promise<SecretsStatus['keychain']> {
  try {
    await checkKeychain()
    return { works: true }
  } catch (error) {
    if (!(error instanceof MachineError)) throw error
    return { works: false, why: error.facts[0]?.[1] ?? error.message }
  }
}

function laidIn(folder: string): Laid {
  const forms = recordsIn(folder).map(({ form }) => form)
  const count = (form: Form): number => forms.filter((one) => one === form).length
  return { sealed: count('keychain'), plain: count('files'), broken: count('broken') }
}

type Form = Keeping | 'broken'

interface Found {
  readonly file: string
  readonly name: string | undefined
  readonly form: Form
}

function recordsIn(folder: string): Found[] {
  return entriesOf(folder)
    .filter((entry) => entry.endsWith('.json'))
    .map((entry) => foundIn(path.join(folder, entry)))
}

function foundIn(file: string): Found {
  try {
    const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown; version?: unknown }
    if (typeof name !== 'string') return { file, name: undefined, form: 'broken' }
    return { file, name, form: version === 2 ? 'keychain' : 'files' }
  } catch {
    return { file, name: undefined, form: 'broken' }
  }
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw readTrouble(error, folder)
  }
}
