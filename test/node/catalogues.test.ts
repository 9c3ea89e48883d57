import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Catalogue } from '../../src/model/catalogue.ts'
import { placeCatalogue, removeCatalogue } from '../../src/node/catalogues.ts'
import { freshFolder } from '../support/disk.ts'

const about = (name: string): Catalogue => ({
  name,
  kind: 'package',
  origin: name,
  count: 1,
  addedAt: '2026-01-01T00:00:00Z',
})
const one = (text: string, name = 'one') => ({ name, text })

test('a catalogue is put in its place whole, and told apart from the one before', async () => {
  const catalogues = join(freshFolder(), 'catalogues')
  const place = { catalogues }
  expect(await placeCatalogue(place, about('@a/b'), [one('one: {}\n')])).toBeUndefined()
  const folder = join(catalogues, '@a+b')
  expect(readFileSync(join(folder, 'templates', 'one.yaml'), 'utf8')).toBe('one: {}\n')
  expect(JSON.parse(readFileSync(join(folder, 'source.json'), 'utf8'))).toEqual(about('@a/b'))
  const after = [one('one: {a: b}\n'), one('two: {}\n', 'two'), one('three: {}\n', 'three')]
  expect(await placeCatalogue(place, about('@a/b'), after)).toEqual({ fresh: 2, changed: 1, gone: 0 })
  expect(await placeCatalogue(place, about('@a/b'), [one('two: {}\n', 'two')])).toEqual({
    fresh: 0,
    changed: 0,
    gone: 2,
  })
  expect(readdirSync(catalogues)).toEqual(['@a+b'])
})

test('what a killed process left behind is in nobody’s way', async () => {
  const catalogues = freshFolder()
  for (const left of ['.new', '.old', 'a']) mkdirSync(join(catalogues, left, 'x'), { recursive: true })
  await placeCatalogue({ catalogues }, about('a'), [one('one: {}\n')])
  expect(readdirSync(join(catalogues, 'a'))).toEqual(['source.json', 'templates'])
})

test('where it cannot be written, the old one stays', async () => {
  const catalogues = freshFolder()
  await placeCatalogue({ catalogues }, about('a'), [one('one: {}\n')])
  const broken = placeCatalogue({ catalogues }, about('a'), [one('x', 'no/such/folder')])
  await expect(broken).rejects.toMatchObject({ code: 'NOT_WRITABLE', exitCode: 6 })
  expect(readdirSync(join(catalogues, 'a', 'templates'))).toEqual(['one.yaml'])
})

test('a name never leads out of the folder of catalogues', async () => {
  const root = freshFolder()
  const catalogues = join(root, 'catalogues')
  writeFileSync(join(root, 'kept'), '')
  for (const name of ['..', '../x', '../../x', '/x', '.', '']) await placeCatalogue({ catalogues }, about(name), [])
  expect(readdirSync(root).sort()).toEqual(['catalogues', 'kept'])
})

test('removing says whether there was one', async () => {
  const catalogues = freshFolder()
  await placeCatalogue({ catalogues }, about('@a/b'), [one('one: {}\n')])
  expect(await removeCatalogue({ catalogues }, '@a/b')).toBe(true)
  expect(await removeCatalogue({ catalogues }, '@a/b')).toBe(false)
  expect(readdirSync(catalogues)).toEqual([])
})
