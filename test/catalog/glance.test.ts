import { expect, test } from 'vitest'
import { glancesIn } from '../../src/catalog/glance.ts'

test.each([
  ['plain', 'a:\n  display_name: Acme & Co # note\n  auth_mode: OAUTH2\n', { title: 'Acme & Co', mode: 'OAUTH2' }],
  ['quoted', 'a:\n  display_name: "Ac\\"me" # note\n  auth_mode: \'BASIC\'\n', { title: 'Ac"me', mode: 'BASIC' }],
  ['deeper fields first', 'a:\n  x:\n    alias: no\n    display_name: no\n  display_name: Yes\n', { title: 'Yes' }],
  ['deeper fields last', 'a:\n  display_name: Yes\n  x:\n    display_name: no\n    alias: no\n', { title: 'Yes' }],
  ['a comment for a value', 'a:\n  display_name: # none\n', { title: '' }],
])('sees the title and mode of a template: %s', (_, text, expected) => {
  expect(glancesIn(text, 'f')).toEqual([{ name: 'a', file: 'f', ...expected }])
})
