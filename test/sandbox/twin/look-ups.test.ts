import { describe, expect, it } from 'vitest'
import { readCatalogue } from '../../support/catalogue.ts'
import { basic, comeBack, exchanging, type Fields, openForTest, type Reply, send, sendForm } from './twin.ts'

const catalogue = readCatalogue()

/** A twin of the catalogue and a token of its own; the scope and the rest are what its template wants. */
async function signedIn(name: string, answers: Fields = {}) {
  const template = catalogue.get(name) ?? {}
  const twin = await openForTest({ name, template, answers })
  const place = (what: string): string => twin.places.find((one) => one.what === what)?.url ?? ''
  const own = { ...(template['authorization_params'] as Fields | undefined) }
  const back = await comeBack(
    twin,
    (query) => {
      if (template['disable_pkce'] === true)
        for (const key of ['code_challenge', 'code_challenge_method']) query.delete(key)
      return `${place('the authorization endpoint')}?${query}`
    },
    own,
  )
  const { code_verifier, client_id, client_secret, ...bare } = exchanging(twin, back)
  const isHeader = template['authorization_method'] === 'header'
  const raw = template['token_request_auth_method'] === 'basic'
  const headers: Fields =
    isHeader || raw
      ? {
          authorization: basic(
            client_id ?? '',
            isHeader ? encodeURIComponent(client_secret ?? '') : (client_secret ?? ''),
          ),
        }
      : {}
  const form = {
    ...bare,
    ...(template['disable_pkce'] === true ? {} : { code_verifier: code_verifier ?? '' }),
    ...(isHeader || raw ? {} : { client_id: client_id ?? '', client_secret: client_secret ?? '' }),
    ...(template['token_params'] as Fields | undefined),
  }
  const tokens = await sendForm(twin, place('the token endpoint'), form, headers)
  expect(tokens.status, tokens.text).toBe(200)
  return { twin, token: String(tokens.json.access_token), place }
}

