import { type Answer, json } from '../answer.ts'
import { person } from '../provider.ts'
import { textOf } from './fields.ts'
import { uuidFor } from './made-up.ts'
import { apiBases } from './place.ts'
import type { Call, Part } from './stage.ts'

/** A request by which a client finds out to whom its credential belongs. */
export interface LookUp {
  /** `GET https://host/path`; a path alone is of the API's host, and `*` stands for one segment. */
  readonly at: string
  readonly says: (part: Part) => unknown
}

interface LookUps {
  /** What of the connection a client can only know by asking here. */
  readonly brings?: readonly string[]
  readonly asks: readonly LookUp[]
}

/** What the provider knows of the customer under a key of the connection, else something like it. */
function known({ name, issued }: Part, key: string): string {
  return textOf(issued.params[key]) ?? issued.brought[key] ?? uuidFor(`${name}\n${key}`)
}

const numberOf = (part: Part, key: string): number => {
  const text = known(part, key)
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.parseInt(uuidFor(text).slice(0, 7), 16)
}

const siteOf = (part: Part): string => {
  const { params } = part.issued
  return `https://${params['subdomain'] || 'twin'}.atlassian.net`
}

const atlassian: LookUps = {
  asks: [
    {
      at: 'GET /oauth/token/accessible-resources',
      says: (part) => [
        { id: known(part, 'cloudId'), url: siteOf(part), name: 'Twin', scopes: [], avatarUrl: siteOf(part) },
      ],
    },
    { at: 'GET /me', says: (part) => ({ account_id: known(part, 'accountId'), email: person.email }) },
    { at: 'GET /ex/jira/*/rest/api/3/myself', says: (part) => ({ accountId: known(part, 'accountId') }) },
    {
      at: 'GET /ex/confluence/*/wiki/rest/api/user/current',
      says: (part) => ({ accountId: known(part, 'accountId') }),
    },
  ],
}

const docusign = (host: string): LookUp => ({
  at: `GET https://${host}/oauth/userinfo`,
  says: (part) => ({
    sub: person.id,
    accounts: [
      {
        account_id: known(part, 'accountId'),
        is_default: true,
        account_name: 'Twin',
        base_uri: textOf(part.issued.brought['baseUri']) ?? apiBases(part)[0]?.origin,
      },
    ],
  }),
})

const primaryCalendar = (origin: string): LookUp => ({
  at: `GET ${origin}/calendar/v3/users/me/calendarList/primary`,
  says: () => ({ id: person.email, summary: person.email, primary: true }),
})

