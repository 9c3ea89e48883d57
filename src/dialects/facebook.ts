import type { Dialect, Remark, Setting, TokenRequest } from '../model/dialect.ts'
import { clientOf, inQuery, redirectInQuery, withMembers, withoutHeader } from './rewording.ts'

/**
 * Meta's Graph API, which takes the parameters of a request from its query and its body alike: the redirect URI stands in
 * the query, as in Meta's own examples, and the secret does not. There is no PKCE beside a secret, only instead of one:
 * https://developers.facebook.com/docs/facebook-login/guides/advanced/oidc-token. Nor are there refresh tokens:
 * https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived.
 */
export const facebook: Dialect = {
  request,
  renewsWithoutToken: true,
  refusesPkce: true,
  says: 'PKCE is left out, and a token is renewed by being exchanged itself (fb_exchange_token)',
}

function request(request: TokenRequest, setting: Setting, remark: Remark): TokenRequest {
  const { id, secret } = clientOf(setting)
  const plain = withoutHeader(request, 'authorization')
  if (setting.grant !== 'refresh_token') {
    remark('Meta takes the redirect URI in the query of the token request, and the rest as JSON')
    return redirectInQuery(withMembers(plain, { client_id: id, client_secret: secret }))
  }
  remark('Meta renews a token by exchanging it (fb_exchange_token); there is no refresh token')
  const params = new URLSearchParams({
    grant_type: 'fb_exchange_token',
    client_id: id,
    client_secret: secret,
    fb_exchange_token: setting.held?.accessToken ?? '',
  })
  return inQuery(plain, params, 'GET')
}
