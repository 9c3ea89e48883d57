import { captured } from '../answers/member.ts'

import { type Scope, valueAt } from '../fill/scope.ts'
import type { Connection } from '../model/connection.ts'
import { ProviderError, UsageError } from '../model/errors.ts'
import type { Header } from '../model/event.ts'
import type { Endpoints, Integration } from '../model/integration.ts'
import type { Template } from '../model/provider.ts'
import type { World } from '../model/world.ts'
import { endOf, isGoodStill, madeAssertion } from './assertion.ts'
import { capturedIn, secretsOf } from './capture.ts'
import { type Grant, grantIn } from './grant.ts'
import { lateEndpoint } from './late.ts'
import { type Login, loginAgain, loginOf, scopeOf } from './login.ts'
import type { Attempt, Obtained } from './mode.ts'
import { isOneShot, signedToken } from './sign.ts'
import { ask, type Reply, refusal, type Written } from './step.ts'

export const authMode = 'TWO_STEP'

/** Credentials for a token, in one request or several, as the template spells them out. */
export async function obtain(
  world: World,
  integration: Integration,
  attempt: Attempt,
  keep: (obtained: Obtained) => Promise<void>,
): Promise<void> {
  const { provider, params, endpoints, allowHttp, boundTo, connection } = integration
  const login = loginOf(integration)
  const assertKnown = boundTo === undefined ? undefined : knownOrigin(connection, boundTo)
  const outcome = await logIn(world, login, attempt, { assertKnown })
  const known = {
    ...outcome.metadata,
    ...Object.fromEntries(Object.entries(params).filter(([, value]) => value !== '')),
  }
  await keep({
    credential: outcome.credential,
    params: known,
    endpoints: {
      ...withoutSecrets(endpoints, provider.template),
      api:
        endpoints.api ??
        lateEndpoint({ provider, allowHttp }, 'proxy.base_url', provider.template.proxy?.base_url, known, attempt.tell),
    },
    origins: outcome.origins,
    renewal: outcome.renewal,
  })
}

/** By the refresh token where the template says how; else the whole log-in again. */
export async function renew(world: World, connection: Connection, attempt: Attempt): Promise<Obtained> {
  const login = loginAgain(connection)
  const { snapshot, params } = connection
  const assertKnown = knownOrigin(connection.name, snapshot.origins)
  const outcome =
    (await refreshed(world, login, connection, attempt, assertKnown)) ??
    (await again(world, login, connection, attempt, assertKnown))
  const given = Object.entries(params).filter(([, value]) => value !== '')
  return {
    credential: outcome.credential,
    params: { ...outcome.metadata, ...Object.fromEntries(given) },
    endpoints: snapshot.endpoints,
    renewal: outcome.renewal,
  }
}

/** RFC 6750 §2.1, unless the template's own words carry the token. */
export function carry({ credential }: Connection): readonly Header[] {
  return credential.accessToken === undefined ? [] : [['authorization', `Bearer ${credential.accessToken}`]]
}

interface Outcome extends Pick<Obtained, 'credential' | 'renewal'> {
  readonly metadata: Readonly<Record<string, string>>
  readonly origins: readonly string[]
}

interface Terms {
  /** One that was made before and is good still. */
  readonly assertion?: string | undefined
  readonly assertKnown?: ((url: string) => void) | undefined
}

async function logIn(world: World, login: Login, attempt: Attempt, terms: Terms): Promise<Outcome> {
  const { template } = login
  const steps = stepsOf(template, login.tokenParams)
  const own =
    template.signature === undefined || template.token === undefined
      ? undefined
      : signedToken(world, login, attempt.tell)
  const assertion =
    template.assertion === undefined
      ? undefined
      : (terms.assertion ?? (await madeAssertion(world, login, template.assertion, attempt.tell)))
  const made: Scope = {
    ...(own === undefined ? {} : { token: own.token }),
    ...(assertion === undefined ? {} : { credentials: { assertion } }),
  }
  const replies: Reply[] = []
  for (const step of steps) {
    const scope = scopeOf(login, world, { ...made, ...answersOf(replies) })
    const find = (answer: Parameters<typeof secretsOf>[0], read: Parameters<typeof secretsOf>[1]) =>
      secretsOf(answer, read, template, `step${replies.length + 1}`)
    replies.push(await ask(world, login, attempt, step, scope, find, terms.assertKnown))
  }
  const [stage, reply] = [steps.at(-1)?.stage ?? '', replies.at(-1)]
  if (reply === undefined) throw new TypeError('a log-in without a step')
  return outcomeOf(world, login, attempt, { stage, reply, replies, assertion })
}

