import { type Answer, json } from '../../answer.ts'
import { isSame } from '../../seal.ts'
import type { Fields } from '../fields.ts'
import { refused } from '../grants.ts'
import { playedIn } from '../manner.ts'
import { inBody, nothing } from '../proofs.ts'
import { type Call, type Endpoint, headerOf, type Stage } from '../stage.ts'
import type { Accent } from './accent.ts'
import { graphError, holderOf, longLived, unknownToken } from './meta.ts'

/** Exchanges the short-lived token of the log-in; asks for the secret, but not for the id. */
function lengthen(stage: Stage, call: Call, prefix: string): Answer {
  const query = call.url.searchParams
  const flaws = [
    ...(query.get('grant_type') === `${prefix}_exchange_token` ? [] : [`grant_type is not ${prefix}_exchange_token`]),
    ...(isSame(query.get('client_secret') ?? '', stage.part.issued.clientSecret ?? '')
      ? []
      : ['client_secret is not the secret of this client']),
  ]
  const holder = holderOf(stage, query.get('access_token') ?? bearerOf(call))
  if (flaws.length > 0) return graphError('', `${flaws.join('; ')}.`, 400)
  return holder === undefined ? graphError('', 'the access token is unknown.', 400) : longLived(stage, holder, 'token')
}

const bearerOf = (call: Call): string | undefined => /^bearer (.+)$/i.exec(headerOf(call, 'authorization') ?? '')?.[1]

function renew(stage: Stage, params: Fields): Answer {
  const holder = holderOf(stage, params['access_token'])
  if (holder === undefined) return unknownToken()
  return holder.isLong ? longLived(stage, holder, 'refresh') : refused(['only a long-lived token can be refreshed'])
}

/** Meta's log-ins for one app: a token of an hour, exchanged for one of sixty days, which is renewed by itself. */
function loginOf(prefix: string, graph: string): Accent {
  const also = (stage: Stage): readonly Endpoint[] => [
    {
      what: 'where tokens are made to last',
      url: new URL(`${graph}/access_token`),
      methods: ['GET'],
      answer: (call) => lengthen(stage, call, prefix),
    },
  ]
  return {
    pkce: 'optional',
    mode: playedIn({
      exchange: {
        format: 'form',
        proof: inBody,
        fixed: { grant_type: ['authorization_code'] },
        verifier: 'free',
        isRenewable: false,
        word: (_, { access_token, error, error_description }) =>
          json(200, { access_token, user_id: 17_841_400_000_000, error, error_description }),
      },
      renewal: {
        at: 'refresh_url',
        methods: ['GET'],
        format: 'query',
        proof: nothing,
        fixed: { grant_type: [`${prefix}_refresh_token`] },
        token: 'access_token',
        answer: renew,
      },
      also,
      refuse: graphError,
    }),
  }
}

export const instagram: Accent = loginOf('ig', 'https://graph.instagram.com')

export const threads: Accent = loginOf('th', 'https://graph.threads.net')
