import { UsageError } from '../../model/errors.ts'
import { refresh } from '../../refresh.ts'
import { savedConnection } from '../../saved.ts'
import { openAwake } from '../awake.ts'
import { maskedConnection } from '../output/masked-connection.ts'
import { relative } from '../output/time.ts'
import { progressFor } from '../progress.ts'
import type { Given } from '../session.ts'

/** `auth-cli refresh <name>`, or `--all`. */
export async function run(given: Given): Promise<void> {
  const isAll = given.options['all'] === true
  if (isAll === (given.arguments[0] !== undefined)) {
    throw new UsageError('BAD_ARGUMENT', isAll ? '--all takes no name.' : 'Which connection is to be renewed?', {
      hint: 'auth-cli refresh <name>, or auth-cli refresh --all; auth-cli connections lists them.',
    })
  }
  if (isAll) return (await import('./refresh-all.ts')).run(given)
  const progress = progressFor(given)
  const [name = ''] = given.arguments
  const { session, close } = await openAwake(given, name, { onEvent: progress.emit, flows: true })
  const { world, print, reveal, style } = session
  await progress.start(style, { skip: (event) => event.type === 'token.refreshed' })
  const before = await savedConnection(world, name)
  const connection = await refresh(world, name, { force: given.options['force'] === true }).finally(close)
  // Some providers renew a token and keep its text.
  const isRenewed = connection.refreshedAt !== before.refreshedAt
  const { expiresAt } = connection.credential
  const until =
    expiresAt === undefined ? 'its expiry is not known' : `it expires ${relative(expiresAt, world.clock.now())}`
  await print.value(maskedConnection(connection, world.secrets.mask, { reveal }), () =>
    isRenewed
      ? `Renewed ${connection.name}; ${until}.`
      : `${connection.name} is still fresh; ${until}. Renew it anyway with --force.`,
  )
}
