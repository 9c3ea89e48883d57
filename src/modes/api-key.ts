import type { Integration } from '../model/integration.ts'
import type { World } from '../model/world.ts'
import type { Attempt, Obtained } from './mode.ts'

export const authMode = 'API_KEY'

/** A key that the provider gave to the person; nothing is exchanged, and the template says how calls carry it. */
export async function obtain(
  world: World,
  { credentials, params, endpoints }: Integration,
  _attempt: Attempt,
  keep: (obtained: Obtained) => Promise<void>,
): Promise<void> {
  const { apiKey = '', ...given } = credentials
  await keep({
    credential: {
      type: authMode,
      apiKey,
      ...(Object.keys(given).length === 0 ? {} : { given }),
      obtainedAt: world.clock.now().toISOString(),
    },
    params,
    endpoints,
  })
}

/** Nothing by itself: an API key goes where the template's `proxy` says. */
export function carry(): readonly [] {
  return []
}
