import { holdToRules, type Said } from './answer.ts'
import { asksOf } from './asks.ts'
import type { ProjectIntegration } from './catalog/project.ts'
import { endpointsOf, originsOf } from './endpoints.ts'
import { assertHidesNone, type Located, locate } from './locate.ts'
import { AuthCliError, UsageError } from './model/errors.ts'
import type { SavedIntegration } from './model/integration.ts'
import type { Need, World } from './model/world.ts'
import { traitsOf } from './modes/index.ts'
import { catalogOf } from './sources.ts'

/** One that is known here, by whoever keeps it. */
export interface KnownIntegration {
  readonly name: string
  readonly provider: string
  /** The project file's stand before those that are saved. */
  readonly from: 'project file' | 'saved'
  readonly clientId?: string | undefined
  /** True where a secret is known, or where the project file says where to find one. */
  readonly hasSecret: boolean
  readonly scopes?: readonly string[] | undefined
  readonly params: Readonly<Record<string, string>>
  /** The file that it is written in. */
  readonly file?: string | undefined
}

export interface NewIntegration {
  readonly name: string
  /** A template's name; the integration's own where absent. */
  readonly provider?: string | undefined
  readonly clientId?: string | undefined
  readonly clientSecret?: string | undefined
  readonly scopes?: readonly string[] | undefined
  readonly params?: Readonly<Record<string, string>> | undefined
  readonly replace?: boolean | undefined
}

