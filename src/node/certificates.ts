import { createPrivateKey, X509Certificate } from 'node:crypto'
import path from 'node:path'
import { UsageError } from '../model/errors.ts'
import type { ServerCertificate } from '../model/world.ts'
import { type Authority, ipVersionOf, type KeyPair, makeCertificate } from './certificate.ts'
import { diskTrouble, makeFolder, readIfThere, readTrouble, replaceWhole } from './disk.ts'

export interface CertificatesTerms {
  /** Folder in which those that we made are kept. */
  readonly folder: string
  /** PEM files that the person gave. */
  readonly given: { readonly cert?: string | undefined; readonly key?: string | undefined }
  /** Folders in which mkcert may keep its authority, the likeliest first. */
  readonly authorities: readonly string[]
  readonly platform: string
  readonly now: Date
}

/** What browsers take of a server that is trusted by hand: no longer than 825 days. */
const days = 800
/** Milliseconds: one that ends sooner is made anew. */
const reserve = 86_400_000

/**
 * The certificate that a callback at this loopback host is served with: the one that was given; else one signed by
 * mkcert's authority, where this person has one; else one that signs itself. What we make is kept (0600) and used again.
 * Throws UsageError `BAD_CERTIFICATE` for a given one that does not serve; MachineError `DISK_FULL`, `NOT_WRITABLE`.
 */
export function certificateFor(host: string, terms: CertificatesTerms): ServerCertificate {
  const { cert, key } = terms.given
  if (cert !== undefined || key !== undefined) return givenCertificate(host, cert, key, terms.now)
  const authority = authorityIn(terms.authorities)
  const kind = authority === undefined ? 'own' : 'mkcert'
  const stem = path.join(terms.folder, `${kind}-${host.replace(/[^a-z0-9.-]/gi, '_')}`)
  const files = { cert: `${stem}.pem`, key: `${stem}.key.pem` }
  const pair = keptPair(files, host, authority, terms.now) ?? makePair(files, host, authority, terms)
  return told(kind, pair, files.cert, terms.platform)
}

/** Where mkcert keeps its authority by its own rules. */
export function authorityFolders(
  env: Readonly<Record<string, string | undefined>>,
  platform: string,
  homedir: string,
): string[] {
  if (env['CAROOT']) return [env['CAROOT']]
  if (platform === 'win32') return env['LOCALAPPDATA'] ? [path.join(env['LOCALAPPDATA'], 'mkcert')] : []
  if (platform === 'darwin') return [path.join(homedir, 'Library', 'Application Support', 'mkcert')]
  return [path.join(env['XDG_DATA_HOME'] || path.join(homedir, '.local', 'share'), 'mkcert')]
}

function told(from: ServerCertificate['from'], pair: KeyPair, file: string, platform: string): ServerCertificate {
  const fingerprint = new X509Certificate(pair.cert).fingerprint256
  return { ...pair, from, file, fingerprint, ...(from === 'own' ? { trust: trustWords(file, platform) } : {}) }
}

/** The command that makes this person's browsers trust a certificate that signs itself. */
function trustWords(file: string, platform: string): string {
  const commands: Readonly<Record<string, string>> = {
    darwin: `security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db "${file}"`,
    win32: `certutil -user -addstore Root "${file}"`,
  }
  const command = commands[platform] ?? `certutil -d sql:$HOME/.pki/nssdb -A -t P,, -n auth-cli -i "${file}"`
  return [
    'Your browser does not know this certificate and will warn: go on past the warning, or have it trusted for good:',
    command,
    'or let mkcert do it: mkcert -install, then connect again.',
  ].join('\n')
}

function makePair(
  files: { readonly cert: string; readonly key: string },
  host: string,
  authority: Authority | undefined,
  { folder, now }: CertificatesTerms,
): KeyPair {
  const names = [...new Set([host, 'localhost', '127.0.0.1', '::1'])]
  // A clock that runs behind ours must not find it of the future.
  const pair = makeCertificate({ names, from: new Date(now.getTime() - reserve), days, authority })
  try {
    makeFolder(folder)
    replaceWhole(files.key, pair.key)
    replaceWhole(files.cert, pair.cert)
  } catch (error) {
    throw diskTrouble(error, 'the certificate of the callback was not saved', folder)
  }
  return pair
}

/** Undefined where there is none that still serves. */
function keptPair(
  files: { readonly cert: string; readonly key: string },
  host: string,
  authority: Authority | undefined,
  now: Date,
): KeyPair | undefined {
  try {
    const [cert, key] = [readIfThere(files.cert)?.toString('utf8'), readIfThere(files.key)?.toString('utf8')]
    if (cert === undefined || key === undefined) return undefined
    const read = new X509Certificate(cert)
    const isOurs = authority === undefined || read.verify(authority.cert.publicKey)
    return isOurs && problemOf(read, key, host, new Date(now.getTime() + reserve)) === undefined
      ? { cert, key }
      : undefined
  } catch {
    return undefined
  }
}

function problemOf(cert: X509Certificate, key: string, host: string, now: Date): string | undefined {
  if (!cert.checkPrivateKey(createPrivateKey(key))) return 'the key is not the one of the certificate'
  if (Date.parse(cert.validTo) < now.getTime()) return `it ended on ${cert.validTo}`
  const name = ipVersionOf(host) === 0 ? cert.checkHost(host) : cert.checkIP(host)
  return name === undefined ? `it is not for ${host}` : undefined
}

function givenCertificate(
  host: string,
  certFile: string | undefined,
  keyFile: string | undefined,
  now: Date,
): ServerCertificate {
  if (certFile === undefined || keyFile === undefined) {
    throw badCertificate('A certificate and its key belong together.', 'Give both: --callback-cert and --callback-key.')
  }
  const [cert, key] = [readText(certFile), readText(keyFile)]
  let problem: string | undefined
  try {
    problem = problemOf(new X509Certificate(cert), key, host, now)
  } catch {
    // The parser's words may quote what it could not read.
    problem = 'the two files are no certificate and private key in PEM without a passphrase'
  }
  if (problem !== undefined) {
    throw badCertificate(`${certFile} cannot serve the callback: ${problem}.`, `It has to be valid for ${host}.`)
  }
  return told('given', { cert, key }, certFile, '')
}

function readText(file: string): string {
  let bytes: Buffer | undefined
  try {
    bytes = readIfThere(file)
  } catch (error) {
    throw readTrouble(error, file)
  }
  if (bytes === undefined)
    throw badCertificate(`There is no file ${file}.`, 'Look at --callback-cert and --callback-key.')
  return bytes.toString('utf8')
}

function badCertificate(message: string, hint: string): UsageError {
  return new UsageError('BAD_CERTIFICATE', message, { hint })
}

/** mkcert's authority, where its files are there and fit each other. */
function authorityIn(folders: readonly string[]): Authority | undefined {
  for (const folder of folders) {
    try {
      const [cert, key] = [
        readIfThere(path.join(folder, 'rootCA.pem')),
        readIfThere(path.join(folder, 'rootCA-key.pem')),
      ]
      if (cert === undefined || key === undefined) continue
      const authority = { cert: new X509Certificate(cert), key: createPrivateKey(key) }
      const isFit =
        authority.cert.checkPrivateKey(authority.key) && ['rsa', 'ec'].includes(authority.key.asymmetricKeyType ?? '')
      if (isFit) return authority
    } catch {
      // Unreadable or broken: a certificate of our own serves as well.
    }
  }
  return undefined
}
