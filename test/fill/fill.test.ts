// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates are data here
import { describe, expect, it, test } from 'vitest'
import { fill, fillText, placeholders } from '../../src/fill/fill.ts'
import { contextOf } from '../../src/fill/flaw.ts'
import type { Scope } from '../../src/fill/scope.ts'

const scope: Scope = {
  connectionConfig: {
    subdomain: 'acme',
    empty: '',
    'installation.uuid': '7f',
    path: 'a/b c',
    nested: { key: 'deep' },
    evil: '${clientSecret}',
    break: 'x\r\nSet-Cookie: a',
    'accounts-server': 'https://accounts.example.eu',
  },
  credentials: { username: 'ü', password: '', raw: { id_token: 'jwt', n: 5, yes: true } },
  accessToken: 'tok',
  clientId: 'id',
  clientSecret: 's&c',
  now: new Date('2026-11-23T12:00:00.500Z'),
  random: 'r-1',
}

describe('the phrasebook of ${…}', () => {
  test.each([
    ['plain text stays as it is', 'a || b', 'a || b'],
    ['an answer', '${connectionConfig.subdomain}', 'acme'],
    ['blanks inside the braces', '${ connectionConfig.subdomain }', 'acme'],
    ['a key that holds a dot', '${connectionConfig.installation.uuid}', '7f'],
    ['a key that holds a hyphen', '${connectionConfig.accounts-server}', 'https://accounts.example.eu'],
    ['a nested value', '${connectionConfig.nested.key}', 'deep'],
    ['a value of the raw answer', '${credentials.raw.id_token}', 'jwt'],
    ['a number', '${credentials.raw.n}', '5'],
    ['a boolean', '${credentials.raw.yes}', 'true'],
    ['a bare name', 'Bearer ${accessToken}', 'Bearer tok'],
    ['client id and secret', '${clientId}:${clientSecret}', 'id:s&c'],
    ['the time', '${now}', '2026-11-23T12:00:00.500Z'],
    ['one random value', '${random}/${random}', 'r-1/r-1'],
    ['base64', '${base64(${clientId}:${clientSecret})}', 'aWQ6cyZj'],
    ['base64 of UTF-8, an empty password kept', '${base64(${credentials.username}:${credentials.password})}', 'w7w6'],
    ['base64 in base64', '${base64(${base64(${clientId})})}', 'YVdRPQ=='],
    ['parentheses inside an argument', '${base64((${clientId}))}', 'KGlkKQ=='],
    ['the first alternative that has its values', '${connectionConfig.x} || ${clientId} || ${accessToken}', 'id'],
    ['a third alternative', '${connectionConfig.x} || ${connectionConfig.y} || v3', 'v3'],
    ['an empty value is no alternative', '${connectionConfig.empty} || 2022-11-28', '2022-11-28'],
    ['a partly known alternative is none', '${clientId}-${connectionConfig.x} || rest', 'rest'],
    ['bars without blanks', '${connectionConfig.x}||${clientId}', 'id'],
    ['a literal on the left is still only the fallback', 'fallback || ${clientId}', 'id'],
    ['a literal on the left serves when nothing else does', 'fallback || ${connectionConfig.x}', 'fallback'],
    ['bars inside an argument are text', '${base64(a||b)}', 'YXx8Yg=='],
    ['a value is never evaluated', '${connectionConfig.evil}', '${clientSecret}'],
    ['an empty value alone is an empty text', '${connectionConfig.empty}', ''],
    ['a dollar sign alone', '$5 {x}', '$5 {x}'],
  ])('%s', (_, text, expected) => {
    expect(fill(text, scope, 'text')).toEqual({ text: expected })
  })

  test.each([
    ['a value in a URL is encoded', 'x/${connectionConfig.path}', 'x/a%2Fb%20c'],
    ['what base64 makes is encoded', '${base64(${clientId}:${clientSecret}>)}', 'aWQ6cyZjPg%3D%3D'],
    ['an empty value in a URL is missing', 'x/${connectionConfig.empty} || y', 'y'],
  ])('%s', (_, text, expected) => {
    expect(fill(text, scope, 'url')).toEqual({ text: expected })
  })

  test.each([
    ['nothing known by the name', '${connectionConfig.x}', { kind: 'missing', paths: ['connectionConfig.x'] }],
    ['an object is no value', '${connectionConfig.nested}', { kind: 'missing', paths: ['connectionConfig.nested'] }],
    [
      'no inherited member',
      '${connectionConfig.constructor}',
      { kind: 'missing', paths: ['connectionConfig.constructor'] },
    ],
    ['no inherited function', '${toString(a)}', { kind: 'unknown', form: 'toString(…)' }],
    ['all that the alternatives lack', '${a} || ${b}', { kind: 'missing', paths: ['a', 'b'] }],
    ['a form of a later day', '${now:YYYY}', { kind: 'unknown', form: 'now:YYYY' }],
    ['an open brace', 'a${clientId', { kind: 'malformed', why: 'a "${" has no "}"' }],
    ['an open function', '${base64(${clientId}', { kind: 'malformed', why: 'a ")}" is missing' }],
    ['nothing named', '${}', { kind: 'malformed', why: '"${}" names nothing' }],
    ['nested beyond reason', '${base64('.repeat(40), { kind: 'malformed', why: 'it is nested too deeply' }],
  ])('refuses %s', (_, text, flaw) => {
    expect(fill(text, scope, 'text')).toEqual({ flaw })
  })

  test.each(['a\rb', 'a\nb', 'a\0b', '\n'])('never lets %j into a header', (value) => {
    const filled = fill('x ${connectionConfig.v}', { connectionConfig: { v: value } }, 'text')
    expect(filled).toMatchObject({ flaw: { kind: 'refused', path: 'connectionConfig.v' } })
  })

  test.each(['.', '..'])('never lets %j walk a path', (value) => {
    expect(fill('x/${v}/y', { v: value }, 'url')).toMatchObject({ flaw: { kind: 'refused' } })
  })

  it('says that a lone surrogate cannot stand in a URL', () => {
    expect(fill('${v}', { v: '\ud800' }, 'url')).toMatchObject({ flaw: { kind: 'refused' } })
  })

  it('lists what a text needs, arguments and alternatives included', () => {
    expect(placeholders('${a.b}/${base64(${c}:${a.b})} || ${d}')).toEqual(['a.b', 'c', 'd'])
    expect(placeholders('none')).toEqual([])
  })
})

