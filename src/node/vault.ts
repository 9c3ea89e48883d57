import path from 'node:path'
import { MachineError } from '../model/errors.ts'
import type { KeyringWish } from '../model/world.ts'
import { diskTrouble, makeFolder, readIfThere, replaceWhole } from './disk.ts'
import { type Keyring, systemKeyring } from './keyring.ts'
import { withLock } from './lock.ts'
import { type Cover, freshKey, keyLength, keyOf, open, type SealedRecord, type SealKey, seal } from './seal.ts'

/** Where a home keeps its secrets: in files that only the person can read, or sealed under a key in the keychain. */
export type Keeping = 'files' | 'keychain'

/** What stands beside the records about it; absent in a home that never heard of a keychain. */
export interface Marker {
  readonly version: 1
  readonly kept: Keeping
  /** True where the person moved them there, so that nothing else decides it anew. */
  readonly chosen?: true | undefined
  /** Name of the key under which is sealed. */
  readonly key?: string | undefined
}

/** How a record is laid down. */
export type Lay = (kind: string, record: object, cover: Cover) => object

const asItIs: Lay = (_, record) => record

export interface VaultTerms {
  /** The marker's file. */
  readonly file: string
  readonly wish: KeyringWish | undefined
  /** Told once per home that secrets lie in files. Where absent, nobody is there to be told, and nothing is noted. */
  readonly onNotice?: ((notice: string) => void) | undefined
}

/** The marker of a home; undefined where there is none. Throws MachineError `STORE_CORRUPT`. */
export function readMarker(file: string): Marker | undefined {
  const text = readIfThere(file)?.toString('utf8')
  if (text === undefined) return undefined
  try {
    const marker = JSON.parse(text) as Partial<Marker> | null
    if (marker?.version === 1 && (marker.kept === 'files' || marker.kept === 'keychain')) return marker as Marker
  } catch {}
  throw new MachineError('STORE_CORRUPT', `${file} cannot be used: it does not say where secrets are kept.`, {
    hint: 'Delete it, then say it again: auth-cli secrets move keychain, or auth-cli secrets move files.',
  })
}

/** Throws MachineError `DISK_FULL`, `NOT_WRITABLE`. */
export function writeMarker(file: string, marker: Marker): void {
  try {
    makeFolder(path.dirname(file))
    replaceWhole(file, `${JSON.stringify(marker)}\n`)
  } catch (error) {
    throw diskTrouble(error, 'where secrets are kept was not noted', path.dirname(file))
  }
}

/**
 * How records are to be laid down from now on; whatever the keychain has to do for it happens here, before anything that
 * cannot be undone. Throws MachineError `KEYCHAIN_UNAVAILABLE`, `STORE_CORRUPT`, `DISK_FULL`, `NOT_WRITABLE`.
 */
export async function layer({ file, wish, onNotice }: VaultTerms): Promise<Lay> {
  if (wish === 'off') return asItIs
  const marker = readMarker(file)
  if (wish === 'required' || marker?.kept === 'keychain') return sealing(await keyFor(file))
  if (wish !== 'auto' || marker?.chosen === true) {
    if (marker === undefined && onNotice !== undefined) {
      writeMarker(file, { version: 1, kept: 'files' })
      onNotice(
        'Secrets are kept in files that only you can read. Whether your keychain could lock them: auth-cli secrets status',
      )
    }
    return asItIs
  }
  try {
    return sealing(await keyFor(file))
  } catch (error) {
    if (!(error instanceof MachineError) || error.code !== 'KEYCHAIN_UNAVAILABLE') throw error
    if (marker === undefined) {
      writeMarker(file, { version: 1, kept: 'files' })
      onNotice?.(`No keychain can be used here (${factOf(error)}): secrets are kept in files that only you can read.`)
    }
    return asItIs
  }
}

function sealing(key: SealKey): Lay {
  return (kind, record, cover) => seal(kind, record, cover, key)
}

/** Keys that this process has had from the keychain, by their names. */
const known = new Map<string, SealKey>()

/**
 * This home's key, made at first use such that any number of processes agree on one: in the keychain, and read back from
 * it, before anything is sealed with it.
 */
export async function keyFor(file: string): Promise<SealKey> {
  const named = readMarker(file)?.key
  if (named !== undefined) return keyNamed(named, undefined)
  makeFolder(path.dirname(file))
  return withLock(`${file}.lock`, { what: 'The key of your secrets' }, async () => {
    const meanwhile = readMarker(file)
    if (meanwhile?.key !== undefined) return keyNamed(meanwhile.key, undefined)
    const key = freshKey()
    await (await keyring()).write(key.id, Buffer.from(key.bytes).toString('base64'))
    known.set(key.id, key)
    writeMarker(file, { ...meanwhile, version: 1, kept: 'keychain', key: key.id })
    return key
  })
}

/** A sealed record, opened. Throws MachineError `KEYCHAIN_UNAVAILABLE`, `STORE_CORRUPT`. */
export async function unseal(
  kind: string,
  record: SealedRecord,
  file: string,
  wish: KeyringWish | undefined,
): Promise<object> {
  const name = record.sealed?.key
  if (typeof name !== 'string' || !/^[0-9a-f]{16}$/.test(name)) {
    throw new MachineError(
      'STORE_CORRUPT',
      `${file} cannot be opened: it does not say under which key it was sealed.`,
      {
        hint: 'Put back the file as it was, or delete it and make that record again.',
      },
    )
  }
  if (wish === 'off') {
    throw new MachineError('KEYCHAIN_UNAVAILABLE', `"${record.name}" is sealed, and the keychain is switched off.`, {
      hint: 'Its key is in your keychain: take away AUTH_CLI_KEYRING=off, or auth-cli config unset keyring.',
    })
  }
  return open(kind, record, await keyNamed(name, record.name), file)
}

async function keyNamed(name: string, whose: string | undefined): Promise<SealKey> {
  const had = known.get(name)
  if (had !== undefined) return had
  const subject = whose === undefined ? 'The secrets of this home are sealed' : `"${whose}" is sealed`
  const text = await keyring()
    .then((opened) => opened.read(name))
    .catch((error: unknown) => {
      throw error instanceof MachineError ? lost(`${subject}, and your keychain cannot be used.`, error) : error
    })
  if (text === undefined) throw lost(`${subject}, and its key (${name}) is not in your keychain.`)
  const key = keyOf(Buffer.from(text, 'base64'))
  if (key.bytes.length !== keyLength || key.id !== name) {
    throw lost(`${subject}, and what your keychain holds under ${name} is another key.`)
  }
  known.set(name, key)
  return key
}

/** Throws MachineError `KEYCHAIN_UNAVAILABLE` where the keychain does not truly keep things. */
export async function checkKeychain(): Promise<void> {
  await (await keyring()).check()
}

let opened: Promise<Keyring> | undefined

function keyring(): Promise<Keyring> {
  opened ??= systemKeyring()
  return opened
}

function lost(message: string, cause?: MachineError): MachineError {
  return new MachineError('KEYCHAIN_UNAVAILABLE', message, {
    cause,
    facts: cause?.facts,
    hint:
      'Unlock the keychain, or run where it can be reached. Names and expiries are still listed: auth-cli connections. ' +
      'If the key is lost for good, delete these connections and connect again.',
  })
}

function factOf(error: MachineError): string {
  return error.facts[0]?.[1] ?? 'it refused'
}
