import { accessSync, constants, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { type Connection, type ConnectionLine, lineOf } from '../model/connection.ts'
import { AuthCliError, MachineError } from '../model/errors.ts'
import type { RegisteredClient, SavedIntegration } from '../model/integration.ts'
import type { KeyringWish, Shelf, Store, TrustedFile } from '../model/world.ts'
import { digestOf } from './digest.ts'
import { diskTrouble, errnoOf, isTemporary, makeFolder, readTrouble, removeIfThere, replaceWhole } from './disk.ts'
import { openIntents } from './intents.ts'
import { fileNameFor, foldName } from './names.ts'
import type { Paths } from './paths.ts'
import type { Cover, SealedRecord } from './seal.ts'

export interface StoreTerms {
  readonly keyring?: KeyringWish | undefined
  /** Told once per home where its secrets lie. */
  readonly onNotice?: ((notice: string) => void) | undefined
}

/** What is kept in this home. Opening touches no disk. */
export function openStore(
  paths: Pick<Paths, 'connections' | 'integrations' | 'clients' | 'trust' | 'cache' | 'secrets'>,
  { keyring, onNotice }: StoreTerms = {},
): Store {
  const vault = { file: paths.secrets, wish: keyring, onNotice }
  const connections: ShelfPlan<Connection> = {
    folder: paths.connections,
    nameOf: (connection) => connection.name,
    isWhole,
    seal: { kind: 'connection', cover: connectionCover, vault },
  }
  const intents = openIntents((name) => path.join(paths.connections, `${fileNameFor(name)}${recordEnding}.intent`))
  const shelf = openShelf<Connection>(connections)
  return {
    connections: {
      ...shelf,
      async remove(name) {
        const wasThere = await shelf.remove(name)
        await intents.settle(name)
        return wasThere
      },
    },
    lines: async (onBroken) => listLines(connections, path.join(paths.cache, 'connections.json'), onBroken),
    intents,
    integrations: openShelf<SavedIntegration>({
      folder: paths.integrations,
      nameOf: (saved) => saved.name,
      seal: { kind: 'integration', cover: ({ name, provider }) => ({ name, provider }), vault },
    }),
    clients: openShelf<RegisteredClient>({
      folder: paths.clients,
      nameOf: (registered) => registered.name,
      seal: { kind: 'client', cover: ({ name }) => ({ name }), vault },
    }),
    trust: openShelf<TrustedFile>({ folder: paths.trust, nameOf: (trusted) => trusted.hash }),
  }
}

/** A list needs no key, so what it tells stands outside the seal. */
function connectionCover(connection: Connection): Cover {
  const { name, provider, integration, mode, createdAt, updatedAt } = connection
  return { name, provider, integration, mode, createdAt, updatedAt, line: lineOf(connection) }
}

export interface ShelfPlan<T> {
  readonly folder: string
  /** The name that a record says is its own; it must be the one that its file stands under. */
  readonly nameOf: (record: T) => unknown
  /** Whether a record that was read has every part that its reader relies on; absent: any object will do. */
  readonly isWhole?: ((record: T) => boolean) | undefined
  /** How its records may be sealed, and what of them is told without the key; absent: they hold no secret. */
  readonly seal?: SealPlan<T> | undefined
}

interface SealPlan<T> {
  /** A sealed record of one kind does not open as another. */
  readonly kind: string
  readonly cover: (record: T) => Cover
  readonly vault: {
    readonly file: string
    readonly wish: KeyringWish | undefined
    readonly onNotice?: ((notice: string) => void) | undefined
  }
}

async function listLines(
  plan: ShelfPlan<Connection>,
  digest: string,
  onBroken: ((file: string, why: string) => void) | undefined,
): Promise<ConnectionLine[]> {
  const read = (file: string): ConnectionLine | undefined => {
    try {
      const record = readRecord(file)
      if (record === undefined) return undefined
      checkName((record as { readonly name?: unknown }).name, file)
      return isSealedRecord(record) ? lineIn(record, file) : lineOf(whole(plan, record, file))
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

function lineIn({ line }: SealedRecord, file: string): ConnectionLine {
  const { name, provider, account, tags } = (line ?? {}) as Partial<ConnectionLine>
  const isLine = [name, provider, account].every((text) => typeof text === 'string') && typeof tags === 'object'
  if (!isLine || tags === null) throw corrupt(file, 'parts of it are missing')
  return line as ConnectionLine
}

/** The newest shape of a record that this release understands: 1 in clear, 2 sealed. */
const newestVersion = 2
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

  /** How a record is laid down; whatever may fail for want of a keychain fails here, before anything has happened. */
  const layer = async (): Promise<(record: T) => object> => {
    const { seal } = plan
    if (seal === undefined || isPlainHome(seal)) return (record) => record
    const vault = await import('./vault.ts')
    const lay = await vault.layer(seal.vault)
    return (record) => lay(seal.kind, record, seal.cover(record))
  }

  const keep = (file: string, name: string, record: T, lay: (record: T) => object): void => {
    const own = nameOf(record)
    if (typeof own !== 'string' || fileOf(own) !== file) throw new Error('a record may not be saved under another name')
    try {
      makeFolder(folder)
      if (!swept) sweep(folder)
      swept = true
      replaceWhole(file, `${JSON.stringify(lay(record), null, 2)}\n`)
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
          const record = await recall(plan, file)
          if (record) found.push({ key: foldName(String(nameOf(record))), record })
        } catch (error) {
          if (!(error instanceof AuthCliError)) throw error
          onBroken?.(file, error.message)
        }
      }
      return found.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ record }) => record)
    },

    async update(name, change, signal, kept) {
      const file = fileOf(name)
      const rewrite = async (): Promise<T | undefined> => {
        const current = await recall(plan, file)
        const lay = await layer()
        const next = await change(current)
        if (next === undefined) return current
        keep(file, name, next, lay)
        await kept?.()
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
      await layer()
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

/** A record as its file holds it; throws where the file is damaged or another's, or sealed under a key that is not had. */
async function recall<T extends object>(plan: ShelfPlan<T>, file: string): Promise<T | undefined> {
  const record = readRecord(file)
  if (record === undefined) return undefined
  if (!isSealedRecord(record)) return whole(plan, record, file)
  checkName(record.name, file)
  const { seal } = plan
  if (seal === undefined) throw corrupt(file, 'it is sealed, and such records never are')
  const { unseal } = await import('./vault.ts')
  return whole(plan, await unseal(seal.kind, record, file, seal.vault.wish), file)
}

function whole<T extends object>({ nameOf, isWhole = () => true }: ShelfPlan<T>, record: object, file: string): T {
  checkName(nameOf(record as T), file)
  if (!isWhole(record as T)) throw corrupt(file, 'parts of it are missing')
  return record as T
}

/** Without loading what seals: most homes have nothing sealed. */
function isSealedRecord(record: object): record is SealedRecord {
  return (record as { readonly version?: unknown }).version === 2
}

/** Nobody wishes for a keychain, this home has never heard of one, and nobody is there to be told of it. */
function isPlainHome({ vault }: SealPlan<never>): boolean {
  const { file, wish, onNotice } = vault
  return wish === 'off' || (wish === undefined && onNotice === undefined && !isThere(file))
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
