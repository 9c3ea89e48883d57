import { describe, expect, it } from 'vitest'
import { callback, type FarProvider, openFarProvider, type Reply, visit } from '../support/far-provider.ts'
import { failureOf, newPerson, type Person } from '../support/person.ts'

const env = { BROWSER: 'true', FAR: 'a-secret-of-the-far-app', OTHER: 'a-secret-of-another-app' }
const client = ['--client-id', 'far-id', '--client-secret', 'env:FAR']
const fields = [
  'default_scopes: [one]',
  'connection_config:',
  '  account: { type: string, title: Account, description: Which account }',
]

async function settle(): Promise<{ person: Person; far: FarProvider; answers: Reply[] }> {
  const answers: Reply[] = []
  const person = newPerson()
  const far = await openFarProvider(({ path }) => (path === '/token' ? answers.shift() : undefined))
  person.write('auth-cli.yaml', far.project(...fields))
  return { person, far, answers }
}

/** Connects and approves; the saved connection with its secrets, and what the browser was asked. */
async function connect(person: Person, ...words: string[]) {
  const flow = person.start(['connect', 'far', '--port', '0', '--trust-project', '--json', '--reveal', ...words], {
    env,
  })
  const url = await flow.url()
  await visit(callback(url, { code: 'c0de' }))
  const { status, stdout, stderr } = await flow.ended
  if (status !== 0) throw new Error(stderr)
  return { connection: JSON.parse(stdout), asked: url.searchParams }
}

async function saved({ run }: Person, name = 'far') {
  return JSON.parse((await run(['inspect', name, '--json', '--reveal'])).stdout)
}

describe.concurrent('connecting again under a name', () => {
  it('reuses answers, scopes and client, and keeps tags and the day of its making', async () => {
    const { person, far } = await settle()
    const first = await connect(
      person,
      ...[...client, '--client-auth', 'basic', '--account', 'acme', '--scope', 'read write', '--tag', 'team=a'],
    )
    const again = await connect(person, '--tag', 'also=b')
    expect(again.asked.get('client_id')).toBe('far-id')
    expect(again.asked.get('scope')).toBe('read write')
    expect(far.received.at(-1)?.headers.authorization).toBe(
      `Basic ${Buffer.from(`far-id:${env.FAR}`).toString('base64')}`,
    )
    expect(again.connection).toMatchObject({
      createdAt: first.connection.createdAt,
      tags: { team: 'a', also: 'b' },
      params: { account: 'acme' },
      scopes: { requested: ['read', 'write'], overridden: true },
      snapshot: { client: { id: 'far-id', authentication: 'basic' } },
    })
    expect(again.connection.credential.accessToken).not.toBe(first.connection.credential.accessToken)
    const changed = await connect(person, '--scope', 'three', '--client-id', 'far-2', '--client-secret', 'env:OTHER')
    expect([changed.asked.get('scope'), changed.asked.get('client_id')]).toEqual(['three', 'far-2'])
    expect(far.received.at(-1)?.headers.authorization).toBe(
      `Basic ${Buffer.from(`far-2:${env.OTHER}`).toString('base64')}`,
    )
    expect(await saved(person)).toMatchObject({ scopes: { requested: ['three'] }, params: { account: 'acme' } })
  })

  it('never pairs the secret of one client with the id of another', async () => {
    const { person, far } = await settle()
    await connect(person, ...client, '--account', 'acme')
    await connect(person, '--client-id', 'far-public')
    expect(far.tokenForm().has('client_secret')).toBe(false)
    expect((await saved(person)).snapshot.client).toEqual({ id: 'far-public', authentication: 'none' })
  })

  it('changes nothing where it fails', async () => {
    const { person, answers } = await settle()
    await connect(person, ...client, '--account', 'acme')
    const before = await saved(person)
    answers.push({ status: 400, body: { error: 'invalid_grant' } })
    await expect(connect(person)).rejects.toThrow('INVALID_GRANT')
    expect(await saved(person)).toEqual(before)
    const flow = person.start(['connect', 'far', '--port', '0', '--json'], { env })
    await visit(callback(await flow.url(), { error: 'access_denied' }))
    expect((await flow.ended).status).toBe(4)
    expect(await saved(person)).toEqual(before)
  })

  it('with other answers or for another provider is refused before a browser opens', async () => {
    const { person } = await settle()
    await connect(person, ...client, '--account', 'acme', '--tag', 'team=a')
    const before = await saved(person)
    const refused = async (...words: string[]) => {
      const ended = await person.run(['connect', ...words, '--port', '0', '--json'], { env })
      expect(ended.stderr).not.toContain('response_type')
      return [ended.status, ended.stdout, failureOf(ended).code, /--as.*--replace/.test(failureOf(ended).hint ?? '')]
    }
    expect(await refused('far', '--account', 'other')).toEqual([2, '', 'NAME_TAKEN', true])
    expect(await refused('gitlab', '--client-id', 'x', '--client-secret', 'env:FAR', '--as', 'far')).toEqual([
      2,
      '',
      'NAME_TAKEN',
      true,
    ])
    expect(await saved(person)).toEqual(before)
    await connect(person, ...client, '--account', 'other', '--as', 'second')
    expect((await saved(person, 'second')).params).toEqual({ account: 'other' })
    const replaced = await connect(person, ...client, '--account', 'other', '--replace')
    expect(replaced.connection).toMatchObject({ params: { account: 'other' }, tags: {} })
    expect(replaced.connection.createdAt > before.createdAt).toBe(true)
    expect(
      JSON.parse((await person.run(['connections', '--json'])).stdout).map(({ name }: { name: string }) => name),
    ).toEqual(['far', 'second'])
  })

  it('sends the saved secret nowhere that it did not go before', async () => {
    const { person, far } = await settle()
    await connect(person, ...client, '--account', 'acme')
    const thief = await openFarProvider()
    person.write(
      'auth-cli.yaml',
      far.project(...fields).replace(`token_url: ${far.origin}`, `token_url: ${thief.origin}`),
    )
    const ended = await person.run(['connect', 'far', '--port', '0', '--trust-project', '--json'], { env })
    expect([ended.status, failureOf(ended).code]).toEqual([2, 'ORIGIN_CHANGED'])
    expect(thief.received).toEqual([])
    expect((await saved(person)).templateState).toBe('changed')
    expect(await person.run(['token', 'far'])).toMatchObject({ status: 0, stdout: 'access-1-bWFueSBsZXR0ZXJz\n' })
    person.write('auth-cli.yaml', 'templates: {}\n')
    expect((await saved(person)).templateState).toBe('gone')
  })
})

