import { expect, test } from 'vitest'
import { openForTest, send } from './twin.ts'

const twice = {
  auth_mode: 'API_KEY',
  connection_config: { apiKey: { pattern: '^[a-f0-9]{32}$' } },
  credentials: { apiKey: { pattern: '^[a-f0-9]{16}$' } },
  proxy: {
    base_url: 'https://api.acme.example',
    headers: { 'x-key': '${connectionConfig.apiKey}', 'x-secret': '${apiKey}' },
  },
}

test('issues two answers where two questions have one key and rules that disagree', async () => {
  const twin = await openForTest({ template: twice })
  const { apiKey = '', 'credentials.apiKey': secret = '' } = twin.issued.params
  expect([apiKey.length, secret.length]).toEqual([32, 16])
  const call = (headers: Record<string, string>) => send(twin, 'https://api.acme.example/', { headers })
  expect((await call({ 'x-key': apiKey, 'x-secret': secret })).status).toBe(200)
  expect((await call({ 'x-key': apiKey, 'x-secret': apiKey })).status).toBe(401)
  const own = 'abcdef0123456789'
  const chosen = await openForTest({ template: twice, answers: { 'credentials.apiKey': own } })
  expect(chosen.issued.params['credentials.apiKey']).toBe(own)
})

test('asks for one answer where one keeps the rules of both', async () => {
  const rules = { pattern: '^[a-f0-9]{32}$' }
  const template = { ...twice, connection_config: { apiKey: rules }, credentials: { apiKey: rules } }
  const twin = await openForTest({ template })
  expect(Object.keys(twin.issued.params)).toEqual(['apiKey'])
})

test('demands nothing of a call that would have to come by itself and cannot', async () => {
  const template = {
    auth_mode: 'API_KEY',
    connection_config: { shade: { automated: true } },
    proxy: {
      base_url: 'https://api.acme.example',
      headers: { 'x-key': '${apiKey}', 'x-shade': '${connectionConfig.shade}' },
    },
  }
  const ask = async (answers: Record<string, string>, headers: Record<string, string>) => {
    const twin = await openForTest({ template, answers })
    const key = { 'x-key': twin.issued.params['apiKey'] ?? '' }
    return (await send(twin, 'https://api.acme.example/', { headers: { ...key, ...headers } })).status
  }
  expect(await ask({}, {})).toBe(200)
  expect(await ask({}, { 'x-shade': 'whatever' })).toBe(200)
  expect(await ask({ shade: 'blue' }, {})).toBe(400)
  expect(await ask({ shade: 'blue' }, { 'x-shade': 'blue' })).toBe(200)
})
