import { readdirSync, readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { MachineError } from '../model/errors.ts'
import { invalid } from './problem.ts'

/** Of one file, in bytes. */
export const largestFile = 5 * 1024 * 1024

/** Bytes of a regular file, at most 5 MB; undefined when there is none. Throws MachineError `NOT_READABLE`. */
export function readBytes(file: string): Buffer | undefined {
  return reading(file, () => {
    const stats = statSync(file)
    // A pipe or a device would be waited for.
    if (!stats.isFile()) throw new MachineError('NOT_READABLE', `${file} is not a regular file.`)
    if (stats.size > largestFile)
      throw invalid(`The file ${file}`, [
        { file, message: 'it is larger than 5 MB', fix: 'Split it.', severity: 'error' },
      ])
    return readFileSync(file)
  })
}

/** What the file system says of a file; undefined where there is none, or none that we may see. */
export function statOf(
  file: string,
): { readonly uid: number; readonly mode: number; readonly isFolder: boolean } | undefined {
  try {
    const stats = statSync(file)
    return { uid: stats.uid, mode: stats.mode, isFolder: stats.isDirectory() }
  } catch {
    return undefined
  }
}

/** Inode, bytes, when a file's content and when its inode last changed: one of them changes when it is written. */
export type Stamp = readonly [inode: number, size: number, modified: number, changed: number]

/** Undefined where there is no such file. */
export function stampOf(file: string): Stamp | undefined {
  const stats = statSync(file, { throwIfNoEntry: false })
  return stats && [stats.ino, stats.size, stats.mtimeMs, stats.ctimeMs]
}

/** Names in a folder, sorted; none where there is no such folder. Throws MachineError `NOT_READABLE`. */
export function namesIn(folder: string): readonly string[] {
  return reading(folder, () => readdirSync(folder).sort()) ?? []
}

/** Writes what can be made anew (0600); where that fails, only time is lost. */
export function keep(file: string, text: string): void {
  try {
    const fresh = `${file}.${process.pid}.tmp`
    writeFileSync(fresh, text, { mode: 0o600 })
    renameSync(fresh, file)
  } catch {
    // A folder that is not ours to write is no reason to fail a list.
  }
}

/** The path with every symbolic link followed; undefined when there is nothing there. */
export function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

/** Runs a read; nothing there is undefined, anything else that the disk says is a MachineError. */
function reading<T>(path: string, read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    const code = error instanceof Error && 'syscall' in error && 'code' in error ? String(error.code) : undefined
    if (code === undefined) throw error
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined
    throw new MachineError('NOT_READABLE', `${path} cannot be read (${code}).`, {
      hint: 'Check its permissions, or move it away.',
      cause: error,
    })
  }
}
