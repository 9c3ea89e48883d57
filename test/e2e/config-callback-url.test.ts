import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { callback, openFarProvider, visit } from '../support/far-provider.ts'
import { newPerson } from '../support/person.ts'

it('a new callback URL lists where it has to be registered first', async () => {
  const far = await openFarProvider()
  const person = newPerson()
  const project = far.project('register_url: https://far.example/apps')
  const integrations = [
    'integrations:',
    '  other-desk: { provider: zendesk, client_id: demo }',
    '  settled: { provider: github, callback_url: https://settled.example/cb }',
    '',
  ].join('\n')
  writeFileSync(join(person.cwd, 'auth-cli.yaml'), project + integrations)
  const flow = person.start(
    ['connect', 'far', '--as', 'far-1', '--client-id', 'app-1', '--client-secret', 'env:S', '--port', '0'],
    { env: { BROWSER: 'true', S: 'a-secret-of-the-far-app' } },
  )
  await visit(callback(await flow.url(), { code: 'c0de' }))
  expect(await flow.ended).toMatchObject({ status: 0 })
  const set = await person.run(['config', 'set', 'callback-url', 'https://mine.example/oauth-callback', '--json'])
  expect(set.status).toBe(0)
  const { register, ...change } = JSON.parse(set.stdout)
  expect(change).toEqual({ key: 'callback-url', value: 'https://mine.example/oauth-callback' })
  expect(register).toEqual([
    {
      integration: 'far',
      provider: 'far',
      title: 'Far',
      clientId: 'app-1',
      registerUrl: 'https://far.example/apps',
      registered: expect.stringMatching(/^http:\/\/localhost:\d+\/oauth\/callback$/),
      connections: ['far-1'],
    },
    { integration: 'other-desk', provider: 'zendesk', title: 'Zendesk', clientId: 'demo', connections: [] },
  ])
  const screen = await person.run(['config', 'set', 'callback-url', 'https://mine.example/oauth-callback'])
  expect(screen.stdout).toMatch(
    /Register it first at these providers[\s\S]*far +Far +app-1 +https:\/\/far\.example\/apps/,
  )
  expect(screen.stdout).toContain('auth-cli callback check https://mine.example/oauth-callback')
  const unset = await person.run(['config', 'unset', 'callback-url', '--json'])
  expect(JSON.parse(unset.stdout).register.map(({ integration }: { integration: string }) => integration)).toEqual([
    'far',
    'other-desk',
  ])
  expect((await person.run(['config', 'set', 'port', '8123', '--json'])).stdout).toBe(
    `${JSON.stringify({ key: 'port', value: 8123 }, null, 2)}\n`,
  )
})
