import { describe, expect, it, test } from 'vitest'
import { authorizationInWords, callbackNames } from '../../src/dialects/authorization.ts'
import type { Template } from '../../src/model/provider.ts'

const plain = 'https://idp.example/authorize?response_type=code&client_id=c&scope=a%2Bb%3Ac&state=s&empty='

function worded(words: Partial<Template>, url = plain): { url: string; quirks: string[] } {
  const template: Template = { auth_mode: 'OAUTH2', ...words }
  const quirks: string[] = []
  const setting = {
    template,
    endpoints: { authorization: url },
    params: {},
    scopes: [],
    grant: 'authorization_code',
    tokenParams: {},
  } as const
  return { url: authorizationInWords(new URL(url), setting, (quirk) => quirks.push(quirk)).href, quirks }
}

describe('the authorization URL in a template’s words', () => {
  test.each<[string, Partial<Template>, string]>([
    ['stays as it is without any', {}, plain],
    [
      'has the scope unencoded at its end',
      { authorization_url_skip_encode: ['scopes'] },
      'https://idp.example/authorize?response_type=code&client_id=c&state=s&empty=&scope=a+b:c',
    ],
    [
      'has its query behind a fragment',
      { authorization_url_fragment: '/oauth' },
      'https://idp.example/authorize#/oauth?response_type=code&client_id=c&scope=a%2Bb%3Ac&state=s&empty=',
    ],
    [
      'is replaced once for each word, in their order, literally',
      { authorization_url_replacements: { client_id: 'app_$&id', 'app_$&': 'x', response_type: '' } },
      'https://idp.example/authorize?=code&xid=c&scope=a%2Bb%3Ac&state=s&empty=',
    ],
    [
      'leaves out what is empty',
      { authorization_url_skip_empty: true },
      'https://idp.example/authorize?response_type=code&client_id=c&scope=a%2Bb%3Ac&state=s',
    ],
    [
      'is worded in this order: scope, fragment, replacements, empty ones',
      {
        authorization_url_skip_encode: ['scopes'],
        authorization_url_fragment: 'f',
        authorization_url_replacements: { '#f': '#g', 's&empty=': '&empty=' },
        authorization_url_skip_empty: true,
      },
      'https://idp.example/authorize#g?response_type=code&client_id=c&scope=a+b:c',
    ],
  ])('%s', (_, words, expected) => {
    expect(worded(words).url).toBe(expected)
  })

  it('never lets a scope end its parameter', () => {
    const url = `https://idp.example/a?scope=${encodeURIComponent('a&state=x#f b')}`
    expect(worded({ authorization_url_skip_encode: ['scopes'] }, url).url).toBe(
      'https://idp.example/a?scope=a%26state=x%23f%20b',
    )
  })

  it('says each time that it deviates', () => {
    expect(
      worded({
        authorization_url_skip_encode: ['scopes'],
        authorization_url_fragment: 'f',
        authorization_url_replacements: { client_id: 'app_id', absent: 'x' },
      }).quirks,
    ).toEqual(['the scope is not encoded', 'the parameters stand behind a "#"', '"client_id" is replaced by "app_id"'])
  })

  test.each([{ 'idp.example': 'evil.example' }, { 'https:': '' }])('never leads to another site: %j', (words) => {
    expect(() => worded({ authorization_url_replacements: words })).toThrow('no authorization URL of the same site')
  })

  it('is answered with the names that it was sent with', () => {
    const template: Template = {
      auth_mode: 'OAUTH2',
      authorization_code_param_in_callback: 'spapi_oauth_code',
      authorization_url_replacements: { 'state=': 'customField=', 'client_id=': 'appKey=' },
    }
    expect(callbackNames(template)).toEqual([
      ['spapi_oauth_code', 'code'],
      ['customField', 'state'],
    ])
    expect(callbackNames({ auth_mode: 'OAUTH2', authorization_code_param_in_callback: 'code' })).toEqual([])
  })
})
