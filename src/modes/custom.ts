import { type Connection, type Credential, givenOf } from '../model/connection.ts'
import { AuthCliError } from '../model/errors.ts'
import type { Integration } from '../model/integration.ts'
import type { World } from '../model/world.ts'
import { judge } from '../wire/callback.ts'
import { renew as renewUser } from './authorization-code.ts'
import type { Homecoming } from './homecoming.ts'
import { type App, installationIn, invitation, mint, mintUrl, tokenUrlOf } from './installation.ts'
import type { Attempt, Obtained } from './mode.ts'
import { denied, redeem, shown } from './redeem.ts'
import { roundTrip, type Sent } from './round-trip.ts'
import { known, partyOf, titleOf } from './talk.ts'

export { carry } from './app.ts'

export const authMode = 'CUSTOM'

/**
 * An app that is installed and, on the same trip, authorized by the person: the installation's token is what calls carry,
 * the person's stands beside it.
 */
export async function obtain(
  world: World,
  integration: Integration,
  attempt: Attempt,
  keep: (obtained: Obtained) => Promise<void>,
): Promise<void> {
  const before = integration.params['installation_id']
  if (before !== undefined && before !== '')
    return keep(await installed(world, integration, attempt, before, undefined))
  await roundTrip(world, integration, attempt, {
    prepare: (redirectUri) => invitation(world, integration, redirectUri, attempt.tell),
    judge: (params, { state }) => judge(params, { state }),
    answers: ['code', 'installation_id', 'setup_action'],
    finish: async (home, sent) => {
      if (home.verdict.kind === 'denial') throw denied(home.verdict, partyOf(integration, sent.redirectUri))
      const id = installationIn(home, integration)
      const user = await userOf(world, integration, attempt, home, sent)
      await keep({ ...(await installed(world, integration, attempt, id, user)), redirectUri: sent.redirectUri })
    },
  })
}

/** The installation page, and the app's token request that would follow. */
export async function rehearse(
  world: World,
  integration: Integration,
  attempt: Attempt,
  show: (url: URL) => void,
): Promise<void> {
  show(invitation(world, integration, integration.redirectUri, attempt.tell).url)
  await installed(world, integration, attempt, integration.params['installation_id'] || '0', undefined)
}

/** The person's tokens for the code; none where the installation was only changed, which brings no code. */
async function userOf(
  world: World,
  integration: Integration,
  attempt: Attempt,
  home: Homecoming,
  sent: Sent,
): Promise<Credential | undefined> {
  if (home.verdict.kind !== 'code') {
    attempt.tell({ type: 'callback.received', via: home.via, params: shown(home.params, world) })
    const message = 'No code came with the installation: the connection acts as the app only, not as you'
    const hint = 'Let the app "request user authorization (OAuth) during installation", or install it anew.'
    attempt.tell({ type: 'warning', code: 'NO_USER_TOKEN', message, hint })
    return undefined
  }
  const { exchangeCode } = await import('../wire/oauth.ts')
  const { endpoints } = integration
  const asUser = { ...integration, endpoints: { ...endpoints, token: known(endpoints.user) } }
  const { credential } = await redeem(world, asUser, attempt, sent, home, { metadata: undefined, exchangeCode })
  return credential
}

async function installed(
  world: World,
  integration: Integration,
  attempt: Attempt,
  id: string,
  user: Credential | undefined,
): Promise<Obtained> {
  const { provider, credentials, endpoints, allowHttp } = integration
  const params = { ...integration.params, installation_id: id }
  const url = mintUrl(integration, tokenUrlOf(provider.template), params)
  const app = appOf(provider.title, credentials, url, allowHttp)
  const credential = await mint(world, app, attempt.speech.transmit('token'), authMode)
  return {
    credential: both(credential, user, credentials),
    params,
    endpoints: { ...endpoints, token: url },
    renewal: 'again',
  }
}

function appOf(title: string, given: Readonly<Record<string, string>>, url: string, allowHttp: boolean): App {
  return { title, id: given['appId'] ?? '', key: given['privateKey'] ?? '', keyFlag: '--private-key', url, allowHttp }
}

/** The app's credential with the person's beside it. */
function both(app: Credential, user: Credential | undefined, given: Readonly<Record<string, string>>): Credential {
  const tokens = { userAccessToken: user?.accessToken, userRefreshToken: user?.refreshToken }
  const captured = Object.entries(tokens).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return {
    ...app,
    given,
    ...(captured.length === 0 ? {} : { captured: Object.fromEntries(captured) }),
    raw: user === undefined ? { app: app.raw } : { app: app.raw, user: user.raw },
  }
}

/** Both anew; that the person's cannot be renewed leaves the app's as good as it is. */
export async function renew(world: World, connection: Connection, attempt: Attempt): Promise<Obtained> {
  const { snapshot, params, provider, credential } = connection
  const { endpoints, allowHttp, template } = snapshot
  const given = givenOf(credential)
  const app = appOf(titleOf(template, provider), given, known(endpoints.token), allowHttp)
  const [minted, user] = await Promise.all([
    mint(world, app, attempt.speech.transmit('refresh'), authMode),
    renewedUser(world, connection, attempt),
  ])
  const { userAccessToken, userRefreshToken } = credential.captured ?? {}
  const old = { type: 'OAUTH2', obtainedAt: credential.obtainedAt, raw: (credential.raw as { user?: unknown })?.user }
  const before = { ...old, accessToken: userAccessToken, refreshToken: userRefreshToken }
  const kept = user ?? (userAccessToken === undefined ? undefined : before)
  return { credential: both(minted, kept, given), params, endpoints, renewal: 'again' }
}

async function renewedUser(world: World, connection: Connection, attempt: Attempt): Promise<Credential | undefined> {
  const { userAccessToken, userRefreshToken } = connection.credential.captured ?? {}
  if (userRefreshToken === undefined) return undefined
  const { snapshot, credential } = connection
  const { refresh: _, ...endpoints } = snapshot.endpoints
  const asUser: Connection = {
    ...connection,
    credential: { ...credential, accessToken: userAccessToken, refreshToken: userRefreshToken },
    snapshot: { ...snapshot, endpoints: { ...endpoints, token: endpoints.user } },
  }
  try {
    return (await renewUser(world, asUser, attempt)).credential
  } catch (error) {
    if (!(error instanceof AuthCliError) || world.signal.aborted) throw error
    const message = `The token that acts as you was not renewed: ${error.message}`
    attempt.tell({
      type: 'warning',
      code: error.code,
      message,
      hint: 'The app itself goes on working; connect again to act as you.',
    })
    return undefined
  }
}
