import { type Answer, json } from '../../answer.ts'
import { type Grant, readToken } from '../../provider.ts'
import { type Fields, scalarText } from '../fields.ts'
import { clientOf, grantTokens, refused } from '../grants.ts'
import type { Stage } from '../stage.ts'

export const longLife = 60 * 86_400

const longMark = 'long.'

/** The grant of an access token, while it is good; `isLong` where it was exchanged for one that lives for sixty days. */
export function holderOf(stage: Stage, token: unknown): (Grant & { readonly isLong: boolean }) | undefined {
  const claims = readToken(stage.provider, 'access', scalarText(token) ?? '')
  if (claims?.client !== clientOf(stage)) return undefined
  return { ...claims, isLong: claims.family.startsWith(longMark) }
}

/** A token that lives for sixty days, of the grant of another. Answers nothing but the token and its end. */
export function longLived(stage: Stage, grant: Grant, at: 'token' | 'refresh'): Answer {
  const family = grant.family.startsWith(longMark) ? grant.family : `${longMark}${grant.family}`
  const { client, scopes, fault } = grant
  return grantTokens(
    stage,
    { family, client, scopes, fault },
    { at, isRenewable: false, lifetime: longLife, word: ({ scope: _, ...tokens }) => json(200, bearer(tokens)) },
  )
}

/** The token type as Meta writes it. */
export const bearer = (tokens: Fields): Fields =>
  tokens['token_type'] === 'Bearer' ? { ...tokens, token_type: 'bearer' } : tokens

export const unknownToken = (): Answer => refused(['the access token is unknown, expired or revoked'], 'invalid_grant')

/** An error of the Graph API. */
export function graphError(_: string, message: string, status: number): Answer {
  const code = status === 401 ? 1 : 100
  return json(400, { error: { message, type: 'OAuthException', code, fbtrace_id: 'twin' } })
}
