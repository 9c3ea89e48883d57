import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { UsageError } from '../../src/model/errors.ts'
import { fileNameFor, foldName } from '../../src/node/names.ts'
import { freshFolder } from '../support/disk.ts'

test.each([
  ['zendesk', 'zendesk'],
  ['Acme.Prod-2_x', 'acme.prod-2_x'],
  ['../x', '%2e.%2fx'],
  ['a/b', 'a%2fb'],
  ['a\\b', 'a%5cb'],
  ['.', '%2e'],
  ['..', '%2e.'],
  ['~', '%7e'],
  ['100%', '100%25'],
  ['a:b*c?"<>|', 'a%3ab%2ac%3f%22%3c%3e%7c'],
  ['trailing.', 'trailing.'],
  ['trailing ', 'trailing%20'],
  ['CON', '%63on'],
  ['nul.txt', '%6eul.txt'],
  ['COM1', '%63om1'],
  ['console', 'console'],
  ['CONIN$', '%63onin%24'],
  ['café', 'caf%c3%a9'],
])('%j is kept as %s', (name, file) => {
  expect(fileNameFor(name)).toBe(file)
})

test.each([
  ['Acme', 'acme'],
  ['CAFÉ', 'cafe\u0301'],
  ['ΑΣ', 'ας'],
  ['ας', 'ασ'],
  ['Straße', 'STRASSE'],
  ['\u212a', 'k'],
])('%j and %j are the same record', (one, other) => {
  expect(foldName(one)).toBe(foldName(other))
  expect(fileNameFor(one)).toBe(fileNameFor(other))
})

test.each([
  '',
  'a\u0000b',
  'a\nb',
  '\u001b[31m',
  '\u007f',
  '\u0085',
  'a\u2028b',
  'x\u202egnp.exe',
  '\ud800',
  '\ufeffa',
])('%j is refused', (name) => {
  const refused = expect.objectContaining({ code: 'BAD_NAME', exitCode: 2 })
  expect(() => fileNameFor(name)).toThrow(refused)
  expect(() => fileNameFor(name)).toThrow(UsageError)
})

test('a refusal does not repeat what it refuses', () => {
  expect(() => fileNameFor('\u001b]0;title\u0007')).toThrow(/^"\?]0;title\?" cannot/)
})

test('a long name keeps its beginning and ends in a hash', () => {
  const name = 'tenant-'.repeat(40)
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 32)
  expect(fileNameFor(name)).toBe(`${name.slice(0, 56)}~${hash}`)
})

/** Reproducible: the same names in every run. */
function* strangeNames(count: number): Generator<string> {
  const pieces = [
    'a',
    'B',
    '.',
    '/',
    '\\',
    ' ',
    '%',
    '~',
    'con',
    '2e',
    'é',
    'e\u0301',
    'ß',
    '名',
    '😀',
    'İ',
    '%2e',
    '-',
  ]
  let seed = 42
  const next = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  for (let i = 0; i < count; i++) {
    const length = i % 20 === 0 ? 60 + next(200) : 1 + next(6)
    yield Array.from({ length }, () => pieces[next(pieces.length)]).join('')
  }
}

test('two names share a file exactly when they are the same name', () => {
  const owner = new Map<string, string>()
  for (const name of strangeNames(20_000)) {
    const file = fileNameFor(name)
    const folded = foldName(name)
    expect(owner.get(file) ?? folded).toBe(folded)
    owner.set(file, folded)
  }
  expect(new Set(owner.values()).size).toBe(owner.size)
  expect(owner.size).toBeGreaterThan(5_000)
})

test('every file name is plain, short, in lower case and stays in its folder', () => {
  for (const name of strangeNames(5_000)) {
    const file = fileNameFor(name)
    expect(file).toMatch(/^(?!\.)[a-z0-9_.%~-]{1,90}$/)
    expect(path.basename(`${file}.json`)).toBe(`${file}.json`)
    expect(file).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/)
  }
})

test('folding a name twice changes nothing more', () => {
  for (const name of strangeNames(5_000)) expect(foldName(foldName(name))).toBe(foldName(name))
})

test('the disk takes every such name', () => {
  const folder = path.join(freshFolder(), 'names')
  mkdirSync(folder)
  const files = new Set([...strangeNames(300)].map((name) => `${fileNameFor(name)}.json`))
  for (const file of files) writeFileSync(path.join(folder, file), '')
  expect(new Set(readdirSync(folder))).toEqual(files)
})
