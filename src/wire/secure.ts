import { UsageError } from '../model/errors.ts'

/** Refuses plain http to anything but loopback, before a byte is sent (RFC 9700 §2.6). Throws UsageError `INSECURE_URL`. */
export function assertSecure(url: string, allowHttp: boolean, field: string): void {
  const { protocol, hostname } = new URL(url)
  if (protocol === 'https:') return
  if (protocol === 'http:' && (allowHttp || isLoopback(hostname))) return
  throw new UsageError('INSECURE_URL', `${field} would send secrets over plain http to ${hostname}.`, {
    hint: 'Use https. If this is a network of your own, allow it for this run with --allow-http.',
  })
}

/** `localhost` and names under it, 127.0.0.0/8, [::1]. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase()
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
