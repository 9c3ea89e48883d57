import { isMembers } from '../answers/member.ts'
import type { Dialect, Remark, Send, Setting, TokenAnswer, TokenRequest } from '../model/dialect.ts'
import type { Header } from '../model/event.ts'
import { membersIn } from './rewording.ts'
import { words } from './words.ts'

/** What the protocol library asks for: a request with its parameters still parsed. */
export interface Spoken {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: URLSearchParams | string | null | undefined
}

/** The far side of a dialect: sends what was re-worded and returns the answer as it came. */
export type Reach = (request: {
  method: string
  url: string
  headers: readonly Header[]
  body?: string
}) => Promise<TokenAnswer>

/** An answer in standard OAuth, beside what the provider really said. */
export interface Understood {
  readonly answer: TokenAnswer
  readonly raw: TokenAnswer
}

/**
 * Standard OAuth above, the provider's speech below. Going out the template's words come first and the provider's accent
 * has the last say; coming back the accent hears first and the words make the rest standard.
 */
export function speak(
  accent: Dialect,
  reach: Reach,
  setting: Setting,
  remark: Remark,
  send: Send = (_purpose, request) => reach(withoutAbsent(request)),
) {
  const said = new Set<string>()
  const once: Remark = (quirk) => {
    if (!said.has(quirk)) remark(quirk)
    said.add(quirk)
  }
  return async (url: string, spoken: Spoken): Promise<Understood> => {
    const plain: TokenRequest = {
      method: spoken.method,
      url,
      headers: Object.entries(spoken.headers),
      params: new URLSearchParams(spoken.body ?? ''),
    }
    const request = [words, accent].reduce(
      (worded, dialect) => dialect.request?.(worded, setting, once) ?? worded,
      plain,
    )
    const raw = await reach({
      method: request.method,
      url: request.url,
      headers: request.headers,
      ...(request.method === 'GET' ? {} : { body: request.body ?? request.params.toString() }),
    })
    const heard = accent.response?.(raw, setting, once) ?? raw
    const last = await followed(accent, heard, setting, send, once)
    const answer = words.response?.(last, setting, once) ?? last
    return { answer, raw: last.text === heard.text ? raw : { ...last, text: JSON.stringify(last.json) } }
  }
}

/** Where one request was not enough: the answer that counts, and what each brought as one value. */
async function followed(
  accent: Dialect,
  heard: TokenAnswer,
  setting: Setting,
  send: Send,
  remark: Remark,
): Promise<TokenAnswer> {
  const members = membersIn(heard)
  const isGranted = members !== undefined && typeof members['access_token'] === 'string' && heard.status < 300
  if (accent.exchange === undefined || !isGranted) return heard
  return accent.exchange({ ...heard, json: members }, setting, send, remark)
}

function withoutAbsent({ body, ...request }: Parameters<Send>[1]): Parameters<Reach>[0] {
  return body === undefined ? request : { ...request, body }
}

function understand(accent: Dialect, raw: TokenAnswer, setting: Setting, remark: Remark): TokenAnswer {
  return [accent, words].reduce((heard, dialect) => dialect.response?.(heard, setting, remark) ?? heard, raw)
}

/** The tokens of an answer, wherever this provider puts them. */
export function tokensIn(accent: Dialect, raw: TokenAnswer, setting: Setting): string[] {
  const { json } = understand(accent, raw, setting, () => {})
  const members = isMembers(json) ? [json['access_token'], json['refresh_token'], json['id_token']] : []
  return members.filter((member) => typeof member === 'string')
}

/** The authorization request in the provider's words. */
export function authorizeIn(accent: Dialect, url: URL, setting: Setting, remark: Remark): URL {
  if (accent.refusesPkce === true && setting.template.disable_pkce !== true && !url.searchParams.has('code_challenge'))
    remark('PKCE is left out: the token request of this provider has no place for a verifier (--pkce sends it)')
  return [words, accent].reduce((worded, dialect) => dialect.authorize?.(worded, setting, remark) ?? worded, url)
}

/** The callback's parameters in standard OAuth. */
export function hearCallback(
  accent: Dialect,
  params: URLSearchParams,
  setting: Setting,
  remark: Remark,
): URLSearchParams {
  return [accent, words].reduce((heard, dialect) => dialect.callback?.(heard, setting, remark) ?? heard, params)
}
