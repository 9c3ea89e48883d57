import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { type CliEnd, followerEnv, runCli, startCli } from '../support/cli.ts'
import { freshFolder } from '../support/disk.ts'
import { openProvider, templateOf } from '../support/provider.ts'

const client = ['--client-id', 'app', '--client-secret', 's3cr3t-s3cr3t', '--port', '0']
const errorIn = ({ stderr }: CliEnd) => JSON.parse(stderr.trim().split('\n').at(-1) ?? '{}').error

/** Answers of a token endpoint that nobody expects, and how connecting ends. */
const answers: Readonly<Record<string, { body: unknown; ends: readonly [status: number, code?: string] }>> = {
  'a life beyond every calendar': { body: { access_token: 'access-1234', expires_in: 1e300 }, ends: [0] },
  'a life of a million years': { body: { access_token: 'access-1234', expires_in: 3e13 }, ends: [0] },
  'an expiry that is no date': { body: { access_token: 'access-1234', expires_at: 9e15 }, ends: [0] },
  'JSON nested without end': {
    body: `{"access_token":"access-1234","a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
    ends: [4, 'ANSWER_UNUSABLE'],
  },
  'a token that would split a header': {
    body: { access_token: 'access-1234\r\nX-Evil: 1\u001b[31m', token_type: 'Bearer' },
    ends: [4, 'ANSWER_INVALID'],
  },
  'members that every object has': {
    body: '{"access_token":"access-1234","token_type":"Bearer","__proto__":{"x":1},"constructor":{"prototype":1}}',
    ends: [0],
  },
  'a token that is a list': { body: { access_token: ['a'], token_type: 'Bearer' }, ends: [4, 'NO_ACCESS_TOKEN'] },
  'words with escape sequences': {
    body: { access_token: 'access-1234', token_type: 'Bearer', scope: 'a\u001b]0;pwned\u0007b \u009b31mc' },
    ends: [0],
  },
}

it('no answer of a token endpoint is a bug of ours, and none acts on the terminal', async () => {
  const names = Object.keys(answers)
  const routes = Object.fromEntries(
    names.map((name, n) => [
      `/token${n}`,
      () => ({ headers: { 'content-type': 'application/json' }, body: answers[name]?.body }),
    ]),
  )
  const provider = await openProvider({ routes })
  const cwd = freshFolder()
  const templates = names.map((_, n) => {
    const fields = { token_url: `${provider.origin}/token${n}` }
    return JSON.parse(templateOf(provider.origin, fields).replace('"acme"', `"acme${n}"`)).templates
  })
  writeFileSync(path.join(cwd, 'auth-cli.yaml'), JSON.stringify({ templates: Object.assign({}, ...templates) }))
  const surroundings = { cwd, home: freshFolder(), env: followerEnv() }
  const ends = await Promise.all(
    names.map((_, n) => runCli(['connect', `acme${n}`, ...client, '--json', '-v', '--scope', 'a'], surroundings)),
  )
  const seen = await Promise.all(names.map((_, n) => runCli(['inspect', `acme${n}`], surroundings)))
  const logs = await runCli(['logs', 'show', 'last'], surroundings)
  const outcomes = ends.map((end) => [end.status, ...(end.status === 0 ? [] : [errorIn(end).code])])
  expect(names.map((name, n) => [name, outcomes[n]])).toEqual(names.map((name) => [name, answers[name]?.ends]))
  const said = [...ends, ...seen, logs].map(({ stdout, stderr }) => stdout + stderr).join('')
  expect(said).not.toContain('This is a bug')
  expect(said).not.toMatch(/[\u001b\u0007\u009b]/)
})

it("a project file's words do not act on the terminal, in warnings, help and refusals", async () => {
  const cwd = freshFolder()
  const esc = '\u001b[2J\u001b]0;pwned\u0007'
  const prompt = { type: 'string', title: `S${esc}`, description: `D${esc}`, example: esc, prefix: esc, pattern: '^a$' }
  const fields = { display_name: `Ac${esc}me`, [`un${esc}known`]: 1, connection_config: { sub: prompt } }
  writeFileSync(path.join(cwd, 'auth-cli.yaml'), templateOf('https://acme.test', fields))
  const commands = [
    ['connect', 'acme'],
    ['connect', 'acme', '--help'],
    ['connect', 'acme', '--sub', 'b', '--client-id', 'a'],
    ['connect', 'acme', '--sub', 'a', '--client-id', 'a', '--dry-run'],
    ['connect', 'acme', '--sub', 'a', '--client-id', 'a', '--callback-url', `http://localhost:1/${esc}`],
    ['providers'],
  ]
  const ends = await Promise.all(commands.map((args) => runCli(args, { cwd })))
  expect(ends.map(({ status }) => status)).toEqual([2, 0, 2, 0, 2, 0])
  expect(ends.map(({ stdout, stderr }) => /[\u001b\u0007]/.test(stdout + stderr))).toEqual(Array(6).fill(false))
})

it('an error that escapes every await is reported as a bug, without the secrets that it holds', async () => {
  const provider = await openProvider({
    routes: { '/api': () => 'hang' },
    tokens: { access_token: 'access-0123456789' },
  })
  const cwd = freshFolder()
  const home = freshFolder()
  writeFileSync(path.join(cwd, 'auth-cli.yaml'), templateOf(provider.origin))
  await runCli(['connect', 'acme', ...client], { cwd, home, env: followerEnv() })
  const bomb = path.join(cwd, 'bomb.mjs')
  writeFileSync(
    bomb,
    `process.on('SIGUSR2', () => { throw new Error('boom access-0123456789', { cause: new Error('YWNjZXNzLTAxMjM0NTY3ODk=') }) })`,
  )
  const run = startCli(['request', 'acme', '/api'], { cwd, home, node: ['--import', bomb], input: '' })
  await provider.reached('/api')
  run.child.kill('SIGUSR2')
  const { status, stdout, stderr } = await run.ended
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).toMatch(/This is a bug in auth-cli[\s\S]*boom/)
  expect(stderr).not.toMatch(/access-0123456789|YWNjZXNz/)
})

it('a request that the API refuses ends its flow as it ends the command', async () => {
  const provider = await openProvider({ routes: { '/api': () => ({ status: 500, body: 'broken' }) } })
  const cwd = freshFolder()
  const home = freshFolder()
  writeFileSync(path.join(cwd, 'auth-cli.yaml'), templateOf(provider.origin))
  await runCli(['connect', 'acme', ...client], { cwd, home, env: followerEnv() })
  const end = await runCli(['request', 'acme', '/api', '--json'], { cwd, home })
  expect(end).toMatchObject({ status: 4, stdout: 'broken' })
  const [flow] = JSON.parse((await runCli(['logs', '--json'], { cwd, home })).stdout)
  expect(flow).toMatchObject({ deed: 'request', state: 'failed' })
  expect(errorIn(end)).toMatchObject({ code: 'HTTP_500', flow: flow.flow ?? flow.id })
})
