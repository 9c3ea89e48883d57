import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readCatalogue } from '../support/catalogue.ts'
import { exampleAnswers, expectedAuthorization } from '../support/expected-request.ts'
import { failureOf, newPerson } from '../support/person.ts'
import { openProvider, type Reply, templateOf } from '../support/provider.ts'

const follower = fileURLToPath(new URL('../support/follower.mjs', import.meta.url))
const env = { BROWSER: `${process.execPath} ${follower} %s`, S: 'a-secret-of-some-length' }
const client = ['--client-id', 'id', '--client-secret', 'env:S', '--port', '0']

describe('a template that says everything its own way', () => {
  it('is spoken to in its own words, and understood, from the first request to the refresh', async () => {
    const provider = await openProvider({
      routes: {
        '/start': ({ query }): Reply => {
          const back = new URL(query.get('back') ?? '')
          back.searchParams.set('the_code', 'c0de')
          back.searchParams.set('customField', query.get('customField') ?? '')
          back.searchParams.set('realmId', '4711')
          return { status: 302, headers: { location: back.href } }
        },
        '/acme/renew': (): Reply => ({ body: { access_token: 'second', token_type: 'Bearer', expires_in: 60 } }),
      },
      tokens: { team: { id: 7, active: true } },
    })
    const person = newPerson()
    const fields = {
      authorization_url: `${provider.origin}/start`,
      authorization_params: { force: true, at: '${now:YYYY}', id: '${random}', none: '' },
      authorization_url_replacements: { 'state=': 'customField=', redirect_uri: 'back', client_id: 'app_id' },
      authorization_url_skip_encode: ['scopes'],
      authorization_url_skip_empty: true,
      authorization_code_param_in_callback: 'the_code',
      scope_separator: '+',
      default_scopes: ['a:b', 'c'],
      token_url: `${provider.origin}/token?key=\${connectionConfig.tenant}`,
      token_params: {
        deep: { tenant: '${connectionConfig.tenant}', n: 1 },
        list: [true],
        grant_type: 'authorization_code',
      },
      token_request_auth_method: 'basic',
      body_format: 'json',
      refresh_url: `${provider.origin}/\${connectionConfig.tenant}/renew`,
      refresh_params: { tenant: '${connectionConfig.tenant}', grant_type: 'authorization_code' },
      redirect_uri_metadata: ['realmId'],
      token_response_metadata: ['team.id', 'team.active'],
      connection_config: {
        tenant: { warnings: { acme: 'Acme is slow today.' } },
        plan: { enum: ['free', 'paid'], default_value: 'free' },
        seats: { pattern: '^[0-9]+$', visible_when: { field: 'plan', equals: 'paid' } },
      },
    }
    person.write('auth-cli.yaml', templateOf(provider.origin, fields))
    const words = ['connect', 'acme', ...client, '--tenant', 'acme', '--seats', 'many', '--json']
    const { status, stdout, stderr } = await person.run(words, { env })
    expect([status, stderr]).toEqual([0, expect.stringContaining('Acme is slow today.')])
    expect(stderr).toContain('--seats does not apply to the other answers and is left out.')
    expect(JSON.parse(stdout).params).toEqual({
      tenant: 'acme',
      plan: 'free',
      realmId: '4711',
      'team.id': '7',
      'team.active': 'true',
    })

    const [start] = provider.hits
    expect([...(start?.query.keys() ?? [])]).toEqual([
      'response_type',
      'app_id',
      'back',
      'customField',
      'force',
      'at',
      'id',
      'code_challenge',
      'code_challenge_method',
      'scope',
    ])
    expect(start?.query.get('at')).toMatch(/^\d{4}$/)
    expect(start?.query.get('id')).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
    expect(start?.query.get('scope')).toBe('a:b c')

    const [token] = provider.tokenRequests()
    expect(token?.query.get('key')).toBe('acme')
    expect(JSON.parse(token?.body ?? '')).toMatchObject({
      grant_type: 'authorization_code',
      code: 'c0de',
      deep: { tenant: 'acme', n: 1 },
      list: [true],
    })
    expect(token?.headers.authorization).toMatch(/^Basic /)

    expect((await person.run(['refresh', 'acme', '--force'])).status).toBe(0)
    const renewal = provider.hits.find(({ path }) => path === '/acme/renew')
    expect(JSON.parse(renewal?.body ?? '')).toMatchObject({ grant_type: 'refresh_token', tenant: 'acme' })
  })

  it('is told about when the client proves itself twice', async () => {
    const provider = await openProvider()
    const person = newPerson()
    person.write('auth-cli.yaml', templateOf(provider.origin, { token_request_auth_method: 'basic' }))
    const { status, stderr } = await person.run(['connect', 'acme', ...client, '--client-auth', 'basic+post'], { env })
    expect([status, stderr]).toEqual([0, expect.stringContaining('the client secret is sent twice')])
    const [token] = provider.tokenRequests()
    expect([token?.form.get('client_secret'), token?.headers.authorization]).toEqual([
      env.S,
      `Basic ${Buffer.from(`id:${env.S}`).toString('base64')}`,
    ])
  })

  it('that cannot be connected yet is refused before anything opens', async () => {
    const provider = await openProvider()
    const person = newPerson()
    person.write('auth-cli.yaml', templateOf(provider.origin, { token_params: { grant_type: 'password' } }))
    const ended = await person.run(['connect', 'acme', ...client, '--json'], { env })
    expect([ended.status, failureOf(ended).code]).toEqual([3, 'UNSUPPORTED'])
    expect(provider.hits).toEqual([])
    expect((await person.run(['connect', 'acme', ...client, '--dry-run'], { env })).status).toBe(0)
  })

  it('asks on a terminal only for what the other answers leave open', async () => {
    const provider = await openProvider()
    const person = newPerson()
    const connection_config = {
      host: { title: 'Machine', format: 'hostname', visible_when: { field: 'kind', equals: 'own' } },
      kind: { enum: ['cloud', 'own'], order: 1 },
      region: { visible_when: { field: 'kind', equals: 'cloud' }, title: 'Region' },
    }
    person.write('auth-cli.yaml', templateOf(provider.origin, { connection_config }))
    const flow = person.startOnTerminal(['connect', 'acme', ...client], { env })
    await flow.shows(/cloud/)
    flow.type('\r')
    await flow.shows(/Region/)
    flow.type('eu\r')
    const { status, stdout } = await flow.ended
    expect([status, stdout.includes('Machine')]).toEqual([0, false])
  })
})

