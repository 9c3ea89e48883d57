import { createHmac, generateKeyPairSync, type KeyObject, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { refresh } from '../../src/refresh.ts'
import { token } from '../../src/token.ts'
import { openProvider, type Script } from '../support/provider.ts'
import { failure, openWorkshop, type Workshop } from '../support/world.ts'

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()
const prompt = (more: Record<string, unknown> = {}) => ({ type: 'string', title: 'T', ...more })

interface Parts {
  readonly header: Record<string, unknown>
  readonly payload: Record<string, unknown>
  readonly input: Buffer
  readonly signature: Buffer
}

function partsOf(jwt: string): Parts {
  const [header = '', payload = '', signature = ''] = jwt.split('.')
  const json = (text: string) => JSON.parse(Buffer.from(text, 'base64url').toString()) as Record<string, unknown>
  return {
    header: json(header),
    payload: json(payload),
    input: Buffer.from(`${header}.${payload}`),
    signature: Buffer.from(signature, 'base64url'),
  }
}

/** An API that lets in whoever brings a token that this finds good. */
const judged =
  (isGood: (parts: Parts) => boolean, scheme = 'Bearer'): Script =>
  ({ headers }) => {
    const [said, jwt = ''] = (headers.authorization ?? '').split(' ')
    return said === scheme && isGood(partsOf(jwt)) ? { body: { ok: true } } : { status: 401, body: { error: 'no' } }
  }

const now = (): number => Math.floor(Date.now() / 1000)

describe('JWT', () => {
  const apple = (origin: string, more: Record<string, unknown> = {}) => ({
    display_name: 'Store',
    docs: 'https://s.example',
    auth_mode: 'JWT',
    signature: { protocol: 'EC' },
    token: {
      signing_key: '${credentials.privateKey}',
      expires_in_ms: 900_000,
      header: { alg: 'ES256', kid: '${credentials.keyId}' },
      payload: {
        iss: '${credentials.issuer}',
        aud: 'store-v1',
        scope: ['${connectionConfig.scope}'],
        sub: '${credentials.subject}',
        deep: { at: '${connectionConfig.scope}', n: 1 },
        nbf: '${now:X}',
      },
    },
    credentials: { issuer: prompt(), keyId: prompt(), privateKey: prompt(), subject: prompt({ optional: true }) },
    connection_config: { scope: prompt({ optional: true }) },
    proxy: { base_url: origin, verification: { endpoints: ['/me'] } },
    ...more,
  })
  const isGood = ({ input, signature }: Parts): boolean =>
    verify('sha256', input, { key: ec.publicKey, dsaEncoding: 'ieee-p1363' }, signature)
  const answers = { issuer: 'me', keyId: 'k1', privateKey: pemOf(ec.privateKey) }

  const secretsOf = (workshop: Workshop): void => {
    const body = pemOf(ec.privateKey).replace(/-----.*-----|\n/g, '')
    expect(workshop.told()).not.toContain(body.slice(0, 30))
    expect(workshop.told()).not.toMatch(/eyJ[\w-]{20}/)
  }

  it('signs a token with the key, tries it, saves it, and calls carry it', async () => {
    const { origin, hits } = await openProvider({ routes: { '/me': judged(isGood) } })
    const workshop = openWorkshop({ templates: { store: apple(origin) } })
    const { connection } = await workshop.connect('store', { params: { ...answers, scope: 'GET /a, GET /b' } })
    const { header, payload } = partsOf(connection.credential.accessToken ?? '')
    expect(header).toEqual({ alg: 'ES256', typ: 'JWT', kid: 'k1' })
    expect(payload).toEqual({
      iss: 'me',
      aud: 'store-v1',
      scope: ['GET /a', 'GET /b'],
      deep: { at: 'GET /a, GET /b', n: 1 },
      nbf: expect.any(Number),
      iat: expect.any(Number),
      exp: Number(payload['iat']) + 900,
    })
    expect(Math.abs(Number(payload['iat']) - now())).toBeLessThan(30)
    expect(Date.parse(connection.credential.expiresAt ?? '')).toBe(Number(payload['exp']) * 1000)
    expect(workshop.story()).toEqual([
      'flow.started',
      'answers.collected',
      'exchange',
      'credential.verified',
      'connection.saved',
      'flow.ended',
    ])
    expect((await workshop.request('store', { target: '/me' })).status).toBe(200)
    expect(hits).toHaveLength(2)
    secretsOf(workshop)
  })

  it('leaves out claims that nothing fills', async () => {
    const { origin } = await openProvider({ routes: { '/me': judged(isGood) } })
    const workshop = openWorkshop({ templates: { store: apple(origin) } })
    const { connection } = await workshop.connect('store', { params: { ...answers, subject: '' } })
    const { payload } = partsOf(connection.credential.accessToken ?? '')
    expect(Object.keys(payload).sort()).toEqual(['aud', 'deep', 'exp', 'iat', 'iss', 'nbf'])
    expect(payload['deep']).toEqual({ n: 1 })
    expect(workshop.events.filter((event) => event.type === 'warning')).toEqual([])
  })

  it('signs anew when the token is over, and nothing else is sent', async () => {
    let time = new Date()
    const { origin, hits } = await openProvider({ routes: { '/me': judged(isGood) } })
    const workshop = openWorkshop({ templates: { store: apple(origin) }, clock: { now: () => time } })
    const first = (await workshop.connect('store', { params: answers })).connection.credential.accessToken ?? ''
    expect((await token(workshop.world, 'store')).value).toBe(first)
    time = new Date(time.getTime() + 880_000)
    const second = (await token(workshop.world, 'store')).value
    expect(second).not.toBe(first)
    expect(partsOf(second).payload['iat']).toBe(Math.floor(time.getTime() / 1000))
    expect(isGood(partsOf(second))).toBe(true)
    expect(hits).toHaveLength(1)
    secretsOf(workshop)
  })

  it('saves nothing where the provider does not take the token', async () => {
    const { origin } = await openProvider({ routes: { '/me': judged(() => false) } })
    const workshop = openWorkshop({ templates: { store: apple(origin) } })
    expect(await failure(workshop.connect('store', { params: answers }))).toMatchObject({ code: 'VERIFICATION_FAILED' })
    expect(await workshop.world.store.connections.read('store')).toBeUndefined()
    secretsOf(workshop)
  })

  it('names the flag of a key that will not do, before anything is sent', async () => {
    const { origin, hits } = await openProvider()
    const workshop = openWorkshop({ templates: { store: apple(origin) } })
    const wrong = { ...answers, privateKey: pemOf(rsa.privateKey) }
    const error = await failure(workshop.connect('store', { params: wrong }))
    expect(error).toMatchObject({ code: 'BAD_FLAG', exitCode: 2 })
    expect(error.message).toBe('--private-key is an RSA key, and ES256 signs with an EC key on P-256.')
    expect(hits).toEqual([])
    expect(workshop.told()).not.toContain(pemOf(rsa.privateKey).slice(40, 80))
  })

  it('takes one answer of an id and a secret apart where the template asks for both', async () => {
    const [id, secret] = ['0123456789abcdef01234567', 'ab'.repeat(32)]
    const isHmac = ({ input, signature, header }: Parts): boolean =>
      header['kid'] === id && createHmac('sha256', Buffer.from(secret, 'hex')).update(input).digest().equals(signature)
    const { origin } = await openProvider({ routes: { '/users': judged(isHmac, 'Ghost') } })
    const template = {
      ...apple(origin),
      signature: { protocol: 'HMAC' },
      token: {
        signing_key: '${credentials.adminKey.secret}',
        expires_in_ms: 300_000,
        header: { alg: 'HS256', kid: '${credentials.adminKey.id}' },
        payload: { aud: '/admin/' },
      },
      credentials: { adminKey: prompt() },
      proxy: {
        base_url: origin,
        headers: { authorization: 'Ghost ${accessToken}' },
        verification: { endpoints: ['/users'] },
      },
    }
    const workshop = openWorkshop({ templates: { ghost: template } })
    await workshop.connect('ghost', { params: { adminKey: `${id}:${secret}` } })
    await refresh(workshop.world, 'ghost', { force: true })
    expect((await workshop.request('ghost', { target: '/users' })).status).toBe(200)
    expect(workshop.told()).not.toContain(secret)
    const error = await failure(workshop.connect('ghost', { params: { adminKey: secret }, replace: true }))
    expect(error.message).toContain('--admin-key must be an id and a secret')
  })

  it('takes two bars in a signing key as they are, and the key as text where the template says so', async () => {
    const isHmac = ({ input, signature }: Parts): boolean =>
      createHmac('sha256', 'the-id||the-key-0123456789').update(input).digest().equals(signature)
    const { origin } = await openProvider({ routes: { '/me': judged(isHmac) } })
    const template = {
      ...apple(origin),
      signature: { protocol: 'HMAC', hmac_secret_encoding: 'utf8' },
      token: {
        signing_key: '${credentials.id}||${credentials.key}',
        header: { alg: 'HS256' },
        payload: { iss: '${credentials.id}' },
      },
      credentials: { id: prompt(), key: prompt() },
    }
    const workshop = openWorkshop({ templates: { hey: template } })
    const { connection } = await workshop.connect('hey', { params: { id: 'the-id', key: 'the-key-0123456789' } })
    const { payload } = partsOf(connection.credential.accessToken ?? '')
    expect(Number(payload['exp']) - Number(payload['iat'])).toBe(300)
    expect(workshop.told()).not.toContain('the-key-0123456789')
  })

  it('names the key by its fingerprint where a claim wants that', async () => {
    const isRs = ({ input, signature, payload }: Parts): boolean =>
      verify('sha256', input, rsa.publicKey, signature) && /^A\.B\.SHA256:[\w+/]{43}=$/.test(String(payload['iss']))
    const { origin } = await openProvider({ routes: { '/me': judged(isRs) } })
    const template = {
      ...apple(origin),
      signature: { protocol: 'RSA' },
      token: {
        signing_key: '${credentials.privateKey}',
        header: { alg: 'RS256' },
        payload: { iss: 'A.B.${fingerprint(${credentials.privateKey})}' },
      },
      credentials: {
        privateKey: prompt({
          pattern: '^-----BEGIN PRIVATE KEY-----\\s*([A-Za-z0-9+/=\\s]+)\\s*-----END PRIVATE KEY-----$',
        }),
      },
    }
    for (const key of [pemOf(rsa.privateKey), pemOf(rsa.privateKey).replaceAll('\n', '\\n')]) {
      const workshop = openWorkshop({ templates: { snow: template } })
      await workshop.connect('snow', { params: { privateKey: key } })
    }
  })
})