describe('the look-ups after connecting', () => {
  it.each<[string, string, string, (json: Reply['json']) => unknown]>([
    ['attio', 'GET', 'https://api.attio.com/v2/self', (json) => json.workspace_id],
    ['jira', 'GET', 'https://api.atlassian.com/oauth/token/accessible-resources', ([site]) => site.id],
    ['basecamp', 'GET', 'https://launchpad.37signals.com/authorization.json', ({ accounts: [one] }) => one.id],
    ['calendly', 'GET', 'https://api.calendly.com/users/me', ({ resource }) => resource.current_organization],
    ['docusign', 'GET', 'https://account.docusign.com/oauth/userinfo', ({ accounts: [one] }) => one.base_uri],
    [
      'google-calendar',
      'GET',
      'https://www.googleapis.com/calendar/v3/users/me/calendarList/primary',
      ({ id }) => /@/.test(id),
    ],
    ['gusto', 'GET', 'https://api.gusto.com/v1/token_info', ({ resource }) => resource.uuid],
    ['hubspot', 'GET', 'https://api.hubapi.com/account-info/v3/details', (json) => json.portalId],
    [
      'jobber',
      'POST',
      'https://api.getjobber.com/api/graphql',
      ({ data }) => /^gid:\/\/Jobber\/Account\/\d+$/.test(atob(data.account.id)),
    ],
    ['linear', 'POST', 'https://api.linear.app/graphql', ({ data }) => data.viewer.organization.id],
    ['xero', 'GET', 'https://api.xero.com/connections', ([one]) => one.tenantId],
    ['zoom', 'GET', 'https://api.zoom.us/v2/users/me', (json) => json.account_id],
  ])('of %s are answered to a good token alone', async (name, method, url, found) => {
    const { twin, token } = await signedIn(name)
    const ask = (one: string) =>
      send(twin, url, { method, headers: { authorization: `Bearer ${one}` }, ...(method === 'POST' && { body: '{}' }) })
    const answer = await ask(token)
    expect(answer.status, answer.text).toBe(200)
    expect(found(answer.json)).toBeTruthy()
    expect((await ask('another')).status).toBe(401)
  })

  it('tell the host that Mailchimp’s API is at, and the word of its own is understood', async () => {
    const { twin, token, place } = await signedIn('mailchimp')
    const metadata = 'https://login.mailchimp.com/oauth2/metadata'
    const told = await send(twin, metadata, { headers: { authorization: `OAuth ${token}` } })
    expect(`${told.json.api_endpoint}/`).toBe(place('the API'))
    const api = await send(twin, told.json.api_endpoint, { headers: { authorization: `Bearer ${token}` } })
    expect(api.status).toBe(200)
  })

  it('tell of Checkr’s nodes, whose token is the user of HTTP Basic', async () => {
    const { twin, token } = await signedIn('checkr-partner', { client_id: 'the-client' })
    const ask = (user: string, password = '') =>
      send(twin, 'https://api.checkr.com/v1/nodes?page=1&per_page=1', {
        headers: { authorization: basic(user, password) },
      })
    expect((await ask(token)).json.object).toBe('list')
    expect([(await ask('another')).status, (await ask(token, 'word')).status]).toEqual([401, 401])
  })

  it('tell the site of Sage 200, which all other calls have to name', async () => {
    const { twin, token, place } = await signedIn('sage-200')
    const headers = { authorization: `Bearer ${token}` }
    const sites = await send(twin, 'https://api.columbus.sage.com/uk/sage200extra/accounts/v1/sites', { headers })
    const [site] = sites.json
    expect((await send(twin, place('the API'), { headers })).text).toContain('x-company is missing')
    const named = { ...headers, 'x-company': site.company_id, 'x-site': site.site_id }
    expect((await send(twin, place('the API'), { headers: named })).status).toBe(200)
  })

  it('tell tenant and region of Sophos', async () => {
    const template = catalogue.get('sophos-central') ?? {}
    const twin = await openForTest({ name: 'sophos-central', template })
    const { clientId: client_id = '', clientSecret: client_secret = '' } = twin.issued
    const token = twin.places.find(({ what }) => what === 'the token endpoint')?.url ?? ''
    const own = template['token_params'] as Fields
    const tokens = await sendForm(twin, token, { ...own, client_id, client_secret })
    const headers = { authorization: `Bearer ${tokens.json.access_token}` }
    const who = await send(twin, 'https://api.central.sophos.com/whoami/v1', { headers })
    expect(who.status, who.text).toBe(200)
    const { id, apiHosts } = who.json
    expect((await send(twin, apiHosts.dataRegion, { headers })).text).toContain('x-tenant-id is missing')
    expect((await send(twin, apiHosts.dataRegion, { headers: { ...headers, 'x-tenant-id': id } })).status).toBe(200)
  })

  it.each([
    ['microsoft-teams', 'https://graph.microsoft.com/v1.0/me', 'tid'],
    ['sellsy', 'https://api.sellsy.com/v2/x', 'corpId'],
  ])('need no call where the token of %s tells it, and nobody may change it', async (name, url, claim) => {
    const { twin, token } = await signedIn(name)
    const [head, body = '', tail] = token.split('.')
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString())
    expect(claims[claim]).toBeTruthy()
    const other = Buffer.from(JSON.stringify({ ...claims, [claim]: 'another' })).toString('base64url')
    const ask = (one: string) => send(twin, url, { headers: { authorization: `Bearer ${one}` } })
    expect((await ask(token)).status).toBe(200)
    expect([(await ask(`${head}.${other}.${tail}`)).status, (await ask(claims.jti)).status]).toEqual([401, 401])
  })

  it('find the account of an API key', async () => {
    const twin = await openForTest({ name: 'workable', template: catalogue.get('workable') ?? {} })
    const { apiKey = '', subdomain } = twin.issued.params
    const ask = (key: string) =>
      send(twin, 'https://www.workable.com/spi/v3/accounts', { headers: { authorization: `Bearer ${key}` } })
    expect((await ask(apiKey)).json.accounts[0].subdomain).toBe(subdomain)
    expect((await ask('another')).status).toBe(401)
  })
})
