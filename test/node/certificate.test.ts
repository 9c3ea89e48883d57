import { execFileSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { connect } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import { makeCertificate } from '../../src/node/certificate.ts'
import { authorityFolders, type CertificatesTerms, certificateFor } from '../../src/node/certificates.ts'
import { foundAuthority } from '../support/certificates.ts'
import { freshFolder } from '../support/disk.ts'

const names = ['localhost', '127.0.0.1', '::1', 'fe80::1:2', 'app.localhost']
const now = new Date()

const openssl = (args: readonly string[], input = ''): string =>
  execFileSync('openssl', args, { input, encoding: 'utf8', stdio: 'pipe' })

/** What a TLS client that trusts `ca` alone makes of a server with this pair. */
async function handshake(pair: { cert: string; key: string }, ca: string, servername: string): Promise<string> {
  const server = createServer({ cert: pair.cert, key: pair.key })
  server.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  return new Promise((resolve) => {
    const { port } = server.address() as AddressInfo
    const socket = connect({ port, host: '127.0.0.1', ca, servername }, () => {
      resolve('trusted')
      socket.destroy()
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  })
}

describe('a certificate that signs itself', () => {
  it('is one that OpenSSL reads as meant: a server of these names, no authority', () => {
    const { cert } = makeCertificate({ names, from: new Date('2026-01-02T03:04:05Z'), days: 800 })
    const text = openssl(['x509', '-noout', '-text'], cert)
    expect(text).toMatch(/Version: 3/)
    expect(text).toMatch(/Not Before: Jan {2}2 03:04:05 2026 GMT/)
    expect(text).toMatch(/Not After : Mar 12 03:04:05 2028 GMT/)
    expect(text).toMatch(/Issuer: CN = localhost[\s\S]*Subject: CN = localhost/)
    expect(text).toMatch(/Basic Constraints: critical\s+CA:FALSE/)
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature/)
    expect(text).toMatch(/TLS Web Server Authentication/)
    expect(text.replaceAll(' ', '')).toMatch(
      /DNS:localhost,IPAddress:127\.0\.0\.1,IPAddress:0:0:0:0:0:0:0:1,IPAddress:FE80:0:0:0:0:0:1:2,DNS:app\.localhost/,
    )
  })

  it('ends after 2049 in the other form of time', () => {
    const { cert } = makeCertificate({ names, from: new Date('2049-12-31T00:00:00Z'), days: 2 })
    expect(new X509Certificate(cert).validTo).toBe('Jan  2 00:00:00 2050 GMT')
  })

  it('serves its names to who trusts it, and nobody else', async () => {
    const pair = makeCertificate({ names, from: new Date(now.getTime() - 60_000), days: 2 })
    expect(await handshake(pair, pair.cert, 'localhost')).toBe('trusted')
    expect(await handshake(pair, pair.cert, 'elsewhere.test')).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    const other = makeCertificate({ names, from: new Date(now.getTime() - 60_000), days: 2 })
    expect(await handshake(pair, other.cert, 'localhost')).toMatch(/SELF_SIGNED|UNABLE/)
  })

  it.each(['rsa', 'ec'])('may be signed by an authority with a key of %s instead', async (kind) => {
    const folder = freshFolder()
    const at = (name: string): string => path.join(folder, name)
    const how = kind === 'rsa' ? ['rsa:2048'] : ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
    openssl([
      'req',
      '-x509',
      '-newkey',
      ...how,
      '-nodes',
      '-keyout',
      at('k'),
      '-out',
      at('c'),
      '-subj',
      '/O=mkcert development CA/OU=me/CN=mkcert me',
    ])
    const ca = readFileSync(at('c'), 'utf8')
    const authority = { cert: new X509Certificate(ca), key: createPrivateKey(readFileSync(at('k'))) }
    const pair = makeCertificate({ names, from: new Date(now.getTime() - 60_000), days: 2, authority })
    expect(new X509Certificate(pair.cert).verify(authority.cert.publicKey)).toBe(true)
    expect(await handshake(pair, ca, 'localhost')).toBe('trusted')
  })
})

describe('the certificate of a callback', () => {
  const termsIn = (folder: string, more: Partial<CertificatesTerms> = {}): CertificatesTerms => ({
    folder,
    given: {},
    authorities: [],
    platform: 'linux',
    now,
    ...more,
  })

  it('is made once, for its owner alone to read, and used again until it ends', () => {
    const folder = path.join(freshFolder(), 'certificates')
    const made = certificateFor('localhost', termsIn(folder))
    expect(made).toMatchObject({ from: 'own', trust: expect.stringContaining(made.file) })
    expect(statSync(made.file).mode & 0o777).toBe(0o600)
    expect(statSync(made.file.replace('.pem', '.key.pem')).mode & 0o777).toBe(0o600)
    expect(certificateFor('localhost', termsIn(folder)).fingerprint).toBe(made.fingerprint)
    const later = new Date(now.getTime() + 900 * 86_400_000)
    expect(certificateFor('localhost', termsIn(folder, { now: later })).fingerprint).not.toBe(made.fingerprint)
    writeFileSync(made.file, 'broken')
    expect(new X509Certificate(certificateFor('localhost', termsIn(folder)).cert).checkHost('localhost')).toBe(
      'localhost',
    )
    expect(new X509Certificate(certificateFor('app.localhost', termsIn(folder)).cert).checkHost('app.localhost')).toBe(
      'app.localhost',
    )
  })

  it("is signed by mkcert's authority where this person has one, and anew where it has changed", () => {
    const folder = path.join(freshFolder(), 'certificates')
    const root = freshFolder()
    const found = (name: string) => {
      const where = path.join(root, name)
      mkdirSync(where)
      foundAuthority(where)
      copyFileSync(path.join(where, 'ca.pem'), path.join(where, 'rootCA.pem'))
      copyFileSync(path.join(where, 'ca.key'), path.join(where, 'rootCA-key.pem'))
      return { where, key: new X509Certificate(readFileSync(path.join(where, 'ca.pem'))).publicKey }
    }
    const [one, other] = [found('one'), found('other')]
    const made = certificateFor('localhost', termsIn(folder, { authorities: [one.where] }))
    expect(made.from).toBe('mkcert')
    expect(made).not.toHaveProperty('trust')
    expect(new X509Certificate(made.cert).verify(one.key)).toBe(true)
    const anew = certificateFor('localhost', termsIn(folder, { authorities: [other.where] }))
    expect(new X509Certificate(anew.cert).verify(other.key)).toBe(true)
    writeFileSync(path.join(other.where, 'rootCA-key.pem'), 'broken')
    expect(certificateFor('localhost', termsIn(folder, { authorities: [other.where] })).from).toBe('own')
  })

  it('is the one that was given, if it serves', () => {
    const folder = freshFolder()
    const authority = foundAuthority(folder)
    const given = (commonName: string, san: string, days?: number) => {
      const pair = authority.issue(commonName, san, days)
      const [cert, key] = [path.join(folder, `${commonName}.c`), path.join(folder, `${commonName}.k`)]
      writeFileSync(cert, pair.cert)
      writeFileSync(key, pair.key)
      return { cert, key }
    }
    const good = given('good', 'DNS:localhost')
    const certificates = path.join(folder, 'certificates')
    expect(certificateFor('localhost', termsIn(certificates, { given: good }))).toMatchObject({
      from: 'given',
      file: good.cert,
    })
    expect(existsSync(certificates)).toBe(false)
    const refused = (files: CertificatesTerms['given'], why: RegExp): void => {
      const act = () => certificateFor('localhost', termsIn(certificates, { given: files }))
      expect(act).toThrow(
        expect.objectContaining({ code: 'BAD_CERTIFICATE', exitCode: 2, message: expect.stringMatching(why) }),
      )
    }
    const foreign = given('foreign', 'DNS:elsewhere.test')
    refused({ cert: good.cert }, /belong together/)
    refused({ cert: good.cert, key: foreign.key }, /not the one of the certificate/)
    refused(foreign, /not for localhost/)
    refused(given('old', 'DNS:localhost', -1), /ended on/)
    refused({ cert: good.key, key: good.key }, /no certificate and private key/)
    refused({ cert: path.join(folder, 'nowhere'), key: good.key }, /no file/)
  })

  it("looks for mkcert's authority where mkcert keeps it", () => {
    expect(authorityFolders({ CAROOT: '/ca' }, 'linux', '/home/me')).toEqual(['/ca'])
    expect(authorityFolders({}, 'linux', '/home/me')).toEqual(['/home/me/.local/share/mkcert'])
    expect(authorityFolders({ XDG_DATA_HOME: '/data' }, 'linux', '/home/me')).toEqual(['/data/mkcert'])
    expect(authorityFolders({}, 'darwin', '/Users/me')).toEqual(['/Users/me/Library/Application Support/mkcert'])
    expect(authorityFolders({ LOCALAPPDATA: '/local' }, 'win32', '/me')).toEqual(['/local/mkcert'])
  })
})
