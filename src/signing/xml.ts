/**
 * An element as a value: a text; or members by name, attributes under `$name`, its own text beside them under `#text`,
 * elements of one name that repeat as a list. Names keep their prefixes.
 */
export type XmlValue = string | XmlMembers
export interface XmlMembers {
  readonly [name: string]: XmlValue | readonly XmlValue[]
}

/** Elements within elements that are walked; no answer means more, and more would overflow whoever walks it. */
const deepest = 100

/** Characters of a document that are read: the answer to a log-in has a few hundred, and one made to be slow has many. */
const longest = 64 * 1024

/** XML 1.0 §2.2: what no spelling brings into a document. */
const unwritable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/

/**
 * A document as a value, its root element the only member. Undefined where the text is no well-formed XML, is too
 * long or too deep, or declares a document type, which would let it define its own entities.
 */
export async function readXml(text: string): Promise<XmlMembers | undefined> {
  const trimmed = text.replace(/^\uFEFF/, '').trim()
  if (trimmed.length > longest || !trimmed.startsWith('<') || /<!DOCTYPE/i.test(trimmed) || isTooDeep(trimmed))
    return undefined
  const { DOMParser } = await import('@xmldom/xmldom')
  const refuse = (why: unknown): never => {
    throw new SyntaxError(String(why))
  }
  try {
    const errorHandler = { warning: refuse, error: refuse, fatalError: refuse }
    const root = new DOMParser({ errorHandler }).parseFromString(trimmed, 'text/xml').documentElement
    return root === null ? undefined : { [root.tagName]: elementValue(root) }
  } catch {
    return undefined
  }
}

/** Counted without parsing: the tags that open, less those that close. */
function isTooDeep(text: string): boolean {
  let depth = 0
  for (const [, closing, , selfClosing] of text.matchAll(/<(\/)?([\w:.-]+)[^<>]*?(\/)?>/g)) {
    if (closing !== undefined) depth -= 1
    else if (selfClosing === undefined) depth += 1
    if (depth > deepest) return true
  }
  return false
}

function elementValue(element: Element): XmlValue {
  const members = new Map<string, XmlValue[]>()
  for (const { name, value } of Array.from(element.attributes)) members.set(`$${name}`, [value])
  let text = ''
  for (let node = element.firstChild; node !== null; node = node.nextSibling) {
    if (node.nodeType === 3 || node.nodeType === 4) text += node.nodeValue ?? ''
    if (node.nodeType !== 1) continue
    const { tagName: name } = node as Element
    const all = members.get(name) ?? []
    all.push(elementValue(node as Element))
    members.set(name, all)
  }
  const own = text.trim()
  if (members.size === 0) return own
  if (own !== '') members.set('#text', [own])
  return Object.fromEntries([...members].map(([name, all]) => [name, all.length === 1 ? (all[0] ?? '') : all]))
}

/**
 * The document that a value describes, whose root is its only member; scalars are written as texts. Throws a TypeError
 * where it has no one root, a name is none, or a text holds what XML cannot.
 */
export async function writeXml(value: Readonly<Record<string, unknown>>): Promise<string> {
  const { DOMImplementation, XMLSerializer } = await import('@xmldom/xmldom')
  const [root, ...others] = Object.entries(value)
  if (root === undefined || others.length > 0 || Array.isArray(root[1]))
    throw new TypeError('it needs one root element')
  const document = new DOMImplementation().createDocument(null, '')
  document.appendChild(elementOf(document, root[0], root[1]))
  return new XMLSerializer().serializeToString(document, false, undefined, { requireWellFormed: true })
}

function elementOf(document: Document, name: string, value: unknown): Element {
  if (!/^[\p{L}_][\p{L}\p{N}_.:-]*$/u.test(name)) throw new TypeError(`"${name}" is no name of an element`)
  const element = document.createElement(name)
  if (typeof value !== 'object' || value === null) return withText(document, element, value)
  for (const [key, member] of Object.entries(value)) {
    if (key === '#text') withText(document, element, member)
    else if (key.startsWith('$')) element.setAttribute(key.slice(1), writable(member))
    else for (const one of [member].flat()) element.appendChild(elementOf(document, key, one))
  }
  return element
}

function withText(document: Document, element: Element, value: unknown): Element {
  const text = writable(value)
  if (text !== '') element.appendChild(document.createTextNode(text))
  return element
}

function writable(value: unknown): string {
  const text = value === null || value === undefined ? '' : String(value)
  if (unwritable.test(text)) throw new TypeError('a text holds control characters')
  return text
}
