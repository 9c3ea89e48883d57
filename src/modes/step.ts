import { at, isMembers, textOf } from '../answers/member.ts'
import { type Read, readAnswer } from '../answers/read.ts'
import type { Scope } from '../fill/scope.ts'
import { ProviderError } from '../model/errors.ts'
import type { Header, Tell } from '../model/event.ts'
import type { LoginStep } from '../model/provider.ts'
import type { World } from '../model/world.ts'
import { headerOf, type Received } from '../wire/record.ts'
import { assertSecure } from '../wire/secure.ts'
import { wordsIn } from '../wire/words.ts'
import { bodyOf, contentTypes, formatOf, withQuery } from './body.ts'
import { isRefusal } from './grant.ts'
import { filledHeaders, filledUrl, filledValue, type Login } from './login.ts'
import type { Attempt } from './mode.ts'

/** One request of a log-in, as the template writes it. */
export interface Written extends LoginStep {
  /** Path in the template before its fields: empty, or `additional_steps[0].`. */
  readonly field: string
  /** Names of its fields where they are not the usual ones. */
  readonly names?: { readonly url: string; readonly params: string; readonly headers: string } | undefined
  /** `log-in`, `log-in (step 2 of 3)`, `refresh`. */
  readonly stage: string
  /** What the exchange is called in the log. */
  readonly purpose: string
  /** Instead of the template's: added, overridden, or removed (null). */
  readonly overrides?: Readonly<Record<string, string | null>> | undefined
}

/** What came back, read. */
export interface Reply extends Received, Read {
  /** Where it came from. */
  readonly origin: string
}

/** Secrets in an answer that no name gives away. */
export type Finder = (answer: Pick<Received, 'status' | 'headers' | 'text'>, read: Read) => readonly string[]

/**
 * Fills, sends and reads one request. Throws ProviderError where the answer is no success, with the provider's own words;
 * what cannot be filled, as `missing` does; UsageError `INSECURE_URL`; TransportError. `assertKnown` may refuse the URL.
 */
export async function ask(
  { secrets }: Pick<World, 'secrets'>,
  login: Login,
  attempt: Attempt,
  written: Written,
  scope: Scope,
  find: Finder,
  assertKnown: (url: string) => void = () => {},
): Promise<Reply> {
  const { url, method, headers, body } = await requestOf(login, written, scope, attempt.tell)
  const { url: urlField } = namesOf(written)
  assertSecure(url, login.allowHttp, urlField)
  assertKnown(url)
  let read: Read | undefined
  const transmit = attempt.speech.transmit(written.purpose, async (answer) => {
    read = await readAnswer(answer)
    return find(answer, read)
  })
  const answer = await transmit({ method, url, headers, ...(body === undefined ? {} : { body }) })
  const reply = { ...answer, ...(read ?? (await readAnswer(answer))), origin: new URL(url).origin }
  if (answer.status < 200 || answer.status > 299)
    throw refusal(login, written.stage, reply, `${method} ${secrets.scrub(url)}`)
  if (answer.status > 201)
    attempt.tell({ type: 'quirk', quirk: `the ${written.stage} was answered with status ${answer.status}` })
  return reply
}

function namesOf({ field, names }: Written): {
  readonly url: string
  readonly params: string
  readonly headers: string
} {
  if (names !== undefined) return names
  return { url: `${field}token_url`, params: `${field}token_params`, headers: `${field}token_headers` }
}

interface Ready {
  readonly url: string
  readonly method: string
  readonly headers: readonly Header[]
  readonly body?: string | undefined
}

