import { generateKeyPairSync } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { failureOf, freePort, newPerson } from '../support/person.ts'
import { openProvider, templateOf } from '../support/provider.ts'
import { journalOf, leaksIn, publicFilesOf } from '../support/secrets.ts'
import { twinTemplate } from '../support/twin-template.ts'

const follower = fileURLToPath(new URL('../support/follower.mjs', import.meta.url))
const pem = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .privateKey.export({ type: 'pkcs1', format: 'pem' })
  .toString()
const minted = 'ghs_a-token-of-an-installation'

describe('an app that is installed in the browser', () => {
  it('is connected with its key from a file, used, renewed and leaks nothing', async () => {
    const port = await freePort()
    const provider = await openProvider({
      routes: {
        '/apps/mine/installations/new': ({ query }) => {
          const back = new URL(`http://localhost:${port}/oauth/callback`)
          back.search = String(
            new URLSearchParams({ installation_id: '77', setup_action: 'install', state: query.get('state') ?? '' }),
          )
          return { status: 302, headers: { location: back.href } }
        },
        '/app/installations/77/access_tokens': () => ({
          status: 201,
          body: { token: minted, expires_at: '2099-01-01T00:00:00Z' },
        }),
        '/repos': ({ headers }) =>
          headers.authorization === `Bearer ${minted}` ? { body: { ok: true } } : { status: 401 },
      },
    })
    const person = newPerson()
    const { proxy: _, ...own } = twinTemplate('github-app', provider.origin)
    person.write(
      'auth-cli.yaml',
      JSON.stringify({ templates: { app: { ...own, proxy: { base_url: provider.origin } } } }),
    )
    const key = person.write('app.pem', pem)
    const env = { BROWSER: `${process.execPath} ${follower} %s` }
    const words = [
      ...['connect', 'app', '--client-id', '123', '--client-secret', `file:${key}`, '--trust-project'],
      ...['--param', `appPublicLink=${provider.origin}/apps/mine`, '--port', String(port), '--json'],
    ]
    const connected = await person.run(words, { env })
    expect(connected, connected.stderr).toMatchObject({ status: 0 })
    expect(JSON.parse(connected.stdout)).toMatchObject({ mode: 'APP', params: { installation_id: '77' } })
    expect((await person.run(['token', 'app'])).stdout.trim()).toBe(minted)
    expect((await person.run(['request', 'app', '/repos'])).stdout).toBe('{"ok":true}')
    expect((await person.run(['refresh', 'app', '--force'])).status).toBe(0)
    const secrets = new Map([
      [minted, 'the token'],
      [pem, 'the key'],
      [pem.slice(200, 260), 'a line of the key'],
    ])
    const told = [
      connected.stdout,
      connected.stderr,
      journalOf(person.home),
      ...publicFilesOf(person.home).map(({ text }) => text),
    ]
    expect(leaksIn(told.join('\n'), secrets)).toEqual([])
  })

  it('or by a webhook only: that is said before anything is asked or opened', async () => {
    const provider = await openProvider()
    const person = newPerson()
    person.write('auth-cli.yaml', templateOf(provider.origin, { installation: 'outbound' }))
    const ended = await person.run(['connect', 'acme', '--json'])
    expect([ended.status, failureOf(ended)]).toMatchObject([
      3,
      {
        code: 'UNSUPPORTED',
        message: expect.stringContaining('public webhook'),
        hint: expect.stringContaining('Instead'),
      },
    ])
  })
})

it('comes back to the port of the preferences, by its twin too', async () => {
  const person = newPerson()
  const env = { CI: 'true', AUTH_CLI_PORT: String(await freePort()) }
  const connected = await person.run(['connect', 'github-app', '--twin', '--timeout', '30', '--json'], { env })
  expect(connected, connected.stderr).toMatchObject({ status: 0 })
  expect(JSON.parse(connected.stdout)).toMatchObject({ mode: 'APP', name: 'github-app-twin' })
})
