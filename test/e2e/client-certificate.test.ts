import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { expect, it, onTestFinished } from 'vitest'
import { type Certificate, foundAuthority } from '../support/certificates.ts'
import { type CliEnd, runCli } from '../support/cli.ts'
import { freshFolder } from '../support/disk.ts'
import { projectWith } from '../support/project.ts'

const accessToken = 'Acc3ss-token-bound-to-a-certificate'
const clientSecret = 'S3cret-beside-a-certificate'
const oneLine = (pem: string): string => pem.trim().replaceAll('\n', '\\n')

/** A provider that knows its clients by the certificates of its own authority, and somebody who runs the command. */
async function openBank() {
  const authority = foundAuthority(freshFolder())
  const visits: string[] = []
  const server = createServer(
    { ...authority.issue('localhost', 'DNS:localhost'), ca: readFileSync(authority.file), requestCert: true },
    (request, response) => {
      visits.push(`${(request.socket as TLSSocket).getPeerCertificate().subject.CN} ${request.method} ${request.url}`)
      request.resume()
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ access_token: accessToken, token_type: 'Bearer', expires_in: 3600 }))
    },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const origin = `https://localhost:${(server.address() as AddressInfo).port}`
  const bank = {
    display_name: 'Bank',
    docs: 'https://bank.example',
    auth_mode: 'OAUTH2_CC',
    token_url: `${origin}/token`,
    token_params: { grant_type: 'client_credentials' },
    require_client_certificate: true,
    proxy: { base_url: `${origin}/api` },
  }
  const place = { cwd: projectWith({ bank }), home: freshFolder() }
  const run = (args: readonly string[], { cert, key }: Certificate, trust = true): Promise<CliEnd> =>
    runCli(args, {
      ...place,
      env: {
        BANK_CLIENT_SECRET: clientSecret,
        CERT: oneLine(cert),
        KEY: oneLine(key),
        ...(trust ? { NODE_EXTRA_CA_CERTS: authority.file } : {}),
      },
    })
  return { authority, visits, run }
}

const proof = ['--client-certificate', 'env:CERT', '--client-private-key', 'env:KEY']
const connect = ['connect', 'bank', '--client-id', 'c', ...proof, '--trust-project']

it('shows the certificate at the token endpoint and on calls, and no secret on the way', async () => {
  const { authority, visits, run } = await openBank()
  const ours = authority.issue('our client', 'DNS:client.test')
  const connected = await run([...connect, '--json'], ours)
  expect(connected).toMatchObject({ status: 0 })
  expect(JSON.parse(connected.stdout)).toMatchObject({ mode: 'OAUTH2_CC', credential: { type: 'OAUTH2_CC' } })
  const called = await run(['request', 'bank', '/accounts'], ours)
  expect(called).toMatchObject({ status: 0 })
  expect(visits).toEqual(['our client POST /token', 'our client GET /api/accounts'])
  const [flow] = (JSON.parse((await run(['logs', '--json'], ours)).stdout) as { id: string }[]).slice(-1)
  const logs = await run(['logs', 'show', flow?.id ?? '', '--json'], ours)
  const said = `${connected.stdout}${connected.stderr}${called.stderr}${logs.stdout}`
  const line = ours.key.split('\n')[1] ?? ''
  expect(logs.stdout).toContain('/token')
  for (const secret of [clientSecret, accessToken, line]) expect(said).not.toContain(secret)
})

it('verifies the server all the same', async () => {
  const { authority, visits, run } = await openBank()
  const refused = await run(connect, authority.issue('our client', 'DNS:client.test'), false)
  expect(refused).toMatchObject({ status: 5, stdout: '' })
  expect(refused.stderr).toContain('The certificate of localhost')
  expect(visits).toEqual([])
})

it('refuses a key that belongs to another certificate before anything is sent', async () => {
  const { authority, visits, run } = await openBank()
  const { cert } = authority.issue('our client', 'DNS:client.test')
  const { key } = authority.issue('another client', 'DNS:other.test')
  const refused = await run(connect, { cert, key })
  expect(refused.status).toBe(2)
  expect(refused.stderr).toContain('its key belongs to another certificate')
  expect(visits).toEqual([])
})

it('fails on the road where the server does not know who issued the certificate', async () => {
  const { visits, run } = await openBank()
  const refused = await run(connect, foundAuthority(freshFolder()).issue('a stranger', 'DNS:stranger.test'))
  expect(refused).toMatchObject({ status: 5, stdout: '' })
  expect(visits).toEqual([])
})
