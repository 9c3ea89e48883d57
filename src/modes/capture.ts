import { at, textOf } from '../answers/member.ts'
import type { Read } from '../answers/read.ts'
import { placeholders } from '../fill/placeholders.ts'
import { valueAt } from '../fill/scope.ts'
import type { Header } from '../model/event.ts'
import type { Template } from '../model/provider.ts'
import { grantIn } from './grant.ts'

/** Names that a header may not take: they are the credential's own. */
const reserved = new Set(['type', 'token', 'refresh_token', 'expires_at', 'raw', 'assertion', '_cookies'])

/** The headers that the template wants kept: cookies one by one and joined as `_cookies`, any other by its name. */
export function capturedIn(headers: readonly Header[], template: Template): Readonly<Record<string, string>> {
  const wanted = (template.token_response_headers ?? []).map((name) => String(name).toLowerCase())
  const kept: Record<string, string> = {}
  const cookies = new Map<string, string>()
  for (const [name, value] of headers) {
    const lower = name.toLowerCase()
    if (!wanted.includes(lower)) continue
    if (lower !== 'set-cookie') {
      if (!reserved.has(lower)) kept[lower] = value
      continue
    }
    const [, cookie, content] = /^\s*([^=;\s]+)\s*=\s*([^;]*)/.exec(value) ?? []
    if (cookie === undefined || content === undefined) continue
    if (isTakenBack(value)) cookies.delete(cookie)
    else cookies.set(cookie, content.trim())
  }
  for (const [name, value] of cookies) if (!reserved.has(name)) kept[name] = value
  if (cookies.size > 0) kept['_cookies'] = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  return kept
}

/** RFC 6265 §5.2.2: a cookie without a future is one that is taken back. */
function isTakenBack(cookie: string): boolean {
  return /;\s*max-age\s*=\s*(?:0|-\d+)\s*(?:;|$)/i.test(cookie)
}

/** Secrets in an answer that no name gives away: where the template says that they stand, and what it hands on. */
export function secretsOf(
  answer: { readonly status: number; readonly headers: readonly Header[]; readonly text: string },
  read: Read,
  template: Template,
  step: string,
): readonly string[] {
  const beside = Object.values(capturedIn(answer.headers, template))
  if (answer.status < 200 || answer.status > 299) return beside
  const { token, refresh_token: refresh } = template.token_response ?? {}
  const grant = grantIn(read, template, new Date(0))
  const paths = [token, refresh].filter((path): path is string => path !== undefined && path !== '')
  const handed = handedOn(template, step).flatMap((path) => valueAt({ [step]: read.value }, path) ?? [])
  const told = paths.flatMap((path) => textOf(at(read.value, path)) ?? [])
  const cut = read.kind === 'text' ? paths.flatMap((path) => afterName(answer.text, path)) : []
  return [...beside, ...handed, ...told, ...cut, ...(grant === undefined ? [] : [grant.token])].filter(
    (secret) => secret !== '',
  )
}

/** Paths of this step's answer that later steps send as parameters or headers; a part of a URL is no secret. */
function handedOn({ additional_steps: steps = [] }: Template, step: string): readonly string[] {
  const texts = steps.flatMap(({ token_params, token_headers }) => textsIn([token_params, token_headers]))
  return [...new Set(texts.flatMap((text) => placeholders(text)))].filter((path) => path.startsWith(`${step}.`))
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}

/** What stands behind the last name of a path in a text that was cut off, and so is no JSON any more. */
function afterName(text: string, path: string): readonly string[] {
  const name = (path.split('.').at(-1) ?? '').replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
  return [...text.matchAll(new RegExp(`["']${name}["']\\s*:\\s*["']([^"']*)`, 'g'))].flatMap(([, value]) => value ?? [])
}
