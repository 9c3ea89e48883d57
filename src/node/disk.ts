import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { MachineError } from '../model/errors.ts'
import { crypto } from './crypto.ts'

/** The system's code of a failed call, e.g. `ENOENT`; undefined where the error is not the system's. */
export function errnoOf(error: unknown): string | undefined {
  const { code, syscall } = (error ?? {}) as Partial<NodeJS.ErrnoException>
  return typeof syscall === 'string' ? code : undefined
}

/**
 * Makes a folder and those above it, for the person alone (0700); one that exists keeps its mode. Throws what the system
 * says.
 */
export function makeFolder(folder: string): void {
  // Not `recursive`: Node then tries for ever where a folder exists in which none can be made (/proc, an automount).
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if (isFolder(folder)) return
    const above = path.dirname(folder)
    if (errnoOf(error) !== 'ENOENT' || above === folder) throw error
    if (!isFolder(above)) makeFolder(above)
    makeOne(folder)
  }
}

/** Another process may have made it meanwhile. */
function makeOne(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if (!isFolder(folder)) throw error
  }
}

function isFolder(name: string): boolean {
  return statSync(name, { throwIfNoEntry: false })?.isDirectory() === true
}

/** Undefined when there is no such file. */
export function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** True when there was one. */
export function removeIfThere(file: string): boolean {
  try {
    unlinkSync(file)
    return true
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
}

/** A name in the same folder that nobody else takes; `isTemporary` knows it again. */
export function temporaryBeside(file: string): string {
  return `${file}.${process.pid}.${crypto().randomBytes(6).toString('hex')}.tmp`
}

/** Whether a file name is one of ours that a killed process may have left behind. */
export function isTemporary(name: string): boolean {
  return /\.\d+\.[0-9a-f]{12}\.tmp$/.test(name)
}

/**
 * Replaces a file (0600) such that a reader, a crash and a full disk only ever meet the old whole or the new whole.
 * Throws what the system says; the folder must be there.
 */
export function replaceWhole(file: string, content: string | Uint8Array): void {
  const temporary = temporaryBeside(file)
  try {
    const fd = openSync(temporary, 'wx', 0o600)
    try {
      // Unlike writeSync, this goes on after a short write, so that a full disk is an error and not half a file.
      writeFileSync(fd, content)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(temporary, file)
  } catch (error) {
    discard(temporary)
    throw error
  }
  syncFolder(path.dirname(file))
}

/**
 * Creates a file (0600) with its whole content at once, unless there is one: of any number of processes, one gets true.
 * Throws what the system says; the folder must be there.
 */
export function placeOnce(file: string, content: string | Uint8Array): boolean {
  const temporary = temporaryBeside(file)
  try {
    writeFileSync(temporary, content, { flag: 'wx', mode: 0o600 })
    linkSync(temporary, file)
    return true
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'EEXIST') return false
    const hasNoLinks = (error as NodeJS.ErrnoException).syscall === 'link' && code !== 'ENOSPC' && code !== 'EDQUOT'
    if (hasNoLinks) return createNew(file, content)
    throw error
  } finally {
    discard(temporary)
  }
}

/** Where the file system has no hard links: readers may meet the file before its content. */
function createNew(file: string, content: string | Uint8Array): boolean {
  try {
    writeFileSync(file, content, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  }
}

function discard(file: string): void {
  try {
    unlinkSync(file)
  } catch {
    // It was never made, or whoever swept it came first.
  }
}

/** Best effort: not every system lets a folder be synced, and the rename itself has happened. */
function syncFolder(folder: string): void {
  try {
    const fd = openSync(folder, 'r')
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  } catch {}
}

/**
 * A failed write as the person should hear it: `DISK_FULL` or `NOT_WRITABLE`. `what` is what did not happen, as a whole
 * clause (`"acme" was not saved`). Errors that are not the system's come back as they are.
 */
export function diskTrouble(error: unknown, what: string, folder: string): unknown {
  const code = errnoOf(error)
  if (code === undefined) return error
  const details = { cause: error, facts: [['System', code]] as const }
  if (code === 'EFBIG') {
    return new MachineError('DISK_FULL', `This process may not write so large a file: ${what}.`, {
      ...details,
      hint: `Raise the limit on file sizes (ulimit -f) and try again. What was in ${folder} before is untouched.`,
    })
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new MachineError('DISK_FULL', `The disk is full: ${what}.`, {
      ...details,
      hint: `Free some space on the disk of ${folder} and try again. What was there before is untouched.`,
    })
  }
  return new MachineError('NOT_WRITABLE', `A folder cannot be written: ${what}.`, {
    ...details,
    hint: `Look who may write ${folder}, or set AUTH_CLI_HOME to a folder of your own.`,
  })
}

/** A failed read as the person should hear it: `NOT_READABLE`. Errors that are not the system's come back as they are. */
export function readTrouble(error: unknown, file: string): unknown {
  const code = errnoOf(error)
  if (code === undefined) return error
  return new MachineError('NOT_READABLE', `${file} cannot be read.`, {
    cause: error,
    facts: [['System', code]],
    hint: 'Look who may read it and the folder that it is in.',
  })
}
