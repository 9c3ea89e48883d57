import type { Header } from '../model/event.ts'

/** One challenge of a `WWW-Authenticate` header (RFC 9110 §11.6.1), names in lower case. */
export interface Challenge {
  readonly scheme: string
  readonly params: Readonly<Record<string, string>>
}

/** Every challenge of an answer, whichever header line it stands in. */
export function challengesIn(headers: readonly Header[]): readonly Challenge[] {
  const found: { scheme: string; params: Record<string, string> }[] = []
  for (const [name, value] of headers) {
    if (name.toLowerCase() !== 'www-authenticate') continue
    const token = "[\\w!#$%&'*+.^`|~-]+"
    const piece = new RegExp(`(${token})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s,"]+))|(${token})(?=[\\s,]|$)`, 'g')
    for (const [, key, quoted, bare, scheme] of value.matchAll(piece)) {
      const last = found.at(-1)
      if (scheme !== undefined) found.push({ scheme: scheme.toLowerCase(), params: Object.create(null) })
      else if (key !== undefined && last !== undefined) last.params[key.toLowerCase()] = unquoted(quoted) ?? bare ?? ''
    }
  }
  return found
}

/** The challenge that tells of OAuth (RFC 6750 §3, RFC 9728 §5.1), the one that names metadata before others. */
export function bearerChallenge(headers: readonly Header[]): Challenge | undefined {
  const all = challengesIn(headers).filter(({ scheme }) => scheme === 'bearer' || scheme === 'dpop')
  return all.find(({ params }) => params['resource_metadata'] !== undefined) ?? all[0]
}

function unquoted(text: string | undefined): string | undefined {
  return text?.replace(/\\(.)/gs, '$1')
}
