import { asksOf } from './asks.ts'
import { invalid, isToken } from './carried.ts'
import { findProvider } from './catalog/find.ts'
import { givenSource } from './catalog/given.ts'
import { connect, connectionOf } from './connect.ts'
import { integrate } from './integrate.ts'
import type { Located } from './locate.ts'
import type { Given } from './look-up.ts'
import type { Connection, Credential } from './model/connection.ts'
import { TemplateError, UsageError } from './model/errors.ts'
import type { World } from './model/world.ts'
import { assertMode, modeOf, traitsOf } from './modes/index.ts'
import type { Handed } from './nango.ts'
import { learnSecrets } from './saved.ts'
import { assertSecure } from './wire/secure.ts'

export interface ImportTerms {
  /** Name of the connection, instead of the one that it had. */
  readonly as?: string | undefined
  /** Put it in the place of one that has the name. */
  readonly replace?: boolean | undefined
  readonly allowHttp?: boolean | undefined
  readonly tags?: Readonly<Record<string, string>> | undefined
}

/**
 * Saves a connection that was exported elsewhere, as it was. Throws UsageError `NAME_TAKEN`, `INSECURE_URL`; TemplateError
 * `MODE_UNSUPPORTED`; MachineError.
 */
export async function importConnection(world: World, carried: Connection, terms: ImportTerms): Promise<Connection> {
  const { as: name = carried.name, replace = false, allowHttp = false, tags = {} } = terms
  assertMode(carried.mode, carried.provider)
  assertName(name)
  await assertTemplate(carried)
  for (const [field, url] of Object.entries(carried.snapshot.endpoints)) {
    // No file can allow plain http: that is said in the command line.
    if (url !== undefined) assertSecure(url, allowHttp, `snapshot.endpoints.${field}`)
  }
  learnSecrets(world, carried)
  const origins = carried.snapshot.origins.filter((origin) => origin.startsWith('https:') || isOwn(origin, allowHttp))
  const connection: Connection = {
    ...carried,
    name,
    tags: { ...carried.tags, ...tags },
    snapshot: { ...carried.snapshot, origins, allowHttp },
  }
  return place(world, connection, replace)
}

function isOwn(origin: string, allowHttp: boolean): boolean {
  try {
    assertSecure(origin, allowHttp, '')
    return true
  } catch {
    return false
  }
}

/**
 * Makes a connection of a credential that exists already. One that nobody has proved yet (an API key) is tried before it
 * is saved, where the template says how. Throws what `integrate` and `connect` throw; UsageError `NAME_TAKEN`,
 * `MODE_DIFFERS`, `MISSING_INPUT`.
 */
export async function importCredential(
  world: World,
  located: Located,
  handed: Handed,
  given: Given,
  terms: ImportTerms,
): Promise<Connection> {
  const { name: title, template } = located.provider
  const name = terms.as ?? handed.name ?? located.name
  if (handed.mode !== undefined && handed.mode !== template.auth_mode) {
    throw new UsageError('MODE_DIFFERS', `${title} authorizes by ${template.auth_mode}, and this is ${handed.mode}.`, {
      hint: 'Name another provider with --provider.',
    })
  }
  assertName(name)
  assertSendable(handed)
  if (terms.replace !== true) await assertFree(world, name)
  const traits = traitsOf(template.auth_mode)
  const hasToken = handed.accessToken !== undefined
  if (traits.opensBrowser === true && !hasToken) {
    throw new UsageError('MISSING_INPUT', `Importing a connection of ${title} wants its token.`, {
      hint: 'Give it with --access-token - (it is read from stdin), or run the flow: auth-cli connect.',
    })
  }
  const integration = await integrate(world, located, {
    ...given,
    as: name,
    replace: true,
    clientId: given.clientId ?? handed.clientId,
    clientSecret: given.clientSecret ?? handed.clientSecret,
    scopes: given.scopes ?? handed.scopes,
    params: { ...answersOf(located, handed), ...given.params },
    ...(hasToken ? { atHand: { isRenewable: handed.refreshToken !== undefined } } : {}),
  })
  const tags = { ...handed.tags, ...terms.tags }
  const { metadata = {} } = handed
  if (!hasToken) {
    const { connection } = await connect(world, integration, { save: false, tags })
    return place(world, { ...connection, metadata }, terms.replace === true)
  }
  const credential = credentialOf(world, handed, template.auth_mode, integration.credentials)
  const isRenewed = traits.opensBrowser !== true && (await modeOf(template.auth_mode, title)).renew !== undefined
  const { params, endpoints } = integration
  const obtained = { credential, params, endpoints, ...(isRenewed ? { renewal: 'again' as const } : {}) }
  const connection = { ...connectionOf(world, integration, obtained, { tags }), metadata }
  learnSecrets(world, connection)
  return place(world, connection, terms.replace === true)
}

