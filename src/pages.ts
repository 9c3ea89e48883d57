import { createHash } from 'node:crypto'
import { at, isMembers } from './answers/member.ts'
import { ProviderError, TemplateError } from './model/errors.ts'
import type { Header } from './model/event.ts'
import type { Template } from './model/provider.ts'
import type { World } from './model/world.ts'
import { type ApiAnswer, type ApiCall, type Caller, calling, originsFor, targetUrl } from './request.ts'
import { sliceItems } from './slices.ts'
import { headerOf } from './wire/record.ts'
import { wordsIn } from './wire/words.ts'

/** How an API hands out a list in parts: a template's `proxy.paginate`. */
export type PageRule = {
  /** Where the items stand in an answer; absent: the answer is the list, or has one list and no other. */
  readonly items?: string | undefined
  readonly limit?: string | undefined
} & (
  | { readonly kind: 'link'; readonly rel?: string | undefined; readonly path?: string | undefined }
  | { readonly kind: 'cursor'; readonly path: string; readonly param: string }
  | { readonly kind: 'offset'; readonly param: string; readonly start: number; readonly step: 'items' | 'pages' }
)

/** One page that was read. */
export interface Page {
  readonly items: readonly unknown[]
  /** The same items as the API wrote them, each on a line: no digit of a long number is lost. */
  readonly texts: () => readonly string[]
  readonly answer: ApiAnswer
}

export interface PagesTerms {
  /** Instead of the template's `response_path`. */
  readonly items?: string | undefined
  /** Told of each page before the next is asked for; false ends it. */
  readonly onPage: (page: Page) => Promise<boolean>
  /** Given an answer of 400 or more, whose body is still to be read. */
  readonly onRefusal: (answer: ApiAnswer) => Promise<void>
}

/** Bytes of one page that we are willing to hold. */
const largestPage = 64 * 1024 * 1024
/** Pages of one list; nobody reads more at one go. */
const mostPages = 100_000

/**
 * Reads a list to its end, page by page, in one flow. It ends with a warning where a page comes a second time; a next
 * page at another origin is refused. Throws ProviderError `OTHER_ORIGIN`, `ANSWER_UNUSABLE`, `ANSWER_TOO_LARGE`;
 * TemplateError `PAGINATION_UNKNOWN`; what `request` throws.
 */
export function readPages(world: World, name: string, first: ApiCall, terms: PagesTerms): Promise<void> {
  return calling(world, name, first, async (caller) => {
    const rule = pageRuleOf(caller.connection().snapshot.template, terms.items)
    let call: ApiCall | undefined = first
    const asked = new Set<string>()
    let before = ''
    for (let count = 0; call !== undefined && count < mostPages; count += 1) {
      const key: string = keyOf(call)
      if (asked.has(key)) return tellLoop(caller, 'the next page is one that was read already')
      asked.add(key)
      const answer: ApiAnswer = await caller.send(call)
      if (answer.status >= 400) return terms.onRefusal(answer)
      const { value, text } = await jsonOf(answer)
      const digest = createHash('sha256').update(text).digest('hex')
      // A server that does not know the parameter sends its first page for ever.
      if (digest === before && rule.kind === 'offset') return tellLoop(caller, 'the same page came twice')
      before = digest
      const items = itemsIn(value, rule.items)
      const texts = (): readonly string[] => sliceItems(text, rule.items)
      if (!(await terms.onPage({ items, texts, answer }))) return
      call = nextCall(rule, call, { value, items, answer }, caller)
    }
  })
}

function tellLoop({ tell }: Caller, why: string): void {
  tell({ type: 'warning', code: 'PAGES_REPEAT', message: `Ended here: ${why}` })
}

/** What tells one page's request from another's. */
function keyOf({ method, target, body }: ApiCall): string {
  return `${method} ${target}\n${typeof body === 'string' ? body : ''}`
}

