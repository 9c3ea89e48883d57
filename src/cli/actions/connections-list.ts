import type { ConnectionLine } from '../../model/connection.ts'
import type { World } from '../../model/world.ts'
import { connectionsTable } from '../output/connections.ts'
import { plain } from '../output/style.ts'
import { type Given, openSession, readPairs } from '../session.ts'

/** What a keychain that cannot be reached leaves of a connection: the line that a list has of it. */
async function lockedBesides(
  shown: readonly { readonly name: string }[],
  { store }: World,
  onBroken: (file: string, why: string) => void,
): Promise<readonly (ConnectionLine & { readonly locked: true })[]> {
  const names = new Set(shown.map(({ name }) => name))
  const lines = (await store.lines(onBroken)).filter(({ name }) => !names.has(name))
  return lines.map((line) => ({ ...line, locked: true }))
}

export async function run(given: Given): Promise<void> {
  const { world, print, json, reveal } = await openSession(given)
  const { provider, tag } = given.options
  const tags = Object.entries(readPairs('--tag', tag))
  const matches = (line: Pick<ConnectionLine, 'provider' | 'tags'>): boolean =>
    (provider === undefined || line.provider === provider) && tags.every(([key, value]) => line.tags[key] === value)
  const onBroken = (_: string, why: string): void => void process.stderr.write(`! ${plain(`Left out: ${why}`)}\n`)
  if (json) {
    const { maskedConnection } = await import('../output/masked-connection.ts')
    const connections = (await world.store.connections.list()).filter(matches)
    const shown = connections.map((connection) => maskedConnection(connection, world.secrets.mask, { reveal }))
    const locked = (await lockedBesides(shown, world, onBroken)).filter(matches)
    if (locked.length > 0) process.stderr.write(`! ${locked.length} cannot be opened now: see auth-cli secrets\n`)
    return print.value([...shown, ...locked], () => '')
  }
  const lines = (await world.store.lines(onBroken)).filter(matches)
  await print.value(lines, (style) => connectionsTable(lines, style, world.clock.now()))
}
