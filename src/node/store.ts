import { accessSync, constants, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { type Connection, type ConnectionLine, lineOf } from '../model/connection.ts'
import { AuthCliError, MachineError } from '../model/errors.ts'
import type { RegisteredClient, SavedIntegration } from '../model/integration.ts'
import type { Shelf, Store, TrustedFile } from '../model/world.ts'
import { digestOf } from './digest.ts'
import { diskTrouble, errnoOf, isTemporary, makeFolder, readTrouble, removeIfThere, replaceWhole } from './disk.ts'
import { fileNameFor, foldName } from './names.ts'
import type { Paths } from './paths.ts'

/** What is kept in this home. Opening touches no disk. */
export function openStore(paths: Pick<Paths, 'connections' | 'integrations' | 'clients' | 'trust' | 'cache'>): Store {
  const connections = { folder: paths.connections, nameOf: (connection: Connection) => connection.name, isWhole }
  return {
    connections: openShelf<Connection>(connections),
    lines: async (onBroken) => listLines(connections, path.join(paths.cache, 'connections.json'), onBroken),
    integrations: openShelf<SavedIntegration>({ folder: paths.integrations, nameOf: (saved) => saved.name }),
    clients: openShelf<RegisteredClient>({ folder: paths.clients, nameOf: (registered) => registered.key }),
    trust: openShelf<TrustedFile>({ folder: paths.trust, nameOf: (trusted) => trusted.hash }),
  }
}

interface ShelfPlan<T> {
  readonly folder: string
  /** The name that a record says is its own; it must be the one that its file stands under. */
  readonly nameOf: (record: T) => unknown
  /** Whether a record that was read has every part that its reader relies on; absent: any object will do. */
  readonly isWhole?: ((record: T) => boolean) | undefined
}

async function listLines(
  plan: ShelfPlan<Connection>,
  digest: string,
  onBroken: ((file: string, why: string) => void) | undefined,
): Promise<ConnectionLine[]> {
  const read = (file: string): ConnectionLine | undefined => {
    try {
      const record = recall(plan, file)
      return record && lineOf(record)
    } catch (error) {
      if (!(error instanceof AuthCliError)) throw error
      onBroken?.(file, error.message)
      return undefined
    }
  }
  // The files' names sort as the records' do, but for letters that a file name spells out.
  const stems = recordFiles(plan.folder).map((entry) => entry.slice(0, -recordEnding.length))
  const files = stems.sort().map((stem) => stem + recordEnding)
  return [...digestOf(plan.folder, files, digest, read)]
}

const recordEnding = '.json'

/** The newest shape of a record that this release understands. */
const newestVersion = 1
/** Milliseconds after which a temporary file belongs to nobody any more. */
const leftBehind = 3_600_000

/** Named records in a folder, one JSON file (0600) each; see `Shelf`. Every call but `list` may throw `BAD_NAME`. */
export function openShelf<T extends object>(plan: ShelfPlan<T>): Shelf<T> {
  const { folder, nameOf } = plan
  const fileOf = (name: string): string => path.join(folder, `${fileNameFor(name)}${recordEnding}`)
  // Loaded by the first change only: most runs do no more than read.
  const locked = async <R>(name: string, work: () => Promise<R> | R, signal?: AbortSignal): Promise<R> => {
    const { withLock } = await import('./lock.ts')
    return withLock(`${fileOf(name)}.lock`, { what: `"${name}"`, signal }, work)
  }
  let swept = false

  const keep = (file: string, name: string, record: T): void => {
    const own = nameOf(record)
    if (typeof own !== 'string' || fileOf(own) !== file) throw new Error('a record may not be saved under another name')
    try {
      makeFolder(folder)
      if (!swept) sweep(folder)
      swept = true
      replaceWhole(file, `${JSON.stringify(record, null, 2)}\n`)
    } catch (error) {
      throw diskTrouble(error, `"${name}" was not saved`, folder)
    }
  }

  return {
    async read(name) {
      return recall(plan, fileOf(name))
    },

    async list(onBroken) {
      const found: { readonly key: string; readonly record: T }[] = []
      for (const entry of recordFiles(folder)) {
        const file = path.join(folder, entry)
        try {
          const record = recall(plan, file)
          if (record) found.push({ key: foldName(String(nameOf(record))), record })
        } catch (error) {
          if (!(error instanceof AuthCliError)) throw error
          onBroken?.(file, error.message)
        }
      }
      return found.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ record }) => record)
    },

    async update(name, change, signal) {
      const file = fileOf(name)
      const rewrite = async (): Promise<T | undefined> => {
        const current = recall(plan, file)
        const next = await change(current)
        if (next === undefined) return current
        keep(file, name, next)
        return next
      }
      return locked(name, rewrite, signal)
    },

    async ready() {
      try {
        makeFolder(folder)
        accessSync(folder, constants.W_OK | constants.X_OK)
      } catch (error) {
        throw diskTrouble(error, 'Nothing can be saved', folder)
      }
    },

    async remove(name) {
      const file = fileOf(name)
      if (!isThere(file)) return false
      const unlink = (): boolean => {
        try {
          return removeIfThere(file)
        } catch (error) {
          throw diskTrouble(error, `"${name}" was not deleted`, folder)
        }
      }
      try {
        return await locked(name, unlink)
      } catch (error) {
        // A full disk has no room for a lock, and deleting is how one makes room.
        if (error instanceof MachineError && error.code === 'DISK_FULL') return unlink()
        throw error
      }
    },
  }
}

