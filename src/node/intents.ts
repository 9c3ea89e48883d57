import path from 'node:path'
import type { Connection } from '../model/connection.ts'
import type { Intents } from '../model/world.ts'
import { crypto } from './crypto.ts'
import { diskTrouble, readIfThere, removeIfThere, replaceWhole } from './disk.ts'

interface Intent {
  /** ISO 8601. */
  readonly at: string
  /** SHA-256 of the credential that is about to be used up. */
  readonly credential: string
}

/** Intents beside the records, a file each; whoever finds one under the record's lock knows that its author is gone. */
export function openIntents(fileOf: (name: string) => string): Intents {
  return {
    async declare({ name, credential }) {
      const file = fileOf(name)
      const intent: Intent = { at: new Date().toISOString(), credential: fingerprint(credential) }
      try {
        replaceWhole(file, JSON.stringify(intent))
      } catch (error) {
        throw diskTrouble(error, `"${name}" was not renewed`, path.dirname(file))
      }
    },
    async left({ name, credential }) {
      const intent = intentIn(readIfThere(fileOf(name)))
      // Of another credential: its author saved what it got, and was gone before it could say so.
      return intent?.credential === fingerprint(credential) ? intent.at : undefined
    },
    async settle(name) {
      try {
        removeIfThere(fileOf(name))
      } catch {
        // What is left speaks of a credential that has been replaced, or is found and told: nothing is lost.
      }
    },
  }
}

function intentIn(bytes: Buffer | undefined): Intent | undefined {
  try {
    const { at, credential } = JSON.parse(bytes?.toString('utf8') ?? 'null') as Partial<Intent>
    return typeof at === 'string' && typeof credential === 'string' ? { at, credential } : undefined
  } catch {
    return undefined
  }
}

function fingerprint(credential: Connection['credential']): string {
  return crypto().createHash('sha256').update(JSON.stringify(credential)).digest('hex')
}
