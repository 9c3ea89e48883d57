import { expect, test } from 'vitest'
import { plainTitle } from '../../src/catalog/title.ts'

test.each([
  ['Zendesk', 'Zendesk'],
  ['  a\n\tb  ', 'a b'],
  ['\u001b[31mred\u001b[0m', 'red'],
  ['\u001b]8;;https://evil.com\u0007link\u001b]8;;\u0007', 'link'],
  ['\u001b]0;title\u001b\\x', 'x'],
  ['\u009b31mx', 'x'],
  ['a\u202eb\u2066c\u200f', 'abc'],
  ['a\rb\u0008\u0000', 'a b'],
  ['Ünïcode ✓', 'Ünïcode ✓'],
])('%j is shown as %j', (title, shown) => {
  expect(plainTitle(title)).toBe(shown)
})
