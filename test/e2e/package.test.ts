import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(path.join(tmpdir(), 'auth-cli-package-'))
const app = path.join(folder, 'app')
const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']

/** What npm needs of the environment (registry, cache, the way there) and nothing that would steer it or a flow. */
function environment(extra: Readonly<Record<string, string>>): Record<string, string | undefined> {
  const steering = /^(?:AUTH_CLI_|SSH_|VITEST|npm_)|^(?:CI|BROWSER|DISPLAY|WAYLAND_DISPLAY|NODE_OPTIONS)$/
  const needed = /^npm_config_(?:registry|cache|userconfig|globalconfig|cafile|proxy|https_proxy|noproxy)$/i
  const kept = Object.entries(process.env).filter(([name]) => needed.test(name) || !steering.test(name))
  return { ...Object.fromEntries(kept), AUTH_CLI_HOME: path.join(folder, 'home'), ...extra }
}

interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

function run(
  command: string,
  args: readonly string[],
  { cwd = app, env = {} }: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: environment(env), stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk) => {
      stdout += chunk
    })
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    child.once('error', reject)
    child.once('close', (status) => resolve({ status, stdout, stderr }))
  })
}

let packed: readonly string[] = []
const contents = path.join(app, 'node_modules/auth-cli')

beforeAll(async () => {
  // What the tests run on is built already; building it again would pull it away under the tests beside us.
  const pack = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder, ...quiet], {
    cwd: root,
  })
  expect(pack.status, pack.stderr).toBe(0)
  const [tarball] = JSON.parse(pack.stdout) as { filename: string; files: { path: string }[] }[]
  packed = tarball?.files.map((file) => file.path) ?? []
  mkdirSync(app)
  writeFileSync(path.join(app, 'package.json'), '{ "private": true, "type": "module" }\n')
  const install = await run('npm', ['install', path.join(folder, tarball?.filename ?? ''), ...quiet])
  expect(install.status, install.stderr).toBe(0)
}, 180_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the package', () => {
  it('holds the command, the library with its types, the templates and the papers, and nothing else', () => {
    const tops = new Set(packed.map((file) => file.split('/').slice(0, 1).join('/')))
    expect([...tops].sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'bin',
      'dist',
      'docs',
      'examples',
      'package.json',
      'schema',
      'templates',
    ])
    expect(packed).toEqual(
      expect.arrayContaining([
        'bin/auth-cli.js',
        'dist/bin/main.cjs',
        'dist/index.d.ts',
        'docs/support.json',
        'schema/provider.schema.json',
        'templates/zendesk.yaml',
      ]),
    )
    expect(packed.filter((file) => /\.ts$/.test(file) && !/\.d\.ts$/.test(file))).toEqual([])
  })

  it('holds nothing of the machine that built it', () => {
    const texts = readdirSync(contents, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules/auth-cli/node_modules'))
      .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'utf8'))
    expect(texts.length).toBeGreaterThan(50)
    expect(
      texts.filter((text) => text.includes(root) || /-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/]/.test(text)),
    ).toEqual([])
  })

  it('connects to the sandbox from an empty folder', async () => {
    const connected = await run('npx', ['--no-install', 'auth-cli', 'connect', 'sandbox', '--json'], {
      env: { CI: 'true' },
    })
    expect(connected.status, connected.stderr).toBe(0)
    expect(JSON.parse(connected.stdout)).toMatchObject({ name: 'sandbox', provider: 'sandbox' })
    const token = await run('npx', ['--no-install', 'auth-cli', 'token', 'sandbox'])
    expect(token.stdout).toMatch(/^access_\S{20,}\n$/)
    const called = await run('npx', ['--no-install', 'auth-cli', 'request', 'sandbox', '/api/me'])
    expect(called.status, called.stderr).toBe(0)
    expect(JSON.parse(called.stdout)).toHaveProperty('client_id', 'sandbox-client')
  })

  it('is a library, its sandbox too, with types', async () => {
    writeFileSync(
      path.join(app, 'use.mts'),
      `import { type Connection, connect, realWorld, UsageError } from 'auth-cli'
import { openSandbox, type Sandbox } from 'auth-cli/sandbox'
const sandbox: Sandbox = await openSandbox()
const name = (connection: Connection): string => connection.name
console.log(typeof connect, typeof realWorld, new UsageError('A', 'b').exitCode, sandbox.origin.startsWith('http'), typeof name)
// @ts-expect-error it has a string
const wrong: number = sandbox.origin
await sandbox.close()
void wrong
`,
    )
    const flags = ['--noEmit', 'false', '--target', 'es2023', '--module', 'nodenext', '--strict', '--types', 'node']
    const roots = ['--typeRoots', path.join(root, 'node_modules/@types')]
    const tsc = path.join(root, 'node_modules/typescript/bin/tsc')
    const compiled = await run(process.execPath, [tsc, 'use.mts', ...flags, ...roots])
    expect(compiled.status, compiled.stdout).toBe(0)
    const used = await run(process.execPath, ['use.mjs'])
    expect(used.stdout, used.stderr).toBe('function function 2 true function\n')
  })
})

describe('the examples', () => {
  const examples = path.join(root, 'examples')

  it('are in the README to the letter', () => {
    const readme = readFileSync(path.join(root, 'README.md'), 'utf8')
    const blocks = [...readme.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, block]) => block)
    const files = readdirSync(examples).map((file) => readFileSync(path.join(examples, file), 'utf8'))
    expect(files).toHaveLength(2)
    expect(blocks.sort()).toEqual(files.sort())
  })

  it('run in an empty project that has nothing but the package', async () => {
    for (const file of readdirSync(examples)) cpSync(path.join(examples, file), path.join(app, file))
    const script = await run(process.execPath, ['items.js'])
    expect(script.status, script.stderr).toBe(0)
    expect(script.stdout).toContain('30 items; the token begins with access_')
    expect(script.stderr).toBe('')
    const vitest = path.join(root, 'node_modules/vitest')
    symlinkSync(vitest, path.join(app, 'node_modules/vitest'), 'junction')
    const tests = await run(process.execPath, [path.join(vitest, 'vitest.mjs'), 'run', 'login.test.js', '--root', app])
    expect(tests.status, tests.stdout + tests.stderr).toBe(0)
    expect(tests.stdout).toMatch(/4 passed/)
    expect(existsSync(path.join(folder, 'home', 'connections', 'robin.json'))).toBe(false)
  })
})

describe('the doorstep', () => {
  it('says what to run where nothing is built yet', async () => {
    const clone = path.join(folder, 'clone')
    mkdirSync(clone)
    cpSync(path.join(root, 'bin'), path.join(clone, 'bin'), { recursive: true })
    expect(existsSync(path.join(clone, 'dist'))).toBe(false)
    const { status, stdout, stderr } = await run(process.execPath, ['bin/auth-cli.js', '--version'], { cwd: clone })
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain('npm ci')
  })
})