describe.concurrent('a template of a catalogue, through the command', () => {
  const catalogue = readCatalogue()

  it.each(['zoho', 'salesforce', 'shopline-oauth', 'monday', 'pennylane', 'practicefusion'])(
    '%s has its authorization URL',
    async (name) => {
      const fields = catalogue.get(name) ?? {}
      const answers = exampleAnswers(name, fields, true)
      const person = newPerson()
      // JSON is YAML.
      person.write('auth-cli.yaml', JSON.stringify({ templates: { [name]: fields } }))
      const params = Object.entries(answers).flatMap(([key, value]) => ['--param', `${key}=${value}`])
      const words = ['connect', name, '--client-id', 'id', '--client-secret', 'env:S', ...params, '--dry-run', '--json']
      const { status, stdout, stderr } = await person.run(words, { env })
      expect([status, stderr]).toEqual([0, ''])
      const told = new URL(JSON.parse(stdout).authorizationUrl).href
      const query = new URLSearchParams(told.slice(told.indexOf('?') + 1))
      const expected = expectedAuthorization(fields, {
        answers,
        clientId: 'id',
        redirectUri: 'http://localhost:8749/oauth/callback',
        scopes: (fields['default_scopes'] as string[] | undefined) ?? [],
        state: query.get('state') ?? query.get('customField') ?? '',
        challenge: query.get('code_challenge') ?? '',
        nonce: query.get('nonce') ?? '',
        random: '',
      })
      expect(told).toBe(expected)
    },
  )
})
