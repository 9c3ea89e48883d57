import { UsageError } from '../model/errors.ts'
import type { Client, Integration, RegisteredClient } from '../model/integration.ts'
import type { Need, World } from '../model/world.ts'
import type { Metadata } from '../wire/oauth.ts'
import { register, registrationKey } from '../wire/registration.ts'
import type { Attempt } from './mode.ts'
import { withAuthentication } from './settle.ts'

/** Where a client may register itself, if anywhere. */
export interface Registry {
  readonly title: string
  readonly url?: string | undefined
  /** What the server says of itself, where it does. */
  readonly metadata?: Metadata | undefined
}

/**
 * The integration with a client: the one that was given (static, or a URL that is its own metadata document), else the
 * one that registered itself here before, else one that registers itself now (RFC 7591), else one that is asked for.
 * Throws UsageError `MISSING_INPUT`; ProviderError `REGISTRATION_REFUSED`, `REGISTRATION_UNUSABLE`; TransportError.
 */
export async function withClient(
  world: World,
  integration: Integration,
  attempt: Attempt,
  registry: Registry,
): Promise<Integration> {
  const { metadata } = registry
  if (integration.client.id !== '') {
    tellOfDocument(integration.client, metadata, attempt)
    return withAuthentication(integration, metadata)
  }
  const server = serverOf(integration)
  const kept = integration.startsAnew === true ? undefined : await keptClient(world, server, integration)
  if (kept !== undefined) {
    attempt.tell({ type: 'client.registered', clientId: kept.client.id, server: registry.title, isNew: false })
    return enrolled(world, integration, attempt, kept)
  }
  if (registry.url === undefined) return asked(world, integration, registry)
  const fresh = await registered(world, integration, attempt, { ...registry, url: registry.url, server })
  return enrolled(world, integration, attempt, fresh)
}

/** The server no longer knows a client that registered itself: the next flow registers another. */
export async function forgetClient(world: Pick<World, 'store'>, { client, redirectUri }: Integration): Promise<void> {
  if (client.registration === undefined) return
  await world.store.clients.remove(registrationKey(client.registration.server, redirectUri))
}

/** Everything that makes a server another one, in one text. */
function serverOf({ endpoints }: Integration): string {
  return [endpoints.issuer ?? '', endpoints.authorization ?? '', endpoints.token ?? ''].join(' ')
}

async function keptClient(
  world: World,
  server: string,
  { redirectUri, scopes }: Integration,
): Promise<RegisteredClient | undefined> {
  const kept = await world.store.clients.read(registrationKey(server, redirectUri))
  if (kept === undefined || kept.client.registration?.server !== server) return undefined
  const ends = kept.client.registration.secretExpiresAt
  // A minute for the person, who is still to come by.
  const isOver = ends !== undefined && Date.parse(ends) - world.clock.now().getTime() < 60_000
  return isOver || !scopes.every((scope) => kept.scopes?.includes(scope) ?? true) ? undefined : kept
}

async function registered(
  world: World,
  integration: Integration,
  attempt: Attempt,
  registry: Registry & { readonly url: string; readonly server: string },
): Promise<RegisteredClient> {
  const { redirectUri, scopes, allowHttp, provider } = integration
  const { tell } = attempt
  const { client, scopes: granted } = await register(
    {
      title: registry.title,
      endpoint: registry.url,
      allowHttp,
      transmit: attempt.speech.transmit('registration'),
      remark: (quirk) => tell({ type: 'quirk', quirk }),
    },
    {
      redirectUri,
      scopes,
      metadata: registry.metadata,
      more: provider.template.registration_params,
      server: registry.server,
    },
  )
  learn(world, client)
  tell({ type: 'client.registered', clientId: client.id, server: registry.title, isNew: true })
  const { secretExpiresAt } = client.registration
  if (secretExpiresAt !== undefined)
    tell({
      type: 'warning',
      code: 'CLIENT_EXPIRES',
      message: `The client that registered itself is good until ${secretExpiresAt}: renewing fails from then on`,
    })
  const name = registrationKey(registry.server, redirectUri)
  const at = world.clock.now().toISOString()
  const record = { name, redirectUri, client, ...(granted === undefined ? {} : { scopes: granted }), at }
  // Kept before anybody approves: somebody who says no, or never comes, does not make it another.
  if (integration.savesClient === true) await world.store.clients.update(name, () => record)
  return record
}

function enrolled(
  world: World,
  integration: Integration,
  { tell }: Attempt,
  { client, scopes = integration.scopes }: RegisteredClient,
): Integration {
  learn(world, client)
  const refused = integration.scopes.filter((scope) => !scopes.includes(scope))
  if (refused.length > 0)
    tell({
      type: 'quirk',
      quirk: `the client was registered without the scopes ${refused.join(', ')}; they are not asked for`,
    })
  return { ...integration, client, scopes: integration.scopes.filter((scope) => scopes.includes(scope)) }
}

function learn({ secrets }: Pick<World, 'secrets'>, { secret, registration }: Client): void {
  for (const value of [secret, registration?.accessToken]) if (value !== undefined) secrets.learn(value)
}

async function asked(world: World, integration: Integration, { title, metadata }: Registry): Promise<Integration> {
  const need = (key: string, label: string, description: string, secret: boolean): Need => ({
    key,
    flag: `--${key}`,
    label,
    prompt: { title: label, description, secret, optional: secret },
    accept: (typed) =>
      typed.trim() === '' && !secret ? { problem: `${label} cannot be empty.` } : { value: typed.trim() },
  })
  const why = `${title} lets no client register itself`
  const typed = await world.ask(
    [
      need('client-id', 'Client ID', `from your app there: ${why}`, false),
      need('client-secret', 'Client secret', 'Enter for none: a public client', true),
    ],
    world.signal,
  )
  const [id, secret = ''] = [typed['client-id'], typed['client-secret']]
  if (id === undefined || id === '')
    throw new UsageError('MISSING_INPUT', `${why}: --client-id is missing.`, {
      hint: 'Register an app there yourself, then give its --client-id.',
    })
  if (secret !== '') world.secrets.learn(secret)
  const client: Client = secret === '' ? { id, authentication: 'none' } : { id, secret, authentication: 'post' }
  return withAuthentication({ ...integration, client }, metadata)
}

/** A client id that is a URL is a document that the server reads (OAuth Client ID Metadata Document). */
function tellOfDocument({ id, secret }: Client, metadata: Metadata | undefined, { tell }: Attempt): void {
  if (!/^https?:\/\//i.test(id) || secret !== undefined || metadata === undefined) return
  if (metadata['client_id_metadata_document_supported'] === true) return
  tell({ type: 'quirk', quirk: 'the client id is a URL, and the server does not say that it reads client documents' })
}
