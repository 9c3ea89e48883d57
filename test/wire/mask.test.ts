import { describe, expect, it } from 'vitest'
import { bodyCap, maskBody, maskForm, maskHeaders, maskUrl, maskValue } from '../../src/wire/mask.ts'
import { secretsOfHome } from '../support/secrets-under.ts'

const fresh = () => secretsOfHome(1)
const secret = 'sesame-that-nobody-may-read'
const json = 'application/json'

describe('a URL', () => {
  it.each([
    'code',
    'state',
    'access_token',
    'refresh_token',
    'client_secret',
    'code_verifier',
    'api_key',
    'apikey',
    'X-Api-Key',
    'id_token',
    'client_assertion',
    'request_uri',
    'token',
    'password',
    'sig',
  ])('shows that there was a %s, and not what it was', (name) => {
    const secrets = fresh()
    const shown = maskUrl(`https://api.test/p?a=1&${name}=${secret}&b=2`, secrets)
    expect(shown).toBe(`https://api.test/p?a=1&${name}=${secrets.mask(secret)}&b=2`)
    expect(maskUrl(`https://api.test/p#${name}=${secret}`, secrets)).not.toContain(secret)
  })

  it.each(['token_type', 'expires_in', 'redirect_uri', 'client_id', 'scope', 'code_challenge', 'grant_type', 'nonce'])(
    'shows the %s',
    (name) => {
      expect(maskUrl(`https://api.test/?${name}=shown`, fresh())).toBe(`https://api.test/?${name}=shown`)
    },
  )

  it('hides a learned secret in its path and in any spelling', () => {
    const secrets = fresh()
    const odd = 'p:%+/ü- &='
    secrets.learn(odd)
    for (const form of [
      encodeURIComponent(odd),
      encodeURIComponent(odd).toLowerCase(),
      new URLSearchParams({ x: odd }).toString().slice(2),
      Buffer.from(odd).toString('base64'),
      Buffer.from(odd).toString('base64url'),
    ]) {
      expect(maskUrl(`https://api.test/hook/${form}?q=${form}`, secrets)).toBe(
        `https://api.test/hook/${secrets.mask(odd)}?q=${secrets.mask(odd)}`,
      )
    }
  })
})

describe('headers', () => {
  it.each([
    ['Authorization', `Bearer ${secret}`, (mask: string) => `Bearer ${mask}`],
    ['authorization', secret, (mask: string) => mask],
    ['Proxy-Authorization', `Basic ${secret}`, (mask: string) => `Basic ${mask}`],
    ['Set-Cookie', `sid=${secret}; HttpOnly; Path=/`, (mask: string) => `sid=${mask}; HttpOnly; Path=/`],
    ['Cookie', `a=${secret}; b=${secret}`, (mask: string) => `a=${mask}; b=${mask}`],
    ['Location', `https://x.test/?code=${secret}&x=1`, (mask: string) => `https://x.test/?code=${mask}&x=1`],
    ['X-Api-Key', secret, (mask: string) => mask],
    ['X-Auth-Token', secret, (mask: string) => mask],
    ['WWW-Authenticate', 'Bearer error="invalid_token"', () => 'Bearer error="invalid_token"'],
    ['Content-Type', json, () => json],
  ])('show %s, masked where it must be', (name, value, expected) => {
    const secrets = fresh()
    expect(maskHeaders([[name, value]], secrets)).toEqual([[name, expected(secrets.mask(secret))]])
  })
})

describe('a body', () => {
  it('of JSON is masked by its names, at any depth', () => {
    const secrets = fresh()
    const mask = secrets.mask(secret)
    const body = {
      access_token: secret,
      token_type: 'bearer',
      data: [{ refreshToken: secret, id: 7 }],
      tokens: { one: secret, expires_in: 3600 },
      password: 1234567890,
    }
    expect(JSON.parse(maskBody(JSON.stringify(body), json, secrets))).toEqual({
      access_token: mask,
      token_type: 'bearer',
      data: [{ refreshToken: mask, id: 7 }],
      tokens: { one: mask, expires_in: expect.anything() },
      password: secrets.mask('1234567890'),
    })
  })

  it('teaches what it hides, so that later texts hide it too', () => {
    const secrets = fresh()
    maskBody(JSON.stringify({ access_token: secret }), json, secrets)
    expect(secrets.scrub(`failed for ${secret}!`)).toBe(`failed for ${secrets.mask(secret)}!`)
  })

  it('does not take a common word for a secret everywhere', () => {
    const secrets = fresh()
    expect(maskBody('{"state":"open","text":"an open door"}', json, secrets)).toContain('an open door')
  })

  it.each([
    ['a form', `grant_type=x&client_secret=${secret}&code=${secret}`, 'application/x-www-form-urlencoded'],
    ['a form that says it is text', `access_token=${secret}&scope=a`, 'text/plain'],
    ['JSON that is cut off', `{"token_type":"bearer","access_token":"${secret}`, json],
    ['JSON cut in its middle', `{"access_token":"${secret}","refresh_token":"${secret}","scope":"re`, json],
    ['JSON behind a byte order mark', `\uFEFF{"access_token":"${secret}"}`, json],
    [
      'HTML with a script',
      `<script>var x = {"access_token": '${secret}', api_key = "${secret}"}</script>`,
      'text/html',
    ],
  ])('that is %s keeps its secrets', (_, text, type) => {
    const shown = maskBody(text, type, fresh())
    expect(shown).not.toContain(secret)
    expect(shown).toMatch(/…\([0-9a-f]{4}\)/)
  })

  it('with a JWT in plain text hides it', () => {
    const jwt = `eyJhbGciOiJub25lIn0.${Buffer.from('{"sub":"someone"}').toString('base64url')}.abc`
    expect(maskBody(`your token is ${jwt}, keep it`, 'text/plain', fresh())).not.toContain(jwt)
  })

  it('is capped', () => {
    expect(maskBody('x'.repeat(bodyCap * 2), 'text/plain', fresh())).toBe(`${'x'.repeat(bodyCap)}…`)
  })

  it('with tokens of many kilobytes is masked all the same', () => {
    const secrets = fresh()
    const tokens = Array.from({ length: 8 }, (_, n) => `${n}a=+/."`.repeat(4000))
    for (const token of tokens) secrets.learn(token)
    const [first = '', last = ''] = [tokens[0], tokens.at(-1)]
    const text = `<p>${encodeURIComponent(first)} and ${Buffer.from(last).toString('base64')}</p>`
    expect(maskBody(text, 'text/html', secrets)).toBe(`<p>${secrets.mask(first)} and ${secrets.mask(last)}</p>`)
  })
})

it('masks a form of odd names and no values without losing a byte of the rest', () => {
  const secrets = fresh()
  expect(maskForm('a=&b&=c&code=&d=%zz', secrets)).toBe('a=&b&=c&code=&d=%zz')
})

it('leaves what is no text as it is', () => {
  expect(maskValue([1, true, null, { id: 5 }], fresh())).toEqual([1, true, null, { id: 5 }])
})
