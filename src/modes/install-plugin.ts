import { captured } from '../answers/member.ts'
import { ProviderError, UsageError } from '../model/errors.ts'
import type { Integration } from '../model/integration.ts'
import type { World } from '../model/world.ts'
import { unguessable } from '../wire/authorization.ts'
import { judge, type Verdict } from '../wire/callback.ts'
import { assertSecure } from '../wire/secure.ts'
import type { Homecoming } from './homecoming.ts'
import type { Attempt, Obtained } from './mode.ts'
import { denied, shown } from './redeem.ts'
import { roundTrip, type Sent } from './round-trip.ts'
import { partyOf } from './talk.ts'

export { carry } from './basic.ts'

export const authMode = 'INSTALL_PLUGIN'

/**
 * A plugin that somebody installs in the browser; no token comes of it, calls carry the plugin's own identifier and key
 * (RFC 7617). What the callback brings says where it was installed. The state travels as `payload`.
 */
export async function obtain(
  world: World,
  integration: Integration,
  attempt: Attempt,
  keep: (obtained: Obtained) => Promise<void>,
): Promise<void> {
  await roundTrip(world, integration, attempt, {
    prepare: (redirectUri) => invitation(world, integration, redirectUri, attempt),
    judge: (params, { state }) => judgeInstallation(params, state, integration),
    answers: ['payload', ...brought(integration)],
    finish: async (home, { redirectUri }) => {
      attempt.tell({ type: 'callback.received', via: home.via, params: shown(home.params, world) })
      await keep({ ...installed(world, integration, home, redirectUri), redirectUri })
    },
  })
}

/** The page that the browser would be sent to is all that is known beforehand. */
export async function rehearse(
  world: World,
  integration: Integration,
  attempt: Attempt,
  show: (url: URL) => void,
): Promise<void> {
  show(invitation(world, integration, integration.redirectUri, attempt).url)
}

function invitation(world: World, integration: Integration, redirectUri: string, attempt: Attempt): Sent {
  const { credentials, allowHttp, provider } = integration
  const link = credentials['appLink'] ?? ''
  if (!/^https?:\/\//i.test(link) || !URL.canParse(link)) {
    throw new UsageError('BAD_FLAG', `The installation link of ${provider.title} is not an http or https URL.`, {
      hint: 'Give the link by which people install your plugin: --app-link https://…',
    })
  }
  assertSecure(link, allowHttp, 'the installation link')
  const state = world.secrets.learn(unguessable(world.random))
  const url = new URL(link)
  url.searchParams.set('payload', state)
  attempt.tell({
    type: 'quirk',
    quirk: `the state travels as "payload", and no redirect URL is sent: the plugin's own settings must lead back to ${redirectUri}`,
  })
  return { url, redirectUri, state }
}

/** What the template wants of the callback. */
function brought({ provider }: Integration): readonly string[] {
  return provider.template.redirect_uri_metadata ?? []
}

function judgeInstallation(params: URLSearchParams, state: string, integration: Integration): Verdict {
  const standard = new URLSearchParams(params)
  const payload = params.getAll('payload')
  if (payload.length > 0 && !params.has('state')) {
    standard.delete('payload')
    for (const value of payload) standard.append('state', value)
  }
  return judge(standard, { state, codeParam: brought(integration)[0] ?? 'state' })
}

function installed(world: World, integration: Integration, home: Homecoming, redirectUri: string): Obtained {
  const { credentials, endpoints, provider } = integration
  if (home.verdict.kind === 'denial') throw denied(home.verdict, partyOf(integration, redirectUri))
  if (home.verdict.kind === 'unusable') {
    throw new ProviderError('CALLBACK_UNUSABLE', `${provider.title} did not say where the plugin was installed.`, {
      hint: `Its callback should bring ${brought(integration).join(', ')}; what it brought is in the log.`,
    })
  }
  const found = captured(brought(integration), (name) => home.params.get(name))
  const { username = '', password = '', ...given } = credentials
  return {
    credential: { type: authMode, username, password, given, obtainedAt: world.clock.now().toISOString() },
    params: { ...integration.params, ...found },
    endpoints,
  }
}
