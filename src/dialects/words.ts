import { fillText } from '../fill/fill.ts'
import { contextOf } from '../fill/flaw.ts'
import type { Dialect, Remark, Setting, TokenRequest } from '../model/dialect.ts'
import type { Scalar } from '../model/provider.ts'
import { normalise } from './answer.ts'

/** What a template can spell out with its own words: parameters, body format, names. Every provider speaks it. */
export const words: Dialect = { callback, request, response }

function callback(params: URLSearchParams, { template }: Setting, remark: Remark): URLSearchParams {
  const name = template.authorization_code_param_in_callback
  const code = name === undefined ? null : params.get(name)
  if (name === undefined || name === 'code' || code === null || params.has('code')) return params
  remark(`the code comes as "${name}"`)
  const renamed = new URLSearchParams(params)
  renamed.delete(name)
  renamed.set('code', code)
  return renamed
}

function request(request: TokenRequest, setting: Setting, remark: Remark): TokenRequest {
  const { template, grant } = setting
  const params = new URLSearchParams(request.params)
  const extra = grant === 'refresh_token' ? (template.refresh_params ?? template.token_params) : template.token_params
  for (const [name, value] of Object.entries(filled(extra ?? {}, setting))) {
    // A refresh with the first request's grant type would never work, whatever the template says.
    if (name !== 'grant_type') params.set(name, value)
  }
  for (const [name, value] of Object.entries(setting.tokenParams)) {
    if (value === null) params.delete(name)
    else params.set(name, value)
  }
  if (template.body_format !== 'json') return { ...request, params }
  remark('the token request is JSON')
  const headers = request.headers.filter(([name]) => name.toLowerCase() !== 'content-type')
  return {
    ...request,
    params,
    headers: [...headers, ['content-type', 'application/json']],
    body: JSON.stringify(Object.fromEntries(params)),
  }
}

function filled(
  params: Readonly<Record<string, Scalar>>,
  { params: answers, template }: Setting,
): Record<string, string> {
  const context = contextOf(template.display_name ?? 'template', template)
  const fillOne = (name: string, value: string): string =>
    fillText(`token_params.${name}`, value, { connectionConfig: answers }, context)
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      typeof value === 'string' ? fillOne(name, value) : String(value),
    ]),
  )
}

function response(answer: Parameters<NonNullable<Dialect['response']>>[0], { template }: Setting, remark: Remark) {
  return normalise(answer, template.alternate_access_token_response_path, template.scope_separator ?? ' ', remark)
}
