import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it, test } from 'vitest'
import type { Given } from '../../src/look-up.ts'
import { refresh } from '../../src/refresh.ts'
import { type Hit, openProvider, type Reply, type Script } from '../support/provider.ts'
import { failure, openWorkshop } from '../support/world.ts'

const own = { id: 'AKIAOWNKEYOFTHISTEST', secret: 'Own+secret/of=this-test-0123456789' }
const temporary = {
  id: 'ASIATEMPORARYKEY0001',
  secret: 'Temp0rary+secret/of=this-test',
  token: 'S3ssion//token+of=this&test',
}
const roleArn = 'arn:aws:iam::123456789012:role/team/Reader'
const externalId = '1bdff5dc-1b49-4f1c-9880-4402f8cad9cb'
const answers = {
  service: 'execute-api',
  region: 'eu-west-1',
  role_arn: roleArn,
  awsAccessKeyId: own.id,
  awsSecretAccessKey: own.secret,
  external_id: externalId,
}
const text = (title: string, more = {}) => ({ type: 'string', title, ...more })

const template = (origin: string): Record<string, unknown> => ({
  display_name: 'Cloud',
  docs: 'https://cloud.example',
  auth_mode: 'AWS_SIGV4',
  proxy: { base_url: `${origin}/\${connectionConfig.service}/\${connectionConfig.region}` },
  credentials: { role_arn: text('Role') },
  connection_config: { region: text('Region', { optional: true }), service: text('', { automated: true }) },
  integration_config: {
    service: text('Service', { pattern: '^[a-z0-9-]+$' }),
    defaultRegion: text('Default region', { optional: true }),
    stsMode: text('STS mode', { enum: ['builtin', 'custom'], default_value: 'builtin', optional: true }),
    awsAccessKeyId: text('Key id', {
      secret: true,
      optional: true,
      visible_when: { field: 'stsMode', equals: 'builtin' },
    }),
    awsSecretAccessKey: text('Key', {
      secret: true,
      optional: true,
      visible_when: { field: 'stsMode', equals: 'builtin' },
    }),
    stsEndpointUrl: text('URL', { optional: true, visible_when: { field: 'stsMode', equals: 'custom' } }),
    stsAuthType: text('Auth', {
      enum: ['none', 'api_key', 'basic'],
      default_value: 'none',
      optional: true,
      visible_when: { field: 'stsMode', equals: 'custom' },
    }),
    stsAuthHeader: text('Header', {
      default_value: 'x-api-key',
      optional: true,
      visible_when: { field: 'stsAuthType', equals: 'api_key' },
    }),
    stsApiKey: text('Key', { secret: true, visible_when: { field: 'stsAuthType', equals: 'api_key' } }),
    stsAuthUsername: text('User', { optional: true, visible_when: { field: 'stsAuthType', equals: 'basic' } }),
    stsAuthPassword: text('Password', { secret: true, visible_when: { field: 'stsAuthType', equals: 'basic' } }),
  },
})

