import type { Connection } from '../model/connection.ts'
import type { Header } from '../model/event.ts'
import type { Integration } from '../model/integration.ts'
import type { World } from '../model/world.ts'
import { judge } from '../wire/callback.ts'
import { type App, installationIn, invitation, mint, mintUrl, tokenUrlOf } from './installation.ts'
import type { Attempt, Obtained } from './mode.ts'
import { denied, shown } from './redeem.ts'
import { roundTrip } from './round-trip.ts'
import { known, partyOf, titleOf } from './talk.ts'

export const authMode = 'APP'

/**
 * An app that is installed by somebody in the browser and then acts as itself: for each installation a token is minted
 * with a JWT that the app signs. Where the installation is known already, no browser is needed.
 */
export async function obtain(
  world: World,
  integration: Integration,
  attempt: Attempt,
  keep: (obtained: Obtained) => Promise<void>,
): Promise<void> {
  const before = integration.params['installation_id']
  if (before !== undefined && before !== '') return keep(await installed(world, integration, attempt, before))
  await roundTrip(world, integration, attempt, {
    prepare: (redirectUri) => invitation(world, integration, redirectUri, attempt.tell),
    judge: (params, { state }) => judge(params, { state, codeParam: 'installation_id' }),
    answers: ['installation_id', 'setup_action'],
    finish: async (home, { redirectUri }) => {
      attempt.tell({ type: 'callback.received', via: home.via, params: shown(home.params, world) })
      if (home.verdict.kind === 'denial') throw denied(home.verdict, partyOf(integration, redirectUri))
      const id = installationIn(home, integration)
      await keep({ ...(await installed(world, integration, attempt, id)), redirectUri })
    },
  })
}

/** The installation page, and the token request that would follow. */
export async function rehearse(
  world: World,
  integration: Integration,
  attempt: Attempt,
  show: (url: URL) => void,
): Promise<void> {
  show(invitation(world, integration, integration.redirectUri, attempt.tell).url)
  await installed(world, integration, attempt, integration.params['installation_id'] || '0')
}

async function installed(world: World, integration: Integration, attempt: Attempt, id: string): Promise<Obtained> {
  const { provider, client, endpoints, allowHttp } = integration
  const params = { ...integration.params, installation_id: id }
  const url = mintUrl(integration, tokenUrlOf(provider.template), params)
  const app: App = {
    title: provider.title,
    id: client.id,
    key: client.secret ?? '',
    keyFlag: '--client-secret',
    url,
    allowHttp,
  }
  const credential = await mint(world, app, attempt.speech.transmit('token'), authMode)
  return { credential, params, endpoints: { ...endpoints, token: url }, renewal: 'again' }
}

/** Minted anew: there is no refresh token, the app's key is good for it. */
export async function renew(world: World, connection: Connection, attempt: Attempt): Promise<Obtained> {
  const { snapshot, params, provider } = connection
  const { client, endpoints, allowHttp, template } = snapshot
  const app: App = {
    title: titleOf(template, provider),
    id: client.id,
    key: client.secret ?? '',
    keyFlag: '--client-secret',
    url: known(endpoints.token),
    allowHttp,
  }
  const credential = await mint(world, app, attempt.speech.transmit('refresh'), authMode)
  return { credential, params, endpoints, renewal: 'again' }
}

export function carry({ credential }: Connection): readonly Header[] {
  return credential.accessToken === undefined ? [] : [['authorization', `Bearer ${credential.accessToken}`]]
}
