import { type Connection, givenOf } from '../model/connection.ts'
import { ProviderError, UsageError } from '../model/errors.ts'
import type { Header } from '../model/event.ts'
import type { Endpoints, Integration } from '../model/integration.ts'
import type { Provider } from '../model/provider.ts'
import type { World } from '../model/world.ts'
import { awsAuthorization, awsDate, awsPayloadHash } from '../signing/aws.ts'
import { randomUuid } from '../wire/authorization.ts'
import { headerOf } from '../wire/record.ts'
import { lateEndpoint } from './late.ts'
import type { Attempt, Moment, Obtained, Unsigned } from './mode.ts'
import { assumeRole, callerArn, type Role, type TemporaryKeys } from './sts.ts'

export const authMode = 'AWS_SIGV4'

/** Every request is signed. */
export const signs = true

/** Temporary keys for somebody's role (AWS Security Token Service), which then sign each call. */
export async function obtain(
  world: World,
  integration: Integration,
  attempt: Attempt,
  keep: (obtained: Obtained) => Promise<void>,
): Promise<void> {
  const { credentials, provider } = integration
  const externalId = credentials['external_id'] ?? ''
  const isNew = externalId === ''
  const given = { ...credentials, external_id: isNew ? randomUuid(world.random) : externalId }
  if (isNew) tellExternalId(given.external_id, attempt)
  const applicant = { ...integration, given, title: provider.title }
  const obtained = await issue(world, attempt, applicant, 'token').catch((error: unknown) => {
    throw isNew ? withExternalId(error, given.external_id) : error
  })
  await keep(obtained)
}

/** The role once more, with what the connection holds. */
export async function renew(world: World, connection: Connection, attempt: Attempt): Promise<Obtained> {
  const { snapshot, params, credential, provider: name } = connection
  const { template } = snapshot
  const provider = { name, template }
  const title = template.display_name ?? name
  return issue(world, attempt, { ...snapshot, provider, title, params, given: givenOf(credential) }, 'refresh')
}

/** AWS Signature Version 4 over the request as it will be sent, the session's token and the body's hash included. */
export function carry({ credential, params }: Connection, request: Unsigned, { now }: Moment): readonly Header[] {
  const { captured: keys = {} } = credential
  const url = new URL(request.url)
  const body = request.body ?? ''
  const session = keys['session_token'] ?? ''
  const headers = {
    'x-amz-content-sha256': awsPayloadHash(body),
    ...(session === '' ? {} : { 'x-amz-security-token': session }),
  }
  const authorization = awsAuthorization({
    keyId: keys['access_key_id'] ?? '',
    secret: keys['secret_access_key'] ?? '',
    region: params['region'] ?? '',
    service: params['service'] ?? '',
    host: url.host,
    method: request.method,
    path: url.pathname,
    query: url.search.slice(1),
    body,
    contentType: headerOf(request.headers, 'content-type'),
    headers,
    now,
  })
  return [['authorization', authorization], ['x-amz-date', awsDate(now)], ...Object.entries(headers)]
}

/** Whoever would act in a role, for the first time or again. */
interface Applicant extends Pick<Integration, 'params' | 'endpoints' | 'allowHttp'> {
  readonly provider: Pick<Provider, 'name' | 'template'>
  readonly title: string
  readonly given: Readonly<Record<string, string>>
}

async function issue(
  world: World,
  attempt: Attempt,
  applicant: Applicant,
  purpose: 'token' | 'refresh',
): Promise<Obtained> {
  const { given, params, endpoints, provider } = applicant
  const role = roleOf(world, applicant)
  const keys = await assumeRole(world, attempt, role, purpose)
  await assertRole(world, attempt, role, keys)
  const answers = { ...params, region: role.region, service: role.service }
  const baseUrl = provider.template.proxy?.base_url
  const complete: Endpoints = {
    ...endpoints,
    sts: role.endpoint,
    api: lateEndpoint(applicant, 'proxy.base_url', baseUrl, answers, attempt.tell),
  }
  return {
    credential: {
      type: authMode,
      given,
      accessToken: keys.sessionToken === '' ? keys.accessKeyId : keys.sessionToken,
      captured: {
        access_key_id: keys.accessKeyId,
        secret_access_key: keys.secretAccessKey,
        session_token: keys.sessionToken,
      },
      obtainedAt: world.clock.now().toISOString(),
      expiresAt: keys.expiresAt,
      raw: keys.raw,
    },
    params: answers,
    endpoints: complete,
    renewal: 'again',
  }
}

