import type { Dialect, Remark, Setting, TokenRequest } from '../model/dialect.ts'
import { asJson, clientOf, inQuery, without, withoutHeader } from './rewording.ts'

/** Meta's Graph API: no PKCE beside a secret, and instead of refresh tokens an exchange of the token that one has. */
export const facebook: Dialect = {
  request,
  renewsWithoutToken: true,
  refusesPkce: true,
  says: 'PKCE is left out, and a token is renewed by being exchanged itself (fb_exchange_token)',
}

function request(request: TokenRequest, setting: Setting, remark: Remark): TokenRequest {
  const { id, secret } = clientOf(setting)
  const plain = withoutHeader(request, 'authorization')
  if (setting.grant === 'refresh_token') {
    remark('Meta renews a token by exchanging it (fb_exchange_token); there is no refresh token')
    const params = new URLSearchParams({
      grant_type: 'fb_exchange_token',
      client_id: id,
      client_secret: secret,
      fb_exchange_token: setting.held?.accessToken ?? '',
    })
    return inQuery(plain, params, 'GET')
  }
  remark('Meta takes the redirect URI in the query of the token request, and the rest as JSON')
  const url = new URL(request.url)
  url.searchParams.set('redirect_uri', request.params.get('redirect_uri') ?? '')
  const members = Object.fromEntries(without(request.params, 'redirect_uri', 'client_id', 'client_secret'))
  return { ...asJson(plain, { ...members, client_id: id, client_secret: secret }), url: url.href }
}
