import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const src = path.join(root, 'src')

interface Import {
  readonly file: string
  /** Of a template literal, what stands before its first `${`. */
  readonly specifier: string
  readonly isStatic: boolean
  /** Gone once it is compiled. */
  readonly isType: boolean
}

interface House {
  readonly floors: ReadonlyMap<string, readonly string[]>
  readonly doors: ReadonlyMap<string, string>
  readonly machine: readonly string[]
}

function readMap(text: string): House {
  const blocks = [...text.matchAll(/```\n([\s\S]*?)```/g)].map(([, block = '']) => block.trim().split('\n'))
  const rows = (block: readonly string[] = []): [string, string][] =>
    block.map((line) => {
      const [left = '', right = ''] = line.split('→').map((part) => part.trim())
      return [left, right]
    })
  return {
    floors: new Map(rows(blocks[0]).map(([room, below]) => [room, below === '' ? [] : below.split(/\s+/)])),
    doors: new Map(rows(blocks[1])),
    machine: rows(blocks[2])
      .map(([, places]) => places)
      .flatMap((places) => places.split(/\s+/)),
  }
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'))
}

/** Comments and strings that look like imports do not count, so comments go first. */
function importsIn(file: string, text: string): Import[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  const found: Import[] = []
  for (const [, type, specifier = ''] of code.matchAll(
    /^\s*(?:import|export)\b(?!\s*\()(\s+type\b)?[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm,
  )) {
    found.push({ file, specifier, isStatic: true, isType: type !== undefined })
  }
  for (const [, specifier = ''] of code.matchAll(/^\s*import\s*['"]([^'"]+)['"]/gm))
    found.push({ file, specifier, isStatic: true, isType: false })
  for (const [, quoted, template] of code.matchAll(/\bimport\(\s*(?:['"]([^'"]+)['"]|`([^`$]*)[^`]*`)\s*,?\s*\)/g))
    found.push({ file, specifier: quoted ?? template ?? '', isStatic: false, isType: false })
  return found
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function roomOf(file: string): string {
  if (file === 'index.ts') return 'index'
  return file.includes('/') ? (file.split('/')[0] ?? '') : 'verbs'
}

function trespasses(house: House, imports: readonly Import[]): string[] {
  const wrong: string[] = []
  for (const { file, specifier } of imports) {
    const room = roomOf(file)
    if (!house.floors.has(room)) {
      wrong.push(`${file}: the room ${room} is not on the map`)
    } else if (specifier.startsWith('.')) {
      const target = path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier))
      const entered = roomOf(target)
      if (target.startsWith('..')) wrong.push(`${file} leaves src: ${specifier}`)
      else if (entered !== room && !house.floors.get(room)?.includes(entered))
        wrong.push(`${file} (${room}) → ${target} (${entered})`)
    } else if (!specifier.startsWith('node:')) {
      const name = packageOf(specifier)
      const door = house.doors.get(name)
      if (door === undefined) wrong.push(`${file} imports ${name}, which has no door`)
      else if (file !== door && !(door.endsWith('/') && file.startsWith(door)))
        wrong.push(`${file} imports ${name}; its door is ${door}`)
    }
  }
  return wrong
}

/** What only the real world may touch, by how it is spelled. */
function machineTouches(house: House, file: string, text: string): string[] {
  if (house.machine.some((place) => file === place || (place.endsWith('/') && file.startsWith(place)))) return []
  const code = text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '')
    .replace(/'[^'\n]*'/g, (quoted) => (/^'node:(fs|child_process)/.test(quoted) ? quoted : "''"))
  return [...code.matchAll(/'node:(?:fs|child_process)[^']*'|\bprocess\.|\bDate\.now\b|\bnew Date\(\)/g)].map(
    ([found]) => `${file} touches ${found}`,
  )
}

