import { createHash } from 'node:crypto'

/** A source of numbers that gives the same ones for the same seed. */
export interface Dice {
  /** A whole number from 0, below `sides`. */
  roll(sides: number): number
}

export function diceOf(seed: string): Dice {
  let rolls = 0
  return {
    roll(sides) {
      rolls += 1
      return createHash('sha256').update(`${seed}\n${rolls}`).digest().readUInt32BE(0) % Math.max(1, sides)
    },
  }
}

/** A part of a regular expression as far as texts can be made from it. */
type Node =
  | { readonly is: 'class'; readonly characters: string }
  | { readonly is: 'sequence'; readonly nodes: readonly Node[] }
  | { readonly is: 'choice'; readonly nodes: readonly Node[] }
  | { readonly is: 'repeat'; readonly node: Node; readonly least: number; readonly most: number }

const lower = 'abcdefghijklmnopqrstuvwxyz'
const digits = '0123456789'
const word = `${lower}${lower.toUpperCase()}${digits}_`
const printable = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('')
const space = ' '

const nothing: Node = { is: 'sequence', nodes: [] }

const escapes: Readonly<Record<string, string>> = {
  d: digits,
  D: lower,
  w: word,
  W: '-',
  s: space,
  S: `${lower}${lower.toUpperCase()}${digits}`,
  n: '\n',
  r: '\r',
  t: '\t',
  f: '\f',
  v: '\v',
  0: '\0',
}

class Unreadable extends Error {}

interface Reader {
  readonly text: string
  at: number
}

const peek = (reader: Reader): string | undefined => reader.text[reader.at]

function take(reader: Reader): string {
  const character = reader.text[reader.at]
  if (character === undefined) throw new Unreadable('the pattern ends too early')
  reader.at += 1
  return character
}

function skip(reader: Reader, text: string): boolean {
  if (!reader.text.startsWith(text, reader.at)) return false
  reader.at += text.length
  return true
}

function readChoice(reader: Reader): Node {
  const nodes = [readSequence(reader)]
  while (skip(reader, '|')) nodes.push(readSequence(reader))
  const [only] = nodes
  return nodes.length === 1 && only ? only : { is: 'choice', nodes }
}

function readSequence(reader: Reader): Node {
  const nodes: Node[] = []
  while (peek(reader) !== undefined && peek(reader) !== '|' && peek(reader) !== ')') {
    nodes.push(readRepeated(reader, readAtom(reader)))
  }
  return { is: 'sequence', nodes }
}

function readAtom(reader: Reader): Node {
  const character = take(reader)
  if (character === '^' || character === '$') return nothing
  if (character === '.') return { is: 'class', characters: `${lower}${digits}` }
  if (character === '[') return readClass(reader)
  if (character === '(') return readGroup(reader)
  if (character === '\\') return readEscape(reader)
  return { is: 'class', characters: character }
}

function readEscape(reader: Reader): Node {
  const character = take(reader)
  if (character === 'b' || character === 'B') return nothing
  return { is: 'class', characters: escapes[character] ?? character }
}

function readGroup(reader: Reader): Node {
  const looks = ['?=', '?!', '?<=', '?<!'].some((opening) => skip(reader, opening))
  if (!looks && !skip(reader, '?:') && skip(reader, '?<')) while (take(reader) !== '>');
  const inner = readChoice(reader)
  if (!skip(reader, ')')) throw new Unreadable('a group is not closed')
  // What a look-around demands is left to the test of the finished text.
  return looks ? nothing : inner
}

function readClass(reader: Reader): Node {
  const isNegated = skip(reader, '^')
  let characters = ''
  for (let first = true; first || peek(reader) !== ']'; first = false) {
    const from = classMember(reader)
    if (from.length === 1 && peek(reader) === '-' && reader.text[reader.at + 1] !== ']') {
      take(reader)
      const to = classMember(reader)
      characters += to.length === 1 ? range(from, to) : `${from}-${to}`
    } else characters += from
  }
  take(reader)
  if (!isNegated) return { is: 'class', characters }
  const kept = [...printable].filter((one) => !characters.includes(one)).join('')
  return { is: 'class', characters: kept }
}

function classMember(reader: Reader): string {
  const character = take(reader)
  if (character !== '\\') return character
  const escaped = take(reader)
  return escapes[escaped] ?? escaped
}

function range(from: string, to: string): string {
  const first = from.charCodeAt(0)
  return Array.from({ length: Math.max(0, to.charCodeAt(0) - first + 1) }, (_, index) =>
    String.fromCharCode(first + index),
  ).join('')
}

function readRepeated(reader: Reader, node: Node): Node {
  const counted = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/.exec(reader.text.slice(reader.at))
  if (!counted) return node
  reader.at += counted[0].length
  const [, sign, least, comma, most] = counted
  if (sign === '?') return { is: 'repeat', node, least: 0, most: 1 }
  if (sign !== undefined) return { is: 'repeat', node, least: sign === '+' ? 1 : 0, most: Number.POSITIVE_INFINITY }
  const from = Number(least)
  const to = comma === '' ? from : most === '' ? Number.POSITIVE_INFINITY : Number(most)
  return { is: 'repeat', node, least: from, most: to }
}

/** Letters and digits where the class has any: what is made up should be easy to type. */
function pick(characters: string, dice: Dice): string {
  const easy = [...characters].filter((one) => /[a-z0-9]/.test(one))
  const from = easy.length > 0 ? easy : [...characters]
  return from[dice.roll(from.length)] ?? ''
}

function make(node: Node, dice: Dice, extra: number): string {
  switch (node.is) {
    case 'class':
      return pick(node.characters, dice)
    case 'sequence':
      return node.nodes.map((one) => make(one, dice, extra)).join('')
    case 'choice': {
      const chosen = node.nodes[dice.roll(node.nodes.length)]
      return chosen ? make(chosen, dice, extra) : ''
    }
    case 'repeat': {
      const times = Math.min(node.most, node.least + extra)
      return Array.from({ length: times }, () => make(node.node, dice, extra)).join('')
    }
  }
}

/** How many repetitions beyond the fewest are tried, most natural first. */
const extras = [11, 7, 3, 1, 0, 19, 39]

/**
 * Texts that the pattern (a JavaScript regular expression, tested unanchored) accepts, the same ones for the same seed;
 * none where it is no pattern or uses what no text was found for.
 */
export function* textsMatching(pattern: string, seed: string): Generator<string> {
  let expression: RegExp
  let tree: Node
  try {
    expression = new RegExp(pattern)
    const reader: Reader = { text: pattern, at: 0 }
    tree = readChoice(reader)
    if (reader.at < pattern.length) return
  } catch {
    return
  }
  for (const extra of extras) {
    for (let attempt = 0; attempt < 4; attempt += 1) {
      const text = make(tree, diceOf(`${seed}\n${extra}\n${attempt}`), extra)
      if (expression.test(text)) yield text
    }
  }
}
