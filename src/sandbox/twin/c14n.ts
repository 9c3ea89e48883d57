import { type Element, elementsOf } from './xml.ts'

/** Namespaces by prefix; the default one under the empty prefix. */
type Namespaces = ReadonlyMap<string, string>

const prefixOf = (name: string): string => (name.includes(':') ? (name.split(':')[0] ?? '') : '')

function declaredIn(element: Element): Namespaces {
  return new Map(
    element.attributes.flatMap(([name, value]): readonly (readonly [string, string])[] => {
      if (name === 'xmlns') return [['', value]]
      return name.startsWith('xmlns:') ? [[name.slice('xmlns:'.length), value]] : []
    }),
  )
}

const isDeclaration = (name: string): boolean => name === 'xmlns' || name.startsWith('xmlns:')

/** The namespaces in scope inside an element of a document, or undefined when it is not of that document. */
export function scopeOf(root: Element, wanted: Element, scope: Namespaces = new Map()): Namespaces | undefined {
  const inner: Namespaces = new Map([...scope, ...declaredIn(root)])
  if (root === wanted) return scope
  for (const child of elementsOf(root)) {
    const found = scopeOf(child, wanted, inner)
    if (found !== undefined) return found
  }
  return undefined
}

const inText = (text: string): string =>
  text.replace(/[&<>\r]/g, (one) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#xD;' })[one] ?? one)

const inAttribute = (text: string): string =>
  text.replace(
    /[&<"\t\n\r]/g,
    (one) => ({ '&': '&amp;', '<': '&lt;', '"': '&quot;', '\t': '&#x9;', '\n': '&#xA;', '\r': '&#xD;' })[one] ?? one,
  )

const byCode = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/**
 * Exclusive canonical XML 1.0 without comments. `scope`: the namespaces around the element; `without`: an element that is
 * left out, as the enveloped-signature transform does.
 */
export function canonicalXml(
  element: Element,
  scope: Namespaces,
  without?: Element,
  rendered: Namespaces = new Map(),
): string {
  const inner: Namespaces = new Map([...scope, ...declaredIn(element)])
  const attributes = element.attributes.filter(([name]) => !isDeclaration(name))
  const used = [prefixOf(element.name), ...attributes.map(([name]) => prefixOf(name)).filter((prefix) => prefix !== '')]
  const news = [...new Set(used)]
    .filter((prefix) => prefix !== 'xml')
    .map((prefix) => [prefix, inner.get(prefix) ?? ''] as const)
    .filter(([prefix, uri]) => uri !== (rendered.get(prefix) ?? ''))
    .sort(([a], [b]) => byCode(a, b))
  const declarations = news.map(([prefix, uri]) => ` xmlns${prefix && `:${prefix}`}="${inAttribute(uri)}"`)
  const key = ([name]: readonly [string, string]): string => {
    const prefix = prefixOf(name)
    return `${prefix === '' ? '' : inner.get(prefix)}\n${name.slice(prefix === '' ? 0 : prefix.length + 1)}`
  }
  const written = [...attributes]
    .sort((a, b) => byCode(key(a), key(b)))
    .map(([name, value]) => ` ${name}="${inAttribute(value)}"`)
  const now: Namespaces = new Map([...rendered, ...news])
  const content = element.children.map((child) => {
    if (typeof child === 'string') return inText(child)
    return child === without ? '' : canonicalXml(child, inner, without, now)
  })
  return `<${element.name}${declarations.join('')}${written.join('')}>${content.join('')}</${element.name}>`
}
