import { createPrivateKey, X509Certificate } from 'node:crypto'

/**
 * PEM text with its lines as they should be, however many blocks it holds: what went through an environment variable or a
 * one-line prompt has `\n` spelled out, or blanks where the line breaks were.
 */
export function pemBlocks(text: string): string {
  const plain = text.replaceAll('\\r', '').replaceAll('\\n', '\n')
  const blocks = [...plain.matchAll(/(-----BEGIN [A-Z0-9 ]+-----)([A-Za-z0-9+/=\s]*)(-----END [A-Z0-9 ]+-----)/g)]
  return blocks
    .map(([, begin, body = '', end]) =>
      [begin, ...(body.replace(/\s+/g, '').match(/.{1,64}/g) ?? []), end, ''].join('\n'),
    )
    .join('')
}

/** Why a certificate cannot be shown with this key, both PEM; undefined when it can. Quotes nothing of either. */
export function certificateFlaw(cert: string, key: string): string | undefined {
  const shown = reading(() => new X509Certificate(cert))
  if (shown === undefined) return 'the certificate is no certificate in PEM'
  const own = reading(() => createPrivateKey(key))
  if (own === undefined) return 'its key is no private key in PEM, or is protected by a passphrase'
  return shown.checkPrivateKey(own) ? undefined : 'its key belongs to another certificate'
}

function reading<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
