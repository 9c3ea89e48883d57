import type { Dialect } from '../model/dialect.ts'
import { asForm, clientOf, only, withBasic, withLifetime } from './rewording.ts'

/** Stripe's apps: the secret key is the user of a Basic header, and nothing else than the grant may be sent. */
export const stripeApp: Dialect = {
  request: (request, setting, remark) => {
    remark('Stripe takes the secret key as the user of a Basic header, and no client, in the token request')
    const params = only(request.params, 'grant_type', 'code', 'refresh_token')
    return withBasic(asForm(request, params), clientOf(setting).secret, '')
  },
  response: (answer, _setting, remark) =>
    withLifetime(answer, 3600, () => remark('Stripe does not say how long its token lives: taken for an hour')),
  refusesPkce: true,
  says: 'the secret key stands where the client would in a Basic header, and its token lives an hour without saying so',
}
