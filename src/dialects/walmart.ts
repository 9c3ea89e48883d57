import type { Dialect, Remark, Setting, TokenRequest } from '../model/dialect.ts'
import { asForm, clientOf, withBasic, withHeader, without } from './rewording.ts'

/** Walmart Marketplace: headers of its own on the token request, the seller's id among them, and a Basic header. */
export const walmart: Dialect = {
  request,
  says: 'its token request wants headers of its own, among them the seller that the callback names',
}

function request(request: TokenRequest, setting: Setting, remark: Remark): TokenRequest {
  const { id, secret } = clientOf(setting)
  const seller = setting.params['sellerId']
  if (!seller) remark('Walmart named no seller in the callback: give it with --param sellerId=…, or it will refuse')
  remark('Walmart wants headers of its own (WM_…) on the token request, and a Basic header')
  const headers = {
    accept: 'application/json',
    'wm_svc.name': 'Walmart Marketplace',
    'wm_qos.correlation_id': setting.random ?? '',
    ...(seller ? { 'wm_partner.id': seller } : {}),
  }
  const form = asForm(request, without(request.params, 'client_id', 'client_secret'))
  const headed = Object.entries(headers).reduce((made, [name, value]) => withHeader(made, name, value), form)
  return withBasic(headed, id, secret)
}