/** Ways past a door: a request, a question or a colour that needs no package. */
function sideDoors(file: string, text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  const wrong: string[] = []
  const imported = /^\s*import\s+(?!type\b)([^'"`;]*?)\bfrom\s*'node:(https?|http2|net|tls|dgram|readline[^']*)'/gm
  for (const [, names = '', module] of code.matchAll(imported)) {
    const values = names
      .replace(/[{}]/g, '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '' && !name.startsWith('type ') && name !== 'createServer' && name !== 'STATUS_CODES')
    for (const value of values) wrong.push(`${file} takes ${value} from node:${module}`)
  }
  for (const [, module] of code.matchAll(
    /(?:\bimport|getBuiltinModule)\(\s*'node:(https?|http2|net|tls|dgram|readline[^']*)'/g,
  ))
    wrong.push(`${file} loads node:${module}`)
  for (const [found] of code.matchAll(/(?<![.\w])fetch\(|\bglobalThis\.fetch\b/g)) wrong.push(`${file} calls ${found}`)
  for (const [found] of code.matchAll(/\\(?:x1b|u001b|033|e)\[[\d;]*m/gi))
    wrong.push(`${file} colours by hand: ${found}`)
  // The sandbox stands for somebody else's server, and the person before it: what it asks of itself is not ours.
  return file.startsWith('sandbox/') ? [] : wrong
}

const house = readMap(readFileSync(path.join(src, 'README.md'), 'utf8'))
const files = sources(src)
const texts = new Map(files.map((file) => [file, readFileSync(path.join(src, file), 'utf8')]))
const imports = files.flatMap((file) => importsIn(file, texts.get(file) ?? ''))

describe('the map', () => {
  it('lets imports look down only, and packages in by one door', () => {
    expect(files.length).toBeGreaterThan(40)
    expect(imports.length).toBeGreaterThan(100)
    expect(trespasses(house, imports)).toEqual([])
  })

  it('keeps disk, processes, clock and network of this machine in the rooms that are for them', () => {
    expect(files.flatMap((file) => machineTouches(house, file, texts.get(file) ?? ''))).toEqual([])
  })

  it('has no row that nothing uses', () => {
    const rooms = new Set(files.map(roomOf))
    expect([...house.floors.keys()].filter((room) => !rooms.has(room))).toEqual([])
    const used = new Set(imports.filter(({ isType }) => !isType).map(({ specifier }) => packageOf(specifier)))
    expect([...house.doors.keys()].filter((name) => !used.has(name))).toEqual([])
  })

  it('names every package that is a dependency, and no other', () => {
    const { dependencies, optionalDependencies } = JSON.parse(
      readFileSync(path.join(root, 'package.json'), 'utf8'),
    ) as {
      readonly dependencies: Readonly<Record<string, string>>
      readonly optionalDependencies: Readonly<Record<string, string>>
    }
    expect([...house.doors.keys()].sort()).toEqual(Object.keys({ ...dependencies, ...optionalDependencies }).sort())
  })

  it('leaves no way past a door: no client of node:http, no readline, no colour written by hand', () => {
    expect(files.flatMap((file) => sideDoors(file, texts.get(file) ?? ''))).toEqual([])
  })

  it('notices a violation of each kind', () => {
    const planted = (file: string, text: string): string[] => [
      ...trespasses(house, importsIn(file, text)),
      ...machineTouches(house, file, text),
      ...sideDoors(file, text),
    ]
    expect(planted('model/x.ts', "import { a } from '../wire/oauth.ts'")).toHaveLength(1)
    expect(planted('wire/x.ts', "import { \n  a, \n  b, \n } from '../catalog/read.ts'")).toHaveLength(1)
    expect(planted('modes/x.ts', "const a = await import('../dialects/slack.ts')")).toHaveLength(1)
    expect(planted('sandbox/x.ts', "import type { A } from '../model/errors.ts'")).toHaveLength(1)
    expect(planted('helpers/x.ts', "import { a } from './y.ts'")).toHaveLength(1)
    expect(planted('connect.ts', "export * from './node/store.ts'")).toHaveLength(1)
    expect(planted('node/x.ts', "import chalk from 'chalk'")).toHaveLength(1)
    expect(planted('wire/x.ts', "import left from 'left-pad'")).toHaveLength(1)
    expect(planted('wire/x.ts', 'const a = await import(`undici/lib/${path}`)')).toHaveLength(1)
    expect(planted('node/x.ts', "import { createServer, request } from 'node:http'")).toHaveLength(1)
    expect(planted('node/x.ts', "const { connect } = await import('node:tls')")).toHaveLength(1)
    expect(planted('node/x.ts', "import { createInterface } from 'node:readline/promises'")).toHaveLength(1)
    expect(planted('cli/x.ts', "const red = '\\x1b[31m'")).toHaveLength(1)
    expect(planted('wire/x.ts', "import { readFileSync } from 'node:fs'")).toHaveLength(1)
    expect(planted('wire/x.ts', 'const now = Date.now()')).toHaveLength(1)
    expect(planted('catalog/x.ts', 'const a = await fetch(url)')).toHaveLength(1)
    expect(planted('node/x.ts', 'const a = await fetch(url)')).toHaveLength(1)
    expect(
      planted('wire/x.ts', "import { a } from '../model/errors.ts'\n// import { b } from '../cli/main.ts'"),
    ).toEqual([])
  })
})

describe('what is loaded', () => {
  /** Everything that loading a file loads with it. */
  function loaded(start: string): Set<string> {
    const seen = new Set<string>()
    const queue = [start]
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      if (seen.has(file)) continue
      seen.add(file)
      const text = texts
        .get(file)
        ?.replace(/^import type [\s\S]*?from .*$/gm, '')
        .replace(/^export type \{[\s\S]*?from .*$/gm, '')
      for (const { specifier, isStatic } of importsIn(file, text ?? '')) {
        if (isStatic && specifier.startsWith('.')) queue.push(path.posix.join(path.posix.dirname(file), specifier))
        else if (isStatic && !specifier.startsWith('node:')) seen.add(specifier)
      }
    }
    return seen
  }
  const packagesAfter = (file: string): string[] => [...loaded(file)].filter((name) => house.doors.has(name)).sort()

  it('is nothing but main for --version, and commander for --help', () => {
    expect(packagesAfter('cli/main.ts')).toEqual([])
    expect(packagesAfter('cli/program.ts')).toEqual(['commander'])
    expect(loaded('cli/program.ts').size).toBeLessThan(5)
  })

  it('is no package at all for a token that is still fresh', () => {
    expect(packagesAfter('cli/actions/token.ts')).toEqual([])
    expect(packagesAfter('cli/actions/connections-list.ts')).toEqual([])
  })

  it('is neither undici nor the protocol library before the browser opens', () => {
    expect(packagesAfter('cli/actions/connect.ts')).toEqual(['commander'])
    expect(packagesAfter('modes/authorization-code.ts')).toEqual([])
  })
})

describe('the road', () => {
  const command = path.join(root, 'bin/auth-cli.js')
  const folder = mkdtempSync(path.join(tmpdir(), 'auth-cli-floors-'))
  const server = createServer((request, response) => {
    request.resume()
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    if (pathname === '/authorize') {
      const back = new URL(searchParams.get('redirect_uri') ?? '')
      back.searchParams.set('code', 'a-code-of-the-floors-test')
      back.searchParams.set('state', searchParams.get('state') ?? '')
      response.writeHead(302, { location: back.href }).end()
    } else {
      const body = pathname === '/token' ? { access_token: 'a-token-of-the-floors-test', token_type: 'bearer' } : {}
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
  })
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, resolve))
    const { port } = server.address() as AddressInfo
    writeFileSync(
      path.join(folder, 'auth-cli.yaml'),
      `templates:
  road:
    display_name: Road
    docs: https://example.com
    auth_mode: OAUTH2
    authorization_url: http://localhost:${port}/authorize
    token_url: http://localhost:${port}/token
    proxy: { base_url: "http://localhost:${port}" }
`,
    )
  })
  afterAll(() => {
    server.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Runs the command and counts its outgoing connections: all of them, and those that undici speaks of. */
  async function countRoads(args: readonly string[]): Promise<{ readonly all: number; readonly undici: number }> {
    const counts = path.join(folder, 'counts.json')
    const witness = path.join(import.meta.dirname, 'fixtures/outgoing.cjs')
    const child = spawn(process.execPath, ['--require', witness, command, ...args], {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        HOME: folder,
        AUTH_CLI_HOME: path.join(folder, 'home'),
        OUTGOING_COUNTS: counts,
        BROWSER: `"${process.execPath}" -e "fetch(process.argv[1])" %s`,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr.on('data', (chunk) => {
      said += chunk
    })
    const status = await new Promise((resolve) => child.once('close', resolve))
    expect(status, said).toBe(0)
    return JSON.parse(readFileSync(counts, 'utf8')) as { all: number; undici: number }
  }

  it('is taken through undici by every request that leaves', async () => {
    const connecting = await countRoads(['connect', 'road', '--client-id', 'me', '--port', '0'])
    expect(connecting.all).toBeGreaterThan(0)
    expect(connecting.undici).toBe(connecting.all)
    const calling = await countRoads(['request', 'road', '/api'])
    expect(calling).toEqual({ all: 1, undici: 1 })
  })
})
