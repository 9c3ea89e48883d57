import { UsageError } from '../../model/errors.ts'
import { clearLogs } from '../../node/journal.ts'
import { type Given, openSession } from '../session.ts'

export async function run(given: Given): Promise<void> {
  const { world, paths, print } = await openSession(given)
  if (given.options['yes'] !== true) {
    const sure = await world.confirm('Forget every flow in the log?', world.signal)
    if (sure === undefined)
      throw new UsageError('MISSING_INPUT', 'Clearing the log wants a yes.', {
        hint: 'Say it with --yes: auth-cli logs clear --yes',
      })
    if (!sure) return print.value({ cleared: 0 }, () => 'Nothing was cleared.')
  }
  const cleared = clearLogs(paths.logs)
  await print.value({ cleared }, () => (cleared === 0 ? 'There was nothing to clear.' : 'The log is empty now.'))
}
