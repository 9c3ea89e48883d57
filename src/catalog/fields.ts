/**
 * What a field of a template may hold. The table below is the format: the check reads it, and so will whatever writes a
 * schema from it.
 */
export type Kind =
  | { readonly is: 'text'; readonly oneOf?: readonly string[]; readonly url?: true; readonly pattern?: true }
  | { readonly is: 'flag' }
  | { readonly is: 'number' }
  /** A list of texts; with `orText`, one text will do. */
  | { readonly is: 'texts'; readonly orText?: true }
  /** Name → scalar. */
  | { readonly is: 'scalars' }
  /** Name → anything, for what is interpreted elsewhere. */
  | { readonly is: 'map' }
  | { readonly is: 'any' }
  /** Name → a mapping of these fields. */
  | { readonly is: 'each'; readonly fields: Fields }
  | { readonly is: 'fields'; readonly fields: Fields }
  | { readonly is: 'list'; readonly fields: Fields }
  /** The first kind, or for some modes the second. */
  | { readonly is: 'either'; readonly kinds: readonly [Kind, Kind] }

export type Fields = Readonly<Record<string, Kind>>

const text: Kind = { is: 'text' }
const url: Kind = { is: 'text', url: true }
const flag: Kind = { is: 'flag' }
const number: Kind = { is: 'number' }
const texts: Kind = { is: 'texts' }
const scalars: Kind = { is: 'scalars' }
const map: Kind = { is: 'map' }
const any: Kind = { is: 'any' }
const oneOf = (...values: readonly string[]): Kind => ({ is: 'text', oneOf: values })

export const authModes = [
  'OAUTH2',
  'OAUTH2_CC',
  'OAUTH1',
  'API_KEY',
  'BASIC',
  'TWO_STEP',
  'JWT',
  'MCP_OAUTH2',
  'MCP_OAUTH2_GENERIC',
  'APP',
  'APP_STORE',
  'AWS_SIGV4',
  'BILL',
  'CUSTOM',
  'INSTALL_PLUGIN',
  'NONE',
  'SIGNATURE',
  'TABLEAU',
  'TBA',
] as const

/** A question to the person. */
export const promptFields: Fields = {
  type: oneOf('string'),
  title: text,
  description: text,
  pattern: { is: 'text', pattern: true },
  format: oneOf('hostname', 'uuid', 'uri', 'email'),
  example: text,
  prefix: text,
  suffix: text,
  default_value: text,
  optional: flag,
  hidden: flag,
  automated: flag,
  enum: texts,
  secret: flag,
  order: number,
  doc_section: text,
  visible_when: { is: 'fields', fields: { field: text, equals: any } },
  warnings: scalars,
}

const prompts: Kind = { is: 'each', fields: promptFields }

const proxyFields: Fields = {
  base_url: url,
  headers: scalars,
  query: scalars,
  body: map,
  verification: {
    is: 'fields',
    fields: {
      method: oneOf('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'),
      endpoints: texts,
      endpoint: text,
      headers: scalars,
      data: any,
      base_url_override: url,
    },
  },
  retry: map,
  paginate: map,
  connection_config: map,
  decompress: flag,
  forward_headers_on_redirect: flag,
}

/** Every field of a template, in the order in which one would write them. */
export const templateFields: Fields = {
  display_name: text,
  docs: text,
  docs_connect: text,
  setup_guide_url: text,
  categories: texts,
  alias: text,
  auth_mode: oneOf(...authModes),
  auth_type: text,
  installation: oneOf('outbound'),
  auth: map,

  authorization_url: url,
  authorization_params: scalars,
  authorization_method: oneOf('header', 'body'),
  authorization_url_skip_encode: texts,
  authorization_url_skip_empty: flag,
  authorization_url_replacements: scalars,
  authorization_url_fragment: text,
  authorization_code_param_in_callback: text,
  authorization_code_param_in_webhook: text,
  disable_pkce: flag,
  scope_separator: text,
  default_scopes: texts,
  decode_url: flag,

  token_url: { is: 'either', kinds: [url, map] },
  token_url_skip_encode: texts,
  token_params: map,
  token_headers: scalars,
  token_request_method: oneOf('GET', 'POST'),
  token_request_auth_method: oneOf('basic', 'custom', 'private_key_jwt'),
  body_format: oneOf('form', 'json', 'query', 'xml'),
  token_response: map,
  token_response_headers: texts,
  token_response_metadata: texts,
  redirect_uri_metadata: texts,
  webhook_response_metadata: texts,
  refresh_token_response_metadata: texts,
  alternate_access_token_response_path: text,
  access_token_url: url,

  refresh_url: url,
  refresh_params: map,
  refresh_token_params: map,
  refresh_token_headers: scalars,
  token_expiration_buffer: number,
  token_expires_in_ms: number,
  expires_in_unit: oneOf('milliseconds', 'seconds'),

  request_url: url,
  request_params: scalars,
  request_http_method: text,
  token_http_method: text,
  signature_method: oneOf('HMAC-SHA1', 'HMAC-SHA256', 'RSA-SHA1', 'PLAINTEXT'),

  signature: map,
  token: map,
  assertion: map,
  assertion_option: prompts,
  additional_steps: { is: 'list', fields: {} },

  client_registration: oneOf('dynamic', 'static', 'cimd'),
  registration_url: url,
  registration_params: map,
  require_client_certificate: flag,

  connection_config: prompts,
  credentials: prompts,
  integration_config: prompts,
  connection_configuration: texts,
  proxy: { is: 'fields', fields: proxyFields },
  proxy_header_authorization: text,

  post_connection_script: text,
  pre_connection_creation_script: text,
  pre_connection_deletion_script: text,
  credentials_verification_script: text,
  webhook_routing_script: text,
  webhook_user_defined_secret: flag,
  webhook_allowed_query_params: texts,

  // Ours.
  issuer: url,
  redirect_uri: { is: 'fields', fields: { host: text, https: flag, port: oneOf('any', 'exact') } },
  client_secret_required: flag,
  register_url: url,
  register_steps: texts,
  device_authorization_url: url,
  revocation_url: url,
  introspection_url: url,
  userinfo_url: url,
}
