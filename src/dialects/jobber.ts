import type { Dialect } from '../model/dialect.ts'
import { asForm, withLifetime, without } from './rewording.ts'

/** Jobber: no redirect URI in the token request, and tokens of an hour that do not say so. */
export const jobber: Dialect = {
  request: (request, _setting, remark) => {
    if (!request.params.has('redirect_uri')) return request
    remark('Jobber takes no redirect URI in the token request')
    return asForm(request, without(request.params, 'redirect_uri'))
  },
  response: (answer, _setting, remark) =>
    withLifetime(answer, 3600, () => remark('Jobber does not say how long its token lives: taken for an hour')),
  says: 'its token request has no redirect URI, and its token lives an hour without saying so',
}
