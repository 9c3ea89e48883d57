import { followEvents } from '../../node/follow.ts'
import { progressLine } from '../output/progress.ts'
import { type Given, openSession } from '../session.ts'

/** `auth-cli logs -f`: every event of every process as it happens, until Ctrl-C. */
export async function run(given: Given): Promise<void> {
  const { world, paths, print } = await openSession(given)
  const { provider, connection, verbose } = given.options
  const flows = new Set<string>()
  for await (const event of followEvents(paths.logs, world.signal)) {
    if (
      event.type === 'flow.started' &&
      (provider === undefined || event.provider === provider) &&
      (connection === undefined || event.connection === connection)
    ) {
      flows.add(event.flow)
    }
    if ((provider !== undefined || connection !== undefined) && !flows.has(event.flow)) continue
    await print.line(event, (style) =>
      progressLine(event, style, { journal: true, verbose: verbose === true }).join('\n'),
    )
    if (print.isReaderGone()) return
  }
}
