import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { commandLine, makeBrowse, planBrowser, type Surroundings } from '../../src/node/browse.ts'
import { built, runScript } from '../support/terminal.ts'

const desk: Surroundings = { env: { DISPLAY: ':0' }, platform: 'linux', isTerminal: true }
const url = 'https://acme.example/authorize?response_type=code&scope=a%20b&state=%73"\'$(id)`id`;#x'

const folder = mkdtempSync(join(tmpdir(), 'browse-'))
afterAll(() => rmSync(folder, { recursive: true }))

const program = (name: string, source: string): string => {
  const file = join(folder, `${name}.mjs`)
  writeFileSync(file, source)
  return `"${process.execPath}" "${file}"`
}
const note = join(folder, 'note')
const noter = program(
  'noter',
  `import { renameSync, writeFileSync } from 'node:fs'
   writeFileSync(${JSON.stringify(`${note}.new`)}, JSON.stringify(process.argv.slice(2)))
   renameSync(${JSON.stringify(`${note}.new`)}, ${JSON.stringify(note)})`,
)

const plans: [says: string, surroundings: Partial<Surroundings>, plan: string][] = [
  ['the system opens it where nothing speaks against it', {}, 'system'],
  ['--no-browser is the last word', { flagBrowser: false, env: { BROWSER: 'x' } }, '--no-browser'],
  ['--browser comes first', { flagBrowser: 'a', settingsBrowser: 'c', env: { BROWSER: 'b' } }, 'a'],
  ['$BROWSER comes before the settings', { settingsBrowser: 'c', env: { BROWSER: 'b' } }, 'b'],
  ['the settings come before the system', { settingsBrowser: 'c' }, 'c'],
  [
    '$BROWSER wins over CI, SSH and a missing terminal',
    { env: { BROWSER: 'b', CI: 'true', SSH_TTY: 'x' }, isTerminal: false },
    'b',
  ],
  ['an empty $BROWSER is none', { env: { BROWSER: ' ', DISPLAY: ':0' } }, 'system'],
  [
    'the settings win over SSH and a missing terminal',
    { settingsBrowser: 'c', env: { SSH_TTY: 'x' }, isTerminal: false },
    'c',
  ],
  ['not even the settings open anything under CI', { settingsBrowser: 'c', env: { CI: '1' } }, 'CI'],
  ['nothing opens under CI', { env: { CI: '1', DISPLAY: ':0' } }, 'CI'],
  ['CI=false is not CI', { env: { CI: 'false', DISPLAY: ':0' } }, 'system'],
  ['nothing opens without a terminal', { isTerminal: false }, 'no terminal'],
  ['nothing opens over SSH', { env: { SSH_CONNECTION: 'x', DISPLAY: ':0' } }, 'SSH'],
  ['Linux needs a display', { env: {} }, 'no display'],
  ['Wayland is a display', { env: { WAYLAND_DISPLAY: 'wayland-0' } }, 'system'],
  ['WSL opens the browser of Windows', { env: { WSL_DISTRO_NAME: 'Debian' } }, 'system'],
  ['a Mac needs no display variable', { env: {}, platform: 'darwin' }, 'system'],
]
test.each(plans)('%s', (_, surroundings, expected) => {
  const decided = planBrowser({ ...desk, ...surroundings })
  const told = decided.plan === 'command' ? decided.command : decided.plan === 'none' ? decided.reason : decided.plan
  expect(told).toBe(expected)
})

const phrases: [command: string, words: string[]][] = [
  ['firefox', ['firefox', url]],
  ['  firefox   --new-window  ', ['firefox', '--new-window', url]],
  ['w3m %s -o x=1', ['w3m', url, '-o', 'x=1']],
  ['x --app=%s %s', ['x', `--app=${url}`, url]],
  ['"/opt/My Browser/run" \'a b\' c\\ d', ['/opt/My Browser/run', 'a b', 'c d', url]],
  ['x "a \\"b\\" \\n" \'\\\'', ['x', 'a "b" \\n', '\\', url]],
  ['x "" pre"mid"post', ['x', '', 'premidpost', url]],
  ['x $HOME `id` $(id) ~ * ; rm', ['x', '$HOME', '`id`', '$(id)', '~', '*', ';', 'rm', url]],
  ['x 100%% %d', ['x', '100%', '%d', url]],
  ['x %%s', ['x', '%s', url]],
  ['%s', ['%s', url]],
]
test.each(phrases)('the command %s is split without a shell', (command, words) => {
  expect(commandLine(command, url, 'linux')).toEqual(words)
})

