import { dress } from './dress.ts'
import type { Flow } from './flow.ts'
import { revocationOf, type TokenName } from './lookups/revocations.ts'
import type { Connection } from './model/connection.ts'
import { ProviderError } from './model/errors.ts'
import type { World } from './model/world.ts'
import { modeOf } from './modes/index.ts'
import type { Speech } from './modes/mode.ts'
import { learnSecrets } from './saved.ts'
import { assertSecure } from './wire/secure.ts'
import { wordsIn } from './wire/words.ts'

/** What of a connection its provider takes no longer, and what stays good until it expires. */
export interface Disowned {
  readonly revoked: readonly TokenName[]
  readonly remaining: readonly TokenName[]
}

/**
 * Tells a provider that has a call of its own for it that a connection is no more. Undefined where it has none: RFC 7009
 * is what is left then. Throws ProviderError `REVOCATION_REFUSED`; TransportError.
 */
export async function disown(
  world: World,
  connection: Connection,
  { tell }: Pick<Flow, 'tell'>,
  speech: Pick<Speech, 'transmit'>,
): Promise<Disowned | undefined> {
  const { snapshot, provider, credential } = connection
  const revocation = revocationOf(snapshot.names ?? [provider])
  const url = revocation?.url(connection)
  if (revocation === undefined || url === undefined) return undefined
  learnSecrets(world, connection)
  assertSecure(url, snapshot.allowHttp, 'the revocation')
  const mode = await modeOf(connection.mode, provider)
  const body = revocation.body?.(connection)
  const bare = {
    method: revocation.method,
    url,
    headers: revocation.headers?.(connection) ?? [],
    ...(body === undefined ? {} : { body }),
  }
  const moment = { now: world.clock.now(), random: world.random }
  const answer = await speech.transmit('revocation')(dress(connection, mode, bare, moment, tell))
  const isFine = answer.status >= 200 && answer.status <= 299
  const refusal = isFine ? revocation.refusal?.(parsed(answer.text)) : undefined
  // What is gone already need not be taken back.
  if (refusal !== undefined || (!isFine && answer.status !== revocation.gone)) {
    const title = snapshot.template.display_name ?? provider
    throw new ProviderError('REVOCATION_REFUSED', `${title} did not revoke it (status ${answer.status}).`, {
      status: answer.status,
      words: refusal ?? wordsIn(answer.text),
      hint: "Nothing was changed here. Revoke it on the provider's own pages, or try again later.",
    })
  }
  const held: TokenName[] = [
    ...(credential.refreshToken === undefined ? [] : (['refresh token'] as const)),
    ...(credential.accessToken === undefined ? [] : (['access token'] as const)),
  ]
  return {
    revoked: held.filter((one) => revocation.revokes.includes(one)),
    remaining: held.filter((one) => !revocation.revokes.includes(one)),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
