import { at, captured } from '../answers/member.ts'
import { type Connection, type Credential, givenOf } from '../model/connection.ts'
import type { Setting } from '../model/dialect.ts'
import { UsageError } from '../model/errors.ts'
import type { Header, Tell } from '../model/event.ts'
import type { AnswerSource, Integration } from '../model/integration.ts'
import type { Provider, Template } from '../model/provider.ts'
import type { ClientCertificate, World } from '../model/world.ts'
import { certificateFlaw, pemBlocks } from '../signing/certificate.ts'
import type { Talk, Tokens } from '../wire/oauth.ts'
import { assertSecure } from '../wire/secure.ts'
import { lateEndpoint } from './late.ts'
import type { Attempt, Obtained } from './mode.ts'
import { answersOf, known } from './talk.ts'

export const authMode = 'OAUTH2_CC'

/** The client credentials grant (RFC 6749 §4.4), and what templates write in its place: no person, no browser. */
export async function obtain(
  world: World,
  integration: Integration,
  attempt: Attempt,
  keep: (obtained: Obtained) => Promise<void>,
): Promise<void> {
  const { credentials: given, provider } = integration
  const obtained = await issue(world, attempt, 'token', { ...integration, given, title: provider.title })
  tellLifetime(obtained.credential, provider, attempt.tell)
  await keep(obtained)
}

/** The same grant once more, from the connection's own snapshot: there is no refresh token (RFC 6749 §4.4.3). */
export async function renew(world: World, connection: Connection, attempt: Attempt): Promise<Obtained> {
  const { snapshot, params, scopes, credential, provider: name } = connection
  const { template } = snapshot
  return issue(world, attempt, 'refresh', {
    ...snapshot,
    provider: { name, template },
    title: template.display_name ?? name,
    params,
    given: givenOf(credential),
    scopes: scopes.requested,
    scopesFrom: scopes.overridden ? 'flag' : 'template',
  })
}

/** RFC 6750 §2.1: in the header, nowhere else. */
export function carry({ credential }: Connection): readonly Header[] {
  return credential.accessToken === undefined ? [] : [['authorization', `Bearer ${credential.accessToken}`]]
}

/** Calls show the certificate that the token was had with. */
export function certificate({ credential }: Connection): ClientCertificate | undefined {
  return certificateIn(givenOf(credential))
}

/** A client that asks for a token, whether for the first time or again. */
interface Applicant
  extends Pick<Integration, 'client' | 'endpoints' | 'params' | 'scopes' | 'tokenParams' | 'allowHttp'> {
  readonly provider: Pick<Provider, 'name' | 'template'>
  readonly title: string
  readonly given: Readonly<Record<string, string>>
  readonly scopesFrom: AnswerSource
}

async function issue(
  world: World,
  attempt: Attempt,
  stage: 'token' | 'refresh',
  applicant: Applicant,
): Promise<Obtained> {
  const { endpoints, given, params, provider, allowHttp } = applicant
  const { template } = provider
  assertSecure(known(endpoints.token), allowHttp, 'token_url')
  const { grantClient } = await import('../wire/oauth.ts')
  const scope = scopesOf(applicant).join(template.scope_separator ?? ' ')
  const tokens = await grantClient(talkOf(applicant, attempt, stage), stage, scope)
  const learned = captured(template.token_response_metadata, (path) => at(tokens.raw, path))
  const answers = { ...learned, ...filledIn(params) }
  return {
    credential: credentialOf(tokens, template, given, world),
    granted: tokens.scopes,
    params: answers,
    endpoints: {
      ...endpoints,
      api: endpoints.api ?? lateEndpoint(applicant, 'proxy.base_url', template.proxy?.base_url, answers, attempt.tell),
    },
    renewal: 'again',
  }
}

