import { asksOf, clientPrompts } from './asks.ts'
import type { Question } from './catalog/questions.ts'
import { registersItself } from './clients.ts'
import { dialectOf } from './dialects/index.ts'
import { choose } from './fill/fill.ts'
import { placeholders } from './fill/placeholders.ts'
import { templateAuthentication } from './integrate.ts'
import type { Located } from './locate.ts'
import { environmentName, type Found, type Given, lookUp, redirectionOf } from './look-up.ts'
import { lookUpOf } from './lookups/index.ts'
import { UsageError } from './model/errors.ts'
import type { AnswerSource, ClientAuthentication } from './model/integration.ts'
import type { Scalar, Template, TemplateSource } from './model/provider.ts'
import type { World } from './model/world.ts'
import { traitsOf } from './modes/index.ts'
import { type Gap, gapsOfProvider } from './needs.ts'
import { trialOf } from './proofs/index.ts'
import { type Support, supportOf } from './support.ts'
import { readTrials } from './trials.ts'

/** A question of a provider's, and where its answer comes from. */
export interface Asked {
  readonly key: string
  /** What to type, `--subdomain`. */
  readonly flag: string
  readonly environment: string
  readonly title: string
  readonly description?: string | undefined
  /** The answer's place among what the template supplies: `https://[subdomain].zendesk.com`. */
  readonly shape?: string | undefined
  readonly example?: string | undefined
  readonly choices?: readonly string[] | undefined
  readonly isOptional: boolean
  readonly isSecret: boolean
  /** Absent where nobody has answered; never a secret, and a project file's `${NAME}` as written. */
  readonly answer?: string | undefined
  readonly answeredBy?: AnswerSource | undefined
}

/** An endpoint as it will be called. */
export interface Address {
  /** What is not answered yet stands in brackets: `https://[acme].zendesk.com/oauth/tokens`. */
  readonly url: string
  readonly isComplete: boolean
}

/** A provider's page: all that there is to know before connecting. */
export interface Description {
  readonly name: string
  readonly provider: string
  readonly title: string
  readonly mode: string
  readonly docs?: string | undefined
  readonly categories: readonly string[]
  readonly source: TemplateSource
  /** Templates of the same name that lost to this one. */
  readonly hides: readonly TemplateSource[]
  readonly asks: readonly Asked[]
  /** Absent where the mode has no client of its own. */
  readonly client?: { readonly id: Asked; readonly secret: Asked } | undefined
  readonly register: {
    readonly url?: string | undefined
    readonly steps: readonly string[]
    /** The exact redirect URL to register, unless none of ours would do. */
    readonly redirectUri?: string | undefined
    /** Why none of ours would do, and the ways out. */
    readonly unsuitable?: { readonly why: string; readonly hint: string } | undefined
    readonly anyPort: boolean
  }
  /** Where the endpoints that the template does not name are looked up, before the browser opens. */
  readonly discovery?: Address | undefined
  /** Where OAuth 1.0a gives a request token. */
  readonly request?: Address | undefined
  readonly authorize?:
    | (Address & { readonly pkce?: boolean | undefined; readonly params: Readonly<Record<string, Scalar>> })
    | undefined
  readonly token?:
    | (Address & { readonly authentication?: ClientAuthentication | undefined; readonly format: string })
    | undefined
  readonly refresh?: Address | undefined
  /** Requests after the first, where a log-in takes several; what an answer brings stands in brackets. */
  readonly steps: readonly (Address & { readonly method: string })[]
  readonly api?: (Address & { readonly headers: readonly string[] }) | undefined
  readonly scopes: { readonly asked: readonly string[]; readonly from: AnswerSource; readonly separator: string }
  /** Where it departs from the standard, in words. */
  readonly quirks: readonly string[]
  /** What this template needs that cannot be done yet; connecting is possible unless one of them `stops`. */
  readonly lacks: readonly Gap[]
  /** How much of all that can be done, and whether a test has run it. */
  readonly support: Support
  /** The command, ready to be typed; what nobody has answered has its example or stands in angle brackets. */
  readonly connect: string
}

type Known = Pick<World, 'env' | 'settings' | 'settingsFrom' | 'store' | 'folders'>

