import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import type { Need } from '../../src/model/world.ts'
import { makeAsk } from '../../src/node/ask.ts'
import { built, runOnTerminal } from '../support/terminal.ts'

const need = (key: string, more: Partial<Need> = {}): Need => ({
  key,
  flag: `--${key}`,
  label: key,
  prompt: {},
  accept: (typed) => ({ value: typed }),
  ...more,
})

const nobody = makeAsk({ stdin: new PassThrough(), stderr: new PassThrough(), interactive: false })
const never = new AbortController().signal

test('where nobody can be asked, one error names every missing flag and the variables that would do', async () => {
  const needs = [need('client-id', { environment: 'ZENDESK_CLIENT_ID' }), need('subdomain')]
  await expect(nobody.ask(needs, never)).rejects.toMatchObject({
    code: 'MISSING_INPUT',
    exitCode: 2,
    message: 'Missing: --client-id, --subdomain',
    hint: 'Give them as flags, or set ZENDESK_CLIENT_ID. To be asked instead, run this in a terminal.',
  })
})

test('where nobody can be asked, defaults answer and what is optional stays open', async () => {
  const needs = [
    need('region', { prompt: { default_value: 'eu' }, accept: (typed) => ({ value: typed.toUpperCase() }) }),
    need('client-secret', { prompt: { optional: true } }),
  ]
  expect(await nobody.ask(needs, never)).toEqual({ region: 'EU' })
})

test('where nobody can be asked, what does not apply is neither missing nor answered', async () => {
  const needs = [
    need('host', { appliesTo: () => false }),
    need('plan', { prompt: { default_value: 'free' }, appliesTo: () => false }),
  ]
  expect(await nobody.ask(needs, never)).toEqual({})
  await expect(nobody.ask([...needs, need('kind')], never)).rejects.toMatchObject({ message: 'Missing: --kind' })
})

test('where nobody can be asked, a question of yes or no has no answer', async () => {
  expect(await nobody.confirm('Trust it?', never)).toBeUndefined()
})

test('an aborted signal ends it before anything is asked, with its own reason', async () => {
  const reason = new Error('stopped')
  await expect(nobody.ask([], AbortSignal.abort(reason))).rejects.toBe(reason)
})

const asking = (needs: string, more = ''): string => `
  import { makeAsk } from '${built('node/ask.js')}'
  const ended = new AbortController()
  ${more}
  const { ask, confirm } = makeAsk({ stdin: process.stdin, stderr: process.stderr, interactive: true, color: false })
  const accept = (typed) =>
    typed.includes(' ') ? { problem: 'No spaces\\x1b[2J, please.' }
    : typed.startsWith('https://') ? { value: 'acme', note: 'Took acme from it.' } : { value: typed }
  try {
    console.log('ANSWERS ' + JSON.stringify(await ${needs}))
  } catch (error) {
    console.log('ERROR ' + error.name + ' ' + error.message)
  }
`
const subdomain = `{ key: 'subdomain', flag: '--subdomain', label: 'Subdomain', accept,
  prompt: { prefix: 'https://', suffix: '.zendesk.com', description: 'The part \\x1b[31mbefore' } }`

test('the question shows what stands around the answer, judges it on the spot, and tells what was made of it', async () => {
  const terminal = runOnTerminal(asking(`ask([${subdomain}], ended.signal)`))
  await terminal.shows('Subdomain  https://[…].zendesk.com')
  terminal.type('a b\r')
  await terminal.shows('No spaces, please.')
  terminal.type('\x15https://acme.zendesk.com\r')
  await terminal.shows('Took acme from it.')
  const { stdout } = await terminal.ended
  expect(stdout).toContain('  The part before')
  expect(stdout).toContain('ANSWERS {"subdomain":"acme"}')
  expect(stdout).not.toContain('\x1b[31m')
})

test('a secret is masked while it is typed', async () => {
  const secret = 's3c/'.repeat(100)
  const terminal = runOnTerminal(
    `${asking(
      `ask([{ key: 'secret', flag: '--client-secret', label: 'Client secret', prompt: { secret: true }, accept }], ended.signal).then(({ secret }) => secret.length)`,
    )}`,
  )
  await terminal.shows('Client secret')
  terminal.type(`${secret}\r`)
  const { stdout } = await terminal.ended
  expect(stdout).toContain('ANSWERS 400')
  expect(stdout).toContain('****')
  expect(stdout).not.toContain('s3c/')
})

test('a choice is a list that starts at its default, and Enter leaves out what is optional', async () => {
  const terminal = runOnTerminal(
    asking(`ask([
      { key: 'region', flag: '--region', label: 'Region', prompt: { enum: ['eu', 'us', 'ap'], default_value: 'us' }, accept },
      { key: 'team', flag: '--team', label: 'Team', prompt: { optional: true }, accept },
      { key: 'plan', flag: '--plan', label: 'Plan', prompt: { default_value: 'free' }, accept },
    ], ended.signal)`),
  )
  await terminal.shows('Region')
  terminal.type('\x1b[B\r')
  await terminal.shows('Team')
  terminal.type('\r')
  await terminal.shows('Plan')
  terminal.type('\r')
  expect((await terminal.ended).stdout).toContain('ANSWERS {"region":"ap","plan":"free"}')
})

test('a question of yes or no means no unless somebody says yes', async () => {
  for (const [typed, answer] of [
    ['\r', 'false'],
    ['y\r', 'true'],
  ] as const) {
    const terminal = runOnTerminal(asking(`confirm('Trust this file?', ended.signal)`))
    await terminal.shows('Trust this file?')
    terminal.type(typed)
    expect((await terminal.ended).stdout).toContain(`ANSWERS ${answer}`)
  }
})

test('Ctrl-C and Ctrl-D cancel', async () => {
  for (const key of ['\x03', '\x04']) {
    // Something else of the program is still under way, so that Node does not end it by itself.
    const hold = 'const hold = setInterval(() => {}, 1000)'
    const asked = `ask([${subdomain}], ended.signal).finally(() => clearInterval(hold))`
    const terminal = runOnTerminal(asking(asked, hold))
    await terminal.shows('Subdomain')
    terminal.type(key)
    expect((await terminal.ended).stdout).toContain('ERROR Cancelled Cancelled.')
  }
})

test('the end of time interrupts a question with its own reason', async () => {
  const terminal = runOnTerminal(
    asking(
      `ask([${subdomain}], ended.signal)`,
      `process.stdin.once('data', () => ended.abort(new Error('Time is up.')))`,
    ),
  )
  await terminal.shows('Subdomain')
  terminal.type('x')
  expect((await terminal.ended).stdout).toContain('ERROR Error Time is up.')
})

test('without colour no question is coloured', async () => {
  const terminal = runOnTerminal(asking(`ask([${subdomain}], ended.signal)`))
  await terminal.shows('Subdomain')
  terminal.type('acme\r')
  expect((await terminal.ended).stdout).not.toMatch(/\x1b\[[0-9;]*m/)
})
