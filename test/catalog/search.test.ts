import { expect, test } from 'vitest'
import { searchProviders } from '../../src/catalog/search.ts'
import type { ListedProvider } from '../../src/catalog/sources.ts'

const listed = (name: string, title: string, ...categories: string[]): ListedProvider => ({
  name,
  title,
  mode: 'OAUTH2',
  categories,
  source: { kind: 'built-in', file: 'f' },
})
const all = [
  listed('github', 'GitHub', 'dev-tools'),
  listed('google', 'Google', 'productivity'),
  listed('google-mail', 'Gmail', 'communication'),
  listed('microsoft-teams', 'Microsoft Teams', 'communication'),
  listed('zoho', 'Zoho', 'crm'),
  listed('zoho-crm', 'Zoho CRM', 'crm'),
  listed('hubspot', 'HubSpot', 'crm'),
]

test.each([
  ['', false, all.map(({ name }) => name)],
  ['google', false, ['google', 'google-mail']],
  ['GOO', false, ['google', 'google-mail']],
  ['gmail', false, ['google-mail']],
  ['zoho crm', false, ['zoho-crm', 'zoho']],
  ['spot', false, ['hubspot']],
  ['dev tools', false, ['github']],
  ['gogle', true, ['google', 'google-mail']],
  ['gitub', true, ['github']],
  ['micrsoft teems', true, ['microsoft-teams']],
  ['frobnicate', false, []],
  ['xy', false, []],
])('a search for "%s" finds, guessing %s, %j', (text, isGuess, names) => {
  const hits = searchProviders(all, text)
  expect(hits.providers.map(({ name }) => name)).toEqual(names)
  expect(hits.isGuess).toBe(isGuess)
})
