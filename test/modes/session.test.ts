import { createHash } from 'node:crypto'
import { describe, expect, it, test } from 'vitest'
import { refresh } from '../../src/refresh.ts'
import { headersOf, token } from '../../src/token.ts'
import { openProvider, type Reply } from '../support/provider.ts'
import { failure, openWorkshop } from '../support/world.ts'

describe('SIGNATURE', () => {
  const password = 'W5se-secret-of-this-test'
  const template = (origin: string, more: Record<string, unknown> = {}) => ({
    display_name: 'Letters',
    docs: 'https://letters.example',
    auth_mode: 'SIGNATURE',
    signature: { protocol: 'WSSE' },
    token: { expires_in_ms: 300_000 },
    proxy: {
      base_url: origin,
      headers: { 'x-wsse': '${accessToken}' },
      verification: { method: 'GET', endpoints: ['/api/v2/settings'] },
    },
    ...more,
  })

  /** Whether a header is a token of `me` that was made with the password, at most five minutes ago. */
  function isGood(header: unknown): boolean {
    const [, user, digest, nonce = '', created = ''] =
      /^UsernameToken Username="(.*)", PasswordDigest="(.*)", Nonce="([0-9a-f]{32})", Created="(.*)"$/.exec(
        String(header),
      ) ?? []
    const hex = createHash('sha1')
      .update(nonce + created + password)
      .digest('hex')
    const age = Date.now() - Date.parse(created)
    return user === 'me' && digest === Buffer.from(hex).toString('base64') && age >= -1000 && age < 300_000
  }

  it('makes a token that the provider can check, tries it, and makes another when it is old', async () => {
    const { origin, hits } = await openProvider({
      routes: { '/api/v2/settings': ({ headers }) => ({ status: isGood(headers['x-wsse']) ? 200 : 401, body: {} }) },
    })
    let later = 0
    const workshop = openWorkshop({
      templates: { letters: template(origin) },
      clock: { now: () => new Date(Date.now() + later) },
    })
    const { connection } = await workshop.connect('letters', { params: { username: 'me', password } })
    expect(Date.parse(connection.credential.expiresAt ?? '') - Date.parse(connection.credential.obtainedAt)).toBe(
      300_000,
    )
    expect(hits[0]?.headers.authorization).toBeUndefined()
    expect((await workshop.request('letters', { target: '/api/v2/settings' })).status).toBe(200)
    expect(hits[1]?.headers['x-wsse']).toBe(hits[0]?.headers['x-wsse'])
    later = 299_000
    const renewed = await refresh(workshop.world, 'letters')
    expect(renewed.credential.accessToken).not.toBe(connection.credential.accessToken)
    expect(renewed.credential).toMatchObject({ username: 'me', password })
    for (const secret of [password, String(hits[0]?.headers['x-wsse']).slice(30, 80)])
      expect(workshop.told()).not.toContain(secret)
  })

  it('saves nothing where the provider does not take it', async () => {
    const { origin } = await openProvider({
      routes: { '/api/v2/settings': () => ({ status: 401, body: { replyText: 'x' } }) },
    })
    const workshop = openWorkshop({ templates: { letters: template(origin) } })
    const error = await failure(workshop.connect('letters', { params: { username: 'me', password } }))
    expect(error).toMatchObject({ code: 'VERIFICATION_FAILED', status: 401 })
    expect(await workshop.world.store.connections.read('letters')).toBeUndefined()
  })

  it('knows no other protocol, and no user name with quotes', async () => {
    const { origin } = await openProvider()
    const other = openWorkshop({ templates: { letters: template(origin, { signature: { protocol: 'RSA' } }) } })
    expect(await failure(other.connect('letters', { params: { username: 'me', password } }))).toMatchObject({
      exitCode: 3,
    })
    const workshop = openWorkshop({ templates: { letters: template(origin) } })
    expect(await failure(workshop.connect('letters', { params: { username: 'm"e', password } }))).toMatchObject({
      exitCode: 2,
    })
  })
})

describe('BILL', () => {
  const params = {
    username: 'me@bill.example',
    password: 'B1ll-password-of-this',
    organization_id: '00801',
    dev_key: 'D3v-key-of-this-test',
  }
  const session = 'S3ssion-of-this-test-0123456789'

  async function openBill(login: () => Reply) {
    const { origin, hits } = await openProvider({
      routes: {
        '/connect/v3/login': login,
        '/connect/v3/bills': ({ headers }) => ({
          status: headers['sessionid'] === session && headers['devkey'] === params.dev_key ? 200 : 401,
          body: {},
        }),
      },
    })
    const bill = {
      display_name: 'Bill',
      docs: 'https://bill.example',
      auth_mode: 'BILL',
      token_url: `${origin}/connect/v3/login`,
      proxy: { base_url: `${origin}/connect` },
    }
    return { hits, workshop: openWorkshop({ templates: { bill } }) }
  }

  it('begins a session, which calls carry beside the developer’s key, and begins another when it is over', async () => {
    const { hits, workshop } = await openBill(() => ({
      body: { sessionId: session, userId: 'u1', organizationId: '00801' },
    }))
    const { connection } = await workshop.connect('bill', { params })
    expect(JSON.parse(hits[0]?.body ?? '')).toEqual({
      username: params.username,
      password: params.password,
      organizationId: params.organization_id,
      devKey: params.dev_key,
    })
    expect(connection.credential).toMatchObject({ type: 'BILL', accessToken: session, captured: { user_id: 'u1' } })
    expect(Date.parse(connection.credential.expiresAt ?? '') - Date.parse(connection.credential.obtainedAt)).toBe(
      2_100_000,
    )
    expect((await workshop.request('bill', { target: '/v3/bills' })).status).toBe(200)
    expect(hits[1]?.headers.authorization).toBeUndefined()
    await refresh(workshop.world, 'bill', { force: true })
    expect(hits.map(({ path }) => path)).toEqual(['/connect/v3/login', '/connect/v3/bills', '/connect/v3/login'])
    expect(hits[2]?.body).toBe(hits[0]?.body)
    expect((await token(workshop.world, 'bill')).value).toBe(session)
    expect(await headersOf(workshop.world, connection)).toEqual([
      ['Devkey', params.dev_key],
      ['Sessionid', session],
    ])
    for (const secret of [session, params.password, params.dev_key]) expect(workshop.told()).not.toContain(secret)
  })

  test.each<[string, Reply, Record<string, unknown>]>([
    [
      'its own words',
      { status: 400, body: [{ code: 'BDC_1', message: 'Invalid username or password' }] },
      { code: 'HTTP_400', status: 400, words: expect.stringContaining('Invalid username or password') },
    ],
    ['no session', { body: { trusted: false } }, { code: 'NO_ACCESS_TOKEN' }],
    ['a page', { body: '<html><title>Maintenance</title></html>' }, { code: 'NO_ACCESS_TOKEN', words: 'Maintenance' }],
    ['another status', { status: 201, body: { sessionId: session } }, { code: 'HTTP_201' }],
    [
      'a redirect',
      { status: 302, headers: { location: 'https://other.example/' } },
      { code: 'HTTP_302', hint: expect.stringContaining('other.example') },
    ],
  ])('is refused with %s', async (_, reply, expected) => {
    const { workshop } = await openBill(() => reply)
    expect(await failure(workshop.connect('bill', { params }))).toMatchObject({ exitCode: 4, ...expected })
    for (const secret of [session, params.password, params.dev_key]) expect(workshop.told()).not.toContain(secret)
  })
})
