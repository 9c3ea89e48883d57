import { type Connection, givenOf } from '../model/connection.ts'
import { TemplateError, UsageError } from '../model/errors.ts'
import type { Header } from '../model/event.ts'
import type { Integration } from '../model/integration.ts'
import type { Template } from '../model/provider.ts'
import type { World } from '../model/world.ts'
import { wsseToken } from '../signing/wsse.ts'
import type { Attempt, Obtained } from './mode.ts'

export const authMode = 'SIGNATURE'

/** A token that we make ourselves from a user name and a secret (WSSE); it lives for minutes and is made again. */
export async function obtain(
  world: World,
  { credentials: given, params, endpoints, provider }: Integration,
  _attempt: Attempt,
  keep: (obtained: Obtained) => Promise<void>,
): Promise<void> {
  await keep(made(world, provider.template, given, { params, endpoints }))
}

export async function renew(world: World, { snapshot, credential, params }: Connection): Promise<Obtained> {
  return made(world, snapshot.template, givenOf(credential), { params, endpoints: snapshot.endpoints })
}

/** As a bearer token, where the template does not say where else. */
export function carry({ credential }: Connection): readonly Header[] {
  return credential.accessToken === undefined ? [] : [['authorization', `Bearer ${credential.accessToken}`]]
}

/** Milliseconds that a token lives where the template does not say. */
const usualLife = 300_000

function made(
  { clock, random, secrets }: Pick<World, 'clock' | 'random' | 'secrets'>,
  template: Template,
  given: Readonly<Record<string, string>>,
  rest: Pick<Obtained, 'params' | 'endpoints'>,
): Obtained {
  assertProtocol(template)
  const { username = '', password = '', ...more } = given
  if (/["\\\r\n]/.test(username))
    throw new UsageError('BAD_FLAG', 'The user name stands between quotes in a header and may not hold any.', {})
  const now = clock.now()
  const accessToken = wsseToken({
    username,
    password,
    nonce: Buffer.from(random(16)).toString('hex'),
    created: now.toISOString().replace(/\.\d+Z$/, 'Z'),
  })
  // What gives it away stands in its digest; the rest of the header is no secret.
  secrets.learn(accessToken)
  return {
    credential: {
      type: authMode,
      username,
      password,
      ...(Object.keys(more).length === 0 ? {} : { given: more }),
      accessToken,
      obtainedAt: now.toISOString(),
      expiresAt: new Date(now.getTime() + lifeOf(template)).toISOString(),
    },
    ...rest,
    renewal: 'again',
  }
}

function lifeOf(template: Template): number {
  const life = (template['token'] as { readonly expires_in_ms?: unknown } | undefined)?.expires_in_ms
  return typeof life === 'number' && life > 0 ? life : usualLife
}

function assertProtocol(template: Template): void {
  const { protocol = 'WSSE' } = (template['signature'] ?? {}) as { readonly protocol?: unknown }
  if (protocol === 'WSSE') return
  throw new TemplateError(
    'TEMPLATE_INVALID',
    `signature.protocol is ${JSON.stringify(protocol)}, which SIGNATURE does not know.`,
    {
      hint: 'Write WSSE; a token signed with RSA, EC or HMAC is auth_mode JWT.',
    },
  )
}
