import { type Answer, json, oauthError } from '../../answer.ts'
import type { Fields } from '../fields.ts'
import { playedIn } from '../manner.ts'
import { inBody, inBodyAs } from '../proofs.ts'
import type { Stage } from '../stage.ts'
import type { Accent } from './accent.ts'

/** An error is told by a code in the body of a good answer. */
const refuse = (error: string, message: string): Answer =>
  json(200, { code: error === 'invalid_client' ? 40_105 : 40_002, message, data: {} })

const enveloped = (data: Fields): Answer => json(200, { code: 0, message: 'OK', request_id: 'twin', data })

const ofAds = (_: Stage, { access_token }: Fields): Answer =>
  enveloped({ access_token, advertiser_ids: ['7000000000000000001'], scope: [4] })

/** One token that never ends, for the code that the callback has under two names. */
export const tiktokAds: Accent = {
  pkce: 'optional',
  mode: playedIn({
    exchange: {
      format: 'json',
      proof: inBodyAs('app_id', 'secret'),
      code: 'auth_code',
      redirectUri: 'free',
      verifier: 'free',
      isRenewable: false,
      lifetime: 3650 * 86_400,
      word: ofAds,
    },
    refuse,
    callback: (_, params) => params.set('auth_code', params.get('code') ?? ''),
  }),
}

function ofAccount(_: Stage, tokens: Fields): Answer {
  const { scope, ...rest } = tokens
  const renewing = rest['refresh_token'] === undefined ? {} : { refresh_token_expires_in: 31_536_000 }
  return enveloped({ ...rest, ...renewing, scope: String(scope ?? '').replaceAll(' ', ','), open_id: 'twin-open-id' })
}

const day = 86_400

export const tiktokAccounts: Accent = {
  pkce: 'optional',
  mode: playedIn({
    exchange: {
      format: 'json',
      proof: inBody,
      fixed: { grant_type: ['authorization_code'] },
      code: 'auth_code',
      verifier: 'free',
      lifetime: day,
      word: ofAccount,
    },
    renewal: {
      at: 'refresh_url',
      format: 'json',
      proof: inBody,
      fixed: { grant_type: ['refresh_token'] },
      lifetime: day,
      word: ofAccount,
    },
    refuse,
  }),
}

function ofPerson(_: Stage, tokens: Fields): Answer {
  const { scope, ...rest } = tokens
  const renewing = rest['refresh_token'] === undefined ? {} : { refresh_expires_in: 31_536_000 }
  return json(200, { ...rest, ...renewing, scope: String(scope ?? '').replaceAll(' ', ','), open_id: 'twin-open-id' })
}

const personal = {
  format: 'form',
  proof: inBodyAs('client_key', 'client_secret'),
  lifetime: day,
  word: ofPerson,
} as const

/** The client's id goes by another name here. */
export const tiktokPersonal: Accent = {
  pkce: 'hex',
  mode: playedIn({
    exchange: { ...personal, fixed: { grant_type: ['authorization_code'] }, verifier: 'free' },
    renewal: { ...personal, fixed: { grant_type: ['refresh_token'] } },
    refuse: (error, message, status) => oauthError(status, error, message),
  }),
}
