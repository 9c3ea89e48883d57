import { readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { addedCatalogues, indexedGlance } from '../../src/catalog/added.ts'
import { freshFolder } from '../support/disk.ts'
import { filesIn, templateText } from '../support/templates.ts'

const source = (name: string, addedAt: string) =>
  JSON.stringify({ name, kind: 'file', origin: `/x/${name}`, count: 1, addedAt })

describe('added catalogues', () => {
  it('come in the order in which they were added, and broken ones are left out', () => {
    const folder = filesIn(freshFolder(), {
      'b/source.json': source('b', '2026-01-01T00:00:00Z'),
      'a/source.json': source('a', '2026-02-01T00:00:00Z'),
      'torn/source.json': '{"name":',
      'odd/source.json': '{"name":5}',
      'empty/x': '',
      '.new/source.json': source('half', '2026-01-01T00:00:00Z'),
    })
    expect(addedCatalogues(folder)).toMatchObject([
      { name: 'b', path: join(folder, 'b', 'templates'), index: join(folder, 'b', 'index.json') },
      { name: 'a' },
    ])
    expect(addedCatalogues(join(folder, 'absent'))).toEqual([])
    expect(addedCatalogues(undefined)).toEqual([])
  })
})

describe('the index of a catalogue', () => {
  const catalogue = () => {
    const root = filesIn(freshFolder(), {
      'templates/one.yaml': templateText('one', '', { display_name: 'One', categories: '[crm, other]' }),
      'templates/two.yaml': 'two:\n  alias: one\n',
      'templates/notes.txt': 'x',
    })
    return { folder: join(root, 'templates'), index: join(root, 'index.json') }
  }
  const titles = ({ folder, index }: { folder: string; index: string }) =>
    indexedGlance(folder, index).map(({ name, title }) => [name, title])

  it('is written at the first look and then answers without reading the templates', () => {
    const place = catalogue()
    const first = indexedGlance(place.folder, place.index)
    expect(first).toMatchObject([
      { name: 'one', title: 'One', mode: 'OAUTH2', categories: ['crm', 'other'] },
      { name: 'two', alias: 'one' },
    ])
    // What only the index can know now.
    writeFileSync(place.index, readFileSync(place.index, 'utf8').replace('"One"', '"From the index"'))
    expect(titles(place)).toEqual([
      ['one', 'From the index'],
      ['two', undefined],
    ])
  })

  it('is not rewritten while nothing changes', () => {
    const place = catalogue()
    titles(place)
    const before = statSync(place.index)
    titles(place)
    expect(statSync(place.index).ino).toBe(before.ino)
  })

  it('sees a template that was changed in place, replaced, added or removed', () => {
    const place = catalogue()
    const one = join(place.folder, 'one.yaml')
    utimesSync(one, 1_000_000_000, 1_000_000_000)
    titles(place)
    writeFileSync(one, readFileSync(one, 'utf8').replace('One', 'Uno'))
    // Same inode, same size, same time: when the inode last changed tells.
    utimesSync(one, 1_000_000_000, 1_000_000_000)
    expect(titles(place)[0]).toEqual(['one', 'Uno'])
    writeFileSync(`${one}.new`, templateText('one', '', { display_name: 'Eins' }))
    renameSync(`${one}.new`, one)
    expect(titles(place)[0]).toEqual(['one', 'Eins'])
    writeFileSync(join(place.folder, 'three.yaml'), templateText('three', '', { display_name: 'Three' }))
    rmSync(join(place.folder, 'two.yaml'))
    expect(titles(place)).toEqual([
      ['one', 'Eins'],
      ['three', 'Three'],
    ])
    expect(Object.keys(JSON.parse(readFileSync(place.index, 'utf8')).lines)).toEqual(['one.yaml', 'three.yaml'])
  })

  it.each([
    ['torn', '{"version":2,"lines":{"one.yaml":'],
    ['of another version', '{"version":1,"lines":{"one.yaml":{"stamp":[0,0,0,0],"title":"x"}}}'],
    ['of other things', '{"version":2,"lines":{"one.yaml":{"stamp":[0,0,0,0],"title":5}}}'],
    ['a list', '[]'],
    ['empty', ''],
  ])('is made anew when it is %s', (_, text) => {
    const place = catalogue()
    writeFileSync(place.index, text)
    expect(titles(place)[0]).toEqual(['one', 'One'])
    expect(JSON.parse(readFileSync(place.index, 'utf8'))).toMatchObject({ version: 2 })
  })

  it('is done without where it cannot be written', () => {
    const { folder } = catalogue()
    expect(indexedGlance(folder, join(folder, 'absent', 'index.json'))).toHaveLength(2)
  })
})
