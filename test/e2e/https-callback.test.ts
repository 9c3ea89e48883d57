import { copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { foundAuthority } from '../support/certificates.ts'
import { followerEnv, runCli } from '../support/cli.ts'
import { freshFolder } from '../support/disk.ts'
import { openProvider, templateOf } from '../support/provider.ts'

const client = ['--client-id', 'app', '--client-secret', 's3cr3t-s3cr3t']
const own = ['--callback-url', 'https://localhost:0/cb']

/** A provider that wants https, and a browser that trusts `authority` besides what it always does. */
async function stage(authority?: string) {
  const provider = await openProvider()
  const home = freshFolder()
  const cwd = freshFolder()
  writeFileSync(path.join(cwd, 'auth-cli.yaml'), templateOf(provider.origin, { redirect_uri: { https: true } }))
  const trust = authority === undefined ? {} : { NODE_EXTRA_CA_CERTS: authority }
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    runCli(['connect', 'acme', ...client, ...args], { home, cwd, env: { ...followerEnv(), ...trust, ...env } })
  return { provider, home, run }
}

it('a provider that wants https is offered it before a browser opens', async () => {
  const { provider, run } = await stage()
  const { status, stderr } = await run([])
  expect(status).toBe(2)
  expect(stderr).toContain('--callback-url https://localhost:8749/oauth/callback')
  expect(provider.hits).toHaveLength(0)
})

it("comes home over https with a certificate of mkcert's authority, which browsers trust", async () => {
  const root = freshFolder()
  const authority = foundAuthority(root)
  copyFileSync(authority.file, path.join(root, 'rootCA.pem'))
  copyFileSync(path.join(root, 'ca.key'), path.join(root, 'rootCA-key.pem'))
  const { provider, home, run } = await stage(authority.file)
  const { status, stderr } = await run(own, { CAROOT: root })
  expect(stderr).toMatch(/Listening on https:\/\/localhost:\d+[\s\S]*mkcert/)
  expect(status).toBe(0)
  const [sent] = provider.tokenRequests()
  expect(sent?.form.get('redirect_uri')).toMatch(/^https:\/\/localhost:[1-9]\d*\/cb$/)
  const kept = path.join(home, 'certificates')
  expect(readdirSync(kept)).toEqual(['mkcert-localhost.key.pem', 'mkcert-localhost.pem'])
  for (const name of readdirSync(kept)) expect(statSync(path.join(kept, name)).mode & 0o777).toBe(0o600)
  const logs = readdirSync(path.join(home, 'logs')).map((name) => readFileSync(path.join(home, 'logs', name), 'utf8'))
  const secret = readFileSync(path.join(kept, 'mkcert-localhost.key.pem'), 'utf8').split('\n')[1] ?? ''
  expect(logs.join('')).toContain('"from":"mkcert"')
  expect(logs.join('')).not.toContain(secret)
})

it('says how a certificate that signs itself comes to be trusted, and takes one that is given', async () => {
  const folder = freshFolder()
  const authority = foundAuthority(folder)
  const { run, home } = await stage(authority.file)
  const unknown = await run([...own, '--timeout', '3'])
  expect(unknown.stderr).toMatch(/one that signs itself[\s\S]*certutil[\s\S]*mkcert -install/)
  expect(unknown.status).toBe(5)
  const { cert, key } = authority.issue('localhost', 'DNS:localhost')
  writeFileSync(path.join(folder, 'given.pem'), cert)
  writeFileSync(path.join(folder, 'given.key'), key)
  const files = { AUTH_CLI_CALLBACK_CERT: `${folder}/given.pem`, AUTH_CLI_CALLBACK_KEY: `${folder}/given.key` }
  const given = await run([...own, '--verbose'], files)
  expect(given.stderr).toMatch(/certificate is yours/)
  expect(given.status).toBe(0)
  const half = await run([...own, '--as', 'half', '--callback-cert', `${folder}/given.pem`], files)
  expect(half.status).toBe(2)
  expect(readdirSync(path.join(home, 'connections'))).toEqual(['acme.json'])
})
