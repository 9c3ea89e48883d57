import { expect, test } from 'vitest'
import { nearest } from '../../src/catalog/nearest.ts'

const names = ['zendesk', 'zendesk-sell', 'google', 'google-mail', 'github', 'gitlab', 'slack', 'jira']

test.each([
  ['zendesc', ['zendesk']],
  ['gogle', ['google']],
  ['gooogle', ['google']],
  ['gihtub', ['github']],
  ['Slack', ['slack']],
  ['zen', ['zendesk', 'zendesk-sell']],
  ['jria', ['jira']],
  ['frobnicate', []],
  ['', []],
])('%s may mean %j', (typed, meant) => {
  expect(nearest(typed, names)).toEqual(meant)
})
