import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { alternatives, fill, fillFirst, fillUrl, usedNames } from '../../../src/sandbox/twin/fill.ts'

const scope = {
  roots: {
    connectionConfig: {
      site: 'acme',
      empty: '',
      'installation.uuid': 'u-1',
      host: 'a.example:8443/x',
      url: 'https://b.example',
    },
    credentials: { user: 'robin', raw: { team: { id: 7 } }, flag: true },
    apiKey: 'k/1 +',
  },
  time: Date.parse('2026-03-05T07:08:09.012Z'),
  random: 'r-1',
}

describe('a text', () => {
  it.each([
    ['plain', 'plain'],
    ['${connectionConfig.site}-${credentials.user}', 'acme-robin'],
    ['${connectionConfig.installation.uuid}', 'u-1'],
    ['${credentials.raw.team.id}', '7'],
    ['${apiKey}', 'k/1 +'],
    ['${random}/${now}', 'r-1/2026-03-05T07:08:09.012Z'],
    ['${now+7:days:YYYY-MM-DD} ${now-1:hours:HH:mm} ${now:X}', '2026-03-12 06:08 1772694489'],
    ['${base64(${credentials.user}:${apiKey})}', Buffer.from('robin:k/1 +').toString('base64')],
    [
      '${sha256Hex(${base64(a${random})})}',
      createHash('sha256').update(Buffer.from('ar-1').toString('base64')).digest('hex'),
    ],
    ['${hmacSha1Hex(The quick brown fox jumps over the lazy dog, key)}', 'de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9'],
    ['{ a { ${credentials.user} } }', '{ a { robin } }'],
    ['a ${ never closed', 'a ${ never closed'],
  ])('%j becomes %j', (text, filled) => {
    expect(fill(text, scope)).toEqual({ text: filled, missing: [] })
  })

  it.each([
    ['${connectionConfig.none}', ['connectionConfig.none']],
    ['${credentials.flag}', ['credentials.flag']],
    ['${base64(${credentials.none})}', ['credentials.none', 'base64(…)']],
    ['${ed25519Sign(x, no key)}', ['ed25519Sign(…)']],
    ['${constructor}', ['constructor']],
  ])('%j stays as it is where a value is missing', (text, missing) => {
    const filled = fill(text, scope)
    expect(filled.text).toBe(text)
    expect(filled.missing).toEqual(expect.arrayContaining(missing.slice(0, 1)))
  })

  it('names all that it uses, inside helpers too', () => {
    expect(usedNames({ a: ['${x}${base64(${y}:${sha256Hex(${z})})}'], b: 1 })).toEqual(['x', 'y', 'z'])
  })
})

describe('two bars', () => {
  it('divide alternatives only where there is a placeholder', () => {
    expect(alternatives('a || b')).toEqual(['a || b'])
    expect(alternatives('${a} || b || ${c}')).toEqual(['${a}', 'b', '${c}'])
  })

  it.each([
    ['${connectionConfig.site} || x', 'acme'],
    ['${connectionConfig.none} || x', 'x'],
    ['${connectionConfig.empty} || x', 'x'],
    ['${connectionConfig.none} || ${connectionConfig.no} || ${credentials.user}', 'robin'],
    ['a ${connectionConfig.site} ${connectionConfig.none} || x', 'x'],
  ])('%j become %j', (text, filled) => {
    expect(fillFirst(text, scope)).toEqual({ text: filled, missing: [] })
  })
})

describe('a URL', () => {
  it.each([
    [
      'https://${connectionConfig.site}.example/${apiKey}?q=${apiKey}',
      'https://acme.example/k%2F1%20%2B?q=k%2F1%20%2B',
    ],
    ['https://${connectionConfig.host}/y', 'https://a.example:8443/x/y'],
    ['${connectionConfig.url}/y', 'https://b.example/y'],
    ['https://${connectionConfig.empty}/y || https://c.example', 'https://c.example/'],
    ['https://d.example/a/${connectionConfig.empty}/b', 'https://d.example/a//b'],
  ])('%j becomes %j', (text, url) => {
    expect(fillUrl(text, scope)?.href).toBe(url)
  })

  it('is none where a value is missing', () => {
    expect(fillUrl('https://${connectionConfig.none}/', scope)).toBeUndefined()
  })
})

describe('a URL with an answer that says more than is asked', () => {
  it.each([
    ['https://${connectionConfig.url}', 'https://b.example/'],
    ['https://${connectionConfig.url}/v1?x=1', 'https://b.example/v1?x=1'],
    ['https://api.${connectionConfig.site}.example/', 'https://api.acme.example/'],
    ['https://cognito-${site}.example/${apiKey}', 'https://cognito-acme.example/k%2F1%20%2B'],
  ])('%s is %s', (text, whole) => {
    expect(fillUrl(text, scope)?.href).toBe(whole)
  })

  it('keeps the scheme and the path of the answer', () => {
    const roots = { connectionConfig: { host: 'http://localhost:8080/base/' } }
    expect(fillUrl('https://${connectionConfig.host}/x', { roots, time: 0 })?.href).toBe('http://localhost:8080/base/x')
  })
})
