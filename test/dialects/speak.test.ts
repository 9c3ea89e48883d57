import { describe, expect, it } from 'vitest'
import { authorizeIn, hearCallback, speak } from '../../src/dialects/speak.ts'
import type { Dialect, Setting } from '../../src/model/dialect.ts'

const setting: Setting = {
  template: { auth_mode: 'OAUTH2', token_params: { a: 'words' }, authorization_code_param_in_callback: 'auth_code' },
  endpoints: { authorization: 'https://p.test/a', token: 'https://p.test/t' },
  params: {},
  scopes: [],
  grant: 'authorization_code',
  tokenParams: {},
}

describe('a provider is spoken to', () => {
  it('in its accent last, and heard in its accent first', async () => {
    const order: string[] = []
    const accent: Dialect = {
      request: (request) => {
        order.push(`request with a=${request.params.get('a')}`)
        return { ...request, url: `${request.url}/v2`, params: new URLSearchParams({ a: 'accent' }) }
      },
      response: (answer) => {
        order.push(`response ${answer.text}`)
        return { ...answer, text: '{"access_token":"t","token_type":"bearer"}' }
      },
    }
    const line = speak(
      accent,
      async ({ method, url, body }) => {
        order.push(`${method} ${url} ${body}`)
        return { status: 200, headers: [], text: 'odd' }
      },
      setting,
      () => {},
    )
    const { answer, raw } = await line('https://p.test/t', { method: 'POST', headers: {}, body: 'code=c' })
    expect(order).toEqual(['request with a=words', 'POST https://p.test/t/v2 a=accent', 'response odd'])
    expect(answer.json).toMatchObject({ access_token: 't' })
    expect(raw.text).toBe('odd')
  })

  it('without a body by GET', async () => {
    const sent: object[] = []
    const accent: Dialect = { request: (request) => ({ ...request, method: 'GET' }) }
    const line = speak(
      accent,
      async (request) => ({ status: 200, headers: [], text: String(sent.push(request)) }),
      setting,
      () => {},
    )
    await line('https://p.test/t', { method: 'POST', headers: {}, body: 'code=c' })
    expect(sent).toEqual([{ method: 'GET', url: 'https://p.test/t', headers: [] }])
  })

  it('with each remark made once, however often it is asked', async () => {
    const remarks: string[] = []
    const reach = async () => ({ status: 200, headers: [], text: '{"access_token":"t"}' })
    const line = speak({}, reach, setting, (remark) => void remarks.push(remark))
    await line('https://p.test/t', { method: 'POST', headers: {} })
    await line('https://p.test/t', { method: 'POST', headers: {} })
    expect(remarks).toEqual(['JSON labelled "nothing"', 'no "token_type"; taken as Bearer'])
  })
})

it('sends a browser in the accent of the provider, and hears what it brings back', () => {
  const accent: Dialect = {
    authorize: (url) => new URL(`${url}&accent=1`),
    callback: (params) => new URLSearchParams([...params, ['auth_code', 'c']]),
  }
  expect(authorizeIn(accent, new URL('https://p.test/a?x=1'), setting, () => {}).href).toBe(
    'https://p.test/a?x=1&accent=1',
  )
  expect(hearCallback(accent, new URLSearchParams('state=s'), setting, () => {}).toString()).toBe('state=s&code=c')
})
