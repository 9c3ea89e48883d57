import { check } from './catalog/check.ts'
import { templateFields } from './catalog/fields.ts'
import { isTemplateName } from './catalog/names.ts'
import { invalid } from './catalog/problem.ts'
import { entryIn, parseYaml } from './catalog/read.ts'
import { flawOfUrl } from './fill/endpoint.ts'
import { placeholders } from './fill/placeholders.ts'
import { ProviderError, UsageError } from './model/errors.ts'
import type { Need, World } from './model/world.ts'
import type { Metadata } from './wire/oauth.ts'
import { record } from './wire/record.ts'

/** What is known of a provider about to be described; the rest is asked for, or left as a comment. */
export interface Starter {
  readonly title?: string | undefined
  readonly issuer?: string | undefined
  readonly authorizationUrl?: string | undefined
  readonly tokenUrl?: string | undefined
  readonly apiUrl?: string | undefined
  readonly docs?: string | undefined
  readonly scopes?: readonly string[] | undefined
  readonly allowHttp?: boolean | undefined
}

/** A template to begin with. */
export interface Draft {
  readonly name: string
  /** YAML, commented, without errors or warnings. */
  readonly text: string
}

/**
 * Writes a commented template from a few answers, or from what an issuer publishes of itself. Throws UsageError
 * `BAD_FLAG`, `MISSING_INPUT`, `INSECURE_URL`; ProviderError `METADATA_UNUSABLE`, `ISSUER_MISMATCH`; TransportError; TemplateError for answers
 * that make no valid template.
 */
export async function draft(world: World, name: string, starter: Starter): Promise<Draft> {
  if (!isTemplateName(name)) {
    throw new UsageError('BAD_FLAG', `"${name}" cannot be the name of a template.`, {
      hint: 'Use letters, digits and hyphens, for example my-idp.',
    })
  }
  const issuer = starter.issuer ?? (await askIssuer(world, starter))
  const published = issuer === undefined ? undefined : await metadataOf(world, issuer, starter.allowHttp === true)
  const known = await complete(world, name, { ...starter, issuer }, published)
  const text = written(name, known, published)
  await assertClean(name, text)
  return { name, text }
}

/** Reads what an issuer publishes of itself (RFC 8414, OpenID Connect Discovery). */
async function metadataOf(world: World, issuer: string, allowHttp: boolean): Promise<Metadata> {
  if (!URL.canParse(issuer)) {
    throw new UsageError('BAD_FLAG', `The issuer "${issuer}" is not a URL.`, {
      hint: 'It looks like https://login.example.com, as the iss of its tokens does.',
    })
  }
  const { discover } = await import('./wire/discovery.ts')
  const transmit = record(world, () => {}, 'metadata')
  return discover(issuer, { transmit, allowHttp, remark: () => {} }).catch((error: unknown) => {
    if (!(error instanceof ProviderError)) throw error
    const place = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
    throw new ProviderError(error.code, error.message, {
      hint: `Look at ${place}: the issuer is what it says of itself, to the letter. Without one, give --authorization-url and --token-url.`,
      cause: error,
    })
  })
}

async function askIssuer(world: World, starter: Starter): Promise<string | undefined> {
  if (starter.authorizationUrl !== undefined || starter.tokenUrl !== undefined) return undefined
  const description = 'Where it publishes its endpoints; Enter where you do not know it'
  const need = needFor('issuer', 'Issuer URL', { description, optional: true, example: 'https://login.example.com' })
  return (await world.ask([need], world.signal))['issuer'] || undefined
}

interface Known {
  readonly title: string
  readonly issuer?: string | undefined
  readonly authorizationUrl: string
  readonly tokenUrl: string
  readonly apiUrl?: string | undefined
  readonly docs?: string | undefined
  readonly scopes: readonly string[]
}

