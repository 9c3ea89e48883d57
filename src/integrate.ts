import { holdToRules, openNeeds, type Said, withTyped } from './answer.ts'
import { expand, referencesIn, type Written } from './catalog/project.ts'
import { everyQuestion, hiddenAnswers, type Question } from './catalog/questions.ts'
import { originsOf } from './connect.ts'
import { fillText, placeholders, placeholdersByAlternative } from './fill/fill.ts'
import { contextOf, type FillContext } from './fill/flaw.ts'
import { fillUrl } from './fill/url.ts'
import type { Located } from './locate.ts'
import type { Connection } from './model/connection.ts'
import { TemplateError, UsageError } from './model/errors.ts'
import type { AnswerSource, Client, ClientAuthentication, Endpoints, Integration } from './model/integration.ts'
import type { Scalar, Template } from './model/provider.ts'
import type { Need, World } from './model/world.ts'
import { assertMode } from './modes/index.ts'
import { assertTrusted, type Exposure } from './trust.ts'
import { randomUuid } from './wire/authorization.ts'
import { type Decided, type Redirection, redirection } from './wire/redirect.ts'
import { assertSecure } from './wire/secure.ts'

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

/**
 * Everything that a flow needs, decided before anything opens: given, else looked up (environment, project file, saved),
 * else asked for, all at once. Throws UsageError (`MISSING_INPUT`, `BAD_FLAG`, `NAME_TAKEN`, `ORIGIN_CHANGED`,
 * `PROJECT_UNTRUSTED`, `REDIRECT_URI_UNSUITABLE`, `INSECURE_URL`), TemplateError.
 */
