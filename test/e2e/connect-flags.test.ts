import { describe, expect, it } from 'vitest'
import { callback, type FarProvider, openFarProvider, visit } from '../support/far-provider.ts'
import { type Ended, failureOf, type Invocation, newPerson, type Person } from '../support/person.ts'

interface Rehearsal {
  readonly authorizationUrl: string
  readonly tokenRequest: {
    readonly method: string
    readonly url: string
    readonly headers: Record<string, string>
    readonly body: string
  }
  readonly redirectUri: string
}

interface Told extends Rehearsal {
  readonly query: URLSearchParams
  readonly form: URLSearchParams
}

/** What `connect --dry-run` tells, parsed. */
async function rehearse({ run }: Person, words: readonly string[], how?: Invocation): Promise<Told> {
  const { status, stdout, stderr } = await run(['connect', ...words, '--dry-run', '--json'], how)
  if (status !== 0) throw new Error(stderr)
  const told = JSON.parse(stdout) as Rehearsal
  return {
    ...told,
    query: new URL(told.authorizationUrl).searchParams,
    form: new URLSearchParams(told.tokenRequest.body),
  }
}

async function refused({ run }: Person, words: readonly string[], how?: Invocation) {
  const ended: Ended = await run(['connect', ...words, '--json'], how)
  return { status: ended.status, stdout: ended.stdout, ...failureOf(ended) }
}

const zendesk = ['zendesk', '--subdomain', 'acme', '--client-id', 'demo_app']
const nobody = newPerson()

async function withFar(...fields: string[]): Promise<{ person: Person; far: FarProvider }> {
  const [person, far] = [newPerson(), await openFarProvider()]
  person.write('auth-cli.yaml', far.project(...fields))
  return { person, far }
}

describe.concurrent('connect --dry-run', () => {
  it('tells the authorization URL whole and the token request with its secrets masked, and does neither', async () => {
    const { person, far } = await withFar()
    const browser = person.write('browser.sh', `#!/bin/sh\necho opened > '${person.cwd}/opened'\n`)
    const env = { S: 'a-secret-of-some-length', BROWSER: `sh ${browser}` }
    const words = ['connect', 'far', '--client-id', 'id', '--client-secret', 'env:S', '--dry-run']
    const { status, stdout, stderr } = await person.run([...words, '--json'], { env })
    expect([status, stderr]).toEqual([0, ''])
    const told = JSON.parse(stdout) as Rehearsal
    expect(Object.keys(told)).toEqual(['authorizationUrl', 'tokenRequest', 'redirectUri'])
    expect(Object.keys(told.tokenRequest)).toEqual(['method', 'url', 'headers', 'body'])
    expect(told.redirectUri).toBe('http://localhost:8749/oauth/callback')
    expect(told.authorizationUrl).toMatch(
      new RegExp(
        `^${far.origin}/authorize\\?response_type=code&client_id=id` +
          '&redirect_uri=http%3A%2F%2Flocalhost%3A8749%2Foauth%2Fcallback&scope=&state=[\\w-]{43}' +
          '&code_challenge=[\\w-]{43}&code_challenge_method=S256$',
      ),
    )
    const form = new URLSearchParams(told.tokenRequest.body)
    expect(form.get('client_id')).toBe('id')
    expect(form.get('client_secret')).toMatch(/…\([0-9a-f]{4}\)$/)
    expect(form.get('code_verifier')).toMatch(/…\([0-9a-f]{4}\)$/)
    expect([form.get('grant_type'), form.get('code')]).toEqual(['authorization_code', 'CODE'])
    const plain = await person.run(words, { env })
    expect(plain.stdout).toMatch(/^http:\S+response_type=code\S+$/m)
    expect(plain.stdout).toMatch(/Nothing was opened, nothing was sent/)
    expect(stdout + plain.stdout).not.toContain('a-secret-of-some-length')
    expect(far.received).toEqual([])
    expect(await person.run(['logs', '--json'])).toMatchObject({ stdout: '[]\n' })
    const listed = await person.run(['connections', '--json'])
    expect(listed.stdout).toBe('[]\n')
  })

  it('masks the Authorization header too', async () => {
    const { tokenRequest } = await rehearse(
      nobody,
      [...zendesk, '--client-auth', 'basic', '--client-secret', 'env:S'],
      {
        env: { S: 'a-secret-of-some-length' },
      },
    )
    expect(tokenRequest.headers['authorization']).toMatch(/^Basic …?.*\([0-9a-f]{4}\)$/)
    expect(tokenRequest.headers['authorization']).not.toContain(
      Buffer.from('demo_app:a-secret-of-some-length').toString('base64').slice(0, 12),
    )
  })
})

