import type { Dialect, Remark, Setting, TokenRequest } from '../model/dialect.ts'
import { asForm, clientOf, withBasic, without, withoutHeader } from './rewording.ts'

/** Agiloft: the client in a Basic header, and a refresh that is vouched for by the first 20 characters of the secret. */
export const agiloft: Dialect = {
  request,
  says: 'the client stands in a Basic header, and a refresh wants a part of the secret as md5_secret',
}

function request(request: TokenRequest, setting: Setting, remark: Remark): TokenRequest {
  const { id, secret } = clientOf(setting)
  if (setting.grant === 'authorization_code') {
    remark('Agiloft takes the client secret in a Basic header, not in the body')
    const params = without(request.params, 'client_secret')
    params.set('client_id', id)
    return withBasic(asForm(request, params), id, secret)
  }
  remark('Agiloft wants the first 20 characters of the secret as "md5_secret" with a refresh, and no client')
  const params = without(request.params, 'client_id', 'client_secret')
  params.set('md5_secret', secret.slice(0, 20))
  return withoutHeader(asForm(request, params), 'authorization')
}
