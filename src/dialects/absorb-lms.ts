import type { Dialect, Remark, Setting, TokenRequest } from '../model/dialect.ts'
import { asForm, withHeader } from './rewording.ts'

/** Absorb LMS: a nonce in the body, the API's version and key in headers of their own, the scope again in a refresh. */
export const absorbLms: Dialect = {
  request,
  says: 'its token request wants a nonce, and its API key and version in headers',
}

function request(request: TokenRequest, setting: Setting, remark: Remark): TokenRequest {
  const { params: answers, scopes, grant, random = '', template } = setting
  remark('Absorb wants a nonce, and its API key and version in headers')
  const params = new URLSearchParams(request.params)
  params.set('nonce', random)
  if (grant === 'refresh_token' && scopes.length > 0) params.set('scope', scopes.join(template.scope_separator ?? ' '))
  const versioned = withHeader(asForm(request, params), 'x-api-version', answers['apiVersion'] || 'v1')
  return withHeader(versioned, 'x-api-key', answers['restApiKey'] ?? '')
}
