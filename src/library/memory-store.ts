import { type Connection, lineOf } from '../model/connection.ts'
import type { RegisteredClient, SavedIntegration } from '../model/integration.ts'
import type { Shelf, Store, TrustedFile } from '../model/world.ts'
import { fileNameFor } from '../node/names.ts'

/** A store that is gone with the process; nothing of it touches a disk. */
export function memoryStore(): Store {
  const connections = memoryShelf<Connection>()
  return {
    connections,
    integrations: memoryShelf<SavedIntegration>(),
    clients: memoryShelf<RegisteredClient>(),
    trust: memoryShelf<TrustedFile>(),
    // What is gone with the process leaves nobody in doubt.
    intents: { declare: async () => {}, left: async () => undefined, settle: async () => {} },
    lines: async () => (await connections.list()).map(lineOf),
  }
}

function memoryShelf<T>(): Shelf<T> {
  const records = new Map<string, T>()
  const turns = new Map<string, Promise<unknown>>()
  // Copies both ways: what a caller changes in its hands is not what is kept.
  const copy = <R extends T | undefined>(record: R): R => structuredClone(record)
  return {
    read: async (name) => copy(records.get(fileNameFor(name))),
    list: async () =>
      [...records.keys()].sort().flatMap((key) => {
        const record = records.get(key)
        return record === undefined ? [] : [copy(record)]
      }),
    async update(name, change, signal) {
      const key = fileNameFor(name)
      const turn = (turns.get(key) ?? Promise.resolve()).then(async () => {
        signal?.throwIfAborted()
        const current = records.get(key)
        const next = await change(copy(current))
        if (next === undefined) return current
        records.set(key, copy(next))
        return next
      })
      turns.set(
        key,
        turn.catch(() => {}),
      )
      return copy(await turn)
    },
    ready: async () => {},
    remove: async (name) => records.delete(fileNameFor(name)),
  }
}
