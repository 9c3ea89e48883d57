import { describe, expect, it } from 'vitest'
import { type Expectation, judge, readPaste } from '../../src/wire/callback.ts'

const state = 'S-3f9a0b7c51d24e86'
const issuer = 'https://id.example'

function judged(query: string, expected: Partial<Expectation> = {}) {
  return judge(new URLSearchParams(query), { state, ...expected })
}

describe('a callback', () => {
  it('brings a code under our state', () => {
    expect(judged(`code=abc&state=${state}`)).toEqual({ kind: 'code', code: 'abc' })
  })

  it('may carry whatever else it likes', () => {
    expect(judged(`session_state=1&code=abc&locale=en&state=${state}&scope=a+b&redirect=//evil`)).toMatchObject({
      kind: 'code',
    })
  })

  it('brings its code under the name that the template says, and under no other', () => {
    expect(judged(`auth_code=abc&state=${state}`, { codeParam: 'auth_code' })).toEqual({ kind: 'code', code: 'abc' })
    expect(judged(`code=abc&state=${state}`, { codeParam: 'auth_code' })).toMatchObject({
      kind: 'unusable',
      detail: 'neither auth_code nor error is there',
    })
  })

  it.each([
    ['no parameters', ''],
    ['state missing', 'code=abc'],
    ['state missing', 'code=abc&state='],
    ['state mismatch', `code=abc&state=${state}x`],
    ['state mismatch', `code=abc&state=${state.slice(0, -1)}`],
    ['state mismatch', `code=abc&state=${state.toLowerCase()}`],
    ['state repeated', `code=abc&state=${state}&state=${state}`],
    ['state repeated', `code=abc&state=other&state=${state}`],
    ['state missing', 'error=access_denied'],
    ['state mismatch', 'error=access_denied&state=forged'],
  ])('is stray (%s) when it is ?%s', (reason, query) => {
    expect(judged(query)).toMatchObject({ kind: 'stray', reason })
  })

  it('that an installation begun elsewhere brings is told as what it is', () => {
    expect(judged('code=abc&installation_id=7&setup_action=install')).toMatchObject({
      kind: 'stray',
      reason: 'state missing',
      detail: expect.stringContaining('on the provider’s own page'),
    })
  })

  it('that claims an error without our state is stray, and says what it claims without telling our state', () => {
    const verdict = judged('error=access_denied&error_description=no%1b[31m')
    expect(verdict).toMatchObject({
      reason: 'state missing',
      detail: String.raw`it claims the error "access_denied": "no\u001b[31m"`,
    })
    expect(JSON.stringify(judged('error=x&state=y'))).not.toContain(state)
  })

  it.each(['https://ID.example', 'https://id.example/', 'https://id.example:443', 'https://evil.example', ''])(
    'is stray when its iss is "%s" and the issuer https://id.example',
    (iss) => {
      expect(judged(`code=abc&state=${state}&iss=${encodeURIComponent(iss)}`, { issuer })).toMatchObject({
        kind: 'stray',
        reason: 'issuer mismatch',
      })
    },
  )

  it('passes with the very issuer, without one, and with any where none is known', () => {
    expect(judged(`code=abc&state=${state}&iss=https://id.example`, { issuer }).kind).toBe('code')
    expect(judged(`code=abc&state=${state}`, { issuer }).kind).toBe('code')
    expect(judged(`code=abc&state=${state}&iss=https://whoever.example`).kind).toBe('code')
  })

  it('is stray with two issuers, or with none where one is promised', () => {
    const twice = `code=abc&state=${state}&iss=${issuer}&iss=${issuer}`
    expect(judged(twice, { issuer })).toMatchObject({ reason: 'issuer mismatch' })
    expect(judged(twice)).toMatchObject({ reason: 'issuer mismatch' })
    expect(judged(`code=abc&state=${state}`, { issuer, issRequired: true })).toMatchObject({ reason: 'issuer missing' })
  })

  it('from another issuer is not believed when it denies', () => {
    const verdict = judged(`error=access_denied&error_description=lies&state=${state}&iss=https://evil.example`, {
      issuer,
    })
    expect(verdict).toMatchObject({ kind: 'stray', reason: 'issuer mismatch' })
    expect(JSON.stringify(verdict)).not.toContain('lies')
  })

  it('denies in the words of the provider, all of them kept', () => {
    const query = `error=access_denied&error_description=You+said+no&error_uri=https://id.example/why&error_reason=user_denied&error_message=No&state=${state}`
    expect(judged(query)).toEqual({
      kind: 'denial',
      error: 'access_denied',
      description: 'You said no',
      uri: 'https://id.example/why',
      reason: 'user_denied',
      message: 'No',
    })
  })

  it('denies even where a code stands beside the error, but not with an empty error', () => {
    expect(judged(`error=server_error&code=abc&state=${state}`).kind).toBe('denial')
    expect(judged(`error=&code=abc&state=${state}`).kind).toBe('code')
  })

  it.each([
    ['no code', `state=${state}`],
    ['no code', `code=&state=${state}`],
    ['code repeated', `code=a&code=a&state=${state}`],
    ['code repeated', `code=a&code=b&state=${state}`],
  ])('is unusable (%s) when it is ours and ?%s', (why, query) => {
    expect(judged(query)).toMatchObject({ kind: 'unusable', why })
  })
})