/** Computes a provider's page with the answers so far; sends nothing, asks nobody. */
export async function describe(world: Known, located: Located, given: Given): Promise<Description> {
  const { name, provider } = located
  const { template, title, source, hides } = provider
  const before = await world.store.connections.read(name).catch(() => undefined)
  const same = before?.provider === provider.name ? before : undefined
  const traits = traitsOf(template.auth_mode)
  const every = asksOf(template, given.taken)
  const asked = every.filter(({ isAsked }) => isAsked)
  const found = lookUp(world, located, given, same, every)
  const fill = filler(asked, found)
  const mode = template.auth_mode
  const api = template.proxy?.base_url
  const isBrowser = traits.opensBrowser === true
  const wantsRequest = traits.endpoints?.includes('request') === true
  const request = wantsRequest && typeof template['request_url'] === 'string' ? template['request_url'] : undefined
  return {
    name,
    provider: provider.name,
    title,
    mode,
    docs: template.docs,
    categories: template.categories ?? [],
    source,
    hides,
    asks: asked.map((question) => askedOf(question, name, found)),
    client: traits.client === undefined ? undefined : clientOf(name, template, found),
    register: { ...(isBrowser ? redirectOf(world, located, given) : noRedirect), ...whereToRegister(template, fill) },
    discovery: discoveryOf(template, fill),
    request: request === undefined ? undefined : fill(request),
    authorize:
      template.authorization_url === undefined || !isBrowser
        ? undefined
        : {
            ...fill(template.authorization_url),
            // OAuth 1.0a has none, nor needs one; nor does an app that is installed.
            pkce:
              request === undefined && traits.brings === undefined
                ? traits.wantsPkce === true ||
                  (template.disable_pkce !== true && dialectOf(provider.names).refusesPkce !== true)
                : undefined,
            params: template.authorization_params ?? {},
          },
    token:
      typeof template.token_url !== 'string' || traits.endpoints?.includes('token') !== true
        ? undefined
        : {
            ...fill(template.token_url),
            authentication:
              traits.client === undefined || traits.brings !== undefined ? undefined : templateAuthentication(template),
            format: template.body_format ?? (traits.client === undefined ? 'json' : 'form'),
          },
    refresh: template.refresh_url === undefined ? undefined : fill(template.refresh_url),
    steps: stepsOf(template, fill),
    api: api === undefined ? undefined : { ...fill(api), headers: headersOf(template) },
    scopes: {
      asked: found.scopes.value,
      from: found.scopes.from,
      separator: template.scope_separator ?? ' ',
    },
    quirks: [...(provider.mended === undefined ? [] : [provider.mended]), ...quirksOf(provider.names, template)],
    lacks: gapsOfProvider(provider),
    support: supportOf(provider, readTrials(world)),
    connect: commandFor(located, asked, found),
  }
}

function discoveryOf(
  { auth_mode: mode, issuer, authorization_url: authorization, token_url: token }: Template,
  fill: Filler,
) {
  if (mode === 'MCP_OAUTH2_GENERIC') return fill('${connectionConfig.mcp_server_url}')
  const isBrowser = traitsOf(mode).opensBrowser === true
  const lacks = authorization === undefined || token === undefined
  return isBrowser && lacks && issuer !== undefined ? fill(issuer) : undefined
}

function askedOf(question: Question, name: string, found: Found): Asked {
  const { key, flag, prompt, label, description, isOptional } = question
  const { prefix = '', suffix = '', example, enum: choices, default_value } = prompt
  const isSecret = prompt.secret === true
  const answer = found.params.get(key)
  const byTemplate = answer === undefined && default_value !== undefined
  return {
    key,
    flag,
    environment: `${environmentName(name)}_${environmentName(key)}`,
    title: label,
    description: description === '' ? undefined : description,
    shape: prefix === '' && suffix === '' ? undefined : `${prefix}[${key}]${suffix}`,
    example,
    choices,
    isOptional,
    isSecret,
    answer: isSecret ? undefined : (answer?.value ?? default_value),
    answeredBy: answer?.from ?? (byTemplate ? 'template' : undefined),
  }
}

