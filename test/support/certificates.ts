import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Certificate {
  readonly key: string
  readonly cert: string
}

export interface Authority {
  /** PEM file, for NODE_EXTRA_CA_CERTS. */
  readonly file: string
  /** `names`: `DNS:acme.test,IP:127.0.0.1`. `days` may be negative: then it has expired. */
  issue(commonName: string, names: string, days?: number): Certificate
}

/** A certificate authority of the test's own, made with openssl in `folder`. */
export function foundAuthority(folder: string): Authority {
  const at = (name: string): string => join(folder, name)
  const openssl = (...words: string[]): void => void execFileSync('openssl', words, { stdio: 'pipe' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...newKey, '-keyout', at('ca.key'), '-out', at('ca.pem'), '-subj', '/CN=Test Authority')
  let count = 0
  return {
    file: at('ca.pem'),
    issue(commonName, names, days = 2) {
      const [key, request, cert, extensions] = ['key', 'csr', 'pem', 'ext'].map((kind) => at(`${count}.${kind}`)) as [
        string,
        string,
        string,
        string,
      ]
      count++
      writeFileSync(extensions, `subjectAltName=${names}\n`)
      openssl('req', ...newKey, '-keyout', key, '-out', request, '-subj', `/CN=${commonName}`)
      const authority = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-set_serial', `${count}`]
      openssl('x509', '-req', '-in', request, ...authority, '-days', `${days}`, '-extfile', extensions, '-out', cert)
      return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
    },
  }
}