describe.concurrent("the template's questions", () => {
  it('are all named at once where they are missing, with the client', async () => {
    const { person } = await withFar(
      'client_secret_required: true',
      'connection_config:',
      '  accountId: { type: string, title: Account, description: Which account }',
      '  region: { type: string, title: Region, description: Which region }',
      '  note: { type: string, title: Note, description: Anything, optional: true }',
    )
    for (const how of [{}, { env: { CI: 'true' } }]) {
      const failure = await refused(person, ['far'], how)
      expect(failure).toMatchObject({ status: 2, stdout: '', code: 'MISSING_INPUT' })
      expect(failure.message).toBe('Missing: --account-id, --region, --client-id, --client-secret')
      expect(failure.hint).toContain('FAR_ACCOUNT_ID, FAR_REGION, FAR_CLIENT_ID, FAR_CLIENT_SECRET')
    }
    const onTerminal = await person.startOnTerminal(['connect', 'far', '--no-input', '--region', 'eu']).ended
    expect(onTerminal.status).toBe(2)
    expect(onTerminal.stdout).toContain('Missing: --account-id, --client-id, --client-secret')
  })

  it('are answered by kebab-case, camelCase, --param, the environment, the project file', async () => {
    const { person, far } = await withFar(
      'connection_config:',
      '  accountId: { type: string, title: Account, description: Which account }',
      'authorization_params: { account: "${connectionConfig.accountId}" }',
    )
    const account = async (words: string[], env: Record<string, string> = {}): Promise<string | null> =>
      (await rehearse(person, ['far', '--client-id', 'id', ...words], { env })).query.get('account')
    expect(await account(['--account-id', 'a1'])).toBe('a1')
    expect(await account(['--accountId', 'a2'])).toBe('a2')
    expect(await account(['--param', 'accountId=a=3'])).toBe('a=3')
    const trusted = ['--trust-project']
    expect(await account(trusted, { FAR_ACCOUNT_ID: 'a4' })).toBe('a4')
    person.write(
      'auth-cli.yaml',
      `${far.project(
        'connection_config:',
        '  accountId: { type: string, title: Account, description: Which account }',
        'authorization_params: { account: "${connectionConfig.accountId}" }',
      )}integrations:\n  far: { params: { accountId: a5 } }\n`,
    )
    expect(await account([])).toBe('a5')
    expect(await account(trusted, { FAR_ACCOUNT_ID: 'a4' })).toBe('a4')
    expect(await account(['--account-id', 'a1'], { FAR_ACCOUNT_ID: 'a4' })).toBe('a1')
    expect(await refused(person, ['far', '--param', 'frob=1'])).toMatchObject({ status: 2, code: 'BAD_FLAG' })
  })

  it('follow the rules of the template: a pasted address is reduced, a wrong pattern refused', async () => {
    const pasted = await rehearse(nobody, ['zendesk', '--subdomain', 'https://acme.zendesk.com', '--client-id', 'x'])
    expect(pasted.authorizationUrl).toMatch(/^https:\/\/acme\.zendesk\.com\/oauth\/authorizations\/new\?/)
    for (const bad of ['acme.evil.example/', 'a b', 'a@evil.example']) {
      const failure = await refused(nobody, ['zendesk', '--subdomain', bad, '--client-id', 'x', '--dry-run'])
      expect(failure).toMatchObject({ status: 2, stdout: '', code: 'BAD_FLAG' })
    }
  })
})

