import { atlassian, confluenceUser, jiraUser } from './atlassian.ts'
import { api, claimsOf, type LookUp, take, textAt } from './look-up.ts'
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
const jira = atlassian(jiraUser)

const highlevel: LookUp = {
  keys: [],
  read: ({ credential: { raw } }) => ({ companyId: textAt(raw, 'companyId'), locationId: textAt(raw, 'locationId') }),
}

const sellsy: LookUp = {
  keys: ['corpid'],
  read: (about) => ({ corpid: textAt(claimsOf(about), 'corpId') ?? textAt(claimsOf(about), 'corpid') }),
}

const checkr: LookUp = {
  keys: ['accountHierarchyEnabled'],
  steps: [
    {
      url: api('/v1/account'),
      take: (answer) => {
        const isOn = (answer as { account_hierarchy_enabled?: unknown } | null)?.account_hierarchy_enabled
        return { accountHierarchyEnabled: typeof isOn === 'boolean' ? String(isOn) : undefined }
      },
    },
  ],
}

const graphql = (key: string, type: string): LookUp => ({
  keys: [key],
  steps: [
    {
      method: 'POST',
      url: api('/graphql'),
      body: { query: `{ ${type} { id } }` },
      take: take({ [key]: `data.${type}.id` }),
    },
  ],
})

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
  confluence: atlassian(confluenceUser),
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
  jobber: graphql('accountId', 'account'),
  linear: graphql('organizationId', 'organization'),
  mailchimp,
  'microsoft-teams': { keys: ['tenantId'], read: (about) => ({ tenantId: textAt(claimsOf(about), 'tid') }) },
  'microsoft-teams-bot': nothing,
  'one-drive': nothing,
  procore,
  'rippling-shop-app': {
    keys: [],
    // Until it is told so, Rippling shows the app as not installed.
    steps: [{ method: 'POST', url: api('/platform/api/mark_app_installed'), body: {}, take: () => ({}) }],
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