/** Without a rule in the template a `Link` header is followed (RFC 8288), as nearly every API that has one means it. */
export function pageRuleOf({ proxy }: Template, items?: string): PageRule {
  const written = proxy?.['paginate']
  if (!isMembers(written)) return { kind: 'link', rel: 'next', items }
  const text = (field: string): string | undefined => {
    const value = written[field]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const shared = { items: items ?? text('response_path'), limit: text('limit_name_in_request') }
  switch (written['type']) {
    case 'link': {
      const [rel, path] = [text('link_rel_in_response_header'), text('link_path_in_response_body')]
      if (rel === undefined && path === undefined)
        throw unknown('link_rel_in_response_header or link_path_in_response_body')
      return { kind: 'link', rel, path, ...shared }
    }
    case 'cursor': {
      const [path, param] = [text('cursor_path_in_response'), text('cursor_name_in_request')]
      if (path === undefined || param === undefined) throw unknown('cursor_path_in_response or cursor_name_in_request')
      return { kind: 'cursor', path, param, ...shared }
    }
    case 'offset': {
      const param = text('offset_name_in_request')
      if (param === undefined) throw unknown('offset_name_in_request')
      const start = Number(written['offset_start_value'] ?? 0)
      const step = written['offset_calculation_method'] === 'per-page' ? 'pages' : 'items'
      return { kind: 'offset', param, start: Number.isSafeInteger(start) ? start : 0, step, ...shared }
    }
    default:
      throw unknown('a type that is link, cursor or offset')
  }
}

function unknown(lacks: string): TemplateError {
  return new TemplateError('PAGINATION_UNKNOWN', `The template's proxy.paginate lacks ${lacks}.`, {
    hint: 'Leave --paginate out to get one page; or correct the template and connect again.',
  })
}

interface Read {
  readonly value: unknown
  readonly items: readonly unknown[]
  readonly answer: ApiAnswer
}

function nextCall(rule: PageRule, call: ApiCall, read: Read, caller: Caller): ApiCall | undefined {
  switch (rule.kind) {
    case 'link': {
      const url = linkIn(rule, read)
      return url === undefined ? undefined : { ...call, target: ownUrl(url, call, caller) }
    }
    case 'cursor': {
      const cursor = at(read.value, rule.path)
      if (typeof cursor !== 'string' && typeof cursor !== 'number') return undefined
      return cursor === '' ? undefined : withParam(call, rule.param, String(cursor))
    }
    case 'offset': {
      if (read.items.length === 0) return undefined
      const limit = Number(rule.limit === undefined ? undefined : paramOf(call, rule.limit))
      if (limit > 0 && read.items.length < limit) return undefined
      const now = Number(paramOf(call, rule.param) ?? rule.start)
      return withParam(call, rule.param, String(now + (rule.step === 'pages' ? 1 : read.items.length)))
    }
  }
}

function linkIn(rule: Extract<PageRule, { kind: 'link' }>, { value, answer }: Read): string | undefined {
  const inHeader = rule.rel === undefined ? undefined : linkOf(answer.headers, rule.rel)
  if (inHeader !== undefined) return inHeader
  const inBody = rule.path === undefined ? undefined : at(value, rule.path)
  return typeof inBody === 'string' && inBody !== '' ? inBody : undefined
}

/** The target of the first `Link` of that relation (RFC 8288 §3). */
export function linkOf(headers: readonly Header[], rel: string): string | undefined {
  const all = headers.filter(([name]) => name.toLowerCase() === 'link').map(([, value]) => value)
  for (const [, target, params = ''] of all
    .join(', ')
    .matchAll(/<([^<>]*)>((?:\s*;\s*[^\s=;,]+(?:\s*=\s*(?:"[^"]*"|[^\s;,]*))?)*)/g)) {
    const [, quoted, bare] = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,]*))/i.exec(params) ?? []
    const relations = (quoted ?? bare ?? '').toLowerCase().split(/\s+/)
    if (relations.includes(rel.toLowerCase())) return target
  }
  return undefined
}

/** The next page's URL, relative to this one's; it may not lead the credential elsewhere. */
function ownUrl(link: string, { target }: ApiCall, caller: Caller): string {
  const { snapshot, provider, name } = caller.connection()
  const base = targetUrl(caller.connection(), target)
  const title = snapshot.template.display_name ?? provider
  if (!URL.canParse(link, base)) {
    throw new ProviderError('ANSWER_UNUSABLE', `${title} names a next page that is no URL.`, {
      hint: `What it says is in the answer; auth-cli request ${name} without --paginate shows it.`,
    })
  }
  const url = new URL(link, base)
  if (originsFor(snapshot).includes(url.origin)) return url.href
  throw new ProviderError('OTHER_ORIGIN', `${title} says that the next page is at ${url.host}.`, {
    hint: `The credential of "${name}" is not sent there. What was read up to here has been printed.`,
  })
}

const bodied = new Set(['POST', 'PUT', 'PATCH'])

/** Where an API takes its parameters: in the body where there is one of a form that we know, else in the query. */
function paramOf(call: ApiCall, name: string): string | undefined {
  const body = bodied.has(call.method) ? membersOf(call) : undefined
  const inBody = body instanceof URLSearchParams ? body.get(name) : body?.[name]
  if (inBody !== undefined && inBody !== null) return String(inBody)
  return new URLSearchParams(queryOf(call.target)).get(name) ?? undefined
}

function withParam(call: ApiCall, name: string, value: string): ApiCall {
  const body = bodied.has(call.method) ? membersOf(call) : undefined
  if (body instanceof URLSearchParams) {
    body.set(name, value)
    return { ...call, body: body.toString() }
  }
  if (body !== undefined) {
    const isNumber = typeof body[name] === 'number'
    return { ...call, body: JSON.stringify({ ...body, [name]: isNumber ? Number(value) : value }) }
  }
  const [path = '', fragment] = call.target.split('#', 2)
  const mark = path.indexOf('?')
  // The rest of the query stays as it was written.
  const kept = queryOf(call.target)
    .split('&')
    .filter((pair) => pair !== '' && new URLSearchParams(pair).keys().next().value !== name)
  const pair = `${encodeURIComponent(name)}=${encodeURIComponent(value)}`
  const url = `${mark < 0 ? path : path.slice(0, mark)}?${[...kept, pair].join('&')}`
  return { ...call, target: fragment === undefined ? url : `${url}#${fragment}` }
}

function queryOf(target: string): string {
  const [path = ''] = target.split('#', 1)
  const mark = path.indexOf('?')
  return mark < 0 ? '' : path.slice(mark + 1)
}

function membersOf({ body, headers }: ApiCall): URLSearchParams | Record<string, unknown> | undefined {
  if (typeof body !== 'string') return undefined
  const value = parsed(body)
  if (isMembers(value)) return value
  return /x-www-form-urlencoded/i.test(headerOf(headers, 'content-type')) ? new URLSearchParams(body) : undefined
}

/** The items of a page: by the path, or the list that is the answer or stands alone in it; else the answer as one item. */
export function itemsIn(value: unknown, path: string | undefined): readonly unknown[] {
  const found = path === undefined ? value : at(value, path)
  if (Array.isArray(found)) return found
  if (path !== undefined) return found === undefined || found === null ? [] : [found]
  if (!isMembers(found)) return value === undefined ? [] : [value]
  const lists = Object.values(found).filter((member) => Array.isArray(member))
  return lists.length === 1 && lists[0] !== undefined ? lists[0] : [value]
}

async function jsonOf(answer: ApiAnswer): Promise<{ readonly value: unknown; readonly text: string }> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  const title = answer.connection.snapshot.template.display_name ?? answer.connection.provider
  for await (const chunk of answer.body) {
    bytes += chunk.length
    if (bytes > largestPage)
      throw new ProviderError('ANSWER_TOO_LARGE', `A page of ${title} is larger than 64 MB.`, {
        hint: 'Ask for smaller ones, or leave --paginate out: then nothing is held in memory.',
      })
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks)
    .toString('utf8')
    .replace(/^\uFEFF/, '')
  if (text.trim() === '') return { value: undefined, text }
  const value = parsed(text)
  if (value !== undefined) return { value, text }
  throw new ProviderError('ANSWER_UNUSABLE', `${title} answered ${answer.status} with something that is no JSON.`, {
    status: answer.status,
    hint: '--paginate reads JSON lists. Leave it out to see the answer as it is.',
  })
}

/** An answer of 400 or more as an error, in the API's own words; reads its body. */
export async function refusalOf({ status, body, connection }: ApiAnswer): Promise<ProviderError> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > 1024 * 1024) break
  }
  const title = connection.snapshot.template.display_name ?? connection.provider
  return new ProviderError(`HTTP_${status}`, `${title} answered ${status}.`, {
    status,
    words: wordsIn(Buffer.concat(chunks).toString('utf8')),
    hint: 'Its body says what the API thinks of it.',
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