/** Every integration, the project's first, by name. */
export async function knownIntegrations(world: World): Promise<readonly KnownIntegration[]> {
  const { project } = await catalogOf(world)
  const written = (project?.integrations ?? []).flatMap((name): KnownIntegration[] => {
    const entry = readable(() => project?.integration(name))
    return entry === undefined ? [] : [fromProject(entry, project?.file ?? '')]
  })
  const names = new Set(written.map(({ name }) => name))
  const saved = (await world.store.integrations.list()).filter(({ name }) => !names.has(name)).map(fromSaved)
  return [...written, ...saved].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Throws UsageError `UNKNOWN_INTEGRATION`. */
export async function knownIntegration(world: World, name: string): Promise<KnownIntegration> {
  const all = await knownIntegrations(world)
  const found = all.find((one) => one.name.toLowerCase() === name.toLowerCase())
  if (found !== undefined) return found
  throw new UsageError('UNKNOWN_INTEGRATION', `There is no integration called "${name}".`, {
    hint:
      all.length === 0
        ? `Add it: auth-cli integrations add ${/^[\w.-]+$/.test(name) ? name : '<name>'} --provider <provider>`
        : `There are ${all.map((one) => one.name).join(', ')}.`,
  })
}

/** A broken entry is left out of a list; whoever asks for it is told. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof AuthCliError) return undefined
    throw error
  }
}

function fromProject(entry: ProjectIntegration, file: string): KnownIntegration {
  const { name, provider, clientId, clientSecret, scopes, params } = entry
  return {
    name,
    provider,
    from: 'project file',
    // As it is written: a variable is read only once the file is trusted.
    clientId: clientId?.text,
    hasSecret: clientSecret !== undefined,
    scopes: scopes?.map(({ text }) => text),
    params: Object.fromEntries(Object.entries(params).map(([key, { text }]) => [key, text])),
    file,
  }
}

function fromSaved({
  name,
  provider,
  clientId,
  clientSecret,
  scopes,
  params = {},
}: SavedIntegration): KnownIntegration {
  return { name, provider, from: 'saved', clientId, hasSecret: clientSecret !== undefined, scopes, params }
}

/**
 * Keeps a client and its answers, so that `connect` need not ask again; what is missing of the client is asked for. Throws
 * UsageError `NAME_TAKEN`, `UNKNOWN_PROVIDER`, `BAD_FLAG`, `MISSING_INPUT`; TemplateError; MachineError.
 */
export async function addIntegration(world: World, wanted: NewIntegration): Promise<SavedIntegration> {
  const { name, provider = name, replace = false } = wanted
  if (/^(-|\s*$)/.test(name))
    throw new UsageError('BAD_NAME', 'A name does not begin with a dash and is not blank.', { hint: 'Choose another.' })
  const before = await world.store.integrations.read(name)
  if (before !== undefined && !replace) throw taken(before)
  const located = await templateOf(world, provider)
  if (name !== located.provider.name)
    await assertHidesNone(name, located.provider.name, (await catalogOf(world)).sources)
  const params = answersOf(located, wanted.params ?? {})
  const client = await clientOf(world, located, wanted)
  const now = world.clock.now().toISOString()
  const origins = originsFor(located, params)
  const saved: SavedIntegration = {
    name,
    provider: located.provider.name,
    ...client,
    ...(wanted.scopes === undefined ? {} : { scopes: wanted.scopes }),
    ...(Object.keys(params).length === 0 ? {} : { params }),
    ...(origins === undefined ? {} : { origins }),
    createdAt: before?.createdAt ?? now,
    updatedAt: now,
  }
  const kept = await world.store.integrations.update(name, (current) => {
    if (current !== undefined && !replace) throw taken(current)
    return saved
  })
  return kept ?? saved
}

function taken({ name, provider }: SavedIntegration): UsageError {
  return new UsageError('NAME_TAKEN', `"${name}" is an integration of ${provider} already.`, {
    hint: 'Choose another name, or put this one in its place with --replace.',
  })
}

/** The template itself: an integration of an integration would be nobody's. */
async function templateOf(world: World, provider: string): Promise<Located> {
  const located = await locate(world, provider)
  if (located.provider.name === provider) return { name: provider, provider: located.provider }
  throw new UsageError('BAD_FLAG', `"${provider}" is an integration itself, of ${located.provider.name}.`, {
    hint: `Name the provider: --provider ${located.provider.name}`,
  })
}

function answersOf(located: Located, given: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const asked = asksOf(located.provider.template)
  const unknown = Object.keys(given).find((key) => !asked.some((one) => one.key === key))
  if (unknown !== undefined) {
    const known = asked.map(({ key }) => key)
    throw new UsageError('BAD_FLAG', `${located.provider.title} asks for no "${unknown}".`, {
      hint: known.length === 0 ? 'It asks for nothing but the client.' : `It asks for ${known.join(', ')}.`,
    })
  }
  const said = Object.entries(given).map(([key, text]): [string, Said] => [key, { text, from: 'flag' }])
  return holdToRules(asked, new Map(said)).params
}

async function clientOf(
  world: World,
  { provider }: Located,
  { clientId, clientSecret }: NewIntegration,
): Promise<Pick<SavedIntegration, 'clientId' | 'clientSecret'>> {
  const { client } = traitsOf(provider.template.auth_mode)
  if (client === undefined) {
    if (clientId === undefined && clientSecret === undefined) return {}
    throw new UsageError(
      'BAD_FLAG',
      `${provider.title} knows no clients: it authorizes by ${provider.template.auth_mode}.`,
      {
        hint: 'Give what it asks for with --param key=value.',
      },
    )
  }
  const isRequired = client === 'confidential' || provider.template.client_secret_required === true
  const needs: Need[] = []
  const need = (key: string, label: string, isSecret: boolean, required: boolean): Need => ({
    key,
    flag: `--${key}`,
    label,
    prompt: {
      title: label,
      ...(isSecret ? { secret: true } : {}),
      ...(required ? {} : { optional: true, description: 'Enter for none: a public client' }),
    },
    accept: (typed) =>
      typed.trim() === '' && required ? { problem: `${label} cannot be empty.` } : { value: typed.trim() },
  })
  if (clientId === undefined || clientId === '') needs.push(need('client-id', 'Client ID', false, true))
  if (clientSecret === undefined && (isRequired || needs.length > 0))
    needs.push(need('client-secret', 'Client secret', true, isRequired))
  const typed = needs.length === 0 ? {} : await world.ask(needs, world.signal)
  const id = clientId || typed['client-id']
  const secret = clientSecret ?? typed['client-secret']
  if (secret !== undefined && secret !== '') world.secrets.learn(secret)
  return { clientId: id, ...(secret === undefined || secret === '' ? {} : { clientSecret: secret }) }
}

/** Where the secret may go, once the answers say it all. */
function originsFor(located: Located, params: Readonly<Record<string, string>>): readonly string[] | undefined {
  const asked = asksOf(located.provider.template)
  const isOpen = asked.some(
    ({ key, section, isAsked }) => section === 'connection_config' && isAsked && params[key] === undefined,
  )
  if (isOpen) return undefined
  const endpoints = readable(() => endpointsOf(located, { params }, asked))
  return endpoints === undefined ? undefined : originsOf(endpoints)
}

/** The connections that were made with an integration. */
export async function dependentsOf(world: World, name: string): Promise<readonly string[]> {
  const connections = await world.store.connections.list()
  return connections
    .filter(({ integration }) => integration.toLowerCase() === name.toLowerCase())
    .map((one) => one.name)
}

/** Forgets a saved integration on which no connection depends. Throws UsageError `UNKNOWN_INTEGRATION`, `IN_USE`, `IN_PROJECT`. */
export async function deleteIntegration(world: World, name: string): Promise<void> {
  const found = await knownIntegration(world, name)
  if (found.from === 'project file' && (await world.store.integrations.read(name)) === undefined) {
    throw new UsageError('IN_PROJECT', `"${name}" is written in ${found.file}.`, { hint: 'Take it out of that file.' })
  }
  const dependents = await dependentsOf(world, found.name)
  if (dependents.length > 0) {
    throw new UsageError('IN_USE', `"${found.name}" is what ${listed(dependents)} would connect again with.`, {
      hint: `Delete ${dependents.length === 1 ? 'it' : 'them'} first: auth-cli connections delete ${dependents.join(' ')}`,
      facts: [['Connections', dependents.join(', ')]],
    })
  }
  await world.store.integrations.remove(name)
}

function listed(names: readonly string[]): string {
  return names.length === 1 ? `the connection ${names[0]}` : `${names.length} connections`
}
