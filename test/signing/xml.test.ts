import { describe, expect, it, test } from 'vitest'
import { readXml, writeXml } from '../../src/signing/xml.ts'

describe('reading XML', () => {
  it('makes members of elements, `$name` of attributes, lists of what repeats', async () => {
    const xml = '<?xml version="1.0"?>\n<s:r xmlns:s="u"><a>1</a><a x="&lt;">2</a><b><![CDATA[<c>&]]></b><d/> </s:r>'
    expect(await readXml(xml)).toEqual({
      's:r': { '$xmlns:s': 'u', a: ['1', { $x: '<', '#text': '2' }], b: '<c>&', d: '' },
    })
    expect(await readXml('<a>&amp;&#65;<!-- no --></a>')).toEqual({ a: '&A' })
    expect(await readXml('<a><__proto__>x</__proto__></a>')).toEqual({ a: JSON.parse('{"__proto__":"x"}') })
  })

  test.each([
    ['<a><b></a>'],
    ['<a>'],
    ['<a/><b/>'],
    ['<a'],
    ['<a>&x;</a>'],
    ['<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'],
    ['<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'],
    ['<html><body><br></body></html>'],
    ['text'],
    [''],
    ['<a>'.repeat(200) + '</a>'.repeat(200)],
    [`<a>${'<b/>'.repeat(200_000)}</a>`],
  ])('leaves alone what is none, or is made to do harm: %#', async (xml) => {
    expect(await readXml(xml)).toBeUndefined()
  })
})

describe('writing XML', () => {
  it('escapes whatever stands in it, and reads back the same', async () => {
    const value = {
      request: { $id: 'x"<&>\'', control: { password: `<&>"' ü`, isOpen: false, none: '' }, f: ['1', { $a: '2' }] },
    }
    const xml = await writeXml(value)
    expect(xml).toContain('<isOpen>false</isOpen>')
    expect(xml).toContain('&lt;&amp;')
    expect(await readXml(xml)).toEqual({
      request: { ...value.request, control: { ...value.request.control, isOpen: 'false' } },
    })
  })

  test.each<[string, Record<string, unknown>]>([
    ['two roots', { a: 1, b: 2 }],
    ['no root', {}],
    ['a list as root', { a: [1, 2] }],
    ['a name that is none', { a: { 'b c': 1 } }],
    ['a name that breaks out', { a: { 'b><c': 1 } }],
    ['an attribute that breaks out', { a: { '$b="1" c': 1 } }],
    ['a control character', { a: 'x\u0001' }],
  ])('refuses %s', async (_, value) => {
    await expect(writeXml(value)).rejects.toThrow()
  })
})
