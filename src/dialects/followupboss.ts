import type { Dialect, Remark, Setting, TokenRequest } from '../model/dialect.ts'
import { asForm, clientOf, withBasic, without } from './rewording.ts'

/** Follow Up Boss: the state again with the code, the client in a Basic header, a denial by a word of its own. */
export const followupboss: Dialect = {
  callback,
  request,
  refusesPkce: true,
  says: 'its token request wants the state again and a Basic header; a denial comes as response=denied',
}

function callback(params: URLSearchParams, _setting: Setting, remark: Remark): URLSearchParams {
  if (params.get('response') !== 'denied' || params.has('error') || params.has('code')) return params
  remark('Follow Up Boss says "response=denied" for access_denied')
  const heard = new URLSearchParams(params)
  heard.set('error', 'access_denied')
  return heard
}

function request(request: TokenRequest, setting: Setting, remark: Remark): TokenRequest {
  const { id, secret } = clientOf(setting)
  const params = without(request.params, 'client_id', 'client_secret')
  if (setting.grant === 'authorization_code' && setting.state !== undefined) {
    remark('Follow Up Boss wants the state again in the token request')
    params.set('state', setting.state)
  }
  remark('Follow Up Boss takes the client in a Basic header')
  return withBasic(asForm(request, params), id, secret)
}