async function requestOf(login: Login, written: Written, scope: Scope, tell: Tell): Promise<Ready> {
  const names = namesOf(written)
  const format = formatOf(login.template.body_format)
  const url = filledUrl(names.url, written.token_url ?? '', login, scope)
  const spelled = filledHeaders(names.headers, written.token_headers, login, scope)
  const method = written.token_request_method?.toUpperCase() ?? 'POST'
  // RFC 6749 §3.2: a parameter without a value is as good as none; in JSON and XML an empty text is a value.
  const without = format === 'json' || format === 'xml' ? 'empty' : 'left out'
  const own = filledValue(names.params, written.token_params, login, scope, without)
  const params = overridden(isMembers(own) ? own : {}, written.overrides)
  if (format === 'query') return { url: withQuery(url, params), method, headers: withAccept(spelled, format) }
  if (method === 'GET') {
    if (Object.keys(params).length > 0)
      tell({
        type: 'quirk',
        quirk: `${names.params} are not sent: a GET has no body (body_format: query puts them in the URL)`,
      })
    return { url, method, headers: withAccept(spelled, format) }
  }
  const type = headerOf(spelled, 'content-type')
  // An empty body is no JSON, and some servers insist on what the header promises.
  const isBare = Object.keys(params).length === 0 && !(format === 'json' && /json/i.test(type))
  if (isBare && (format !== 'form' || type !== ''))
    return { url, method, headers: withAccept(spelled, format), body: '' }
  if (type === '') {
    spelled.push(['content-type', contentTypes[format]])
    tell({ type: 'quirk', quirk: `the template names no content type; sent as ${contentTypes[format]}` })
  }
  return { url, method, headers: withAccept(spelled, format), body: await bodyOf(params, format, names.params) }
}

function overridden(
  params: Readonly<Record<string, unknown>>,
  overrides: Readonly<Record<string, string | null>> = {},
): Readonly<Record<string, unknown>> {
  const all = Object.entries({ ...params, ...overrides })
  return Object.fromEntries(all.filter(([name]) => overrides[name] !== null))
}

function withAccept(headers: readonly Header[], format: string): readonly Header[] {
  const wanted = format === 'xml' ? 'application/xml, text/xml, */*;q=0.8' : 'application/json, */*;q=0.8'
  const usual: readonly Header[] = [
    ['accept', wanted],
    ['user-agent', 'auth-cli'],
  ]
  return [...usual.filter(([name]) => headerOf(headers, name) === ''), ...headers]
}

/** An answer that is no success, or holds no token, as the provider's own no. */
export function refusal(login: Login, stage: string, reply: Reply, call: string): ProviderError {
  const { status, headers, text, value, kind } = reply
  const isNo = status >= 400 || isRefusal(value)
  const location = status >= 300 && status <= 399 ? headerOf(headers, 'location') : ''
  const said = `${status}${location === '' ? '' : `, to ${originOf(location)}`}`
  const message = isNo
    ? `${login.title} refused the ${stage}: ${said}${codeWords(value)}`
    : `${login.title} answered the ${stage} with ${kindWords[kind]} and no token: ${said}`
  return new ProviderError(isNo ? codeOf(value) : 'ANSWER_UNUSABLE', message, {
    status,
    words: wordsIn(text),
    facts: [['Asked', call]],
    hint: hintFor(status, isNo, headerOf(headers, 'retry-after')),
  })
}

const kindWords: Readonly<Record<Read['kind'], string>> = {
  json: 'JSON',
  form: 'a form',
  xml: 'XML',
  text: 'a text',
  page: 'a page',
  nothing: 'nothing',
}

/** Where a redirect leads; its query may hold anything. */
function originOf(location: string): string {
  return URL.canParse(location) ? new URL(location).origin : 'another path'
}

function errorName(value: unknown): string | undefined {
  const named = textOf(at(value, 'error')) ?? textOf(at(value, 'error.code')) ?? textOf(at(value, 'error_code'))
  return named !== undefined && /^[a-z][a-z0-9]*(?:_[a-z0-9]+)+$/i.test(named) && named.length <= 60 ? named : undefined
}

function codeWords(value: unknown): string {
  const name = errorName(value)
  return name === undefined ? '' : ` ${name}`
}

function codeOf(value: unknown): string {
  return errorName(value)?.toUpperCase() ?? 'LOGIN_REFUSED'
}

function hintFor(status: number, isNo: boolean, retryAfter: string): string {
  if (status >= 300 && status <= 399)
    return 'Credentials are never sent along a redirect: correct the URL in the template, or the answer that it is made of.'
  if (status === 404) return 'Is the account right that was asked for, and the URL in the template?'
  if (status === 429)
    return `Too many attempts: wait${retryAfter === '' ? '' : ` (Retry-After ${retryAfter})`} and try again.`
  if (status >= 500) return 'The provider has trouble of its own; try again later. The whole answer is in the log.'
  if (isNo)
    return 'The credentials may be mistyped, expired, or not allowed to do this. The whole answer is in the log.'
  return 'The whole answer is in the log; where the token stands is token_response.token in the template.'
}
