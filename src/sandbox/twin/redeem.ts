import type { Answer } from '../answer.ts'
import { endFamily, isExpired, type PendingCode } from '../provider.ts'
import { verifierFlaw } from '../token.ts'
import { grantTokens, refused, type Wording } from './grants.ts'
import type { Stage } from './stage.ts'

/** What a client brings to have a code redeemed. */
export interface Brought {
  readonly code: string | undefined
  readonly redirectUri: string | undefined
  readonly verifier: string | undefined
}

/** How strict the provider is about what the code is bound to, and what it hands out. */
export interface Terms {
  readonly word: Wording
  /** The redirect URI need not be said again; one that is has to be right. */
  readonly takesNoRedirectUri?: boolean | undefined
  /** The verifier need not come, whatever the challenge was; one that comes has to be right. */
  readonly takesNoVerifier?: boolean | undefined
  readonly isRenewable?: boolean | undefined
  readonly lifetime?: number | undefined
  /** What else is wrong, by the authorization request. */
  readonly flaws?: (pending: PendingCode) => readonly string[]
}

/** Redeems an authorization code (RFC 6749 §4.1.3): once, soon, and by whom it was made for. */
export function redeemCode(stage: Stage, brought: Brought, terms: Terms): Answer {
  const { provider } = stage
  const invalid = (flaw: string): Answer => refused([flaw], 'invalid_grant')
  const pending = provider.codes.get(brought.code ?? '')
  if (!pending) return invalid('this code was not issued here')
  if (pending.used) {
    endFamily(provider, pending.grant.family)
    return invalid('this code was used before; what was issued for it is revoked')
  }
  if (isExpired(provider, pending.expires)) return invalid('the authorization code has expired')
  const flaw = bindingFlaw(pending, brought, terms)
  if (flaw !== undefined) return invalid(flaw)
  const flaws = terms.flaws?.(pending) ?? []
  if (flaws.length > 0) return refused(flaws)
  return grantTokens(stage, pending.grant, {
    at: 'token',
    isRenewable: terms.isRenewable ?? true,
    word: terms.word,
    lifetime: terms.lifetime,
    done: () => {
      pending.used = true
      return undefined
    },
  })
}

function bindingFlaw(pending: PendingCode, { redirectUri, verifier }: Brought, terms: Terms): string | undefined {
  const mayLackUri = terms.takesNoRedirectUri === true && redirectUri === undefined
  if (!mayLackUri && pending.redirectUri !== redirectUri) {
    return 'redirect_uri is not the one of the authorization request'
  }
  if (terms.takesNoVerifier === true && verifier === undefined) return undefined
  return verifierFlaw(pending, verifier ?? null)?.replace(/\.$/, '')
}
