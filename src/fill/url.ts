import { flawOfUrl } from './endpoint.ts'
import { choose, encode, type Resolved } from './fill.ts'
import { type FillContext, flawError } from './flaw.ts'
import type { Scope } from './scope.ts'

type Placed = { readonly text: string } | { readonly why: string }

/**
 * Fills the URL of an endpoint. A value keeps to its place: in the host it is letters, digits, hyphens and dots, so
 * that it never changes which site is meant; as the whole host it may carry a port and a path; at the very start it is a
 * whole http(s) URL; anywhere else it is percent-encoded. The template's own bytes, an existing query included, stay as they
 * are. With `asWritten` a value in the path or query keeps its slashes and signs too, but never begins a query or fragment
 * of its own. Throws UsageError `MISSING_INPUT`, `BAD_FLAG`; TemplateError `TEMPLATE_INVALID`.
 */
export function fillUrl(field: string, text: string, scope: Scope, context: FillContext, asWritten = false): string {
  const chosen = choose(text.trim(), scope, true)
  if ('flaw' in chosen) throw flawError(chosen.flaw, field, text, context)
  let url = ''
  chosen.pieces.forEach(({ value, path }, index) => {
    if (path === undefined) {
      url += value
      return
    }
    const after = following(chosen.pieces, index)
    // Some providers ask for a whole address where their template has the scheme already: then the answer's counts.
    if (/^https?:\/\/$/i.test(url) && /^https?:\/\//i.test(value) && /^([/?#]|$)/.test(after)) url = ''
    const placed = placeValue(url, value, after, asWritten ? encodeLittle : encode)
    if ('why' in placed) throw flawError({ kind: 'refused', path, why: placed.why }, field, text, context)
    url += placed.text
  })
  const why = flawOfUrl(url)
  if (why !== undefined) throw flawError({ kind: 'malformed', why }, field, text, context)
  return url
}

/** `before` is the URL as filled so far, so the value's place is read off it. */
function placeValue(before: string, value: string, after: string, encoded: (value: string) => Placed): Placed {
  if (before === '') return after.startsWith('://') ? placeScheme(value) : placeWhole(value, after)
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)$/i.exec(before)?.[1]
  if (authority === undefined) return encoded(value)
  if (authority.endsWith(':')) return placePort(value)
  if (authority === '' && /^([/?#]|$)/.test(after)) return placeHost(value)
  return placeLabels(value)
}

/** All but what would end the place or walk the path stands as it is written. */
function encodeLittle(value: string): Placed {
  if (value.split('/').some((segment) => /^(\.|%2e){1,2}$/i.test(segment)))
    return { why: 'it may not hold "." or ".."' }
  const whole = encode(value)
  if ('why' in whole) return whole
  return { text: value.replace(/[^\x21-\x7e]+|[?#&"<>\\^`{|}]/g, encodeURIComponent) }
}

function placeScheme(value: string): Placed {
  return /^https?$/i.test(value) ? { text: value } : { why: 'it must be http or https' }
}

function placePort(value: string): Placed {
  return /^\d{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535
    ? { text: value }
    : { why: 'it must be a port, 1 to 65535' }
}

const label = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?'
const labels = new RegExp(`^${label}(?:\\.${label})*$`)

function placeLabels(value: string): Placed {
  return value.length <= 253 && labels.test(value)
    ? { text: value }
    : { why: 'it is part of a host name: letters, digits, hyphens and dots only' }
}

/** Some providers' own examples carry a path behind the host (`acme.example.com/main`): it cannot change the site. */
function placeHost(value: string): Placed {
  const [, host = '', port, path = ''] =
    /^(\[[0-9A-Fa-f:.]+\]|[^:/]*)(?::(\d{1,5}))?((?:(?:\/[\w.~-]+)+\/?)?)$/.exec(value) ?? []
  const isHost = host.startsWith('[') || (host.length <= 253 && labels.test(host))
  const isPort = port === undefined || (Number(port) >= 1 && Number(port) <= 65_535)
  const isPath = !path.split('/').some((segment) => segment === '.' || segment === '..')
  return isHost && isPort && isPath && URL.canParse(`https://${value}`)
    ? { text: value }
    : { why: 'it is a host name, such as login.example.com, with nothing before it and no query behind it' }
}

function placeWhole(value: string, after: string): Placed {
  const flaw = flawOfUrl(value)
  if (flaw !== undefined || !/^[\x21-\x7e]+$/.test(value)) return { why: `${flaw ?? 'it is not ASCII'}` }
  if (/[?#]/.test(value)) return { why: 'it may not have a query or fragment' }
  return { text: after.startsWith('/') ? value.replace(/\/+$/, '') : value }
}

/** What stands right behind a piece: literal text, or a mark for a further value. */
function following(pieces: readonly Resolved[], index: number): string {
  const next = pieces[index + 1]
  if (next === undefined) return ''
  return next.path === undefined ? next.value : '…'
}
