import { describe, expect, it } from 'vitest'
import { bodyLines, cutBody, maskedUrl, shortUrl, timingText } from '../../../src/cli/output/exchange.ts'
import { drawn } from './samples.ts'

it.each([
  [{ dns: 3.2, connect: 21, tls: 44, wait: 240, total: 312 }, 'dns 3 · connect 21 · tls 44 · wait 240 · total 312 ms'],
  [{ wait: 0.4, total: 0.6 }, 'wait 0 · total 1 ms'],
])('tells the timing %o', async (timing, text) => {
  expect(timingText(timing, await drawn(80))).toBe(text)
})

it.each([
  ['https://a.example/b/c?d=e#f', 'a.example/b/c'],
  ['http://localhost:8749/x', 'localhost:8749/x'],
  ['not a url', 'not a url'],
])('shortens %s', (url, short) => {
  expect(shortUrl(url)).toBe(short)
})

it('shows a mask in a URL as everywhere else', () => {
  expect(maskedUrl('https://a.example/?state=%E2%80%A6(a41f)&code=gho_%E2%80%A6%289f2c%29&x=%28y%29')).toBe(
    'https://a.example/?state=…(a41f)&code=gho_…(9f2c)&x=%28y%29',
  )
})

describe('a body', () => {
  it.each([
    ['a form', 'application/x-www-form-urlencoded; charset=utf-8', 'a=1&b=two+words', ['a=1  b="two words"']],
    ['short JSON', 'application/json', '{"a":1}', ['{"a":1}']],
    [
      'JSON cut in the middle',
      'application/json',
      `{"a":"${'x'.repeat(50)}`,
      [`{"a":"${'x'.repeat(34)}`, 'x'.repeat(16)],
    ],
    ['text', 'text/plain', 'one\ntwo\n', ['one', 'two']],
    [
      'long JSON',
      'application/json',
      `{"a":"${'x'.repeat(30)}","b":[1]}`,
      ['{', `  "a": "${'x'.repeat(30)}",`, '  "b": [', '    1', '  ]', '}'],
    ],
  ])('is readable: %s', async (_, type, body, lines) => {
    expect(bodyLines(body, [['Content-Type', type]], await drawn(40))).toEqual(lines)
  })
})

it('says how large a body was that is not shown whole', async () => {
  const response = { status: 200, statusText: 'OK', headers: [], body: 'x', bytes: 70_000 }
  expect(cutBody(response, await drawn(80))).toEqual(['    … 70000 bytes in all'])
  expect(cutBody({ ...response, bytes: 1 }, await drawn(80))).toEqual([])
})
