import { type Fields, fieldsOf, listOf, textsWithin } from './fields.ts'
import { alternatives, pieces } from './fill.ts'

/** Where an answer stands in a template's URLs: it is the URL, its whole host, a piece of a host, or elsewhere. */
export type Role = 'url' | 'host' | 'label' | 'elsewhere'

/** Every text of a template that is a URL. */
function urlTexts(template: Fields): readonly string[] {
  const proxy = fieldsOf(template['proxy'])
  const verification = fieldsOf(proxy['verification'])
  return [
    ...['authorization_url', 'token_url', 'refresh_url', 'request_url', 'registration_url'].flatMap((field) =>
      textsWithin(template[field]),
    ),
    ...['issuer', 'revocation_url', 'introspection_url', 'userinfo_url'].flatMap((field) =>
      textsWithin(template[field]),
    ),
    ...listOf(template['additional_steps']).flatMap((step) => textsWithin(fieldsOf(step)['token_url'])),
    ...textsWithin(proxy['base_url']),
    ...textsWithin(verification['base_url_override']),
  ]
}

/** The role of each placeholder that stands in a URL of the template, by its name as written: `connectionConfig.x`. */
export function rolesIn(template: Fields): ReadonlyMap<string, Role> {
  const roles = new Map<string, Role>()
  const rank: readonly Role[] = ['elsewhere', 'label', 'host', 'url']
  for (const text of urlTexts(template).flatMap(alternatives)) {
    for (const [name, role] of rolesOf(text)) {
      if (rank.indexOf(role) > rank.indexOf(roles.get(name) ?? 'elsewhere')) roles.set(name, role)
      else if (!roles.has(name)) roles.set(name, role)
    }
  }
  return roles
}

function rolesOf(url: string): readonly (readonly [string, Role])[] {
  const parts = pieces(url)
  let before = ''
  return parts.flatMap((piece, index) => {
    if ('literal' in piece) {
      before += piece.literal
      return []
    }
    const next = parts[index + 1]
    const after = next === undefined ? '' : 'literal' in next ? next.literal : 'x'
    const role: Role =
      before === ''
        ? 'url'
        : !/^https?:\/\/[^/?#]*$/.test(before)
          ? 'elsewhere'
          : /:\/\/$/.test(before) && /^(?:$|[/?#:])/.test(after)
            ? 'host'
            : 'label'
    before += 'x'
    return [[piece.expression.trim(), role] as const]
  })
}

/** Whether a value can stand where the role puts it. */
export function fitsRole(role: Role, value: string): boolean {
  const host = (text: string): boolean => {
    if (/[\s{}<>|\\^`"]/.test(text) || !URL.canParse(`https://${text}`)) return false
    return new URL(`https://${text}`).hostname !== ''
  }
  switch (role) {
    case 'url':
      return /^https?:\/\/[^\s{}<>]+$/.test(value) && URL.canParse(value)
    case 'host':
      return host(value)
    case 'label':
      return value !== '' && !/^[/:?#]/.test(value) && host(`a${value}z.example`)
    case 'elsewhere':
      return true
  }
}
