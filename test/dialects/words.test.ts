import { describe, expect, it } from 'vitest'
import { words } from '../../src/dialects/words.ts'
import type { Setting, TokenRequest } from '../../src/model/dialect.ts'
import type { Template } from '../../src/model/provider.ts'

function settingOf(template: Partial<Template>, more: Partial<Setting> = {}): Setting {
  return {
    template: { auth_mode: 'OAUTH2', ...template },
    endpoints: { authorization: 'https://p.test/a', token: 'https://p.test/t' },
    params: { subdomain: 'acme' },
    scopes: [],
    grant: 'authorization_code',
    tokenParams: {},
    ...more,
  }
}

const asked: TokenRequest = {
  method: 'POST',
  url: 'https://p.test/t',
  headers: [['content-type', 'application/x-www-form-urlencoded']],
  params: new URLSearchParams({ grant_type: 'authorization_code', code: 'c' }),
}

function say(setting: Setting): { params: string; body: string | undefined; remarks: string[]; headers: unknown } {
  const remarks: string[] = []
  const said = words.request?.(asked, setting, (remark) => void remarks.push(remark)) ?? asked
  return { params: said.params.toString(), body: said.body, remarks, headers: said.headers }
}

describe('the token request in the words of a template', () => {
  const form = 'grant_type=authorization_code&code=c'
  it.each<[string, Partial<Template>, Partial<Setting>, string]>([
    ['is the standard one where it says nothing', {}, {}, form],
    [
      'has its parameters, filled',
      { token_params: { audience: 'https://${connectionConfig.subdomain}.test', n: 1 } },
      {},
      `${form}&audience=https%3A%2F%2Facme.test&n=1`,
    ],
    ['keeps its grant type', { token_params: { grant_type: 'x' } }, {}, form],
    [
      'has what the person adds, changes and removes',
      { token_params: { a: '1', b: '2' } },
      { tokenParams: { b: '3', a: null, c: '4' } },
      `${form}&b=3&c=4`,
    ],
    [
      'has the refresh parameters at a refresh',
      { token_params: { a: '1' }, refresh_params: { b: '2' } },
      { grant: 'refresh_token' },
      `${form}&b=2`,
    ],
    [
      'has the token parameters at a refresh without its own',
      { token_params: { a: '1' } },
      { grant: 'refresh_token' },
      `${form}&a=1`,
    ],
  ])('%s', (_, template, more, expected) => {
    expect(say(settingOf(template, more))).toMatchObject({ params: expected, body: undefined, remarks: [] })
  })

  it('is JSON where the template says so, which is remarked on', () => {
    expect(say(settingOf({ body_format: 'json', token_params: { n: 1 } }))).toEqual({
      params: `${form}&n=1`,
      body: '{"grant_type":"authorization_code","code":"c","n":"1"}',
      remarks: ['the token request is JSON'],
      headers: [['content-type', 'application/json']],
    })
  })

  it('leaves the request that it was given as it was', () => {
    say(settingOf({ token_params: { a: '1' } }))
    expect(asked.params.toString()).toBe(form)
  })
})

describe('the callback in the words of a template', () => {
  it.each([
    ['auth_code', 'auth_code=c&state=s', 'state=s&code=c', 1],
    ['auth_code', 'code=c&auth_code=d', 'code=c&auth_code=d', 0],
    ['auth_code', 'error=x', 'error=x', 0],
    ['code', 'code=c', 'code=c', 0],
    [undefined, 'auth_code=c', 'auth_code=c', 0],
  ])('with the code under %s: %s is %s', (name, given, expected, count) => {
    const remarks: string[] = []
    const setting = settingOf({ authorization_code_param_in_callback: name })
    const heard = words.callback?.(new URLSearchParams(given), setting, (remark) => void remarks.push(remark))
    expect(heard?.toString()).toBe(expected)
    expect(remarks).toHaveLength(count)
  })
})
