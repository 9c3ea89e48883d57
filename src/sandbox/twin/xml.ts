import type { Fields } from './fields.ts'
import { isFields } from './fields.ts'

/** An element of an XML document; text stands among its children as it was, entities resolved. */
export interface Element {
  /** With its prefix, as written. */
  readonly name: string
  /** In the order in which they were written, `xmlns` declarations included. */
  readonly attributes: readonly (readonly [name: string, value: string])[]
  readonly children: readonly (Element | string)[]
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function unescaped(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (entity, decimal, hexadecimal, name) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal))
    if (hexadecimal !== undefined) return String.fromCodePoint(Number.parseInt(hexadecimal, 16))
    return named[name] ?? entity
  })
}

const nameOf = '[A-Za-z_][\\w.:-]*'

const token = new RegExp(
  [
    '<!--[\\s\\S]*?-->',
    '<\\?[\\s\\S]*?\\?>',
    '<!\\[CDATA\\[([\\s\\S]*?)\\]\\]>',
    `<(/?)(${nameOf})((?:\\s+${nameOf}\\s*=\\s*(?:"[^"<]*"|'[^'<]*'))*)\\s*(/?)>`,
    '([^<]+)',
  ].join('|'),
  'y',
)

interface Open {
  readonly name: string
  readonly attributes: readonly (readonly [string, string])[]
  readonly children: (Element | string)[]
}

/** The root of a document; undefined for what is not well formed, and for a DOCTYPE, which nobody needs and some abuse. */
export function parseXml(text: string): Element | undefined {
  const root: Open = { name: '', attributes: [], children: [] }
  const stack: Open[] = [root]
  token.lastIndex = 0
  const source = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n')
  let at = 0
  while (at < source.length) {
    token.lastIndex = at
    const match = token.exec(source)
    if (!match) return undefined
    at = token.lastIndex
    if (!place(match, stack)) return undefined
  }
  const elements = root.children.filter((child) => typeof child !== 'string' || child.trim() !== '')
  const [only] = elements
  return stack.length === 1 && elements.length === 1 && typeof only === 'object' ? only : undefined
}

function place(match: RegExpExecArray, stack: Open[]): boolean {
  const [, cdata, closing, name, attributes = '', empty, characters] = match
  const top = stack.at(-1)
  if (!top) return false
  if (cdata !== undefined) top.children.push(cdata)
  else if (characters !== undefined) top.children.push(unescaped(characters))
  else if (name !== undefined && closing === '/') {
    if (stack.length < 2 || top.name !== name || attributes !== '') return false
    stack.pop()
  } else if (name !== undefined) {
    const element: Open = { name, attributes: attributesIn(attributes), children: [] }
    if (new Set(element.attributes.map(([one]) => one)).size !== element.attributes.length) return false
    top.children.push(element)
    if (empty === '') stack.push(element)
  }
  return true
}

function attributesIn(text: string): (readonly [string, string])[] {
  const found = text.matchAll(new RegExp(`(${nameOf})\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, 'g'))
  return [...found].map(([, name = '', double, single]) => [
    name,
    unescaped((double ?? single ?? '').replace(/[\t\n]/g, ' ')),
  ])
}

export const localName = (element: Element): string => element.name.replace(/^.*:/, '')

export function elementsOf(element: Element): readonly Element[] {
  return element.children.filter((child) => typeof child !== 'string')
}

export function contentOf(element: Element): string {
  return element.children.map((child) => (typeof child === 'string' ? child : contentOf(child))).join('')
}

export function attributeOf(element: Element, name: string): string | undefined {
  return element.attributes.find(([one]) => one === name)?.[1]
}

/** Every element of that local name, the element itself included, in document order. */
export function descendants(element: Element, name: string): readonly Element[] {
  const within = elementsOf(element).flatMap((child) => descendants(child, name))
  return localName(element) === name ? [element, ...within] : within
}

/**
 * A document as a mapping: an element with nothing but text is its text, attributes are keys that begin with `$`, an
 * element that is there several times is a list.
 */
export function xmlFields(text: string): Fields | undefined {
  const root = parseXml(text)
  return root === undefined ? undefined : { [root.name]: elementValue(root) }
}

function elementValue(element: Element): unknown {
  const inner = elementsOf(element)
  if (inner.length === 0 && element.attributes.length === 0) return contentOf(element)
  const fields: Record<string, unknown> = {}
  for (const [name, value] of element.attributes) fields[`$${name}`] = value
  for (const child of inner) {
    const value = elementValue(child)
    const before = fields[child.name]
    fields[child.name] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value]
  }
  return fields
}

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (one) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[one] ?? one)

/** The mapping as a document, by the same rules. */
export function writeXml(fields: Fields): string {
  return Object.entries(fields)
    .map(([name, value]) => {
      if (!isFields(value)) return `<${name}>${escaped(String(value ?? ''))}</${name}>`
      const attributes = Object.entries(value).filter(([key]) => key.startsWith('$'))
      const inner = Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('$')))
      const opening = attributes.map(([key, one]) => ` ${key.slice(1)}="${escaped(String(one))}"`).join('')
      return `<${name}${opening}>${writeXml(inner)}</${name}>`
    })
    .join('')
}