function talkOf(applicant: Applicant, attempt: Attempt, stage: 'token' | 'refresh'): Talk {
  const { client, endpoints, given, params, provider, title, allowHttp, tokenParams } = applicant
  const { template } = provider
  const setting: Setting = {
    template,
    endpoints,
    params,
    given,
    scopes: applicant.scopes,
    grant: 'client_credentials',
    tokenParams,
  }
  return {
    server: { issuer: undefined, tokenEndpoint: known(endpoints.token) },
    client,
    key: given['client_private_key'],
    party: {
      title,
      clientId: client.id,
      clientSecret: client.secret,
      authentication: client.authentication,
      redirectUri: '',
      isAlone: true,
      answers: answersOf(template, params),
    },
    line: attempt.speech.line(stage, setting, certificateIn(given)),
    allowHttp,
  }
}

/** The connection's own scopes, where its template asks for them, unless others were chosen for this run. */
function scopesOf({ params, scopes, scopesFrom }: Applicant): readonly string[] {
  const own = (params['oauth_scopes'] ?? '').split(/[\s,]+/).filter((scope) => scope !== '')
  return own.length === 0 || scopesFrom === 'flag' ? scopes : own
}

function filledIn(params: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== ''))
}

/** Milliseconds that a token is taken to live when nobody says. */
const assumedLife = 55 * 60 * 1000

function credentialOf(
  tokens: Tokens,
  template: Template,
  given: Readonly<Record<string, string>>,
  { clock, secrets }: Pick<World, 'clock' | 'secrets'>,
): Credential {
  const now = clock.now()
  secrets.learn(tokens.accessToken)
  if (tokens.refreshToken !== undefined) secrets.learn(tokens.refreshToken)
  const said =
    tokens.expiresIn === undefined ? tokens.expiresAt : new Date(now.getTime() + tokens.expiresIn * 1000).toISOString()
  const life = assumedLifeOf(template)
  const assumed = life === 0 ? undefined : new Date(now.getTime() + life).toISOString()
  const expiresAt = said ?? assumed
  return {
    type: authMode,
    ...(Object.keys(given).length === 0 ? {} : { given }),
    accessToken: tokens.accessToken,
    tokenType: tokens.tokenType,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    obtainedAt: now.toISOString(),
    raw: tokens.raw,
  }
}

/** Milliseconds; 0 where the template says that tokens do not expire. */
function assumedLifeOf(template: Template): number {
  const own = template['token_expires_in_ms']
  return typeof own === 'number' && Number.isFinite(own) && own >= 0 ? own : assumedLife
}

/** An expiry that nobody told is a guess of ours, and is told as one. */
function tellLifetime(
  { obtainedAt, expiresAt, raw }: Credential,
  { template, title }: Pick<Provider, 'template' | 'title'>,
  tell: Tell,
): void {
  if (typeof template['token_expires_in_ms'] === 'number' || expiresAt === undefined) return
  const life = Date.parse(expiresAt) - Date.parse(obtainedAt)
  const isSaid = typeof raw === 'object' && raw !== null && /"\.?expir/i.test(JSON.stringify(raw))
  if (life !== assumedLife || isSaid) return
  tell({
    type: 'warning',
    code: 'LIFETIME_ASSUMED',
    message: `${title} did not say how long the token lives: 55 minutes are assumed`,
  })
}

/** Throws UsageError `BAD_CERTIFICATE`. */
function certificateIn(given: Readonly<Record<string, string>>): ClientCertificate | undefined {
  const { client_certificate: cert = '', client_private_key: key = '' } = given
  if (cert === '') return undefined
  const pair = { cert: pemBlocks(cert), key: pemBlocks(key) }
  const flaw = certificateFlaw(pair.cert, pair.key)
  if (flaw === undefined) return pair
  throw new UsageError('BAD_CERTIFICATE', `The client certificate cannot be used: ${flaw}.`, {
    hint: 'Give client_certificate and client_private_key as PEM: file:PATH, env:NAME, or - for stdin.',
  })
}