/** The first request, and those that build upon its answer. */
function stepsOf(template: Template, overrides: Login['tokenParams']): readonly Written[] {
  const { additional_steps: more = [], token_url, token_params, token_headers, token_request_method } = template
  const count = more.length + 1
  const stage = (number: number): string => (count === 1 ? 'log-in' : `log-in (step ${number} of ${count})`)
  const purpose = (number: number): string => (number === count ? 'log-in' : `step ${number}`)
  const first = { token_url, token_params, token_headers, token_request_method, field: '', overrides }
  return [
    { ...first, stage: stage(1), purpose: purpose(1) },
    ...more.map((step, index) => ({
      ...step,
      field: `additional_steps[${index}].`,
      stage: stage(index + 2),
      purpose: purpose(index + 2),
    })),
  ]
}

/** `step1`, `step2`, … and the answers as they came, by number, for whoever must say what they lack. */
function answersOf(replies: readonly Reply[]): Scope {
  const steps = replies.map(({ value }, index) => [`step${index + 1}`, value])
  const answers = replies.map((reply, index) => [String(index + 1), reply])
  return { ...Object.fromEntries(steps), answers: Object.fromEntries(answers) }
}

interface Ended {
  readonly stage: string
  readonly reply: Reply
  readonly replies: readonly Reply[]
  readonly assertion?: string | undefined
  /** The refresh token that brought it. */
  readonly refreshToken?: string | undefined
}

function outcomeOf(world: World, login: Login, attempt: Attempt, ended: Ended): Outcome {
  const { template } = login
  const { reply, replies, assertion, stage } = ended
  const now = world.clock.now()
  const grant = grantIn(reply, template, now)
  if (grant === undefined) throw refusal(login, stage, reply, stage)
  for (const quirk of grant.quirks) attempt.tell({ type: 'quirk', quirk })
  for (const secret of [grant.token, grant.refreshToken]) if (secret !== undefined) world.secrets.learn(secret)
  const refreshToken = grant.refreshToken ?? ended.refreshToken
  const beside = {
    ...Object.assign({}, ...replies.map(({ headers }) => capturedIn(headers, template))),
    ...(assertion === undefined ? {} : { assertion }),
  } as Readonly<Record<string, string>>
  return {
    credential: {
      type: authMode,
      accessToken: grant.token,
      ...(refreshToken === undefined ? {} : { refreshToken }),
      ...(grant.expiresAt === undefined ? {} : { expiresAt: grant.expiresAt }),
      given: login.credentials,
      ...(Object.keys(beside).length === 0 ? {} : { captured: beside }),
      obtainedAt: now.toISOString(),
      raw: reply.value ?? reply.text,
    },
    metadata: metadataOf(template, replies),
    origins: [...new Set(replies.map(({ origin }) => origin))],
    renewal: renewalOf(template, grant, assertion),
  }
}

/** What the template wants kept of the answers: of the last one first, since what it says is the latest. */
function metadataOf(template: Template, replies: readonly Reply[]): Readonly<Record<string, string>> {
  const latest = [...replies].reverse().map(({ value }) => value)
  return captured(template.token_response_metadata, (path) =>
    latest.map((value) => valueAt({ value }, `value.${path}`)).find((text) => text !== undefined),
  )
}

/** What was given once cannot be given again: such a log-in lives as long as what was signed with it. */
function renewalOf(template: Template, grant: Grant, assertion: string | undefined): 'again' | undefined {
  const { additional_steps, assertion: words, token, token_params, token_headers, token_url } = template
  if (isOneShot([additional_steps, token, token_params, token_headers, token_url])) return undefined
  if (!isOneShot(words)) return 'again'
  const end = assertion === undefined || words?.singleUse === true ? undefined : endOf(assertion)
  if (end === undefined) return undefined
  return grant.expiresAt === undefined || end - 60_000 > Date.parse(grant.expiresAt) ? 'again' : undefined
}