/** By the name of the template's `post_connection_script`. */
const lookUps: Readonly<Record<string, LookUps>> = {
  attioPostConnection: {
    asks: [{ at: 'GET /v2/self', says: (part) => ({ active: true, workspace_id: known(part, 'workspace_id') }) }],
  },
  atlassianGovernmentCloudPostConnection: atlassian,
  atlassianServicAccountPostConnection: atlassian,
  basecampPostConnection: {
    asks: [
      {
        at: 'GET https://launchpad.37signals.com/authorization.json',
        says: (part) => {
          const id = numberOf(part, 'accountId')
          const href = `https://3.basecampapi.com/${id}`
          return { identity: { id: 1 }, accounts: [{ product: 'bc3', id, name: 'Twin', href }] }
        },
      },
    ],
  },
  calendlyPostConnection: {
    asks: [
      {
        at: 'GET /users/me',
        says: (part) => ({
          resource: {
            uri: `https://api.calendly.com/users/${person.id}`,
            current_organization: `https://api.calendly.com/organizations/${known(part, 'organizationId')}`,
          },
        }),
      },
    ],
  },
  candisPostConnection: {
    asks: [{ at: 'GET /v1/organizations/info', says: (part) => ({ id: known(part, 'organizationId'), name: 'Twin' }) }],
  },
  checkrPartnerPostConnection: {
    asks: [{ at: 'GET /v1/nodes', says: () => ({ object: 'list', data: [], count: 0 }) }],
  },
  docusignPostConnection: { asks: [docusign('account.docusign.com'), docusign('account-d.docusign.com')] },
  githubAppOauthPostConnection: {
    asks: [{ at: 'GET /user', says: () => ({ login: person.id, id: 1, name: person.name }) }],
  },
  // The API of Calendar's MCP server is elsewhere.
  googleCalendarPostConnection: { asks: [primaryCalendar('https://www.googleapis.com'), primaryCalendar('')] },
  googleMailPostConnection: {
    asks: [{ at: 'GET /gmail/v1/users/me/profile', says: () => ({ emailAddress: person.email, messagesTotal: 0 }) }],
  },
  gustoPostConnection: {
    asks: [
      {
        at: 'GET /v1/token_info',
        says: (part) => ({ scope: 'public', resource: { type: 'Company', uuid: known(part, 'companyUuid') } }),
      },
    ],
  },
  hubspotPostConnection: {
    asks: [
      { at: 'GET /account-info/v3/details', says: (part) => ({ portalId: numberOf(part, 'portalId') }) },
      { at: 'GET /oauth/v1/access-tokens/*', says: (part) => ({ hub_id: numberOf(part, 'portalId') }) },
    ],
  },
  jiraPostConnection: atlassian,
  jobberPostConnection: {
    asks: [
      {
        at: 'POST /api/graphql',
        says: (part) => {
          const id = Buffer.from(`gid://Jobber/Account/${numberOf(part, 'accountId')}`).toString('base64')
          return { data: { account: { id, name: 'Twin' } } }
        },
      },
    ],
  },
  linearPostConnection: {
    asks: [
      {
        at: 'POST /graphql',
        says: (part) => {
          const organization = { id: known(part, 'organizationId'), name: 'Twin' }
          return { data: { organization, viewer: { id: person.id, organization } } }
        },
      },
    ],
  },
  mailchimpPostConnection: {
    brings: ['dc'],
    asks: [
      {
        at: 'GET https://login.mailchimp.com/oauth2/metadata',
        says: (part) => {
          const dc = known(part, 'dc')
          return { dc, accountname: 'Twin', api_endpoint: `https://${dc}.api.mailchimp.com` }
        },
      },
    ],
  },
  onedrivePostConnection: {
    asks: [
      {
        at: 'GET /v1.0/sites/root',
        says: () => ({
          webUrl: 'https://twin.sharepoint.com',
          siteCollection: { hostname: 'twin.sharepoint.com' },
        }),
      },
    ],
  },
  procorePostConnection: {
    asks: [
      {
        at: 'GET /rest/v1.0/companies',
        says: (part) => [{ id: numberOf(part, 'companyId'), name: 'Twin', is_active: true }],
      },
    ],
  },
  ripplingShopAppPostConnection: {
    asks: [{ at: 'POST /platform/api/mark_app_installed', says: () => ({ ok: true }) }],
  },
  sage200PostConnection: {
    brings: ['edition', 'company_id', 'site_id'],
    asks: [
      {
        at: 'GET https://api.columbus.sage.com/uk/sage200extra/accounts/v1/sites',
        says: (part) => [
          { company_id: known(part, 'company_id'), site_id: known(part, 'site_id'), company_name: 'Twin' },
        ],
      },
    ],
  },
  snowflakePostConnection: {
    asks: [{ at: 'POST /api/v2/statements', says: () => ({ data: [[person.id.toUpperCase()]], code: '090001' }) }],
  },
  sophosCentralPostConnection: {
    brings: ['tenantId', 'dataRegion'],
    asks: [
      {
        at: 'GET https://api.central.sophos.com/whoami/v1',
        says: (part) => ({
          id: known(part, 'tenantId'),
          idType: 'tenant',
          apiHosts: { global: 'https://api.central.sophos.com', dataRegion: known(part, 'dataRegion') },
        }),
      },
    ],
  },
  workablePostConnection: {
    asks: [
      {
        at: 'GET https://www.workable.com/spi/v3/accounts',
        says: (part) => ({ accounts: [{ id: '1', name: 'Twin', subdomain: known(part, 'subdomain') }] }),
      },
    ],
  },
  xeroPostConnection: {
    asks: [
      {
        at: 'GET /connections',
        says: (part) => [
          {
            id: uuidFor(`${part.name}\nconnection`),
            tenantId: known(part, 'tenant_id'),
            tenantType: 'ORGANISATION',
            tenantName: 'Twin',
          },
        ],
      },
    ],
  },
  zoomPostConnection: {
    asks: [{ at: 'GET /v2/users/me', says: (part) => ({ id: person.id, account_id: known(part, 'accountId') }) }],
  },
}

