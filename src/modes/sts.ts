import { ProviderError } from '../model/errors.ts'
import type { Header } from '../model/event.ts'
import type { World } from '../model/world.ts'
import { awsAuthorization, awsDate } from '../signing/aws.ts'
import { headerOf, type Received } from '../wire/record.ts'
import { assertSecure } from '../wire/secure.ts'
import { wordsBesideToken, wordsIn } from '../wire/words.ts'
import type { Attempt } from './mode.ts'

export interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** Keys that are good for a while, with the token that goes with them. */
export interface TemporaryKeys extends Keys {
  /** Empty where a custom STS hands out none. */
  readonly sessionToken: string
  /** ISO 8601. */
  readonly expiresAt: string
  /** The answer: parsed where it is JSON, its text otherwise. */
  readonly raw: unknown
}

/** A role to act in, and where its keys are had. */
export interface Role {
  readonly arn: string
  readonly externalId: string
  readonly region: string
  readonly service: string
  readonly endpoint: string
  /** AWS's own STS, which says whose keys they are. */
  readonly identityEndpoint: string
  /** The answers about a custom STS; undefined where it is AWS's own. */
  readonly custom?: Readonly<Record<string, string>> | undefined
  /** Of whoever may assume the role. */
  readonly keys: Keys
  readonly title: string
  readonly allowHttp: boolean
}

/** Seconds that a session lasts. */
const sessionLife = 3600

/** Temporary keys by AssumeRole, from AWS or from a service that does it for us. Throws ProviderError, TransportError. */
export async function assumeRole(
  world: World,
  attempt: Attempt,
  role: Role,
  purpose: 'token' | 'refresh',
): Promise<TemporaryKeys> {
  assertSecure(role.endpoint, role.allowHttp, 'the STS endpoint')
  const transmit = attempt.speech.transmit(purpose, ({ text }) => {
    const { secretAccessKey, sessionToken, accessKeyId } = keysIn(text)
    return [secretAccessKey, sessionToken, accessKeyId].filter((secret) => secret !== undefined)
  })
  const request =
    role.custom === undefined ? queryRequest(world, role, role.keys, assumption(world, role)) : ownRequest(role)
  const answer = await transmit(request)
  const { accessKeyId, secretAccessKey, sessionToken = '', expiration } = keysIn(answer.text)
  if (answer.status < 200 || answer.status > 299) throw refusal(answer, role, 'AssumeRole')
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new ProviderError(
      'NO_ACCESS_TOKEN',
      `The STS endpoint of ${role.title} answered ${answer.status} without keys.`,
      {
        status: answer.status,
        words: wordsBesideToken(answer.text),
        hint: 'An access key id and a secret access key are looked for. The whole answer is in the log.',
      },
    )
  }
  for (const secret of [accessKeyId, secretAccessKey, sessionToken]) if (secret !== '') world.secrets.learn(secret)
  const usual = new Date(world.clock.now().getTime() + sessionLife * 1000).toISOString()
  if (expiration === undefined)
    attempt.tell({
      type: 'warning',
      code: 'LIFETIME_ASSUMED',
      message: 'The STS endpoint did not say when the keys expire: one hour is assumed',
    })
  return {
    accessKeyId,
    secretAccessKey,
    sessionToken,
    expiresAt: expiration ?? usual,
    raw: parsed(answer.text) ?? answer.text,
  }
}

/** The ARN that AWS knows keys by (GetCallerIdentity). Throws ProviderError, TransportError. */
export async function callerArn(world: World, attempt: Attempt, role: Role, keys: TemporaryKeys): Promise<string> {
  assertSecure(role.identityEndpoint, role.allowHttp, 'the STS endpoint')
  const call = { Action: 'GetCallerIdentity', Version: version }
  const sts = { ...role, endpoint: role.identityEndpoint }
  const answer = await attempt.speech.transmit('verification')(queryRequest(world, sts, keys, call, keys.sessionToken))
  if (answer.status < 200 || answer.status > 299) throw refusal(answer, role, 'GetCallerIdentity')
  const arn = memberIn(answer.text, ['Arn', 'arn'])
  if (arn !== undefined) return arn
  throw new ProviderError('ANSWER_UNUSABLE', `AWS did not say whose keys they are.`, {
    status: answer.status,
    words: wordsIn(answer.text),
    hint: 'The whole answer is in the log.',
  })
}

const version = '2011-06-15'

function assumption(world: Pick<World, 'random'>, role: Role): Readonly<Record<string, string>> {
  return {
    Action: 'AssumeRole',
    Version: version,
    RoleArn: role.arn,
    RoleSessionName: `auth-cli-${Buffer.from(world.random(6)).toString('hex')}`,
    DurationSeconds: String(sessionLife),
    ...(role.externalId === '' ? {} : { ExternalId: role.externalId }),
  }
}

type Request = {
  readonly method: string
  readonly url: string
  readonly headers: readonly Header[]
  readonly body: string
}