export async function integrate(world: World, located: Located, given: Given): Promise<Integration> {
  const { provider } = located
  assertMode(provider.template.auth_mode, provider.name)
  const connection = given.as ?? located.name
  const before = given.save === false ? undefined : await previous(world, located, connection, given)
  const asked = everyQuestion(provider.template, given.taken)
  const found = lookUp(world, located, given, before, asked)
  const secretKeys = secretParams(before, asked)
  await trustFor(world, located, given, found, asked, secretKeys)
  const answers = await complete(world, located, given, found, asked)
  assertSame(before, answers.params, asked, connection)
  const client = clientOf(provider.template, answers, given, before)
  const endpoints = endpointsOf(located, answers.params, asked)
  assertReusable(endpoints, before, located, answers, secretKeys)
  for (const [field, url] of Object.entries(endpoints)) {
    if (url !== undefined)
      assertSecure(url, given.allowHttp === true, field === 'api' ? 'proxy.base_url' : `${field}_url`)
  }
  const redirect = redirectionOf(world, located, given)
  return {
    name: located.name,
    connection,
    provider,
    client,
    endpoints,
    scopes: answers.scopes.value,
    scopesFrom: answers.scopes.from,
    params: answers.params,
    redirectUri: redirect.redirectUri,
    listening: redirect.listening,
    pkce: pkceOf(provider.template, client, given),
    templateParams: templateParams(world, located, answers.params, asked),
    authorizationParams: withoutState({
      ...projectParams(world, located, 'authorizationParams'),
      ...given.authorizationParams,
    }),
    tokenParams: { ...projectParams(world, located, 'tokenParams'), ...given.tokenParams },
    allowHttp: given.allowHttp === true,
    registerUrl: registerUrlOf(located, answers.params, asked),
    answeredBy: answers.answeredBy,
    notes: answers.notes,
  }
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

/** A help only: one that needs an answer which is not there yet is left out. */
function registerUrlOf(
  { provider }: Located,
  params: Readonly<Record<string, string>>,
  asked: readonly Question[],
): string | undefined {
  const { name, template } = provider
  if (template.register_url === undefined) return undefined
  try {
    return fillUrl(
      'register_url',
      template.register_url,
      { connectionConfig: params },
      fillContext(name, template, asked),
    )
  } catch {
    return undefined
  }
}

/** The connection that would be re-authorized. Throws UsageError `NAME_TAKEN` when it is another provider's. */
async function previous(world: World, located: Located, name: string, given: Given): Promise<Connection | undefined> {
  if (given.replace === true) return undefined
  const before = await world.store.connections.read(name)
  if (before === undefined) return undefined
  if (before.provider === located.provider.name) return before
  throw new UsageError('NAME_TAKEN', `"${name}" is a connection to ${before.provider} already.`, {
    hint: 'Give this one another name with --as <name>, or put it in its place with --replace.',
  })
}

export interface Found {
  readonly params: ReadonlyMap<string, Answer>
  readonly clientId?: Answer | undefined
  readonly clientSecret?: Answer | undefined
  readonly scopes: Decided<readonly string[]>
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
  for (const { key, isAsked } of asked) {
    const answer = first(
      ['flag', given.params?.[key]],
      ['default', given.preset?.params?.[key]],
      variable(environmentName(key)),
      written(entry?.params[key]),
      // What the provider told last time it will tell again.
      isAsked ? ['saved connection', before?.params[key]] : undefined,
      ['saved integration', saved?.params?.[key]],
    )
    if (answer !== undefined) params.set(key, answer)
  }
  for (const [key, value] of Object.entries(given.params ?? {}))
    if (!params.has(key)) params.set(key, { value, from: 'flag' })
  for (const [key, value] of Object.entries(hiddenAnswers(located.provider.template))) {
    if (!params.has(key)) params.set(key, { value, from: 'template' })
  }
  const own = before?.snapshot.client
  const clientId = first(
    ['flag', given.clientId],
    ['default', given.preset?.clientId],
    ['saved connection', own?.id],
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

/** What this run would hand to whom because a project file says so; the person is asked, once per content. */
async function trustFor(
  world: World,
  located: Located,
  given: Given,
  found: Found,
  asked: readonly Question[],
  secretKeys: ReadonlySet<string>,
): Promise<void> {
  const { project, provider } = located
  if (project === undefined) return
  const ofProject = provider.source.kind === 'project'
  const hostKeys = hostAnswers(provider.template)
  const chosen = [...found.params].some(([key, { from }]) => from === 'project file' && hostKeys.has(key))
  const values: [string, Answer | undefined][] = [
    ...found.params,
    ['client-id', found.clientId],
    ['client-secret', found.clientSecret],
  ]
  const names = values.flatMap(([label, answer]) => secretNames(label, answer, located, secretKeys))
  const extra = [
    ...Object.values(located.entry?.authorizationParams ?? {}),
    ...Object.values(located.entry?.tokenParams ?? {}),
    ...(located.entry?.scopes ?? []),
  ]
  const spelled = extra.flatMap((one) => referencesIn(one).map(({ name }) => name))
  const inParams = [...found.params].flatMap(([, { written: text }]) =>
    text === undefined ? [] : referencesIn(text).map(({ name }) => name),
  )
  // Beside the client's own fields a variable is out of place even at an honest provider, which may hand it on: `state`.
  const secrets = [...new Set([...(ofProject || chosen ? names : inParams), ...spelled])]
  const exposures: Exposure[] = []
  if (secrets.length > 0) exposures.push({ what: secrets, to: hostsFor(located, found, asked, world) })
  const foreign = located.entry?.callbackUrl ?? project.settings.callbackUrl
  if (foreign !== undefined && given.callbackUrl === undefined && /\$\{/.test(foreign.text)) {
    exposures.push({ what: [foreign.text], to: ['the redirect URL'] })
  }
  // Said without need it is remembered all the same: the file's `browser` waits for it too.
  const isGiven = given.trustProject === true
  if (exposures.length > 0 || isGiven) await assertTrusted(world, project, exposures, isGiven)
}

/** What a value would give away: the variables it reads, or the store it comes from. */
function secretNames(
  label: string,
  answer: Answer | undefined,
  { name }: Located,
  secretKeys: ReadonlySet<string>,
): string[] {
  if (answer === undefined || answer.value === '') return []
  const { from } = answer
  if (answer.written !== undefined) return referencesIn(answer.written).map((reference) => reference.name)
  if (from === 'environment') return [`${environmentName(name)}_${environmentName(label)}`]
  if (from !== 'saved connection' && from !== 'saved integration') return []
  if (label === 'client-secret') return [`the client secret of the ${from}`]
  return secretKeys.has(label) ? [`the ${label} of the ${from}`] : []
}

/** Answers that are secrets, by the template that was asked then or by the one that would get them now. */
function secretParams(before: Connection | undefined, asked: readonly Question[]): Set<string> {
  const then = Object.entries(before?.snapshot.template.connection_config ?? {})
  return new Set([
    ...then.flatMap(([key, { secret }]) => (secret === true ? [key] : [])),
    ...asked.flatMap(({ key, prompt }) => (prompt.secret === true ? [key] : [])),
  ])
}

/** The answers that stand in the host of an endpoint. */
function hostAnswers(template: Template): Set<string> {
  const urls = [
    template.authorization_url,
    template.token_url,
    template.refresh_url,
    template.proxy?.base_url,
    template.issuer,
  ]
  const hosts = urls.flatMap((url) =>
    url === undefined
      ? []
      : [
          url
            .split('||')
            .map((part) => part.trim().replace(/^([a-z]+:\/\/[^/?#]*).*$/i, '$1'))
            .join(' || '),
        ],
  )
  return new Set(hosts.flatMap((host) => placeholders(host)).map((path) => path.replace(/^connectionConfig\./, '')))
}

function hostsFor(located: Located, found: Found, asked: readonly Question[], world: World): string[] {
  const params = Object.fromEntries([...found.params].map(([key, answer]) => [key, textOf(answer, world.env, true)]))
  try {
    return originsOf(endpointsOf(located, params, asked)).map((origin) => new URL(origin).host)
  } catch {
    return [`hosts that ${located.project?.file ?? 'the project file'} chooses`]
  }
}

function textOf(answer: Answer, env: World['env'], lenient = false): string {
  if (answer.written === undefined) return answer.value
  return lenient
    ? answer.written.text.replace(/\$\{(\w+)\}/g, (all, name: string) => env[name] ?? all)
    : expand(answer.written, env)
}

interface Complete {
  readonly params: Readonly<Record<string, string>>
  readonly clientId: string
  readonly clientSecret: string
  readonly secretFrom: AnswerSource
  readonly scopes: Decided<readonly string[]>
  readonly answeredBy: Readonly<Record<string, AnswerSource>>
  readonly notes: readonly string[]
}

/** Checks what was found by the template's rules and asks for the rest, all of it at once. */
async function complete(
  world: World,
  located: Located,
  given: Given,
  found: Found,
  asked: readonly Question[],
): Promise<Complete> {
  const said = [...found.params].map(([key, answer]): [string, Said] => [
    key,
    { text: textOf(answer, world.env), from: answer.from },
  ])
  const kept = holdToRules(asked, new Map(said))
  const id = found.clientId === undefined ? undefined : textOf(found.clientId, world.env).trim()
  const secret = found.clientSecret === undefined ? undefined : textOf(found.clientSecret, world.env)
  const ofClient = clientNeeds(located, id, secret, given, registerUrlOf(located, kept.params, asked))
  const variable = (key: string): string => `${environmentName(located.name)}_${environmentName(key)}`
  const needs = openNeeds(located.provider.template, asked, kept.params, ofClient, variable)
  const typed = needs.length === 0 ? {} : await world.ask(needs, world.signal)
  const { params, answeredBy: sources, notes } = withTyped(kept, asked, typed)
  const answeredBy = { ...sources }
  const clientSecret = secret ?? typed['client-secret'] ?? ''
  const secretFrom = found.clientSecret?.from ?? 'prompt'
  if (id !== undefined || typed['client-id'] !== undefined)
    answeredBy['client-id'] = id === undefined ? 'prompt' : (found.clientId?.from ?? 'prompt')
  if (clientSecret !== '') answeredBy['client-secret'] = secretFrom
  answeredBy['scope'] = found.scopes.from
  if (clientSecret !== '') world.secrets.learn(clientSecret)
  for (const { key, prompt } of asked) if (prompt.secret === true) world.secrets.learn(params[key] ?? '')
  return {
    params,
    clientId: id ?? typed['client-id'] ?? '',
    clientSecret,
    secretFrom,
    scopes: found.scopes,
    answeredBy,
    notes,
  }
}

function clientNeeds(
  { name, provider }: Located,
  id: string | undefined,
  secret: string | undefined,
  given: Given,
  where: string | undefined,
): Need[] {
  const needs: Need[] = []
  const plain = (label: string, required: boolean) => (typed: string) =>
    typed.trim() === '' && required ? { problem: `${label} cannot be empty.` } : { value: typed.trim() }
  if (id === undefined || id === '') {
    needs.push({
      key: 'client-id',
      flag: '--client-id',
      environment: `${environmentName(name)}_CLIENT_ID`,
      label: 'Client ID',
      prompt: { title: 'Client ID', ...(where === undefined ? {} : { description: `from your app: ${where}` }) },
      accept: plain('The client id', true),
    })
  }
  const isRequired = provider.template.client_secret_required === true
  const publicClient = given.clientAuth === 'none' || given.clientSecret === ''
  if (secret === undefined && !publicClient && (isRequired || needs.length > 0)) {
    needs.push({
      key: 'client-secret',
      flag: '--client-secret',
      environment: `${environmentName(name)}_CLIENT_SECRET`,
      label: 'Client secret',
      prompt: {
        title: 'Client secret',
        secret: true,
        optional: !isRequired,
        ...(isRequired ? {} : { description: 'Enter for none: a public client' }),
      },
      accept: plain('The client secret', isRequired),
    })
  }
  return needs
}

function clientOf(template: Template, answers: Complete, given: Given, before: Connection | undefined): Client {
  const { clientId: id, clientSecret: secret } = answers
  const asked = given.clientAuth
  const known: readonly string[] = ['post', 'basic', 'basic-raw', 'basic+post', 'none'] satisfies ClientAuthentication[]
  if (asked !== undefined && !known.includes(asked)) {
    throw new UsageError('BAD_FLAG', `--client-auth is one of ${known.join(', ')}, not "${asked}".`)
  }
  if (secret === '' || asked === 'none') {
    if (asked !== undefined && asked !== 'none') {
      throw new UsageError('MISSING_INPUT', `--client-auth ${asked} needs a client secret.`, {
        hint: 'Give it with --client-secret - (it is read from stdin).',
      })
    }
    return { id, authentication: 'none' }
  }
  const saved = before?.snapshot.client.authentication
  const reused = saved === undefined || saved === 'none' ? undefined : saved
  return {
    id,
    secret,
    authentication: (asked as ClientAuthentication | undefined) ?? reused ?? templateAuthentication(template),
  }
}

export function templateAuthentication(template: Template): ClientAuthentication {
  if (template.authorization_method === 'header') return 'basic'
  return template.token_request_auth_method === 'basic' ? 'basic-raw' : 'post'
}

function pkceOf(template: Template, client: Client, given: Given): boolean {
  const isPublic = client.authentication === 'none'
  if (isPublic && given.pkce === false) {
    throw new UsageError('BAD_FLAG', 'A public client cannot go without PKCE: nothing else ties the code to it.', {
      hint: 'Leave --no-pkce out, or give a client secret.',
    })
  }
  return given.pkce ?? (isPublic || template.disable_pkce !== true)
}

/** Re-authorizing is for the same account: other answers make another connection. */
function assertSame(
  before: Connection | undefined,
  params: Readonly<Record<string, string>>,
  asked: readonly Question[],
  name: string,
): void {
  if (before === undefined) return
  const other = asked.find(
    ({ key, isAsked }) =>
      isAsked && (before.params[key] ?? '') !== (params[key] ?? '') && before.params[key] !== undefined,
  )
  if (other === undefined) return
  throw new UsageError(
    'NAME_TAKEN',
    `"${name}" was made with ${other.key} ${before.params[other.key]}, not ${params[other.key]}.`,
    {
      hint: 'Give this one another name with --as <name>, or put it in its place with --replace.',
    },
  )
}

/** A saved secret, the client's or an answer, goes only where it went before. */
function assertReusable(
  endpoints: Endpoints,
  before: Connection | undefined,
  { saved, name }: Located,
  answers: Complete,
  secretKeys: ReadonlySet<string>,
): void {
  const sources = [...secretKeys].filter((key) => answers.params[key]).map((key) => answers.answeredBy[key])
  if (answers.clientSecret !== '') sources.push(answers.secretFrom)
  const bound = sources.includes('saved connection')
    ? before?.snapshot.origins
    : sources.includes('saved integration')
      ? saved?.origins
      : undefined
  if (bound === undefined) return
  const other = originsOf(endpoints).filter((origin) => !bound.includes(origin))
  if (other.length === 0) return
  throw new UsageError(
    'ORIGIN_CHANGED',
    `What was saved as a secret of "${name}" belongs to ${bound.join(', ')}, but the template now names ${other.join(', ')}.`,
    {
      hint: 'If that is right, give the secrets again, for example --client-secret -. If not, look at the template: somebody has changed it.',
    },
  )
}

function endpointsOf(
  { provider }: Located,
  params: Readonly<Record<string, string>>,
  asked: readonly Question[],
): Endpoints {
  const { template } = provider
  // In URLs a question goes by its bare name too.
  const scope = { ...params, connectionConfig: params }
  const context = fillContext(provider.name, template, asked)
  const url = (field: string, text: string, asWritten?: readonly string[]): string =>
    fillUrl(field, text, scope, context, asWritten?.includes('base_url') === true)
  if (template.authorization_url === undefined || template.token_url === undefined) {
    throw new TemplateError(
      'ENDPOINT_MISSING',
      `The template "${provider.name}" names no ${template.authorization_url === undefined ? 'authorization_url' : 'token_url'}.`,
      {
        hint: 'Write it into the template; the issuer publishes it under /.well-known/openid-configuration.',
      },
    )
  }
  const api = template.proxy?.base_url
  return {
    authorization: url('authorization_url', template.authorization_url, template.authorization_url_skip_encode),
    token: isDeferred(template.token_url, template, params)
      ? undefined
      : url('token_url', template.token_url, template.token_url_skip_encode),
    refresh:
      template.refresh_url === undefined || isDeferred(template.refresh_url, template, params)
        ? undefined
        : url('refresh_url', template.refresh_url),
    api:
      api === undefined || isDeferred(api, template, params, true)
        ? undefined
        : url('proxy.base_url', api).replace(/\/+$/, ''),
    issuer: template.issuer === undefined ? undefined : url('issuer', template.issuer),
  }
}

/**
 * Whether a URL waits for what only the callback, the token answer or a look-up brings: the first alternative that lacks
 * nothing else. `optional`: whether answers that may stay empty count as such too.
 */
function isDeferred(
  text: string,
  template: Template,
  params: Readonly<Record<string, string>>,
  optional = false,
): boolean {
  const prompts = Object.entries(template.connection_config ?? {})
  const later = [
    ...prompts.flatMap(([key, prompt]) => (prompt.automated || (optional && prompt.optional) ? [key] : [])),
    ...(template.redirect_uri_metadata ?? []),
    ...(template.token_response_metadata ?? []),
    ...(template.connection_configuration ?? []),
  ]
  for (const paths of placeholdersByAlternative(text)) {
    const keys = paths.map((path) => path.replace(/^connectionConfig\./, ''))
    const missing = keys.filter((key) => params[key] === undefined || params[key] === '')
    if (missing.length === 0 && paths.length > 0) return false
    if (missing.length > 0 && missing.every((key) => later.includes(key))) return true
  }
  return false
}

/** Placeholders filled; a template has no say in the state, which ties the answer to this run. */
function templateParams(
  world: Pick<World, 'clock' | 'random'>,
  located: Located,
  params: Readonly<Record<string, string>>,
  asked: readonly Question[],
): Record<string, Scalar> {
  const { template, name } = located.provider
  const context = fillContext(name, template, asked)
  const scope = { connectionConfig: params, now: world.clock.now(), random: randomUuid(world.random) }
  const written = Object.entries(template.authorization_params ?? {}).filter(([key]) => key !== 'state')
  return Object.fromEntries(
    written.map(([key, value]) => [
      key,
      typeof value === 'string' ? fillText(`authorization_params.${key}`, value, scope, context) : value,
    ]),
  )
}

function fillContext(name: string, template: Template, asked: readonly Question[]): FillContext {
  return contextOf(name, template, new Map(asked.map(({ key, flag }) => [key, flag])))
}

/** The state is drawn anew for each run: chosen or left out, no answer could be told from a forged one. */
function withoutState(params: Readonly<Record<string, string | null>>): Readonly<Record<string, string | null>> {
  if (!Object.hasOwn(params, 'state')) return params
  throw new UsageError('BAD_FLAG', 'The state cannot be chosen: it ties the answer to this run (RFC 6749 §10.12).', {
    hint: 'Leave state out of --auth-param and of authorization_params in the project file.',
  })
}

function projectParams(
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
