import { atlassian } from './atlassian.ts'
import { api, claimsOf, type LookUp, type Step, take, textAt } from './look-up.ts'
import {
  basecamp,
  calendly,
  docusign,
  googleCalendar,
  googleMail,
  gusto,
  mailchimp,
  procore,
  sage200,
  snowflake,
  sophosCentral,
  workable,
  xero,
  zoho,
  zoom,
} from './sites.ts'

/** Nothing is left to be looked up: the dialect or the template brings it all. */
const nothing: LookUp = { keys: [] }
const jira = atlassian('jira')

const highlevel: LookUp = {
  keys: [],
  read: ({ credential: { raw } }) => ({ companyId: textAt(raw, 'companyId'), locationId: textAt(raw, 'locationId') }),
}

const sellsy: LookUp = {
  keys: ['corpid'],
  read: (about) => ({ corpid: textAt(claimsOf(about), 'corpId') }),
}

/** Nodes are what a hierarchy is made of: who has none may not ask. https://docs.checkr.com/apis/openapi/nodes */
const checkr: LookUp = {
  keys: ['accountHierarchyEnabled'],
  steps: [
    {
      url: api('/v1/nodes?page=1&per_page=1'),
      headers: ({ credential }) => [
        ['authorization', `Basic ${Buffer.from(`${credential.accessToken ?? ''}:`).toString('base64')}`],
      ],
      take: () => ({ accountHierarchyEnabled: 'true' }),
      // Neither a token that is none nor a provider that cannot answer tells anything.
      refused: (status) =>
        status >= 400 && status <= 499 && ![401, 408, 429].includes(status)
          ? { accountHierarchyEnabled: 'false' }
          : undefined,
    },
  ],
}

const graphql = (type: string, take: Step['take'], key: string): LookUp => ({
  keys: [key],
  steps: [{ method: 'POST', url: api('/graphql'), body: { query: `{ ${type} { id } }` }, take }],
})

/** Its API tells a global id (`gid://Jobber/Account/1` in base64); its webhooks the number alone, in base64 too. */
const jobber = graphql(
  'account',
  (answer) => {
    const global = Buffer.from(textAt(answer, 'data.account.id') ?? '', 'base64').toString('utf8')
    const number = /(?:^|\/)(\d+)$/.exec(global)?.[1]
    return { accountId: number === undefined ? undefined : Buffer.from(number).toString('base64') }
  },
  'accountId',
)

/** One entry per provider of which something is looked up once the connection is made. */
const lookUps: Readonly<Record<string, LookUp>> = {
  'adobe-umapi': { keys: ['clientId'], read: ({ snapshot }) => ({ clientId: snapshot.client.id || undefined }) },
  'atlassian-government-cloud': jira,
  'atlassian-service-account-api-token': jira,
  'atlassian-service-account-oauth2': jira,
  attio: { keys: ['workspace_id'], steps: [{ url: api('/v2/self'), take: take({ workspace_id: 'workspace_id' }) }] },
  basecamp,
  bullhorn: nothing,
  calendly,
  candis: {
    keys: ['organizationId'],
    steps: [{ url: api('/v1/organizations/info'), take: take({ organizationId: 'id' }) }],
  },
  'checkr-partner': checkr,
  'checkr-partner-staging': checkr,
  confluence: atlassian('confluence'),
  docusign,
  'docusign-sandbox': docusign,
  'github-app-oauth': {
    keys: ['handle'],
    steps: [
      {
        url: (about) =>
          about.credential.captured?.['userAccessToken'] === undefined ? undefined : api('/user')(about),
        headers: ({ credential }) => [['authorization', `Bearer ${credential.captured?.['userAccessToken'] ?? ''}`]],
        take: take({ handle: 'login' }),
      },
    ],
  },
  'google-calendar': googleCalendar,
  'google-mail': googleMail,
  gusto,
  'gusto-demo': gusto,
  highlevel,
  'highlevel-white-label': highlevel,
  hubspot: {
    keys: ['portalId'],
    steps: [{ url: api('/account-info/v3/details'), take: take({ portalId: 'portalId' }) }],
  },
  jira,
  jobber,
  linear: graphql('organization', take({ organizationId: 'data.organization.id' }), 'organizationId'),
  mailchimp,
  'microsoft-teams': { keys: ['tenantId'], read: (about) => ({ tenantId: textAt(claimsOf(about), 'tid') }) },
  'microsoft-teams-bot': nothing,
  'one-drive': nothing,
  procore,
  'rippling-shop-app': {
    keys: [],
    // Until it is told so, Rippling shows the app as not installed.
    steps: [{ method: 'POST', url: api('/platform/api/mark_app_installed'), take: () => ({}) }],
  },
  'sage-200': sage200,
  salesforce: nothing,
  sellsy,
  'sellsy-oauth2-cc': sellsy,
  'sharepoint-online': nothing,
  snowflake,
  'sophos-central': sophosCentral,
  workable,
  xero,
  zoho,
  zoom,
}

/** What is looked up for a provider of these names: that of the first of them which has something. */
export function lookUpOf(names: readonly string[]): LookUp | undefined {
  const known = names.find((name) => Object.hasOwn(lookUps, name))
  return known === undefined ? undefined : lookUps[known]
}
