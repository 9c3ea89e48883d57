import { createHash } from 'node:crypto'
import {
  api,
  beside,
  claimsOf,
  type LookUp,
  listIn,
  onlyOne,
  type Step,
  sister,
  take,
  textAt,
  valueAt,
} from './look-up.ts'

/** Accounts, tenants and hosts that a template leaves to be looked up: one entry per provider. */

export const basecamp: LookUp = {
  keys: ['accountId'],
  steps: [
    {
      url: (about) => (about.params['accountId'] ? undefined : beside('../authorization.json')(about)),
      take: (answer) => {
        // A log-in has accounts of older products too, whose API is another.
        const current = listIn(valueAt(answer, 'accounts')).filter((account) => textAt(account, 'product') === 'bc3')
        return { accountId: textAt(onlyOne(current), 'id') }
      },
    },
  ],
}

export const calendly: LookUp = {
  keys: ['organizationId'],
  steps: [
    {
      url: api('/users/me'),
      take: (answer) => ({
        organizationId: textAt(answer, 'resource.current_organization')?.replace(/\/+$/, '').split('/').at(-1),
      }),
    },
  ],
}

export const docusign: LookUp = {
  keys: ['baseUri', 'accountId'],
  steps: [
    {
      url: beside('userinfo'),
      take: (answer) => {
        const accounts = listIn(valueAt(answer, 'accounts'))
        const own = accounts.find((account) => valueAt(account, 'is_default') === true) ?? onlyOne(accounts)
        return { baseUri: textAt(own, 'base_uri'), accountId: textAt(own, 'account_id') }
      },
    },
  ],
}

export const gusto: LookUp = {
  keys: ['companyUuid'],
  steps: [
    {
      url: api('/v1/token_info'),
      take: (answer) => ({
        companyUuid: textAt(answer, 'resource.type') === 'Company' ? textAt(answer, 'resource.uuid') : undefined,
      }),
    },
    {
      url: (about) => (about.params['companyUuid'] ? undefined : api('/v1/me')(about)),
      take: take({ companyUuid: 'roles.payroll_admin.companies.0.uuid' }),
    },
  ],
}

export const mailchimp: LookUp = {
  keys: ['dc'],
  steps: [
    {
      url: beside('metadata'),
      headers: ({ credential }) => [['authorization', `OAuth ${credential.accessToken ?? ''}`]],
      take: take({ dc: 'dc' }),
    },
  ],
}

export const procore: LookUp = {
  keys: ['companyId'],
  steps: [
    {
      url: (about) => (about.params['companyId'] ? undefined : api('/rest/v1.0/companies')(about)),
      take: take({ companyId: '0.id' }),
    },
  ],
}

/** Sage 200 Professional is `sage200extra`, Standard is `sage200`: who has that says so. */
const sageSites: Step = {
  url: ({ params, snapshot }) => {
    const base = snapshot.template.proxy?.base_url
    if (base === undefined) return undefined
    const edition = params['edition'] || 'sage200extra'
    return `${base.replace(/\$\{connectionConfig\.edition\}/, encodeURIComponent(edition)).replace(/\/+$/, '')}/accounts/v1/sites`
  },
  take: (answer, { params }) => {
    const site = Array.isArray(answer) ? answer[0] : answer
    return {
      edition: params['edition'] || 'sage200extra',
      company_id: textAt(site, 'company_id'),
      site_id: textAt(site, 'site_id'),
    }
  },
}

export const sage200: LookUp = { keys: ['company_id', 'site_id'], steps: [sageSites] }

export const snowflake: LookUp = {
  keys: ['username'],
  read: ({ credential }) => ({ username: textAt(credential.raw, 'username') }),
  steps: [
    {
      method: 'POST',
      url: (about) => (about.params['username'] ? undefined : api('/api/v2/statements')(about)),
      body: { statement: 'SELECT CURRENT_USER()' },
      take: take({ username: 'data.0.0' }),
    },
  ],
}

export const sophosCentral: LookUp = {
  keys: ['tenantId', 'dataRegion'],
  steps: [
    {
      url: sister('id.sophos.com/api/v2/oauth2/token', 'api.central.sophos.com/whoami/v1'),
      take: (answer) => {
        // Only a tenant has one; the id of anybody else is none of a tenant.
        const dataRegion = textAt(answer, 'apiHosts.dataRegion')
        return dataRegion === undefined ? {} : { tenantId: textAt(answer, 'id'), dataRegion }
      },
    },
  ],
}

export const workable: LookUp = {
  keys: ['subdomain'],
  steps: [
    {
      url: ({ params, snapshot }) => {
        const base = snapshot.template.proxy?.base_url
        if (params['subdomain'] || base === undefined) return undefined
        return `${base.replace(/\$\{connectionConfig\.subdomain\}/, 'www').replace(/\/+$/, '')}/spi/v3/accounts`
      },
      take: take({ subdomain: 'accounts.0.subdomain' }),
    },
  ],
}

/** One log-in may give access to several organisations; the one it was just given for has the log-in's own id. */
export const xero: LookUp = {
  keys: ['tenant_id'],
  steps: [
    {
      url: api('/connections'),
      take: (answer, about) => {
        const tenants = listIn(answer)
        const event = textAt(claimsOf(about), 'authentication_event_id')
        const fresh = tenants.find((tenant) => event !== undefined && textAt(tenant, 'authEventId') === event)
        return { tenant_id: textAt(fresh ?? onlyOne(tenants), 'tenantId') }
      },
    },
  ],
}

export const zoho: LookUp = {
  keys: ['extension'],
  read: ({ params, credential }) => {
    const domain = params['api_domain'] || textAt(credential.raw, 'api_domain') || ''
    return { extension: params['extension'] || /^https?:\/\/(?:www\.)?zohoapis\.([a-z.]+)\/?$/.exec(domain)?.[1] }
  },
}

export const zoom: LookUp = {
  keys: ['accountId'],
  steps: [{ url: api('/users/me'), take: take({ accountId: 'account_id', userId: 'id' }) }],
}

/** Told by an address' hash, so that the address itself is not kept: as those write it who gave this answer its name. */
const hashOf = (address: string | undefined): string | undefined =>
  address === undefined
    ? undefined
    : createHash('sha256').update(`nango.emailAddressHash.v1:${address.trim().toLowerCase()}`).digest('hex')

export const googleMail: LookUp = {
  keys: ['emailAddressHash'],
  steps: [
    {
      url: api('/gmail/v1/users/me/profile'),
      take: (answer) => ({ emailAddressHash: hashOf(textAt(answer, 'emailAddress')) }),
    },
  ],
}

export const googleCalendar: LookUp = {
  keys: ['emailAddressHash'],
  steps: [
    {
      url: sister('oauth2.googleapis.com/token', 'www.googleapis.com/calendar/v3/users/me/calendarList/primary'),
      take: (answer) => ({ emailAddressHash: hashOf(textAt(answer, 'id')) }),
    },
  ],
}
