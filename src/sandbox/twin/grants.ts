import { createHmac } from 'node:crypto'
import { type Answer, json, oauthError } from '../answer.ts'
import { faultNamed, type Mischief } from '../faults.ts'
import { endFamily, type Grant, isDue, issueTokens, mintId, readToken, type TokenClaims } from '../provider.ts'
import { atPath, type Fields, parsedFields, withPath } from './fields.ts'
import { rawNames } from './issue.ts'
import { readJwt } from './jwt.ts'
import { claimsInToken, toldInToken } from './look-ups.ts'
import type { Admission, Stage } from './stage.ts'

/** How a mode words its good answer. What it is given is the answer of RFC 6749 §5.1. */
export type Wording = (tokens: Fields) => Answer

/** A refusal of a token endpoint that names everything that is wrong. */
export function refused(flaws: readonly string[], error = 'invalid_request', status = 400): Answer {
  return oauthError(status, error, `${flaws.join('; ')}.`)
}

/** Whose a token of this stage is. */
export const clientOf = (stage: Stage): string => clientNamed(stage, stage.part.issued.clientId ?? '')

export const clientNamed = (stage: Stage, id: string): string => `${stage.part.name}:${id}`

/** A grant that no person gave: the twin's own fault goes with it. */
export function newGrant(stage: Stage, scopes: readonly string[], fault = stage.provider.fault?.name): Grant {
  return { family: mintId(), client: clientOf(stage), scopes, fault }
}

/** The fault of a grant, where it shows at this kind of request. */
function dueFault(stage: Stage, at: Mischief['at'], grant: Grant): Mischief | undefined {
  const fault = faultNamed(grant.fault)
  return fault?.at === at && isDue(stage.provider, fault, grant.family) ? fault : undefined
}

/**
 * Answers a token request that was judged good, with the tokens of a grant or the fault that is due. `done` runs once
 * nothing refuses any more: what can be used only once is used up there, and what it answers is final.
 */
export function grantTokens(
  stage: Stage,
  grant: Grant,
  options: {
    readonly at: 'token' | 'refresh'
    readonly isRenewable: boolean
    readonly word: Wording
    /** Seconds that access tokens live; an hour by default. */
    readonly lifetime?: number | undefined
    readonly done?: (fault: Mischief | undefined) => Answer | undefined
  },
): Answer {
  const fault = dueFault(stage, options.at, grant)
  if (fault?.refuse) return fault.refuse()
  const refusal = options.done?.(fault)
  if (refusal !== undefined) return refusal
  const isRenewable = options.isRenewable && fault?.keepsRefreshToken !== true
  const lifetime = faultNamed(grant.fault)?.lifetime ?? options.lifetime
  const tokens = issueTokens(stage.provider, grant, { lifetime, renewable: isRenewable })
  return reworded(fault, tokens, options.word)
}

/** The fault's wording in the dialect of the mode, as far as it is still JSON. */
function reworded(fault: Mischief | undefined, tokens: Fields, word: Wording): Answer {
  const plain = fault?.reword?.(tokens)
  if (plain === undefined) return word(tokens)
  const isJson = plain.headers['content-type'] === 'application/json'
  const fields = isJson ? parsedFields(plain.body) : undefined
  return fields === undefined ? plain : { ...plain, ...word(fields) }
}

/**
 * What becomes of a refresh token when it is used. `spent`: it is replaced, and using it again ends its grant (RFC 9700
 * §4.14.2). `kept`: it stays, and no other comes. `doubled`: another comes, and both are good.
 */
export type Rotation = 'spent' | 'kept' | 'doubled'

/** The refresh grant (RFC 6749 §6). */
export function renewGrant(
  stage: Stage,
  token: string,
  word: Wording,
  options: {
    readonly lifetime?: number | undefined
    readonly rotation?: Rotation | undefined
    /** Instead of what was granted. */
    readonly scopes?: readonly string[] | undefined
  } = {},
): Answer {
  const { lifetime, rotation = 'spent' } = options
  const { provider } = stage
  const claims = tokenOf(stage, 'refresh', token)
  if (!claims) return refused(['this refresh token is unknown, expired or revoked'], 'invalid_grant')
  const { family, client, fault } = claims
  return grantTokens(
    stage,
    { family, client, scopes: options.scopes ?? claims.scopes, fault },
    {
      at: 'refresh',
      isRenewable: rotation !== 'kept',
      word,
      lifetime,
      done: (due) => {
        if (rotation !== 'spent' || due?.keepsRefreshToken || provider.ledger.claim(`used:${claims.id}`))
          return undefined
        endFamily(provider, family)
        return refused(['this refresh token was used before; all that came of its grant is revoked'], 'invalid_grant')
      },
    },
  )
}

/** What a token of this twin says while it is good. */
export function tokenOf(stage: Stage, kind: 'access' | 'refresh', token: string): TokenClaims | undefined {
  const claims = readToken(stage.provider, kind, token)
  return claims?.client === clientOf(stage) ? claims : undefined
}

/** Judges a token that this twin sealed. */
export function checkSealed(stage: Stage, token: string): Admission {
  const claims = tokenOf(stage, 'access', withoutClaims(stage, token) ?? '')
  if (!claims) return { flaw: 'the access token is unknown, expired or revoked' }
  return { fault: claims.fault, family: claims.family }
}

/** A sealed token in a JWT that tells what clients of this provider read there. */
function withClaims({ part, provider }: Stage, sealed: unknown): unknown {
  const claims = claimsInToken(part)
  if (claims === undefined || typeof sealed !== 'string') return sealed
  const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded({ ...claims, jti: sealed })}`
  return `${signed}.${createHmac('sha256', provider.key).update(signed).digest('base64url')}`
}

/** The sealed token within; undefined where it is not as it was issued. */
function withoutClaims(stage: Stage, token: string): string | undefined {
  if (claimsInToken(stage.part) === undefined) return token
  const sealed = readJwt(token)?.claims['jti']
  return typeof sealed === 'string' && withClaims(stage, sealed) === token ? sealed : undefined
}

/** An answer of RFC 6749 §5.1 with what the template says that the provider adds. */
export function bearerAnswer(stage: Stage, tokens: Fields): Answer {
  return json(200, withMetadata(stage, tokens))
}

/** The answer with everything that the template copies from it. */
export function withMetadata(stage: Stage, answer: Fields): Fields {
  const { template, issued } = stage.part
  const told = template['token_response_metadata']
  const keys = Array.isArray(told) ? told.filter((key) => typeof key === 'string') : []
  const values = [
    ...keys.map((key): [string, unknown] => [key, issued.brought[key] ?? issued.params[key]]),
    ...Object.entries(rawNames(template, issued)),
    ...Object.entries(toldInToken(stage.part)),
  ]
  return values.reduce(
    (whole, [path, value]) =>
      value === undefined || atPath(whole, path) !== undefined ? whole : withPath(whole, path, value),
    'access_token' in answer ? { ...answer, access_token: withClaims(stage, answer['access_token']) } : answer,
  )
}