async function complete(world: World, name: string, starter: Starter, published: Metadata | undefined): Promise<Known> {
  const { issuer, scopes } = starter
  const found: Record<string, string | undefined> = {
    title: starter.title,
    'authorization-url': starter.authorizationUrl ?? published?.authorization_endpoint,
    'token-url': starter.tokenUrl ?? published?.token_endpoint,
    'api-url': starter.apiUrl,
    docs: starter.docs ?? documentationOf(published),
    scope: scopes?.join(' ') ?? (published === undefined ? undefined : usualScopes(published).join(' ')),
  }
  for (const [key, value] of Object.entries(found)) {
    if (value !== undefined && key !== 'title' && key !== 'scope') found[key] = url(`--${key}`, value)
  }
  const open = questions(name).filter(({ key }) => found[key] === undefined)
  // Somebody who only named an issuer has said all that is needed.
  const isEnough =
    published !== undefined && open.every(({ prompt }) => prompt.optional === true || prompt.default_value)
  const typed = isEnough || open.length === 0 ? {} : await world.ask(open, world.signal)
  const value = (key: string): string => typed[key] ?? found[key] ?? ''
  return {
    title: value('title') || titled(name),
    issuer,
    authorizationUrl: value('authorization-url'),
    tokenUrl: value('token-url'),
    apiUrl: value('api-url') || undefined,
    docs: value('docs') || undefined,
    scopes: value('scope')
      .split(/[\s,]+/)
      .filter((scope) => scope !== ''),
  }
}

/** Only a help: one that is no URL is left out. */
function documentationOf(published: Metadata | undefined): string | undefined {
  const { service_documentation: page } = published ?? {}
  return typeof page === 'string' && whyNoUrl(page) === undefined ? page : undefined
}

function questions(name: string): readonly Need[] {
  const help = 'An account’s own part is written {subdomain}'
  return [
    needFor('title', 'Name people know it by', { default_value: titled(name) }),
    needFor('authorization-url', 'Authorization URL', { description: `Where the browser is sent. ${help}` }),
    needFor('token-url', 'Token URL', { description: 'Where a code becomes a token' }),
    needFor('api-url', 'Base URL of its API', { optional: true }),
    needFor('scope', 'Scopes to ask for by default', { optional: true }),
    needFor('docs', 'Its documentation', { optional: true }),
  ]
}

function needFor(key: string, label: string, prompt: Need['prompt']): Need {
  const isUrl = key === 'issuer' || key === 'docs' || key.endsWith('-url')
  const accept = (typed: string): ReturnType<Need['accept']> => {
    const value = isUrl ? dollared(typed.trim()) : typed.trim()
    const why = isUrl ? whyNoUrl(value) : undefined
    return why === undefined ? { value } : { problem: `--${key}: ${why}.` }
  }
  return { key, flag: `--${key}`, label, prompt: { title: label, ...prompt }, accept }
}

/** The URL of a flag. Throws UsageError `BAD_FLAG`. */
function url(flag: string, given: string): string {
  const value = dollared(given.trim())
  const why = whyNoUrl(value)
  if (why === undefined) return value
  throw new UsageError('BAD_FLAG', `${flag} "${given}" cannot be used: ${why}.`, {
    hint: 'Give a whole URL; an account’s own part is written {subdomain}.',
  })
}

/** `{tenant}`, as documentation writes it, is `${connectionConfig.tenant}` here. */
function dollared(text: string): string {
  return text.replace(/(?<!\$)\{([A-Za-z_][\w-]*)\}/g, '$${connectionConfig.$1}')
}

function whyNoUrl(text: string): string | undefined {
  return flawOfUrl(text.replace(/\$\{[^}]*\}/g, 'x'))
}

function titled(name: string): string {
  return name.replace(
    /(^|[-_.]+)([a-z0-9])/g,
    (_, gap: string, letter: string) => (gap ? ' ' : '') + letter.toUpperCase(),
  )
}

/** What makes an identity and a token that can be renewed, where the issuer has it. */
function usualScopes({ scopes_supported: all = [] }: Metadata): readonly string[] {
  return ['openid', 'offline_access'].filter((scope) => all.includes(scope))
}

