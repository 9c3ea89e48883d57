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
  readonly routes?: Readonly<Record<string, Script>>
  readonly tokens?: Readonly<Record<string, unknown>>
  readonly fields?: (origin: string) => Readonly<Record<string, unknown>>
  readonly finds: Readonly<Record<string, string>>
  readonly api?: string
}

const sites = [
  { id: 'cloud-1', url: 'https://first.atlassian.net' },
  { id: 'cloud-2', url: 'https://acme.atlassian.net' },
]

const cases: readonly Case[] = [
  { name: 'attio', routes: { '/v2/self': toBearer({ workspace_id: 'w1' }) }, finds: { workspace_id: 'w1' } },
  {
    name: 'jira',
    routes: {
      '/oauth/token/accessible-resources': toBearer(sites),
      '/ex/jira/cloud-1/rest/api/3/myself': toBearer({ accountId: 'me' }),
    },
    finds: { cloudId: 'cloud-1', baseUrl: 'https://first.atlassian.net', accountId: 'me' },
  },
  {
    name: 'confluence',
    given: { params: { subdomain: 'acme' } },
    routes: {
      '/oauth/token/accessible-resources': toBearer(sites),
      '/ex/confluence/cloud-2/wiki/rest/api/user/current': toBearer({ accountId: 'me' }),
    },
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
    fields: (origin) => ({ proxy: { base_url: `${origin}/\${connectionConfig.accountId}` } }),
    finds: { accountId: '99' },
    api: '/99',
  },
  {
    name: 'calendly',
    routes: {
      '/users/me': toBearer({ resource: { current_organization: 'https://api.calendly.com/organizations/ORG' } }),
    },
    finds: { organizationId: 'ORG' },
  },
  { name: 'candis', routes: { '/v1/organizations/info': toBearer({ id: 'org' }) }, finds: { organizationId: 'org' } },
  {
    name: 'docusign',
    routes: {
      '/oauth/userinfo': toBearer({
        accounts: [
          { account_id: 'a1', base_uri: 'https://one.docusign.net', is_default: false },
          { account_id: 'a2', base_uri: 'https://two.docusign.net', is_default: true },
        ],
      }),
    },
    finds: { accountId: 'a2', baseUri: 'https://two.docusign.net' },
  },
  {
    name: 'gusto',
    routes: { '/v1/token_info': toBearer({ resource: { type: 'Company', uuid: 'c-uuid' } }) },
    finds: { companyUuid: 'c-uuid' },
  },
  {
    name: 'gusto-demo',
    routes: { '/v1/me': toBearer({ roles: { payroll_admin: { companies: [{ uuid: 'older' }] } } }) },
    finds: { companyUuid: 'older' },
  },
  {
    name: 'hubspot',
    routes: { '/account-info/v3/details': toBearer({ portalId: 4711 }) },
    finds: { portalId: '4711' },
  },
  {
    name: 'linear',
    routes: { '/graphql': (hit) => graphql(hit, 'organization', { data: { organization: { id: 'lin' } } }) },
    finds: { organizationId: 'lin' },
  },
  {
    name: 'mailchimp',
    routes: { '/oauth2/metadata': toBearer({ dc: 'us21' }, `OAuth ${token}`) },
    fields: (origin) => ({ proxy: { base_url: `${origin}/\${connectionConfig.dc}` } }),
    finds: { dc: 'us21' },
    api: '/us21',
  },
  { name: 'procore', routes: { '/rest/v1.0/companies': toBearer([{ id: 5 }, { id: 6 }]) }, finds: { companyId: '5' } },
  {
    name: 'sage-200',
    routes: { '/uk/sage200extra/accounts/v1/sites': toBearer([{ site_id: 's1', company_id: 2 }]) },
    finds: { site_id: 's1', company_id: '2', edition: 'sage200extra' },
    api: '/uk/sage200extra',
  },
  {
    name: 'snowflake',
    given: { params: { snowflake_account_url: 'x.example' } },
    tokens: { username: 'JANE' },
    finds: { username: 'JANE' },
  },
  {
    name: 'xero',
    tokens: { access_token: jwt({ authentication_event_id: 'e2' }) },
    routes: {
      '/connections': toBearer(
        [
          { tenantId: 't1', authEventId: 'e1' },
          { tenantId: 't2', authEventId: 'e2' },
        ],
        `Bearer ${jwt({ authentication_event_id: 'e2' })}`,
      ),
    },
    finds: { tenant_id: 't2' },
  },
  {
    name: 'zoho',
    tokens: { api_domain: 'https://www.zohoapis.com.au' },
    given: { params: { 'accounts-server': 'https://accounts.zoho.com.au' } },
    fields: (origin) => ({ token_url: `${origin}/oauth/v2/token`, authorization_url: `${origin}/oauth/v2/auth` }),
    finds: { extension: 'com.au' },
  },
  {
    name: 'zoom',
    routes: { '/v2/users/me': toBearer({ account_id: 'acc', id: 'u' }) },
    finds: { accountId: 'acc', userId: 'u' },
  },
  { name: 'highlevel', tokens: { companyId: 'co', locationId: 'lo' }, finds: { companyId: 'co', locationId: 'lo' } },
  { name: 'microsoft-teams', tokens: { access_token: jwt({ tid: 'tenant' }) }, finds: { tenantId: 'tenant' } },
  { name: 'sellsy', tokens: { access_token: jwt({ corpId: 12 }) }, finds: { corpid: '12' } },
  {
    name: 'google-mail',
    routes: { '/gmail/v1/users/me/profile': toBearer({ emailAddress: 'Jane@Acme.example' }) },
    finds: { emailAddressHash: hash('jane@acme.example') },
  },
  {
    name: 'google-calendar',
    routes: { '/calendar/v3/users/me/calendarList/primary': toBearer({ id: 'jane@acme.example' }) },
    finds: { emailAddressHash: hash('jane@acme.example') },
  },
  {
    name: 'checkr-partner',
    given: { params: { client_id: 'x' } },
    routes: { '/v1/account': () => ({ body: { account_hierarchy_enabled: true } }) },
    finds: { accountHierarchyEnabled: 'true' },
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
  const provider = await openProvider({
    routes: {
      [path(entry['authorization_url'])]: sendsBack,
      [path(entry['token_url'])]: () => ({ body: issued }),
      ...routes,
    },
  })
  const template = { ...twinTemplate(name, provider.origin), ...fields?.(provider.origin) }
  const workshop = openWorkshop({ templates: { [name]: template }, browse: wanderer })
  const client = { clientId: 'id', clientSecret: 'secret-long-enough', port: 0 }
  return { provider, workshop, ...(await workshop.connect(name, { ...client, ...given })) }
}

let catalogue: ReturnType<typeof readCatalogue> | undefined
function readCatalogueOnce() {
  catalogue ??= readCatalogue()
  return catalogue
}

describe('after connecting', () => {
  it.each(cases.map((one) => [one.name, one] as const))('%s tells what its template leaves open', async (name, one) => {
    const { connection, workshop, provider } = await connected(one)
    expect(connection.params).toMatchObject(one.finds)
    expect(workshop.events).toContainEqual(expect.objectContaining({ type: 'answers.found' }))
    expect(workshop.events).not.toContainEqual(expect.objectContaining({ code: 'LOOK_UP_INCOMPLETE' }))
    const saved = await workshop.world.store.connections.read(name)
    expect(saved?.params).toMatchObject(one.finds)
    if (one.api !== undefined) expect(saved?.snapshot.endpoints.api).toBe(`${provider.origin}${one.api}`)
    expect(workshop.told()).not.toMatch(/look-up-token-long|secret-long-enough|refresh-long-enough/)
  })

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
    expect(provider.hits.at(-1)).toMatchObject({ method: 'POST', path: '/platform/api/mark_app_installed' })
    expect(workshop.story()).not.toContain('answers.found')
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
