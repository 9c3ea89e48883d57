import { describe, expect, it, test } from 'vitest'
import { at, captured, textOf } from '../../src/answers/member.ts'

const answer = { data: { tokens: [{ value: 'a' }, { value: 'b' }], 'x.y': 1 }, 'team.id': 'T', '': 'empty', n: null }

describe('a path', () => {
  test.each<[string, unknown]>([
    ['data.tokens[1].value', 'b'],
    ['data.tokens.0.value', 'a'],
    ['data["tokens"][0].value', 'a'],
    ['team.id', 'T'],
    ['data.x.y', 1],
    ['n', null],
    ['data.tokens[2].value', undefined],
    ['data.none.at.all', undefined],
    ['constructor', undefined],
    ['data.__proto__', undefined],
    ['data.tokens.length', 2],
  ])('%s leads to %j', (path, expected) => {
    expect(at(answer, path)).toEqual(expected)
  })

  it('leads nowhere in what is no mapping', () => {
    for (const value of [undefined, null, 'text', 7]) expect(at(value, 'a.b')).toBeUndefined()
  })
})

describe('what is kept of an answer', () => {
  it('is scalars and the text of XML elements, by the names that the template has for them', () => {
    const kept = captured(['team.id', 'data', 'n', 'flag', 'xml'], (name) =>
      name === 'flag' ? true : name === 'xml' ? { $a: '1', '#text': 't' } : at(answer, name),
    )
    expect(kept).toEqual({ 'team.id': 'T', flag: 'true', xml: 't' })
    expect(textOf([1])).toBeUndefined()
    expect(captured(undefined, () => 1)).toEqual({})
  })
})
