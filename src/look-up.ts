import { expand, type Written } from './catalog/project.ts'
import { hiddenAnswers, type Question, type Section } from './catalog/questions.ts'
import type { Located } from './locate.ts'
import { type Connection, givenOf } from './model/connection.ts'
import type { AnswerSource } from './model/integration.ts'
import type { World } from './model/world.ts'
import { type Decided, type Redirection, redirection } from './wire/redirect.ts'

/** What was given for this run; everything else is looked up, or asked for. */
export interface Given {
  /** Name of the connection; the integration's own where absent. */
  readonly as?: string | undefined
  readonly params?: Readonly<Record<string, string>> | undefined
  readonly clientId?: string | undefined
  /** The secret itself. Empty: none, whatever else is known. */
  readonly clientSecret?: string | undefined
  readonly clientAuth?: string | undefined
  readonly scopes?: readonly string[] | undefined
  readonly authorizationParams?: Readonly<Record<string, string | null>> | undefined
  readonly tokenParams?: Readonly<Record<string, string | null>> | undefined
  readonly pkce?: boolean | undefined
  readonly callbackUrl?: string | undefined
  readonly port?: number | undefined
  readonly allowHttp?: boolean | undefined
  readonly trustProject?: boolean | undefined
  /** Start anew although a connection of that name was made with other answers. */
  readonly replace?: boolean | undefined
  /** False where nothing will be saved: then no name can be taken. */
  readonly save?: boolean | undefined
  /** Set where a token exists already: nothing opens, and a client is asked for only where it will have to renew. */
  readonly atHand?: { readonly isRenewable: boolean } | undefined
  /** Flags that are not a template's to take. */
  readonly taken?: readonly string[] | undefined
  /** What the program knows by itself, of a provider that it brings along; second only to what was given. */
  readonly preset?: Preset | undefined
}

export interface Preset {
  readonly clientId?: string | undefined
  readonly clientSecret?: string | undefined
  readonly params?: Readonly<Record<string, string>> | undefined
}

export interface Answer extends Decided<string> {
  /** Set for a value that a project file spells with `${NAME}`: read only once the file is trusted. */
  readonly written?: Written | undefined
}

export interface Found {
  readonly params: ReadonlyMap<string, Answer>
  readonly clientId?: Answer | undefined
  readonly clientSecret?: Answer | undefined
  readonly scopes: Decided<readonly string[]>
}

/** Flags, then what re-authorizing reuses, then environment, project file, saved integration; `${NAME}` still unread. */
export function lookUp(
  world: Pick<World, 'env'>,
  located: Located,
  given: Given,
  before: Connection | undefined,
  asked: readonly Question[],
): Found {
  const { entry, saved, name } = located
  const variable = (suffix: string): readonly [AnswerSource, string | undefined] => [
    'environment',
    world.env[`${environmentName(name)}_${suffix}`] || undefined,
  ]
  const params = new Map<string, Answer>()
  for (const { key, name: field, section, isAsked, flags } of asked) {
    const ofClient = clientAnswers(flags, located, given)
    const answer = first(
      ['flag', given.params?.[key] ?? ofClient.given],
      ['default', given.preset?.params?.[key]],
      variable(environmentName(key)),
      written(entry?.params[key]) ?? ofClient.written,
      // What the provider told last time it will tell again; what is used once was not kept.
      isAsked ? ['saved connection', kept(before, section, field)] : undefined,
      ['saved integration', saved?.params?.[key] ?? ofClient.saved],
    )
    if (answer !== undefined) params.set(key, answer)
  }
  for (const [key, value] of Object.entries(given.params ?? {}))
    if (!params.has(key)) params.set(key, { value, from: 'flag' })
  for (const [key, value] of Object.entries(hiddenAnswers(asked))) {
    if (!params.has(key)) params.set(key, { value, from: 'template' })
  }
  // One that registered itself was nobody's answer: it is known again where it may be used again.
  const own = before?.snapshot.client.registration === undefined ? before?.snapshot.client : undefined
  const clientId = first(
    ['flag', given.clientId],
    ['default', given.preset?.clientId],
    ['saved connection', own?.id || undefined],
    variable('CLIENT_ID'),
    written(entry?.clientId),
    ['saved integration', saved?.clientId],
  )
  const isOwn = own !== undefined && (given.clientId === undefined || given.clientId === own.id)
  const clientSecret = first(
    ['flag', given.clientSecret],
    ['default', given.preset?.clientSecret],
    // The secret of one client is never paired with the id of another.
    isOwn ? ['saved connection', own.secret ?? ''] : undefined,
    variable('CLIENT_SECRET'),
    written(entry?.clientSecret),
    saved?.clientId === undefined || clientId?.value === saved.clientId
      ? ['saved integration', saved?.clientSecret]
      : undefined,
  )
  return { params, clientId, clientSecret, scopes: scopesOf(world, located, given, before) }
}

