import { templateChange } from '../../locate.ts'
import { savedConnection } from '../../saved.ts'
import { connectionScreen } from '../output/connection.ts'
import { maskedConnection } from '../output/masked-connection.ts'
import { type Given, openSession } from '../session.ts'

export async function run(given: Given): Promise<void> {
  const { world, print, reveal } = await openSession(given)
  const connection = await savedConnection(world, given.arguments[0] ?? '')
  const { mask } = world.secrets
  const template = await templateChange(world, connection)
  await print.value({ ...maskedConnection(connection, mask, { reveal }), templateState: template }, (style) =>
    connectionScreen(connection, style, { mask, reveal, now: world.clock.now(), template }),
  )
}
