import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { glance } from '../../src/catalog/glance.ts'
import { shippedGlance, shippedIndex } from '../../src/catalog/shipped.ts'
import { freshFolder } from '../support/disk.ts'

const text = (name: string, title: string): string => `${name}:\n  display_name: ${title}\n  auth_mode: API_KEY\n`

function shipped() {
  const folder = path.join(freshFolder(), 'templates')
  const index = path.join(folder, '..', 'templates.json')
  mkdirSync(folder)
  writeFileSync(path.join(folder, 'apple.yaml'), text('apple', 'Apple'))
  writeFileSync(path.join(folder, 'pear.yaml'), 'pear:\n  alias: apple\n')
  writeFileSync(index, shippedIndex(folder))
  return { folder, index }
}

describe('the list of the templates that come along', () => {
  it('is what reading them would tell', () => {
    const { folder, index } = shipped()
    expect(shippedGlance(folder, index)).toEqual(glance(folder).map((one) => expect.objectContaining(one)))
    expect(shippedGlance(folder, index)).toHaveLength(2)
  })

  it('comes from the index while every file is there', () => {
    const { folder, index } = shipped()
    writeFileSync(path.join(folder, 'apple.yaml'), text('apple', 'Lemon'))
    expect(shippedGlance(folder, index)[0]?.title).toBe('Apple')
  })

  it.each<[string, (folder: string, index: string) => void]>([
    ['came', (folder) => writeFileSync(path.join(folder, 'plum.yaml'), text('plum', 'Plum'))],
    ['has another name', (folder) => renameSync(path.join(folder, 'pear.yaml'), path.join(folder, 'pears.yaml'))],
    ['went', (folder) => rmSync(path.join(folder, 'pear.yaml'))],
    ['is not the index', (_, index) => writeFileSync(index, '{"broken')],
  ])('is read anew where a file %s', (_, change) => {
    const { folder, index } = shipped()
    change(folder, index)
    expect(shippedGlance(folder, index)).toEqual(glance(folder))
  })
})