/** What was said of a client where the mode has none: a template may call one of its own questions so. */
function clientAnswers(
  flags: readonly string[],
  { entry, saved }: Located,
  { clientId, clientSecret }: Given,
): { readonly given?: string | undefined; readonly written?: Answer | undefined; readonly saved?: string | undefined } {
  if (flags.includes('--client-id'))
    return { given: clientId, written: written(entry?.clientId), saved: saved?.clientId }
  if (flags.includes('--client-secret'))
    return { given: clientSecret, written: written(entry?.clientSecret), saved: saved?.clientSecret }
  return {}
}

/** What a connection still knows of an answer. */
function kept(before: Connection | undefined, section: Section, name: string): string | undefined {
  if (before === undefined) return undefined
  return section === 'connection_config' ? before.params[name] : givenOf(before.credential)[name]
}

/** The value of the first who has one. */
function first(
  ...candidates: readonly (readonly [AnswerSource, string | undefined] | Answer | undefined)[]
): Answer | undefined {
  for (const candidate of candidates) {
    if (candidate === undefined) continue
    if (!('value' in candidate)) {
      const [from, value] = candidate
      if (value !== undefined) return { value, from }
    } else {
      return candidate
    }
  }
  return undefined
}

/** `zendesk` → `ZENDESK`, `my-idp` → `MY_IDP`, `3cx` → `_3CX`. */
export function environmentName(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, '_')
    .replace(/^(?=\d)/, '_')
}

function written(value: Written | undefined): Answer | undefined {
  return value === undefined ? undefined : { value: value.text, from: 'project file', written: value }
}

function scopesOf(
  world: Pick<World, 'env'>,
  { entry, saved, provider }: Located,
  given: Given,
  before: Connection | undefined,
): Decided<readonly string[]> {
  if (given.scopes !== undefined) return { value: given.scopes, from: 'flag' }
  if (before !== undefined)
    return { value: before.scopes.requested, from: before.scopes.overridden ? 'saved connection' : 'template' }
  if (entry?.scopes !== undefined)
    return { value: entry.scopes.map((scope) => expand(scope, world.env)), from: 'project file' }
  if (saved?.scopes !== undefined) return { value: saved.scopes, from: 'saved integration' }
  return { value: provider.template.default_scopes ?? [], from: 'template' }
}

export function textOf(answer: Answer, env: World['env'], lenient = false): string {
  if (answer.written === undefined) return answer.value
  return lenient
    ? answer.written.text.replace(/\$\{(\w+)\}/g, (all, name: string) => env[name] ?? all)
    : expand(answer.written, env)
}

export function projectParams(
  world: World,
  { entry }: Located,
  which: 'authorizationParams' | 'tokenParams',
): Record<string, string | null> {
  return Object.fromEntries(
    Object.entries(entry?.[which] ?? {}).map(([key, value]) => [
      key,
      value.text === '' ? null : expand(value, world.env),
    ]),
  )
}

/** What the provider is told and where we listen. Throws UsageError `BAD_FLAG`, `REDIRECT_URI_UNSUITABLE`. */
export function redirectionOf(
  world: Pick<World, 'settings' | 'settingsFrom' | 'env'>,
  located: Located,
  given: Given,
): Redirection {
  const { title, template } = located.provider
  const callbackUrl = callbackUrlOf(world, located, given)
  return redirection({ title, hints: template.redirect_uri, callbackUrl, port: portOf(world, located, given) })
}

function callbackUrlOf(
  world: Pick<World, 'settings' | 'settingsFrom' | 'env'>,
  { entry, project }: Located,
  given: Given,
): Decided<string> | undefined {
  const { settings, settingsFrom } = world
  if (given.callbackUrl !== undefined) return { value: given.callbackUrl, from: 'flag' }
  if (settingsFrom['callback-url'] === 'environment')
    return { value: settings['callback-url'] ?? '', from: 'environment' }
  const ofProject = entry?.callbackUrl ?? project?.settings.callbackUrl
  // `--port` alone moves the default redirect URL, and a port given for this run is given for that.
  if (ofProject !== undefined) return { value: expand(ofProject, world.env), from: 'project file' }
  return settings['callback-url'] === undefined ? undefined : { value: settings['callback-url'], from: 'config' }
}

function portOf(
  { settings, settingsFrom }: Pick<World, 'settings' | 'settingsFrom'>,
  { entry, project }: Located,
  given: Given,
): Decided<number> | undefined {
  if (given.port !== undefined) return { value: given.port, from: 'flag' }
  if (settingsFrom['port'] === 'environment' && settings.port !== undefined)
    return { value: settings.port, from: 'environment' }
  const ofProject = entry?.port ?? project?.settings.port
  if (ofProject !== undefined) return { value: ofProject, from: 'project file' }
  return settings.port === undefined ? undefined : { value: settings.port, from: 'config' }
}
