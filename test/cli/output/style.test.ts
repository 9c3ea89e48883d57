import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { cut, flow, fold, jsonText, looks, makeStyle, pad, plain, width, wrap } from '../../../src/cli/output/style.ts'
import { drawn, hostile, isHarmless } from './samples.ts'

const terminal = { isTTY: true, columns: 120 }
const utf8 = { LANG: 'en_GB.UTF-8', TERM: 'xterm-256color' }

describe('looks', () => {
  it.each([
    ['a terminal', terminal, utf8, {}, true],
    ['a pipe', {}, utf8, {}, false],
    ['a dumb terminal', terminal, { ...utf8, TERM: 'dumb' }, {}, false],
    ['NO_COLOR', terminal, { ...utf8, NO_COLOR: '1' }, {}, false],
    ['an empty NO_COLOR', terminal, { ...utf8, NO_COLOR: '' }, {}, true],
    ['--no-color', terminal, utf8, { color: false }, false],
    ['a pipe with FORCE_COLOR', {}, { ...utf8, FORCE_COLOR: '1' }, {}, true],
    ['FORCE_COLOR=0', terminal, { ...utf8, FORCE_COLOR: '0' }, {}, false],
    ['FORCE_COLOR against NO_COLOR', terminal, { ...utf8, FORCE_COLOR: '1', NO_COLOR: '1' }, {}, false],
    ['FORCE_COLOR against --no-color', terminal, { ...utf8, FORCE_COLOR: '1' }, { color: false }, false],
  ])('decides on colour: %s', (_, stream, env, flags, color) => {
    expect(looks(stream, env, flags, 'linux').color).toBe(color)
  })

  it.each([
    ['a terminal', terminal, utf8, true],
    ['a pipe with FORCE_COLOR', {}, { ...utf8, FORCE_COLOR: '1' }, false],
    ['NO_COLOR', terminal, { ...utf8, NO_COLOR: '1' }, false],
    ['CI', terminal, { ...utf8, CI: 'true' }, false],
  ])('decides on animation: %s', (_, stream, env, animated) => {
    expect(looks(stream, env, {}, 'linux').animated).toBe(animated)
  })

  it.each([
    ['linux', { LANG: 'C.UTF-8' }, true],
    ['linux', { LANG: 'de_DE.utf8' }, true],
    ['linux', { LANG: 'C' }, false],
    ['linux', {}, false],
    ['linux', { LANG: 'en_US.UTF-8', LC_ALL: 'C' }, false],
    ['linux', { LANG: 'C', LC_CTYPE: 'en_US.UTF-8' }, true],
    ['linux', { LANG: 'en_US.UTF-8', TERM: 'linux' }, false],
    ['darwin', {}, true],
    ['win32', { LANG: 'en_US.UTF-8' }, false],
    ['win32', { WT_SESSION: 'x' }, true],
  ])('decides on symbols: %s %o', (platform, env, unicode) => {
    expect(looks(terminal, env, {}, platform).unicode).toBe(unicode)
  })

  it('cuts nothing in a pipe and knows the width of a terminal', () => {
    expect(looks({}, utf8).columns).toBe(Number.POSITIVE_INFINITY)
    expect(looks(terminal, utf8).columns).toBe(120)
    expect(looks({ isTTY: true, columns: 0 }, utf8).columns).toBe(80)
  })
})

