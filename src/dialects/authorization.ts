import type { Remark, Setting } from '../model/dialect.ts'
import { TemplateError } from '../model/errors.ts'
import type { Template } from '../model/provider.ts'

/**
 * The authorization URL in a template's words, in the order in which they count: the scope as written, the fragment, the
 * replacements, empty parameters left out. Throws TemplateError `TEMPLATE_INVALID` where a replacement leaves no URL of
 * the same site.
 */
export function authorizationInWords(url: URL, { template }: Setting, remark: Remark): URL {
  const scoped = template.authorization_url_skip_encode?.includes('scopes') ? withPlainScope(url, remark) : url
  const fragment = template.authorization_url_fragment
  const placed = fragment === undefined ? scoped : behindFragment(scoped, fragment, remark)
  const replaced = withReplacements(placed, template, remark)
  return template.authorization_url_skip_empty === true ? withoutEmpty(replaced) : replaced
}

/**
 * What a callback calls its parameters beside what the standard calls them: the code by the template's word for it, the
 * state by the name that a replacement gave it on the way out.
 */
export function callbackNames(template: Template): readonly (readonly [name: string, standard: string])[] {
  const code = template.authorization_code_param_in_callback
  const state = Object.entries(template.authorization_url_replacements ?? {}).flatMap(([from, to]) =>
    /^state=?$/.test(from) ? [String(to).replace(/=$/, '')] : [],
  )
  const names = [...(code === undefined ? [] : [[code, 'code'] as const]), ...state.map((to) => [to, 'state'] as const)]
  return names.filter(([name, standard]) => name !== '' && name !== standard)
}

/** The scope at the end, as it was joined; only what would end the parameter is encoded. */
function withPlainScope(url: URL, remark: Remark): URL {
  const pairs = pairsOf(url.search.slice(1))
  const scope = pairs.find((pair) => nameOf(pair) === 'scope')
  if (scope === undefined) return url
  remark('the scope is not encoded')
  const text = new URLSearchParams(scope).get('scope') ?? ''
  const plain = text.replace(/[^\x21-\x7e]+|["#&<>`]/g, encodeURIComponent)
  const changed = new URL(url)
  changed.search = [...pairs.filter((pair) => nameOf(pair) !== 'scope'), `scope=${plain}`].join('&')
  return changed
}

function behindFragment(url: URL, fragment: string, remark: Remark): URL {
  remark('the parameters stand behind a "#"')
  return new URL(`${url.origin}${url.pathname}#${fragment.replace(/^#/, '')}${url.search}`)
}

function withReplacements(url: URL, { authorization_url_replacements: written = {} }: Template, remark: Remark): URL {
  let text = url.href
  for (const [from, to] of Object.entries(written)) {
    if (from === '' || !text.includes(from)) continue
    text = text.replace(from, () => String(to))
    remark(`"${from}" is replaced by "${String(to)}"`)
  }
  if (URL.canParse(text) && new URL(text).origin === url.origin) return new URL(text)
  throw new TemplateError(
    'TEMPLATE_INVALID',
    'authorization_url_replacements leave no authorization URL of the same site.',
    { hint: 'Replace names of parameters only.' },
  )
}

/** In the query, wherever that stands. */
function withoutEmpty(url: URL): URL {
  const href = url.href
  const mark = href.indexOf('?')
  if (mark === -1) return url
  const end = href.indexOf('#', mark) === -1 ? href.length : href.indexOf('#', mark)
  const kept = pairsOf(href.slice(mark + 1, end)).filter((pair) => !/^[^=]*=?$/.test(pair))
  return new URL(`${href.slice(0, mark)}${kept.length === 0 ? '' : '?'}${kept.join('&')}${href.slice(end)}`)
}

function pairsOf(query: string): string[] {
  return query.split('&').filter((pair) => pair !== '')
}

function nameOf(pair: string): string {
  return new URLSearchParams(pair).keys().next().value ?? ''
}
