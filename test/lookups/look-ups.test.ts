import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Given } from '../../src/look-up.ts'
import { lookUpOf } from '../../src/lookups/index.ts'
import { readCatalogue } from '../support/catalogue.ts'
import { type Hit, openProvider, type Script } from '../support/provider.ts'
import { twinTemplate } from '../support/twin-template.ts'
import { openWorkshop, wanderer } from '../support/world.ts'

const jwt = (claims: object): string =>
  `eyJhbGciOiJub25lIn0.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2lnbmF0dXJl`

/** Answers whoever carries the token, and nobody else. */
const toBearer =
  (body: unknown, carried = `Bearer ${token}`): Script =>
  ({ headers }) =>
    headers.authorization === carried ? { body } : { status: 401, body: { message: 'who are you?' } }

const token = 'look-up-token-long-enough'
const hash = (text: string): string => createHash('sha256').update(text).digest('hex')

interface Case {
  readonly name: string
  readonly given?: Given
  /** What the look-up asks, by path. */
  readonly routes?: Readonly<Record<string, Script>>
  readonly tokens?: Readonly<Record<string, unknown>>
  readonly fields?: (origin: string) => Readonly<Record<string, unknown>>
  /** Every call of the look-up, in order. */
  readonly asks?: readonly string[]
  readonly finds: Readonly<Record<string, string>>
  readonly api?: string
  /** Of what the look-up may miss, what is missed where the provider does not answer; everything unless said. */
  readonly misses?: readonly string[]
}

const sites = [
  { id: 'cloud-1', url: 'https://first.atlassian.net', name: 'first', scopes: [] },
  { id: 'cloud-2', url: 'https://acme.atlassian.net', name: 'acme', scopes: [] },
]
const accessible = '/oauth/token/accessible-resources'
const docusignAccounts = [
  { account_id: 'a1', base_uri: 'https://one.docusign.net', is_default: false },
  { account_id: 'a2', base_uri: 'https://two.docusign.net', is_default: true },
]
const events = jwt({ authentication_event_id: 'e2' })
const basicToken = `Basic ${Buffer.from(`${token}:`).toString('base64')}`
const apiToken = `${'look-up-token-'.repeat(3)}=0123ABCD`
const apiTokenCarried = `Basic ${Buffer.from(`jane@acme.example:${apiToken}`).toString('base64')}`

