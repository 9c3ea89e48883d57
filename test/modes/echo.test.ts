import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Given } from '../../src/look-up.ts'
import type { ProviderError } from '../../src/model/errors.ts'
import { type Hit, openProvider, type Reply } from '../support/provider.ts'
import { leaksIn } from '../support/secrets.ts'
import { openWorkshop } from '../support/world.ts'

const secret = 'S3cret/of+this&test="x"=ü'
const plain = 'S3cretOfThisTestWithoutSigns42'
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().trim().replaceAll('\n', '\\n')

interface Case {
  readonly fields: (origin: string) => Record<string, unknown>
  readonly given: (origin: string) => Given
  readonly secrets: readonly string[]
}

const alone =
  (more: Record<string, unknown>): Case['fields'] =>
  (origin) => ({
    auth_mode: 'OAUTH2_CC',
    token_url: `${origin}/x`,
    token_params: { grant_type: 'client_credentials' },
    proxy: { base_url: origin },
    ...more,
  })
const client: Case['given'] = () => ({ clientId: 'c1', clientSecret: secret })
const text = (title: string) => ({ type: 'string', title })
const aws = { service: 's3', region: 'eu-west-1', role_arn: 'arn:aws:iam::123456789012:role/R', external_id: 'e' }
const awsFields: Case['fields'] = () => ({
  auth_mode: 'AWS_SIGV4',
  proxy: { base_url: 'https://${connectionConfig.service}.${connectionConfig.region}.amazonaws.com' },
  connection_config: { region: text('R'), service: { ...text('S'), automated: true } },
  integration_config: Object.fromEntries(
    [
      'service',
      'stsMode',
      'awsAccessKeyId',
      'awsSecretAccessKey',
      'stsEndpointUrl',
      'stsAuthType',
      'stsAuthPassword',
    ].map((name) => [name, { ...text(name), optional: true }]),
  ),
})

const cases: Readonly<Record<string, Case>> = {
  'a form': { fields: alone({}), given: client, secrets: [secret] },
  JSON: { fields: alone({ body_format: 'json' }), given: client, secrets: [secret] },
  'the query': { fields: alone({ body_format: 'query' }), given: client, secrets: [secret] },
  Basic: { fields: alone({ token_request_auth_method: 'basic' }), given: client, secrets: [secret, `c1:${secret}`] },
  custom: { fields: alone({ token_request_auth_method: 'custom' }), given: client, secrets: [secret] },
  'an assertion': {
    fields: alone({ token_request_auth_method: 'private_key_jwt' }),
    given: () => ({ clientId: 'c1', params: { client_private_key: pem } }),
    secrets: [pem],
  },
  WSSE: {
    fields: (origin) => ({
      auth_mode: 'SIGNATURE',
      proxy: { base_url: origin, headers: { 'x-wsse': '${accessToken}' }, verification: { endpoints: ['/x'] } },
    }),
    given: () => ({ params: { username: 'me', password: secret } }),
    secrets: [secret],
  },
  BILL: {
    fields: (origin) => ({ auth_mode: 'BILL', token_url: `${origin}/x`, proxy: { base_url: origin } }),
    given: () => ({ params: { username: 'me', password: secret, organization_id: 'o', dev_key: plain } }),
    secrets: [secret, plain],
  },
  TBA: {
    fields: (origin) => ({
      auth_mode: 'TBA',
      signature_method: 'PLAINTEXT',
      proxy: { base_url: origin, verification: { endpoints: ['/x'] } },
    }),
    given: () => ({ clientId: 'c1', clientSecret: plain, params: { token_id: 'T0ken-id-0123', token_secret: secret } }),
    secrets: [secret, plain, 'T0ken-id-0123'],
  },
  'OAuth 1.0a': {
    fields: (origin) => ({
      auth_mode: 'OAUTH1',
      signature_method: 'PLAINTEXT',
      request_url: `${origin}/x`,
      authorization_url: `${origin}/a`,
      token_url: `${origin}/t`,
    }),
    given: () => ({ clientId: 'c1', clientSecret: secret, port: 0 }),
    secrets: [secret],
  },
  AWS: {
    fields: awsFields,
    given: () => ({ params: { ...aws, awsAccessKeyId: 'AKIAOFTHISTEST', awsSecretAccessKey: secret } }),
    secrets: [secret, 'AKIAOFTHISTEST'],
  },
  'a token service of one’s own': {
    fields: awsFields,
    given: (origin) => ({
      params: {
        ...aws,
        stsMode: 'custom',
        stsEndpointUrl: `${origin}/x`,
        stsAuthType: 'basic',
        stsAuthPassword: secret,
      },
    }),
    secrets: [secret],
  },
}

/** Everything that was sent, said again. */
const echoes: Readonly<Record<string, (hit: Hit) => Reply>> = {
  'JSON with 401': (hit) => ({ status: 401, body: { error: 'invalid_client', error_description: said(hit), hit } }),
  'a page with 500': (hit) => ({ status: 500, body: `<html><title>${said(hit)}</title></html>` }),
  'text with 400': (hit) => ({ status: 400, headers: { 'content-type': 'text/plain' }, body: `no: ${said(hit)}` }),
  'JSON with 200': (hit) => ({ body: { message: said(hit), query: hit.query.toString() } }),
  'a redirect': (hit) => ({
    status: 302,
    headers: { location: `https://other.example/?b=${encodeURIComponent(said(hit))}` },
  }),
}

function said({ headers, body, query }: Hit): string {
  return JSON.stringify([headers.authorization, headers['x-wsse'], headers['devkey'], body, query.toString()])
}

test.each(Object.keys(cases).flatMap((kind) => Object.keys(echoes).map((echo) => [kind, echo] as const)))(
  '%s: what a provider says again in %s gives nothing away',
  async (kind, echo) => {
    const { fields, given, secrets } = cases[kind] as Case
    const reply = echoes[echo] as (hit: Hit) => Reply
    const { origin, hits } = await openProvider({ routes: { '/x': reply, '/': reply } })
    const workshop = openWorkshop({
      templates: { echo: { display_name: 'Echo', docs: 'https://echo.example', ...fields(origin) } },
      env: { AWS_ENDPOINT_URL_STS: origin },
    })
    const known = new Map(secrets.map((one, at) => [one, `secret ${at + 1}`]))
    const isTaken = kind === 'WSSE' || kind === 'TBA' ? echo === 'JSON with 200' : false
    const end = await workshop.connect('echo', given(origin)).then(
      () => undefined,
      (error: unknown) => error as ProviderError,
    )
    expect(end === undefined).toBe(isTaken)
    expect(hits.length).toBeGreaterThan(0)
    const assertion = hits[0]?.form.get('client_assertion')
    if (assertion) known.set(assertion, 'assertion')
    const words = workshop.world.secrets.scrub(`${end?.words}`)
    expect(
      leaksIn(`${workshop.told()}\n${end?.message}\n${end?.hint}\n${JSON.stringify(end?.facts)}\n${words}`, known),
    ).toEqual([])
  },
)
