import type { ConnectionLine } from '../../model/connection.ts'
import { connectionsTable } from '../output/connections.ts'
import { plain } from '../output/style.ts'
import { type Given, openSession, readPairs } from '../session.ts'

export async function run(given: Given): Promise<void> {
  const { world, print, json, reveal } = await openSession(given)
  const { provider, tag } = given.options
  const tags = Object.entries(readPairs('--tag', tag))
  const matches = (line: Pick<ConnectionLine, 'provider' | 'tags'>): boolean =>
    (provider === undefined || line.provider === provider) && tags.every(([key, value]) => line.tags[key] === value)
  const onBroken = (_: string, why: string): void => void process.stderr.write(`! ${plain(`Left out: ${why}`)}\n`)
  if (json) {
    const { maskedConnection } = await import('../output/masked-connection.ts')
    const connections = (await world.store.connections.list(onBroken)).filter(matches)
    return print.value(
      connections.map((connection) => maskedConnection(connection, world.secrets.mask, { reveal })),
      () => '',
    )
  }
  const lines = (await world.store.lines(onBroken)).filter(matches)
  await print.value(lines, (style) => connectionsTable(lines, style, world.clock.now()))
}
