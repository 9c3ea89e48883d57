import { createHash, createHmac, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import { expect, test } from 'vitest'
import { isSigned, readJwt } from '../../../src/sandbox/twin/jwt.ts'
import { passwordDigest } from '../../../src/sandbox/twin/modes/signature.ts'
import { formatMoment, movedMoment } from '../../../src/sandbox/twin/moment.ts'
import { oauth1Flaw } from '../../../src/sandbox/twin/oauth1.ts'
import { signatureFlaw } from '../../../src/sandbox/twin/sigv4.ts'
import type { Call } from '../../../src/sandbox/twin/stage.ts'
import { type Fields, openForTest, send, sendForm, sendJson } from './twin.ts'

const callOf = (method: string, url: string, headers: Fields, body = ''): Call => ({
  method,
  url: new URL(url),
  query: new URL(url).search.slice(1),
  headers,
  body,
  bytes: Buffer.from(body),
})

test('accepts the signature of RFC 5849 §1.2, and no other', () => {
  const header = (signature: string) =>
    'OAuth realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03", oauth_token="nnch734d00sl2jdk", ' +
    `oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131202", oauth_nonce="chapoH", oauth_signature="${signature}"`
  const judge = (signature: string, url = 'http://photos.example.net/photos?file=vacation.jpg&size=original') =>
    oauth1Flaw(
      callOf('GET', url, { authorization: header(signature) }),
      {
        consumerKey: 'dpf43f3p2l4k3l03',
        consumerSecret: 'kd94hf93k423kf44',
        token: 'nnch734d00sl2jdk',
        tokenSecret: 'pfkkdhi9sl3r4s00',
        method: 'HMAC-SHA1',
        realm: 'Photos',
      },
      137_131_202_000,
      () => true,
    )
  expect(judge('MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D')).toBeUndefined()
  expect(judge('AdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D')).toContain('does not fit')
  expect(judge('MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D', 'http://photos.example.net/photos?file=x')).toContain('does not fit')
})

const example = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const scope = 'AKIDEXAMPLE/20150830/us-east-1/service/aws4_request'
const then = Date.parse('2015-08-30T12:36:00Z')

test.each([
  ['get-vanilla', 'GET', '/', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
  [
    'get-vanilla-query-order-key-case',
    'GET',
    '/?Param2=value2&Param1=value1',
    'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  ],
  ['post-vanilla', 'POST', '/', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
])('accepts the AWS test vector %s, and no other signature', (_, method, path, signature) => {
  const judge = (value: string, now = then) =>
    signatureFlaw(
      callOf(method, `https://example.amazonaws.com${path}`, {
        'x-amz-date': '20150830T123600Z',
        authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host;x-amz-date, Signature=${value}`,
      }),
      { ...example, region: 'us-east-1', service: 'service' },
      now,
    )
  expect(judge(signature)).toBeUndefined()
  expect(judge(signature.replace(/^./, (one) => (one === '0' ? '1' : '0')))).toContain('does not fit')
  expect(judge(signature, then + 301_000)).toContain('more than five minutes off')
})

test('accepts the JWS of RFC 7515 Appendix A.1, and every algorithm for its own key alone', () => {
  const key = Buffer.from(
    'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
    'base64url',
  )
  const published =
    'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt' +
    'cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
  const jwt = readJwt(published)
  if (!jwt) throw new Error('not read')
  expect(isSigned(jwt, 'HS256', key)).toBe(true)
  expect(isSigned(jwt, 'HS256', Buffer.from('x'))).toBe(false)
  expect(isSigned(jwt, 'none', key)).toBe(false)

  const pem = (key: { export(options: { type: 'pkcs8'; format: 'pem' }): string | Buffer }) =>
    String(key.export({ type: 'pkcs8', format: 'pem' }))
  const rsa = pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)
  const curve = pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
  const edwards = pem(generateKeyPairSync('ed25519').privateKey)
  const signed = Buffer.from(jwt.signed)
  const made = {
    RS256: sign('sha256', signed, rsa),
    PS256: sign('sha256', signed, { key: rsa, padding: 6, saltLength: 32 }),
    ES256: sign('sha256', signed, { key: curve, dsaEncoding: 'ieee-p1363' }),
    EdDSA: sign(null, signed, createPrivateKey(edwards)),
  }
  for (const [algorithm, signature] of Object.entries(made)) {
    for (const other of Object.keys(made)) {
      const own = other === 'ES256' ? curve : other === 'EdDSA' ? edwards : rsa
      expect([algorithm, other, isSigned({ ...jwt, signature }, other, own)]).toEqual([
        algorithm,
        other,
        algorithm === other,
      ])
    }
  }
  const der = sign('sha256', signed, curve)
  expect(isSigned({ ...jwt, signature: der }, 'ES256', curve)).toBe(false)
})

test('writes moments as dayjs does', () => {
  const time = Date.parse('2026-03-05T07:08:09.012Z')
  expect(formatMoment(time, 'YYYY-MM-DDTHH:mm:ss')).toBe('2026-03-05T07:08:09')
  expect(formatMoment(time, 'YYYYMMDDTHHmmss[Z]')).toBe('20260305T070809Z')
  expect(formatMoment(time, 'ddd, DD MMM YYYY HH:mm:ss ZZ')).toBe('Thu, 05 Mar 2026 07:08:09 +0000')
  expect(formatMoment(time, 'X x M/D/YY h:m:s A SSS')).toBe('1772694489 1772694489012 3/5/26 7:8:9 AM 012')
  expect(movedMoment(time, 7, 'days')).toBe(time + 7 * 86_400_000)
  expect(new Date(movedMoment(Date.parse('2026-01-31'), 1, 'month') ?? 0).toISOString()).toMatch(/^2026-02-28/)
  expect(movedMoment(time, 1, 'eras')).toBeUndefined()
})

const jwtTemplate = {
  auth_mode: 'JWT',
  signature: { protocol: 'EC' },
  token: {
    signing_key: '${credentials.key}',
    expires_in_ms: 900_000,
    header: { alg: 'ES256', kid: '${credentials.id}', typ: 'JWT' },
    payload: { iss: '${credentials.id}', aud: 'acme-v1' },
  },
  credentials: { key: { secret: true }, id: { example: 'K7' } },
  proxy: { base_url: 'https://api.acme.example' },
}

test('has its API verify the JWT that a client signed', async () => {
  const twin = await openForTest({ template: jwtTemplate })
  const now = Math.floor(Date.now() / 1000)
  const half = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const ask = async (changed: object, header: object = {}) => {
    const text = `${half({ alg: 'ES256', kid: 'K7', typ: 'JWT', ...header })}.${half({ iss: 'K7', aud: 'acme-v1', iat: now, exp: now + 900, ...changed })}`
    const key = { key: twin.issued.params['key'] ?? '', dsaEncoding: 'ieee-p1363' as const }
    const token = `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`
    const { json } = await send(twin, 'https://api.acme.example/x', { headers: { authorization: `Bearer ${token}` } })
    return json.ok ? 'good' : json.message
  }
  expect(await ask({})).toBe('good')
  expect(await ask({ aud: 'x' })).toContain('the claim aud')
  expect(await ask({}, { kid: 'x' })).toContain('the header kid')
  expect(await ask({ iat: undefined })).toContain('has no iat')
  expect(await ask({ iat: now + 100, exp: now + 1000 })).toContain('issued in the future')
})

test('splits a key that is two values in one', async () => {
  const template = {
    ...jwtTemplate,
    signature: { protocol: 'HMAC' },
    token: {
      signing_key: '${credentials.key.secret}',
      expires_in_ms: 300_000,
      header: { alg: 'HS256', kid: '${credentials.key.id}' },
      payload: {},
    },
    credentials: { key: { pattern: '^[a-f0-9]{24}:[a-f0-9]{64}$' } },
    proxy: { base_url: 'https://api.acme.example', headers: { authorization: 'Ghost ${accessToken}' } },
  }
  const twin = await openForTest({ template })
  const [kid = '', secret = ''] = (twin.issued.params['key'] ?? '').split(':')
  const now = Math.floor(Date.now() / 1000)
  const half = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${half({ alg: 'HS256', kid })}.${half({ iat: now, exp: now + 300 })}`
  const token = `${text}.${createHmac('sha256', Buffer.from(secret, 'hex')).update(text).digest('base64url')}`
  const ask = (authorization: string) => send(twin, 'https://api.acme.example/x', { headers: { authorization } })
  expect((await ask(`Ghost ${token}`)).status).toBe(200)
  expect((await ask(`Bearer ${token}`)).status).toBe(401)
})

const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)

test('has NetSuite calls signed with the account as the realm, each nonce once', async () => {
  const template = {
    auth_mode: 'TBA',
    connection_config: { accountId: { example: 'tstdrv-23-x' } },
    proxy: { base_url: 'https://${connectionConfig.accountId}.acme.example' },
  }
  const twin = await openForTest({ template })
  const { token_id = '', token_secret = '' } = twin.issued.params
  // A nonce counts within its second: all that is asked here is of the same one.
  const oauth_timestamp = String(Math.floor(Date.now() / 1000))
  const ask = (realm: string, nonce: string) => {
    const own: Fields = {
      oauth_consumer_key: twin.issued.clientId ?? '',
      oauth_nonce: nonce,
      oauth_signature_method: 'HMAC-SHA256',
      oauth_timestamp,
      oauth_token: token_id,
      oauth_version: '1.0',
    }
    const params = Object.entries({ ...own, 'a b': "it's", c: 'ü' }).map(([name, value]) => [
      encode(name),
      encode(value),
    ])
    const sorted = params.sort(([a = ''], [b = '']) => (a < b ? -1 : 1)).map((pair) => pair.join('='))
    const text = ['POST', 'https://tstdrv-23-x.acme.example/r', sorted.join('&')].map(encode).join('&')
    const key = `${encode(twin.issued.clientSecret ?? '')}&${encode(token_secret)}`
    const oauth_signature = createHmac('sha256', key).update(text).digest('base64')
    const header = Object.entries({ ...own, oauth_signature }).map(([name, value]) => `${name}="${encode(value)}"`)
    const authorization = `OAuth realm="${realm}", ${header.join(', ')}`
    return sendForm(twin, 'https://tstdrv-23-x.acme.example/r?a%20b=it%27s', { c: 'ü' }, { authorization })
  }
  expect((await ask('TSTDRV_23-X', 'n1')).status).toBe(200)
  expect((await ask('TSTDRV_23-X', 'n1')).json.message).toContain('oauth_nonce was used before')
  expect((await ask('tstdrv-23-x', 'n2')).json.message).toContain('realm is another')
})

test('logs in at Bill and wants session and developer key', async () => {
  const url = 'https://gateway.acme.example/connect/v3/login'
  const template = { auth_mode: 'BILL', token_url: url, proxy: { base_url: 'https://gateway.acme.example/connect' } }
  const twin = await openForTest({ template })
  const { username, password, organization_id: organizationId, dev_key: devKey = '' } = twin.issued.params
  const good = { username, password, organizationId, devKey }
  expect((await sendJson(twin, url, { ...good, devKey: 'x' })).json.error_description).toContain('devKey is another')
  const { json } = await sendJson(twin, url, good)
  expect(json).toEqual({ sessionId: expect.stringMatching(/^access_/), organizationId, userId: expect.any(String) })
  const ask = (headers: Fields) => send(twin, 'https://gateway.acme.example/connect/v3/bills', { headers })
  expect((await ask({ sessionId: json.sessionId, devKey })).status).toBe(200)
  expect((await ask({ sessionId: json.sessionId })).status).toBe(401)
  expect((await ask({ sessionId: 'x', devKey })).status).toBe(401)
})

test('verifies a WSSE token for as long as it is fresh', async () => {
  const template = {
    auth_mode: 'SIGNATURE',
    signature: { protocol: 'WSSE' },
    token: { expires_in_ms: 300_000 },
    proxy: { base_url: 'https://api.acme.example', headers: { 'x-wsse': '${accessToken}' } },
  }
  const twin = await openForTest({ template, answers: { username: 'robin', password: 'secret' } })
  const nonce = 'd36e316282959a9ed4c89851497a717f'
  const ask = async (created: string, digest: string, user = 'robin') => {
    const token = `UsernameToken Username="${user}", PasswordDigest="${digest}", Nonce="${nonce}", Created="${created}"`
    return (await send(twin, 'https://api.acme.example/x', { headers: { 'x-wsse': token } })).status
  }
  const now = new Date().toISOString()
  const hex = createHash('sha1').update(`${nonce}${now}secret`).digest('hex')
  expect(passwordDigest(nonce, now, 'secret')).toBe(Buffer.from(hex).toString('base64'))
  expect(await ask(now, Buffer.from(hex).toString('base64'))).toBe(200)
  expect(await ask(now, Buffer.from(hex, 'hex').toString('base64'))).toBe(401)
  expect(await ask(now, Buffer.from(hex).toString('base64'), 'eve')).toBe(401)
  const old = new Date(Date.now() - 301_000).toISOString()
  expect(await ask(old, passwordDigest(nonce, old, 'secret'))).toBe(401)
})

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** A request signed as the documentation of Signature Version 4 describes it. */
function signed(
  keys: { id: string; secret: string; token?: string },
  to: { method: string; url: string; region: string; service: string; body?: string; headers?: Fields },
): { method: string; headers: Fields; body?: string } {
  const { method, region, service, body = '' } = to
  const url = new URL(to.url)
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
  const own: Fields = {
    ...to.headers,
    host: url.host,
    'x-amz-date': date,
    ...(keys.token && { 'x-amz-security-token': keys.token }),
    ...(service === 's3' && { 'x-amz-content-sha256': sha256(body) }),
  }
  const names = Object.keys(own).sort()
  const query = [...url.searchParams].map((pair) => pair.map(encode).join('=')).sort()
  const list = names.map((name) => `${name}:${own[name]}\n`).join('')
  const whole = [method, url.pathname, query.join('&'), list, names.join(';'), sha256(body)].join('\n')
  const day = date.slice(0, 8)
  const credential = `${day}/${region}/${service}/aws4_request`
  const mac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
  const key = [region, service, 'aws4_request'].reduce(mac, mac(`AWS4${keys.secret}`, day))
  const signature = mac(key, ['AWS4-HMAC-SHA256', date, credential, sha256(whole)].join('\n')).toString('hex')
  const { host: _, ...headers } = own
  const authorization = `AWS4-HMAC-SHA256 Credential=${keys.id}/${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`
  return { method, headers: { ...headers, authorization } as Fields, ...(body !== '' && { body }) }
}

const aws = {
  auth_mode: 'AWS_SIGV4',
  credentials: { role_arn: { example: 'arn:aws:iam::123456789012:role/AcmeRole' } },
  connection_config: { region: { example: 'eu-west-1', optional: true }, service: { automated: true } },
  integration_config: {
    service: { example: 's3' },
    stsMode: { enum: ['builtin', 'custom'], default_value: 'builtin' },
    awsAccessKeyId: { secret: true, visible_when: { field: 'stsMode', equals: 'builtin' } },
    awsSecretAccessKey: { secret: true, visible_when: { field: 'stsMode', equals: 'builtin' } },
    stsEndpointUrl: {
      example: 'https://sts.acme.example/assume',
      visible_when: { field: 'stsMode', equals: 'custom' },
    },
    stsAuthType: {
      enum: ['none', 'api_key'],
      default_value: 'none',
      visible_when: { field: 'stsMode', equals: 'custom' },
    },
    stsApiKey: { secret: true, visible_when: { field: 'stsAuthType', equals: 'api_key' } },
  },
  proxy: { base_url: 'https://${connectionConfig.service}.${connectionConfig.region}.amazonaws.com' },
}

const tag = (text: string, name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? ''

test('assumes a role with signed keys, and takes calls that its keys signed', async () => {
  const twin = await openForTest({ template: aws })
  const { awsAccessKeyId = '', awsSecretAccessKey = '', role_arn = '' } = twin.issued.params
  expect(awsAccessKeyId).toMatch(/^AKIA[0-9A-F]{16}$/)
  const sts = 'https://sts.eu-west-1.amazonaws.com/'
  const ask = (fields: Fields, keys: { id: string; secret: string; token?: string }) => {
    const body = String(new URLSearchParams({ Version: '2011-06-15', ...fields }))
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    return send(
      twin,
      sts,
      signed(keys, { method: 'POST', url: sts, region: 'eu-west-1', service: 'sts', body, headers }),
    )
  }
  const base = { id: awsAccessKeyId, secret: awsSecretAccessKey }
  const good = {
    Action: 'AssumeRole',
    RoleArn: role_arn,
    RoleSessionName: 'x1',
    ExternalId: 'e1',
    DurationSeconds: '3600',
  }
  const { status, text } = await ask(good, base)
  expect(status).toBe(200)
  expect((await ask({ ...good, RoleArn: 'x' }, base)).text).toContain('RoleArn is not the role')
  expect((await ask({ ...good, ExternalId: '' }, base)).text).toContain('ExternalId')
  expect((await ask(good, { ...base, secret: 'x' })).text).toContain('SignatureDoesNotMatch')

  const keys = { id: tag(text, 'AccessKeyId'), secret: tag(text, 'SecretAccessKey'), token: tag(text, 'SessionToken') }
  const who = await ask({ Action: 'GetCallerIdentity' }, keys)
  expect(tag(who.text, 'Arn')).toMatch(/:assumed-role\/AcmeRole\//)
  const url = 'https://s3.eu-west-1.amazonaws.com/bucket/a%20b?list-type=2'
  const call = (changed: object = {}) =>
    send(twin, url, signed({ ...keys, ...changed }, { method: 'GET', url, region: 'eu-west-1', service: 's3' }))
  expect((await call()).status).toBe(200)
  expect((await call({ secret: 'x' })).json.message).toContain('does not fit')
  expect((await call({ token: 'x' })).json.message).toContain('session token')
  const elsewhere = signed(keys, { method: 'GET', url, region: 'us-east-1', service: 's3' })
  expect((await send(twin, url, elsewhere)).json.message).toContain('for the region us-east-1')
})

test('plays a token service of one’s own', async () => {
  const twin = await openForTest({ template: aws, answers: { stsMode: 'custom', stsAuthType: 'api_key' } })
  const { stsApiKey = '', role_arn } = twin.issued.params
  expect(twin.issued.params).not.toHaveProperty('awsAccessKeyId')
  const ask = (key: string) => sendJson(twin, 'https://sts.acme.example/assume', { role_arn }, { 'x-api-key': key })
  expect((await ask('x')).status).toBe(401)
  expect((await ask(stsApiKey)).json).toMatchObject({
    accessKeyId: expect.stringMatching(/^ASIA/),
    sessionToken: expect.any(String),
  })
})

test('verifies calls that a template signs for AWS', async () => {
  const template = {
    auth_mode: 'BASIC',
    proxy: {
      base_url: 'https://iam.amazonaws.com',
      headers: {
        authorization: '${awsSigV4(${credentials.username}, ${credentials.password}, us-east-1, iam)}',
        'x-amz-date': '${now:YYYYMMDDTHHmmss[Z]}',
      },
    },
  }
  const twin = await openForTest({ template })
  const { username: id = '', password: secret = '' } = twin.issued.params
  const url = 'https://iam.amazonaws.com/?Action=ListUsers'
  const to = { method: 'GET', url, region: 'us-east-1', service: 'iam' }
  expect((await send(twin, url, signed({ id, secret }, to))).status).toBe(200)
  expect((await send(twin, url, signed({ id, secret: 'x' }, to))).status).toBe(401)
  expect((await send(twin, url, signed({ id, secret }, { ...to, service: 's3' }))).status).toBe(401)
})

test('verifies a signature over method, host, path and parameters', async () => {
  const date = '${now:ddd, DD MMM YYYY HH:mm:ss ZZ}'
  const template = {
    auth_mode: 'BASIC',
    proxy: {
      base_url: 'https://api.acme.example',
      headers: {
        date,
        authorization: `Basic \${base64(\${credentials.username}:\${hmacSha1Hex(${date}\n\${method}\n\${host}\n\${path}\n\${params}, \${credentials.password})})}`,
      },
    },
  }
  const twin = await openForTest({ template, answers: { username: 'robin', password: 'secret' } })
  const now = formatMoment(Date.now(), 'ddd, DD MMM YYYY HH:mm:ss ZZ')
  const ask = async (path: string, params: string, secret = 'secret') => {
    const text = [now, 'GET', 'api.acme.example', '/a', params].join('\n')
    const hash = createHmac('sha1', secret).update(text).digest('hex')
    const authorization = `Basic ${Buffer.from(`robin:${hash}`).toString('base64')}`
    return (await send(twin, `https://api.acme.example${path}`, { headers: { date: now, authorization } })).status
  }
  expect(await ask('/a?b=2&a=x%20y', 'a=x%20y&b=2')).toBe(200)
  expect(await ask('/a?b=2', 'b=3')).toBe(401)
  expect(await ask('/a', '', 'other')).toBe(401)
})

test('verifies an Ed25519 signature over the message that the template spells out', async () => {
  const message = '"@method": ${method}\n"@target": https://${host}${path}\n"created": ${now:X}'
  const template = {
    auth_mode: 'BASIC',
    proxy: {
      base_url: 'https://api.acme.example',
      headers: { 'x-created': '${now:X}', signature: `sig=:\${ed25519Sign(${message}, \${credentials.password})}:` },
    },
  }
  const twin = await openForTest({ template })
  const created = Math.floor(Date.now() / 1000)
  const ask = async (path: string, at = created) => {
    const text = `"@method": GET\n"@target": https://api.acme.example/a\n"created": ${created}`
    const made = sign(null, Buffer.from(text), twin.issued.params['password'] ?? '').toString('base64')
    const headers = { 'x-created': String(at), signature: `sig=:${made}:` }
    return (await send(twin, `https://api.acme.example${path}`, { headers })).status
  }
  expect(await ask('/a')).toBe(200)
  expect(await ask('/b')).toBe(401)
  expect(await ask('/a', created - 1)).toBe(401)
})
