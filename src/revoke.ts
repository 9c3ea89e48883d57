import { disown } from './disown.ts'
import { contextOf } from './fill/flaw.ts'
import { fillUrl } from './fill/url.ts'
import { type Flow, runFlow } from './flow.ts'
import type { TokenName } from './lookups/revocations.ts'
import type { Connection } from './model/connection.ts'
import { ProviderError, UsageError } from './model/errors.ts'
import type { World } from './model/world.ts'
import { assertReachable, learnSecrets, savedConnection, unknownConnection } from './saved.ts'
import { speechOf } from './speech.ts'
import type { Transmit } from './wire/record.ts'
import { assertSecure } from './wire/secure.ts'

/** What a revocation came to. */
export interface Revoked {
  /** As it is kept now: without its tokens, marked, and ready to be connected again. */
  readonly connection: Connection
  readonly flow: string
  /** The tokens that the provider takes no longer. */
  readonly revoked: readonly TokenName[]
  /** Those that it revokes only by their expiry. */
  readonly remaining: readonly TokenName[]
}

/**
 * Gives a connection's tokens back to its provider (RFC 7009), the refresh token first, and keeps the connection without
 * them. Where the provider refuses, the connection stays as it was. Throws UsageError `UNKNOWN_CONNECTION`,
 * `NOTHING_TO_REVOKE`, `NO_REVOCATION`, `ORIGIN_CHANGED`; ProviderError; TransportError.
 */
export async function revoke(world: World, name: string): Promise<Revoked> {
  const saved = await savedConnection(world, name)
  if (tokensOf(saved).length === 0) throw nothingToRevoke(saved)
  assertReachable(world, saved)
  learnSecrets(world, saved)
  const what = { deed: 'revoke', provider: saved.provider, connection: saved.name } as const
  return runFlow(world, what, async (flow) => {
    let done: Omit<Revoked, 'connection' | 'flow'> = { revoked: [], remaining: [] }
    // Under the lock, so that nobody renews meanwhile what is given back.
    const kept = await world.store.connections.update(
      name,
      async (current) => {
        if (current === undefined) throw unknownConnection(name)
        learnSecrets(world, current)
        done = await giveBack(world, current, flow)
        return withoutTokens(world, current, flow.id)
      },
      world.signal,
    )
    return { connection: kept ?? saved, flow: flow.id, ...done }
  })
}

/** Whether there is anything of this connection that a provider could be asked to revoke. */
export function isRevocable({ credential }: Pick<Connection, 'credential'>): boolean {
  return credential.accessToken !== undefined || credential.refreshToken !== undefined
}

function tokensOf({ credential }: Connection): readonly (readonly [TokenName, string])[] {
  const { refreshToken, accessToken } = credential
  return [
    ...(refreshToken === undefined ? [] : [['refresh token', refreshToken] as const]),
    ...(accessToken === undefined ? [] : [['access token', accessToken] as const]),
  ]
}

async function giveBack(
  world: World,
  connection: Connection,
  { tell }: Flow,
): Promise<Omit<Revoked, 'connection' | 'flow'>> {
  const { snapshot, provider, name } = connection
  const title = snapshot.template.display_name ?? provider
  const speech = speechOf(world, tell, snapshot.names ?? [provider])
  const isWritten = snapshot.endpoints.revocation !== undefined || snapshot.template.revocation_url !== undefined
  const own = isWritten ? undefined : await disown(world, connection, { tell }, speech)
  if (own !== undefined) {
    for (const kind of own.revoked) tell({ type: 'token.revoked', connection: name, token: kind })
    tellRemaining(own.remaining, title, tell)
    return own
  }
  const endpoint = await endpointOf(connection, speech.transmit('metadata'))
  const { revokeToken } = await import('./wire/revocation.ts')
  const transmit = speech.transmit('revocation')
  const revoked: TokenName[] = []
  const remaining: TokenName[] = []
  for (const [kind, token] of tokensOf(connection)) {
    const hint = kind === 'refresh token' ? 'refresh_token' : 'access_token'
    const asked = { endpoint, token, hint, client: snapshot.client, title } as const
    const outcome = await revokeToken(transmit, asked, (quirk) => tell({ type: 'quirk', quirk }))
    if (outcome === 'revoked') {
      revoked.push(kind)
      tell({ type: 'token.revoked', connection: name, token: kind })
    } else remaining.push(kind)
  }
  if (revoked.length === 0) {
    throw new ProviderError('UNSUPPORTED_TOKEN_TYPE', `${title} revokes no tokens of this type.`, {
      hint: `The connection is as it was. Revoke it on the provider's own pages; auth-cli connections delete ${name} forgets it here.`,
    })
  }
  tellRemaining(remaining, title, tell)
  return { revoked, remaining }
}

