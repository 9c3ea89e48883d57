import { readFlow, readFlows } from '../../node/flows.ts'
import { storyScreen } from '../output/story.ts'
import { type Given, openSession } from '../session.ts'

/** `auth-cli logs show <id|last>`: one flow from start to end. */
export async function run(given: Given): Promise<void> {
  const { paths, print } = await openSession(given)
  const events = readFlow(paths.logs, given.arguments[0] ?? 'last')
  const [first] = events
  const hasEnded = events.some(({ type }) => type === 'flow.ended')
  const since = first === undefined ? undefined : Date.parse(first.at)
  const state = hasEnded
    ? undefined
    : readFlows(paths.logs, { since }).flows.find(({ id }) => id === first?.flow)?.state
  await print.value(events, (style) =>
    storyScreen(events, style, { verbose: given.options['verbose'] === true, state }),
  )
}
