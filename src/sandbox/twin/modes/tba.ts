import { fieldsOf, scalarText } from '../fields.ts'
import { oauth1Flaw } from '../oauth1.ts'
import type { Admission, Call, Stage, TwinMode } from '../stage.ts'

/** The account as NetSuite writes it into a realm: upper case, its first hyphen an underscore. */
const realmOf = (account: string): string => account.toUpperCase().replace('-', '_')

function admit(stage: Stage, call: Call): Admission {
  const { issued, variants } = stage.part
  const account = scalarText(fieldsOf(variants[0]['connectionConfig'])['accountId'])
  const flaw = oauth1Flaw(
    call,
    {
      consumerKey: issued.clientId ?? '',
      consumerSecret: issued.clientSecret ?? '',
      token: issued.params['token_id'] ?? '',
      tokenSecret: issued.params['token_secret'] ?? '',
      method: 'HMAC-SHA256',
      realm: account === undefined ? undefined : realmOf(account),
    },
    stage.provider.now(),
    (mark) => stage.provider.ledger.claim(mark),
  )
  return flaw === undefined ? { family: `self ${stage.part.name}` } : { flaw }
}

/** Token-based authentication: each call is signed with OAuth 1.0a (RFC 5849, but with HMAC-SHA256). */
export const tba: TwinMode = { admit }
