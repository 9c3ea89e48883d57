import { createPrivateKey, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { approve, type Twin } from '../../../src/sandbox/index.ts'
import { readCatalogue } from '../../support/catalogue.ts'
import { basic, type Fields, openCallback, openForTest, send, sendForm } from './twin.ts'

const catalogue = readCatalogue()

const play = async (name: string) => {
  const { redirectUri, visits } = await openCallback()
  const twin = await openForTest({ name, template: catalogue.get(name) ?? {}, callbackUrl: redirectUri })
  return { twin, visits, redirectUri }
}

const place = (twin: Twin, what: string): string => twin.places.find((one) => one.what === what)?.url ?? ''

/** The JWT of an app, made here by hand. */
function appJwt(key: string, claims: Readonly<Record<string, unknown>>): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const head = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}`
  return `${head}.${sign('sha256', Buffer.from(head), createPrivateKey(key)).toString('base64url')}`
}

const seconds = (): number => Math.floor(Date.now() / 1000)

const install = (twin: Twin, query: Fields = { state: 's' }, decision: 'approve' | 'deny' = 'approve') =>
  approve(twin.address(`${place(twin, 'where the app is installed')}?${new URLSearchParams(query)}`), { decision })

const fromGitHub = (twin: Twin, jwt: string, headers: Fields = { accept: 'application/vnd.github.v3+json' }) =>
  send(twin, place(twin, 'where an installation gets its token'), {
    method: 'POST',
    headers: { authorization: `Bearer ${jwt}`, ...headers },
  })

describe('the twin of an app that is installed', () => {
  it('sends the browser to the registered URL with the installation, and gives it tokens for the JWT of the app', async () => {
    const { twin, visits } = await play('github-app')
    await install(twin)
    const back = Object.fromEntries(visits.at(-1)?.searchParams ?? [])
    expect(back).toEqual({ state: 's', setup_action: 'install', installation_id: expect.stringMatching(/^\d{7}$/) })
    expect(place(twin, 'where an installation gets its token')).toContain(`/${back['installation_id']}/access_tokens`)
    const { clientId = '', clientSecret = '' } = twin.issued
    expect(clientId).toMatch(/^\d+$/)
    const good = { iss: clientId, iat: seconds() - 30, exp: seconds() + 600 }
    const token = await fromGitHub(twin, appJwt(clientSecret, good))
    expect(token.status, token.text).toBe(201)
    expect(Date.parse(token.json.expires_at) - Date.now()).toBeGreaterThan(3_500_000)
    const call = (one: string, path = '/installation/repositories') =>
      send(twin, `https://api.github.com${path}`, { headers: { authorization: `Bearer ${one}` } })
    expect((await call(token.json.token)).status).toBe(200)
    expect((await call(appJwt(clientSecret, good))).status).toBe(401)
    expect((await call(appJwt(clientSecret, good), '/app')).status).toBe(200)
  })

  it('refuses a JWT that is another’s, of another key, or good for too long', async () => {
    const { twin } = await play('github-app')
    const { clientId = '', clientSecret = '' } = twin.issued
    const said = async (claims: object, key = clientSecret) => {
      const reply = await fromGitHub(
        twin,
        appJwt(key, { iss: clientId, iat: seconds(), exp: seconds() + 600, ...claims }),
      )
      expect(reply.status).toBe(401)
      return reply.json.message
    }
    expect(await said({ iss: '1' })).toContain('claim iss')
    expect(await said({ exp: seconds() + 3600 })).toContain('more than ten minutes')
    expect(await said({ exp: seconds() - 1 })).toContain('expired')
    const other = await play('github-app-oauth')
    expect(await said({}, other.twin.issued.params['privateKey'])).toContain('signature')
  })

  it('comes back with an error, and without an installation, when the person says no', async () => {
    const { twin, visits } = await play('github-app')
    await install(twin, { state: 's' }, 'deny')
    const back = visits.at(-1)?.searchParams
    expect([back?.get('error'), back?.get('installation_id'), back?.get('state')]).toEqual(['access_denied', null, 's'])
    await expect(install(twin, {})).rejects.toThrow('400')
  })

  it('brings a code for the person beside the installation, redeemed once', async () => {
    const { twin, visits } = await play('github-app-oauth')
    await install(twin)
    const back = visits.at(-1)?.searchParams
    const { clientId = '', clientSecret = '', params } = twin.issued
    const client = { client_id: clientId, client_secret: clientSecret }
    const url = place(twin, 'the token endpoint')
    const accept = { accept: 'application/json' }
    const wrong = await sendForm(twin, url, { ...client, code: 'another' }, accept)
    expect([wrong.status, wrong.json.error]).toEqual([200, 'bad_verification_code'])
    const tokens = await sendForm(twin, url, { ...client, code: back?.get('code') ?? '' }, accept)
    expect(tokens.json.expires_in).toBe(28_800)
    const again = await sendForm(twin, url, { ...client, code: back?.get('code') ?? '' }, accept)
    expect(again.json.error).toBe('bad_verification_code')
    await install(twin)
    const plain = await sendForm(
      twin,
      url,
      { ...client, code: visits.at(-1)?.searchParams.get('code') ?? '' },
      { accept: '*/*' },
    )
    expect(new URLSearchParams(plain.text).get('access_token')).toMatch(/^access_/)
    const jwt = appJwt(params['privateKey'] ?? '', { iss: params['appId'], iat: seconds(), exp: seconds() + 600 })
    const app = await fromGitHub(twin, jwt)
    for (const token of [JSON.parse(app.text).token, new URLSearchParams(plain.text).get('access_token')]) {
      const headers = { authorization: `Bearer ${token}` }
      expect((await send(twin, 'https://api.github.com/user', { headers })).status).toBe(200)
    }
  })
})

describe('the twin of a plugin that is installed', () => {
  it('comes back with the payload and the website, and is called by the plugin’s own key', async () => {
    const { twin, visits } = await play('crisp-plugin-install')
    const { appLink = '', username = '', password = '' } = twin.issued.params
    await approve(twin.address(`${appLink}?payload=a%20b`))
    const back = Object.fromEntries(visits.at(-1)?.searchParams ?? [])
    expect(back).toEqual({ payload: 'a b', website_id: expect.any(String) })
    const trial = place(twin, 'where credentials are tried')
    const call = (authorization: string) => send(twin, trial, { headers: { authorization, 'x-crisp-tier': 'plugin' } })
    expect((await call(basic(username, password))).status).toBe(200)
    expect((await call(basic(username, 'another'))).status).toBe(401)
  })
})
