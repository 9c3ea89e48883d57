import { holdToRules, openNeeds, type Said, withTyped } from './answer.ts'
import { asksOf, clientPrompts } from './asks.ts'
import type { Question } from './catalog/questions.ts'
import { accept } from './catalog/rules.ts'
import { assertResource, authenticationFrom, clientOriginsOf, isSameAddress, registersItself } from './clients.ts'
import { dialectOf } from './dialects/index.ts'
import { endpointsOf, registerUrlOf, templateParams } from './endpoints.ts'
import type { Located } from './locate.ts'
import { environmentName, type Found, type Given, lookUp, projectParams, redirectionOf, textOf } from './look-up.ts'
import type { Connection } from './model/connection.ts'
import { UsageError } from './model/errors.ts'
import type { AnswerSource, Client, ClientAuthentication, Integration } from './model/integration.ts'
import type { Prompt, Template } from './model/provider.ts'
import type { Need, World } from './model/world.ts'
import { assertMode, traitsOf } from './modes/index.ts'
import type { Traits } from './modes/mode.ts'
import { assertNoWebhook } from './needs.ts'
import { withOwnedAddress, withOwnedKey } from './owned-api.ts'
import { assertReusable, secretParams, trustFor } from './trust.ts'
import type { Decided, Redirection } from './wire/redirect.ts'
import { assertSecure } from './wire/secure.ts'

/**
 * Everything that a flow needs, decided before anything opens: given, else looked up (environment, project file, saved),
 * else asked for, all at once. Throws UsageError (`MISSING_INPUT`, `BAD_FLAG`, `NAME_TAKEN`, `ORIGIN_CHANGED`,
 * `PROJECT_UNTRUSTED`, `REDIRECT_URI_UNSUITABLE`, `INSECURE_URL`), TemplateError.
 */
export async function integrate(world: World, whom: Located, given: Given): Promise<Integration> {
  const located = withOwnedAddress(whom)
  const { provider } = located
  assertMode(provider.template.auth_mode, provider.name)
  assertNoWebhook(provider)
  const connection = given.as ?? located.name
  const before = given.save === false ? undefined : await previous(world, located, connection, given)
  const traits = traitsOf(provider.template.auth_mode)
  assertResource(given)
  const asked = asksOf(provider.template, given.taken)
  const found = lookUp(world, located, given, before, asked)
  const secretKeys = secretParams(before, asked)
  await trustFor(world, located, given, found, asked, secretKeys)
  const answers = await complete(world, located, given, found, asked)
  const { params, credentials, assertionOption } = bySection(asked, answers.params)
  assertSame(before, params, asked, connection)
  const client =
    traits.client === undefined ? noClient : clientOf(provider.template, answers, given, before, traits.client)
  const endpoints = endpointsOf(located, { params, credentials }, asked)
  const boundTo = assertReusable(endpoints, before, located, answers, secretKeys)
  for (const [field, url] of Object.entries(endpoints)) {
    if (url !== undefined)
      assertSecure(url, given.allowHttp === true, field === 'api' ? 'proxy.base_url' : `${field}_url`)
  }
  const authorizationParams = withoutState({
    ...projectParams(world, located, 'authorizationParams'),
    ...given.authorizationParams,
  })
  const opens = traits.opensBrowser === true && given.atHand === undefined
  const redirect = opens ? redirectionOf(world, located, given) : nowhere
  return {
    name: located.name,
    connection,
    provider: withOwnedKey(located, credentials).provider,
    client,
    authenticationFrom: authenticationFrom(provider.template, given, before),
    clientOrigins: clientOriginsOf(located, before, answers.answeredBy),
    startsAnew: given.replace === true,
    savesClient: given.save !== false,
    endpoints,
    scopes: answers.scopes.value,
    scopesFrom: answers.scopes.from,
    params,
    credentials,
    assertionOption,
    redirectUri: redirect.redirectUri,
    listening: redirect.listening,
    pkce: pkceOf(provider, client, given),
    templateParams: opens ? templateParams(world, located, params, asked) : {},
    authorizationParams,
    tokenParams: {
      // Where nobody is sent to a browser there is but one request that they can be meant for.
      ...(traits.opensBrowser === true ? {} : authorizationParams),
      ...projectParams(world, located, 'tokenParams'),
      ...given.tokenParams,
    },
    allowHttp: given.allowHttp === true,
    registerUrl: registerUrlOf(located, params, asked),
    answeredBy: answers.answeredBy,
    notes: answers.notes,
    boundTo,
  }
}

