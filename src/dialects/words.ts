import type { Dialect, Remark, Setting, TokenAnswer, TokenRequest } from '../model/dialect.ts'
import { normalise } from './answer.ts'
import { authorizationInWords, callbackNames } from './authorization.ts'
import { leewayAlone, requestAlone } from './client-credentials.ts'
import { filled, setParam } from './params.ts'

/** What a template can spell out with its own words: parameters, body format, names. Every provider speaks it. */
export const words: Dialect = { authorize: authorizationInWords, callback, request, response }

function callback(params: URLSearchParams, { template }: Setting, remark: Remark): URLSearchParams {
  const names = callbackNames(template).filter(([name, standard]) => params.has(name) && !params.has(standard))
  if (names.length === 0) return params
  const renamed = new URLSearchParams(params)
  for (const [name, standard] of names) {
    remark(`the ${standard} comes as "${name}"`)
    renamed.delete(name)
    for (const value of params.getAll(name)) renamed.append(standard, value)
  }
  return renamed
}

function request(request: TokenRequest, setting: Setting, remark: Remark): TokenRequest {
  const { template } = setting
  if (setting.grant === 'client_credentials') {
    const alone = requestAlone(request, setting, remark)
    tellAuthentication(alone, alone.params, setting, remark)
    return alone
  }
  const params = new URLSearchParams(request.params)
  const extra = templateParams(setting)
  for (const [name, value] of Object.entries(extra)) setParam(params, name, value)
  for (const [name, value] of Object.entries(setting.tokenParams)) {
    if (value === null) params.delete(name)
    else params.set(name, value)
  }
  tellAuthentication(request, params, setting, remark)
  if (template.body_format !== 'json') return { ...request, params }
  remark('the token request is JSON')
  const headers = request.headers.filter(([name]) => name.toLowerCase() !== 'content-type')
  const typed = Object.entries(extra).filter(([name]) => params.has(name) && setting.tokenParams[name] === undefined)
  return {
    ...request,
    params,
    headers: [...headers, ['content-type', 'application/json']],
    body: JSON.stringify({ ...Object.fromEntries(params), ...Object.fromEntries(typed) }),
  }
}

/** What the template adds to this grant's request; its `grant_type` never wins, or a refresh would be none. */
function templateParams(setting: Setting): Readonly<Record<string, unknown>> {
  const { template, grant } = setting
  const isOwn = grant === 'refresh_token' && template.refresh_params !== undefined
  const field = isOwn ? 'refresh_params' : 'token_params'
  const written = Object.entries(template[field] ?? {}).filter(
    ([name, value]) => name !== 'grant_type' && value !== null && value !== undefined,
  )
  return Object.fromEntries(written.map(([name, value]) => [name, filled(value, `${field}.${name}`, setting)]))
}

/** RFC 6749 §2.3 allows one way in a request; some providers were made to be sent two, and that choice is never silent. */
function tellAuthentication(
  { headers }: TokenRequest,
  params: URLSearchParams,
  { template }: Setting,
  remark: Remark,
): void {
  const isBasic = headers.some(([name, value]) => name.toLowerCase() === 'authorization' && /^basic /i.test(value))
  if (!isBasic) return
  if (params.has('client_secret'))
    remark('the client secret is sent twice, in a Basic header and in the body; RFC 6749 §2.3 allows one')
  else if (template.token_request_auth_method === 'basic' && template.authorization_method !== 'header')
    remark('a Basic header that is not form-encoded; if it is refused, --client-auth basic+post sends the body too')
}

function response(answer: TokenAnswer, { template, grant }: Setting, remark: Remark): TokenAnswer {
  const { alternate_access_token_response_path: path, scope_separator: separator = ' ' } = template
  return normalise(answer, path, separator, remark, grant === 'client_credentials' ? leewayAlone(template) : {})
}
