import { type Answer, bearerError, json, type Visit } from './answer.ts'
import { faultNamed } from './faults.ts'
import { isDue, type Provider, person, readToken, type TokenClaims } from './provider.ts'

const pages = 3
const itemsPerPage = 10

/** Lets a request through to `answer` when it carries a good token with the scope (RFC 6750). */
function withToken(
  provider: Provider,
  visit: Visit,
  scope: string | undefined,
  answer: (claims: TokenClaims) => Answer,
): Answer {
  const header = visit.headers['authorization']
  if (typeof header !== 'string') return bearerError(401)
  const token = /^bearer +([\w.~+/=-]+) *$/i.exec(header)?.[1]
  if (token === undefined) return bearerError(401, 'invalid_request', 'The Authorization header is not a Bearer token.')
  const claims = readToken(provider, 'access', token)
  if (!claims) return bearerError(401, 'invalid_token', 'The access token is unknown, expired or revoked.')
  const fault = faultNamed(claims.fault)
  if (fault?.at === 'api' && fault.refuse && isDue(provider, fault, claims.family)) return fault.refuse()
  if (scope !== undefined && !claims.scopes.includes(scope)) {
    return bearerError(403, 'insufficient_scope', `This needs the scope ${scope}.`, scope)
  }
  return answer(claims)
}

/** `GET /api/me`: whose token this is and what it may do. */
export function showMe(provider: Provider, visit: Visit): Answer {
  return withToken(provider, visit, undefined, (claims) =>
    json(200, {
      ...person,
      client_id: claims.client,
      scopes: claims.scopes,
      expires_at: new Date(claims.expires * 1000).toISOString(),
    }),
  )
}

/** `GET /api/items?page=`: three pages of ten, chained by `Link` headers (RFC 8288). Needs `read`. */
export function listItems(provider: Provider, visit: Visit): Answer {
  return withToken(provider, visit, 'read', () => {
    const page = Number(visit.query.get('page') ?? 1)
    if (!Number.isInteger(page) || page < 1) {
      return json(400, { error: 'bad_page', message: 'page is a whole number from 1.' })
    }
    const next = page < pages ? `${provider.origin}/api/items?page=${page + 1}` : undefined
    const count = page <= pages ? itemsPerPage : 0
    const items = Array.from({ length: count }, (_, index) => {
      const id = (page - 1) * itemsPerPage + index + 1
      return { id, title: `Item ${id}` }
    })
    return json(200, { items, page, pages, next: next ?? null }, next ? { link: `<${next}>; rel="next"` } : {})
  })
}

/** `POST /api/items`: answers with what was sent; nothing is kept. Needs `write`. */
export function addItem(provider: Provider, visit: Visit): Answer {
  return withToken(provider, visit, 'write', () => {
    let sent: unknown
    try {
      sent = JSON.parse(visit.body)
    } catch {
      return json(400, { error: 'bad_json', message: 'The body is not JSON.' })
    }
    if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) {
      return json(400, { error: 'bad_item', message: 'An item is a JSON object.' })
    }
    const id = pages * itemsPerPage + 1
    return json(201, { ...sent, id }, { location: `${provider.origin}/api/items/${id}` })
  })
}
