import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type FarProvider, openFarProvider, type Received, type Reply } from '../support/far-provider.ts'
import { failureOf, newPerson, type Person } from '../support/person.ts'

interface Home {
  readonly person: Person
  readonly far: FarProvider
  /** Answers to come, by path; where there is none the far provider answers well. */
  readonly replies: Map<string, Reply[]>
}

/** A connection called `far`, imported from a token, in a home of its own. */
async function imported(...fields: string[]): Promise<Home> {
  const replies = new Map<string, Reply[]>()
  const far = await openFarProvider(({ path }: Received) => replies.get(path)?.shift())
  const person = newPerson()
  person.write('auth-cli.yaml', far.project(...fields))
  const tokens = [
    '--access-token',
    'env:AT',
    '--refresh-token',
    'env:RT',
    '--client-id',
    'x',
    '--expires-at',
    '2999-01-01T00:00:00Z',
  ]
  const env = { AT: 'an-access-token-of-mine', RT: 'a-refresh-token-of-mine' }
  const ended = await person.run(['import', '--provider', 'far', ...tokens, '--tag', 'team=blue', '--json'], { env })
  expect(ended).toMatchObject({ status: 0, stderr: '' })
  expect(ended.stdout).not.toContain('of-mine')
  return { person, far, replies }
}

const bearer = 'Bearer an-access-token-of-mine'

