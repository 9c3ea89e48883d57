import { type Answer, oauthError, type Visit } from './answer.ts'
import type { SandboxClient } from './provider.ts'
import { isSame } from './seal.ts'

/** The two applications that a sandbox knows unless it is told others: one with a secret, one public. */
export const demoClients: readonly SandboxClient[] = [
  { id: 'sandbox-client', secret: 'sandbox-secret' },
  { id: 'sandbox-public' },
]

interface Credentials {
  readonly id: string
  readonly secret: string | undefined
  readonly viaHeader: boolean
}

const formDecoded = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '))

/** The credentials of an Authorization header (RFC 6749 §2.3.1: both halves form-encoded); undefined when unreadable. */
function readBasic(header: string): Credentials | undefined {
  const encoded = /^basic +([\w+/=-]+) *$/i.exec(header)?.[1]
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString()
  const colon = text.indexOf(':')
  if (colon < 0) return undefined
  try {
    const secret = formDecoded(text.slice(colon + 1))
    return { id: formDecoded(text.slice(0, colon)), secret: secret || undefined, viaHeader: true }
  } catch {
    return undefined
  }
}

const refused = (description: string, viaHeader: boolean): Answer =>
  oauthError(401, 'invalid_client', description, viaHeader ? { 'www-authenticate': 'Basic realm="sandbox"' } : {})

function presented(visit: Visit, params: URLSearchParams): Credentials | Answer {
  const header = visit.headers['authorization']
  const inBody = { id: params.get('client_id'), secret: params.get('client_secret') || undefined }
  if (typeof header === 'string') {
    const basic = readBasic(header)
    if (!basic) return refused('The Authorization header is not HTTP Basic with form-encoded credentials.', true)
    if (inBody.secret !== undefined) {
      return oauthError(400, 'invalid_request', 'The client authenticated in two ways at once.')
    }
    if (inBody.id !== null && inBody.id !== basic.id) {
      return oauthError(400, 'invalid_request', 'client_id is not the client of the Authorization header.')
    }
    return basic
  }
  if (!inBody.id) return refused('There is neither an Authorization header nor a client_id.', false)
  return { id: inBody.id, secret: inBody.secret, viaHeader: false }
}

/** The client that a request comes from, proven, or the refusal to answer (RFC 6749 §2.3, §5.2). */
export function authenticate(
  clients: readonly SandboxClient[],
  visit: Visit,
  params: URLSearchParams,
): { readonly client: SandboxClient } | { readonly refusal: Answer } {
  const credentials = presented(visit, params)
  if ('status' in credentials) return { refusal: credentials }
  const { id, secret, viaHeader } = credentials
  const client = clients.find((known) => known.id === id)
  if (!client) return { refusal: refused('There is no such client.', viaHeader) }
  if (client.secret === undefined && secret !== undefined) {
    return { refusal: refused('This client is public: it has no secret.', viaHeader) }
  }
  if (client.secret !== undefined && secret === undefined) {
    return { refusal: refused('This client must send its secret.', viaHeader) }
  }
  if (!isSame(secret ?? '', client.secret ?? '')) return { refusal: refused('The client secret is wrong.', viaHeader) }
  return { client }
}