const cases: readonly Case[] = [
  {
    name: 'adobe-umapi',
    finds: { clientId: 'id' },
    misses: [],
  },
  {
    name: 'atlassian-government-cloud',
    routes: { [accessible]: toBearer(sites), '/ex/jira/cloud-1/rest/api/3/myself': toBearer({ accountId: 'me' }) },
    asks: [`GET ${accessible}`, 'GET /ex/jira/cloud-1/rest/api/3/myself'],
    finds: { cloudId: 'cloud-1', baseUrl: 'https://first.atlassian.net', accountId: 'me' },
  },
  {
    name: 'atlassian-service-account-api-token',
    given: {
      params: { username: 'jane@acme.example', password: apiToken, cloudId: '0a1b2c3d-0000-4000-8000-00000000cafe' },
    },
    routes: {
      '/ex/jira/0a1b2c3d-0000-4000-8000-00000000cafe/rest/api/3/myself': toBearer({ accountId: 'me' }, apiTokenCarried),
    },
    asks: ['GET /ex/jira/0a1b2c3d-0000-4000-8000-00000000cafe/rest/api/3/myself'],
    finds: { cloudId: '0a1b2c3d-0000-4000-8000-00000000cafe', accountId: 'me' },
    misses: ['accountId'],
  },
  {
    name: 'atlassian-service-account-oauth2',
    given: { params: { subdomain: 'Acme' } },
    routes: { [accessible]: toBearer(sites), '/ex/jira/cloud-2/rest/api/3/myself': toBearer({ accountId: 'me' }) },
    asks: [`GET ${accessible}`, 'GET /ex/jira/cloud-2/rest/api/3/myself'],
    finds: { cloudId: 'cloud-2', baseUrl: 'https://acme.atlassian.net', accountId: 'me' },
  },
  {
    name: 'attio',
    routes: { '/v2/self': toBearer({ workspace_id: 'w1' }) },
    asks: ['GET /v2/self'],
    finds: { workspace_id: 'w1' },
  },
  {
    name: 'jira',
    routes: { [accessible]: toBearer(sites), '/ex/jira/cloud-1/rest/api/3/myself': toBearer({ accountId: 'me' }) },
    asks: [`GET ${accessible}`, 'GET /ex/jira/cloud-1/rest/api/3/myself'],
    finds: { cloudId: 'cloud-1', baseUrl: 'https://first.atlassian.net', accountId: 'me' },
  },
  {
    name: 'confluence',
    given: { params: { subdomain: 'acme' } },
    routes: {
      [accessible]: toBearer(sites),
      '/ex/confluence/cloud-2/wiki/rest/api/user/current': toBearer({ accountId: 'me' }),
    },
    asks: [`GET ${accessible}`, 'GET /ex/confluence/cloud-2/wiki/rest/api/user/current'],
    finds: { cloudId: 'cloud-2', baseUrl: 'https://acme.atlassian.net', accountId: 'me' },
  },
  {
    name: 'basecamp',
    given: { params: { appDetails: 'Acme (a@acme.example)' } },
    routes: {
      '/authorization.json': toBearer({
        accounts: [
          { product: 'bcx', id: 1 },
          { product: 'bc3', id: 99 },
        ],
      }),
    },
    asks: ['GET /authorization.json'],
    fields: (origin) => ({ proxy: { base_url: `${origin}/\${connectionConfig.accountId}` } }),
    finds: { accountId: '99' },
    api: '/99',
  },
  {
    name: 'calendly',
    routes: {
      '/users/me': toBearer({ resource: { current_organization: 'https://api.calendly.com/organizations/ORG' } }),
    },
    asks: ['GET /users/me'],
    finds: { organizationId: 'ORG' },
  },
  {
    name: 'candis',
    routes: { '/v1/organizations/info': toBearer({ id: 'org' }) },
    asks: ['GET /v1/organizations/info'],
    finds: { organizationId: 'org' },
  },
  {
    name: 'checkr-partner',
    given: { params: { client_id: 'x' } },
    routes: { '/v1/nodes': toBearer({ object: 'list', data: [] }, basicToken) },
    asks: ['GET /v1/nodes?page=1&per_page=1'],
    finds: { accountHierarchyEnabled: 'true' },
  },
  {
    name: 'checkr-partner-staging',
    given: { params: { client_id: 'x' } },
    routes: { '/v1/nodes': ({ headers }) => ({ status: headers.authorization === basicToken ? 403 : 401, body: {} }) },
    asks: ['GET /v1/nodes?page=1&per_page=1'],
    finds: { accountHierarchyEnabled: 'false' },
  },
  ...['docusign', 'docusign-sandbox'].map(
    (name): Case => ({
      name,
      routes: { '/oauth/userinfo': toBearer({ accounts: docusignAccounts }) },
      asks: ['GET /oauth/userinfo'],
      finds: { accountId: 'a2', baseUri: 'https://two.docusign.net' },
    }),
  ),
  {
    name: 'gusto',
    routes: { '/v1/token_info': toBearer({ resource: { type: 'Company', uuid: 'c-uuid' } }) },
    asks: ['GET /v1/token_info'],
    finds: { companyUuid: 'c-uuid' },
  },
  {
    name: 'gusto-demo',
    routes: {
      '/v1/token_info': toBearer({ resource: null }),
      '/v1/me': toBearer({ roles: { payroll_admin: { companies: [{ uuid: 'older' }] } } }),
    },
    asks: ['GET /v1/token_info', 'GET /v1/me'],
    finds: { companyUuid: 'older' },
  },
  {
    name: 'hubspot',
    routes: { '/account-info/v3/details': toBearer({ portalId: 4711 }) },
    asks: ['GET /account-info/v3/details'],
    finds: { portalId: '4711' },
  },
  {
    name: 'jobber',
    routes: {
      '/api/graphql': (hit) =>
        graphql(hit, 'account', { data: { account: { id: btoa('gid://Jobber/Account/1234') } } }),
    },
    asks: ['POST /api/graphql'],
    finds: { accountId: btoa('1234') },
  },
  {
    name: 'linear',
    routes: { '/graphql': (hit) => graphql(hit, 'organization', { data: { organization: { id: 'lin' } } }) },
    asks: ['POST /graphql'],
    finds: { organizationId: 'lin' },
  },
  {
    name: 'mailchimp',
    routes: { '/oauth2/metadata': toBearer({ dc: 'us21' }, `OAuth ${token}`) },
    asks: ['GET /oauth2/metadata'],
    fields: (origin) => ({ proxy: { base_url: `${origin}/\${connectionConfig.dc}` } }),
    finds: { dc: 'us21' },
    api: '/us21',
  },
  {
    name: 'procore',
    routes: { '/rest/v1.0/companies': toBearer([{ id: 5 }, { id: 6 }]) },
    asks: ['GET /rest/v1.0/companies'],
    finds: { companyId: '5' },
  },
  {
    name: 'sage-200',
    routes: { '/uk/sage200extra/accounts/v1/sites': toBearer([{ site_id: 's1', company_id: 2 }]) },
    asks: ['GET /uk/sage200extra/accounts/v1/sites'],
    finds: { site_id: 's1', company_id: '2', edition: 'sage200extra' },
    api: '/uk/sage200extra',
  },
  {
    name: 'snowflake',
    given: { params: { snowflake_account_url: 'x.example' } },
    tokens: { username: 'JANE' },
    asks: [],
    finds: { username: 'JANE' },
    misses: [],
  },
  {
    name: 'xero',
    tokens: { access_token: events },
    routes: {
      '/connections': toBearer(
        [
          { tenantId: 't1', authEventId: 'e1' },
          { tenantId: 't2', authEventId: 'e2' },
        ],
        `Bearer ${events}`,
      ),
    },
    asks: ['GET /connections'],
    finds: { tenant_id: 't2' },
  },
  {
    name: 'zoho',
    tokens: { api_domain: 'https://www.zohoapis.com.au' },
    given: { params: { 'accounts-server': 'https://accounts.zoho.com.au' } },
    fields: (origin) => ({ token_url: `${origin}/oauth/v2/token`, authorization_url: `${origin}/oauth/v2/auth` }),
    asks: [],
    finds: { extension: 'com.au' },
    misses: [],
  },
  {
    name: 'zoom',
    routes: { '/v2/users/me': toBearer({ account_id: 'acc', id: 'u' }) },
    asks: ['GET /v2/users/me'],
    finds: { accountId: 'acc', userId: 'u' },
  },
  ...['highlevel', 'highlevel-white-label'].map(
    (name): Case => ({
      name,
      tokens: { companyId: 'co', locationId: 'lo' },
      asks: [],
      finds: { companyId: 'co', locationId: 'lo' },
      misses: [],
    }),
  ),
  {
    name: 'microsoft-teams',
    tokens: { access_token: jwt({ tid: 'tenant' }) },
    asks: [],
    finds: { tenantId: 'tenant' },
    misses: [],
  },
  ...['sellsy', 'sellsy-oauth2-cc'].map(
    (name): Case => ({
      name,
      tokens: { access_token: jwt({ corpId: 12 }) },
      asks: [],
      finds: { corpid: '12' },
      misses: [],
    }),
  ),
  {
    name: 'google-mail',
    routes: { '/gmail/v1/users/me/profile': toBearer({ emailAddress: 'Jane@Acme.example' }) },
    asks: ['GET /gmail/v1/users/me/profile'],
    finds: { emailAddressHash: hash('nango.emailAddressHash.v1:jane@acme.example') },
  },
  {
    name: 'google-calendar',
    routes: { '/calendar/v3/users/me/calendarList/primary': toBearer({ id: 'jane@acme.example' }) },
    asks: ['GET /calendar/v3/users/me/calendarList/primary'],
    finds: { emailAddressHash: hash('nango.emailAddressHash.v1:jane@acme.example') },
  },
]

