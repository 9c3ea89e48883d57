const plain = /^[A-Za-z0-9.:_-]+$/

/**
 * Where a twin serves a URL of the provider: `https://acme.example/x?y` → `http://localhost:PORT/-/https/acme.example/x?y`.
 * Path, query and fragment stay as written.
 */
export function twinAddress(port: number, url: string): string {
  const { protocol, host, pathname, search, hash } = new URL(url)
  const authority = plain.test(host) ? host : encodeURIComponent(host)
  return `http://localhost:${port}/-/${protocol.slice(0, -1)}/${authority}${pathname}${search}${hash}`
}

/** The provider's URL that a path and query of the twin stand for; undefined for a path of the twin's own. */
export function originalUrl(path: string, search: string): URL | undefined {
  const [, scheme, authority, rest] = /^\/-\/(https?)\/([^/]+)(\/.*)?$/.exec(path) ?? []
  if (scheme === undefined || authority === undefined) return undefined
  try {
    const text = `${scheme}://${decodeURIComponent(authority)}${rest ?? '/'}${search}`
    return URL.canParse(text) ? new URL(text) : undefined
  } catch {
    return undefined
  }
}
