import { isMembers } from '../answers/member.ts'
import type { Setting, TokenAnswer, TokenRequest } from '../model/dialect.ts'
import type { Header } from '../model/event.ts'

export type Members = Readonly<Record<string, unknown>>

/** The members of a JSON answer, whatever it is labelled; undefined where it is none. */
export function membersIn(answer: TokenAnswer): Members | undefined {
  if (isMembers(answer.json)) return answer.json
  try {
    // A byte order mark counts as white space.
    const value: unknown = JSON.parse(answer.text.trim())
    return isMembers(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** The answer as the refusal that it is (RFC 6749 §5.2). */
export function asRefusal(answer: TokenAnswer, error: unknown, description: unknown): TokenAnswer {
  const status = answer.status >= 400 && answer.status <= 499 ? answer.status : 400
  const words = typeof description === 'string' && description !== '' ? { error_description: description } : {}
  const code = typeof error === 'string' || typeof error === 'number' ? String(error) : `http_${answer.status}`
  return { ...answer, status, json: { error: code, ...words } }
}

/** The request with form parameters and nothing else in its body. */
export function asForm(request: TokenRequest, params: URLSearchParams): TokenRequest {
  const { body: _, ...rest } = request
  return { ...withHeader(rest, 'content-type', 'application/x-www-form-urlencoded;charset=UTF-8'), params }
}

/** The request with these members as its JSON body; those that are undefined are left out. */
export function asJson(request: TokenRequest, members: Members): TokenRequest {
  const body = JSON.stringify(members)
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(members)) if (value !== undefined) params.set(name, String(value))
  return { ...withHeader(request, 'content-type', 'application/json'), params, body }
}

/** The request with its parameters and these as its JSON body. */
export function withMembers(request: TokenRequest, members: Members): TokenRequest {
  return asJson(request, { ...Object.fromEntries(request.params), ...members })
}

/** The request with its redirect URI in the URL's query as well. */
export function redirectInQuery(request: TokenRequest): TokenRequest {
  const url = new URL(request.url)
  url.searchParams.set('redirect_uri', request.params.get('redirect_uri') ?? '')
  return { ...request, url: url.href }
}

/** The request with its parameters in the URL's query, and no body. */
export function inQuery(request: TokenRequest, params: URLSearchParams, method = 'POST'): TokenRequest {
  const url = new URL(request.url)
  for (const [name, value] of params) url.searchParams.set(name, value)
  return { ...withoutHeader(request, 'content-type'), method, url: url.href, params, body: '' }
}

export function withHeader<T extends { readonly headers: readonly Header[] }>(
  request: T,
  name: string,
  value: string,
): T {
  return { ...request, headers: [...withoutHeader(request, name).headers, [name, value]] }
}

export function withoutHeader<T extends { readonly headers: readonly Header[] }>(request: T, name: string): T {
  return { ...request, headers: request.headers.filter(([key]) => key.toLowerCase() !== name) }
}

/** HTTP Basic as nearly every server reads it: nothing in it encoded but the whole in base64. */
export function withBasic(request: TokenRequest, user: string, password: string): TokenRequest {
  return withHeader(request, 'authorization', `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`)
}

/** The parameters of those names that are there, in this order. */
export function only(params: URLSearchParams, ...names: readonly string[]): URLSearchParams {
  return new URLSearchParams(
    names.flatMap((name) => params.getAll(name).map((value): [string, string] => [name, value])),
  )
}

export function without(params: URLSearchParams, ...names: readonly string[]): URLSearchParams {
  return new URLSearchParams([...params].filter(([name]) => !names.includes(name)))
}

/** Client id and secret; the latter empty where there is none. */
export function clientOf({ client }: Setting): { readonly id: string; readonly secret: string } {
  return { id: client?.id ?? '', secret: client?.secret ?? '' }
}

/** The lifetime in seconds put into an answer that holds a token and is silent about its expiry. */
export function withLifetime(answer: TokenAnswer, seconds: number, tell: () => void): TokenAnswer {
  const members = membersIn(answer)
  if (members === undefined || typeof members['access_token'] !== 'string') return answer
  const says = [members['expires_in'], members['expires_at']].some((value) => value !== undefined && value !== null)
  if (says) return answer
  tell()
  return { ...answer, json: { ...members, expires_in: seconds } }
}

/**
 * A sister address of the token endpoint: `from` in it replaced by `to`; where it does not stand there, for the provider
 * is elsewhere, the path of `to` at the same origin. No token goes to a host that the template does not lead to.
 */
export function sisterOf(url: string, from: string, to: string): string {
  if (url.includes(from)) return url.split(/[?#]/)[0]?.replace(from, to) ?? url
  return new URL(to.slice(to.indexOf('/')), url).href
}