function written(name: string, known: Known, published: Metadata | undefined): string {
  const { title, issuer, authorizationUrl, tokenUrl, apiUrl, scopes } = known
  const site = [authorizationUrl, tokenUrl, apiUrl].find((one) => one !== undefined && !one.includes('${'))
  const docs = known.docs ?? (site === undefined ? 'https://example.com/docs' : new URL(site).origin)
  const lines = [
    `${name}:`,
    `  display_name: ${scalar(title)}`,
    ...(known.docs === undefined ? ['  # The page that documents its OAuth belongs here.'] : []),
    `  docs: ${scalar(docs)}`,
    '  # What kind of service it is; auth-cli providers list --category finds it by them.',
    '  categories: [other]',
    '  auth_mode: OAUTH2',
    '',
    ...(issuer === undefined
      ? []
      : ['  # Lets iss in the callback and ID tokens be checked.', `  issuer: ${scalar(issuer)}`]),
    ...comment(
      'Where the browser is sent. ${connectionConfig.x} would be the answer to a question x, asked for below.',
    ),
    `  authorization_url: ${scalar(authorizationUrl)}`,
    '  # Parameters that it wants besides the usual ones:',
    '  # authorization_params:',
    '  #   prompt: consent',
    '  # Where a code becomes a token.',
    `  token_url: ${scalar(tokenUrl)}`,
    ...furtherEndpoints(published),
    '',
    ...authenticationLines(published),
    ...pkceLines(published),
    '',
    ...scopeLines(scopes, published),
    '',
    ...questionLines([authorizationUrl, tokenUrl, apiUrl ?? '', issuer ?? '']),
    ...apiLines(apiUrl),
    ...registerLines,
  ]
  return `${lines.join('\n')}\n`
}

function comment(text: string): string[] {
  return [`  # ${text}`]
}

/** Endpoints that other commands use; only such as this version knows fields for. */
function furtherEndpoints(published: Metadata | undefined): string[] {
  const found: readonly (readonly [field: string, url: unknown])[] = [
    ['device_authorization_url', published?.device_authorization_endpoint],
    ['revocation_url', published?.revocation_endpoint],
    ['introspection_url', published?.introspection_endpoint],
    ['userinfo_url', published?.userinfo_endpoint],
  ]
  return found.flatMap(([field, value]) =>
    typeof value === 'string' && Object.hasOwn(templateFields, field) ? [`  ${field}: ${scalar(value)}`] : [],
  )
}

function authenticationLines(published: Metadata | undefined): string[] {
  // RFC 8414 §2: what is not said is client_secret_basic.
  const methods =
    published === undefined ? [] : (published.token_endpoint_auth_methods_supported ?? ['client_secret_basic'])
  if (methods.includes('client_secret_basic') && !methods.includes('client_secret_post'))
    return [
      '  # The client is named in a Basic header, the only way that this issuer announces.',
      '  authorization_method: header',
    ]
  return ['  # The client secret goes into the body; into a Basic header with:', '  # authorization_method: header']
}

function pkceLines(published: Metadata | undefined): string[] {
  const methods = published?.code_challenge_methods_supported
  if (methods !== undefined && !methods.includes('S256'))
    return ['  # This issuer announces no S256, the one kind of PKCE there is here.', '  disable_pkce: true']
  const says = methods === undefined ? 'PKCE is used' : 'PKCE is used, and announced by this issuer'
  return [`  # ${says}; where it is refused:`, '  # disable_pkce: true']
}

function scopeLines(scopes: readonly string[], published: Metadata | undefined): string[] {
  const all = published?.scopes_supported ?? []
  const offered = all.length === 0 ? [] : comment(`Announced: ${all.slice(0, 30).map(oneLine).join(', ')}`)
  return [
    '  # Asked for unless --scope says otherwise.',
    ...offered,
    scopes.length === 0
      ? '  # default_scopes: [read]'
      : `  default_scopes: [${scopes.map((one) => JSON.stringify(one)).join(', ')}]`,
    '  # What stands between two of them, if not a blank:',
    '  # scope_separator: ","',
  ]
}

