import { describe, expect, it } from 'vitest'
import { dialectOf } from '../../src/dialects/index.ts'
import { authorizeIn, speak } from '../../src/dialects/speak.ts'
import type { Send, Setting, TokenAnswer } from '../../src/model/dialect.ts'

const setting: Setting = {
  template: { auth_mode: 'OAUTH2' },
  endpoints: { token: 'https://p.example/token' },
  params: {},
  scopes: [],
  grant: 'authorization_code',
  tokenParams: {},
  client: { id: 'id', secret: 'secret', authentication: 'post' },
  redirectUri: 'https://cb.example/x',
  state: 'the-state',
}

async function hear(name: string, body: unknown, more: Partial<Setting> = {}, status = 200, send?: Send) {
  const remarks: string[] = []
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const raw: TokenAnswer = { status, headers: [['content-type', 'application/json']], text }
  const line = speak(
    dialectOf(name),
    async () => raw,
    { ...setting, ...more },
    (said) => remarks.push(said),
    send,
  )
  const { answer } = await line('https://p.example/token', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ grant_type: 'authorization_code', code: 'c' }),
  })
  return { answer, remarks }
}

describe('a refusal is understood as one', () => {
  it.each([
    [
      'braintree',
      { apiErrorResponse: { message: 'Invalid grant: code not found' } },
      'api_error',
      'Invalid grant: code not found',
    ],
    ['coros', { result: '5001', message: 'illegal code' }, '5001', 'illegal code'],
    ['tiktok-ads', { code: 40110, message: 'Auth_code expired' }, '40110', 'Auth_code expired'],
    ['tiktok-accounts', { code: 40105, message: 'bad token', data: {} }, '40105', 'bad token'],
    ['shopline-oauth', { code: 500, i18nCode: 'SIGN_ERROR', message: 'sign is wrong' }, 'sign_error', 'sign is wrong'],
    ['slack', { ok: false, error: 'invalid_code' }, 'invalid_code', undefined],
    ['stripe-app', { error: 'invalid_grant', error_description: 'no' }, 'invalid_grant', 'no'],
  ])('by %s', async (name, body, error, description) => {
    const { answer } = await hear(name, body)
    expect(answer.status).toBe(400)
    expect(answer.json).toMatchObject({
      error,
      ...(description === undefined ? {} : { error_description: description }),
    })
  })

  it('by Bullhorn, which takes the token and refuses the log-in', async () => {
    const { answer } = await hear('bullhorn', { access_token: 'a', token_type: 'Bearer' }, {}, 200, async () => ({
      status: 401,
      headers: [],
      text: '{"errorCode":401,"errorMessage":"Bad token"}',
    }))
    expect(answer).toMatchObject({ status: 401, json: { error: '401', error_description: 'Bad token' } })
  })

  it('by Instagram, which issues a token and does not exchange it', async () => {
    const { answer } = await hear('instagram', { access_token: 'a', user_id: 1 }, {}, 200, async () => ({
      status: 400,
      headers: [],
      text: '{"error":{"message":"Unsupported request","code":100}}',
    }))
    expect(answer).toMatchObject({ status: 400, json: { error: '100', error_description: 'Unsupported request' } })
  })
})

describe('what is standard stays as it is', () => {
  const plain = { access_token: 'a', token_type: 'Bearer', expires_in: 60, refresh_token: 'r' }
  it.each(
    'absorb-lms agiloft braintree clover coros facebook followupboss jobber mercury microsoft-admin stripe-app tiktok-ads walmart workday-oauth shopline-oauth sentry-oauth'.split(
      ' ',
    ),
  )('in the answer of %s', async (name) => {
    const { answer } = await hear(name, plain)
    expect(answer).toMatchObject({ status: 200, json: plain })
  })

  it.each(['', 'not JSON', '<html></html>', '[]', 'null', '"text"'])('whatever comes: %j', async (text) => {
    for (const name of ['bullhorn', 'tiktok-ads', 'shopline-oauth', 'coros', 'instagram', 'braintree', 'slack'])
      expect((await hear(name, text)).answer.status).toBe(200)
  })
})

it('of Sentry the tokens are read under its own names, with status 201', async () => {
  const body = { token: 't', refreshToken: 'r', expiresAt: '2099-01-01T00:00:00Z' }
  const { answer } = await hear('sentry-oauth', body, {}, 201)
  expect(answer).toMatchObject({
    status: 200,
    json: { access_token: 't', refresh_token: 'r', expires_at: '2099-01-01T00:00:00.000Z' },
  })
})

it('of Workday the refresh token that was given is kept where that is asked for', async () => {
  const body = { access_token: 'a', refresh_token: 'another', token_type: 'Bearer' }
  const params = { overrideTokenRefresh: 'true' }
  const { answer } = await hear('workday-oauth', body, { grant: 'refresh_token', params })
  expect(answer.json).toMatchObject({ expires_in: 3600 })
  expect(answer.json).not.toHaveProperty('refresh_token')
})

it('a denial of Follow Up Boss is access_denied', () => {
  const params = new URLSearchParams({ response: 'denied', state: 's' })
  const heard = dialectOf('followupboss').callback?.(params, setting, () => {})
  expect(heard?.get('error')).toBe('access_denied')
})

it('PKCE that is left out is told of, and sent all the same when somebody insists', () => {
  const remarks: string[] = []
  const remark = (said: string): void => void remarks.push(said)
  authorizeIn(dialectOf('facebook'), new URL('https://p.example/a?code_challenge=x'), setting, remark)
  authorizeIn(dialectOf('github'), new URL('https://p.example/a'), setting, remark)
  expect(remarks).toEqual([])
  authorizeIn(dialectOf('facebook'), new URL('https://p.example/a'), setting, remark)
  expect(remarks).toEqual([expect.stringContaining('PKCE is left out')])
})

it.each(['attio-mcp', 'heygen', 'posthog-oauth'])('%s is told of no secret', (name) => {
  const request = {
    method: 'POST',
    url: 'https://p.example/token',
    headers: [['authorization', 'Basic aWQ6c2VjcmV0'] as const],
    params: new URLSearchParams({ client_secret: 'secret', code_verifier: 'v' }),
  }
  const worded = dialectOf(name).request?.(request, setting, () => {})
  expect(worded?.headers.map(([key]) => key)).toEqual(['content-type'])
  expect(String(worded?.params)).toBe('code_verifier=v&client_id=id')
})

it('no token of an unknown host is sent to the real provider', async () => {
  const urls: string[] = []
  const send: Send = async (_purpose, { url }) => {
    urls.push(url)
    return { status: 500, headers: [], text: '' }
  }
  await hear('bullhorn', { access_token: 'a' }, {}, 200, send)
  await hear('instagram', { access_token: 'a' }, {}, 200, send)
  const real = { token: 'https://auth-east.bullhornstaffing.com/oauth/token' }
  await hear('bullhorn', { access_token: 'a' }, { endpoints: real }, 200, send)
  expect(urls.map((url) => url.split('?')[0])).toEqual([
    'https://p.example/rest-services/login',
    'https://p.example/access_token',
    'https://rest-east.bullhornstaffing.com/rest-services/login',
  ])
})
