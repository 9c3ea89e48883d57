import { createHash } from 'node:crypto'
import { UsageError } from './model/errors.ts'
import type { Provider, Template } from './model/provider.ts'

/** Whether what was typed is a URL rather than a name. */
export function isAddress(text: string): boolean {
  return /^https?:\/\//i.test(text)
}

/**
 * A provider of which nothing is known but its URL, an MCP server's or an issuer's: what it is, and how one is authorized
 * there, it says itself. It is called by its host. Throws UsageError `BAD_ARGUMENT`.
 */
export function providerAt(address: string): Provider {
  const url = addressOf(address)
  const name = hostName(url)
  const template: Template = {
    display_name: name,
    auth_mode: 'MCP_OAUTH2_GENERIC',
    connection_config: {
      mcp_server_url: { type: 'string', title: 'Server URL', hidden: true, default_value: url },
    },
    proxy: {
      base_url: '${connectionConfig.mcp_server_url}',
      headers: { accept: 'application/json, text/event-stream' },
    },
  }
  const hash = createHash('sha256').update(JSON.stringify(template)).digest('hex')
  return {
    name,
    names: [name],
    title: name,
    template,
    source: { kind: 'address', file: url, hash },
    hides: [],
    warnings: [],
  }
}

/** As it was typed, but for what a parser writes otherwise without changing it: `HTTPS://Host:443`. */
function addressOf(address: string): string {
  const bad = (why: string): UsageError =>
    new UsageError('BAD_ARGUMENT', `The URL to connect ${why}.`, {
      hint: 'Give the URL of an MCP server, such as https://mcp.example.com/mcp, or of an issuer.',
    })
  if (!URL.canParse(address)) throw bad('cannot be read')
  const url = new URL(address)
  if (url.username !== '' || url.password !== '') throw bad('has a user name in it')
  if (url.hash !== '' || address.includes('#')) throw bad('has a fragment')
  return url.href
}

/** `mcp.example.com`, `localhost-3000`: good as a name in a shell and on a disk. */
function hostName(url: string): string {
  const { hostname, port } = new URL(url)
  return [
    hostname
      .replace(/^\[|\]$/g, '')
      .replace(/:+/g, '-')
      .replace(/^-+|-+$/g, ''),
    port,
  ]
    .filter((part) => part !== '')
    .join('-')
}