/** Where nobody is sent to a browser, nobody comes back. */
const nowhere: Redirection = { redirectUri: '', listening: { port: 0, addresses: [], paths: [] } }

/** A mode in which nobody but the person is named. */
const noClient: Client = { id: '', authentication: 'none' }

interface Answered {
  readonly params: Readonly<Record<string, string>>
  readonly credentials: Readonly<Record<string, string>>
  readonly assertionOption: Readonly<Record<string, string>>
}

/** The answers where they belong, by the names that they have there; one that no question asks for is a parameter. */
function bySection(asked: readonly Question[], answers: Readonly<Record<string, string>>): Answered {
  const sorted = { params: {}, credentials: {}, assertionOption: {} } as Record<keyof Answered, Record<string, string>>
  const places = {
    connection_config: 'params',
    credentials: 'credentials',
    integration_config: 'credentials',
    assertion_option: 'assertionOption',
  } as const
  for (const [key, value] of Object.entries(answers)) {
    const question = asked.find((one) => one.key === key)
    sorted[places[question?.section ?? 'connection_config']][question?.name ?? key] = value
  }
  return sorted
}

/** The connection that would be re-authorized. Throws UsageError `NAME_TAKEN` when it is another provider's. */
async function previous(world: World, located: Located, name: string, given: Given): Promise<Connection | undefined> {
  if (given.replace === true) return undefined
  const before = await world.store.connections.read(name)
  if (before === undefined) return undefined
  if (before.provider === located.provider.name && isSameAddress(before, located)) return before
  const { source } = before.snapshot
  const other = source.kind === 'address' ? source.file : before.provider
  throw new UsageError('NAME_TAKEN', `"${name}" is a connection to ${other} already.`, {
    hint: 'Give this one another name with --as <name>, or put it in its place with --replace.',
  })
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
  const { client } = traitsOf(located.provider.template.auth_mode)
  const where = registerUrlOf(located, kept.params, asked)
  const isAsked = client !== undefined && given.atHand?.isRenewable !== false
  const ofClient = !isAsked ? [] : clientNeeds(located, id, secret, given, where, client)
  const variable = (key: string): string => `${environmentName(located.name)}_${environmentName(key)}`
  const needs = openNeeds(located.provider.template, asked, kept.params, ofClient, variable)
  const typed = needs.length === 0 ? {} : await world.ask(needs, world.signal)
  const { params, answeredBy: sources, notes } = withTyped(kept, asked, typed)
  const answeredBy = { ...sources }
  const clientSecret = secret ?? typed['client-secret'] ?? ''
  const secretFrom = found.clientSecret?.from ?? 'prompt'
  if (client !== undefined && (id !== undefined || typed['client-id'] !== undefined))
    answeredBy['client-id'] = id === undefined ? 'prompt' : (found.clientId?.from ?? 'prompt')
  if (client !== undefined && clientSecret !== '') answeredBy['client-secret'] = secretFrom
  if (client !== undefined) answeredBy['scope'] = found.scopes.from
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
  kind: NonNullable<Traits['client']>,
): Need[] {
  if (registersItself(provider.template)) return []
  const needs: Need[] = []
  const worded = clientPrompts(provider.template)
  const plain = (label: string, required: boolean, prompt: Prompt | undefined, flag: string) => (typed: string) => {
    if (typed.trim() !== '' && prompt !== undefined) return accept(typed, prompt, flag)
    return typed.trim() === '' && required ? { problem: `${label} cannot be empty.` } : { value: typed.trim() }
  }
  if (id === undefined || id === '') {
    needs.push({
      key: 'client-id',
      flag: '--client-id',
      environment: `${environmentName(name)}_CLIENT_ID`,
      label: 'Client ID',
      prompt: {
        title: 'Client ID',
        ...(where === undefined ? {} : { description: `from your app: ${where}` }),
        ...worded['client_id'],
      },
      accept: plain('The client id', true, worded['client_id'], '--client-id'),
    })
  }
  const proof = given.clientAuth ?? templateAuthentication(provider.template)
  if (proof === 'private_key_jwt') return needs
  const isRequired = provider.template.client_secret_required === true || kind === 'confidential'
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
        ...worded['client_secret'],
      },
      accept: plain('The client secret', isRequired, worded['client_secret'], '--client-secret'),
    })
  }
  return needs
}

