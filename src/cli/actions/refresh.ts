import { refresh, savedConnection } from '../../refresh.ts'
import { maskedConnection } from '../output/masked-connection.ts'
import { relative } from '../output/time.ts'
import { progressFor } from '../progress.ts'
import { type Given, openSession } from '../session.ts'

export async function run(given: Given): Promise<void> {
  const progress = progressFor(given)
  const { world, print, reveal, style } = await openSession(given, { onEvent: progress.emit, flows: true })
  await progress.start(style)
  const [name = ''] = given.arguments
  const before = await savedConnection(world, name)
  const connection = await refresh(world, name, { force: given.options['force'] === true })
  const fresh = connection.credential.accessToken !== before.credential.accessToken
  const { expiresAt } = connection.credential
  const until = expiresAt === undefined ? 'its expiry is not known' : `it expires ${relative(expiresAt, world.clock.now())}`
  await print.value(maskedConnection(connection, world.secrets.mask, { reveal }), () =>
    fresh ? `Renewed ${connection.name}; ${until}.` : `${connection.name} is still fresh; ${until}. Renew it anyway with --force.`,
  )
}
