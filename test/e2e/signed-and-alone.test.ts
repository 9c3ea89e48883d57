import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { followerEnv, runCli } from '../support/cli.ts'
import { freshFolder } from '../support/disk.ts'
import { journalText } from '../support/journal.ts'
import { consumerKey, consumerSecret, openOAuth1Server } from '../support/oauth1-server.ts'
import { projectWith } from '../support/project.ts'
import { openProvider } from '../support/provider.ts'

const accessToken = 'Acc3ss-token-of-a-client-alone'
const clientSecret = 'S3cret-of-a-client-alone'

async function openAlone() {
  const { origin, hits } = await openProvider({
    routes: {
      '/token': ({ form }) =>
        form.get('client_secret') === clientSecret
          ? { body: { access_token: accessToken, token_type: 'Bearer', expires_in: 3600 } }
          : { status: 401, body: { error: 'invalid_client', error_description: 'No such client' } },
      '/api/me': ({ headers }) => ({
        status: headers.authorization === `Bearer ${accessToken}` ? 200 : 401,
        body: { id: 7 },
      }),
    },
  })
  const template = {
    display_name: 'Alone',
    docs: 'https://alone.example',
    auth_mode: 'OAUTH2_CC',
    token_url: `${origin}/token`,
    token_params: { grant_type: 'client_credentials', audience: '${connectionConfig.audience}' },
    connection_config: { audience: { type: 'string', title: 'Audience' } },
    proxy: { base_url: `${origin}/api` },
  }
  const place = { cwd: projectWith({ alone: template }), home: freshFolder() }
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => runCli(args, { ...place, env })
  return { hits, run, ...place }
}

describe('a client that stands for itself', () => {
  const connect = ['connect', 'alone', '--client-id', 'c1', '--audience', 'x', '--trust-project']

  it('connects from flags, a file and the environment, and calls the API', async () => {
    const { hits, run, cwd, home } = await openAlone()
    writeFileSync(join(cwd, 'secret'), `${clientSecret}\n`)
    const first = await run([...connect, '--client-secret', 'file:secret', '--scope', 'a,b', '--json'])
    expect(first).toMatchObject({ status: 0 })
    expect(JSON.parse(first.stdout)).toMatchObject({ mode: 'OAUTH2_CC', params: { audience: 'x' } })
    expect(Object.fromEntries(hits[0]?.form ?? [])).toMatchObject({ audience: 'x', scope: 'a b' })
    const second = await run(['connect', 'alone', '--as', 'two', '--trust-project'], {
      ALONE_CLIENT_ID: 'c2',
      ALONE_CLIENT_SECRET: clientSecret,
      ALONE_AUDIENCE: 'y',
    })
    expect(second).toMatchObject({ status: 0 })
    expect(await run(['request', 'two', '/me'])).toMatchObject({ status: 0, stdout: expect.stringContaining('"id":7') })
    expect((await run(['token', 'two'])).stdout).toBe(`${accessToken}\n`)
    const told = `${first.stdout}${first.stderr}${second.stdout}${second.stderr}${journalText(home)}`
    for (const secret of [clientSecret, accessToken]) expect(told).not.toContain(secret)
  })

  it('shows its request and sends nothing with --dry-run', async () => {
    const { hits, run } = await openAlone()
    const dry = await run([...connect, '--dry-run'], { ALONE_CLIENT_SECRET: clientSecret })
    expect(dry.status).toBe(0)
    expect(dry.stdout).toMatch(/The token would be had with:\n {2}POST .*\/token/)
    expect(dry.stdout).not.toContain(clientSecret)
    expect(hits).toEqual([])
  })

  it('exits 4 with the provider’s words where it is refused, 2 where something is missing', async () => {
    const { run } = await openAlone()
    const refused = await run([...connect, '--json'], { ALONE_CLIENT_SECRET: 'another-secret-than-that' })
    expect(refused).toMatchObject({ status: 4, stdout: '' })
    expect(JSON.parse(refused.stderr.trim().split('\n').at(-1) ?? '')).toMatchObject({
      error: { code: 'INVALID_CLIENT' },
    })
    expect(refused.stderr).not.toContain('another-secret-than-that')
    const missing = await run([...connect, '--json'])
    expect(missing.status).toBe(2)
    expect(missing.stderr).toContain('--client-secret')
  })
})