describe.concurrent('connect sandbox', () => {
  it('approves by itself where nobody can, and is closed with the command', async () => {
    const person = newPerson()
    const { status, stdout, stderr } = await person.run(['connect', 'sandbox', '--param', 'port=0'])
    expect([status, stderr]).toEqual([0, expect.stringContaining('the sandbox approves by itself')])
    expect(stdout).toMatch(/sandbox\s+saved as "sandbox"/)
    expect(stderr).not.toMatch(/^http/m)
    expect((await person.run(['token', 'sandbox'])).stdout).toMatch(/^access_\S+\n$/)
  })

  it('reuses a client of its own the next time', async () => {
    const person = newPerson()
    const id = async (...words: string[]): Promise<string> => {
      const { stdout, stderr } = await person.run(['connect', 'sandbox', '--param', 'port=0', '--json', ...words])
      return stdout === '' ? stderr : JSON.parse(stdout).snapshot.client.id
    }
    expect(await id()).toBe('sandbox-client')
    expect(await id('--client-id', 'sandbox-public')).toBe('sandbox-public')
    expect(await id()).toBe('sandbox-public')
  })

  it.each([
    ['wrong-state', 4, 'STATE_MISMATCH'],
    ['denial', 4, 'ACCESS_DENIED'],
    ['server-error', 4, 'SERVER_ERROR'],
    ['frob', 2, 'BAD_FLAG'],
  ])('--fault %s ends with status %i', async (fault, status, code) => {
    const ended = await newPerson().run(['connect', 'sandbox', '--param', 'port=0', '--fault', fault, '--json'])
    expect([ended.status, ended.stdout, failureOf(ended).code]).toEqual([status, '', code])
  })
})
