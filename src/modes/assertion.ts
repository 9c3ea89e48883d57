import type { Scope } from '../fill/scope.ts'
import { TemplateError } from '../model/errors.ts'
import type { Tell } from '../model/event.ts'
import type { AssertionWords } from '../model/provider.ts'
import type { World } from '../model/world.ts'
import { claimsIn } from '../signing/jwt.ts'
import { samlAssertion, samlEnd } from '../signing/saml.ts'
import { randomUuid } from '../wire/authorization.ts'
import { filledValue, type Login, scopeOf } from './login.ts'
import { badKey, keyOf, signedClaims } from './sign.ts'

/** Milliseconds before its end at which an assertion is not used any more. */
const margin = 60_000

/** Whether an assertion may be sent once more; one that does not say when it ends may not. */
export function isGoodStill(assertion: string, now: Date): boolean {
  const end = endOf(assertion)
  return end !== undefined && end - now.getTime() > margin
}

/** When an assertion is over, in milliseconds since the epoch; undefined where it does not say. */
export function endOf(assertion: string): number | undefined {
  const exp = claimsIn(assertion)?.['exp']
  return typeof exp === 'number' ? exp * 1000 : samlEnd(assertion)
}

/** Makes the template's `assertion`. Throws UsageError `BAD_FLAG`, `MISSING_INPUT`; TemplateError `TEMPLATE_INVALID`. */
export async function madeAssertion(world: World, login: Login, words: AssertionWords, tell: Tell): Promise<string> {
  const made = words.type === 'saml' ? await saml(world, login, words) : jwt(world, login, words, tell)
  return world.secrets.learn(made)
}

function jwt(world: World, login: Login, words: AssertionWords, tell: Tell): string {
  const { token } = signedClaims(world, login, tell, {
    field: 'assertion',
    keyField: 'assertion.key',
    key: words.key ?? '',
    header: words.header ?? {},
    payload: words.payload ?? {},
    lifetimeInSeconds: lifetime(words, 3600),
    usual: 'RS256',
    hmacEncoding: login.template.signature?.hmac_secret_encoding === 'utf8' ? 'utf8' : 'hex',
  })
  return token
}

async function saml(world: World, login: Login, words: AssertionWords): Promise<string> {
  const scope = scopeOf(login, world)
  const text = (name: 'issuer' | 'nameIdentifier' | 'recipient' | 'sessionIndex'): string | undefined => {
    const filled = filledValue(`assertion.${name}`, words[name], login, scope, 'left out')
    return filled === undefined ? undefined : String(filled)
  }
  const key = words.key === undefined ? undefined : keyOf(login, 'assertion.key', words.key, scope)
  if (key !== undefined) world.secrets.learn(key)
  const issuer = text('issuer')
  if (issuer === undefined)
    throw new TemplateError('TEMPLATE_INVALID', 'assertion.issuer of the template is missing.', {
      hint: 'Write who vouches: the issuer that the provider expects.',
    })
  const made = await samlAssertion(
    {
      id: `_${randomUuid(world.random)}`,
      issuer,
      nameIdentifier: text('nameIdentifier'),
      audiences: audiencesOf(words, login, scope),
      recipient: text('recipient'),
      sessionIndex: text('sessionIndex'),
      attributes: attributesOf(words, login, scope),
      now: world.clock.now(),
      lifetimeInSeconds: lifetime(words, 300),
    },
    key,
  )
  if ('why' in made) throw badKey(login, 'assertion.key', words.key ?? '', made.why)
  return made.assertion
}

function audiencesOf({ audiences }: AssertionWords, login: Login, scope: Scope): readonly string[] {
  const filled = filledValue('assertion.audiences', [audiences ?? []].flat(), login, scope, 'left out')
  return Array.isArray(filled) ? filled.map(String) : []
}

function attributesOf(
  { attributes = {} }: AssertionWords,
  login: Login,
  scope: Scope,
): Readonly<Record<string, unknown>> {
  return filledValue('assertion.attributes', attributes, login, scope, 'left out') as Readonly<Record<string, unknown>>
}

function lifetime({ lifetimeInSeconds }: AssertionWords, usual: number): number {
  const seconds = Math.floor(Number(lifetimeInSeconds ?? usual))
  return seconds > 0 && seconds < 10_000_000_000 ? seconds : usual
}
