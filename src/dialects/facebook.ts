import type { Dialect, Remark, Setting, TokenRequest } from '../model/dialect.ts'
import { clientOf, inQuery, withoutHeader } from './rewording.ts'

/**
 * Meta's Graph API. A code is exchanged as by the standard; Meta itself shows a GET, with the secret in the URL:
 * https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow. There is no PKCE beside a secret, only
 * instead of one: https://developers.facebook.com/docs/facebook-login/guides/advanced/oidc-token. Nor are there refresh
 * tokens: https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived.
 */
export const facebook: Dialect = {
  request,
  renewsWithoutToken: true,
  refusesPkce: true,
  says: 'PKCE is left out, and a token is renewed by being exchanged itself (fb_exchange_token)',
}

function request(request: TokenRequest, setting: Setting, remark: Remark): TokenRequest {
  if (setting.grant !== 'refresh_token') return request
  const { id, secret } = clientOf(setting)
  remark('Meta renews a token by exchanging it (fb_exchange_token); there is no refresh token')
  const params = new URLSearchParams({
    grant_type: 'fb_exchange_token',
    client_id: id,
    client_secret: secret,
    fb_exchange_token: setting.held?.accessToken ?? '',
  })
  return inQuery(withoutHeader(request, 'authorization'), params, 'GET')
}
