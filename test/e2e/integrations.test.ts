import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { callback, openFarProvider, visit } from '../support/far-provider.ts'
import { failureOf, newPerson } from '../support/person.ts'

const secret = 'the-secret-of-the-integration'

describe.concurrent('an integration', () => {
  it('is kept, masked, used without being asked for again, and deleted once nothing depends on it', async () => {
    const far = await openFarProvider()
    const person = newPerson()
    person.write(
      'auth-cli.yaml',
      far.project('connection_config: { region: { type: string, title: Region, description: "" } }'),
    )
    const add = ['integrations', 'add', 'work', '--provider', 'far', '--client-id', 'app', '--param', 'region=eu']
    const added = await person.run([...add, '--client-secret', '-', '--scope', 'a,b', '--json'], {
      input: `${secret}\n`,
    })
    expect([added.status, added.stdout.includes(secret)]).toEqual([0, false])
    expect(JSON.parse(added.stdout)).toMatchObject({
      name: 'work',
      provider: 'far',
      clientId: 'app',
      scopes: ['a', 'b'],
      params: { region: 'eu' },
      origins: [far.origin],
    })
    const [file = ''] = readdirSync(join(person.home, 'integrations')).filter((one) => one.endsWith('.json'))
    expect(readFileSync(join(person.home, 'integrations', file), 'utf8')).toContain(secret)
    const taken = await person.run([...add, '--json'])
    expect([taken.status, taken.stdout, failureOf(taken).code]).toEqual([2, '', 'NAME_TAKEN'])
    expect((await person.run(['integrations'])).stdout).toMatch(/work +far +app +yes +saved/)

    const flow = person.start(['connect', 'work', '--port', '0', '--trust-project'], { env: { BROWSER: 'true' } })
    const url = await flow.url()
    expect([url.searchParams.get('client_id'), url.searchParams.get('scope')]).toEqual(['app', 'a b'])
    await visit(callback(url, { code: 'c0de' }))
    expect((await flow.ended).status).toBe(0)
    expect(far.tokenForm().get('client_secret')).toBe(secret)
    expect(JSON.parse((await person.run(['integrations', 'show', 'work', '--json'])).stdout)).toMatchObject({
      hasSecret: true,
      connections: ['work'],
    })
    const used = await person.run(['integrations', 'delete', 'work', '--yes', '--json'])
    expect([used.status, failureOf(used).code, failureOf(used).message.includes('connection work')]).toEqual([
      2,
      'IN_USE',
      true,
    ])
    await person.run(['connections', 'delete', 'work', '--yes'])
    const unsure = await person.run(['integrations', 'rm', 'work', '--json'])
    expect([unsure.status, failureOf(unsure).code]).toEqual([2, 'MISSING_INPUT'])
    expect((await person.run(['integrations', 'rm', 'work', '--yes'])).stdout).toContain('Deleted work')
    expect((await person.run(['integrations', 'show', 'work'])).status).toBe(2)
  })

  it('is refused with what is wrong: a name that is another provider, an unknown answer, nothing to be asked', async () => {
    const person = newPerson()
    const cases: readonly (readonly [readonly string[], string])[] = [
      [['github', '--provider', 'gitlab', '--client-id', 'x', '--client-secret', 'env:S'], 'NAME_TAKEN'],
      [['one', '--provider', 'nobody', '--client-id', 'x'], 'UNKNOWN_PROVIDER'],
      [['one', '--provider', 'zendesk', '--client-id', 'x', '--param', 'colour=red'], 'BAD_FLAG'],
      [['one', '--provider', 'zendesk', '--client-id', 'x', '--param', 'subdomain=not valid!'], 'BAD_FLAG'],
      [['one', '--provider', 'zendesk'], 'MISSING_INPUT'],
      [['-one', '--provider', 'zendesk', '--client-id', 'x'], 'BAD_FLAG'],
    ]
    for (const [words, code] of cases) {
      const ended = await person.run(['integrations', 'add', ...words, '--json'], { env: { S: 'secret' } })
      expect([words, ended.status, ended.stdout, failureOf(ended).code]).toEqual([words, 2, '', code])
    }
    expect((await person.run(['integrations', '--json'])).stdout).toBe('[]\n')
  })
})

