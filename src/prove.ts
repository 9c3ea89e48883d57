import { type Bare, dress, filledMembers, scopeOf } from './dress.ts'
import { fill } from './fill/fill.ts'
import { type Connection, givenOf } from './model/connection.ts'
import { ProviderError, UsageError } from './model/errors.ts'
import type { Tell } from './model/event.ts'
import type { Template, Verification } from './model/provider.ts'
import type { World } from './model/world.ts'
import { modeOf } from './modes/index.ts'
import type { Speech } from './modes/mode.ts'
import { type Call, type Known, type Trial, trialOf } from './proofs/index.ts'
import { learnSecrets } from './saved.ts'
import { randomUuid } from './wire/authorization.ts'
import type { Received } from './wire/record.ts'
import { assertSecure } from './wire/secure.ts'
import { wordsIn } from './wire/words.ts'

/** A call that was accepted with the credential. */
export interface Proof {
  readonly method: string
  readonly url: string
  readonly status: number
}

/**
 * Proves a credential by the calls that the template's `proxy.verification` names, any one of which will do when it answers
 * 2xx; else by the trial that it names, which says itself what is a yes. Undefined where it names neither. Throws
 * ProviderError `VERIFICATION_FAILED`; UsageError `BAD_FLAG`; TransportError.
 */
export async function prove(
  world: World,
  connection: Connection,
  tell: Tell,
  speech: Pick<Speech, 'transmit'>,
): Promise<Proof | undefined> {
  const { proxy } = connection.snapshot.template
  const verification = proxy?.verification
  const trial = verification === undefined ? trialOf(connection.snapshot.template) : undefined
  const own = verification === undefined ? [] : callsOf(world, connection, verification)
  const calls = trial === undefined ? own : await callOf(world, connection, trial)
  if (calls.length === 0) return undefined
  learnSecrets(world, connection)
  const mode = await modeOf(connection.mode, connection.provider)
  const moment = { now: world.clock.now(), random: world.random }
  const refusals: Refusal[] = []
  for (const call of calls) {
    assertSecure(call.url, connection.snapshot.allowHttp, 'proxy.verification')
    const dressed = dress(connection, mode, call, moment, tell)
    const { method, url } = dressed
    const answer = await speech.transmit(trial === undefined ? 'verification' : 'trial')(dressed)
    const objection = await trial?.objection(answer)
    const isTaken = trial === undefined ? answer.status >= 200 && answer.status <= 299 : objection === undefined
    if (isTaken) {
      tell({ type: 'credential.verified', url: world.secrets.scrub(`${method} ${url}`) })
      return { method, url, status: answer.status }
    }
    refusals.push({ call: `${method} ${url}`, answer, objection })
  }
  throw refusedBy(world, connection, refusals)
}

interface Refusal {
  readonly call: string
  readonly answer: Received
  /** What is wrong with an answer whose status is not, as the end of "it …". */
  readonly objection?: string | undefined
}

/** Whether the template says how its credentials can be tried. */
export function isProvable(template: Template): boolean {
  return template.proxy?.verification !== undefined || trialOf(template) !== undefined
}

async function callOf(world: Pick<World, 'clock'>, connection: Connection, trial: Trial): Promise<readonly Bare[]> {
  const { credential, snapshot } = connection
  const known = { given: givenOf(credential), now: world.clock.now() }
  const { method, target, headers = [], body } = await callWith(trial, known)
  const base = snapshot.endpoints.api
  if (base === undefined && !/^https?:/.test(target)) return []
  return [{ method, url: joined(base ?? '', target), headers, ...(body === undefined ? {} : { body }) }]
}

/** Throws UsageError `BAD_FLAG` for credentials that such a call cannot be made of. */
async function callWith(trial: Trial, known: Known): Promise<Call> {
  try {
    return await trial.call(known)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new UsageError('BAD_FLAG', `These credentials cannot be sent: ${error.message}.`, {
      cause: error,
      hint: 'Give them again, as the provider shows them.',
    })
  }
}

function callsOf(world: World, connection: Connection, verification: Verification): readonly Bare[] {
  const { endpoints } = connection.snapshot
  const base = endpoints.verification ?? endpoints.api
  if (base === undefined) return []
  const about = { now: world.clock.now(), random: randomUuid(world.random) }
  const { method = 'GET', headers = {}, data } = verification
  return endpointsIn(verification).flatMap((endpoint): Bare[] => {
    const scope = scopeOf(connection, { method, url: base, headers: [] }, about)
    const path = fill(endpoint, scope, 'url')
    if (!('text' in path)) return []
    const url = joined(base, path.text)
    const body = bodyOf(data, scope)
    return [{ method: method.toUpperCase(), url, headers: [], more: headers, ...(body === undefined ? {} : { body }) }]
  })
}

function endpointsIn(verification: Verification): readonly string[] {
  const { endpoints = [] } = verification
  const only = (verification as { readonly endpoint?: unknown }).endpoint
  return [...endpoints, ...(typeof only === 'string' ? [only] : [])]
}

function joined(base: string, path: string): string {
  if (/^https?:\/\//i.test(path)) return path
  return `${base.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`
}

function bodyOf(data: unknown, scope: Parameters<typeof filledMembers>[1]): string | undefined {
  if (data === undefined || data === null) return undefined
  if (typeof data === 'string') {
    const filled = fill(data, scope, 'text')
    return 'text' in filled ? filled.text : data
  }
  if (typeof data !== 'object' || Array.isArray(data)) return JSON.stringify(data)
  return JSON.stringify(filledMembers(data as Record<string, unknown>, scope))
}

function refusedBy(world: World, connection: Connection, refusals: readonly Refusal[]): ProviderError {
  const { snapshot, provider, name } = connection
  const title = snapshot.template.display_name ?? provider
  const last = refusals.at(-1)
  const status = last?.answer.status ?? 0
  const how = last?.objection ?? `answered ${status}`
  return new ProviderError('VERIFICATION_FAILED', `${title} does not take these credentials: it ${how}.`, {
    status,
    words: last === undefined ? undefined : wordsIn(last.answer.text),
    facts: refusals.map(({ call, answer }) => ['Tried', `${world.secrets.scrub(call)} → ${answer.status}`] as const),
    hint: hintFor(status, name, world.secrets.scrub(last?.call ?? '')),
  })
}

function hintFor(status: number, name: string, call: string): string {
  if (status >= 300 && status <= 399)
    return 'A credential is never sent along a redirect: correct base_url or the endpoints in the template.'
  if (status === 401 || status === 403)
    return 'Nothing was saved. Give the credentials again; they may be mistyped, expired, or not allowed to do this call.'
  if (status === 404) return `Nothing was saved. Is the account right that was asked for? The call was ${call}.`
  if (status === 429) return 'Nothing was saved. Too many requests: wait and connect again.'
  return `Nothing was saved. The whole answer is in the log. (${name})`
}