/** A question for each `${connectionConfig.x}`, with what stands around it in a host. */
function questionLines(urls: readonly string[]): string[] {
  const keys = [...new Set(urls.flatMap(placeholders))].flatMap(
    (path) => /^connectionConfig\.(.+)$/s.exec(path)?.[1] ?? [],
  )
  const sample = [
    '  # Each question becomes a flag of connect, --subdomain, and ${connectionConfig.subdomain} in this file.',
    ...(keys.length === 0
      ? [
          '  # connection_config:',
          '  #   subdomain:',
          '  #     type: string',
          '  #     title: Subdomain',
          '  #     description: The part before .example.com',
          '  #     pattern: ^[a-z0-9-]+$',
          '  #     example: acme',
        ]
      : ['  connection_config:']),
  ]
  return [...sample, ...keys.flatMap((key) => questionFor(key, urls)), '']
}

function questionFor(key: string, urls: readonly string[]): string[] {
  const mark = `\${connectionConfig.${key}}`
  const [before = '', after = ''] = urls.find((one) => one.includes(mark))?.split(mark) ?? []
  const isInHost = /^https?:\/\/[^/]*$/.test(before)
  const suffix = isInHost ? (/^[^/?#$]*/.exec(after)?.[0] ?? '') : ''
  const around = isInHost && !before.includes('${') ? [`      prefix: ${scalar(before)}`] : []
  return [
    `    ${scalar(key)}:`,
    '      type: string',
    `      title: ${scalar(titled(key.replace(/([a-z])([A-Z])/g, '$1-$2').toLowerCase()))}`,
    `      description: ${scalar(suffix === '' ? `Your ${key} there` : `The part before ${suffix}`)}`,
    ...around,
    ...(suffix === '' ? [] : [`      suffix: ${scalar(suffix)}`]),
    ...(isInHost && suffix !== '' ? ['      pattern: ^[A-Za-z0-9-]+$'] : []),
    '      # example: acme',
  ]
}

function apiLines(apiUrl: string | undefined): string[] {
  const says = '  # Where auth-cli request goes, with Authorization: Bearer and the token.'
  if (apiUrl !== undefined) return [says, '  proxy:', `    base_url: ${scalar(apiUrl)}`, '']
  return [says, '  # proxy:', '  #   base_url: https://api.example.com', '']
}

const registerLines = [
  '  # Where one creates an app and registers the redirect URL; shown when connect asks for the client.',
  '  # register_url: https://example.com/settings/apps',
  '  # Where it wants another redirect URL than http://localhost:8749/oauth/callback:',
  '  # redirect_uri:',
  '  #   host: 127.0.0.1',
  '  #   https: true',
  '  #   port: any',
  '  # Where it has no public clients:',
  '  # client_secret_required: true',
]

/** A value as YAML: plain where that is unmistakable, else in quotes. */
function scalar(value: string): string {
  const isPlain =
    /^[A-Za-z][\w ./:@$?=&%+~{}-]*$/.test(value) && !/: |:$| $|^(?:true|false|null|yes|no|on|off)$/i.test(value)
  return isPlain ? value : JSON.stringify(value)
}

/** For a comment: what an issuer announces must not begin a line of its own. */
function oneLine(text: string): string {
  return text.replace(/[\s\p{C}]+/gu, ' ').slice(0, 80)
}

async function assertClean(name: string, text: string): Promise<void> {
  const file = `${name}.yaml`
  const document = await parseYaml(text, file)
  const value = (document.value as Readonly<Record<string, unknown>>)[name] as Readonly<Record<string, unknown>>
  const problems = check({ name, fields: value, placeOf: entryIn(document, name, [name], value).placeOf })
  if (problems.some(({ severity }) => severity === 'error')) throw invalid('What was given', problems)
}
