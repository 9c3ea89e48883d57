import type { Connection } from '../../model/connection.ts'
import { connectionsTable } from '../output/connections.ts'
import { maskedConnection } from '../output/masked-connection.ts'
import { plain } from '../output/style.ts'
import { type Given, openSession, readPairs, type Session } from '../session.ts'

export async function run(given: Given): Promise<void> {
  const session = await openSession(given)
  const { provider, tag } = given.options
  const tags = Object.entries(readPairs('--tag', tag))
  const matches = (connection: Connection): boolean =>
    (provider === undefined || connection.provider === provider) &&
    tags.every(([key, value]) => connection.tags[key] === value)
  const found = await session.world.store.connections.list((file, why) =>
    process.stderr.write(`! ${plain(`${file} cannot be read: ${why}`)}\n`),
  )
  const connections = found.filter(matches)
  const { now } = session.world.clock
  await session.print.value(session.json ? connections.map((connection) => shown(connection, session)) : [], (style) =>
    connectionsTable(connections, style, now()),
  )
}

function shown(connection: Connection, { world, reveal }: Session): Connection {
  return maskedConnection(connection, world.secrets.mask, { reveal })
}
