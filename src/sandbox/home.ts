import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

const keyBytes = 32

/** Where a running sandbox says that it runs. */
export interface Announcement {
  readonly port: number
  readonly pid: number
}

const isCode = (error: unknown, ...codes: string[]): boolean =>
  codes.includes(String((error as NodeJS.ErrnoException | undefined)?.code))

function writeBeside(path: string, content: string | Buffer): string {
  const beside = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`
  const file = openSync(beside, 'wx', 0o600)
  try {
    if (typeof content === 'string') writeSync(file, content)
    else writeSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  return beside
}

/** The signing key of this home, or undefined while it has none. Throws when the file holds anything else. */
export function readKey(home: string): Buffer | undefined {
  let key: Buffer
  try {
    key = readFileSync(join(home, 'sandbox.key'))
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
  if (key.length === keyBytes) return key
  throw Object.assign(new Error(`sandbox.key in ${home} is damaged. Delete it: the sandbox makes a new one.`), {
    code: 'SANDBOX_KEY_DAMAGED',
  })
}

/** With the folders above it. Not `recursive`: Node never returns where a folder takes none (/proc, an automount). */
function makeHome(home: string): void {
  if (existsSync(home)) return
  const above = dirname(home)
  if (above !== home) makeHome(above)
  try {
    mkdirSync(home, { mode: 0o700 })
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error
  }
}

/** The signing key of this home, made the first time. Of many who make it at once, one wins and all use hers. */
export function keepKey(home: string): Buffer {
  return keep(
    home,
    'sandbox.key',
    () => readKey(home),
    () => randomBytes(keyBytes),
  )
}

/** A text that this home keeps in a file of its own, made the first time in the same way. Never empty. */
export function keepText(home: string, name: string, make: () => string): string {
  const read = (): string | undefined => {
    try {
      return readFileSync(join(home, name), 'utf8') || undefined
    } catch (error) {
      if (isCode(error, 'ENOENT', 'ENOTDIR')) return undefined
      throw error
    }
  }
  return keep(home, name, read, make)
}

function keep<Kept extends string | Buffer>(
  home: string,
  name: string,
  read: () => Kept | undefined,
  make: () => Kept,
): Kept {
  makeHome(home)
  const known = read()
  if (known) return known
  const path = join(home, name)
  const beside = writeBeside(path, make())
  try {
    // A hard link appears whole or not at all, and never replaces: nobody can read half a key.
    linkSync(beside, path)
  } catch (error) {
    if (!isCode(error, 'EEXIST')) {
      renameSync(beside, path)
      return read() ?? keep(home, name, read, make)
    }
  }
  unlinkSync(beside)
  return read() ?? keep(home, name, read, make)
}

/** What `sandbox.json` claims; a claim only, to be proven by whoever reads it. */
export function readAnnouncement(home: string): Announcement | undefined {
  try {
    const { port, pid } = JSON.parse(readFileSync(join(home, 'sandbox.json'), 'utf8'))
    return Number.isInteger(port) && port > 0 && port < 65_536 && Number.isInteger(pid) ? { port, pid } : undefined
  } catch {
    return undefined
  }
}

export function announce(home: string, announcement: Announcement): void {
  const path = join(home, 'sandbox.json')
  renameSync(writeBeside(path, `${JSON.stringify(announcement)}\n`), path)
}

/** Takes the announcement down, unless somebody else's stands there by now. */
export function withdraw(home: string, announcement: Announcement): void {
  const standing = readAnnouncement(home)
  if (standing?.port !== announcement.port || standing.pid !== announcement.pid) return
  try {
    unlinkSync(join(home, 'sandbox.json'))
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error
  }
}
