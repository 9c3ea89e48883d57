import { type Answer, json } from '../../answer.ts'
import { readToken, type TokenClaims } from '../../provider.ts'
import { unseal } from '../../seal.ts'
import { scalarText } from '../fields.ts'
import { checkSealed, clientOf, tokenOf } from '../grants.ts'
import { playedIn } from '../manner.ts'
import { inBody } from '../proofs.ts'
import type { Admission, Stage } from '../stage.ts'
import type { Accent } from './accent.ts'

const lifetimeDays = 30

const dayOf = (stage: Stage): number => Math.floor(stage.provider.now() / 86_400_000)

const refuse = (_: string, message: string): Answer => json(200, { result: '5001', message })

/** Every token of the grant lives for another thirty days. */
function renew(stage: Stage, params: Readonly<Record<string, unknown>>): Answer {
  const claims = tokenOf(stage, 'refresh', scalarText(params['refresh_token']) ?? '')
  if (claims === undefined) return refuse('', 'this refresh token is unknown, expired or revoked.')
  stage.provider.ledger.claim(`renewed:${claims.family}:${dayOf(stage)}`)
  return json(200, { result: '0000', message: 'OK' })
}

function checkToken(stage: Stage, token: string): Admission {
  if (readToken(stage.provider, 'access', token) !== undefined) return checkSealed(stage, token)
  const claims = unseal<TokenClaims>(stage.provider.key, 'access', token)
  const isOurs = claims?.client === clientOf(stage) && !stage.provider.ledger.has(`family:${claims.family}`)
  const today = dayOf(stage)
  const days = Array.from({ length: lifetimeDays }, (_, ago) => today - ago)
  return claims && isOurs && days.some((day) => stage.provider.ledger.has(`renewed:${claims.family}:${day}`))
    ? { fault: claims.fault, family: claims.family }
    : checkSealed(stage, token)
}

/** Renewing brings no other token: the one that is there lives on. */
export const coros: Accent = {
  pkce: 'optional',
  mode: playedIn({
    exchange: {
      format: 'form',
      proof: inBody,
      fixed: { grant_type: ['authorization_code'] },
      verifier: 'free',
      lifetime: lifetimeDays * 86_400,
    },
    renewal: {
      at: 'refresh_url',
      format: 'form',
      proof: inBody,
      fixed: { grant_type: ['refresh_token'] },
      answer: renew,
    },
    checkToken,
    refuse,
  }),
}
