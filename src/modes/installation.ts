import { contextOf } from '../fill/flaw.ts'
import { fillUrl } from '../fill/url.ts'
import type { Credential } from '../model/connection.ts'
import { ProviderError, UsageError } from '../model/errors.ts'
import type { Tell } from '../model/event.ts'
import type { Integration } from '../model/integration.ts'
import type { Template } from '../model/provider.ts'
import type { World } from '../model/world.ts'
import { signJwt } from '../signing/jwt.ts'
import { pemIn } from '../signing/pem.ts'
import { unguessable } from '../wire/authorization.ts'
import type { Received, Transmit } from '../wire/record.ts'
import { assertSecure } from '../wire/secure.ts'
import { wordsIn } from '../wire/words.ts'
import type { Homecoming } from './homecoming.ts'
import type { Sent } from './round-trip.ts'
import { known } from './talk.ts'

/** Seconds that the app's own JWT may live at most; a minute of it lies in the past, for clocks that differ. */
const jwtLife = 600
const clockDrift = 60

/** The app that an installation token is minted for, and where. */
export interface App {
  readonly title: string
  readonly id: string
  /** PEM, or the base64 of one. */
  readonly key: string
  /** The flag by which the key is given. */
  readonly keyFlag: string
  readonly url: string
  readonly allowHttp: boolean
}

/** A person on their way to the app's installation page; no redirect URL travels with them, the app has its own. */
export function invitation(world: World, integration: Integration, redirectUri: string, tell: Tell): Sent {
  const state = world.secrets.learn(unguessable(world.random))
  const url = new URL(known(integration.endpoints.authorization))
  url.searchParams.set('state', state)
  for (const [name, value] of Object.entries(integration.authorizationParams)) {
    if (value === null) url.searchParams.delete(name)
    else url.searchParams.set(name, value)
  }
  tell({
    type: 'quirk',
    quirk: `no redirect URL is sent: the app's own settings must lead back to ${redirectUri}`,
  })
  return { url, redirectUri, state }
}

/** The installation that came back. Throws ProviderError `INSTALLATION_PENDING` where an owner has yet to approve it. */
export function installationIn({ params }: Pick<Homecoming, 'params'>, { provider, name }: Integration): string {
  const id = params.get('installation_id')
  if (id !== null && /^\d+$/.test(id)) return id
  const isRequested = params.get('setup_action') === 'request'
  throw new ProviderError(
    'INSTALLATION_PENDING',
    isRequested
      ? `The installation of ${provider.title} was requested; an owner of the organization has yet to approve it.`
      : `${provider.title} sent you back without an installation.`,
    {
      hint: `Once it is installed, its id stands at the end of its settings page's address: auth-cli connect ${name} --param installation_id=<id>`,
    },
  )
}

/** Where the token of an installation is minted, filled. */
export function mintUrl(
  { provider, allowHttp }: Integration,
  text: string,
  params: Readonly<Record<string, string>>,
): string {
  const context = contextOf(provider.name, provider.template)
  const url = fillUrl('token_url', text, { ...params, connectionConfig: params }, context)
  assertSecure(url, allowHttp, 'token_url')
  return url
}

/** The text of `token_url`: where there are several ways, the app's. */
export function tokenUrlOf({ token_url: written }: Template): string {
  const app = typeof written === 'object' ? (written as { readonly APP?: unknown } | null)?.APP : written
  return typeof app === 'string' ? app : ''
}

/**
 * An installation token, for the app's own JWT (RS256). Throws UsageError `BAD_FLAG` where the key cannot sign;
 * ProviderError; TransportError.
 */
export async function mint(world: World, app: App, transmit: Transmit, type: string): Promise<Credential> {
  const now = world.clock.now()
  assertSecure(app.url, app.allowHttp, 'token_url')
  const answer = await transmit({
    method: 'POST',
    url: app.url,
    headers: [
      ['accept', 'application/vnd.github+json'],
      ['authorization', `Bearer ${appJwt(world, app, now)}`],
      ['user-agent', 'auth-cli'],
      ['x-github-api-version', '2022-11-28'],
    ],
    body: '',
  })
  const raw = parsed(answer.text)
  const token = raw?.['token']
  if (answer.status < 200 || answer.status > 299 || typeof token !== 'string' || token === '')
    throw refusedBy(app, answer)
  const end = typeof raw?.['expires_at'] === 'string' ? Date.parse(raw['expires_at']) : Number.NaN
  return {
    type,
    accessToken: world.secrets.learn(token),
    tokenType: 'bearer',
    ...(Number.isNaN(end) ? {} : { expiresAt: new Date(end).toISOString() }),
    obtainedAt: now.toISOString(),
    raw,
  }
}

function appJwt(world: World, app: App, now: Date): string {
  const issued = Math.floor(now.getTime() / 1000) - clockDrift
  const payload = { iat: issued, exp: issued + jwtLife, iss: app.id }
  const signed = signJwt({ alg: 'RS256', typ: 'JWT' }, payload, { text: pemIn(app.key) })
  if ('token' in signed) return world.secrets.learn(signed.token)
  throw new UsageError('BAD_FLAG', `The private key of the app ${signed.why}.`, {
    hint: `Give the .pem file that ${app.title} made for the app, as it is or in base64: ${app.keyFlag} file:app.private-key.pem`,
  })
}

function refusedBy({ title, id, keyFlag }: App, { status, text }: Received): ProviderError {
  const isGranted = status >= 200 && status <= 299
  const code = { 401: 'INVALID_CLIENT', 404: 'INSTALLATION_NOT_FOUND' }[status] ?? `HTTP_${status}`
  return new ProviderError(
    isGranted ? 'NO_ACCESS_TOKEN' : code,
    isGranted
      ? `${title} answered ${status}, but there is no token in it.`
      : `${title} refused the installation token (status ${status}).`,
    {
      status,
      words: wordsIn(text),
      hint:
        status === 404
          ? 'The installation is not there any more, or belongs to another app.'
          : status === 401
            ? `The app ${id} and the private key do not belong together, or the clock of this machine is wrong. Give the key with ${keyFlag}.`
            : 'The whole answer is in the log.',
    },
  )
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
