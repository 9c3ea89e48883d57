import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CliEnd, followerEnv, runCli } from '../support/cli.ts'
import { freshFolder } from '../support/disk.ts'
import { journalEvents, journalText } from '../support/journal.ts'
import { openOAuth2Server, type PlainServer } from '../support/oauth2-server.ts'
import { projectWith } from '../support/project.ts'

const plainSecret = 'a-secret-with-hyphens'
const oddSecret = 'p:%+/- &=~x'

let server: PlainServer

beforeAll(async () => {
  server = await openOAuth2Server([
    { id: 'plain-app', secret: plainSecret },
    { id: 'odd-app', secret: oddSecret },
    { id: 'public-app' },
  ])
})

afterAll(() => server.close())

interface Place {
  readonly cwd: string
  readonly home: string
}

function place(fields: Record<string, unknown> = {}): Place {
  const { origin } = server
  const template = {
    display_name: 'Plain',
    auth_mode: 'OAUTH2',
    authorization_url: `${origin}/authorize`,
    token_url: `${origin}/token`,
    default_scopes: ['read', 'write'],
    proxy: { base_url: origin },
    ...fields,
  }
  return { cwd: projectWith({ plain: template }), home: freshFolder() }
}

function connect(where: Place, id: string, secret: string | undefined, flags: readonly string[] = []): Promise<CliEnd> {
  const secrecy = secret === undefined ? [] : ['--client-secret', '-']
  const args = ['connect', 'plain', '--port', '0', '--timeout', '20', '--client-id', id, ...secrecy, '--json', ...flags]
  return runCli(args, { ...where, input: secret ?? '', env: followerEnv() })
}

const failureOf = ({ stderr }: CliEnd): { code: string; hint: string } =>
  JSON.parse(stderr.trim().split('\n').at(-1) ?? '').error

// biome-ignore lint/suspicious/noExplicitAny: the tests look into whatever stands in the file.
const saved = ({ home }: Place): any => JSON.parse(readFileSync(join(home, 'connections', 'plain.json'), 'utf8'))

describe('a server that compares Basic credentials undecoded', () => {
  it.each([
    ['a secret in the body', 'plain-app', plainSecret, {}, []],
    ['an odd secret in the body', 'odd-app', oddSecret, {}, ['--client-auth', 'post']],
    ['a secret with hyphens in a Basic header', 'plain-app', plainSecret, {}, ['--client-auth', 'basic']],
    ['an odd secret in a Basic header that is not encoded', 'odd-app', oddSecret, {}, ['--client-auth', 'basic-raw']],
    ['the same by the template', 'odd-app', oddSecret, { token_request_auth_method: 'basic' }, []],
    ['a public client, by PKCE alone', 'public-app', undefined, {}, []],
  ] as const)('connects, renews and calls the API with %s', async (_, id, secret, fields, flags) => {
    const where = place(fields)
    expect(await connect(where, id, secret, flags)).toMatchObject({ status: 0 })
    const first = saved(where).credential
    expect(await runCli(['refresh', 'plain', '--force'], where)).toMatchObject({ status: 0 })
    const second = saved(where).credential
    expect(second.accessToken).not.toBe(first.accessToken)
    expect(second.refreshToken).not.toBe(first.refreshToken)
    const me = await runCli(['request', 'plain', '/me'], where)
    expect({ status: me.status, ...JSON.parse(me.stdout) }).toEqual({ status: 0, id: 'someone' })
    for (const known of [first.accessToken, second.refreshToken, secret ?? plainSecret])
      expect(journalText(where.home)).not.toContain(known)
  })

  it('names the other encoding where a Basic header with an odd secret is refused', async () => {
    const where = place()
    const end = await connect(where, 'odd-app', oddSecret, ['--client-auth', 'basic'])
    const { code, hint } = failureOf(end)
    expect({ status: end.status, stdout: end.stdout, code }).toEqual({ status: 4, stdout: '', code: 'INVALID_CLIENT' })
    expect(hint).toContain('--client-auth post or --client-auth basic-raw')
    expect(Buffer.from((server.authorizations.at(-1) ?? '').slice(6), 'base64').toString()).toBe(
      'odd-app:p%3A%25%2B%2F-+%26%3D~x',
    )
    expect(journalText(where.home)).not.toContain(oddSecret)
    expect(journalEvents(where.home).at(-1)).toMatchObject({ type: 'flow.ended', state: 'failed' })
  })

  it('tells that a client which gave no secret must prove itself', async () => {
    const end = await connect(place(), 'plain-app', undefined)
    expect({ status: end.status, ...failureOf(end) }).toMatchObject({ status: 4, code: 'INVALID_CLIENT' })
    expect(failureOf(end).hint).toContain('--client-secret')
  })
})
