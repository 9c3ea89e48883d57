import { generateKeyPairSync, verify } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { failureOf, newPerson, type Person } from '../support/person.ts'
import { openProvider, type Script } from '../support/provider.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const issued = 'ya29.issued-token-0123456789'
const password = 'p4ss w&rd <0123456789>'

const prompt = (more: Record<string, unknown> = {}) => ({ type: 'string', title: 'T', ...more })

/** Lets in whoever signs with the key, and calls with what it gave. */
const routes: Record<string, Script> = {
  '/token': ({ form }) => {
    const [header = '', payload = '', signature = ''] = (form.get('assertion') ?? '').split('.')
    const input = Buffer.from(`${header}.${payload}`)
    return verify('sha256', input, publicKey, Buffer.from(signature, 'base64url'))
      ? { body: { access_token: issued, expires_in: 3600 } }
      : { status: 400, body: { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' } }
  },
  '/me': ({ headers }) =>
    headers.authorization === `Bearer ${issued}` ? { body: { name: 'Ada' } } : { status: 401, body: { error: 'no' } },
  '/gw.phtml': ({ body }) => {
    const isGood = body.includes('<password>p4ss w&amp;rd &lt;0123456789&gt;</password>')
    const answer = isGood
      ? `<response><data><sessionid ttl="1">${issued}</sessionid></data></response>`
      : '<response><errormessage><error><description2>Sign-in information is incorrect</description2></error></errormessage></response>'
    return { body: answer, headers: { 'content-type': 'text/xml' } }
  },
}

const templates = (origin: string): string =>
  JSON.stringify({
    templates: {
      robot: {
        display_name: 'Robot',
        docs: 'https://r.example',
        auth_mode: 'TWO_STEP',
        body_format: 'form',
        signature: { protocol: 'RSA' },
        token: {
          signing_key: '${credentials.privateKey}',
          expires_in_ms: 3_600_000,
          header: { alg: 'RS256' },
          payload: { iss: '${credentials.email}', aud: `${origin}/token` },
        },
        token_url: `${origin}/token`,
        token_params: { assertion: '${token}' },
        token_response: {
          token: 'access_token',
          token_expiration: 'expires_in',
          token_expiration_strategy: 'expireIn',
        },
        credentials: {
          email: prompt({ format: 'email' }),
          privateKey: prompt({
            pattern: '^-----BEGIN PRIVATE KEY-----\\\\n([A-Za-z0-9+/=\\\\n]+)\\\\n-----END PRIVATE KEY-----\\\\n?$',
          }),
        },
        proxy: { base_url: origin },
      },
      ledger: {
        display_name: 'Ledger',
        docs: 'https://l.example',
        auth_mode: 'TWO_STEP',
        body_format: 'xml',
        token_url: `${origin}/gw.phtml`,
        token_params: {
          request: { $id: '1', login: { user: '${credentials.user}', password: '${credentials.password}' } },
        },
        token_headers: { 'content-type': 'application/xml' },
        token_response: { token: 'response.data.sessionid' },
        credentials: { user: prompt(), password: prompt({ secret: true }) },
        proxy: { base_url: origin },
      },
    },
  })

/** Everything that the person's home holds of logs, as one text. */
function logsOf({ home }: Person): string {
  const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && /\.(jsonl|ndjson|log)$/.test(entry.name),
  )
  return files.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8')).join('\n')
}

function assertSilent(said: string): void {
  const body = pem.replace(/-----.*-----|\n/g, '')
  const forms = [password, encodeURIComponent(password), 'p4ss w&amp;rd', issued, body.slice(0, 40), body.slice(-40)]
  expect([...forms, Buffer.from(password).toString('base64')].filter((form) => said.includes(form))).toEqual([])
  expect(said).not.toMatch(/eyJ[\w-]{20}/)
}

describe('a log-in without a browser', () => {
  it('takes a key from its file, from stdin or from a variable, and keeps all of it to itself', async () => {
    const { origin, hits } = await openProvider({ routes })
    const person = newPerson()
    person.write('auth-cli.yaml', templates(origin))
    const file = person.write('key.pem', pem)
    const base = ['connect', 'robot', '--email', 'robot@x.example', '--json']
    const dry = await person.run([...base, '--private-key', `file:${file}`, '--dry-run'])
    expect([dry.status, hits.length]).toEqual([0, 0])
    const ends = [
      await person.run([...base, '--private-key', `file:${file}`]),
      await person.run([...base, '--private-key', '-', '--as', 'two'], { input: pem }),
      await person.run([...base, '--private-key', 'env:KEY', '--as', 'three'], {
        env: { KEY: pem.replaceAll('\n', '\\n') },
      }),
      await person.run([...base, '--as', 'four', '--trust-project'], { env: { ROBOT_PRIVATE_KEY: pem } }),
    ]
    expect(ends.map(({ status, stderr }) => [status, stderr])).toEqual(
      [0, 0, 0, 0].map((status) => [status, expect.any(String)]),
    )
    expect(JSON.parse(ends[0]?.stdout ?? '')).toMatchObject({ mode: 'TWO_STEP', credential: { type: 'TWO_STEP' } })
    expect(ends[0]?.stderr).not.toMatch(/redirect URL|Code exchanged/)
    const shown = await person.run(['inspect', 'robot'])
    const logs = await person.run(['logs', 'show', 'last'])
    expect([shown.status, logs.status]).toEqual([0, 0])
    for (const end of [dry, ...ends, shown, logs]) assertSilent(end.stdout + end.stderr)
    assertSilent(logsOf(person))
    expect((await person.run(['token', 'robot'])).stdout).toBe(`${issued}\n`)
    expect((await person.run(['request', 'robot', '/me'])).stdout).toContain('Ada')
    expect((await person.run(['refresh', 'robot', '--force'])).status).toBe(0)
    expect(hits.filter(({ path }) => path === '/token')).toHaveLength(5)
  })

  it('tells of a key that is cut, and of one that the provider does not know', async () => {
    const { origin, hits } = await openProvider({ routes })
    const person = newPerson()
    person.write('auth-cli.yaml', templates(origin))
    const base = ['connect', 'robot', '--email', 'robot@x.example', '--json']
    const cut = await person.run([...base, '--private-key', '-----BEGIN PRIVATE KEY-----'])
    expect([cut.status, failureOf(cut).message]).toEqual([2, expect.stringContaining('only the first line of a key')])
    expect(hits).toEqual([])
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    const foreign = other.export({ type: 'pkcs8', format: 'pem' }).toString()
    const refused = await person.run([...base, '--private-key', '-'], { input: foreign })
    expect(refused.status).toBe(4)
    expect(failureOf(refused)).toMatchObject({
      code: 'INVALID_GRANT',
      message: expect.stringContaining('invalid_grant'),
    })
    assertSilent(refused.stdout + refused.stderr)
  })

  it('speaks XML where the provider does, and quotes its refusal', async () => {
    const { origin } = await openProvider({ routes })
    const person = newPerson()
    person.write('auth-cli.yaml', templates(origin))
    const wrong = await person.run(['connect', 'ledger', '--user', 'ada', '--password', '-'], {
      input: 'wrong-0123456789',
    })
    expect(wrong.status).toBe(4)
    expect(wrong.stderr).toContain('Sign-in information is incorrect')
    expect(wrong.stderr).not.toContain('wrong-0123456789')
    const good = await person.run(['connect', 'ledger', '--user', 'ada', '--password', '-'], { input: password })
    expect([good.status, good.stderr]).toEqual([0, expect.any(String)])
    assertSilent(good.stdout + good.stderr + logsOf(person))
    expect((await person.run(['token', 'ledger'])).stdout).toBe(`${issued}\n`)
  })
})
