import { type Answer, json } from '../../answer.ts'
import { issueTokens, readToken } from '../../provider.ts'
import type { Fields } from '../fields.ts'
import { clientOf, refused, tokenOf } from '../grants.ts'
import { playedIn } from '../manner.ts'
import { inBody } from '../proofs.ts'
import type { Admission, Call, Endpoint, Stage } from '../stage.ts'
import type { Accent } from './accent.ts'

const clusters = ['rest', 'rest-west', 'rest-east', 'rest-emea', 'rest-apac']

const sessionOwner = (stage: Stage): string => `${clientOf(stage)}:session`

/** Gives a session of the REST API for an access token, which is good for nothing else. */
function signIn(stage: Stage, call: Call): Answer {
  const { searchParams: query } = call.url
  const claims = tokenOf(stage, 'access', query.get('access_token') ?? '')
  if (claims === undefined) return refused(['the access_token is unknown or expired'], 'invalid_token', 401)
  if (!query.get('version')) return refused(['there is no version'])
  const minutes = Number(query.get('ttl') ?? 10)
  if (!(minutes > 0 && minutes <= 10_080)) return refused(['ttl is no number of minutes within a week'])
  const { family, scopes, fault } = claims
  const grant = { family, client: sessionOwner(stage), scopes, fault }
  const tokens = issueTokens(stage.provider, grant, { renewable: false, lifetime: minutes * 60 })
  return json(200, { BhRestToken: tokens['access_token'], restUrl: stage.part.issued.brought['restUrl'] })
}

function checkToken(stage: Stage, token: string): Admission {
  const claims = readToken(stage.provider, 'access', token)
  return claims?.client === sessionOwner(stage)
    ? { fault: claims.fault, family: claims.family }
    : { flaw: 'this is not the token of a session that was opened at the REST log-in' }
}

function endpoints(stage: Stage): readonly Endpoint[] {
  return clusters.map((cluster) => ({
    what: 'the REST log-in',
    url: new URL(`https://${cluster}.bullhornstaffing.com/rest-services/login`),
    methods: ['POST', 'GET'],
    answer: (call: Call) => signIn(stage, call),
  }))
}

/** Where the session will be is told at the log-in alone. */
const word = (_: Stage, tokens: Fields): Answer => json(200, tokens)

const common = { format: 'query', proof: inBody, word, lifetime: 600 } as const

export const bullhorn: Accent = {
  mode: playedIn({
    exchange: { ...common, fixed: { grant_type: ['authorization_code'] }, redirectUri: 'free' },
    renewal: { ...common, fixed: { grant_type: ['refresh_token'] } },
    also: endpoints,
    checkToken,
  }),
}
