import { createHash, createHmac, generateKeyPairSync, verify } from 'node:crypto'
import { describe, expect, it, test } from 'vitest'
import { fill, fillText } from '../../src/fill/fill.ts'
import { contextOf } from '../../src/fill/flaw.ts'
import { placeholders } from '../../src/fill/placeholders.ts'
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
    jefe: 'Jefe',
    comma: 'k,e y',
  },
  step1: { data: { token: 's1' } },
  assertionOption: { key: 'once' },
  method: 'GET',
  host: 'api.example.com',
  path: '/v1',
  params: 'a=1',
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
    ['four alternatives', '${a.b} || ${c} || ${connectionConfig.empty} || ${clientId}', 'id'],
    ['SHA-256, hex', '${sha256Hex(abc)}', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    ['SHA-256, base64', '${sha256Base64(abc)}', 'ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='],
    [
      'SHA-256 of base64 of several values',
      '${sha256Hex(${base64(${random}${clientId}${now:YYYY-MM-DDTHH:mm:ss}${clientSecret})})}',
      createHash('sha256').update(Buffer.from('r-1id2026-11-23T12:00:00s&c').toString('base64')).digest('hex'),
    ],
    [
      'HMAC-SHA1 over lines, parted at the last comma',
      'x ${hmacSha1Hex(what do ya want for nothing?, ${connectionConfig.jefe})}',
      'x effcdf6ae5eb2fa2d27416d5f184df9c259a7c79',
    ],
    [
      'commas within the message, and within the key',
      '${hmacSha1Hex(${now:ddd, DD MMM YYYY HH:mm:ss ZZ},\n${connectionConfig.comma}, ${connectionConfig.comma})}',
      createHmac('sha1', 'k,e y').update('Mon, 23 Nov 2026 12:00:00 +0000,\nk,e y').digest('hex'),
    ],
    ['the time in a format', '${now:YYYY-MM-DDTHH:mm:ss}', '2026-11-23T12:00:00'],
    ['the time in seconds and milliseconds', '${now:X}.${now:x}', '1795435200.1795435200500'],
    ['a time to come', '${now+7:days:YYYY-MM-DD}', '2026-11-30'],
    ['a time gone by, without a format', '${now-1:hours}', '2026-11-23T11:00:00.500Z'],
    ['the answer of an earlier step', '${step1.data.token}', 's1'],
    ['what is asked once for an assertion', '${assertionOption.key}', 'once'],
    ['the request that a header is for', '${method} ${host}${path}?${params}', 'GET api.example.com/v1?a=1'],
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
    ['a unit of time that nobody knows', '${now+1:moons:X}', { kind: 'unknown', form: 'now+1:moons:X' }],
    ['time without a format behind its colon', '${now:}', { kind: 'unknown', form: 'now:' }],
    ['a random value with a format', '${random:8}', { kind: 'unknown', form: 'random:8' }],
    [
      'too few arguments',
      '${hmacSha1Hex(${clientId})}',
      { kind: 'malformed', why: 'hmacSha1Hex(…) takes 2 arguments, not 1' },
    ],
    [
      'too many arguments',
      '${awsSigV4(a, b, c, d, e, f)}',
      { kind: 'malformed', why: 'awsSigV4(…) takes 4 to 5 arguments, not 6' },
    ],
    ['a function of what is missing', '${sha256Hex(${x}${y})}', { kind: 'missing', paths: ['x', 'y'] }],
    [
      'a signature by what is no key',
      '${ed25519Sign(text, ${credentials.username})}',
      { kind: 'refused', path: 'credentials.username', why: 'it must be an Ed25519 private key (PEM)' },
    ],
    [
      'the fingerprint of what is no key',
      '${fingerprint(${credentials.username})}',
      { kind: 'refused', path: 'credentials.username', why: 'it must be a key (PEM)' },
    ],
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

  it('signs with Ed25519, commas in the message included', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const filled = fill('${ed25519Sign(a, ${clientId}, b, ${pem})}', { ...scope, pem }, 'text')
    const signature = Buffer.from('text' in filled ? filled.text : '', 'base64')
    expect(verify(null, Buffer.from('a, id, b'), publicKey, signature)).toBe(true)
  })

  it('signs a request for AWS with the time that its header tells', () => {
    const request = { method: 'GET', path: '/', now: new Date('2015-08-30T12:36:00Z'), id: 'AKIDEXAMPLE' }
    const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
    const text = '${awsSigV4(${id}, ${secret}, us-east-1, service, example.amazonaws.com)}'
    expect(fill(text, { ...request, secret }, 'text')).toEqual({
      text: 'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
    })
  })

  it('signs no request of which nothing is known', () => {
    expect(fill('${awsSigV4(id, secret, r, s)}', { now: scope['now'] }, 'text')).toEqual({
      flaw: { kind: 'missing', paths: ['method', 'path'] },
    })
  })

  it('knows which time and which random value only where somebody says so', () => {
    expect(fill('${now:X}${random}', {}, 'text')).toEqual({ flaw: { kind: 'missing', paths: ['now', 'random'] } })
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

  it('names the flag of a credential, however it is spelled', () => {
    const jwt = contextOf('jwt', { auth_mode: 'JWT', credentials: { privateKey: {}, fixed: { hidden: true } } })
    const fillOf = (text: string) => () => fillText('token.payload.iss', text, {}, jwt)
    expect(fillOf('${fingerprint(${credentials.privateKey})}')).toThrow('needs --private-key')
    expect(fillOf('${privateKey}')).toThrow('needs --private-key')
    expect(fillOf('${credentials.fixed}')).toThrow('nothing supplies ${credentials.fixed}')
  })

  it('names the flag, never the value, of what may not stand there', () => {
    const error = failure('${connectionConfig.accountId}', { connectionConfig: { accountId: 'hush\nhush' } })
    expect(error).toMatchObject({ code: 'BAD_FLAG', message: expect.stringContaining('--account-id') })
    expect(JSON.stringify([error, String(error)])).not.toContain('hush')
  })
})

describe('a member of a body, a claim, a key', () => {
  const scope = { credentials: { a: 'l1\nl2', q: 'say "hi" \\', id: 'x' } }

  it('takes a value whatever it holds, and escapes it where the template puts it between double quotes', () => {
    expect(fill('${credentials.a}', scope, 'member')).toEqual({ text: 'l1\nl2' })
    expect(fill('${credentials.a}', scope, 'text')).toHaveProperty('flaw')
    expect(fill('{ f(p: "${credentials.q}") }', scope, 'member')).toEqual({ text: '{ f(p: "say \\"hi\\" \\\\") }' })
    expect(fill('say "${credentials.q}', scope, 'member')).toEqual({ text: 'say "say "hi" \\' })
  })

  it('may hold two bars that part nothing', () => {
    expect(fill('${credentials.id}||${credentials.id}', scope, 'member', { bars: 'literal' })).toEqual({ text: 'x||x' })
    expect(fill('${credentials.id}||${credentials.id}', scope, 'member')).toEqual({ text: 'x' })
    expect(fill('${credentials.no} || b', scope, 'member', { bars: 'literal' })).toHaveProperty('flaw')
  })

  it('finds the items of a list by number', () => {
    const list = { step1: { items: [{ id: 7 }, { id: 8 }] } }
    expect(fill('${step1.items.1.id}-${step1.items[0].id}', list, 'text')).toEqual({ text: '8-7' })
  })
})