function graphql({ headers, body }: Hit, type: string, answer: unknown) {
  const isAsked = JSON.parse(body).query === `{ ${type} { id } }` && headers['content-type'] === 'application/json'
  return headers.authorization === `Bearer ${token}` && isAsked ? { body: answer } : { status: 400 }
}

const sendsBack: Script = ({ query }) => {
  const back = new URL(query.get('redirect_uri') ?? '')
  back.search = String(new URLSearchParams({ code: 'x', state: query.get('state') ?? '' }))
  return { status: 302, headers: { location: back.href } }
}

async function connected({ name, given, routes = {}, tokens = {}, fields }: Omit<Case, 'finds'>) {
  const entry = readCatalogueOnce().get(name) ?? {}
  const path = (url: unknown): string =>
    `/${String(url)
      .split(' || ')[0]
      ?.replace(/^https:\/\/[^/]+\/|^\$\{[^}]+\}\//, '')
      .replace(/\$\{connectionConfig\.(\w+)\}/g, (_, key) => given?.params?.[key] ?? '')}`
  const issued = {
    access_token: token,
    refresh_token: 'refresh-long-enough',
    token_type: 'Bearer',
    expires_in: 3600,
    ...tokens,
  }
  const ends = {
    [path(entry['authorization_url'])]: sendsBack,
    [path(entry['token_url'])]: () => ({ body: issued }),
  }
  const provider = await openProvider({ routes: { ...ends, ...routes } })
  const template = { ...twinTemplate(name, provider.origin), ...fields?.(provider.origin) }
  const workshop = openWorkshop({ templates: { [name]: template }, browse: wanderer })
  const isOAuth = String(entry['auth_mode']).startsWith('OAUTH2')
  const client = isOAuth ? { clientId: 'id', clientSecret: 'secret-long-enough', port: 0 } : {}
  const outcome = await workshop.connect(name, { ...client, ...given })
  const asked = provider.hits
    .filter(({ path }) => !Object.hasOwn(ends, path))
    .map(({ method, path, query }) => `${method} ${path}${query.size === 0 ? '' : `?${query}`}`)
  return { provider, workshop, asked, ...outcome }
}