/** Endpoints to be kept: without a query that an answer stands in, since some providers want the password there. */
function withoutSecrets(endpoints: Endpoints, template: Template): Endpoints {
  const bare = (url: string | undefined, text: string | undefined): string | undefined =>
    url !== undefined && text !== undefined && /\?.*\$\{/s.test(text) ? url.replace(/\?.*$/s, '') : url
  return {
    ...endpoints,
    token: bare(endpoints.token, template.token_url),
    refresh: bare(endpoints.refresh, template.refresh_url),
  }
}

/** Undefined where there is no refresh token, the template knows no use for one, or logging in again is the way out. */
async function refreshed(
  world: World,
  login: Login,
  connection: Connection,
  attempt: Attempt,
  assertKnown: (url: string) => void,
): Promise<Outcome | undefined> {
  const { template } = login
  const { refreshToken, captured: before = {} } = connection.credential
  const { refresh_url, token_url, refresh_token_params: params, refresh_token_headers: headers } = template
  if (refreshToken === undefined || (params === undefined && headers === undefined)) return undefined
  const written: Written = {
    field: '',
    names: {
      url: refresh_url === undefined ? 'token_url' : 'refresh_url',
      params: 'refresh_token_params',
      headers: headers === undefined ? 'token_headers' : 'refresh_token_headers',
    },
    token_url: refresh_url ?? token_url,
    token_params: params,
    token_headers: headers ?? template.token_headers,
    stage: 'refresh',
    purpose: 'refresh',
  }
  const scope = scopeOf(login, world, {
    refresh_token: refreshToken,
    refreshToken,
    credentials: { ...before, refresh_token: refreshToken },
  })
  try {
    const find = (answer: Parameters<typeof secretsOf>[0], read: Parameters<typeof secretsOf>[1]) =>
      secretsOf(answer, read, template, '')
    const reply = await ask(world, login, attempt, written, scope, find, assertKnown)
    const { assertion } = before
    return outcomeOf(world, login, attempt, { stage: 'refresh', reply, replies: [reply], assertion, refreshToken })
  } catch (error) {
    if (!(error instanceof ProviderError) || connection.snapshot.renewal !== 'again') throw error
    attempt.tell({
      type: 'quirk',
      quirk: `the refresh token was not taken (${error.message}); logging in again with the credentials`,
    })
    return undefined
  }
}

async function again(
  world: World,
  login: Login,
  connection: Connection,
  attempt: Attempt,
  assertKnown: (url: string) => void,
): Promise<Outcome> {
  const { assertion: words } = login.template
  const before = connection.credential.captured?.['assertion']
  const isReusable = words !== undefined && words.singleUse !== true && before !== undefined
  const assertion = isReusable && isGoodStill(before, world.clock.now()) ? before : undefined
  if (assertion === undefined && isOneShot(words))
    throw new ProviderError('EXPIRED', `What "${connection.name}" was signed in with is over.`, {
      hint: 'The key was used once and not kept. Connect again.',
    })
  try {
    return await logIn(world, login, attempt, { assertion, assertKnown })
  } catch (error) {
    if (assertion === undefined || isOneShot(words) || !(error instanceof ProviderError)) throw error
    attempt.tell({
      type: 'quirk',
      quirk: `the assertion was not taken once more (${error.message}); a new one is signed`,
    })
    return logIn(world, login, attempt, { assertKnown })
  }
}

/** A step that leads where none led before gets no saved secret: who gives it once more says that it is right. */
function knownOrigin(name: string, origins: readonly string[]): (url: string) => void {
  return (url) => {
    const { origin } = new URL(url)
    if (origins.includes(origin)) return
    throw new UsageError(
      'ORIGIN_CHANGED',
      `The log-in of "${name}" now leads to ${origin}, where it never went before.`,
      {
        hint: `It went to ${origins.join(', ')}. If the new one is right, connect again and give the secrets again.`,
      },
    )
  }
}