/** Letters, digits and hyphens: it becomes part of a host. */
const regionRule = /^[a-z0-9-]{1,64}$/

function roleOf({ env }: Pick<World, 'env'>, { given, params, title, allowHttp }: Applicant): Role {
  const region = params['region'] || given['defaultRegion'] || ''
  const service = given['service'] || params['service'] || ''
  if (region === '') throw missing('region', 'AWS has regions, and none is given.')
  if (!regionRule.test(region))
    throw new UsageError('BAD_FLAG', 'The region is letters, digits and hyphens, such as us-east-1.', {
      hint: 'Give it with --region.',
    })
  if (service === '') throw missing('service', 'Signatures are for one service, and none is given.')
  const arn = given['role_arn'] ?? ''
  if (!/^arn:[\w-]+:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(arn))
    throw new UsageError('BAD_FLAG', 'The role is given as its ARN, arn:aws:iam::123456789012:role/Name.', {
      hint: 'Give it with --role-arn.',
    })
  const stsUrl = env['AWS_ENDPOINT_URL_STS'] || `https://sts.${region}.${domainOf(region)}`
  const isCustom = given['stsMode'] === 'custom'
  if (!isCustom && (!given['awsAccessKeyId'] || !given['awsSecretAccessKey']))
    throw missing('aws-access-key-id', 'Assuming a role takes the keys of somebody who may.')
  const endpoint = isCustom ? (given['stsEndpointUrl'] ?? '') : stsUrl
  if (!URL.canParse(endpoint)) throw missing('sts-endpoint-url', 'A custom STS needs its URL.')
  return {
    arn,
    externalId: given['external_id'] ?? '',
    region,
    service,
    endpoint,
    identityEndpoint: stsUrl,
    custom: isCustom ? given : undefined,
    keys: { accessKeyId: given['awsAccessKeyId'] ?? '', secretAccessKey: given['awsSecretAccessKey'] ?? '' },
    title,
    allowHttp,
  }
}

/** The domain of a region's partition. */
function domainOf(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
}

function missing(key: string, why: string): UsageError {
  return new UsageError('MISSING_INPUT', why, { hint: `Give it with --${key}.` })
}

/** The keys must be those of the role that was asked for, whoever handed them out. */
async function assertRole(world: World, attempt: Attempt, role: Role, keys: TemporaryKeys): Promise<void> {
  const arn = await callerArn(world, attempt, role, keys)
  const [, kind, name] = /:(assumed-role)\/([^/]+)\//.exec(arn) ?? []
  const wanted = role.arn.split('/').at(-1)
  if (kind !== undefined && name === wanted) return
  throw new ProviderError('ROLE_MISMATCH', `The keys are not those of the role ${wanted}.`, {
    facts: [['They are those of', arn]],
    hint: 'Nothing was saved. Check which role the STS endpoint assumes.',
  })
}

function tellExternalId(externalId: string, { tell }: Attempt): void {
  tell({
    type: 'warning',
    code: 'EXTERNAL_ID',
    message: `A new external id was made: ${externalId}`,
    hint: 'The role must trust it: put it into the trust policy as the condition sts:ExternalId.',
  })
}

/** Until the role trusts it a new external id is refused, and the next run would make another. */
function withExternalId(error: unknown, externalId: string): unknown {
  if (!(error instanceof ProviderError)) return error
  return new ProviderError(error.code, error.message, {
    words: error.words,
    status: error.status,
    facts: error.facts,
    cause: error,
    hint: `Put the external id ${externalId} into the role's trust policy (sts:ExternalId), then connect again with --external-id ${externalId}.`,
  })
}
