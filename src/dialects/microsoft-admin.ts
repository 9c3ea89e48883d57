import type { Dialect, Remark, Setting, TokenRequest } from '../model/dialect.ts'
import { asForm, clientOf, withoutHeader } from './rewording.ts'

/**
 * Microsoft's admin consent: an administrator says yes in the browser, no code comes of it, and the token is had by
 * client credentials (RFC 6749 §4.4), the first and every later one.
 */
export const microsoftAdmin: Dialect = {
  request,
  renewsWithoutToken: true,
  refusesPkce: true,
  says: 'an administrator consents, and the token then comes by client credentials instead of a code',
}

const graphScope = 'https://graph.microsoft.com/.default'

function request(request: TokenRequest, setting: Setting, remark: Remark): TokenRequest {
  const { id, secret } = clientOf(setting)
  remark('Microsoft: the administrator has consented; the token comes by client credentials, no code is sent')
  const scopes = setting.scopes.filter((scope) => scope !== 'offline_access')
  const params = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: id,
    client_secret: secret,
    scope: scopes.length === 0 ? graphScope : scopes.join(' '),
  })
  return withoutHeader(asForm(request, params), 'authorization')
}
