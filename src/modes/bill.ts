import { type Connection, givenOf } from '../model/connection.ts'
import { ProviderError } from '../model/errors.ts'
import type { Header } from '../model/event.ts'
import type { Integration } from '../model/integration.ts'
import type { World } from '../model/world.ts'
import { headerOf, type Received } from '../wire/record.ts'
import { assertSecure } from '../wire/secure.ts'
import { wordsBesideToken, wordsIn } from '../wire/words.ts'
import type { Attempt, Obtained } from './mode.ts'
import { known } from './talk.ts'

export const authMode = 'BILL'

/** A session of BILL's API, had with a user's name and password and the developer's key. */
export async function obtain(
  world: World,
  { credentials: given, params, endpoints, provider, allowHttp }: Integration,
  attempt: Attempt,
  keep: (obtained: Obtained) => Promise<void>,
): Promise<void> {
  await keep(await logIn(world, attempt, 'token', { given, params, endpoints, allowHttp, title: provider.title }))
}

/** A session cannot be renewed: it is begun anew. */
export async function renew(world: World, connection: Connection, attempt: Attempt): Promise<Obtained> {
  const { snapshot, params, credential, provider } = connection
  return logIn(world, attempt, 'refresh', {
    given: givenOf(credential),
    params,
    endpoints: snapshot.endpoints,
    allowHttp: snapshot.allowHttp,
    title: snapshot.template.display_name ?? provider,
  })
}

/** Both on every call, as BILL's v3 API wants it. */
export function carry({ credential }: Connection): readonly Header[] {
  const { accessToken, given = {} } = credential
  return accessToken === undefined
    ? []
    : [
        ['devkey', given['dev_key'] ?? ''],
        ['sessionid', accessToken],
      ]
}

/** Milliseconds after which a session that nobody used is over. */
const sessionLife = 35 * 60 * 1000

interface Guest extends Pick<Integration, 'params' | 'endpoints' | 'allowHttp'> {
  readonly given: Readonly<Record<string, string>>
  readonly title: string
}

async function logIn(
  world: World,
  attempt: Attempt,
  purpose: 'token' | 'refresh',
  { given, params, endpoints, allowHttp, title }: Guest,
): Promise<Obtained> {
  const url = known(endpoints.token)
  assertSecure(url, allowHttp, 'token_url')
  const { username = '', password = '', organization_id: organizationId = '', dev_key: devKey = '' } = given
  for (const secret of [password, devKey]) world.secrets.learn(secret)
  const transmit = attempt.speech.transmit(purpose, ({ text }) => {
    const session = membersOf(text)['sessionId']
    return typeof session === 'string' ? [session] : []
  })
  const answer = await transmit({
    method: 'POST',
    url,
    headers: [
      ['accept', 'application/json'],
      ['user-agent', 'auth-cli'],
      ['content-type', 'application/json'],
    ],
    body: JSON.stringify({ username, password, organizationId, devKey }),
  })
  const members = membersOf(answer.text)
  const { sessionId, userId } = members
  if (answer.status !== 200 || typeof sessionId !== 'string' || sessionId === '') throw refusal(answer, title)
  const now = world.clock.now()
  return {
    credential: {
      type: authMode,
      given,
      accessToken: world.secrets.learn(sessionId),
      captured: { session_id: sessionId, ...(typeof userId === 'string' ? { user_id: userId } : {}) },
      obtainedAt: now.toISOString(),
      expiresAt: new Date(now.getTime() + sessionLife).toISOString(),
      raw: members,
    },
    params,
    endpoints,
    renewal: 'again',
  }
}

function membersOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : {}
  } catch {
    return {}
  }
}

function refusal({ status, headers, text }: Received, title: string): ProviderError {
  if (status === 200)
    return new ProviderError(
      'NO_ACCESS_TOKEN',
      `${title} answered the log-in with 200, but there is no sessionId in it.`,
      {
        status,
        words: wordsBesideToken(text),
        hint: 'The whole answer is in the log.',
      },
    )
  const location = headerOf(headers, 'location')
  const isRedirect = status >= 300 && status <= 399
  return new ProviderError(`HTTP_${status}`, `${title} refused the log-in with status ${status}.`, {
    status,
    words: isRedirect ? undefined : wordsIn(text),
    hint: isRedirect
      ? `A password is never sent along a redirect: correct token_url. It points to ${URL.canParse(location) ? new URL(location).host : 'another path of the same host'}.`
      : 'User name, password, organization id and developer key must belong together, in this environment.',
  })
}
