import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type CliEnd, followerEnv, runCli } from '../support/cli.ts'
import { freshFolder } from '../support/disk.ts'
import { journalEvents, journalText } from '../support/journal.ts'
import { projectWith } from '../support/project.ts'
import { openEndpoint, type ScriptedEndpoint } from '../support/token-endpoint.ts'

const botToken = 'xoxb-of-this-test-1234567890'
const userToken = 'xoxp-of-this-test-1234567890'
const clientSecret = 'a-slack-client-secret'

let slack: ScriptedEndpoint

beforeAll(async () => {
  slack = await openEndpoint()
  slack.answer('/oauth/v2/authorize', (response) => {
    const asked = new URL(response.req.url ?? '', slack.origin).searchParams
    const back = new URL(asked.get('redirect_uri') ?? '')
    back.searchParams.set('code', 'a-code-of-slack')
    back.searchParams.set('state', asked.get('state') ?? '')
    response.writeHead(302, { location: back.href }).end()
  })
})
beforeEach(() => void slack.asked.splice(0))
afterAll(() => slack.close())

interface Place {
  readonly cwd: string
  readonly home: string
}

/** A folder whose project file has a Slack of its own: it stands before the one that comes with auth-cli. */
function place(name = 'slack'): Place {
  const template = {
    display_name: 'Practice Slack',
    docs: 'https://docs.slack.dev',
    auth_mode: 'OAUTH2',
    authorization_url: `${slack.origin}/oauth/v2/authorize`,
    token_url: `${slack.origin}/api/oauth.v2.access`,
    scope_separator: ',',
    default_scopes: ['chat:write', 'users:read'],
    disable_pkce: true,
    token_response_metadata: ['team.id', 'bot_user_id'],
    alternate_access_token_response_path: 'authed_user',
    proxy: { base_url: `${slack.origin}/api` },
  }
  return { cwd: projectWith({ [name]: template }), home: freshFolder() }
}

function connect(where: Place, answer: object, name = 'slack'): Promise<CliEnd> {
  slack.answer('/api/oauth.v2.access', { body: answer })
  return runCli(
    ['connect', name, '--port', '0', '--timeout', '20', '--client-id', 'app', '--client-secret', '-', '--json'],
    { ...where, input: clientSecret, env: followerEnv() },
  )
}

// biome-ignore lint/suspicious/noExplicitAny: the tests look into whatever stands in the file.
const saved = ({ home }: Place): any => JSON.parse(readFileSync(join(home, 'connections', 'slack.json'), 'utf8'))

const quirksOf = ({ home }: Place): string[] =>
  journalEvents(home).flatMap((one) => (one.type === 'quirk' ? [one.quirk] : []))

const bot = {
  ok: true,
  access_token: botToken,
  token_type: 'bot',
  scope: 'chat:write,users:read',
  bot_user_id: 'U0BOT',
  team: { id: 'T0TEAM', name: 'Acme' },
}

describe('a provider that answers 200 to everything', () => {
  it('brings home a bot token, what the template wants to know, and a word about each quirk', async () => {
    const where = place()
    const end = await connect(where, bot)
    expect(end, end.stderr).toMatchObject({ status: 0 })
    expect(saved(where)).toMatchObject({
      params: { 'team.id': 'T0TEAM', bot_user_id: 'U0BOT' },
      credential: { accessToken: botToken, tokenType: 'bearer', raw: bot },
      scopes: { requested: ['chat:write', 'users:read'], granted: ['chat:write', 'users:read'] },
    })
    expect(quirksOf(where)).toEqual(['Slack calls a Bearer token "bot"'])
    const warnings = journalEvents(where.home).flatMap((one) => (one.type === 'warning' ? [one.code] : []))
    expect(warnings).toEqual(['NO_REFRESH_TOKEN', 'NO_EXPIRY'])
    const [authorize, token] = slack.asked
    expect(authorize?.path).toBe('/oauth/v2/authorize')
    expect(new URLSearchParams(token?.body).has('code_verifier')).toBe(false)
    const said = journalText(where.home) + end.stdout + end.stderr
    for (const secret of [botToken, clientSecret, 'a-code-of-slack']) expect(said).not.toContain(secret)
    expect(journalText(where.home)).toContain('xoxb…(')
  })

  it('says that a template of the project stands before the one of the same name', async () => {
    const where = place()
    const { stderr } = await connect(where, bot)
    expect(stderr).toMatch(/hides/)
    expect(journalEvents(where.home)).toContainEqual(
      expect.objectContaining({
        type: 'template.hides',
        file: join(where.cwd, 'auth-cli.yaml'),
        hidden: [expect.stringContaining('built-in')],
      }),
    )
  })

  it('brings home a user token from one level down, and calls the API with it', async () => {
    const where = place()
    const user = { id: 'U1', access_token: userToken, token_type: 'user', scope: 'chat:write', expires_in: 43200 }
    expect(await connect(where, { ok: true, authed_user: user, team: { id: 'T0TEAM' } })).toMatchObject({ status: 0 })
    expect(saved(where)).toMatchObject({
      credential: { accessToken: userToken, tokenType: 'bearer', expiresAt: expect.any(String) },
      scopes: { granted: ['chat:write'] },
    })
    expect(quirksOf(where)).toContain('Slack puts a user token under "authed_user"')
    slack.answer('/api/auth.test', { body: { ok: true } })
    const called = await runCli(['request', 'slack', '/auth.test'], { home: where.home })
    expect({ status: called.status, ...JSON.parse(called.stdout) }).toEqual({ status: 0, ok: true })
    expect(slack.asked.at(-1)?.headers.authorization).toBe(`Bearer ${userToken}`)
  })

  it('is heard when it says no with status 200', async () => {
    const where = place()
    const end = await connect(where, { ok: false, error: 'bad_client_secret' })
    expect({ status: end.status, stdout: end.stdout }).toEqual({ status: 4, stdout: '' })
    expect(JSON.parse(end.stderr.trim().split('\n').at(-1) ?? '').error.code).toBe('BAD_CLIENT_SECRET')
    expect(quirksOf(where)).toContain('Slack answers 200 to a refusal, with "ok": false')
    expect(() => saved(where)).toThrow('ENOENT')
  })

  it('is heard by the standard words under another name: the accent belongs to Slack alone', async () => {
    const where = place('chat')
    const end = await connect(where, bot, 'chat')
    expect(end, end.stderr).toMatchObject({ status: 0 })
    expect(quirksOf(where)).toContain('a Bearer token is called "bot"')
    expect(quirksOf(where).join('\n')).not.toContain('Slack')
  })
})
