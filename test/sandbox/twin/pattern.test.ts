import { expect, test } from 'vitest'
import { textsMatching } from '../../../src/sandbox/twin/pattern.ts'

test.each([
  '^[a-z0-9_-]+$',
  '^key_(live|test)_[A-Za-z0-9]{16}$',
  '^[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}$',
  '^https?:\\/\\/[^\\s]+[^/\\s]$',
  '^\\d{3}-\\w+\\.\\S*$',
  '^(?<name>[A-Z]{2})\\d?$',
  '[a-f0-9]$',
  '^(?!www\\.)[a-z]+\\.example$',
  '^-----BEGIN X-----\\\\n([A-Za-z0-9+/=\\\\n]+)\\\\n-----END X-----$',
  '^[\\da-fA-F]{4}$',
  '^\\S{20,}$',
  '^a{2,3}b*$',
  '^[^@\\s]+@[^@\\s]+$',
])('makes texts that %j accepts, the same each time', (pattern) => {
  const [text = 'none'] = textsMatching(pattern, 'seed')
  expect(text).toMatch(new RegExp(pattern))
  expect([...textsMatching(pattern, 'seed')]).toEqual([...textsMatching(pattern, 'seed')])
})

test('makes other texts for another seed', () => {
  const [one] = textsMatching('^[a-z0-9]{20}$', 'one')
  const [other] = textsMatching('^[a-z0-9]{20}$', 'other')
  expect(one).not.toBe(other)
})

test.each(['^[b-a]$', '(', 'a**', '^(?=x)y$'])('makes none for %j', (pattern) => {
  expect([...textsMatching(pattern, 'seed')]).toEqual([])
})
