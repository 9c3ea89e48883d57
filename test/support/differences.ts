/** Where a template of ours says otherwise than the entry of the same name in `@nangohq/providers`, and why. */
export interface Difference {
  readonly name: string
  readonly field: string
  readonly reason: string
}

const of = (names: string, fields: string, reason: string): Difference[] =>
  names.split(' ').flatMap((name) => fields.split(' ').map((field) => ({ name, field, reason })))

const newHost = "the host that X's documentation names now"
const dataCenters = "an account's data centre has a host of its own"
const optionalExtension = 'the data centre may be left out, and is then .com'
const slash = 'only the slash at the end differs'

export const differences: readonly Difference[] = [
  ...of('brex brex-staging', 'proxy.base_url', 'the base URL documented since 2026'),
  ...of('apollo', 'proxy.base_url', 'the host that the API reference names'),
  ...of('payfit', 'token_url', "theirs is another company's; PayFit documents this one"),
  ...of('paypal', 'token_url', 'the host of the REST API, as documented'),
  ...of('uber', 'authorization_url token_url', 'the host that is documented now'),
  ...of('wave-accounting', 'authorization_url', 'documented with a slash at the end'),
  ...of('netsuite-tba', 'authorization_url token_url', 'token-based authentication makes no such request'),
  ...of('ebay ebay-sandbox exact-online lattice', 'proxy.base_url', slash),
  ...of('discord', 'authorization_url', 'documented without /api'),
  ...of('monday', 'token_url', 'the endpoint of OAuth 2.1, which all new apps use'),
  ...of('pagerduty', 'authorization_url token_url', 'the identity host that the code grant is documented with'),
  ...of('strava', 'authorization_url', 'the page for browsers; theirs is for phones'),
  ...of('gitlab-group-token', 'authorization_url token_url', 'a token that was given asks nobody'),
  ...of('linear-mcp mcp-generic', 'proxy.base_url', 'the MCP server itself'),
  ...of('databricks-workspace ghost-admin notion-mcp whoop', 'proxy.base_url', slash),
  ...of('twitter-v2', 'token_url proxy.base_url', newHost),
  ...of('twitter', 'request_url authorization_url token_url proxy.base_url', newHost),
  ...of('google-ads', 'token_url', 'the token endpoint that Google documents'),
  ...of('google-analytics', 'proxy.base_url', 'the Data API of Analytics 4 lives there'),
  ...of('zoho-desk zoho-calendar zoho-people', 'proxy.base_url', dataCenters),
  ...of('zoho-mail zoho-recruit', 'proxy.base_url', optionalExtension),
]
