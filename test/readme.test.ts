import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const readme = readFileSync(path.join(root, 'README.md'), 'utf8')
const guide = readFileSync(path.join(root, 'docs', 'templates.md'), 'utf8')
const folder = mkdtempSync(path.join(tmpdir(), 'auth-cli-readme-'))

interface Step {
  readonly command: string
  readonly expected: readonly string[]
}

/** The steps of each block marked `console run`. */
function stepsOf(block: string): Step[] {
  return block.split(/^\$ /m).flatMap((text) => {
    const [command = '', ...expected] = text.trimEnd().split('\n')
    return command === '' ? [] : [{ command, expected }]
  })
}

function stepsIn(page: string): Step[] {
  return [...page.matchAll(/^```console run\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) => stepsOf(block))
}

/** `…` stands for anything within a line, alone on a line for any number of lines. */
function pattern(expected: readonly string[]): RegExp {
  const lines = expected.map((line) => (line === '…' ? '(?:.*\n)*?' : `${line.split('…').map(escaped).join('.*')}\n`))
  return new RegExp(`^${lines.join('')}$`)
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

/** What a shell shows: both streams in the order in which they were written, each line without trailing spaces. */
function run(command: string): Promise<string> {
  const { PATH } = process.env
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', `exec 2>&1; ${command}`], {
      cwd: path.join(folder, 'work'),
      env: {
        PATH: `${path.join(folder, 'bin')}:${PATH}`,
        HOME: path.join(folder, 'home'),
        AUTH_CLI_HOME: path.join(folder, 'home', 'auth-cli'),
        CI: 'true',
        LANG: 'C.UTF-8',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let shown = ''
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', (chunk) => {
      shown += chunk
    })
    child.once('error', reject)
    child.once('close', () => resolve(shown.endsWith('\n') || shown === '' ? shown : `${shown}\n`))
  })
}

beforeAll(() => {
  for (const name of ['bin', 'work', 'home']) mkdirSync(path.join(folder, name))
  const command = path.join(folder, 'bin', 'auth-cli')
  writeFileSync(command, `#!/bin/sh\nexec "${process.execPath}" "${path.join(root, 'bin/auth-cli.js')}" "$@"\n`)
  chmodSync(command, 0o755)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the README', () => {
  const steps = stepsIn(readme)

  it('has something to run, and marks every other block as text, yaml or an example', () => {
    expect(steps.length).toBeGreaterThan(6)
    const kinds = [...readme.matchAll(/^```(.+)$/gm)].map(([, kind]) => kind)
    expect([...new Set(kinds)].sort()).toEqual(['console run', 'js', 'text', 'yaml'])
  })

  it('begins with the two commands', () => {
    expect(readme).toContain('npm ci && node bin/auth-cli.js connect sandbox\n')
    expect(readme).toContain('npm ci && npm test\n')
  })

  it.runIf(process.platform !== 'win32')('shows what really happens', async () => {
    for (const { command, expected } of steps) {
      expect(await run(command), `$ ${command}`).toMatch(pattern(expected))
    }
  })

  it.runIf(process.platform !== 'win32')('leads to a guide that shows what really happens, too', async () => {
    const guided = stepsIn(guide)
    expect(guided.length).toBeGreaterThan(5)
    for (const { command, expected } of guided) {
      expect(await run(command), `$ ${command}`).toMatch(pattern(expected))
    }
  })

  it('knows a wrong line from a right one', () => {
    expect('✓ Listening on localhost:4711\n').toMatch(pattern(['✓ Listening on localhost:…']))
    expect('a\nb\nc\n').toMatch(pattern(['a', '…', 'c']))
    expect('a\nb\n').not.toMatch(pattern(['a']))
    expect('a\n').not.toMatch(pattern(['a', 'b']))
    expect('axb\n').not.toMatch(pattern(['a.b']))
  })
})