const expiration = new Date(Date.now() + 3_600_000).toISOString()
const assumed = (): Reply => ({
  headers: { 'content-type': 'text/xml' },
  body: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
    <AccessKeyId>${temporary.id}</AccessKeyId><SecretAccessKey>${temporary.secret}</SecretAccessKey>
    <SessionToken>${temporary.token.replaceAll('&', '&amp;')}</SessionToken><Expiration>${expiration}</Expiration>
    </Credentials></AssumeRoleResult></AssumeRoleResponse>`,
})
const identity = (role = 'Reader'): Reply => ({
  headers: { 'content-type': 'text/xml' },
  body: `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::123456789012:assumed-role/${role}/auth-cli-1</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`,
})

/** Whether a request is signed with these keys, by the service's own reckoning of the bytes that came. */
function isSigned(hit: Hit, keys: { id: string; secret: string }, search = ''): boolean {
  const [, id, scope = '', names = '', signature] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), SignedHeaders=([^,]+), Signature=(\w+)$/.exec(
      hit.headers.authorization ?? '',
    ) ?? []
  const hash = (value: string): string => createHash('sha256').update(value).digest('hex')
  const headers = names.split(';').map((name) => `${name}:${hit.headers[name]}\n`)
  const path = hit.path.split('/').map(encodeURIComponent).join('/')
  const canonical = [hit.method, path, search, headers.join(''), names, hash(hit.body)].join('\n')
  const key = scope
    .split('/')
    .reduce<string | Buffer>((k, part) => createHmac('sha256', k).update(part).digest(), `AWS4${keys.secret}`)
  const toSign = ['AWS4-HMAC-SHA256', hit.headers['x-amz-date'], scope, hash(canonical)].join('\n')
  return id === keys.id && createHmac('sha256', key).update(toSign).digest('hex') === signature
}

/** AWS's token service and an API, both on loopback. */
async function openCloud(assume: Script = assumed, who: Script = () => identity()) {
  const cloud = await openProvider({
    routes: {
      '/': (hit) => (hit.form.get('Action') === 'AssumeRole' ? assume(hit) : who(hit)),
      '/own': assume,
      '/execute-api/eu-west-1/items': () => ({ body: { items: [] } }),
    },
  })
  const workshop = openWorkshop({
    templates: { cloud: template(cloud.origin) },
    env: { AWS_ENDPOINT_URL_STS: cloud.origin },
  })
  const connect = (more: Readonly<Record<string, string>> = {}, given: Given = {}) =>
    workshop.connect('cloud', { params: { ...answers, ...more }, ...given })
  const leaks = (): string[] => {
    const told = workshop.told()
    const secrets = [own.secret, own.id, ...Object.values(temporary)]
    return secrets
      .flatMap((one) => [one, encodeURIComponent(one), JSON.stringify(one).slice(1, -1)])
      .filter((one) => told.includes(one))
  }
  return { ...cloud, workshop, connect, leaks }
}

describe('AWS’s own token service', () => {
  it('gives keys for the role, which are tried and then sign each call, body and session included', async () => {
    const { workshop, hits, connect, leaks, origin } = await openCloud()
    const { connection } = await connect()
    expect(Object.fromEntries(hits[0]?.form ?? [])).toEqual({
      Action: 'AssumeRole',
      Version: '2011-06-15',
      RoleArn: roleArn,
      RoleSessionName: expect.stringMatching(/^auth-cli-[0-9a-f]{12}$/),
      DurationSeconds: '3600',
      ExternalId: externalId,
    })
    expect(hits[1]?.form.get('Action')).toBe('GetCallerIdentity')
    expect(hits[1]?.headers['x-amz-security-token']).toBe(temporary.token)
    expect([isSigned(hits[0] as Hit, own), isSigned(hits[1] as Hit, temporary)]).toEqual([true, true])
    expect(connection).toMatchObject({
      params: { region: 'eu-west-1', service: 'execute-api' },
      credential: {
        type: 'AWS_SIGV4',
        given: { role_arn: roleArn, external_id: externalId },
        captured: { access_key_id: temporary.id, session_token: temporary.token },
        expiresAt: expiration,
      },
      snapshot: { renewal: 'again', endpoints: { api: `${origin}/execute-api/eu-west-1` } },
    })
    await workshop.request('cloud', { target: '/items?b=2&a=x%20y' })
    await workshop.request('cloud', {
      method: 'POST',
      target: '/items',
      headers: [['content-type', 'application/json']],
      body: '{"name":"ü"}',
    })
    expect(isSigned(hits[2] as Hit, temporary, 'a=x%20y&b=2')).toBe(true)
    expect(isSigned(hits[3] as Hit, temporary)).toBe(true)
    expect(hits[3]?.headers.authorization).toContain(
      '/eu-west-1/execute-api/aws4_request, SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token,',
    )
    expect(leaks()).toEqual([])
  })

  it('is asked again when the keys grow old', async () => {
    const { workshop, hits, connect } = await openCloud()
    await connect()
    const again = await refresh(workshop.world, 'cloud', { force: true })
    expect(hits.map(({ form }) => form.get('Action'))).toEqual([
      'AssumeRole',
      'GetCallerIdentity',
      'AssumeRole',
      'GetCallerIdentity',
    ])
    expect(hits[2]?.form.get('ExternalId')).toBe(externalId)
    expect(again.credential.given).toMatchObject({ external_id: externalId })
  })

  it('hears of a new external id where none is given, which the person is told and the connection keeps', async () => {
    const { workshop, hits, connect } = await openCloud()
    const { connection } = await connect({ external_id: '' })
    const made = connection.credential.given?.['external_id'] ?? ''
    expect(made).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/)
    expect(hits[0]?.form.get('ExternalId')).toBe(made)
    expect(workshop.events).toContainEqual(
      expect.objectContaining({ code: 'EXTERNAL_ID', message: expect.stringContaining(made) }),
    )
    const { external_id: _, ...without } = answers
    await workshop.connect('cloud', { params: without })
    expect(hits[2]?.form.get('ExternalId')).toBe(made)
  })

  it('refuses with its own words, and the person learns which external id to trust', async () => {
    const { connect, leaks } = await openCloud(() => ({
      status: 403,
      headers: { 'content-type': 'text/xml' },
      body: '<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>',
    }))
    const error = await failure(connect({ external_id: '' }))
    expect(error).toMatchObject({
      code: 'ACCESS_DENIED',
      status: 403,
      words: 'not authorized to perform: sts:AssumeRole',
      hint: expect.stringMatching(/--external-id [0-9a-f-]{36}\.$/),
    })
    expect(leaks()).toEqual([])
  })

  it('is not believed where the keys are another role’s', async () => {
    const { workshop, connect } = await openCloud(assumed, () => identity('Writer'))
    expect(await failure(connect())).toMatchObject({ code: 'ROLE_MISMATCH', exitCode: 4 })
    expect(await workshop.world.store.connections.read('cloud')).toBeUndefined()
  })

  test.each<[string, Readonly<Record<string, string>>, string]>([
    ['no region', { region: '' }, 'MISSING_INPUT'],
    ['a region that is none', { region: 'eu.evil/x' }, 'BAD_FLAG'],
    ['a role that is no ARN', { role_arn: 'Reader' }, 'BAD_FLAG'],
    ['no keys', { awsAccessKeyId: '' }, 'MISSING_INPUT'],
  ])('is not asked with %s', async (_, more, code) => {
    const { hits, connect } = await openCloud()
    expect(await failure(connect(more))).toMatchObject({ code, exitCode: 2 })
    expect(hits).toEqual([])
  })

  it('takes the region of the integration where the connection has none', async () => {
    const { hits, connect } = await openCloud()
    const { connection } = await connect({ region: '', defaultRegion: 'eu-west-1' })
    expect(connection.params['region']).toBe('eu-west-1')
    expect(hits[0]?.headers.authorization).toContain('/eu-west-1/sts/aws4_request')
  })
})

describe('a token service of one’s own', () => {
  const names: Record<string, Record<string, unknown>> = {
    camel: {
      accessKeyId: temporary.id,
      secretAccessKey: temporary.secret,
      sessionToken: temporary.token,
      expiresAt: expiration,
    },
    snake: {
      access_key_id: temporary.id,
      secret_access_key: temporary.secret,
      session_token: temporary.token,
      expires_at: expiration,
    },
    'AWS’s': {
      AccessKeyId: temporary.id,
      SecretAccessKey: temporary.secret,
      SessionToken: temporary.token,
      Expiration: Date.parse(expiration) / 1000,
    },
    wrapped: {
      credentials: {
        accessKeyId: temporary.id,
        secretAccessKey: temporary.secret,
        sessionToken: temporary.token,
        expiration,
      },
    },
  }
  test.each(Object.entries(names))('answers in JSON by %s names', async (_, body) => {
    const { hits, connect, leaks, origin } = await openCloud(() => ({ body }))
    const { connection } = await connect({ stsMode: 'custom', stsEndpointUrl: `${origin}/own` })
    expect(JSON.parse(hits[0]?.body ?? '')).toEqual({
      role_arn: roleArn,
      external_id: externalId,
      region: 'eu-west-1',
      service: 'execute-api',
    })
    expect(connection.credential.captured).toEqual({
      access_key_id: temporary.id,
      secret_access_key: temporary.secret,
      session_token: temporary.token,
    })
    expect(Math.abs(Date.parse(connection.credential.expiresAt ?? '') - Date.parse(expiration))).toBeLessThan(1000)
    expect(isSigned(hits[1] as Hit, temporary)).toBe(true)
    expect(leaks()).toEqual([])
  })

  test.each<[string, Readonly<Record<string, string>>, [string, string] | undefined]>([
    ['nothing', { stsAuthType: 'none' }, undefined],
    ['a key', { stsAuthType: 'api_key', stsApiKey: 'Own-service-key-0123' }, ['x-api-key', 'Own-service-key-0123']],
    [
      'a key in a header of its own',
      { stsAuthType: 'api_key', stsAuthHeader: 'X-My-Key', stsApiKey: 'Own-service-key-0123' },
      ['x-my-key', 'Own-service-key-0123'],
    ],
    [
      'a password',
      { stsAuthType: 'basic', stsAuthUsername: 'me', stsAuthPassword: 'Own-service-password' },
      ['authorization', `Basic ${Buffer.from('me:Own-service-password').toString('base64')}`],
    ],
  ])('is shown %s', async (_, more, header) => {
    const { workshop, hits, connect, origin } = await openCloud(() => ({
      body: { ...names['camel'], expiresAt: undefined },
    }))
    await connect({ stsMode: 'custom', stsEndpointUrl: `${origin}/own`, ...more })
    if (header === undefined) expect(hits[0]?.headers.authorization).toBeUndefined()
    else expect(hits[0]?.headers[header[0]]).toBe(header[1])
    expect(workshop.events).toContainEqual(expect.objectContaining({ code: 'LIFETIME_ASSUMED' }))
    expect(workshop.told()).not.toMatch(/Own-service/)
  })

  it('is refused where it sends elsewhere or gives no keys', async () => {
    const away = await openCloud(() => ({ status: 307, headers: { location: 'https://other.example/x' } }))
    expect(await failure(away.connect({ stsMode: 'custom', stsEndpointUrl: `${away.origin}/own` }))).toMatchObject({
      code: 'HTTP_307',
    })
    const empty = await openCloud(() => ({ body: { message: 'later' } }))
    expect(await failure(empty.connect({ stsMode: 'custom', stsEndpointUrl: `${empty.origin}/own` }))).toMatchObject({
      code: 'NO_ACCESS_TOKEN',
      words: 'later',
    })
    expect(await failure(empty.connect({ stsMode: 'custom', stsEndpointUrl: 'http://sts.example/own' }))).toMatchObject(
      { code: 'INSECURE_URL' },
    )
  })
})
