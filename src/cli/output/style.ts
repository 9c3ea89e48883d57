/** How a stream is drawn on: decided once, from the stream, the environment and the flags. */
export interface Looks {
  /** Whether a person looks at it. */
  readonly terminal: boolean
  readonly color: boolean
  /** Whether a line may be redrawn. */
  readonly animated: boolean
  /** Whether ✓ ✗ → … come out as such. */
  readonly unicode: boolean
  /** Cells per line; Infinity where nothing is to be cut or wrapped. */
  readonly columns: number
}

type Paint = (text: string) => string

/** The looks put to work. Colour carries meaning only; without it every paint returns its text as it is. */
export interface Style extends Looks {
  /** Done. */
  readonly good: Paint
  /** Worth a look. */
  readonly warn: Paint
  /** Failed. */
  readonly bad: Paint
  /** May be skipped. */
  readonly dim: Paint
  /** What one copies. */
  readonly bold: Paint
  readonly symbols: Symbols
  /** Text from outside on one line: `plain`, and our own symbols in it as this terminal can show them. */
  readonly text: Paint
  /** The same, its line breaks kept. */
  readonly lines: Paint
}

export interface Symbols {
  readonly done: string
  readonly failed: string
  readonly warning: string
  readonly out: string
  readonly back: string
  readonly more: string
  readonly dot: string
}

const unicodeSymbols: Symbols = {
  done: '✓',
  failed: '✗',
  warning: '!',
  out: '→',
  back: '←',
  more: '…',
  dot: '·',
}
const asciiSymbols: Symbols = { done: '+', failed: 'x', warning: '!', out: '->', back: '<-', more: '...', dot: '-' }

/** Prose is not drawn wider than this, however wide the terminal is. */
const widestProse = 100

/** What of a stream its looks depend on; `process.stdout` and `process.stderr` fit. */
export interface Drawable {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

/** `flags.color`: false with `--no-color`. NO_COLOR (not empty) wins over FORCE_COLOR, `--no-color` over both. */
export function looks(
  stream: Drawable,
  env: Readonly<Record<string, string | undefined>>,
  flags: { readonly color?: boolean | undefined } = {},
  platform: string = process.platform,
): Looks {
  const terminal = stream.isTTY === true
  const refused = flags.color === false || Boolean(env['NO_COLOR'])
  const able = terminal && env['TERM'] !== 'dumb'
  const force = env['FORCE_COLOR']
  const forced = force === undefined ? undefined : force !== '0' && force !== 'false'
  return {
    terminal,
    color: !refused && (forced ?? able),
    animated: able && !refused && !env['CI'],
    unicode: isUnicode(env, platform),
    columns: terminal ? stream.columns || 80 : Number.POSITIVE_INFINITY,
  }
}

function isUnicode(env: Readonly<Record<string, string | undefined>>, platform: string): boolean {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG']
  if (platform === 'win32') return Boolean(env['WT_SESSION']) || env['TERM_PROGRAM'] === 'vscode'
  // The kernel's own console speaks UTF-8 but its font lacks the signs.
  if (env['TERM'] === 'linux') return false
  return locale === undefined ? platform === 'darwin' : /utf-?8/i.test(locale)
}

/** Loads chalk only where something is coloured. */
export async function makeStyle(given: Looks): Promise<Style> {
  const symbols = given.unicode ? unicodeSymbols : asciiSymbols
  const spelled = given.unicode ? asIs : spelledInAscii
  return {
    ...given,
    ...(given.color ? await paints() : { good: asIs, warn: asIs, bad: asIs, dim: asIs, bold: asIs }),
    symbols,
    text: (outside) => (plainAscii.test(outside) ? outside : spelled(plain(outside))),
    lines: (outside) => spelled(plain(outside, { lines: true })),
  }
}

async function paints(): Promise<Pick<Style, 'good' | 'warn' | 'bad' | 'dim' | 'bold'>> {
  const { Chalk } = await import('chalk')
  // Whether there is colour at all is decided by `looks`; sixteen colours keep to the person's own palette.
  const { green, yellow, red, dim, bold } = new Chalk({ level: 1 })
  // chalk joins all its arguments, and a paint may be called with more than its text.
  const single =
    (paint: Paint): Paint =>
    (text) =>
      paint(text)
  return { good: single(green), warn: single(yellow), bad: single(red), dim: single(dim), bold: single(bold) }
}

function asIs(text: string): string {
  return text
}

function spelledInAscii(text: string): string {
  return text
    .replaceAll('…', asciiSymbols.more)
    .replaceAll('→', asciiSymbols.out)
    .replaceAll('←', asciiSymbols.back)
    .replaceAll('·', asciiSymbols.dot)
    .replaceAll('✓', asciiSymbols.done)
    .replaceAll('✗', asciiSymbols.failed)
}

/** Escape sequences: CSI; OSC, DCS, SOS, PM and APC up to their end; then the short ones. Both 7- and 8-bit. */
const sequences =
  /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)|\x1b[ -/]*[0-Z\\^-~]/g
