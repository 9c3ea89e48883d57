import { randomBytes } from 'node:crypto'
import { appendFileSync, closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** Remembers what can happen only once: refresh tokens that were used, families and tokens that are dead. */
export interface Ledger {
  has(mark: string): boolean
  /** True for the first who claims the mark, in whichever process; false for everybody after. */
  claim(mark: string): boolean
}

function readFrom(path: string, offset: number): Buffer {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
  try {
    const rest = Buffer.alloc(Math.max(0, fstatSync(file).size - offset))
    return rest.subarray(0, readSync(file, rest, 0, rest.length, offset))
  } finally {
    closeSync(file)
  }
}

/**
 * A ledger kept in a file that any number of sandboxes append to; without a path it lives in memory. One line per claim,
 * `mark claimant`; the first line of a mark wins. A torn line is skipped.
 */
export function openLedger(path?: string): Ledger {
  const claimants = new Map<string, string>()
  let offset = 0
  const catchUp = () => {
    if (path === undefined) return
    const news = readFrom(path, offset)
    const whole = news.subarray(0, news.lastIndexOf(10) + 1)
    offset += whole.length
    for (const line of whole.toString().split('\n')) {
      const [mark, claimant] = line.split(' ')
      if (mark && claimant && !claimants.has(mark)) claimants.set(mark, claimant)
    }
  }
  return {
    has(mark) {
      catchUp()
      return claimants.has(mark)
    },
    claim(mark) {
      catchUp()
      if (claimants.has(mark)) return false
      const claimant = randomBytes(9).toString('base64url')
      if (path === undefined) claimants.set(mark, claimant)
      // The newline in front keeps a line that somebody left torn from swallowing ours.
      else appendFileSync(path, `\n${mark} ${claimant}\n`, { mode: 0o600 })
      catchUp()
      return claimants.get(mark) === claimant
    },
  }
}
