import { onTestFinished } from 'vitest'
import { approve, openTwin, type Twin, type TwinOptions } from '../../../src/sandbox/index.ts'
import { challenge, type Fields, openCallback, type Reply, verifier, visit } from '../client.ts'

export { challenge, type Fields, openCallback, type Reply, temporaryHome, verifier, visit } from '../client.ts'

/** A twin that ends with the test. */
export async function openForTest(options: Partial<TwinOptions> & Pick<TwinOptions, 'template'>): Promise<Twin> {
  const twin = await openTwin({ name: 'acme', ...options })
  onTestFinished(() => twin.close())
  return twin
}

/** A request to one of the provider's own URLs, delivered to its twin. */
export const send = (twin: Twin, url: string, init: RequestInit = {}): Promise<Reply> => visit(twin.address(url), init)

export const sendForm = (twin: Twin, url: string, fields: Fields, headers: Fields = {}): Promise<Reply> =>
  send(twin, url, { method: 'POST', body: new URLSearchParams(fields), headers })

export const sendJson = (twin: Twin, url: string, value: unknown, headers: Fields = {}): Promise<Reply> =>
  send(twin, url, {
    method: 'POST',
    body: JSON.stringify(value),
    headers: { 'content-type': 'application/json', ...headers },
  })

export const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

/** The query of an authorization request as most providers want it. */
export const asking = (twin: Twin, redirectUri: string, fields: Fields = {}): URLSearchParams =>
  new URLSearchParams({
    response_type: 'code',
    client_id: twin.issued.clientId ?? '',
    redirect_uri: redirectUri,
    scope: 'read write',
    state: 'a state / with + signs & ü',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...fields,
  })

/** Goes through the consent page; what the callback got. `write` makes the authorization URL of its query. */
export async function comeBack(
  twin: Twin,
  write: (query: URLSearchParams) => string,
  fields: Fields = {},
): Promise<{ readonly params: URLSearchParams; readonly redirectUri: string }> {
  const { redirectUri, visits } = await openCallback()
  await approve(twin.address(write(asking(twin, redirectUri, fields))))
  const params = visits.at(-1)?.searchParams
  if (!params) throw new Error('nobody came back')
  return { params, redirectUri }
}

/** A token request for the code that came back, the client in the body. */
export const exchanging = (
  twin: Twin,
  back: { readonly params: URLSearchParams; readonly redirectUri: string },
): Fields => ({
  grant_type: 'authorization_code',
  code: back.params.get('code') ?? '',
  redirect_uri: back.redirectUri,
  code_verifier: verifier,
  client_id: twin.issued.clientId ?? '',
  client_secret: twin.issued.clientSecret ?? '',
})
