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

/**
 * Atlassian's products behind one gateway: which site, and who one is there. A person has one account for all of them, so
 * the product is asked that the token is for: `jira` by its name, unless its scopes are of the other alone.
 */
export function atlassian(product: Product): LookUp {
  const me: Step = {
    url: (about: About) => {
      const { cloudId } = about.params
      if (cloudId === undefined || cloudId === '') return undefined
      return api(whoAmI[productOf(about, product)](encodeURIComponent(cloudId)))(about)
    },
    take: (answer) => ({ accountId: textAt(answer, 'accountId') }),
  }
  return { keys: ['cloudId', 'accountId'], steps: [sites, me] }
}

type Product = 'jira' | 'confluence'

const whoAmI: Readonly<Record<Product, (cloudId: string) => string>> = {
  jira: (cloudId) => `/ex/jira/${cloudId}/rest/api/3/myself`,
  confluence: (cloudId) => `/ex/confluence/${cloudId}/wiki/rest/api/user/current`,
}

function productOf({ scopes }: About, otherwise: Product): Product {
  const has = (product: Product): boolean => scopes.granted.some((scope) => scope.includes(product))
  if (has('confluence') && !has('jira')) return 'confluence'
  return has('jira') && !has('confluence') ? 'jira' : otherwise
}