function clientOf(name: string, template: Template, found: Found): NonNullable<Description['client']> {
  const one = (
    key: string,
    title: string,
    answer: Found['clientId'],
    isSecret: boolean,
    isOptional: boolean,
    description?: string,
  ): Asked => ({
    key,
    ...(description === undefined ? {} : { description }),
    flag: `--${key}`,
    environment: `${environmentName(name)}_${environmentName(key)}`,
    title,
    isOptional,
    isSecret,
    answer: isSecret ? undefined : answer?.value,
    answeredBy: answer?.from,
  })
  const worded = clientPrompts(template)
  const registers = registersItself(template)
  const title = worded['client_id']?.title ?? 'Client ID'
  const says = registers ? `${title}; without one, a client registers itself` : undefined
  return {
    id: one('client-id', title, found.clientId, false, registers, says),
    secret: one(
      'client-secret',
      worded['client_secret']?.title ?? 'Client secret',
      found.clientSecret,
      true,
      templateAuthentication(template) === 'private_key_jwt' ||
        (template.client_secret_required !== true && traitsOf(template.auth_mode).client !== 'confidential'),
    ),
  }
}

/** Nobody comes back where nobody was sent. */
const noRedirect: Pick<Description['register'], 'redirectUri' | 'unsuitable' | 'anyPort'> = { anyPort: false }

function redirectOf(
  world: Known,
  located: Located,
  given: Given,
): Pick<Description['register'], 'redirectUri' | 'unsuitable' | 'anyPort'> {
  const anyPort = located.provider.template.redirect_uri?.port === 'any'
  try {
    const { redirectUri } = redirectionOf(world, located, given)
    // Any port means one that is free by then; which one it is, nobody need register.
    return { redirectUri: redirectUri.replace(/:0(?=\/)/, ''), anyPort }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return { unsuitable: { why: error.message, hint: error.hint ?? '' }, anyPort }
  }
}

function whereToRegister(template: Template, fill: Filler): Pick<Description['register'], 'url' | 'steps'> {
  const { register_url: url, setup_guide_url: guide, register_steps: steps } = template
  const place = url ?? (typeof guide === 'string' ? guide : undefined)
  return {
    url: place === undefined ? undefined : fill(place).url,
    steps: Array.isArray(steps) ? steps.filter((step) => typeof step === 'string') : [],
  }
}

function stepsOf({ auth_mode: mode, additional_steps: steps = [] }: Template, fill: Filler): Description['steps'] {
  if (mode !== 'TWO_STEP') return []
  return steps.map(({ token_url: url = '', token_request_method: method = 'POST' }) => ({ ...fill(url), method }))
}

type Filler = (text: string) => Address

/** Fills a URL with what is answered; the rest by an example, in brackets. */
function filler(asked: readonly Question[], found: Found): Filler {
  const answers: Record<string, string> = {}
  for (const [key, { value }] of found.params) if (value !== '') answers[key] = value
  const standIns: Record<string, string> = {}
  for (const { key, prompt } of asked) {
    if (answers[key] === undefined && prompt.default_value) answers[key] = prompt.default_value
    else if (answers[key] === undefined) standIns[key] = exampleOf(asked, key) ?? key
  }
  return (text) => {
    const open = placeholders(text).flatMap((path) => /^connectionConfig\.(.+)$/s.exec(path)?.[1] ?? [])
    const later = Object.fromEntries(
      open.filter((key) => answers[key] === undefined).map((key) => [key, standIns[key] ?? key]),
    )
    const hidden = Object.fromEntries(
      placeholders(text)
        .filter(isElsewhere)
        .map((path) => [path, path.replace(/^credentials\./, '')]),
    )
    const whole = choose(text.trim(), { connectionConfig: answers }, true)
    const chosen =
      'pieces' in whole ? whole : choose(text.trim(), { ...hidden, connectionConfig: { ...later, ...answers } }, true)
    if (!('pieces' in chosen)) return { url: text, isComplete: false }
    const isOpen = (path: string | undefined): boolean =>
      path !== undefined && (isElsewhere(path) || answers[path.replace(/^connectionConfig\./, '')] === undefined)
    return {
      url: chosen.pieces.map(({ value, path }) => (isOpen(path) ? `[${value}]` : value)).join(''),
      isComplete: 'pieces' in whole,
    }
  }
}

