import type { Dialect } from '../model/dialect.ts'
import { asForm, clientOf, withBasic, without } from './rewording.ts'

/** Mercury: the body names no client, whoever asks; the Basic header does. */
export const mercury: Dialect = {
  request: (request, setting, remark) => {
    const { id, secret } = clientOf(setting)
    const params = without(request.params, 'client_id', 'client_secret')
    if ([...params].length < [...request.params].length)
      remark('Mercury takes no client in the body, only in a Basic header')
    const isProved = request.headers.some(([name]) => name.toLowerCase() === 'authorization')
    return isProved || secret === '' ? asForm(request, params) : withBasic(asForm(request, params), id, secret)
  },
  says: 'the body of its token request names no client',
}