function clientOf(
  template: Template,
  answers: Complete,
  given: Given,
  before: Connection | undefined,
  kind: NonNullable<Traits['client']>,
): Client {
  const { clientId: id, clientSecret: secret } = answers
  const asked = given.clientAuth
  const known: readonly string[] = traitsOf(template.auth_mode).authentications ?? usualAuthentications
  if (kind === 'confidential' && asked === 'none') {
    throw new UsageError('BAD_FLAG', 'A client that stands for itself cannot be a public one.', {
      hint: 'Leave --client-auth none out, and give the secret with --client-secret - (it is read from stdin).',
    })
  }
  if (asked !== undefined && !known.includes(asked)) {
    throw new UsageError('BAD_FLAG', `--client-auth is one of ${known.join(', ')}, not "${asked}".`)
  }
  const saved = before?.snapshot.client.authentication
  const reused = saved === undefined || saved === 'none' ? undefined : saved
  const how = (asked as ClientAuthentication | undefined) ?? reused ?? templateAuthentication(template)
  if (how === 'private_key_jwt') return { id, authentication: how }
  if (secret === '' || asked === 'none') {
    if (asked !== undefined && asked !== 'none') {
      throw new UsageError('MISSING_INPUT', `--client-auth ${asked} needs a client secret.`, {
        hint: 'Give it with --client-secret - (it is read from stdin).',
      })
    }
    return { id, authentication: 'none' }
  }
  return { id, secret, authentication: how }
}

const usualAuthentications: readonly ClientAuthentication[] = ['post', 'basic', 'basic-raw', 'basic+post', 'none']

export function templateAuthentication(template: Template): ClientAuthentication {
  const method = template.token_request_auth_method
  const known = traitsOf(template.auth_mode).authentications ?? usualAuthentications
  if (known.includes('signature')) return 'signature'
  if ((method === 'custom' || method === 'private_key_jwt') && known.includes(method)) return method
  if (template.authorization_method === 'header') return 'basic'
  return method === 'basic' ? 'basic-raw' : 'post'
}

function pkceOf({ template, names }: Located['provider'], client: Client, given: Given): boolean {
  if (traitsOf(template.auth_mode).wantsPkce === true) {
    if (given.pkce !== false) return true
    throw new UsageError('BAD_FLAG', 'An MCP server is never authorized at without PKCE.', {
      hint: 'Leave --no-pkce out.',
    })
  }
  const isPublic = client.authentication === 'none'
  if (isPublic && given.pkce === false) {
    throw new UsageError('BAD_FLAG', 'A public client cannot go without PKCE: nothing else ties the code to it.', {
      hint: 'Leave --no-pkce out, or give a client secret.',
    })
  }
  return given.pkce ?? (isPublic || (template.disable_pkce !== true && dialectOf(names).refusesPkce !== true))
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
    ({ key, section, isAsked }) =>
      section === 'connection_config' &&
      isAsked &&
      (before.params[key] ?? '') !== (params[key] ?? '') &&
      before.params[key] !== undefined,
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

/** The state is drawn anew for each run: chosen or left out, no answer could be told from a forged one. */
function withoutState(params: Readonly<Record<string, string | null>>): Readonly<Record<string, string | null>> {
  if (!Object.hasOwn(params, 'state')) return params
  throw new UsageError('BAD_FLAG', 'The state cannot be chosen: it ties the answer to this run (RFC 6749 §10.12).', {
    hint: 'Leave state out of --auth-param and of authorization_params in the project file.',
  })
}
