import { expect, test } from 'vitest'
import { flagOf } from '../../src/fill/flag.ts'

test.each([
  ['subdomain', '--subdomain'],
  ['accountId', '--account-id'],
  ['account_id', '--account-id'],
  ['installation.uuid', '--installation-uuid'],
  ['accounts-server', '--accounts-server'],
  ['baseURL', '--base-url'],
  ['APIKey', '--api-key'],
  ['apiV2Host', '--api-v2-host'],
])('%s is asked for by %s', (key, flag) => {
  expect(flagOf(key)).toBe(flag)
})