/** They have tests of their own: here, and GitHub's, which is installed first, in `modes/app.test.ts`. */
const others = ['github-app-oauth', 'rippling-shop-app', 'sophos-central', 'workable']

let catalogue: ReturnType<typeof readCatalogue> | undefined
function readCatalogueOnce() {
  catalogue ??= readCatalogue()
  return catalogue
}

describe('after connecting', () => {
  it.each(cases.map((one) => [one.name, one] as const))('%s tells what its template leaves open', async (name, one) => {
    const { connection, workshop, provider, asked } = await connected(one)
    expect(asked).toEqual(one.asks ?? [])
    expect(connection.params).toMatchObject(one.finds)
    expect(workshop.events).toContainEqual(expect.objectContaining({ type: 'answers.found' }))
    expect(workshop.events).not.toContainEqual(expect.objectContaining({ code: 'LOOK_UP_INCOMPLETE' }))
    const saved = await workshop.world.store.connections.read(name)
    expect(saved?.params).toMatchObject(one.finds)
    if (one.api !== undefined) expect(saved?.snapshot.endpoints.api).toBe(`${provider.origin}${one.api}`)
    expect(workshop.told()).not.toMatch(/look-up-token-long|secret-long-enough|refresh-long-enough/)
  })

  it.each(cases.map((one) => [one.name, one] as const))(
    '%s stays connected where it does not tell, and it is said what is missing',
    async (name, one) => {
      const silent = Object.fromEntries(
        Object.keys(one.routes ?? {}).map((path): [string, Script] => [path, () => ({ status: 503 })]),
      )
      const { connection, workshop } = await connected({ ...one, routes: silent })
      expect((await workshop.world.store.connections.read(name))?.credential).toEqual(connection.credential)
      const misses = one.misses ?? lookUpOf([name])?.keys ?? []
      const said = workshop.events.filter((event) => event.type === 'warning' && event.code === 'LOOK_UP_INCOMPLETE')
      expect(said).toHaveLength(misses.length === 0 ? 0 : 1)
      if (misses.length === 0) return
      expect(said[0]).toMatchObject({
        message: expect.stringContaining(`could not be looked up: ${misses.join(', ')} (`),
        hint: expect.stringContaining(misses.map((key) => `--param ${key}=…`).join(' ')),
      })
      expect(workshop.story().at(-1)).toBe('flow.ended')
    },
  )

  it('every provider of which something is looked up is tried here or below', () => {
    const here = new Set([...cases.map(({ name }) => name), ...others])
    const known = [...readCatalogueOnce()].filter(
      ([name, fields]) =>
        fields['post_connection_script'] !== undefined && (lookUpOf([name])?.steps ?? lookUpOf([name])?.read),
    )
    expect(known.map(([name]) => name).filter((name) => !here.has(name))).toEqual([])
  })

  it.each(['bullhorn', 'microsoft-teams-bot', 'one-drive', 'salesforce', 'sharepoint-online'])(
    '%s has nothing left to be looked up: its dialect brings it all',
    (name) => expect(lookUpOf([name])).toEqual({ keys: [] }),
  )

  it('sophos-central tells the tenant and its region by client credentials, and calls go there', async () => {
    const region = await openProvider({ routes: { '/endpoint/v1/endpoints': toBearer({ items: [] }) } })
    const provider = await openProvider({
      routes: {
        '/api/v2/oauth2/token': () => ({ body: { access_token: token, token_type: 'bearer', expires_in: 3600 } }),
        '/whoami/v1': toBearer({ id: 'tenant-1', idType: 'tenant', apiHosts: { dataRegion: region.origin } }),
      },
    })
    const workshop = openWorkshop({ templates: { 'sophos-central': twinTemplate('sophos-central', provider.origin) } })
    const given = { clientId: 'id', clientSecret: 'secret-long-enough' }
    const { connection } = await workshop.connect('sophos-central', given)
    expect(connection.params).toMatchObject({ tenantId: 'tenant-1', dataRegion: region.origin })
    expect((await workshop.request('sophos-central', { target: '/endpoint/v1/endpoints' })).status).toBe(200)
    expect(workshop.told()).not.toMatch(/look-up-token|secret-long-enough/)
  })

  it('workable tells the subdomain that its API key belongs to, and calls go there', async () => {
    const provider = await openProvider({
      routes: { '/www/spi/v3/accounts': toBearer({ accounts: [{ subdomain: 'groove' }] }) },
    })
    const template = {
      ...twinTemplate('workable', provider.origin),
      proxy: {
        base_url: `${provider.origin}/\${connectionConfig.subdomain}`,
        headers: { authorization: 'Bearer ${apiKey}' },
      },
    }
    const workshop = openWorkshop({ templates: { workable: template } })
    const { connection } = await workshop.connect('workable', { params: { apiKey: token } })
    expect(connection.params).toEqual({ subdomain: 'groove' })
    expect(connection.snapshot.endpoints.api).toBe(`${provider.origin}/groove`)
    expect(workshop.told()).not.toContain('look-up-token')
  })

  it('rippling is told that the app is installed', async () => {
    const { provider, workshop } = await connected({
      name: 'rippling-shop-app',
      given: { params: { appName: 'acme' } },
      routes: { '/platform/api/mark_app_installed': toBearer({}), '/apps/PLATFORM/acme/authorize': sendsBack },
    })
    expect(provider.hits.at(-1)).toMatchObject({ method: 'POST', path: '/platform/api/mark_app_installed', body: '' })
    expect(workshop.story()).not.toContain('answers.found')
  })

  it('rippling stays connected where it does not take that', async () => {
    const { workshop } = await connected({
      name: 'rippling-shop-app',
      given: { params: { appName: 'acme' } },
      routes: {
        '/platform/api/mark_app_installed': () => ({ status: 403 }),
        '/apps/PLATFORM/acme/authorize': sendsBack,
      },
    })
    expect(await workshop.world.store.connections.read('rippling-shop-app')).toBeDefined()
  })

  it('sophos-central tells nothing of who is no tenant', async () => {
    const partner = { id: 'partner-1', idType: 'partner', apiHosts: { global: 'https://api.central.sophos.com' } }
    const { connection, workshop } = await connected({
      name: 'sophos-central',
      routes: { '/whoami/v1': toBearer(partner) },
    })
    expect(connection.params).toEqual({})
    expect(workshop.events).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining('could not be looked up: tenantId, dataRegion') }),
    )
  })

  it('snowflake is asked who one is where the token answer does not say', async () => {
    const { connection, provider } = await connected({
      name: 'snowflake',
      given: { params: { snowflake_account_url: 'x.example' } },
      routes: { '/api/v2/statements': toBearer({ data: [['JANE']] }) },
    })
    expect(connection.params).toMatchObject({ username: 'JANE' })
    const sent = provider.hits.at(-1)
    expect([sent?.method, JSON.parse(sent?.body ?? '')]).toEqual(['POST', { statement: 'SELECT CURRENT_USER()' }])
  })

  it('zoho tells it in the token answer, whether or not its template keeps that', async () => {
    const { connection } = await connected({
      name: 'zoho',
      tokens: { api_domain: 'https://www.zohoapis.eu/' },
      given: { params: { 'accounts-server': 'https://accounts.zoho.eu' } },
      fields: (origin) => ({
        token_url: `${origin}/oauth/v2/token`,
        authorization_url: `${origin}/oauth/v2/auth`,
        token_response_metadata: [],
        proxy: { base_url: origin },
      }),
    })
    expect(connection.params['extension']).toBe('eu')
  })

  it('jira and confluence ask the product that the token is for', async () => {
    const routes = {
      [accessible]: toBearer(sites),
      '/ex/jira/cloud-1/rest/api/3/myself': toBearer({ accountId: 'jira-me' }),
      '/ex/confluence/cloud-1/wiki/rest/api/user/current': toBearer({ accountId: 'confluence-me' }),
    }
    const asks = async (name: string, scope: string) =>
      (await connected({ name, routes, tokens: { scope } })).connection.params['accountId']
    expect(await asks('jira', 'read:confluence-user offline_access')).toBe('confluence-me')
    expect(await asks('confluence', 'read:jira-user')).toBe('jira-me')
    expect(await asks('jira', 'read:jira-user read:confluence-user')).toBe('jira-me')
  })

  it.each<[string, Pick<Case, 'given' | 'routes' | 'tokens'>]>([
    ['xero', { routes: { '/connections': toBearer([{ tenantId: 't1' }, { tenantId: 't2' }]) } }],
    [
      'basecamp',
      {
        given: { params: { appDetails: 'Acme (a@acme.example)' } },
        routes: {
          '/authorization.json': toBearer({
            accounts: [
              { product: 'bc3', id: 1 },
              { product: 'bc3', id: 2 },
            ],
          }),
        },
      },
    ],
    [
      'docusign',
      { routes: { '/oauth/userinfo': toBearer({ accounts: [{ account_id: 'a1' }, { account_id: 'a2' }] }) } },
    ],
    [
      'jobber',
      { routes: { '/api/graphql': (hit) => graphql(hit, 'account', { data: { account: { id: 'plain' } } }) } },
    ],
    ['jira', { given: { params: { subdomain: 'elsewhere' } }, routes: { [accessible]: toBearer(sites) } }],
  ])('of %s none is chosen where nothing says which', async (name, one) => {
    const { connection, workshop } = await connected({ name, ...one })
    const keys = lookUpOf([name])?.keys ?? []
    expect(keys.filter((key) => connection.params[key] !== undefined && connection.params[key] !== '')).toEqual([])
    expect(workshop.events).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining(`could not be looked up: ${keys.join(', ')}`) }),
    )
  })

  it.each<[string, unknown]>([
    ['xero', [{ tenantId: 'sole', authEventId: 'older' }]],
    ['sage-200', { site_id: 'sole', company_id: 7 }],
  ])('of %s the only one is taken', async (name, body) => {
    const path = name === 'xero' ? '/connections' : '/uk/sage200/accounts/v1/sites'
    const given = name === 'xero' ? {} : { params: { edition: 'sage200' } }
    const { connection } = await connected({ name, given, routes: { [path]: toBearer(body) } })
    expect(connection.params).toMatchObject(
      name === 'xero' ? { tenant_id: 'sole' } : { site_id: 'sole', company_id: '7', edition: 'sage200' },
    )
  })

  it.each([401, 429, 500])('checkr tells of no hierarchy by a refusal, but not by %d', async (status) => {
    const { connection, workshop } = await connected({
      name: 'checkr-partner',
      given: { params: { client_id: 'x' } },
      routes: { '/v1/nodes': () => ({ status }) },
    })
    expect(connection.params['accountHierarchyEnabled']).toBeUndefined()
    expect(workshop.events).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining(`/v1/nodes answered ${status}`) }),
    )
  })

  it('a look-up that fails leaves the connection saved, and says what is missing and how to give it', async () => {
    const { connection, workshop } = await connected({ name: 'jira' })
    expect((await workshop.world.store.connections.read('jira'))?.name).toBe(connection.name)
    const [warning] = workshop.events.filter((event) => event.type === 'warning' && event.code === 'LOOK_UP_INCOMPLETE')
    expect(warning).toMatchObject({
      message: expect.stringMatching(/could not be looked up: cloudId, accountId .*accessible-resources answered 404/),
      hint: expect.stringContaining('--param cloudId=… --param accountId=…'),
    })
    expect(workshop.story().at(-1)).toBe('flow.ended')
  })

  it('what somebody gave is not overruled', async () => {
    const { connection } = await connected({
      name: 'procore',
      given: { params: { companyId: '4242' } },
      routes: { '/rest/v1.0/companies': toBearer([{ id: 5 }]) },
    })
    expect(connection.params['companyId']).toBe('4242')
  })

  it('looks again when one connects again: another account may have been chosen', async () => {
    let count = 0
    const { workshop } = await connected({
      name: 'hubspot',
      routes: { '/account-info/v3/details': () => ({ body: { portalId: ++count } }) },
    })
    const client = { clientId: 'id', clientSecret: 'secret-long-enough', port: 0 }
    const { connection } = await workshop.connect('hubspot', client)
    expect(connection.params['portalId']).toBe('2')
  })

  it('is known of every entry of the catalogue that asks for it', () => {
    const asking = [...readCatalogueOnce()].filter(([, fields]) => fields['post_connection_script'] !== undefined)
    const chain = (name: string): string[] => [name, ...aliasesOf(name)]
    expect(asking.filter(([name]) => lookUpOf(chain(name)) === undefined).map(([name]) => name)).toEqual([
      'sentry-oauth',
    ])
  })
})

/** What an entry of the catalogue may stand for, for those that inherit a look-up. */
function aliasesOf(name: string): string[] {
  if (/^zoho-/.test(name)) return ['zoho']
  if (name === 'google-calendar-mcp') return ['google-calendar', 'google']
  return []
}
