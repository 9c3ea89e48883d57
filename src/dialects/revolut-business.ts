import type { Dialect, Remark, Setting, TokenRequest } from '../model/dialect.ts'
import { UsageError } from '../model/errors.ts'
import { signJwt } from '../signing/jwt.ts'
import { pemIn } from '../signing/pem.ts'
import { asForm, clientOf, without, withoutHeader } from './rewording.ts'

/** Seconds that an assertion is good for. */
const assertionLife = 300

/**
 * Revolut Business: the client proves itself by a JWT that it signs (RFC 7523 §2.2), whose issuer is the host of the
 * redirect URI and whose key stands where the client secret would.
 */
export const revolutBusiness: Dialect = {
  request,
  refusesPkce: true,
  says: 'the client proves itself by a signed assertion; give the private key (PEM) as the client secret',
}

function request(request: TokenRequest, setting: Setting, remark: Remark): TokenRequest {
  const { id, secret } = clientOf(setting)
  remark(
    "Revolut: the client proves itself by a JWT signed with the private key; its issuer is the redirect URI's host",
  )
  const redirectUri = setting.redirectUri ?? request.params.get('redirect_uri') ?? ''
  const now = Math.floor((setting.now?.getTime() ?? 0) / 1000)
  const params = without(request.params, 'client_secret', 'redirect_uri')
  params.set('client_id', id)
  params.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
  const payload = {
    iss: URL.canParse(redirectUri) ? new URL(redirectUri).hostname : '',
    sub: id,
    aud: 'https://revolut.com',
    iat: now,
    exp: now + assertionLife,
  }
  const signed = signJwt({ alg: 'RS256', typ: 'JWT' }, payload, { text: pemIn(secret) })
  if ('why' in signed) {
    throw new UsageError('BAD_FLAG', `The client secret ${signed.why}.`, {
      hint: 'Revolut wants the private key whose certificate you uploaded there: --client-secret file:privatecert.pem',
    })
  }
  params.set('client_assertion', signed.token)
  return withoutHeader(asForm(request, params), 'authorization')
}
