import type { Dialect } from '../model/dialect.ts'
import { asForm, clientOf, without, withoutHeader } from './rewording.ts'

/** A provider that knows public clients only (RFC 6749 §2.1): the client is named and proves nothing but its PKCE. */
export function publicClient(title: string): Dialect {
  return {
    request: (request, setting, remark) => {
      const isProved =
        request.params.has('client_secret') || request.headers.some(([name]) => name.toLowerCase() === 'authorization')
      if (isProved) remark(`${title} knows public clients only: the secret is not sent`)
      const params = without(request.params, 'client_secret')
      params.set('client_id', clientOf(setting).id)
      return withoutHeader(asForm(request, params), 'authorization')
    },
    says: 'its clients are public: no secret is sent',
  }
}