describe('OAuth 1.0a', () => {
  it('goes through the browser and back, and signs what is called afterwards', async () => {
    const { origin, judged, secrets } = await openOAuth1Server({ extra: { screen_name: 'ann' } })
    const legs = {
      display_name: 'Legs',
      docs: 'https://legs.example',
      auth_mode: 'OAUTH1',
      request_url: `${origin}/request`,
      authorization_url: `${origin}/authorize`,
      token_url: `${origin}/access`,
      signature_method: 'HMAC-SHA1',
      proxy: { base_url: origin },
    }
    const place = { cwd: projectWith({ legs }), home: freshFolder() }
    const env = { ...followerEnv(), LEGS_CLIENT_SECRET: consumerSecret }
    const args = ['connect', 'legs', '--client-id', consumerKey, '--port', '0', '--trust-project']
    const connected = await runCli(args, { ...place, env })
    expect(connected).toMatchObject({ status: 0 })
    const called = await runCli(['request', 'legs', '/photos?size=large', '-d', '{"a":1}'], place)
    expect(called).toMatchObject({ status: 0, stdout: expect.stringContaining('"signed":true') })
    expect(judged.map(({ path, problem }) => [path, problem])).toEqual([
      ['/request', undefined],
      ['/access', undefined],
      ['/photos', undefined],
    ])
    const told = `${connected.stdout}${called.stderr}${journalText(place.home)}`
    for (const secret of [...secrets, consumerSecret]) expect(told).not.toContain(secret)
    const dry = await runCli([...args, '--as', 'dry', '--dry-run'], { ...place, env })
    expect(dry.stdout).toMatch(/a request token would be had with:\n {2}POST .*\/request/)
    expect(judged).toHaveLength(3)
  })
})

it('mends an entry of a catalogue from its provider’s documentation, in every command, and says so', async () => {
  const place = { cwd: freshFolder(), home: freshFolder() }
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => runCli(args, { ...place, env })
  const secret = { CERTN_PARTNER_CLIENT_SECRET: clientSecret }
  const entry = {
    display_name: 'Certn Partner',
    docs: 'https://certn.example',
    auth_mode: 'OAUTH2_CC',
    proxy: { base_url: 'https://api.certn.co', headers: { authorization: 'Bearer ${apiKey}' } },
  }
  writeFileSync(join(place.cwd, 'set.yaml'), JSON.stringify({ 'certn-partner': entry }))
  expect((await run(['providers', 'add', 'set.yaml'])).status).toBe(0)
  const shown = await run(['providers', 'show', 'certn-partner'])
  expect(shown.stdout).toMatch(/token +https:\/\/api\.certn\.co\/token\/ +client secret as Basic/)
  const dry = await run(['connect', 'certn-partner', '--client-id', 'me', '--dry-run', '--json'], secret)
  expect(dry.stderr).toMatch(/Certn Partner: its entry names no token_url.*docs\.certn\.co/)
  expect(JSON.parse(dry.stdout).tokenRequest).toMatchObject({ method: 'POST', url: 'https://api.certn.co/token/' })
  const twin = await run(['connect', 'certn-partner', '--twin', '--client-id', 'me'], secret)
  expect([twin.status, twin.stderr]).toEqual([0, expect.stringContaining('its entry names no token_url')])
  const called = await run(['request', 'certn-partner-twin', '/api/v2/teams'])
  expect([called.status, JSON.parse(called.stdout).path]).toEqual([0, '/api/v2/teams'])
  expect((await run(['refresh', 'certn-partner-twin', '--force'])).status).toBe(0)
  expect(`${dry.stdout}${twin.stderr}${journalText(place.home)}`).not.toContain(clientSecret)
})
