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
      body: '{"grant_type":"authorization_code","code":"c","n":1}',
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

function idpSetting(template: Partial<Template>, more: Partial<Setting> = {}): Setting {
  return {
    template: { auth_mode: 'OAUTH2', display_name: 'Idp', ...template },
    endpoints: { authorization: 'https://idp.example/authorize' },
    params: { subdomain: 'acme', n: 'x' },
    scopes: [],
    grant: 'authorization_code',
    tokenParams: {},
    ...more,
  }
}

const sent = (params: Record<string, string>, headers: TokenRequest['headers'] = []): TokenRequest => ({
  method: 'POST',
  url: 'https://idp.example/token?key=k',
  headers: [['content-type', 'application/x-www-form-urlencoded'], ...headers],
  params: new URLSearchParams(params),
})

function requested(setting: Setting, request: TokenRequest): { request: TokenRequest; quirks: string[] } {
  const quirks: string[] = []
  return { request: words.request?.(request, setting, (quirk) => quirks.push(quirk)) ?? request, quirks }
}

describe('what a template may add to the token request', () => {
  const code = { grant_type: 'authorization_code', code: 'c' }

  it('adds parameters, filled, of any kind', () => {
    const template = {
      token_params: {
        grant_type: 'password',
        context: 'stores/${connectionConfig.subdomain}',
        expiring: 1,
        offline: false,
        aud: ['a', 'b'],
        deep: { n: '${connectionConfig.n}' },
        none: null,
      },
    }
    const { request } = requested(idpSetting(template), sent(code))
    expect([...request.params]).toEqual([
      ['grant_type', 'authorization_code'],
      ['code', 'c'],
      ['context', 'stores/acme'],
      ['expiring', '1'],
      ['offline', 'false'],
      ['aud', 'a'],
      ['aud', 'b'],
      ['deep', '{"n":"x"}'],
    ])
    expect(request.url).toBe('https://idp.example/token?key=k')
  })

  it('keeps their kinds in JSON', () => {
    const template = {
      body_format: 'json',
      token_params: { expiring: 1, offline: false, list: ['${connectionConfig.n}'], deep: { n: [2] } },
    }
    const { request, quirks } = requested(idpSetting(template, { tokenParams: { expiring: '2' } }), sent(code))
    expect(JSON.parse(request.body ?? '')).toEqual({
      grant_type: 'authorization_code',
      code: 'c',
      expiring: '2',
      offline: false,
      list: ['x'],
      deep: { n: [2] },
    })
    expect(request.headers).toEqual([['content-type', 'application/json']])
    expect(quirks).toEqual(['the token request is JSON'])
  })

  it('fills the time and a random value', () => {
    const template = { token_params: { at: '${now:X}', id: '${random}' } }
    const setting = idpSetting(template, { now: new Date(5000), random: 'r' })
    expect(Object.fromEntries(requested(setting, sent({})).request.params)).toEqual({ at: '5', id: 'r' })
  })

  it('refreshes with its own parameters, filled, and never with another grant', () => {
    const refresh = { grant_type: 'refresh_token', refresh_token: 'r' }
    const own = { refresh_params: { grant_type: 'x', resource: 'https://${connectionConfig.subdomain}' } }
    const both = { ...own, token_params: { grant_type: 'authorization_code', expires_in: '1800' } }
    const of = (template: Partial<Template>) =>
      Object.fromEntries(requested(idpSetting(template, { grant: 'refresh_token' }), sent(refresh)).request.params)
    expect(of(both)).toEqual({ ...refresh, resource: 'https://acme' })
    expect(of({ token_params: both.token_params })).toEqual({ ...refresh, expires_in: '1800' })
  })

  it('names the field that cannot be filled', () => {
    const setting = idpSetting(
      { refresh_params: { a: { b: '${connectionConfig.realm}' } }, connection_config: { realm: {} } },
      { grant: 'refresh_token' },
    )
    expect(() => requested(setting, sent({}))).toThrow('refresh_params.a.b of the template "Idp" needs --realm.')
  })

  it('tells when the client proves itself in two ways, or in one where it was made for two', () => {
    const basic: TokenRequest['headers'] = [['authorization', 'Basic eDp5']]
    const raw = { token_request_auth_method: 'basic' }
    expect(requested(idpSetting(raw), sent({ client_secret: 's' }, basic)).quirks).toEqual([
      'the client secret is sent twice, in a Basic header and in the body; RFC 6749 §2.3 allows one',
    ])
    expect(requested(idpSetting(raw), sent({}, basic)).quirks[0]).toContain('--client-auth basic+post')
    expect(requested(idpSetting({ authorization_method: 'header' }), sent({}, basic)).quirks).toEqual([])
    expect(requested(idpSetting(raw), sent({ client_secret: 's' })).quirks).toEqual([])
  })
})

describe('the names in a callback', () => {
  const heard = (template: Partial<Template>, query: string): string =>
    String(words.callback?.(new URLSearchParams(query), idpSetting(template), () => {}))

  it('brings code and state under their standard names', () => {
    const template = {
      authorization_code_param_in_callback: 'spapi_oauth_code',
      authorization_url_replacements: { 'state=': 'customField=' },
    }
    expect(heard(template, 'spapi_oauth_code=c&customField=s&x=1')).toBe('x=1&code=c&state=s')
    expect(heard(template, 'code=d&spapi_oauth_code=c&state=s')).toBe('code=d&spapi_oauth_code=c&state=s')
    expect(heard({}, 'customField=s')).toBe('customField=s')
  })

  it('hides no repetition', () => {
    expect(heard({ authorization_code_param_in_callback: 'k' }, 'k=1&k=2')).toBe('code=1&code=2')
  })
})