/** A secret, which is never shown, or what only an answer brings. */
function isElsewhere(path: string): boolean {
  return /^(?:credentials\.|step\d+[.[])/.test(path)
}

/** The template's example, where it would be taken as an answer. */
function exampleOf(asked: readonly Question[], key: string): string | undefined {
  const question = asked.find((one) => one.key === key)
  const example = question?.prompt.example ?? question?.prompt.enum?.[0]
  if (question === undefined || example === undefined) return undefined
  const accepted = question.accept(example)
  return 'value' in accepted ? accepted.value : undefined
}

/** What an API call carries, as far as it can be said beforehand. */
function headersOf({ proxy, auth_mode: mode }: Template): readonly string[] {
  const own = Object.entries(proxy?.headers ?? {}).map(([name, value]) => `${name}: ${String(value).trim()}`)
  const query = Object.entries(proxy?.query ?? {}).map(([name, value]) => `in the query: ${name}=${value}`)
  const spelled = [...own, ...query]
  const says = spelled.some(
    (line) => /^authorization:/i.test(line) || /\$\{(accessToken|credentials\.token)/.test(line),
  )
  const standard = Object.hasOwn(standardBearing, mode) ? standardBearing[mode] : undefined
  return standard === undefined ||
    (says && !isSigned(mode) && mode !== 'BASIC') ||
    (mode === 'BASIC' && /^authorization:/im.test(own.join('\n')))
    ? spelled
    : [standard, ...spelled]
}

function isSigned(mode: string): boolean {
  return mode === 'OAUTH1' || mode === 'TBA' || mode === 'AWS_SIGV4'
}

const bearer = 'authorization: Bearer <access token>'

const standardBearing: Readonly<Record<string, string>> = {
  OAUTH2: bearer,
  MCP_OAUTH2: bearer,
  MCP_OAUTH2_GENERIC: bearer,
  OAUTH2_CC: bearer,
  TWO_STEP: bearer,
  JWT: bearer,
  SIGNATURE: bearer,
  BASIC: 'authorization: Basic <user name and password>',
  APP: bearer,
  CUSTOM: bearer,
  INSTALL_PLUGIN: 'authorization: Basic <plugin identifier and key>',
  BILL: 'devkey: <developer key>, sessionid: <session>',
  OAUTH1: 'authorization: OAuth <signature>',
  TBA: 'authorization: OAuth <signature>',
  AWS_SIGV4: 'authorization: AWS4-HMAC-SHA256 <signature>',
}

const ofInstallation = [
  'the app is installed on its public page: --param appPublicLink=<address>',
  'no redirect URL is sent: the app’s own settings must lead back here',
  'an installation that is there already needs no browser: --param installation_id=<id>',
]

/** What a mode does that no template says. */
const modeQuirks: Readonly<Record<string, readonly string[]>> = {
  APP: ofInstallation,
  CUSTOM: [...ofInstallation, 'two tokens come: the app’s, which calls carry, and yours beside it'],
  INSTALL_PLUGIN: [
    'no redirect URL is sent: the plugin’s own settings must lead back here; the state travels as "payload"',
  ],
}

/** One sentence for each word of the template that departs from plain OAuth. */
function quirksOf(names: readonly string[], template: Template): readonly string[] {
  const isCode = traitsOf(template.auth_mode).opensBrowser === true
  const list = (value: unknown): string => (Array.isArray(value) ? value.join(', ') : String(value))
  const pairs = (value: object): string =>
    Object.entries(value)
      .filter(([key]) => key !== 'grant_type')
      .map(([key, one]) => `${key}=${typeof one === 'object' ? JSON.stringify(one) : one}`)
      .join(', ')
  const says: Readonly<Record<string, (value: never) => string>> = {
    scope_separator: (value: string) => (value === ' ' ? '' : `scopes are joined by "${value}"`),
    authorization_code_param_in_callback: (value) => (value === 'code' ? '' : `the code comes back as "${value}"`),
    authorization_url_skip_empty: (value) => (value ? 'empty parameters are left out of the URL' : ''),
    authorization_url_skip_encode: (value) => `not percent-encoded in the URL: ${list(value)}`,
    authorization_url_replacements: (value) => `replaced in the finished URL: ${pairs(value)}`,
    authorization_url_fragment: (value) => `the parameters stand behind #${value}`,
    request_params: (value) =>
      pairs(value) === '' ? '' : `sent with the request for a request token: ${pairs(value)}`,
    token_params: (value) =>
      pairs(value) === '' ? '' : `sent with the ${isCode ? 'code' : 'request for the token'}: ${pairs(value)}`,
    refresh_params: (value) => (pairs(value) === '' ? '' : `sent with a refresh: ${pairs(value)}`),
    body_format: (value) => (value === 'form' ? '' : `the token request is ${String(value).toUpperCase()}`),
    expires_in_unit: (value) => (value === 'milliseconds' ? 'lifetimes count milliseconds' : ''),
    token_expires_in_ms: (value) => (value === 0 ? 'tokens do not expire' : `tokens live ${value} ms if nobody says`),
    token_response_metadata: (value) => `kept from the token answer: ${list(value)}`,
    redirect_uri_metadata: (value) => `kept from the callback: ${list(value)}`,
    alternate_access_token_response_path: (value) => `the token may stand under "${value}" in the answer`,
    ...(template.auth_mode === 'TWO_STEP' || template.auth_mode === 'JWT' ? loginSays(template) : {}),
    token_expiration_buffer: (value) => `renewed ${value} s before it expires`,
    connection_configuration: (value) => `looked up after connecting: ${list(value)}`,
    installation: () => 'the code does not come by the browser but to a public webhook',
    require_client_certificate: (value) => (value ? 'the token request and calls show a client certificate' : ''),
    signature_method: (value) => `requests are signed by ${value}`,
    credentials_verification_script: () =>
      trialOf(template) === undefined
        ? ''
        : 'the credentials are tried by a call of its own kind before they are saved',
  }
  const { auth_mode: mode } = template
  const ofMode = Object.hasOwn(modeQuirks, mode) ? (modeQuirks[mode] ?? []) : []
  const accent = dialectOf(names)
  const found = lookUpOf(names)?.keys ?? []
  return [
    ...ofMode,
    ...Object.entries(says).flatMap(([field, say]) => {
      const value = template[field]
      const said = value === undefined || value === null ? '' : say(value as never)
      return said === '' ? [] : [said]
    }),
    ...(accent.says === undefined ? [] : [accent.says]),
    ...(found.length === 0 || template.connection_configuration !== undefined
      ? []
      : [`looked up after connecting: ${found.join(', ')}`]),
  ]
}

/** The words that only a log-in, or a token of our own, has. */
function loginSays({
  token_expires_in_ms: life,
  token_response: paths,
}: Template): Readonly<Record<string, (value: never) => string>> {
  const minutes = (ms: number): string => (ms === 0 ? 'for ever' : `${Math.round(ms / 6000) / 10} min`)
  return {
    token_params: () => '',
    token_request_method: (value: string) => (value === 'GET' ? 'the first request is a GET, without a body' : ''),
    signature: ({ protocol }: { protocol?: string }) => `a token is signed here with your key (${protocol ?? 'RSA'})`,
    assertion: ({ type, singleUse }: { type?: string; singleUse?: boolean }) =>
      `an assertion is signed here with your key (${type === 'saml' ? 'SAML 2.0' : 'JWT'})${singleUse === true ? ', anew each time' : ''}`,
    assertion_option: (value: object) => `asked each time and never kept: ${Object.keys(value).join(', ')}`,
    token_response: () =>
      paths?.token === undefined || paths.token === ''
        ? 'the whole answer is the token'
        : `the token is read from "${paths.token}"`,
    token_response_headers: (value: readonly string[]) => `kept from the answer's headers: ${value.join(', ')}`,
    token_expires_in_ms: () => (life === undefined ? '' : `the token is taken to live ${minutes(life)}`),
    refresh_token_params: () => 'renewed by its refresh token; where that is refused, by logging in again',
    refresh_token_headers: () => 'renewed by its refresh token, in a header',
  }
}

function commandFor({ name, provider }: Located, asked: readonly Question[], found: Found): string {
  const answers = Object.fromEntries([...found.params].map(([key, { value }]) => [key, value]))
  // Only one secret can come from stdin.
  const [first] = asked.filter(
    ({ key, isOptional, prompt }) => prompt.secret === true && !isOptional && !found.params.has(key),
  )
  const secret = (key: string): string =>
    first === undefined || first.key === key ? '-' : `env:${environmentName(name)}_${environmentName(key)}`
  const flags = asked
    .filter(({ appliesTo }) => appliesTo(answers))
    .filter(({ key, isOptional }) => !isOptional && (!found.params.has(key) || found.params.get(key)?.from === 'flag'))
    .map(({ key, flag, isParam, prompt }) => {
      const value =
        prompt.secret === true ? secret(key) : (found.params.get(key)?.value ?? exampleOf(asked, key) ?? `<${key}>`)
      return isParam ? `--param ${quoted(`${key}=${value}`)}` : `${flag} ${quoted(value)}`
    })

  const { source } = provider
  const what = source.kind === 'address' && name === provider.name ? source.file : name
  return ['auth-cli connect', quoted(what), ...flags].join(' ')
}

/** For a POSIX shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./<>-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