/** Answers by the keys of their questions; what no question asks for is left out, or stands in the params. */
function answersOf({ provider }: Located, { params, given = {} }: Handed): Record<string, string> {
  const asked = asksOf(provider.template)
  const held = asked.flatMap(({ key, name, section }): [string, string][] => {
    const value = section === 'connection_config' ? undefined : given[name]
    return value === undefined ? [] : [[key, value]]
  })
  return { ...params, ...Object.fromEntries(held) }
}

function credentialOf(
  world: World,
  handed: Handed,
  mode: string,
  answers: Readonly<Record<string, string>>,
): Credential {
  const { accessToken, refreshToken, idToken, tokenType, expiresAt, captured, raw } = handed
  const kept = { accessToken, refreshToken, idToken, tokenType, expiresAt, captured, raw }
  const given = Object.keys(answers).length === 0 ? {} : { given: answers }
  return {
    type: mode,
    ...Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined)),
    ...given,
    obtainedAt: world.clock.now().toISOString(),
  }
}

/** A name that begins like a flag could not be typed to any command. Throws UsageError `BAD_NAME`. */
export function assertName(name: string): void {
  if (!/^(-|\s*$)/.test(name)) return
  throw new UsageError('BAD_NAME', 'A name does not begin with a dash and is not blank.', {
    hint: 'Choose another, for example with --as.',
  })
}

/** What a template may hold is the same wherever it comes from. Throws UsageError `IMPORT_INVALID`. */
async function assertTemplate({ provider, snapshot }: Connection): Promise<void> {
  try {
    await findProvider(provider, [await givenSource(provider, snapshot.template, 'the import')])
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    const [problem] = error.problems
    const field = problem?.field?.slice(provider.length) ?? ''
    throw invalid(`snapshot.template${field}`, problem?.message ?? error.message, problem?.fix ?? 'Export it anew.')
  }
}

/** RFC 6749 appendix A.12: anything else cannot stand in a header. Throws UsageError `IMPORT_INVALID`. */
function assertSendable({ accessToken, refreshToken }: Handed): void {
  for (const [what, token] of Object.entries({ 'the access token': accessToken, 'the refresh token': refreshToken })) {
    if (token !== undefined && !isToken(token))
      throw invalid(what, 'it is empty or holds characters that no token has', 'Give the token and nothing else.')
  }
}

async function assertFree(world: World, name: string): Promise<void> {
  const taken = await world.store.connections.read(name)
  if (taken !== undefined) throw nameTaken(taken)
}

/** Throws UsageError `NAME_TAKEN` where it would stand in another's place. */
async function place(world: World, connection: Connection, replace: boolean): Promise<Connection> {
  const saved = await world.store.connections.update(connection.name, (current) => {
    if (current !== undefined && !replace) throw nameTaken(current)
    return connection
  })
  return saved ?? connection
}

export function nameTaken({ name, provider }: Connection): UsageError {
  return new UsageError('NAME_TAKEN', `"${name}" is a connection to ${provider} already.`, {
    hint: 'Give this one another name with --as <name>, or put it in its place with --replace.',
  })
}