/** A record as its file holds it; throws where the file is damaged or another's. */
function recall<T extends object>({ nameOf, isWhole = () => true }: ShelfPlan<T>, file: string): T | undefined {
  const record = readRecord(file) as T | undefined
  if (record) checkName(nameOf(record), file)
  if (record && !isWhole(record)) throw corrupt(file, 'parts of it are missing')
  return record
}

/** An edited or half-restored file must not pass for a connection: what reads it relies on these parts. */
function isWhole(connection: Connection): boolean {
  const { credential, snapshot, params, scopes, metadata, tags, mode, provider, integration } = connection
  const hasParts = [
    credential,
    snapshot,
    snapshot?.client,
    snapshot?.template,
    snapshot?.source,
    snapshot?.endpoints,
    params,
    metadata,
    tags,
  ]
  const lists = [scopes?.requested, scopes?.granted, snapshot?.origins]
  const texts = [mode, provider, integration, credential?.type, credential?.obtainedAt, snapshot?.client?.id]
  return (
    hasParts.every((part) => typeof part === 'object' && part !== null && !Array.isArray(part)) &&
    lists.every((list) => Array.isArray(list)) &&
    texts.every((text) => typeof text === 'string') &&
    connection.lastError !== undefined
  )
}

/** Undefined when there is no such file. No error quotes the content: it holds secrets, and so may the parser's words. */
function readRecord(file: string): object | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw readTrouble(error, file)
  }
  const record = parseObject(text)
  if (!record) throw corrupt(file, 'it does not hold one JSON object')
  const version = (record as { readonly version?: unknown }).version
  if (typeof version === 'number' && version > newestVersion) {
    throw new MachineError('STORE_NEWER', `${file} was written by a newer auth-cli.`, {
      hint: 'Update auth-cli, or keep apart homes with AUTH_CLI_HOME.',
    })
  }
  return record
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

function checkName(name: unknown, file: string): void {
  if (typeof name !== 'string' || name === '') throw corrupt(file, 'it does not say whose record it is')
  let own: string | undefined
  try {
    own = `${fileNameFor(name)}.json`
  } catch {
    own = undefined
  }
  if (own !== path.basename(file)) throw corrupt(file, 'the name in it belongs to another file')
}

function corrupt(file: string, why: string): MachineError {
  return new MachineError('STORE_CORRUPT', `${file} cannot be used: ${why}.`, {
    hint: 'Move it out of the way or delete it, then make that record again.',
  })
}

function recordFiles(folder: string): string[] {
  try {
    return readdirSync(folder).filter((entry) => entry.endsWith(recordEnding))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw readTrouble(error, folder)
  }
}

function isThere(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    throw readTrouble(error, file)
  }
}

/** What killed processes left holds secrets; it does not stay. Best effort: a record is saved even so. */
function sweep(folder: string): void {
  try {
    for (const entry of readdirSync(folder)) {
      if (!isTemporary(entry)) continue
      const file = path.join(folder, entry)
      const written = statSync(file, { throwIfNoEntry: false })?.mtimeMs
      if (written !== undefined && Date.now() - written > leftBehind) removeIfThere(file)
    }
  } catch {}
}
