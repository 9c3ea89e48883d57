import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const src = path.join(root, 'src')

interface Import {
  readonly file: string
  readonly specifier: string
  readonly isStatic: boolean
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
  for (const [, specifier = ''] of code.matchAll(
    /^\s*(?:import|export)\b(?!\s*\()[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm,
  )) {
    found.push({ file, specifier, isStatic: true })
  }
  for (const [, specifier = ''] of code.matchAll(/^\s*import\s*['"]([^'"]+)['"]/gm))
    found.push({ file, specifier, isStatic: true })
  for (const [, specifier = ''] of code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g))
    found.push({ file, specifier, isStatic: false })
  return found
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
      const name = specifier.startsWith('@')
        ? specifier.split('/').slice(0, 2).join('/')
        : (specifier.split('/')[0] ?? '')
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
  return [
    ...code.matchAll(/'node:(?:fs|child_process)[^']*'|\bprocess\.|\bDate\.now\b|\bnew Date\(\)|(?<![.\w])fetch\(/g),
  ].map(([found]) => `${file} touches ${found}`)
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
    const planned = new Set(['signing', 'lookups'])
    expect([...house.floors.keys()].filter((room) => !rooms.has(room) && !planned.has(room))).toEqual([])
    const used = new Set(imports.map(({ specifier }) => specifier))
    expect([...house.doors.keys()].filter((name) => !used.has(name))).toEqual([])
  })

  it('notices a violation of each kind', () => {
    const planted = (file: string, text: string): string[] => [
      ...trespasses(house, importsIn(file, text)),
      ...machineTouches(house, file, text),
    ]
    expect(planted('model/x.ts', "import { a } from '../wire/oauth.ts'")).toHaveLength(1)
    expect(planted('wire/x.ts', "import {\n  a,\n  b,\n} from '../catalog/read.ts'")).toHaveLength(1)
    expect(planted('modes/x.ts', "const a = await import('../dialects/slack.ts')")).toHaveLength(1)
    expect(planted('sandbox/x.ts', "import type { A } from '../model/errors.ts'")).toHaveLength(1)
    expect(planted('helpers/x.ts', "import { a } from './y.ts'")).toHaveLength(1)
    expect(planted('connect.ts', "export * from './node/store.ts'")).toHaveLength(1)
    expect(planted('node/x.ts', "import chalk from 'chalk'")).toHaveLength(1)
    expect(planted('wire/x.ts', "import left from 'left-pad'")).toHaveLength(1)
    expect(planted('wire/x.ts', "import { readFileSync } from 'node:fs'")).toHaveLength(1)
    expect(planted('wire/x.ts', 'const now = Date.now()')).toHaveLength(1)
    expect(planted('catalog/x.ts', 'const a = await fetch(url)')).toHaveLength(1)
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
    expect(loaded('cli/program.ts').size).toBeLessThan(4)
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
