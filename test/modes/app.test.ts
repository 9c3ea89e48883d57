import { generateKeyPairSync, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { integrate } from '../../src/integrate.ts'
import { locate } from '../../src/locate.ts'
import { refresh } from '../../src/refresh.ts'
import { rehearse } from '../../src/rehearse.ts'
import { type Hit, openProvider, type Script } from '../support/provider.ts'
import { failure, openWorkshop, wanderer } from '../support/world.ts'

const keys = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = keys.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
const inBase64 = Buffer.from(pem).toString('base64')

/** Whether a request carries the app's own JWT: RS256, ten minutes at most, issued by the app. */
function isFromApp({ headers }: Hit, appId = '12345'): boolean {
  const [header = '', payload = '', signature = ''] = (headers.authorization ?? '').replace('Bearer ', '').split('.')
  const good = verify(
    'sha256',
    Buffer.from(`${header}.${payload}`),
    keys.publicKey,
    Buffer.from(signature, 'base64url'),
  )
  if (!good) return false
  const { iss, iat, exp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, number | string>
  return String(iss) === appId && Number(exp) - Number(iat) <= 600 && Number(iat) * 1000 <= Date.now()
}

/** Mints a token for whoever has the app's key; the tokens are numbered. */
function minting(appId?: string): Script {
  let count = 0
  return (hit) => {
    if (hit.method !== 'POST' || !isFromApp(hit, appId))
      return { status: 401, body: { message: 'A JSON web token could not be decoded' } }
    if (!/github/.test(hit.headers.accept ?? '')) return { status: 415 }
    count += 1
    return {
      status: 201,
      body: { token: `ghs_installation_token_${count}`, expires_at: '2099-01-01T00:00:00Z', permissions: {} },
    }
  }
}

/** GitHub's page, left by way of the app's Setup URL: no redirect URL was sent to it. */
const leaves =
  (port: () => number, params: Readonly<Record<string, string>>, path = '/oauth/callback'): Script =>
  ({ query }) => {
    const back = new URL(`http://localhost:${port()}${path}`)
    back.search = String(new URLSearchParams({ ...params, state: query.get('state') ?? '' }))
    return { status: 302, headers: { location: back.href } }
  }

const template = (origin: string, more: Record<string, unknown> = {}) => ({
  display_name: 'GitHub (App)',
  docs: 'https://docs.github.com',
  auth_mode: 'APP',
  authorization_url: '${connectionConfig.appPublicLink}/installations/new',
  token_url: `${origin}/app/installations/\${connectionConfig.installation_id}/access_tokens`,
  proxy: { base_url: origin },
  connection_config: {
    appPublicLink: { type: 'string', title: 'App link', format: 'uri', pattern: '^https?://.*$', automated: true },
    installation_id: { type: 'string', title: 'Installation', automated: true },
  },
  ...more,
})

async function opened(
  returns: Readonly<Record<string, string>>,
  routes: Readonly<Record<string, Script>> = {},
  more = {},
) {
  let port = 0
  const provider = await openProvider({
    routes: {
      '/apps/mine/installations/new': leaves(() => port, returns),
      '/app/installations/77/access_tokens': minting(),
      '/installation/repositories': ({ headers }) =>
        /^Bearer ghs_installation_token_\d$/.test(headers.authorization ?? '')
          ? { body: { ok: true } }
          : { status: 401 },
      ...routes,
    },
  })
  const workshop = openWorkshop({ templates: { app: template(provider.origin, more) }, browse: wanderer })
  const given = {
    clientId: '12345',
    clientSecret: inBase64,
    params: { appPublicLink: `${provider.origin}/apps/mine` },
    get port() {
      port = 10_000 + Math.floor(Math.random() * 20_000)
      return port
    },
  }
  return { provider, workshop, given }
}

describe('APP', () => {
  it('sends the person to install it, and mints the token of the installation with the app’s own JWT', async () => {
    const { provider, workshop, given } = await opened({ installation_id: '77', setup_action: 'install' })
    const { connection } = await workshop.connect('app', given)
    expect([...(provider.hits[0]?.query.keys() ?? [])]).toEqual(['state'])
    expect(connection).toMatchObject({
      mode: 'APP',
      params: { installation_id: '77' },
      credential: { type: 'APP', accessToken: 'ghs_installation_token_1', expiresAt: '2099-01-01T00:00:00.000Z' },
      snapshot: { renewal: 'again' },
    })
    expect(await workshop.request('app', { target: '/installation/repositories' })).toMatchObject({ status: 200 })
    const fresh = await refresh(workshop.world, 'app', { force: true })
    expect(fresh.credential.accessToken).toBe('ghs_installation_token_2')
    expect(workshop.story()).toContain('callback.received')
    expect(workshop.told()).not.toMatch(/ghs_installation_token|BEGIN RSA/)
    expect(workshop.told()).not.toContain(inBase64.slice(40, 120))
    expect(workshop.told()).not.toContain(pem.slice(60, 100))
  })

  it('needs no browser where the installation is known', async () => {
    const { provider, workshop, given } = await opened({})
    const params = { ...given.params, installation_id: '77' }
    await workshop.connect('app', { ...given, clientSecret: pem, params })
    expect(provider.hits.map(({ path }) => path)).toEqual(['/app/installations/77/access_tokens'])
  })

  it('waits for an owner where the installation was only requested', async () => {
    const { workshop, given } = await opened({ setup_action: 'request' })
    const error = await failure(workshop.connect('app', given))
    expect(error).toMatchObject({ code: 'INSTALLATION_PENDING', exitCode: 4 })
    expect(error.hint).toContain('--param installation_id=')
    expect(await workshop.world.store.connections.read('app')).toBeUndefined()
  })

  it.each([
    [401, 'INVALID_CLIENT', 'A JSON web token could not be decoded'],
    [404, 'INSTALLATION_NOT_FOUND', 'Not Found'],
    [500, 'HTTP_500', 'Oops'],
  ])('is refused in the provider’s words: %i', async (status, code, message) => {
    const { workshop, given } = await opened(
      { installation_id: '77', setup_action: 'install' },
      { '/app/installations/77/access_tokens': () => ({ status, body: { message } }) },
    )
    expect(await failure(workshop.connect('app', given))).toMatchObject({ code, status, words: message, exitCode: 4 })
  })

  it('says so where the key cannot sign, and never what it is', async () => {
    const { workshop, given } = await opened({ installation_id: '77' })
    const error = await failure(workshop.connect('app', { ...given, clientSecret: 'no-key-at-all-in-here' }))
    expect(error).toMatchObject({ code: 'BAD_FLAG', exitCode: 2 })
    expect(`${error.message} ${error.hint} ${workshop.told()}`).not.toContain('no-key-at-all')
  })

  it('is rehearsed: the page, and the request that would follow', async () => {
    const { workshop, given } = await opened({})
    const integration = await integrate(workshop.world, await locate(workshop.world, 'app'), {
      trustProject: true,
      ...given,
    })
    const { authorizationUrl, tokenRequest } = await rehearse(workshop.world, integration)
    expect(authorizationUrl).toMatch(/\/apps\/mine\/installations\/new\?state=/)
    expect(tokenRequest?.url).toMatch(/\/app\/installations\/\$\{connectionConfig\.installation_id\}\/access_tokens$/)
    expect(JSON.stringify(tokenRequest)).not.toMatch(/Bearer ey[\w-]{10}/)
  })
})

describe('CUSTOM', () => {
  const custom = (origin: string) => ({
    auth_mode: 'CUSTOM',
    token_url: {
      OAUTH2: `${origin}/login/oauth/access_token`,
      APP: `${origin}/app/installations/\${connectionConfig.installation_id}/access_tokens`,
    },
  })

  async function openedCustom(returns: Readonly<Record<string, string>>, userToken?: Script, user?: Script) {
    let port = 0
    const provider = await openProvider({
      routes: {
        '/apps/mine/installations/new': leaves(() => port, returns),
        '/app/installations/77/access_tokens': minting('987'),
        '/login/oauth/access_token':
          userToken ??
          (({ form }) =>
            form.get('client_secret') !== 'oauth-secret-long-enough'
              ? { body: { error: 'incorrect_client_credentials' } }
              : form.get('grant_type') === 'refresh_token'
                ? { body: { access_token: 'ghu_user_token_2', token_type: 'bearer', refresh_token: 'ghr_refresh_2' } }
                : { body: { access_token: 'ghu_user_token_1', token_type: 'bearer', refresh_token: 'ghr_refresh_1' } }),
        '/user':
          user ??
          (({ headers }) =>
            headers.authorization === 'Bearer ghu_user_token_1' ? { body: { login: 'octocat' } } : { status: 401 }),
      },
    })
    const origin = provider.origin
    const workshop = openWorkshop({
      templates: {
        'github-app-oauth': {
          ...template(origin, custom(origin)),
          post_connection_script: 'githubAppOauthPostConnection',
        },
      },
      browse: wanderer,
    })
    port = 10_000 + Math.floor(Math.random() * 20_000)
    const given = {
      clientId: 'Iv1.client',
      clientSecret: 'oauth-secret-long-enough',
      params: { appPublicLink: `${origin}/apps/mine`, appId: '987', privateKey: inBase64 },
      port,
    }
    return { provider, workshop, given }
  }

  it('brings the app’s token and the person’s, and who they are', async () => {
    const { provider, workshop, given } = await openedCustom({
      code: 'the-user-code',
      installation_id: '77',
      setup_action: 'install',
    })
    const { connection } = await workshop.connect('github-app-oauth', given)
    expect(connection).toMatchObject({
      params: { installation_id: '77', handle: 'octocat' },
      credential: {
        accessToken: 'ghs_installation_token_1',
        captured: { userAccessToken: 'ghu_user_token_1', userRefreshToken: 'ghr_refresh_1' },
        raw: { app: { token: 'ghs_installation_token_1' }, user: { access_token: 'ghu_user_token_1' } },
      },
    })
    expect(provider.hits.at(-1)).toMatchObject({ method: 'GET', path: '/user' })
    const fresh = await refresh(workshop.world, 'github-app-oauth', { force: true })
    expect(fresh.credential).toMatchObject({
      accessToken: 'ghs_installation_token_2',
      captured: { userAccessToken: 'ghu_user_token_2', userRefreshToken: 'ghr_refresh_2' },
    })
    expect(workshop.told()).not.toMatch(/ghs_installation|ghu_user|ghr_refresh|oauth-secret|the-user-code/)
    expect(workshop.told()).not.toContain(inBase64.slice(40, 120))
  })

  it('stays connected where GitHub does not say who that is', async () => {
    const returns = { code: 'the-user-code', installation_id: '77', setup_action: 'install' }
    const { workshop, given } = await openedCustom(returns, undefined, () => ({ status: 503 }))
    const { connection } = await workshop.connect('github-app-oauth', given)
    expect(connection.params['handle']).toBeUndefined()
    expect(workshop.events).toContainEqual(
      expect.objectContaining({
        code: 'LOOK_UP_INCOMPLETE',
        message: expect.stringMatching(/could not be looked up: handle \(GET .*\/user answered 503\)/),
        hint: expect.stringContaining('--param handle=…'),
      }),
    )
    expect(await workshop.world.store.connections.read('github-app-oauth')).toBeDefined()
  })

  it('acts as the app alone where no code came', async () => {
    const { workshop, given } = await openedCustom({ installation_id: '77', setup_action: 'update' })
    const { connection } = await workshop.connect('github-app-oauth', given)
    expect(connection.credential.captured).toBeUndefined()
    expect(workshop.events).toContainEqual(expect.objectContaining({ type: 'warning', code: 'NO_USER_TOKEN' }))
  })

  it('waits for an owner where there is no installation yet', async () => {
    const { workshop, given } = await openedCustom({ code: 'the-user-code', setup_action: 'request' })
    expect(await failure(workshop.connect('github-app-oauth', given))).toMatchObject({ code: 'INSTALLATION_PENDING' })
  })

  it('saves nothing where the person’s code is refused', async () => {
    const { workshop, given } = await openedCustom({ code: 'the-user-code', installation_id: '77' }, () => ({
      body: { error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.' },
    }))
    const error = await failure(workshop.connect('github-app-oauth', given))
    expect(error).toMatchObject({ code: 'BAD_VERIFICATION_CODE', words: 'The code passed is incorrect or expired.' })
    expect(await workshop.world.store.connections.read('github-app-oauth')).toBeUndefined()
  })
})