/** Bidirectional overrides and marks, invisible spaces, tag characters, line separators, unpaired surrogates. */
const invisible =
  /[\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Cs}/gu
const suspect =
  /[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff\ud800-\udfff]/

/** Text from outside, safe to print: no control character, escape sequence or bidirectional override is left in it. */
export function plain(text: string, options: { readonly lines?: boolean } = {}): string {
  if (!suspect.test(text)) return text
  const stripped = text
    .replace(sequences, '')
    .replace(/\r\n?|[\u2028\u2029\x85]/g, '\n')
    .replace(invisible, '')
    .replaceAll('\t', ' ')
  const kept = options.lines ? stripped : stripped.replace(/\n+$/, '').replace(/\n+/g, ' ')
  return kept.replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, '')
}

/** JSON in which nothing can act on a terminal: what JSON leaves as it is (C1, DEL, bidirectional marks) is escaped too. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value ?? null, null, indent).replace(
    /[\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

const plainAscii = /^[\x20-\x7e]*$/
const colors = /\x1b\[[0-9;]*m/g
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1faff}\u{20000}-\u{3fffd}]/u
const weightless = /[\p{Mn}\p{Me}\p{Cf}]/u

/** Cells that a text takes: colours none, East Asian wide characters and emoji two. */
export function width(text: string): number {
  if (plainAscii.test(text)) return text.length
  const bare = text.replace(colors, '')
  if (plainAscii.test(bare)) return bare.length
  let cells = 0
  for (const character of bare) cells += weightless.test(character) ? 0 : wide.test(character) ? 2 : 1
  return cells
}

/** Filled with spaces to that many cells. */
export function pad(text: string, cells: number): string {
  return text + ' '.repeat(Math.max(0, cells - width(text)))
}

/** Cut to that many cells, the cut marked with `more`. For text without colours. */
export function cut(text: string, cells: number, more = '…'): string {
  if (width(text) <= cells) return text
  const mark = width(more) < cells ? more : ''
  let kept = ''
  let taken = width(mark)
  for (const character of text) {
    taken += width(character)
    if (taken > cells) break
    kept += character
  }
  return kept + mark
}

/**
 * Broken at spaces into lines of at most `columns` cells; the lines after the first begin with `indent`. What has no space
 * stays whole, and so does a line that is there to be copied: a command or a URL.
 */
export function wrap(text: string, columns: number, indent = ''): string[] {
  const room = Math.min(columns, widestProse)
  const lines: string[] = []
  for (const paragraph of text.split('\n')) {
    const lead = lines.length === 0 ? '' : indent
    if (width(lead + paragraph) <= room || isToCopy(paragraph) || columns === Number.POSITIVE_INFINITY) {
      lines.push(lead + paragraph)
      continue
    }
    let line = lead
    let empty = true
    for (const word of paragraph.split(' ')) {
      if (!empty && width(line) + 1 + width(word) > room) {
        lines.push(line.trimEnd())
        line = indent
        empty = true
      }
      line += empty ? word : ` ${word}`
      empty = false
    }
    lines.push(line.trimEnd())
  }
  return lines
}

/** Items with two spaces between them, as many to a line as fit; an item is broken only where it does not fit alone. */
export function flow(items: readonly string[], columns: number): string[] {
  const lines: string[] = []
  for (const item of items) {
    const last = lines.at(-1)
    const joined = `${last}  ${item}`
    if (last !== undefined && width(joined) <= columns) lines[lines.length - 1] = joined
    else lines.push(...fold(item, columns))
  }
  return lines
}

/** Broken anywhere into lines of at most `columns` cells. For text without colours that nobody copies by eye. */
export function fold(text: string, columns: number): string[] {
  if (width(text) <= columns) return [text]
  const lines: string[] = []
  let line = ''
  let taken = 0
  for (const character of text) {
    const cells = width(character)
    if (taken + cells > columns && line !== '') {
      lines.push(line)
      line = ''
      taken = 0
    }
    line += character
    taken += cells
  }
  return [...lines, line]
}

function isToCopy(line: string): boolean {
  return /^\s*(?:auth-cli |ssh |npm |https?:\/\/\S+$)/.test(line.replace(colors, ''))
}