describe.concurrent('a connection that is carried', () => {
  it('goes from one home to another and works there, from any folder', async () => {
    const { person, far } = await imported()
    const { stdout, stderr } = await person.run(['export', 'far'])
    expect(stderr).toBe('')
    const other = newPerson()
    const back = await other.run(['connections', 'import', '-', '--json'], { input: stdout })
    expect([back.status, JSON.parse(back.stdout).tags]).toEqual([0, { team: 'blue' }])
    expect(JSON.parse((await other.run(['request', 'far', '/x'])).stdout).authorization).toBe(bearer)
    expect((await other.run(['connections', 'export', 'far', '--json'])).stdout).toBe(stdout)
    other.write('again.json', stdout)
    const taken = await other.run(['import', 'again.json', '--json'])
    expect([taken.status, taken.stdout, failureOf(taken).code]).toEqual([2, '', 'NAME_TAKEN'])
    expect((await other.run(['import', 'again.json', '--as', 'two'])).stdout).toContain('Imported two')
    expect(JSON.parse((await other.run(['connections', '--tag', 'team=blue', '--json'])).stdout)).toHaveLength(2)
    expect(JSON.parse((await other.run(['connections', '--tag', 'team=red', '--json'])).stdout)).toEqual([])
    expect((await other.run(['refresh', 'two', '--force'])).status).toBe(0)
    expect(far.tokenForm().get('refresh_token')).toBe('a-refresh-token-of-mine')
  })

  it('is printed for a shell, a header, a call, and Nango', async () => {
    const { person } = await imported()
    const formats = Object.fromEntries(
      await Promise.all(
        ['env', 'header', 'curl', 'nango'].map(async (format) => {
          const ended = await person.run(['export', 'far', '--format', format])
          return [format, ended.stdout] as const
        }),
      ),
    )
    expect(formats['env']).toContain("export FAR_ACCESS_TOKEN='an-access-token-of-mine'\n")
    expect(formats['header']).toBe(`Authorization: ${bearer}\n`)
    expect(formats['curl']).toMatch(/^curl -H 'authorization: Bearer an-access-token-of-mine' 'http:\/\/127/)
    expect(JSON.parse(formats['nango'] ?? '')).toMatchObject({
      provider_config_key: 'far',
      credentials: { type: 'OAUTH2', access_token: 'an-access-token-of-mine', config_override: { client_id: 'x' } },
    })
    const bad = await person.run(['export', 'far', '--format', 'xml', '--json'])
    expect([bad.status, failureOf(bad).code]).toEqual([2, 'BAD_FLAG'])
  })

  it('is shown on a terminal only where somebody says so', async () => {
    const { person } = await imported()
    const hidden = await person.startOnTerminal(['export', 'far']).ended
    expect([hidden.status, hidden.stdout.includes('of-mine')]).toEqual([2, false])
    const shown = await person.startOnTerminal(['export', 'far', '--reveal']).ended
    expect([shown.status, shown.stdout.includes('an-access-token-of-mine')]).toEqual([0, true])
  })

  it('is refused where it is broken, hostile, or not there', async () => {
    const { person } = await imported()
    const cases: readonly (readonly [readonly string[], string, string])[] = [
      [['import'], '', 'IMPORT_INVALID'],
      [['import'], '{"version":1,"name":"x"}', 'IMPORT_INVALID'],
      [['import', 'not-there.json'], '', 'NO_SUCH_FILE'],
      [['import', '--access-token', 'env:AT'], '', 'MISSING_INPUT'],
      [['import', '--provider', 'far', '--access-token', 'env:AT', '--expires-at', 'soon'], '', 'BAD_FLAG'],
    ]
    for (const [words, input, code] of cases) {
      const ended = await person.run([...words, '--json'], { input, env: { AT: 'another-token-of-mine' } })
      expect([words, ended.status, ended.stdout, failureOf(ended).code]).toEqual([words, 2, '', code])
      expect(ended.stderr).not.toContain('another-token-of-mine')
    }
  })

  it('takes another name', async () => {
    const { person } = await imported()
    expect((await person.run(['connections', 'rename', 'far', 'near'])).stdout).toBe('far is called near now.\n')
    expect((await person.run(['token', 'near'])).stdout).toBe('an-access-token-of-mine\n')
    expect((await person.run(['token', 'far'])).status).toBe(2)
    expect((await person.run(['connections', 'rename', 'near', 'Near'])).status).toBe(0)
    expect(
      JSON.parse((await person.run(['connections', '--json'])).stdout).map(({ name }: { name: string }) => name),
    ).toEqual(['Near'])
    await person.run(['import', '--provider', 'far', '--access-token', 'env:AT'], { env: { AT: 'third-token' } })
    const taken = await person.run(['connections', 'rename', 'near', 'far', '--json'])
    expect([taken.status, failureOf(taken).code]).toEqual([2, 'NAME_TAKEN'])
    expect((await person.run(['token', 'far'])).stdout).toBe('third-token\n')
    for (const name of ['-x', ' '])
      expect((await person.run(['connections', 'rename', 'near', '--', name])).status).toBe(2)
  })
})

describe.concurrent('a connection that is given up', () => {
  it('is revoked, told so in the list, and deleted with its tokens revoked first', async () => {
    const { person, far, replies } = await imported()
    const withRevocation = (origin: string): string => `revocation_url: ${origin}/revoke`
    person.write('auth-cli.yaml', far.project(withRevocation(far.origin)))
    const env = { AT: 'token-to-revoke' }
    for (const name of ['one', 'two', 'three'])
      await person.run(['import', '--provider', 'far', '--access-token', 'env:AT', '--as', name], { env })
    const ended = await person.run(['revoke', 'one', '--json'])
    expect(JSON.parse(ended.stdout)).toMatchObject({ connection: 'one', revoked: ['access token'], remaining: [] })
    expect(far.received.at(-1)).toMatchObject({
      method: 'POST',
      path: '/revoke',
      body: expect.stringContaining('token-to-revoke'),
    })
    expect((await person.run(['connections'])).stdout).toMatch(/one .*revoked/)
    const used = await person.run(['token', 'one', '--json'])
    expect([used.status, used.stdout, failureOf(used).code]).toEqual([4, '', 'REVOKED'])
    expect((await person.run(['connections', 'delete', 'one', '--yes'])).stdout).toContain('revoked before')

    const unsure = await person.run(['connections', 'delete', 'two', '--revoke', '--json'])
    expect([unsure.status, failureOf(unsure).code]).toEqual([2, 'MISSING_INPUT'])
    replies.set('/revoke', [{ status: 503, headers: { 'retry-after': '9' }, body: {} }])
    const half = await person.run(['connections', 'delete', 'two', 'three', '--revoke', '--yes', '--json'])
    expect([half.status, JSON.parse(half.stdout), failureOf(half).code]).toEqual([
      4,
      { deleted: ['three'] },
      'HTTP_503',
    ])
    expect((await person.run(['token', 'two'])).stdout).toBe('token-to-revoke\n')
    expect((await person.run(['connections', 'delete', 'two', '--revoke', '--yes'])).stdout).toBe(
      'Deleted two. Its access token is revoked.\n',
    )
    const nowhere = await person.run(['connections', 'delete', 'far', '--revoke', '--yes', '--json'])
    expect([nowhere.status, failureOf(nowhere).code]).toEqual([2, 'NO_REVOCATION'])
    expect((await person.run(['connections', 'delete', 'far', '--yes'])).stdout).toMatch(/stays valid there/)
    const logged = JSON.parse((await person.run(['logs', '--json'])).stdout)
    expect(logged.map(({ deed, state }: { deed: string; state: string }) => `${deed} ${state}`)).toContain(
      'revoke success',
    )
  })
})

describe.concurrent('request', () => {
  const paged = ({ path, query }: Received): Reply | undefined => {
    if (path !== '/api/list') return undefined
    const page = Number(query.get('page') ?? 1)
    if (query.get('fail') === String(page)) return { status: 403, body: { error: 'enough' } }
    return { headers: page < 3 ? { link: `<?page=${page + 1}>; rel="next"` } : {}, body: [{ page }, { page: -page }] }
  }

  it('reads a list to its end, as one array or an item a line, on stdout or into a file', async () => {
    const far = await openFarProvider(paged)
    const person = newPerson()
    person.write('auth-cli.yaml', far.project())
    await person.run(['import', '--provider', 'far', '--access-token', 'env:AT'], { env: { AT: 'token-of-the-list' } })
    const whole = await person.run(['request', 'far', '/list', '--paginate'])
    const items = [1, -1, 2, -2, 3, -3].map((page) => ({ page }))
    expect([whole.status, JSON.parse(whole.stdout), whole.stderr]).toEqual([0, items, ''])
    const lines = await person.run(['request', 'far', '/list', '--paginate', '--ndjson'])
    expect(lines.stdout).toBe(items.map((item) => `${JSON.stringify(item)}\n`).join(''))
    await person.run(['request', 'far', '/list', '--paginate', '-o', 'list.json'])
    expect(JSON.parse(readFileSync(join(person.cwd, 'list.json'), 'utf8'))).toEqual(items)
    const refused = await person.run(['request', 'far', '/list?fail=1', '--paginate', '--json'])
    expect([refused.status, refused.stdout, failureOf(refused).code]).toEqual([4, '{"error":"enough"}', 'HTTP_403'])
  })

  it('tells that it sends again, and does so no more often than it may', async () => {
    const { person, far, replies } = await imported()
    const busy = { status: 429, headers: { 'retry-after': '0' }, body: {} }
    replies.set('/api/x', [busy, busy])
    const ended = await person.run(['request', 'far', '/x'])
    expect([ended.status, ended.stderr]).toEqual([0, expect.stringMatching(/Once more in 0\.0 s: it answered 429/)])
    replies.set('/api/x', [busy, busy])
    const before = far.received.length
    expect((await person.run(['request', 'far', '/x', '--retry', '0'])).status).toBe(4)
    expect(far.received).toHaveLength(before + 1)
  })

  it('sends a small file again after a 401, and a large one not', async () => {
    const { person, far, replies } = await imported()
    person.write('small.json', '{"a":1}')
    person.write('large.txt', 'x'.repeat(3 * 1024 * 1024))
    replies.set('/api/x', [{ status: 401, body: {} }])
    expect((await person.run(['request', 'far', '/x', '-d', '@small.json'])).status).toBe(0)
    expect(far.received.at(-1)).toMatchObject({ body: '{"a":1}', headers: { 'content-type': 'application/json' } })
    replies.set('/api/x', [{ status: 401, body: {} }])
    const large = await person.run(['request', 'far', '/x', '-d', '@large.txt'])
    expect([large.status, large.stderr]).toEqual([4, expect.stringContaining('cannot be sent a second time')])
  })

  it('renews nothing where the credential that was refused was not its own', async () => {
    const { person, far, replies } = await imported()
    replies.set('/api/x', [{ status: 401, body: {} }])
    const before = far.received.length
    const { status } = await person.run(['request', 'far', '/x', '-H', 'Authorization: Bearer of-mine'])
    expect([status, far.received.length - before]).toEqual([4, 1])
    expect(far.received.at(-1)?.headers.authorization).toBe('Bearer of-mine')
  })

  it('sends nothing whose answer could not be written', async () => {
    const { person, far } = await imported()
    const before = far.received.length
    const lost = await person.run(['request', 'far', '/x', '-d', 'a=1', '-o', 'no-such-folder/answer'])
    expect([lost.status, far.received.length]).toEqual([6, before])
    expect(lost.stderr).toContain('no-such-folder/answer cannot be written')
  })

  it('says so where nothing stands at the path of the items', async () => {
    const { person, replies } = await imported()
    replies.set('/api/x', [{ status: 200, body: { a: [1] } }])
    const { status, stdout, stderr } = await person.run(['request', 'far', '/x', '--paginate', '--items', 'nope'])
    expect([status, stdout, stderr]).toEqual([0, '[]\n', expect.stringContaining('Nothing stands at "nope"')])
  })

  it('sends bytes of stdin as they are, and more of them than it would hold', async () => {
    const { person, far } = await imported()
    const input = 'x'.repeat(3 * 1024 * 1024)
    expect((await person.run(['request', 'far', '/x', '-d', '@-', '-o', '/dev/null'], { input })).status).toBe(0)
    expect(far.received.at(-1)?.body).toHaveLength(input.length)
    const file = person.write('large.txt', input)
    expect((await person.run(['request', 'far', '/x', '-d', `@${file}`, '-o', '/dev/null'])).status).toBe(0)
    expect(far.received.at(-1)).toMatchObject({ headers: { 'content-length': String(input.length) }, body: input })
  })
})

describe.concurrent('connect --events', () => {
  it('is a JSON line for each event, and the connection last', async () => {
    const person = newPerson()
    const { status, stdout } = await person.run(['connect', 'sandbox', '--events'], { env: { CI: '1' } })
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(status).toBe(0)
    expect(lines.slice(0, -1).map(({ type }) => type)).toEqual(
      expect.arrayContaining([
        'flow.started',
        'authorization.requested',
        'callback.received',
        'connection.saved',
        'flow.ended',
      ]),
    )
    expect(lines.at(-1)).toMatchObject({ name: 'sandbox', credential: { masked: true } })
    const denied = await person.run(['connect', 'sandbox', '--events', '--as', 'no', '--fault', 'denial'], {
      env: { CI: '1' },
    })
    expect([denied.status, failureOf(denied).code]).toEqual([4, 'ACCESS_DENIED'])
    expect(JSON.parse(denied.stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      type: 'flow.ended',
      state: 'failed',
    })
    expect(existsSync(join(person.home, 'connections', 'no.json'))).toBe(false)
  })
})
