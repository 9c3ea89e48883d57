import { type Asked, type Description, describe } from '../../describe.ts'
import { locate } from '../../locate.ts'
import { type ProviderRow, providerScreen } from '../output/provider.ts'
import { type Given, openSession, readPairs } from '../session.ts'

export async function run(given: Given): Promise<void> {
  const { world, print } = await openSession(given)
  const located = await locate(world, given.arguments[0] ?? '')
  const { takenFlags } = await import('../questions.ts')
  const params = readPairs('--param', given.options['param'])
  const page = await describe(world, located, { params, taken: takenFlags() })
  const json = { ...page, warnings: located.provider.warnings }
  await print.value(json, (style) => providerScreen(located.provider, rowsOf(page), style))
}

function rowsOf(page: Description): readonly ProviderRow[] {
  const { authorize, discovery, token, refresh, api, scopes, quirks, lacks, docs, register } = page
  const isOauth = page.authorize !== undefined || discovery !== undefined
  const client = page.client === undefined ? [] : [askLine(page.client.id), askLine(page.client.secret)]
  return [
    row('asks', [...page.asks.map(askLine), ...client]),
    row('register', isOauth ? registerLines(register) : register.url === undefined ? [] : [register.url]),
    row('endpoints', discovery === undefined ? [] : [[discovery.url, 'says itself where they are']]),
    row('request', page.request === undefined ? [] : [[page.request.url, 'for a request token']]),
    row('authorize', authorize === undefined ? [] : [[authorize.url, isOauth ? pkceWords(authorize.pkce) : '']]),
    row('', authorize === undefined ? [] : paramLines(authorize.params)),
    row('token', token === undefined ? [] : [[token.url, wordsOf(token)]]),
    row(
      'then',
      page.steps.map(({ url, method }) => [url, method]),
    ),
    row('refresh', refresh === undefined ? [] : [refresh.url]),
    row(
      'API',
      api === undefined ? [] : [[api.url, api.headers[0] ?? ''], ...api.headers.slice(1).map((one) => ['', one])],
    ),
    row('scopes', page.client === undefined ? [] : [scopeWords(scopes)]),
    row('quirks', quirks),
    row('docs', docs === undefined ? [] : [docs]),
    row('support', [supportWords(page.support)]),
    row(
      'not yet',
      lacks.map(({ says }) => says),
    ),
    row('connect', lacks.some(({ weight }) => weight === 'stops') ? [] : [page.connect]),
  ].filter(({ lines }) => lines.length > 0)
}

function row(label: string, lines: ProviderRow['lines']): ProviderRow {
  return { label, lines }
}

/** Flag, what it is, and where its answer comes from or could. */
function askLine(asked: Asked): readonly string[] {
  const { flag, description, title, shape, example, choices, isOptional, isSecret, answer, answeredBy, environment } =
    asked
  const hints = [
    shape,
    choices === undefined ? undefined : `one of ${choices.slice(0, 8).join(', ')}${choices.length > 8 ? ', …' : ''}`,
    example === undefined ? undefined : `e.g. ${example}`,
    isOptional ? 'optional' : undefined,
  ]
  const says = [description ?? title, ...hints.filter((hint) => hint !== undefined)].join('; ')
  const value = isSecret || answer === undefined || answer === '' ? '' : `${answer} `
  const from = answeredBy === undefined ? `or ${environment}` : `${value}(from the ${answeredBy})`
  return [flag, says, from]
}

function registerLines({
  url,
  steps,
  redirectUri,
  unsuitable,
  anyPort,
}: Description['register']): ProviderRow['lines'] {
  const numbered = steps.map((step, index) => `${index + 1}. ${step}`)
  const redirect =
    unsuitable === undefined
      ? [['redirect URL', `${redirectUri}${anyPort ? '   (any port)' : ''}`]]
      : [unsuitable.why, ...unsuitable.hint.split('\n')]
  return [...(url === undefined ? [] : [url]), ...numbered, ...redirect]
}

function supportWords({ level, isTried }: Description['support']): string {
  if (level === 'not yet') return 'not yet'
  return isTried
    ? `${level}; a test has run it against its twin`
    : `${level}, by its words; no test has run this template`
}

function pkceWords(pkce: boolean | undefined): string {
  if (pkce === undefined) return ''
  return pkce ? 'PKCE S256' : 'no PKCE'
}

function wordsOf({ authentication, format }: NonNullable<Description['token']>): string {
  return authentication === undefined ? format.toUpperCase() : authenticationWords[authentication]
}

const authenticationWords = {
  post: 'client secret in the body',
  basic: 'client secret as Basic, form-encoded',
  'basic-raw': 'client secret as Basic, not encoded',
  'basic+post': 'client secret as Basic and in the body',
  custom: 'client id and secret in the body, as username and password',
  signature: 'each request signed with the client secret',
  private_key_jwt: 'an assertion signed with the private key',
  none: 'no client secret',
} as const

function paramLines(params: Readonly<Record<string, unknown>>): readonly string[] {
  const pairs = Object.entries(params).filter(([key, value]) => key !== 'response_type' || value !== 'code')
  return pairs.length === 0 ? [] : [`with ${pairs.map(([key, value]) => `${key}=${String(value)}`).join('  ')}`]
}

function scopeWords({ asked, from, separator }: Description['scopes']): string {
  if (asked.length === 0) return 'none unless you say: --scope <scopes>'
  return `${asked.join(separator === ' ' ? ' ' : separator)}   (${from === 'template' ? 'by default' : `from the ${from}`})`
}
