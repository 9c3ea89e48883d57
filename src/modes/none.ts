import type { Integration } from '../model/integration.ts'
import type { World } from '../model/world.ts'
import type { Attempt, Obtained } from './mode.ts'

export const authMode = 'NONE'

/** An API that asks nobody who they are: the connection keeps its answers and base URL. */
export async function obtain(
  world: World,
  { params, endpoints }: Integration,
  _attempt: Attempt,
  keep: (obtained: Obtained) => Promise<void>,
): Promise<void> {
  await keep({ credential: { type: authMode, obtainedAt: world.clock.now().toISOString() }, params, endpoints })
}

export function carry(): readonly [] {
  return []
}
