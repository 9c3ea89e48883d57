import { UsageError } from '../../model/errors.ts'
import { readFlows } from '../../node/flows.ts'
import { followEvents } from '../../node/follow.ts'
import { progressLine } from '../output/progress.ts'
import { type Given, openSession } from '../session.ts'

/** Milliseconds: a flow that began longer ago is not one that somebody waits for. */
const longestFlow = 3_600_000

/** `auth-cli logs -f`: every event of every process as it happens, until Ctrl-C. */
export async function run(given: Given): Promise<void> {
  const { world, paths, print } = await openSession(given)
  const { provider, connection, state, since, verbose } = given.options as Record<string, string | undefined>
  if (state !== undefined || since !== undefined) {
    throw new UsageError('BAD_FLAG', '--state and --since choose among flows of the past; --follow shows what comes.', {
      hint: 'Leave them out, or leave out --follow.',
    })
  }
  const isNarrow = provider !== undefined || connection !== undefined
  const events = followEvents(paths.logs, world.signal)
  const wanted = new Set(isNarrow ? underWay(paths.logs, provider, connection, world.clock.now()) : [])
  for await (const event of events) {
    const isStart = event.type === 'flow.started'
    if (isStart && isOf(event, provider, connection)) wanted.add(event.flow)
    if (isNarrow && !wanted.has(event.flow)) continue
    await print.line(event, (style) =>
      progressLine(event, style, { journal: true, verbose: verbose !== undefined }).join('\n'),
    )
    if (print.isReaderGone()) return
  }
}

/** Flows that began before we came: what is still to happen in them is of interest too. */
function underWay(
  folder: string,
  provider: string | undefined,
  connection: string | undefined,
  now: Date,
): readonly string[] {
  const since = now.getTime() - longestFlow
  return readFlows(folder, { provider, connection, state: 'running', since }).flows.map(({ id }) => id)
}

/** Names compare without regard to case. */
function isOf(
  event: { readonly provider: string; readonly connection: string },
  provider: string | undefined,
  connection: string | undefined,
): boolean {
  return (
    (provider === undefined || event.provider === provider) &&
    (connection === undefined || event.connection.toLowerCase() === connection.toLowerCase())
  )
}
