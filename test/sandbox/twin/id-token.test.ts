import { createPublicKey, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { comeBack, exchanging, type Fields, openForTest, send, sendForm, temporaryHome } from './twin.ts'

const template = {
  display_name: 'Ident',
  auth_mode: 'OAUTH2',
  issuer: 'https://id.acme.example/tenant',
  authorization_url: 'https://id.acme.example/authorize',
  authorization_params: { nonce: 'the-same-for-everybody' },
  token_url: 'https://id.acme.example/token',
  proxy: { base_url: 'https://api.acme.example' },
}

const partsOf = (jwt: string) => {
  const [head = '', body = '', signature = ''] = jwt.split('.')
  const read = (text: string) => JSON.parse(Buffer.from(text, 'base64url').toString())
  return {
    header: read(head),
    claims: read(body),
    signed: `${head}.${body}`,
    signature: Buffer.from(signature, 'base64url'),
  }
}

const authorize = (query: URLSearchParams): string => `${template.authorization_url}?${query}`

describe('an issuer', () => {
  it('signs ID tokens that its published keys judge, for the client and the nonce that asked', async () => {
    const home = temporaryHome()
    const twin = await openForTest({ template, home })
    const back = await comeBack(twin, authorize, { scope: 'openid read', nonce: 'my own' })
    const { json } = await sendForm(twin, template.token_url, exchanging(twin, back))
    const { header, claims, signed, signature } = partsOf(json.id_token)
    expect(claims).toMatchObject({ iss: template.issuer, aud: twin.issued.clientId, sub: 'robin', nonce: 'my own' })
    expect(claims.exp).toBeGreaterThan(Date.now() / 1000)
    const metadata = await send(twin, `${template.issuer}/.well-known/openid-configuration`)
    expect(metadata.json).toMatchObject({ issuer: template.issuer, id_token_signing_alg_values_supported: ['ES256'] })
    await twin.close()
    const again = await openForTest({ template, home })
    const { keys } = (await send(again, metadata.json.jwks_uri)).json
    const jwk = keys.find(({ kid }: { kid: string }) => kid === header.kid)
    const key = createPublicKey({ format: 'jwk', key: jwk })
    expect(jwk.d).toBeUndefined()
    expect(verify('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true)
  })

  it('gives none where openid was not asked for, and wants the nonce of the template then', async () => {
    const twin = await openForTest({ template })
    const fixed: Fields = { scope: 'read', nonce: 'the-same-for-everybody' }
    const back = await comeBack(twin, authorize, fixed)
    const { json } = await sendForm(twin, template.token_url, exchanging(twin, back))
    expect([json.id_token, typeof json.access_token]).toEqual([undefined, 'string'])
    const refused = await comeBack(twin, authorize, { scope: 'read', nonce: 'my own' })
    expect(refused.params.get('error_description')).toContain('the parameter nonce is not')
  })
})