describe.concurrent('integrations check', () => {
  it('tells all that is missing at once, opens nothing and trusts nothing', async () => {
    const far = await openFarProvider()
    const person = newPerson()
    person.write(
      'auth-cli.yaml',
      [
        far.project('connection_config: { region: { type: string, title: Region, description: "" } }'),
        'integrations:',
        '  dev:',
        '    provider: far',
        '    client_id: ${DEV_ID}',
        '    client_secret: ${DEV_SECRET}',
        '',
      ].join('\n'),
    )
    const check = async (...words: string[]) => {
      const ended = await person.run(['integrations', 'check', 'dev', '--json', ...words], { env: { DEV_ID: 'id-1' } })
      const { isReady, findings } = JSON.parse(ended.stdout) as {
        isReady: boolean
        findings: { what: string; state: string; says: string }[]
      }
      const missing = findings.filter(({ state }) => state === 'missing').map(({ what }) => what)
      return { ended, isReady, findings, missing }
    }
    const bare = await check()
    expect([bare.ended.status, bare.isReady, bare.missing]).toEqual([2, false, ['DEV_SECRET', 'trust', 'region']])
    expect(failureOf(bare.ended).code).toBe('NOT_READY')
    expect(bare.findings).toContainEqual(
      expect.objectContaining({ what: 'redirect URL', state: 'told', says: 'http://localhost:8749/oauth/callback' }),
    )
    person.write(
      '.env',
      "# of this project\nexport DEV_SECRET='s3cret of the env file'\nDEV_REGION=eu\nDEV_ID=not this one\n",
    )
    const filled = await check('--env-file', '.env')
    expect(filled.missing).toEqual(['trust'])
    expect(filled.ended.stdout + filled.ended.stderr).not.toContain('s3cret')

    const flow = person.start(['connect', 'dev', '--port', '0', '--trust-project', '--env-file', '.env'], {
      env: { BROWSER: 'true', DEV_ID: 'id-1' },
    })
    const url = await flow.url()
    await visit(callback(url, { code: 'c0de' }))
    expect([(await flow.ended).status, url.searchParams.get('client_id')]).toEqual([0, 'id-1'])
    expect(far.tokenForm().get('client_secret')).toBe('s3cret of the env file')
    const ready = await check('--env-file', '.env')
    expect([ready.ended.status, ready.isReady, ready.ended.stderr]).toEqual([0, true, ''])
    expect((await person.run(['integrations'])).stdout).toMatch(/dev +far +\$\{DEV_ID\} +yes +project file/)
    const kept = await person.run(['integrations', 'delete', 'dev', '--yes', '--json'])
    expect([kept.status, failureOf(kept).code]).toEqual([2, 'IN_PROJECT'])
  })

  it('knows a redirect URL that the provider would not take, and a file that is not there', async () => {
    const person = newPerson()
    const slack = await person.run(['integrations', 'check', 'slack', '--json'])
    expect(slack.status).toBe(2)
    expect(JSON.parse(slack.stdout).findings).toContainEqual(
      expect.objectContaining({ what: 'decisions', state: 'missing', says: expect.stringContaining('https') }),
    )
    const lost = await person.run(['integrations', 'check', 'slack', '--env-file', 'not-there', '--json'])
    // Node before 22 looks for a flag of its own by that name in the whole command line, and ends with 9 by itself.
    expect([2, 9]).toContain(lost.status)
    expect([lost.stdout, lost.stderr]).toEqual(['', expect.stringContaining('not-there')])
  })
})

it('tell what is wrong with the project file that they would stand in', async () => {
  const person = newPerson()
  const file = person.write('auth-cli.yaml', 'integratons: {}\n')
  const { status, stderr } = await person.run(['integrations'])
  expect([status, stderr]).toEqual([0, expect.stringContaining(`! ${file}:1  this field is not known`)])
})
