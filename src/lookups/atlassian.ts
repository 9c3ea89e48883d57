import { type About, api, type LookUp, listIn, type Step, textAt } from './look-up.ts'

const sites: Step = {
  url: (about) => (about.params['cloudId'] ? undefined : api('/oauth/token/accessible-resources')(about)),
  take: (answer, { params }) => {
    const site = siteFor(listIn(answer), params['subdomain'])
    return { cloudId: textAt(site, 'id'), baseUrl: textAt(site, 'url') }
  },
}

/** The site of the subdomain that was asked for, else the first. */
function siteFor(all: readonly unknown[], subdomain: string | undefined): unknown {
  if (subdomain === undefined || subdomain === '') return all[0]
  return all.find((site) => {
    const url = textAt(site, 'url') ?? ''
    return URL.canParse(url) && new URL(url).hostname.split('.')[0] === subdomain.toLowerCase()
  })
}

/** Atlassian's products behind one gateway: which site, and who one is there. */
export function atlassian(whoAmI: (cloudId: string) => string): LookUp {
  const me: Step = {
    url: (about: About) => {
      const { cloudId } = about.params
      return cloudId === undefined || cloudId === '' ? undefined : api(whoAmI(encodeURIComponent(cloudId)))(about)
    },
    take: (answer) => ({ accountId: textAt(answer, 'accountId') }),
  }
  return { keys: ['cloudId', 'accountId'], steps: [sites, me] }
}

export const jiraUser = (cloudId: string): string => `/ex/jira/${cloudId}/rest/api/3/myself`
export const confluenceUser = (cloudId: string): string => `/ex/confluence/${cloudId}/wiki/rest/api/user/current`
