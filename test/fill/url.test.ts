import { describe, expect, it, test } from 'vitest'
import { contextOf } from '../../src/fill/flaw.ts'
import { fillUrl } from '../../src/fill/url.ts'

const context = contextOf('my-idp', { auth_mode: 'OAUTH2', connection_config: { v: {}, w: {} } })
const url = (text: string, v: string, w = ''): string =>
  fillUrl('token_url', text, { connectionConfig: { v, w } }, context)
const failure = (text: string, v: string, w = ''): unknown => {
  try {
    return url(text, v, w)
  } catch (error) {
    return error
  }
}
const V = '${connectionConfig.v}'
const W = '${connectionConfig.w}'

describe('an endpoint', () => {
  test.each([
    ['a subdomain', `https://${V}.zendesk.com/oauth`, 'acme', 'https://acme.zendesk.com/oauth'],
    ['a subdomain with dots', `https://${V}.zendesk.com/oauth`, 'a.b-c', 'https://a.b-c.zendesk.com/oauth'],
    ['part of a label', `https://api-${V}.x.com/`, 'eu1', 'https://api-eu1.x.com/'],
    ['the end of the host', `https://accounts.zoho.${V}/oauth`, 'com.au', 'https://accounts.zoho.com.au/oauth'],
    ['a whole host', `https://${V}/oauth`, 'login.example.com', 'https://login.example.com/oauth'],
    ['a whole host with a port', `http://${V}/oauth`, 'localhost:8080', 'http://localhost:8080/oauth'],
    ['a whole host that is IPv6', `http://${V}/oauth`, '[::1]:8080', 'http://[::1]:8080/oauth'],
    ['a whole host with a path', `https://${V}/oauth`, 'acme.highq.com/main', 'https://acme.highq.com/main/oauth'],
    ['a path that ends with a slash', `https://${V}`, 'x.com/fhir/', 'https://x.com/fhir/'],
    ['a port', `http://localhost:${V}/token`, '8123', 'http://localhost:8123/token'],
    ['a scheme', `${V}://x.com/token`, 'https', 'https://x.com/token'],
    ['a whole URL', `${V}/token`, 'https://idp.example.com/base', 'https://idp.example.com/base/token'],
    ['a whole URL with a slash at its end', `${V}/token`, 'https://idp.example.com/', 'https://idp.example.com/token'],
    ['a path segment', `https://x.com/${V}/token`, 'a/b?c#d', 'https://x.com/a%2Fb%3Fc%23d/token'],
    ['a query value', `https://x.com/t?key=${V}`, 'a&b=c d', 'https://x.com/t?key=a%26b%3Dc%20d'],
    ['an existing query, byte for byte', `https://x.com/t?a=%7e&b=+&${V}=1`, 'k', 'https://x.com/t?a=%7e&b=+&k=1'],
    ['a fallback', `https://${W}/t || https://x.com/t`, '', 'https://x.com/t'],
    ['any letter case', `HTTPS://${V}.X.com`, 'Acme', 'HTTPS://Acme.X.com'],
  ])('takes %s', (_, text, value, expected) => {
    expect(url(text, value)).toBe(expected)
  })

  const hostile = [
    'evil.com/',
    'evil.com/x',
    'evil.com#',
    'evil.com?',
    'evil.com\\',
    'a@b',
    'a:b@c',
    'a:80',
    ':80',
    'a b',
    'a\tb',
    'a\nb',
    'a\u0000b',
    '.',
    '..',
    '.a',
    'a.',
    'a..b',
    '-a',
    'a-',
    '%2e',
    'evil.com%2f',
    'evil.com%00',
    'https://evil.com',
    '//evil.com',
    'evil.com／',
    'evil。com',
    'аcme',
    '[::1]',
    '*',
    `${'a'.repeat(64)}`,
    '${connectionConfig.w}',
  ]

  test.each(hostile)('never lets %j move a subdomain elsewhere', (value) => {
    expect(failure(`https://${V}.zendesk.com/oauth`, value)).toMatchObject({
      code: 'BAD_FLAG',
      exitCode: 2,
      message: expect.stringMatching(/--v .*token_url of the template "my-idp"/),
    })
  })

  test.each(hostile)('never lets %j change the origin from a path', (value) => {
    const filled = failure(`https://x.com/${V}/token`, value)
    if (typeof filled === 'string') {
      expect(new URL(filled).origin).toBe('https://x.com')
      expect(new URL(filled).pathname).toMatch(/^\/[^/]+\/token$/)
    } else expect(filled).toMatchObject({ code: 'BAD_FLAG' })
  })

  it.each([
    ['https://x.com', 'https://x.com/'],
    ['http://localhost:8080/gerrit', 'http://localhost:8080/gerrit/'],
  ])('takes %j for a whole host, its own scheme before the template’s', (value, url) => {
    expect(fillUrl('f', 'https://${connectionConfig.h}/', { connectionConfig: { h: value } }, context)).toBe(url)
  })

  test.each([
    'a@evil.com',
    'x.com/..',
    'x.com/../a',
    'x.com//a',
    'x.com/',
    'x.com?a',
    'x.com#a',
    'x.com\\a',
    'x.com:0',
    'x.com:99999',
    'x.com:80:80',
    'https://x.com?a',
    'https://u:p@x.com',
    'javascript:alert(1)',
    '[::1',
    'a b',
  ])('refuses %j as a whole host', (value) => {
    expect(failure(`https://${V}/oauth`, value)).toMatchObject({ code: 'BAD_FLAG' })
  })

  test.each([
    'ftp://x.com',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'https://a:b@x.com',
    'https://a@x.com',
    'https://x.com?a=b',
    'https://x.com/#a',
    'https:x.com',
    'https:///x.com',
    '//x.com',
    'x.com',
    'https://x.com\\@y.com',
    'https://x.com y',
  ])('refuses %j as a whole URL', (value) => {
    expect(failure(`${V}/token`, value)).toMatchObject({ code: 'BAD_FLAG' })
  })

  test.each(['0', '65536', '80/', '80@evil.com', 'a', '080808'])('refuses %j as a port', (port) => {
    expect(failure(`http://localhost:${V}/token`, port)).toMatchObject({ code: 'BAD_FLAG' })
  })

  it('refuses a scheme that is not http or https', () => {
    expect(failure(`${V}://x.com/`, 'ftp')).toMatchObject({ code: 'BAD_FLAG' })
  })

  test.each([
    ['ftp://x.com/token'],
    ['https:x.com'],
    ['https:///x.com'],
    ['https://user@x.com/'],
    ['https://@x.com/'],
    ['https://x.com/a b'],
    ['https://x.com\\a'],
    ['/token'],
  ])('blames the template for %j', (text) => {
    expect(failure(text, '')).toMatchObject({ code: 'TEMPLATE_INVALID', exitCode: 3 })
  })

  it('names the flag of a missing answer', () => {
    expect(failure(`https://${W}.x.com`, 'a')).toMatchObject({
      code: 'MISSING_INPUT',
      message: 'token_url of the template "my-idp" needs --w.',
    })
  })

  it('keeps a value of two placeholders in the host from joining into another site', () => {
    expect(failure(`https://${V}${W}.x.com/`, 'a', '.')).toMatchObject({ code: 'BAD_FLAG' })
    expect(url(`https://${V}.${W}/`, 'a', 'x.com')).toBe('https://a.x.com/')
  })
})

describe('an endpoint whose values stand as written', () => {
  const plain = (text: string, v: string): string =>
    fillUrl('authorization_url', text, { connectionConfig: { v, w: '' } }, context, true)

  test.each([
    ['a/b', 'https://x.com/a/b/new'],
    ['a b', 'https://x.com/a%20b/new'],
    ['a?b=c&d#e', 'https://x.com/a%3Fb=c%26d%23e/new'],
    ['ü:@+%2F', 'https://x.com/%C3%BC:@+%2F/new'],
  ])('keeps the signs of %j in its path, but for those that would end it', (value, expected) => {
    expect(plain(`https://x.com/${V}/new`, value)).toBe(expected)
  })

  test.each(['../up', 'a/./b', 'a/%2e%2E/b'])('is never walked by %j', (value) => {
    expect(() => plain(`https://x.com/${V}/new`, value)).toThrow('may not hold')
  })

  it('has no more room in its host than any other', () => {
    expect(() => plain(`https://${V}.x.com/`, 'evil.com/')).toThrow('part of a host name')
  })
})
