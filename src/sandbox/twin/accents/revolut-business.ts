import { json } from '../../answer.ts'
import type { Fields } from '../fields.ts'
import { scalarText } from '../fields.ts'
import { readJwt } from '../jwt.ts'
import { jwtFlaws } from '../jwt-check.ts'
import { playedIn } from '../manner.ts'
import type { Call, Stage } from '../stage.ts'
import type { Accent } from './accent.ts'

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

const issuerOf = (params: Fields): unknown => readJwt(scalarText(params['client_assertion']) ?? '')?.claims['iss']

/** A client assertion (RFC 7523 §2.2) whose issuer is the host of the client. */
function proof({ part, provider }: Stage, _: Call, params: Fields): string | undefined {
  if (params['client_secret'] !== undefined) return 'there is a client_secret: the private key is to stay at home'
  if (params['client_assertion_type'] !== assertionType) return `client_assertion_type is not ${assertionType}`
  const { clientId = '', clientSecret = '' } = part.issued
  const issuer = scalarText(issuerOf(params))
  if (!issuer) return 'the client_assertion has no iss'
  const wish = {
    what: 'the client_assertion',
    algorithm: 'RS256',
    key: clientSecret,
    header: {},
    claims: { iss: issuer.replaceAll('$', ''), sub: clientId, aud: 'https://revolut.com' },
    lifetime: undefined,
    needsIssued: false,
    roots: {},
  }
  return jwtFlaws(scalarText(params['client_assertion']), wish, provider.now())[0]
}

const word = (_: Stage, tokens: Fields) => json(200, { ...tokens, token_type: 'bearer' })

const common = { format: 'form', proof, word, lifetime: 2399 } as const

export const revolutBusiness: Accent = {
  secret: 'key',
  mode: playedIn({
    exchange: {
      ...common,
      fixed: { grant_type: ['authorization_code'] },
      redirectUri: 'free',
      against: (params, { redirectUri }) => {
        const { host, hostname } = new URL(redirectUri ?? 'https://nowhere.example')
        const isOwn = [host, hostname].includes(String(issuerOf(params)))
        return isOwn ? [] : [`the iss of the client_assertion is not ${hostname}, the host of the redirect URI`]
      },
    },
    renewal: { ...common, at: 'refresh_url', fixed: { grant_type: ['refresh_token'] }, rotation: 'kept' },
  }),
}
