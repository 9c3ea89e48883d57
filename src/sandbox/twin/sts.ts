import { createHash, createHmac } from 'node:crypto'
import type { Answer } from '../answer.ts'
import { tokenOf } from './grants.ts'
import { formParams } from './params.ts'
import { rerun } from './rerun.ts'
import { accessKeyOf, signatureFlaw } from './sigv4.ts'
import { type Call, headerOf, type Stage } from './stage.ts'
import { writeXml } from './xml.ts'

/** Keys that sign, and the token that has to come along with temporary ones. */
export interface AwsKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

const version = '2011-06-15'
const namespace = `https://sts.amazonaws.com/doc/${version}/`

/** The temporary keys that a session token stands for: whoever has sealed it can tell them again. */
function keysOf(stage: Stage, sessionToken: string): AwsKeys {
  const digest = createHash('sha256').update(sessionToken).digest('hex').toUpperCase()
  const secret = createHmac('sha256', stage.provider.key).update(`aws\n${sessionToken}`).digest('base64')
  return { accessKeyId: `ASIA${digest.slice(0, 16)}`, secretAccessKey: secret.slice(0, 40), sessionToken }
}

/** The temporary keys of a call, or why it has none. */
export function sessionOf(stage: Stage, call: Call): AwsKeys | { readonly flaw: string } {
  const token = headerOf(call, 'x-amz-security-token')
  if (token === undefined) return { flaw: 'x-amz-security-token is missing' }
  return tokenOf(stage, 'access', token)
    ? keysOf(stage, token)
    : { flaw: 'the session token is unknown, expired or of another' }
}

const xml = (status: number, fields: Readonly<Record<string, unknown>>): Answer => ({
  status,
  headers: { 'content-type': 'text/xml', 'cache-control': 'no-store' },
  body: writeXml(fields),
})

const failure = (status: number, code: string, message: string): Answer =>
  xml(status, {
    ErrorResponse: { $xmlns: namespace, Error: { Type: 'Sender', Code: code, Message: message }, RequestId: 'twin' },
  })

const metadata = { ResponseMetadata: { RequestId: 'twin' } }

/** The query API of the Security Token Service: `GetCallerIdentity`, and `AssumeRole` where there is a role. */
export function answerSts(stage: Stage, call: Call, base: AwsKeys, role: string | undefined): Answer {
  const read = formParams(call.method === 'POST' ? call.body : call.query, 'the request')
  if ('flaw' in read) return failure(400, 'MalformedInput', `${read.flaw}.`)
  const { params } = read
  const used = accessKeyOf(call) === base.accessKeyId ? base : sessionOf(stage, call)
  if ('flaw' in used) return failure(403, 'InvalidClientTokenId', `${used.flaw}.`)
  const flaw = signatureFlaw(call, { ...used, service: 'sts' }, stage.provider.now())
  if (flaw !== undefined) return failure(403, 'SignatureDoesNotMatch', `${flaw}.`)
  if (params['Version'] !== version) return failure(400, 'InvalidAction', `Version is not ${version}.`)
  if (params['Action'] === 'GetCallerIdentity') return identity(used, role)
  if (params['Action'] !== 'AssumeRole' || role === undefined) {
    return failure(400, 'InvalidAction', 'Action is neither AssumeRole nor GetCallerIdentity.')
  }
  const wrong = roleFlaw(params, role)
  return wrong === undefined ? assume(stage, params, role) : failure(400, 'ValidationError', `${wrong}.`)
}

function roleFlaw(params: Readonly<Record<string, unknown>>, role: string): string | undefined {
  const of = (name: string): string => String(params[name] ?? '')
  if (of('RoleArn') !== role) return 'RoleArn is not the role that was issued'
  if (!/^[\w+=,.@-]{2,64}$/.test(of('RoleSessionName'))) return 'RoleSessionName is missing or malformed'
  if (!/^[\w+=,.@:/-]{2,1224}$/.test(of('ExternalId'))) return 'ExternalId is missing or malformed'
  const seconds = Number(of('DurationSeconds'))
  return Number.isInteger(seconds) && seconds >= 900 && seconds <= 43_200
    ? undefined
    : 'DurationSeconds is not between 900 and 43200'
}

const accountOf = (role: string): string => role.split(':')[4] ?? '123456789012'

const assumed = (role: string, session: string): string =>
  `arn:aws:sts::${accountOf(role)}:assumed-role/${role.split('/').at(-1)}/${session}`

/** What temporary keys are made of, for a wording in XML or in JSON. */
export function credentialsOf(
  stage: Stage,
  tokens: Readonly<Record<string, unknown>>,
): Readonly<Record<string, string>> {
  const token = tokens['access_token']
  const seconds = tokens['expires_in']
  const ends = new Date(stage.provider.now() + Number(seconds) * 1000).toISOString()
  const keys = typeof token === 'string' ? keysOf(stage, token) : undefined
  return {
    ...(keys && { AccessKeyId: keys.accessKeyId, SecretAccessKey: keys.secretAccessKey }),
    ...(keys?.sessionToken !== undefined && { SessionToken: keys.sessionToken }),
    ...(seconds !== undefined && { Expiration: ends }),
  }
}

function assume(stage: Stage, params: Readonly<Record<string, unknown>>, role: string): Answer {
  const session = String(params['RoleSessionName'])
  const word = (tokens: Readonly<Record<string, unknown>>): Answer =>
    xml(200, {
      AssumeRoleResponse: {
        $xmlns: namespace,
        AssumeRoleResult: {
          AssumedRoleUser: { AssumedRoleId: `AROATWIN:${session}`, Arn: assumed(role, session) },
          Credentials: credentialsOf(stage, tokens),
        },
        ...metadata,
      },
    })
  return rerun(stage, [], word, { lifetime: Number(params['DurationSeconds']) })
}

function identity(keys: AwsKeys, role: string | undefined): Answer {
  const isTemporary = keys.sessionToken !== undefined && role !== undefined
  const account = accountOf(role ?? '')
  const arn = isTemporary ? assumed(role, 'twin') : `arn:aws:iam::${account}:user/twin`
  return xml(200, {
    GetCallerIdentityResponse: {
      $xmlns: namespace,
      GetCallerIdentityResult: { Arn: arn, UserId: isTemporary ? 'AROATWIN:twin' : 'AIDATWIN', Account: account },
      ...metadata,
    },
  })
}

/** Where the service listens: everywhere at one address, and in each region at its own. */
export const stsUrls = (region: string | undefined): readonly URL[] =>
  [...new Set(['sts', `sts.${region || 'us-east-1'}`, 'sts.us-east-1'])].map(
    (name) => new URL(`https://${name}.amazonaws.com/`),
  )