/** Providers that clients look something up of by their names alone. */
const byName: Readonly<Record<string, string>> = {
  attio: 'attioPostConnection',
  calendly: 'calendlyPostConnection',
  'google-calendar': 'googleCalendarPostConnection',
  'google-mail': 'googleMailPostConnection',
  hubspot: 'hubspotPostConnection',
  linear: 'linearPostConnection',
  'microsoft-teams': 'microsoftTeamsPostConnection',
  snowflake: 'snowflakePostConnection',
  zoom: 'zoomPostConnection',
}

type Asked = Pick<Part, 'name' | 'template'>

const scriptOf = ({ name, template }: Asked): string =>
  textOf(template['post_connection_script']) ?? (Object.hasOwn(byName, name) ? byName[name] : undefined) ?? ''

const lookUpsOf = (asked: Asked): LookUps | undefined => {
  const script = scriptOf(asked)
  return Object.hasOwn(lookUps, script) ? lookUps[script] : undefined
}

/** What a client of this template has to ask for, because its calls need it. */
export const broughtByLookUp = (asked: Asked): readonly string[] => lookUpsOf(asked)?.brings ?? []

/** The look-up that a call is. */
export function lookUpAt(part: Part, call: Call): LookUp | undefined {
  const hosts = new Set(apiBases(part).map(({ origin }) => origin))
  return lookUpsOf(part)?.asks.find(({ at }) => {
    const [method, where = ''] = at.split(' ')
    const isBare = where.startsWith('/')
    if (method !== call.method || (isBare && !hosts.has(call.url.origin))) return false
    const wanted = (isBare ? where : where.replace(/^https:\/\/[^/]+/, '')).split('/')
    const isThere = isBare || where.startsWith(`${call.url.origin}/`)
    const path = call.url.pathname.split('/')
    return isThere && path.length === wanted.length && wanted.every((one, index) => one === '*' || one === path[index])
  })
}

/** Members of a token answer that a client takes the customer from, where no template tells. */
export function toldInToken(part: Part): Readonly<Record<string, unknown>> {
  const isHighLevel = scriptOf(part) === 'highlevelPostConnection'
  if (!isHighLevel) return {}
  return { userType: 'Location', companyId: known(part, 'companyId'), locationId: known(part, 'locationId') }
}

/** What a client reads in the access token itself, where this provider's is a JWT. */
export function claimsInToken(part: Part): Readonly<Record<string, unknown>> | undefined {
  const claims: Readonly<Record<string, () => Readonly<Record<string, unknown>>>> = {
    microsoftTeamsPostConnection: () => ({ tid: known(part, 'tenantId') }),
    sellsyPostConnection: () => ({ corpId: numberOf(part, 'corpid') }),
  }
  const script = scriptOf(part)
  return Object.hasOwn(claims, script) ? claims[script]?.() : undefined
}

export const answerLookUp = (part: Part, lookUp: LookUp): Answer => json(200, lookUp.says(part))
