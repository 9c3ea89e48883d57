import { expect, test } from 'vitest'
import { built, runOnTerminal, runScript } from '../support/terminal.ts'

const listen = (more = 'const hold = setTimeout(() => {}, 60_000)'): string => `
  import { makePaste } from '${built('node/paste.js')}'
  const ended = new AbortController()
  ${more}
  setTimeout(() => console.log('ready'), 0)
  for await (const line of makePaste(process.stdin, Boolean(process.stdin.isTTY))(ended.signal)) {
    console.log('LINE ' + JSON.stringify(line) + '.')
    if (line === 'enough') break
  }
  clearTimeout(hold)
  console.log('over raw=' + String(process.stdin.isRaw))
`

test('a pasted URL of 6,000 characters arrives whole, its paste marks taken off, and is not echoed', async () => {
  const url = `http://localhost:8749/oauth/callback?code=${'c'.repeat(6000)}&state=%41+ü`
  const terminal = runOnTerminal(listen())
  await terminal.shows('ready')
  terminal.type(`\x1b[200~${url}\x1b[201~\r`)
  await terminal.shows(`LINE ${JSON.stringify(url)}.`)
  terminal.type('enough\r')
  const { status, stdout } = await terminal.ended
  expect(status).toBe(0)
  expect(stdout.split(url)).toHaveLength(2)
  expect(stdout).toContain('over raw=false')
})

test('a mistyped line can be corrected, and cursor keys are no letters', async () => {
  const terminal = runOnTerminal(listen())
  await terminal.shows('ready')
  terminal.type('gone\x15abd\x7f\x1b[A\x1bOBc\r\r\nenough\n')
  const { stdout } = await terminal.ended
  expect(stdout.match(/LINE .*\./g)).toEqual(['LINE "abc".', 'LINE "enough".'])
})

test('the abort of its signal ends the listening and gives the terminal back', async () => {
  const terminal = runOnTerminal(listen('const hold = setTimeout(() => ended.abort(), 50)'))
  const { status, stdout } = await terminal.ended
  expect(status).toBe(0)
  expect(stdout).toContain('over raw=false')
})

test('Ctrl-D on an empty line ends the listening, not the program', async () => {
  const terminal = runOnTerminal(listen())
  await terminal.shows('ready')
  terminal.type('\x04')
  expect((await terminal.ended).stdout).toContain('over raw=false')
})

test('Ctrl-C interrupts although the terminal is raw', async () => {
  const terminal = runOnTerminal(
    `process.on('SIGINT', () => { console.log('interrupted'); process.exit(130) })\n${listen()}`,
  )
  await terminal.shows('ready')
  terminal.type('half a li\x03')
  const { status, stdout } = await terminal.ended
  expect(status).toBe(130)
  expect(stdout).toContain('interrupted')
})

test('a pipe is never read, and its end means nothing', async () => {
  const piped = runScript(listen())
  piped.type('http://localhost/?code=1&state=2\n')
  const { status, stdout } = await piped.ended
  expect(status).toBe(0)
  expect(stdout).not.toContain('LINE')
})

test('listening alone keeps no process alive', async () => {
  const terminal = runOnTerminal(listen('const hold = 0'))
  // 13 is how Node says that it left while something still waited.
  expect((await terminal.ended).status).toBe(13)
})
