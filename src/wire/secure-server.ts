import type { Server, ServerOptions } from 'node:http'
import { createServer } from 'node:https'

/** A server of https where one of http would stand; apart, since few callbacks need TLS loaded. */
export function secureServer(options: ServerOptions, pair: { readonly cert: string; readonly key: string }): Server {
  return createServer({ ...options, ...pair }) as unknown as Server
}

/** What kept a handshake from success, in words for whoever waits. */
export function handshakeTrouble(error: { readonly code?: string | undefined }): string {
  if (error.code === 'ERR_SSL_HTTP_REQUEST') return 'it speaks http, and we listen for https'
  if (/CERTIFICATE|UNKNOWN_CA/.test(error.code ?? '')) return 'the browser does not trust our certificate yet'
  return 'no TLS connection came about'
}