function tellRemaining(remaining: readonly TokenName[], title: string, tell: Flow['tell']): void {
  for (const kind of remaining) {
    const message = `${title} does not revoke an ${kind} by itself: it may stay good until it expires`
    tell({ type: 'warning', code: 'UNSUPPORTED_TOKEN_TYPE', message: message.replace('an refresh', 'a refresh') })
  }
}

/** The template's, as it was when the connection was made; else what the issuer's metadata says (RFC 8414 §2). */
async function endpointOf(connection: Connection, transmit: Transmit): Promise<string> {
  const { snapshot, provider, params } = connection
  const { endpoints, template, allowHttp } = snapshot
  const written = template.revocation_url
  const own =
    endpoints.revocation ??
    (written === undefined
      ? undefined
      : fillUrl('revocation_url', written, { ...params, connectionConfig: params }, contextOf(provider, template)))
  const endpoint = own ?? (await announced(endpoints.issuer, transmit, allowHttp))
  if (endpoint === undefined) throw noRevocation(connection)
  if (!URL.canParse(endpoint) || !snapshot.origins.includes(new URL(endpoint).origin)) {
    throw new UsageError('ORIGIN_CHANGED', `The tokens of "${connection.name}" are not sent to ${endpoint}.`, {
      hint: `They belong to ${snapshot.origins.join(', ')}. If that address is right, write it into the template as revocation_url and connect again.`,
    })
  }
  assertSecure(endpoint, allowHttp, 'revocation_url')
  return endpoint
}

async function announced(
  issuer: string | undefined,
  transmit: Transmit,
  allowHttp: boolean,
): Promise<string | undefined> {
  if (issuer === undefined) return undefined
  const { discover } = await import('./wire/discovery.ts')
  const { revocation_endpoint: endpoint } = await discover(issuer, { transmit, allowHttp, remark: () => {} })
  return endpoint
}

/** What may still be asked of it: who it was, and how to connect again. */
function withoutTokens({ clock }: World, connection: Connection, flow: string): Connection {
  const { type, obtainedAt, given, apiKey, username, password } = connection.credential
  const at = clock.now().toISOString()
  const kept = { given, apiKey, username, password }
  return {
    ...connection,
    credential: {
      type,
      obtainedAt,
      ...Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined)),
    },
    updatedAt: at,
    lastError: { at, code: 'REVOKED', message: 'Its tokens were revoked from here.', flow, final: true },
  }
}

function nothingToRevoke(connection: Connection): UsageError {
  const { name, mode, snapshot, provider, lastError } = connection
  if (lastError?.code === 'REVOKED') {
    return new UsageError('NOTHING_TO_REVOKE', `"${name}" is revoked already.`, {
      hint: `Forget it: auth-cli connections delete ${name}`,
    })
  }
  const where = snapshot.template.docs === undefined ? '' : ` (${snapshot.template.docs})`
  return new UsageError('NOTHING_TO_REVOKE', `"${name}" holds no token that could be revoked: it is ${mode}.`, {
    hint: `Take the credential away at ${snapshot.template.display_name ?? provider} itself${where}.`,
  })
}

function noRevocation({ name, snapshot, provider }: Connection): UsageError {
  const title = snapshot.template.display_name ?? provider
  return new UsageError('NO_REVOCATION', `Where ${title} revokes tokens is not known.`, {
    hint: `Its template names no revocation_url, and no issuer announces one. Revoke it on the provider's own pages; auth-cli connections delete ${name} forgets it here.`,
  })
}
