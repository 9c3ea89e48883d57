import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { isSecretName, mayHold, replacer, secretsUnder } from '../../src/model/secret.ts'
import { waysToWrite } from '../support/secrets.ts'

const secrets = () => secretsUnder((value) => Buffer.from(value).toString('hex'))

describe('a learned secret', () => {
  it.each([
    `S:%+/ü-"\\&=<'> x`,
    'plain-0123456789_~.',
    'Zoë🦊+日本',
    'a/b+c==padded==',
    '&amp;&lt;twice',
    '\\\\back\\slashes\\',
  ])('%s is found however it is written', (value) => {
    const clean = replacer(new Map([[value, '[masked]']]))
    const seen = waysToWrite(value).filter((way) => clean(`before ${way} after`) !== 'before [masked] after')
    expect(seen).toEqual([])
    expect(waysToWrite(value).filter((way) => !mayHold(`before ${way} after`, value))).toEqual([])
  })

  it('is found in longer base64, whatever stands before and behind it', () => {
    const value = 'secret-0123456789'
    const clean = replacer(new Map([[value, '[masked]']]))
    const said = ['', 'a', 'ab', 'abc', 'user:'].flatMap((before) =>
      ['', 'z', 'zz', '&more'].flatMap((after) => {
        const bytes = Buffer.from(before + value + after)
        return [bytes.toString('base64'), bytes.toString('base64url')]
      }),
    )
    expect(said.filter((text) => !clean(text).includes('[masked]') || !mayHold(text, value))).toEqual([])
    expect(mayHold('nothing of it: secret, 0123456789', value)).toBe(true)
    expect(mayHold('nothing of it at all', value)).toBe(false)
  })

  it('leaves its mask once, and every other word', () => {
    const { learn, scrub, mask } = secrets()
    learn('first-secret-1')
    learn('first-secret-1-and-longer')
    expect(scrub('a first-secret-1 b first-secret-1-and-longer c')).toBe(
      `a ${mask('first-secret-1')} b ${mask('first-secret-1-and-longer')} c`,
    )
  })

  it('that is short is found only where it stands alone, and not at all when it is a common syllable', () => {
    const { learn, scrub, mask } = secrets()
    learn('abcd')
    learn('abc')
    expect(scrub('abcd xabcdx abc "abcd"')).toBe(`${mask('abcd')} xabcdx abc "${mask('abcd')}"`)
  })

  it('shows its beginning only when it is long', () => {
    expect(secrets().mask('0123456789abcdefghijklm')).toMatch(/^…\(/)
    expect(secrets().mask('0123456789abcdefghijklmn')).toMatch(/^0123…\(/)
  })

  it('costs no more than it should in a text made to be hard', () => {
    const clean = replacer(
      new Map([
        [`${'&'.repeat(30)}\\"x`, '[masked]'],
        [' '.repeat(20), '[masked]'],
      ]),
    )
    const hard = '&amp;'.repeat(5_000) + '\\'.repeat(20_000) + '&'.repeat(20_000) + '%25'.repeat(5_000)
    expect(clean(hard).length).toBeGreaterThan(0)
  })
})

it.each([
  'access_token',
  'accessToken',
  'client_secret',
  'X-Api-Key',
  'code',
  'id_token',
  'code_verifier',
  'Set-Cookie',
  'client_assertion',
  'appsecret',
  'csrftoken',
  'device_code',
  'password',
  'sessionId',
])('%s names a secret', (name) => expect(isSecretName(name)).toBe(true))

it.each([
  'token_type',
  'expires_in',
  'token_endpoint',
  'error_code',
  'country_code',
  'code_challenge',
  'scope',
  'client_secret_expires_at',
  'monkey',
  'client_id',
])('%s names none', (name) => expect(isSecretName(name)).toBe(false))

describe('a learned key', () => {
  const pem = generateKeyPairSync('rsa', { modulusLength: 2048 })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()
  const body = pem.replace(/-----.*-----/g, '').replace(/\n/g, '')
  const spellings: readonly (readonly [string, string])[] = [
    ['as it is', pem],
    ['trimmed', pem.trim()],
    ['its line breaks spelled out', pem.replaceAll('\n', '\\n')],
    ['those of Windows', pem.replaceAll('\n', '\r\n')],
    ['on one line', pem.replaceAll('\n', ' ')],
    ['without blanks', pem.replaceAll('\n', '')],
    ['in JSON', JSON.stringify({ key: pem })],
    ['in JSON within JSON', JSON.stringify(JSON.stringify({ key: pem }))],
    ['percent-encoded', encodeURIComponent(pem)],
    ['in a form', new URLSearchParams({ key: pem }).toString()],
    ['its base64', Buffer.from(pem).toString('base64')],
    ['its body', body],
    ['its body, wrapped otherwise', pem.replace(/^/gm, '    ')],
  ]

  it.each(spellings)('is found %s, whichever way it was learned', (_, text) => {
    for (const learned of [pem, pem.trim(), pem.replaceAll('\n', '\\n'), pem.replaceAll('\n', ' ')]) {
      const { learn, scrub } = secrets()
      learn(learned)
      const left = scrub(`before ${text} after`)
      if (text !== Buffer.from(pem).toString('base64') || learned === pem) {
        expect(left).not.toContain(body.slice(0, 40))
        expect(left).not.toContain(body.slice(-40))
        expect(left).not.toContain(Buffer.from(pem).toString('base64').slice(60, 120))
      }
      expect(left).toMatch(/^before .* after$/s)
    }
  })
})