describe('a text that cannot be filled', () => {
  const context = contextOf('my-idp', {
    auth_mode: 'OAUTH2',
    connection_config: { accountId: {}, realm: { automated: true } },
    token_response_metadata: ['team.id'],
  })
  const failure = (text: string, values: Scope = {}): unknown => {
    try {
      return fillText('proxy.headers.x', text, values, context)
    } catch (error) {
      return error
    }
  }

  it('names field, template and flag where the answer is missing', () => {
    expect(failure('${connectionConfig.accountId}')).toMatchObject({
      code: 'MISSING_INPUT',
      exitCode: 2,
      message: 'proxy.headers.x of the template "my-idp" needs --account-id.',
      hint: 'Give --account-id.',
    })
  })

  test.each([
    ['${connectionConfig.realm}', '--param realm=<value>'],
    ['${connectionConfig.team.id}', '--param team.id=<value>'],
    ['${clientSecret}', '--client-secret'],
  ])('names what to type for %s', (text, typed) => {
    expect(failure(text)).toMatchObject({ code: 'MISSING_INPUT', message: expect.stringContaining(typed) })
  })

  it('blames the template for what it never declared', () => {
    expect(failure('${connectionConfig.acountId}')).toMatchObject({ code: 'TEMPLATE_INVALID', exitCode: 3 })
    expect(failure('${connectionConfig.accountId')).toMatchObject({ code: 'TEMPLATE_INVALID', exitCode: 3 })
  })

  it('names the flag, never the value, of what may not stand there', () => {
    const error = failure('${connectionConfig.accountId}', { connectionConfig: { accountId: 'hush\nhush' } })
    expect(error).toMatchObject({ code: 'BAD_FLAG', message: expect.stringContaining('--account-id') })
    expect(JSON.stringify([error, String(error)])).not.toContain('hush')
  })
})
