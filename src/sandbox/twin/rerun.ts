import type { Answer } from '../answer.ts'
import { grantTokens, newGrant, type Wording } from './grants.ts'
import type { Stage } from './stage.ts'

const issuedMark = (stage: Stage): string => `issued ${stage.part.name}`

/**
 * Tokens for a customer who gets them by asking again, not by a refresh token. The second time counts as a refresh, for
 * the faults that show there.
 */
export function rerun(
  stage: Stage,
  scopes: readonly string[],
  word: Wording,
  options: { readonly isRenewable?: boolean; readonly lifetime?: number | undefined } = {},
): Answer {
  const { teased } = stage.provider
  // One family for all, so that a fault that teases once does so once.
  const grant = { ...newGrant(stage, scopes), family: `self ${stage.part.name}` }
  return grantTokens(stage, grant, {
    at: teased.has(issuedMark(stage)) ? 'refresh' : 'token',
    isRenewable: options.isRenewable ?? false,
    word,
    lifetime: options.lifetime,
    done: () => {
      teased.add(issuedMark(stage))
      return undefined
    },
  })
}