/** A call of AWS's query API, signed. */
function queryRequest(
  { clock }: Pick<World, 'clock'>,
  { endpoint, region }: Pick<Role, 'endpoint' | 'region'>,
  keys: Keys,
  params: Readonly<Record<string, string>>,
  sessionToken = '',
): Request {
  const url = new URL(endpoint)
  const body = new URLSearchParams(params).toString()
  const contentType = 'application/x-www-form-urlencoded; charset=utf-8'
  const now = clock.now()
  const extra = sessionToken === '' ? {} : { 'x-amz-security-token': sessionToken }
  const authorization = awsAuthorization({
    keyId: keys.accessKeyId,
    secret: keys.secretAccessKey,
    region,
    service: 'sts',
    host: url.host,
    method: 'POST',
    path: url.pathname,
    query: url.search.slice(1),
    body,
    contentType,
    headers: extra,
    now,
  })
  return {
    method: 'POST',
    url: url.href,
    headers: [
      ['authorization', authorization],
      ['x-amz-date', awsDate(now)],
      ...Object.entries(extra),
      ['accept', 'text/xml, application/xml, */*;q=0.5'],
      ['user-agent', 'auth-cli'],
      ['content-type', contentType],
    ],
    body,
  }
}

/** What a custom STS is asked, as JSON. */
function ownRequest({ arn, externalId, region, service, endpoint, custom = {} }: Role): Request {
  const proof: Readonly<Record<string, Header | undefined>> = {
    api_key: [(custom['stsAuthHeader'] || 'x-api-key').toLowerCase(), custom['stsApiKey'] ?? ''],
    basic: [
      'authorization',
      `Basic ${base64(`${custom['stsAuthUsername'] ?? ''}:${custom['stsAuthPassword'] ?? ''}`)}`,
    ],
  }
  const own = proof[custom['stsAuthType'] ?? 'none']
  return {
    method: 'POST',
    url: endpoint,
    headers: [
      ...(own === undefined ? [] : [own]),
      ['accept', 'application/json'],
      ['user-agent', 'auth-cli'],
      ['content-type', 'application/json'],
    ],
    body: JSON.stringify({ role_arn: arn, external_id: externalId, region, service }),
  }
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64')
}

interface KeysFound {
  readonly accessKeyId?: string | undefined
  readonly secretAccessKey?: string | undefined
  readonly sessionToken?: string | undefined
  /** ISO 8601. */
  readonly expiration?: string | undefined
}

/** Keys by AWS's names or by those of JSON, in camel or snake case; alone, or inside of `credentials`. */
function keysIn(text: string): KeysFound {
  const expiration = memberIn(text, ['Expiration', 'expiration', 'expiresAt', 'expires_at', 'expireAt'])
  const instant = expiration === undefined ? Number.NaN : instantOf(expiration)
  return {
    accessKeyId: memberIn(text, ['AccessKeyId', 'accessKeyId', 'access_key_id']),
    secretAccessKey: memberIn(text, ['SecretAccessKey', 'secretAccessKey', 'secret_access_key']),
    sessionToken: memberIn(text, ['SessionToken', 'sessionToken', 'session_token']),
    expiration: Number.isNaN(instant) ? undefined : new Date(instant).toISOString(),
  }
}

/** Seconds, milliseconds, or ISO 8601. */
function instantOf(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) return Date.parse(text)
  const number = Number(text)
  return number > 100_000_000_000 ? number : number * 1000
}

/** The first member of one of these names that holds something: of JSON at any depth that matters, else of XML. */
function memberIn(text: string, names: readonly string[]): string | undefined {
  const json = parsed(text)
  if (json !== undefined) return names.map((name) => inJson(json, name, 0)).find((value) => value !== undefined)
  for (const name of names) {
    const found = new RegExp(`<(?:\\w+:)?${name}(?:\\s[^>]*)?>([^<]+)<`).exec(text)?.[1]?.trim()
    if (found !== undefined && found !== '') return unescaped(found)
  }
  return undefined
}

function inJson(value: unknown, name: string, depth: number): string | undefined {
  if (typeof value !== 'object' || value === null || depth > 4) return undefined
  const members = value as Readonly<Record<string, unknown>>
  const own = Object.hasOwn(members, name) ? members[name] : undefined
  if (typeof own === 'string' && own !== '') return own
  if (typeof own === 'number') return String(own)
  return Object.values(members)
    .map((member) => inJson(member, name, depth + 1))
    .find((found) => found !== undefined)
}

/** The five entities of XML. */
function unescaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => entities[name] ?? '')
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''))
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function refusal({ status, headers, text }: Received, { title }: Role, action: string): ProviderError {
  const code = memberIn(text, ['Code', 'code']) ?? `HTTP_${status}`
  const location = headerOf(headers, 'location')
  const isRedirect = status >= 300 && status <= 399
  const where = URL.canParse(location) ? new URL(location).host : 'another path of the same host'
  return new ProviderError(
    code
      .replace(/([a-z])([A-Z])/g, '$1_$2')
      .toUpperCase()
      .replace(/[^A-Z0-9]+/g, '_')
      .slice(0, 60),
    `${title} refused ${action} with status ${status}${code.startsWith('HTTP_') ? '' : `: ${code}`}.`,
    {
      status,
      words: isRedirect ? undefined : wordsIn(text),
      hint: isRedirect
        ? `Keys are never sent along a redirect. It points to ${where}.`
        : "Check the keys, the role's ARN, and that its trust policy names whoever assumes it and the external id.",
    },
  )
}