describe.concurrent('scopes and parameters', () => {
  it('--scope takes commas, blanks and repetition, and replaces the defaults', async () => {
    const { person } = await withFar('default_scopes: [one, two]', 'scope_separator: ","')
    const scope = async (...words: string[]): Promise<string | null> =>
      (await rehearse(person, ['far', '--client-id', 'id', ...words])).query.get('scope')
    expect(await scope()).toBe('one,two')
    expect(await scope('--scope', 'a,b', '--scope', 'c d', '--scope', 'a')).toBe('a,b,c,d')
    expect(await refused(person, ['far', '--client-id', 'id', '--scope', 'a', 'b'])).toMatchObject({ status: 2 })
  })

  it('--auth-param adds, overrides and removes; --token-param too', async () => {
    const { person } = await withFar(
      'authorization_params: { prompt: login, access_type: offline, gone: "1" }',
      'token_params: { grant_type: authorization_code, extra: "1", gone: "1" }',
    )
    const { query, form } = await rehearse(person, [
      ...[
        'far',
        '--client-id',
        'id',
        '--auth-param',
        'prompt=consent',
        '--auth-param',
        'gone=',
        '--auth-param',
        'a=b=c',
      ],
      ...['--token-param', 'extra=2', '--token-param', 'gone=', '--token-param', 'x=y'],
    ])
    expect([query.get('prompt'), query.get('access_type'), query.has('gone'), query.get('a')]).toEqual([
      'consent',
      'offline',
      false,
      'b=c',
    ])
    expect([form.get('extra'), form.has('gone'), form.get('x')]).toEqual(['2', false, 'y'])
    for (const bad of [
      ['--auth-param', 'x'],
      ['--token-param', '=y'],
      ['--param', 'z'],
      ['--tag', 't'],
    ])
      expect(await refused(person, ['far', '--client-id', 'id', ...bad])).toMatchObject({ status: 2, code: 'BAD_FLAG' })
  })
})

describe.concurrent('the client', () => {
  const secret = 'p:%+/ü-q'
  const form = encodeURIComponent(secret).replaceAll('%20', '+')

  it.each([
    ['post', undefined, secret],
    ['basic', `demo_app:${form}`, null],
    ['basic-raw', `demo_app:${secret}`, null],
    ['basic+post', `demo_app:${form}`, secret],
    ['none', undefined, null],
  ])('--client-auth %s proves itself so, and never twice unasked', async (how, basic, inBody) => {
    const [person, far] = [newPerson(), await openFarProvider()]
    person.write('auth-cli.yaml', far.project())
    const flow = person.start(
      ['connect', 'far', '--client-id', 'demo_app', '--client-secret', 'env:S', '--client-auth', how, '--port', '0'],
      { env: { S: secret, BROWSER: 'true' } },
    )
    await visit(callback(await flow.url(), { code: 'c0de' }))
    expect((await flow.ended).status).toBe(0)
    const token = far.received.find(({ path }) => path === '/token')
    const header = token?.headers.authorization?.replace(/^Basic /, '')
    expect(header === undefined ? undefined : Buffer.from(header, 'base64').toString()).toBe(basic)
    expect(far.tokenForm().get('client_secret')).toBe(inBody)
    expect(far.tokenForm().get('client_id')).toBe(basic === undefined || inBody !== null ? 'demo_app' : null)
  })

  it('follows the template: header is basic, token_request_auth_method basic is basic-raw, a flag overrides', async () => {
    const words = ['far', '--client-id', 'id', '--client-secret', 'env:S']
    const env = { S: 'a-secret' }
    const header = await withFar('authorization_method: header')
    const raw = await withFar('token_request_auth_method: basic')
    for (const { person } of [header, raw]) {
      const { tokenRequest, form } = await rehearse(person, words, { env })
      expect([tokenRequest.headers['authorization'] !== undefined, form.has('client_secret')]).toEqual([true, false])
      const told = await rehearse(person, [...words, '--client-auth', 'post'], { env })
      expect([told.tokenRequest.headers['authorization'], told.form.has('client_secret')]).toEqual([undefined, true])
    }
    expect(await refused(header.person, [...words, '--client-auth', 'frob'], { env })).toMatchObject({
      status: 2,
      code: 'BAD_FLAG',
    })
    expect(await refused(header.person, ['far', '--client-id', 'id', '--client-auth', 'basic'])).toMatchObject({
      status: 2,
      code: 'MISSING_INPUT',
    })
  })

  it('is public without a secret, and then never goes without PKCE', async () => {
    const { person } = await withFar('disable_pkce: true')
    const open = await rehearse(person, ['far', '--client-id', 'id'])
    expect([
      open.query.get('code_challenge_method'),
      open.form.get('client_id'),
      open.form.has('client_secret'),
    ]).toEqual(['S256', 'id', false])
    expect(await refused(person, ['far', '--client-id', 'id', '--no-pkce'])).toMatchObject({
      status: 2,
      code: 'BAD_FLAG',
    })
    const env = { S: 'a-secret' }
    const closed = await rehearse(person, ['far', '--client-id', 'id', '--client-secret', 'env:S'], { env })
    expect([closed.query.has('code_challenge'), closed.form.has('code_verifier')]).toEqual([false, false])
    const asked = await rehearse(person, ['far', '--client-id', 'id', '--client-secret', 'env:S', '--pkce'], { env })
    expect([asked.query.has('code_challenge'), asked.form.has('code_verifier')]).toEqual([true, true])
    const without = await rehearse(nobody, [...zendesk, '--client-secret', 'env:S', '--no-pkce'], { env })
    expect([without.query.has('code_challenge'), without.form.has('code_verifier')]).toEqual([false, false])
  })

  it('is looked up in the environment under the name of the integration', async () => {
    const person = newPerson()
    person.write('auth-cli.yaml', 'integrations:\n  3cx-dev: { provider: gitlab, client_id: of-the-file }\n')
    const id = async (env: Record<string, string>, ...words: string[]): Promise<string | null> =>
      (await rehearse(person, ['3cx-dev', ...words], { env })).query.get('client_id')
    expect(await id({})).toBe('of-the-file')
    expect(await id({ _3CX_DEV_CLIENT_ID: 'of-the-environment' })).toBe('of-the-environment')
    expect(await id({ _3CX_DEV_CLIENT_ID: 'of-the-environment' }, '--client-id', 'of-the-flag')).toBe('of-the-flag')
  })
})

