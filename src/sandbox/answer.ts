/** One request as it reached the sandbox: parsed, its body read whole. */
export interface Visit {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  /** The query as sent, with its question mark; empty without one. */
  readonly search: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
  /** The body before it was read as UTF-8. */
  readonly bytes: Uint8Array
}

/** What to answer a visit, and how to put it on the wire. */
export interface Answer {
  readonly status: number
  /** One that stands several times, as `set-cookie` may, has a list. */
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body: string
  /**
   * `never`: not one byte. `late`: whole, after three seconds. `reset`: the connection is reset instead. `cut`: half of
   * the announced bytes, then the connection ends. Absent: whole and at once.
   */
  readonly delivery?: 'never' | 'late' | 'reset' | 'cut'
}

export type Route = (visit: Visit) => Answer

const uncached = { 'cache-control': 'no-store', pragma: 'no-cache' }

export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', ...uncached, ...headers },
    body: JSON.stringify(value),
  }
}

/** An error of the token, revocation or introspection endpoint (RFC 6749 §5.2). */
export function oauthError(
  status: number,
  error: string,
  description: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return json(status, { error, error_description: description }, headers)
}

/** An error of the protected API (RFC 6750 §3); without `error`, the bare challenge for a request without a token. */
export function bearerError(status: number, error?: string, description = '', scope?: string): Answer {
  const attributes = [
    'realm="sandbox"',
    ...(error === undefined ? [] : [`error="${error}"`, `error_description="${description}"`]),
    ...(scope === undefined ? [] : [`scope="${scope}"`]),
  ]
  return json(
    status,
    { error: error ?? 'unauthorized', message: description || 'Send an access token: Authorization: Bearer …' },
    { 'www-authenticate': `Bearer ${attributes.join(', ')}` },
  )
}

/** Sends the browser on with a GET, whatever brought it here (RFC 9700 §4.12). */
export function redirect(location: string): Answer {
  return { status: 303, headers: { location, ...uncached, 'referrer-policy': 'no-referrer' }, body: '' }
}

/** The parameters that are there more than once, which RFC 6749 §3.1 and §3.2 forbid. */
export function repeatedParameters(params: URLSearchParams): readonly string[] {
  const names = [...params.keys()]
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))]
}