describe('a style', () => {
  it('colours where it may and only there', async () => {
    const colored = await drawn(80, { color: true })
    expect([colored.good('a'), colored.bad('b')]).toEqual(['\x1b[32ma\x1b[39m', '\x1b[31mb\x1b[39m'])
    const bare = await drawn(80)
    expect([bare.good('a'), bare.bold('b'), bare.dim('c')]).toEqual(['a', 'b', 'c'])
  })

  it('spells our own symbols in ASCII where the terminal is not UTF-8', async () => {
    const { symbols, text } = await drawn(80, { unicode: false })
    const spelled = [...Object.values(symbols), text('gho_…(9f2c) → ok ✓')]
    expect(spelled.join('')).toMatch(/^[\x20-\x7e]+$/)
    expect(spelled.at(-1)).toBe('gho_...(9f2c) -> ok +')
  })

  it('does not load chalk where nothing is coloured', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'auth-cli-style-'))
    try {
      cpSync(fileURLToPath(new URL('../../../dist', import.meta.url)), join(folder, 'dist'), { recursive: true })
      const program = `const { makeStyle } = await import(${JSON.stringify(join(folder, 'dist/cli/output/style.js'))})
        const looks = { terminal: false, animated: false, unicode: true, columns: 80 }
        console.log((await makeStyle({ ...looks, color: false })).good('ok'))
        console.log(await makeStyle({ ...looks, color: true }).catch((error) => error.code))`
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
      expect(stdout).toBe('ok\nERR_MODULE_NOT_FOUND\n')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('plain', () => {
  it.each([
    ['nothing of an ordinary text', 'Zürich → 東京 👩‍🔬 ok', 'Zürich → 東京 👩‍🔬 ok'],
    ['colours', 'a\x1b[31;1mb\x1b[0mc', 'abc'],
    ['8-bit colours', 'a\x9b31mb', 'ab'],
    ['hyperlinks, keeping their words', '\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x07', 'click'],
    ['window titles', '\x1b]0;owned\x07a', 'a'],
    ['8-bit window titles', '\x9d0;owned\x9ca', 'a'],
    ['device control strings', '\x1bPq#0\x1b\\a', 'a'],
    ['sequences that close over a sequence', '\x1b\x1b[31m[31ma', '[31ma'],
    ['an unfinished sequence', 'a\x1b[', 'a['],
    ['an unfinished title', 'a\x1b]0;b', 'a]0;b'],
    ['a reset', 'a\x1bcb', 'ab'],
    ['overwriting by carriage return', 'safe\revil', 'safe evil'],
    ['backspaces', 'a\x08\x08b', 'ab'],
    ['bidirectional overrides', 'a\u202eb\u2066c\u200fd', 'abcd'],
    ['invisible spaces and tags', 'a\u200bb\ufeffc\u{e0041}d', 'abcd'],
    ['line breaks', 'a\nb\r\nc\u2028d\n', 'a b c d'],
    ['unpaired surrogates', 'a\ud800b', 'ab'],
  ])('strips %s', (_, text, expected) => {
    expect(plain(text)).toBe(expected)
  })

  it('keeps line breaks where asked, and nothing else', () => {
    expect(plain('a\r\nb\x1b[2Kc\rd\te\n', { lines: true })).toBe('a\nbc\nd e\n')
  })

  it('leaves nothing that acts on a terminal, whatever three pieces are put together', () => {
    const pieces = [
      '\x1b',
      '[',
      ']',
      '\x9b',
      '\x9d',
      'P',
      '\\',
      '\x07',
      '\x9c',
      '31m',
      '0;',
      'c',
      '\r',
      '\n',
      ' ',
      '\u202e',
    ]
    for (const a of pieces) {
      for (const b of pieces)
        for (const c of pieces) expect(isHarmless(plain(a + b + c + a)), JSON.stringify(a + b + c)).toBe(true)
    }
    expect(isHarmless(hostile)).toBe(false)
    expect(plain(hostile)).toBe('abcd efghijkl m')
  })
})

it('writes JSON that no terminal acts on and that says the same', () => {
  const text = jsonText({ hostile })
  expect(isHarmless(text)).toBe(true)
  expect(JSON.parse(text)).toEqual({ hostile })
})

describe('widths', () => {
  it.each([
    ['abc', 3],
    ['東京', 4],
    ['ｶﾅ', 2],
    ['👍', 2],
    ['e\u0301', 1],
    ['\x1b[31mred\x1b[39m', 3],
    ['', 0],
  ])('counts %o as %i cells', (text, cells) => {
    expect(width(text)).toBe(cells)
  })

  it.each([
    ['東京', 5, '東京 '],
    ['abc', 2, 'abc'],
  ])('pads %o to %i', (text, cells, padded) => {
    expect(pad(text, cells)).toBe(padded)
  })

  it.each([
    ['abcdef', 6, 'abcdef'],
    ['abcdef', 4, 'abc…'],
    ['東京都', 4, '東…'],
    ['東京都', 5, '東京…'],
    ['abc', 1, 'a'],
  ])('cuts %o to %i', (text, cells, expected) => {
    expect(cut(text, cells)).toBe(expected)
  })
})

describe('wrapping', () => {
  it.each([
    ['breaks at spaces', 'one two three', 8, ['one two', '  three']],
    ['fits exactly', 'one two', 7, ['one two']],
    ['keeps line breaks', 'one\ntwo', 80, ['one', '  two']],
    ['leaves a long word whole', 'see averylongwordindeed now', 8, ['see', '  averylongwordindeed', '  now']],
    ['leaves a URL alone on its line', 'https://a.example/x?y=1&z=2', 8, ['https://a.example/x?y=1&z=2']],
    ['leaves a command on one line', 'auth-cli connect zendesk --as work', 8, ['auth-cli connect zendesk --as work']],
    ['wraps nothing in a pipe', 'one two three '.repeat(20), Number.POSITIVE_INFINITY, ['one two three '.repeat(20)]],
    ['counts wide characters', '東京 東京', 8, ['東京', '  東京']],
  ])('%s', (_, text, columns, lines) => {
    expect(wrap(text, columns, '  ')).toEqual(lines)
  })

  it('keeps prose to a readable width on a very wide terminal', () => {
    expect(Math.max(...wrap('word '.repeat(100), 400).map(width))).toBeLessThanOrEqual(100)
  })

  it('folds what has no spaces, and flows items that belong together', () => {
    expect(fold('abcdefg', 3)).toEqual(['abc', 'def', 'g'])
    expect(flow(['a=1', 'b="two words"', 'c=3'], 14)).toEqual(['a=1', 'b="two words"', 'c=3'])
    expect(flow(['a=1', 'b=2', 'c=3'], 8)).toEqual(['a=1  b=2', 'c=3'])
  })
})

it('hands the looks on', async () => {
  const style = await makeStyle(looks({}, {}))
  expect([style.terminal, style.columns]).toEqual([false, Number.POSITIVE_INFINITY])
})