test('on Windows a backslash is a letter', () => {
  expect(commandLine('"C:\\Program Files\\x.exe" C:\\y', url, 'win32')).toEqual([
    'C:\\Program Files\\x.exe',
    'C:\\y',
    url,
  ])
})

test('a quote that is never closed is a usage error', async () => {
  const { browse } = makeBrowse({ ...desk, flagBrowser: 'firefox "x' })
  await expect(browse(url)).rejects.toMatchObject({ code: 'BAD_BROWSER', exitCode: 2 })
})

test('the URL reaches the browser whole, through no shell', async () => {
  rmSync(note, { force: true })
  const { browse } = makeBrowse({ ...desk, env: { ...process.env, BROWSER: `${noter} --app=%s` } })
  expect(await browse(url)).toBe('$BROWSER')
  await vi.waitUntil(() => existsSync(note), { timeout: 10_000 })
  expect(JSON.parse(readFileSync(note, 'utf8'))).toEqual([`--app=${url}`])
})

test.each([
  'file:///etc/passwd',
  'javascript:alert(1)',
  '-new',
  'https://x y',
  ' https://x',
  'https://x\n',
  'ftp://x',
  'http://',
])('%j is never opened', async (other) => {
  const { browse } = makeBrowse({ ...desk, env: { ...process.env, BROWSER: noter } })
  await expect(browse(other)).rejects.toMatchObject({ code: 'BAD_BROWSER' })
})

test('a command that does not exist is told at once', async () => {
  const { browse } = makeBrowse({ ...desk, flagBrowser: '/no/such/browser' })
  await expect(browse(url)).rejects.toMatchObject({
    code: 'BROWSER_FAILED',
    message: 'There is no command called /no/such/browser.',
  })
})

test('a browser that starts and then fails is told afterwards', async () => {
  const why = await new Promise<string>((resolve, reject) => {
    const flagBrowser = `${process.execPath} -e process.exit(3)`
    makeBrowse({ ...desk, env: process.env, flagBrowser, onLateFailure: resolve })
      .browse(url)
      .catch(reject)
  })
  expect(why).toBe(`${process.execPath} ended with status 3.`)
})

test('a browser that lives until it is answered holds up neither the opening nor the exit', async () => {
  const pid = join(folder, 'pid')
  const waiter = program(
    'waiter',
    `import { renameSync, writeFileSync } from 'node:fs'
     writeFileSync(${JSON.stringify(`${pid}.new`)}, String(process.pid))
     renameSync(${JSON.stringify(`${pid}.new`)}, ${JSON.stringify(pid)})
     setTimeout(() => {}, 60_000)`,
  )
  const opener = runScript(
    `
    import { existsSync } from 'node:fs'
    import { makeBrowse } from '${built('node/browse.js')}'
    const { browse } = makeBrowse({ env: process.env, platform: 'linux', isTerminal: false })
    console.log(await browse('http://localhost:1/'))
    const wait = setInterval(() => existsSync(${JSON.stringify(pid)}) && clearInterval(wait), 20)
  `,
    { BROWSER: waiter },
  )
  const { status, stdout } = await opener.ended
  const waiting = Number(readFileSync(pid, 'utf8'))
  expect(waiting).toBeGreaterThan(1)
  expect(() => process.kill(waiting, 0)).not.toThrow()
  if (process.platform === 'linux') {
    // A process group of its own: our Ctrl-C is not the browser's.
    expect(readFileSync(`/proc/${waiting}/stat`, 'utf8').split(' ')[4]).toBe(String(waiting))
  }
  process.kill(waiting)
  expect({ status, stdout }).toEqual({ status: 0, stdout: '$BROWSER\n' })
})

test('where no browser may be opened, asking for one says why', async () => {
  await expect(makeBrowse({ ...desk, env: { CI: '1' } }).browse(url)).rejects.toMatchObject({
    message: 'No browser is opened here (CI).',
  })
})

test.runIf(process.platform === 'linux')("the system's launcher that finds no browser is told", async () => {
  // A PATH with the launcher's own tools and no browser in it.
  const opener = runScript(`
    import { makeBrowse } from '${built('node/browse.js')}'
    process.env.PATH = '${folder}'
    const { browse } = makeBrowse({ env: { DISPLAY: ':0' }, platform: 'linux', isTerminal: true })
    console.log(await browse('http://localhost:1/').catch((error) => error.code + ' ' + error.message))
  `)
  expect((await opener.ended).stdout).toMatch(/^BROWSER_FAILED The system's launcher ended with status \d+\.\n$/)
})
