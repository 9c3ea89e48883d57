import { describe, expect, it, test } from 'vitest'
import { readAnswer } from '../../src/answers/read.ts'

const read = (text: string, type = 'application/json') => readAnswer({ headers: [['Content-Type', type]], text })

describe('a body', () => {
  test.each<[string, string, string, unknown]>([
    ['{"a":1}', 'application/json', 'json', { a: 1 }],
    ['{"a":1}', 'text/html', 'json', { a: 1 }],
    ['\uFEFF {"a":1}\n', 'application/json', 'json', { a: 1 }],
    ['"abc"', 'application/json', 'json', 'abc'],
    ['abc.def-123==', 'text/plain', 'text', 'abc.def-123=='],
    ['dG9rZW4=', 'text/plain', 'text', 'dG9rZW4='],
    [' padded \n', 'text/plain', 'text', 'padded'],
    ['access_token=a%2Bb&expires_in=5', 'text/plain', 'form', { access_token: 'a+b', expires_in: '5' }],
    ['t=1', 'application/x-www-form-urlencoded', 'form', { t: '1' }],
    ['<r><s x="1">t</s></r>', 'text/xml', 'xml', { r: { s: { $x: '1', '#text': 't' } } }],
    ['<?xml version="1.0"?><r><a>1</a><a>2</a><b/></r>', 'text/plain', 'xml', { r: { a: ['1', '2'], b: '' } }],
    ['<!DOCTYPE html><p>x', 'text/html', 'page', '<!DOCTYPE html><p>x'],
    ['<html><body/></html>', 'application/xml', 'page', '<html><body/></html>'],
    ['<r><s></r>', 'text/xml', 'page', '<r><s></r>'],
    ['{"a":"cut', 'application/json', 'text', '{"a":"cut'],
    ['', 'application/json', 'nothing', undefined],
    [' \n', '', 'nothing', undefined],
  ])('%j, called %s, is %s', async (text, type, kind, value) => {
    expect(await read(text, type)).toMatchObject({ kind, value })
  })

  it('that is not what it is called is told of', async () => {
    expect((await read('{"a":1}', 'text/plain')).quirks).toEqual(['JSON labelled "text/plain"'])
    expect((await read('\uFEFF{"a":1}')).quirks).toEqual(['a byte order mark before the answer'])
    expect((await read('{"a":1}', 'application/vnd.x+json; charset=utf-8')).quirks).toEqual([])
  })
})
