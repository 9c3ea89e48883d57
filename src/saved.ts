import { type Connection, givenOf, isSecretAnswer } from './model/connection.ts'
import { ProviderError, UsageError } from './model/errors.ts'
import type { World } from './model/world.ts'

/** Throws UsageError `UNKNOWN_CONNECTION` with the names that come near. */
export async function savedConnection(world: Pick<World, 'store'>, name: string): Promise<Connection> {
  const connection = await world.store.connections.read(name)
  if (connection === undefined) throw unknownConnection(name, await nearNames(world, name))
  return connection
}

/** Throws UsageError `TWIN_ASLEEP` where a twin's connection would be sent to the real provider. */
export function assertReachable(world: Pick<World, 'reachesTwins'>, { name, snapshot }: Connection): void {
  if (snapshot.twin !== true || world.reachesTwins === true) return
  throw new UsageError('TWIN_ASLEEP', `"${name}" was made with a twin, and nothing of it goes to the real provider.`, {
    hint: `Its twin is played by the commands that name it: auth-cli request ${name} …`,
  })
}

/** Saved names that somebody may have meant; loaded only where a name was wrong. */
async function nearNames(world: Pick<World, 'store'>, name: string): Promise<readonly string[]> {
  const { nearest } = await import('./catalog/nearest.ts')
  const lines = await world.store.lines(() => {})
  return nearest(
    name,
    lines.map((line) => line.name),
  )
}

/** A name that nothing was saved under; `meant` are those that come near it. */
export function unknownConnection(name: string, meant: readonly string[] = []): UsageError {
  const question = meant.length > 0 ? ` Did you mean ${meant.join(' or ')}?` : ''
  return new UsageError('UNKNOWN_CONNECTION', `There is no connection called "${name}".${question}`, {
    hint: `List them with auth-cli connections, or make it: auth-cli connect ${/^[\w.-]+$/.test(name) ? name : '<provider>'}`,
  })
}

/** From now on no text of this run shows them. */
export function learnSecrets(world: Pick<World, 'secrets'>, connection: Connection): void {
  const { accessToken, refreshToken, idToken, captured = {} } = connection.credential
  const given = Object.entries(givenOf(connection.credential)).filter(([name]) => isSecretAnswer(connection, name))
  const { secret, registration } = connection.snapshot.client
  const own = [accessToken, refreshToken, idToken, secret, registration?.accessToken, ...Object.values(captured)]
  for (const value of [...own, ...given.map(([, answer]) => answer)]) {
    if (value !== undefined && value !== '') world.secrets.learn(value)
  }
}

/** The provider will not renew it, however often it is asked. */
export function refusedForGood(connection: Connection): ProviderError {
  const failure = connection.lastError
  const error = new ProviderError(
    failure?.code ?? 'INVALID_GRANT',
    failure?.message ?? 'The provider refused the refresh token.',
    {
      words: failure?.words,
      hint: `${spent(connection)} is no longer good. ${connectAgain(connection)}`,
    },
  )
  error.flow = failure?.flow
  return error
}

function spent({ name, snapshot }: Connection): string {
  return snapshot.renewal === 'again' ? `What "${name}" was made with` : `The refresh token of "${name}"`
}

/** Its tokens were given back: there is nothing to use until it is connected again. */
export function revokedHere(connection: Connection): ProviderError {
  const { name, lastError } = connection
  const error = new ProviderError('REVOKED', `"${name}" was revoked on ${lastError?.at.slice(0, 10)}.`, {
    hint: connectAgain(connection),
  })
  error.flow = lastError?.flow
  return error
}

/** The hint to make this connection anew. */
export function connectAgain(connection: Connection): string {
  return `Connect again: ${commandFor(connection)}`
}

/** The command that makes this connection anew. */
export function commandFor({ name, integration, snapshot }: Connection): string {
  const { source, twin } = snapshot
  const what = source.kind === 'address' ? shellWord(source.file) : integration
  if (twin === true) return `auth-cli connect ${what} --twin${name === `${what}-twin` ? '' : ` --as ${name}`}`
  return `auth-cli connect ${what}${name === integration ? '' : ` --as ${name}`}`
}

/** A URL as a POSIX shell takes it. */
function shellWord(url: string): string {
  return /^[\w@%+=:,./-]+$/.test(url) ? url : `'${url.replaceAll("'", '%27')}'`
}