describe('a paste', () => {
  const url = `http://localhost:8749/oauth/callback?code=4%2F0Ab&state=${state}`

  it.each([
    ['a callback URL', url],
    ['one with white space around it', `  ${url}\r\n`],
    ['one in double quotes', `"${url}"`],
    ['one in single quotes', `'${url}'`],
    ['one in typographic quotes', `“${url}”`],
    ['one in angle brackets', `<${url}>`],
    ['one in brackets and quotes', `<'${url}'>`],
    ['one in the markers of a bracketed paste', `\x1b[200~${url}\x1b[201~`],
    ['one that a terminal wrapped', `${url.slice(0, 40)}\n${url.slice(40)}`],
    ['one without its scheme', url.replace('http://', '')],
    ['one of another host', `https://example.com/cb?code=4%2F0Ab&state=${state}#`],
    ['one with its answer in the fragment', `http://localhost/cb#code=4%2F0Ab&state=${state}`],
    ['one with a query and its answer in the fragment', `http://localhost/cb?x=1#code=4%2F0Ab&state=${state}`],
    ['one with a meaningless fragment', `${url}#_=_`],
    ['a query', `?code=4%2F0Ab&state=${state}`],
    ['parameters', `code=4%2F0Ab&state=${state}`],
    ['parameters in another order', `state=${state}&code=4%2F0Ab`],
  ])('of %s brings its parameters', (_, text) => {
    const pasted = readPaste(text)
    if (pasted.kind !== 'params') throw new Error(`It is ${pasted.kind}.`)
    expect([pasted.params.get('code'), pasted.params.get('state')]).toEqual(['4/0Ab', state])
  })

  it('of a denial brings its parameters', () => {
    expect(readPaste(`http://localhost/cb?error=access_denied&state=${state}`).kind).toBe('params')
  })

  it('is read for the code by the name that the template says', () => {
    expect(readPaste('https://x.example/cb?auth_code=abc&state=s', 'auth_code').kind).toBe('params')
    expect(readPaste('https://x.example/cb?code=abc&state=s', 'auth_code').kind).toBe('junk')
  })

  it.each([
    ['abc123', 'abc123'],
    ['"4/0AbCdE-_"', '4/0AbCdE-_'],
    ['4%2F0AbCdE', '4/0AbCdE'],
    ['YWJjZA==', 'YWJjZA=='],
    ['100%', '100%'],
  ])('of %s is a bare code', (text, code) => {
    expect(readPaste(text)).toEqual({ kind: 'bare code', code })
  })

  it.each([
    ['', /^Nothing was pasted/],
    [' \n ', /^Nothing was pasted/],
    ['""', /^Nothing was pasted/],
    ['hello there', /neither an address nor a code/],
    ['http://localhost:8749/oauth/callback', /neither a code nor an error/],
    ['localhost:8749/oauth/callback', /neither a code nor an error/],
    ['[::1]:8749/oauth/callback', /neither a code nor an error/],
    ['?state=abc', /neither a code nor an error/],
    ['https://id.example/authorize?response_type=code&client_id=x&state=s', /the one you land on/],
    ['é', /neither an address nor a code/],
    ['x'.repeat(70_000), /too long/],
  ])('of %j is junk', (text, why) => {
    expect(readPaste(text)).toEqual({ kind: 'junk', why: expect.stringMatching(why) })
  })
})
