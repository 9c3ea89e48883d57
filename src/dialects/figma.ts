import type { Dialect, Remark, Setting, TokenRequest } from '../model/dialect.ts'
import { redirectInQuery, withMembers } from './rewording.ts'

/**
 * Figma: token requests as JSON, the redirect URI in their query too; the client shows itself by HTTP Basic, and the
 * refresh token stays: https://developers.figma.com/docs/rest-api/authentication.
 */
export const figma: Dialect = {
  request,
  says: 'its token requests are JSON, with the redirect URI in the query',
}

function request(request: TokenRequest, { grant }: Setting, remark: Remark): TokenRequest {
  if (grant === 'refresh_token') {
    remark('Figma takes the refresh request as JSON')
    return withMembers(request, {})
  }
  remark('Figma takes the redirect URI in the query of the token request, and the rest as JSON')
  return redirectInQuery(withMembers(request, {}))
}
