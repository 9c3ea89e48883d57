import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { failureOf, newPerson, type Person } from '../support/person.ts'

const person = newPerson()
const offered = async (words: readonly string[], { run }: Person = person): Promise<string[]> => {
  const { status, stdout, stderr } = await run(['complete', '--', ...words])
  expect(status, stderr).toBe(0)
  return stdout.split('\n').filter((line) => line !== '')
}

beforeAll(async () => {
  const { status, stderr } = await person.run(['connect', 'sandbox', '--as', 'practice'], { env: { CI: 'true' } })
  expect(status, stderr).toBe(0)
  person.write(
    'auth-cli.yaml',
    `integrations:
  zendesk-dev: { provider: zendesk }
templates:
  zen-idp: { display_name: Zen, auth_mode: OAUTH2, authorization_url: https://zen.example/a, token_url: https://zen.example/t }
`,
  )
})

describe('what the shells are told', () => {
  it.each([
    [[''], ['connect', 'connections', 'token', 'completion']],
    [['conn'], ['connect', 'connections']],
    [
      ['connections', ''],
      ['list', 'show', 'delete'],
    ],
    [
      ['connect', 'ze'],
      ['zendesk', 'zendesk-dev', 'zen-idp'],
    ],
    [['connect', 'zendesk', '--sub'], ['--subdomain']],
    [
      ['connect', 'zendesk', '--client-auth', 'basic'],
      ['basic', 'basic-raw', 'basic+post'],
    ],
    [['token', ''], ['practice']],
    [['request', 'pr'], ['practice']],
    [['connections', 'show', 'p'], ['practice']],
    [['providers', 'show', 'gitl'], ['gitlab']],
    [['config', 'set', 'call'], ['callback-url']],
    [['sandbox', '--fault', 'wrong'], ['wrong-state']],
    [['sandbox', '--as', 'zend'], ['zendesk']],
    [['logs', '--state', 'f'], ['failed']],
    [['--json', 'tok'], ['token']],
  ])('%j is completed', async (words, expected) => {
    expect(await offered(words)).toEqual(expect.arrayContaining(expected))
  })

  it('is nothing where nothing fits, and never a failure', async () => {
    expect(await offered(['connect', 'zendesk', 'x'])).toEqual([])
    expect(await offered(['frobnicate', ''])).toEqual([])
    expect(await offered([''])).not.toContain('complete')
    const elsewhere = newPerson()
    elsewhere.write('auth-cli.yaml', 'templates: [broken')
    expect(await offered(['connect', 'gith'], elsewhere)).toEqual(['github'])
  })
})

describe('the scripts', () => {
  it('work in bash', async () => {
    const folder = join(person.cwd, 'bin')
    mkdirSync(folder)
    symlinkSync(fileURLToPath(new URL('../../bin/auth-cli.js', import.meta.url)), join(folder, 'auth-cli'))
    const line = `source <(auth-cli completion bash)
      COMP_WORDS=(auth-cli connect zend); COMP_CWORD=2; _auth_cli; echo "\${COMPREPLY[@]}"
      COMP_WORDS=(auth-cli token ''); COMP_CWORD=2; _auth_cli; echo "\${COMPREPLY[@]}"`
    const env = { ...process.env, PATH: `${folder}:${process.env['PATH']}`, AUTH_CLI_HOME: person.home }
    const told = execFileSync('bash', ['-c', line], { env, cwd: person.cwd, encoding: 'utf8' })
    expect(told).toBe('zendesk zendesk-dev\npractice\n')
  })

  it.each(['bash', 'zsh', 'fish'])('of %s asks auth-cli itself', async (shell) => {
    const { stdout, status } = await person.run(['completion', shell])
    expect([status, stdout]).toEqual([0, expect.stringContaining('auth-cli complete -- ')])
  })

  it('exist for three shells; another is named with them', async () => {
    const ended = await person.run(['completion', 'tcsh', '--json'])
    expect([ended.status, failureOf(ended).code]).toEqual([2, 'BAD_ARGUMENT'])
    expect(failureOf(ended).hint).toContain('bash, zsh, fish')
  })
})