describe.concurrent('a secret', () => {
  const sent = async (words: string[], how: Invocation = {}, person = nobody): Promise<string | null> =>
    (await rehearse(person, [...zendesk, '--client-secret', ...words], how)).form.get('client_secret')

  it('is the same from stdin, from env:NAME and from file:PATH, without the line break at its end', async () => {
    const person = newPerson()
    const value = 'p:%+/ü-q and then some more'
    const file = person.write('secret.txt', `${value}\n`)
    const masks = await Promise.all([
      sent(['-'], { input: `${value}\n` }, person),
      sent(['-'], { input: `${value}\r\n` }, person),
      sent(['env:MINE'], { env: { MINE: value } }, person),
      sent([`file:${file}`], {}, person),
      sent(['file:secret.txt'], {}, person),
      sent([value], {}, person),
    ])
    expect(new Set(masks).size).toBe(1)
    expect(masks[0]).toMatch(/\([0-9a-f]{4}\)$/)
    expect(await sent(['-'], { input: 'another secret that is long' }, person)).not.toBe(masks[0])
  })

  it('given in the command line earns one word about the history; the other ways earn none', async () => {
    const dry = ['connect', ...zendesk, '--dry-run']
    const told = await nobody.run([...dry, '--client-secret', 'in-the-clear'])
    expect(told.stderr.match(/shell's history/g)).toHaveLength(1)
    expect(told.stderr + told.stdout).not.toContain('in-the-clear')
    expect((await nobody.run([...dry, '--client-secret', '-'], { input: 'x' })).stderr).toBe('')
  })

  it('that cannot be read is a usage error: twice from stdin, a variable or a file that is not there', async () => {
    const { person } = await withFar(
      'connection_config:',
      '  pin: { type: string, title: Pin, description: Yours, secret: true }',
    )
    const twice = await refused(person, ['far', '--client-id', 'x', '--client-secret', '-', '--pin', '-'], {
      input: 'one\ntwo\n',
    })
    expect(twice).toMatchObject({ status: 2, stdout: '', code: 'BAD_FLAG' })
    expect(twice.message).toMatch(/stdin a second time/)
    for (const bad of ['env:NOT_SET', 'env:', 'file:not-there', 'file:/dev/null', '-'])
      expect(await refused(nobody, [...zendesk, '--client-secret', bad])).toMatchObject({ status: 2, code: 'BAD_FLAG' })
  })

  it('is asked for without showing it, where stdin is a terminal', async () => {
    const flow = nobody.startOnTerminal(['connect', ...zendesk, '--client-secret', '-', '--dry-run', '--json'])
    await flow.shows(/client-secret/)
    flow.type('typed-in-secret\r')
    const { status, stdout } = await flow.ended
    expect(status).toBe(0)
    expect(stdout).toMatch(/client_secret=…\([0-9a-f]{4}\)/)
    expect(stdout).not.toContain('typed-in-secret')
  })
})

describe.concurrent('the redirect URL', () => {
  it('moves with --port, keeps the path of --callback-url, and is the same in both requests', async () => {
    const redirect = async (...words: string[]): Promise<string> => {
      const { redirectUri, query, form } = await rehearse(nobody, [...zendesk, ...words])
      expect([query.get('redirect_uri'), form.get('redirect_uri')]).toEqual([redirectUri, redirectUri])
      return redirectUri
    }
    expect(await redirect()).toBe('http://localhost:8749/oauth/callback')
    expect(await redirect('--port', '4711')).toBe('http://localhost:4711/oauth/callback')
    expect(await redirect('--callback-url', 'http://127.0.0.1:4712/mine?x=1')).toBe('http://127.0.0.1:4712/mine?x=1')
    expect(await redirect('--callback-url', 'https://example.com/oauth-callback', '--port', '4711')).toBe(
      'https://example.com/oauth-callback',
    )
  })

  it('follows what the template says that its provider takes', async () => {
    const env = { S: 'x' }
    const { redirectUri } = await rehearse(nobody, ['github', '--client-id', 'x', '--client-secret', 'env:S'], { env })
    expect(redirectUri).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/oauth\/callback$/)
    const slack = ['slack', '--client-id', 'x', '--client-secret', 'env:S']
    const failure = await refused(nobody, slack, { env: { ...env, BROWSER: 'false' } })
    expect(failure).toMatchObject({ status: 2, stdout: '', code: 'REDIRECT_URI_UNSUITABLE' })
    expect(failure.hint).toMatch(/--callback-url https:\/\/.*config set callback-url/s)
    const custom = await rehearse(nobody, [...slack, '--callback-url', 'https://example.com/cb'], { env })
    expect(custom.redirectUri).toBe('https://example.com/cb')
  })

  it('that cannot be one is refused', async () => {
    for (const bad of ['ftp://localhost/x', 'nonsense', 'http://localhost:1/x#y', 'https://me@example.com/x'])
      expect(await refused(nobody, [...zendesk, '--callback-url', bad, '--dry-run'])).toMatchObject({
        status: 2,
        code: 'BAD_FLAG',
      })
    for (const bad of ['x', '-1', '65536', '1.5'])
      expect(await refused(nobody, [...zendesk, `--port=${bad}`, '--dry-run'])).toMatchObject({
        status: 2,
        code: 'BAD_FLAG',
      })
    expect(await refused(nobody, [...zendesk, '--timeout', '0', '--port', '0'])).toMatchObject({
      status: 2,
      code: 'BAD_FLAG',
    })
  })
})

describe('a name for the connection', () => {
  it('that looks like a flag, or like nothing, is refused', async () => {
    for (const name of ['--as=-x', '--as=--json', '--as= '])
      expect(await refused(nobody, [...zendesk, name, '--dry-run'])).toMatchObject({ status: 2, code: 'BAD_FLAG' })
  })
})

describe('a secret without an end', () => {
  it('is refused instead of read for ever', async () => {
    expect(await refused(nobody, [...zendesk, '--client-secret', 'file:/dev/zero', '--dry-run'])).toMatchObject({
      status: 2,
      code: 'BAD_FLAG',
    })
  })
})

describe('a secret in the wrong place', () => {
  it.each([
    [[...zendesk, 'extra', '--client-secret', 's3cr3t-value']],
    [[...zendesk, '--cleint-secret=s3cr3t-value']],
    [[...zendesk, '--cleint-secret', 's3cr3t-value']],
    [[...zendesk, '--token-param', 's3cr3t-value']],
  ])('is not quoted by the refusal: %j', async (words) => {
    for (const json of [[], ['--json']]) {
      const { status, stdout, stderr } = await nobody.run(['connect', ...words, '--dry-run', ...json])
      expect([status, stdout]).toEqual([2, ''])
      expect(stderr).not.toContain('s3cr3t-value')
      expect(stderr).toMatch(/"?connect"? takes|\\?"connect\\?" takes|cleint-secret|--token-param/)
    }
  })
})
